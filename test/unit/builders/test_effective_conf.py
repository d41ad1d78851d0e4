"""The configuration of one cluster, where recorded cases do not reach."""

import pytest

from flinkop.api import codec
from flinkop.api.common import JobSpec, UpgradeMode
from flinkop.api.flinksessionjob import FlinkSessionJobSpec
from flinkop.builders import effective_conf
from flinkop.builders.errors import BuildError
from flinkop.builders.identity import ClusterIdentity
from flinkop.config import flink_options, structured
from flinkop.config.flink_conf import FlinkConf

APP = ClusterIdentity("ns", "app", "uid-1", 3)
BASE = FlinkConf({"kubernetes.operator.reconcile.interval": "15 s"})


def spec(**fields):
    """Decode a spec; a job is added unless given."""
    fields.setdefault("job", {"jarURI": "local:///a.jar", "parallelism": 2})
    return codec.decode_flinkdeployment_spec({"flinkVersion": "v1_20", **fields})


def deploy(**fields):
    """Return the deployed configuration."""
    return effective_conf.deploy_conf(BASE, APP, spec(**fields))


def test_operator_options_stay():
    """Operator options remain readable for the controllers."""
    assert deploy().text("kubernetes.operator.reconcile.interval") == "15 s"


def test_annotations_are_folded():
    """Annotations spread over keys become one value, with the generation."""
    conf = deploy(flinkConfiguration={"kubernetes.jobmanager.annotations.team": "a"})
    assert "kubernetes.jobmanager.annotations.team" not in conf
    text = conf.text("kubernetes.jobmanager.annotations")
    assert text is not None
    assert structured.parse_map(text) == {
        "team": "a",
        "flinkdeployment.flink.apache.org/generation": "3",
    }


def test_spec_beats_configuration():
    """Fields of the spec win over the same setting in flinkConfiguration; soft defaults do not."""
    conf = deploy(
        image="a:1",
        jobManager={"resource": {"memory": "1g"}},
        flinkConfiguration={
            "kubernetes.container.image.ref": "b:2",
            "jobmanager.memory.process.size": "9g",
            "web.cancel.enable": "true",
            "pipeline.name": "mine",
            "execution.shutdown-on-application-finish": "true",
        },
    )
    assert conf.text("kubernetes.container.image.ref") == "a:1"
    assert conf.text("jobmanager.memory.process.size") == "1 gb"
    assert conf.text("web.cancel.enable") == "true"
    assert conf.text("pipeline.name") == "mine"
    assert conf.text("execution.shutdown-on-application-finish") == "false"


def test_limit_factors_from_parsed_values():
    """`2048m` is 2 GiB in both places, so the factor is 2 and not two thousand million."""
    conf = deploy(
        jobManager={
            "resources": {"requests": {"memory": "2048m"}, "limits": {"memory": "4g", "cpu": "2"}}
        }
    )
    assert conf.text("kubernetes.jobmanager.memory.limit-factor") == "2.0"
    assert conf.text("kubernetes.jobmanager.cpu.amount") == "2.0"
    assert "kubernetes.jobmanager.cpu.limit-factor" not in conf


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"flinkVersion": None}, "flinkVersion is missing"),
        ({"flinkConfiguration": ["x"]}, "not an object"),
        ({"jobManager": {"resource": {"memory": "lots"}}}, "memory of the jobmanager"),
        (
            {"taskManager": {"resources": {"limits": {"memory": "-1g"}}}},
            "memory of the taskmanager",
        ),
        ({"jobManager": {"resources": {"limits": {"cpu": "many"}}}}, "quantity"),
        (
            {
                "taskManager": {"replicas": 2},
                "flinkConfiguration": {"taskmanager.numberOfTaskSlots": "0"},
            },
            "Set it to 1 or more",
        ),
        (
            {
                "mode": "standalone",
                "flinkConfiguration": {"pipeline.jobvertex-parallelism-overrides": "v:many"},
            },
            "something else than whole numbers",
        ),
        ({"mode": "standalone", "job": {"jarURI": "a.jar"}}, "has no scheme"),
        ({"flinkConfiguration": {"kubernetes.jobmanager.annotations": "broken"}}, "key:value"),
    ],
)
def test_unusable_specs(fields, reason):
    """Everything that cannot be used is a BuildError with its reason."""
    with pytest.raises(BuildError, match=reason):
        deploy(**fields)


