"""Standalone clusters, where recorded cases do not reach."""

import pytest

from flinkop.api import codec
from flinkop.builders import cluster, effective_conf
from flinkop.builders.identity import ClusterIdentity
from flinkop.config.flink_conf import FlinkConf

RESOURCE = {"resource": {"memory": "2048m", "cpu": 1}}
JOB = {"jarURI": "local:///a.jar", "parallelism": 2}
HA = {"high-availability.type": "kubernetes", "high-availability.storageDir": "file:///ha"}


def build(version="v1_20", configuration=None, **fields):
    """Build a standalone cluster, a session one unless a job is given."""
    document = {
        "flinkVersion": version,
        "image": "flink:1.20",
        "mode": "standalone",
        "jobManager": RESOURCE,
        "taskManager": RESOURCE,
        "flinkConfiguration": configuration or {},
        **fields,
    }
    spec = codec.decode_flinkdeployment_spec(document)
    identity = ClusterIdentity("ns", "app", "uid-1", 1)
    conf = effective_conf.deploy_conf(FlinkConf({}), identity, spec)
    return cluster.build(conf, spec, identity, {})


def main(deployment):
    """Return the main container."""
    return deployment["spec"]["template"]["spec"]["containers"][-1]


def application(jar="local:///a.jar", args=(), **fields):
    """Return the JobManager's main container of an application."""
    return main(build(job={**JOB, "jarURI": jar, "args": list(args)}, **fields).deployment)


def test_arguments_of_a_template_do_not_count():
    """What runs is ours in all modes; the reference puts a session template's arguments in front of it."""
    container = {"name": "flink-main-container", "args": ["sleep", "1"], "command": ["sh"]}
    made = build(podTemplate={"spec": {"containers": [container]}})
    for deployment, args in (
        (made.deployment, ["jobmanager"]),
        (made.taskmanagers, ["taskmanager"]),
    ):
        assert main(deployment)["args"] == args
        assert main(deployment)["command"] == ["/docker-entrypoint.sh"]


@pytest.mark.parametrize(
    ("version", "args"),
    [
        ("v1_14", ["jobmanager", "$(_POD_IP_ADDRESS)"]),
        ("v1_15", ["jobmanager", "-D", "jobmanager.rpc.address=$(_POD_IP_ADDRESS)"]),
    ],
)
def test_session_with_high_availability(version, args):
    """The address of the pod, as the version's script takes it: before 1.15 it knows no -D."""
    configuration = {
        "high-availability": "kubernetes",
        "high-availability.storageDir": "file:///ha",
    }
    assert main(build(version, configuration).deployment)["args"] == args


@pytest.mark.parametrize(
    ("args", "guarded"),
    [
        ([], False),
        (["input", "-s", "x"], False),
        (["--input", "--fromSavepoint"], False),
        (["--hosts", "a"], False),
        (["-s", "x"], True),
        (["-Dfoo=bar"], True),
        (["-nx"], True),
        (["--job-id", "x"], True),
        (["--job-id=x"], True),
        (["--from", "x"], True),
        (["--", "x"], True),
    ],
)
def test_arguments_of_the_job_stay_the_job_s(args, guarded):
    """What the entry point would take for its own option comes after the word that ends its options."""
    found = application(args=args)["args"]
    assert found == ["standalone-job", *(["--"] if guarded else []), *args]


def test_options_of_the_entry_point_come_first():
    """The address of the pod is an option, and so comes before what ends the options."""
    found = application(args=["-x"], configuration=HA)["args"]
    assert found[1:] == ["-D", "jobmanager.rpc.address=$(_POD_IP_ADDRESS)", "--", "-x"]


@pytest.mark.parametrize(
    ("jar", "mounted"),
    [
        ("local:///opt/flink/examples/a.jar", True),
        ("https://example.com/a.jar", True),
        ("local:///opt/flink/usrlibrary/a.jar", True),
        ("local:///opt/flink/usrlib/a.jar", False),
        ("local:/opt/flink/usrlib/a.jar", False),
    ],
)
def test_the_image_s_user_library_is_not_hidden(jar, mounted):
    """A jar that lies in the image's usrlib is found there, and once: no empty directory is put over it, and
    the class path does not name it again."""
    paths = [mount["mountPath"] for mount in application(jar)["volumeMounts"]]
    assert ("/opt/flink/usrlib" in paths) is mounted
    made = build(job={**JOB, "jarURI": jar})
    assert ("pipeline.classpaths" in str(made.accompanying)) is mounted


def test_two_deployments_select_apart():
    """Neither Deployment selects the other's pods, and each selects its own."""
    made = build(configuration={"kubernetes.jobmanager.labels": "component:x,team:a"})
    for deployment, component in (
        (made.deployment, "jobmanager"),
        (made.taskmanagers, "taskmanager"),
    ):
        selector = deployment["spec"]["selector"]["matchLabels"]
        assert selector["component"] == component
        assert selector.items() <= deployment["spec"]["template"]["metadata"]["labels"].items()
    assert made.deployment["metadata"]["labels"]["team"] == "a"
    assert made.taskmanagers["metadata"]["name"] == "app-taskmanager"


@pytest.mark.parametrize(
    ("fields", "replicas"),
    [
        ({}, 1),
        ({"taskManager": {**RESOURCE, "replicas": 3}}, 3),
        ({"job": {**JOB, "parallelism": 5}}, 3),
        ({"job": {**JOB, "parallelism": 5}, "taskManager": {**RESOURCE, "replicas": 1}}, 1),
        (
            {
                "job": {**JOB, "parallelism": 5},
                "configuration": {
                    "taskmanager.numberOfTaskSlots": "2",
                    "pipeline.jobvertex-parallelism-overrides": "a:7,b:2",
                },
            },
            4,
        ),
    ],
)
def test_replicas(fields, replicas):
    """As many TaskManagers as asked for, else as the job's parallelism or its overrides need (6.5)."""
    fields.setdefault("configuration", {"taskmanager.numberOfTaskSlots": "2"})
    assert build(**fields).taskmanagers["spec"]["replicas"] == replicas