def test_observing():
    """Observing goes by the deployed spec, with operator options and savepoint directory of the current."""
    deployed = spec(
        image="a:1",
        flinkConfiguration={
            "execution.checkpointing.savepoint-dir": "s3://old",
            "kubernetes.operator.job.restart.failed": "false",
        },
    )
    current = spec(
        image="b:1",
        flinkConfiguration={
            "state.savepoints.dir": "s3://new",
            "rest.port": "1",
            "kubernetes": {"operator": {"job.restart.failed": True}},
            "job.autoscaler.enabled": "true",
        },
    )
    conf = effective_conf.observe_conf(BASE, APP, deployed, current)
    assert conf.text("kubernetes.container.image.ref") == "a:1"
    assert conf.text("kubernetes.operator.job.restart.failed") == "true"
    assert conf.text("job.autoscaler.enabled") == "true"
    assert conf.text("state.savepoints.dir") == "s3://new"
    assert "execution.checkpointing.savepoint-dir" not in conf
    assert "rest.port" not in conf
    assert "kubernetes.jobmanager.annotations" not in conf


def test_restore_path_is_ours():
    """Whatever restore path a user set is replaced, under both of its names."""
    conf = deploy(
        flinkConfiguration={
            "execution.savepoint.path": "s3://user",
            "execution.state-recovery.path": "s3://user",
        }
    )
    stateless = effective_conf.with_deploy_values(conf)
    assert "execution.savepoint.path" not in stateless
    assert "execution.state-recovery.path" not in stateless
    restored = effective_conf.with_deploy_values(conf, savepoint_path="s3://sp")
    assert restored.text("execution.savepoint.path") == "s3://sp"


def test_job_result_store():
    """Each deployment has a job result store of its own, kept unless the user says otherwise."""
    conf = deploy(flinkConfiguration={"high-availability.storageDir": "s3://ha/"})
    made = effective_conf.with_deploy_values(conf, result_store_id="u")
    assert made.text("job-result-store.storage-path") == "s3://ha/job-result-store/app/u"
    assert made.text("job-result-store.delete-on-commit") == "false"
    own = conf.with_({"job-result-store.delete-on-commit": "true"})
    made = effective_conf.with_deploy_values(own, result_store_id="u")
    assert made.text("job-result-store.delete-on-commit") == "true"


@pytest.mark.parametrize(
    ("value", "active"),
    [
        (None, False),
        ("NONE", False),
        ("Standalone", False),
        ("zookeeper", True),
        ("Kubernetes", True),
        ("org.apache.flink.kubernetes.highavailability.KubernetesHaServicesFactory", True),
        ("com.example.Factory", True),
    ],
)
def test_high_availability(value, active):
    """Any unknown text is a factory class."""
    conf = FlinkConf({} if value is None else {"high-availability": value})
    assert effective_conf.is_ha(conf) is active


def test_class_path():
    """A local jar is a percent-encoded file for a standalone cluster; other schemes stay."""
    conf = deploy(mode="standalone", job={"jarURI": "local:///a b.jar", "parallelism": 3})
    assert conf.text("pipeline.classpaths") == "file:///a%20b.jar"
    assert conf.text("kubernetes.internal.taskmanager.replicas") == "3"


def test_vertex_overrides():
    """A standalone cluster gets TaskManagers for the largest override."""
    conf = deploy(
        mode="standalone",
        flinkConfiguration={"pipeline.jobvertex-parallelism-overrides": {"v1": "4", "v2": 7}},
    )
    assert conf.text("parallelism.default") == "7"
    assert conf.text("kubernetes.internal.taskmanager.replicas") == "7"


def test_the_configuration_of_a_session_job():
    """That of its cluster, its own over it by whichever name, and what its spec implies (behaviour.md 0.8)."""
    cluster = FlinkConf({"state.savepoints.dir": "s3://a", "x": "cluster", "job.autoscaler.y": "1"})
    spec = FlinkSessionJobSpec(
        job=JobSpec(
            parallelism=3,
            entry_class="a.Main",
            args=("b", "c"),
            upgrade_mode=UpgradeMode.LAST_STATE,
            allow_non_restored_state=True,
        ),
        flink_configuration={"execution": {"checkpointing": {"savepoint-dir": "s3://b"}}},
    )
    conf = effective_conf.session_job_conf(cluster, "example", spec)
    assert conf.get(flink_options.SAVEPOINT_DIR) == "s3://b"
    assert "state.savepoints.dir" not in conf
    assert conf.text("x") == "cluster"
    assert conf.text("pipeline.name") == "example"
    assert conf.text("parallelism.default") == "3"
    assert conf.text("execution.checkpointing.interval") == "5 min"
    assert conf.get(flink_options.IGNORE_UNCLAIMED_STATE) is True
    assert "job.autoscaler.y" not in effective_conf.for_flink(conf)
    assert effective_conf.for_flink(conf)["x"] == "cluster"
