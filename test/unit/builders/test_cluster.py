"""Objects of a cluster, where recorded cases do not reach."""

import pytest
import yaml
from fakes import goldencase

from flinkop.api import codec
from flinkop.builders import cluster, effective_conf, yamltext
from flinkop.builders.errors import BuildError
from flinkop.builders.identity import ClusterIdentity
from flinkop.config import flat_file, standard_file
from flinkop.config.flink_conf import FlinkConf
from flinkop.config.local_files import LocalFiles

BASE = FlinkConf({"taskmanager.numberOfTaskSlots": "1"})
RESOURCE = {"resource": {"memory": "2048m", "cpu": 1}}


def build(name="app", files=None, configuration=None, **fields):
    """Build a cluster from a few fields."""
    document = {
        "flinkVersion": "v1_20",
        "image": "flink:1.20",
        "serviceAccount": "flink",
        "jobManager": RESOURCE,
        "taskManager": RESOURCE,
        "job": {"jarURI": "local:///a.jar", "parallelism": 2},
        "flinkConfiguration": configuration or {},
        **fields,
    }
    spec = codec.decode_flinkdeployment_spec(document)
    identity = ClusterIdentity("ns", name, "uid-1", 1)
    conf = effective_conf.deploy_conf(BASE, identity, spec)
    return cluster.build(conf, spec, identity, {}, files or LocalFiles())


def main(deployment):
    """Return the main container."""
    return deployment["spec"]["template"]["spec"]["containers"][-1]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"name": "a" * 46}, "no more than 45 characters"),
        ({"name": " "}, "must not be blank"),
        ({"jobManager": {**RESOURCE, "replicas": 2}}, "High availability should be enabled"),
        ({"configuration": {"kubernetes.jobmanager.replicas": "0"}}, None),
        (
            {
                "jobManager": {**RESOURCE, "replicas": 0},
                "configuration": {"kubernetes.jobmanager.replicas": "0"},
            },
            "less than one",
        ),
        (
            {"configuration": {"kubernetes.taskmanager.cpu.limit-factor": "0.5"}},
            "greater or equal to 1",
        ),
        ({"configuration": {"blob.server.port": "50100-50200"}}, "fixed port"),
        ({"configuration": {"rest.bind-port": "8081,8082"}}, "fixed port"),
        (
            {
                "configuration": {
                    "high-availability.type": "kubernetes",
                    "high-availability.jobmanager.port": "1-2",
                }
            },
            "fixed port",
        ),
        ({"job": {"parallelism": 1}}, "has no jar"),
        ({"jobManager": None}, "JobManager memory is not configured"),
        ({"taskManager": None}, "TaskManager memory is not configured"),
        ({"taskManager": {"resource": {"memory": "512m"}}}, "TaskManager memory"),
        ({"configuration": {"kubernetes.rest-service.exposed.type": "Magic"}}, "NodePort"),
        (
            {"image": None, "configuration": {"kubernetes.container.image.ref": " "}},
            "image is blank",
        ),
        ({"configuration": {"kubernetes.env.secretKeyRef": "env:A,secret:s"}}, "has no 'key'"),
        (
            {"configuration": {"kubernetes.jobmanager.tolerations": "key:a,tolerationSeconds:x"}},
            "tolerationSeconds",
        ),
        ({"jobManager": {"resource": {"memory": "2g", "cpu": 0}}}, "Give the JobManager CPU"),
        (
            {
                "configuration": {
                    "security.kerberos.login.keytab": "/k",
                    "security.kerberos.login.principal": "u",
                }
            },
            "doesn't exist",
        ),
        (
            {"flinkVersion": "v2_0", "configuration": {"a": "1", "a.b": "2"}},
            r"Overlapping key prefixes detected \(a -> a\.b\)",
        ),
        (
            {
                "mode": "standalone",
                "configuration": {"kubernetes.internal.taskmanager.replicas": "0"},
            },
            "less than 1",
        ),
    ],
)
def test_checks(fields, reason):
    """What cannot run is refused before anything is built, cause first."""
    if reason is None:
        assert build(**fields).deployment["spec"]["replicas"] == 1
        return
    with pytest.raises(BuildError, match=reason):
        build(**fields)


def test_two_jars():
    """More than one jar is refused."""
    spec = codec.decode_flinkdeployment_spec(
        {"flinkVersion": "v1_20", "jobManager": RESOURCE, "taskManager": RESOURCE, "job": {}}
    )
    identity = ClusterIdentity("ns", "app", "uid-1", 1)
    conf = effective_conf.deploy_conf(BASE, identity, spec).with_({"pipeline.jars": "a;b"})
    with pytest.raises(BuildError, match="one jar"):
        cluster.build(conf, spec, identity, {})


def test_missing_namespace():
    """A blank namespace is refused."""
    case = goldencase.case("v1_20/native-app-basic")
    with pytest.raises(BuildError, match="namespace is blank"):
        cluster.build(case.conf(), case.spec, ClusterIdentity("", "a", "u", 1), {})


def named(name, objects):
    """The accompanying object of that name."""
    return next(body for body in objects.accompanying if body["metadata"]["name"] == name)


def test_order_and_owners():
    """What pods mount is made before the Services, and each gets the created Deployment as owner."""
    objects = build(podTemplate={"metadata": {"labels": {"a": "b"}}})
    kinds = [f"{body['kind']}/{body['metadata']['name']}" for body in objects.accompanying]
    assert kinds == [
        "ConfigMap/flink-config-app",
        "ConfigMap/pod-template-app",
        "Service/app",
        "Service/app-rest",
    ]
    owned = cluster.with_owner(objects.accompanying[0], "app", "uid-2")
    assert owned["metadata"]["ownerReferences"] == [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "name": "app",
            "uid": "uid-2",
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]
    assert "ownerReferences" not in objects.accompanying[0]["metadata"]


def test_building_changes_nothing():
    """Two builds from one spec are equal: no part of the spec is used up."""
    case = goldencase.case("v1_20/native-pod-template")
    spec = case.spec
    conf = case.conf()
    once = cluster.build(conf, spec, case.identity, {})
    again = cluster.build(conf, spec, case.identity, {})
    assert once == again


def test_rest_port_moves_the_target():
    """Moving the REST port moves the Service's target with it, as the server binds that port."""
    rest = named("app-rest", build(configuration={"rest.port": "9999"}))
    assert rest["spec"]["ports"] == [{"name": "rest", "port": 9999, "targetPort": 9999}]


def test_zero_ports():
    """A port of 0, which Flink would choose itself, becomes the fixed default."""
    objects = build(configuration={"rest.bind-port": "0"})
    assert named("app-rest", objects)["spec"]["ports"][0]["targetPort"] == 8081
    entries, _ = flat_file.parse(named("flink-config-app", objects)["data"]["flink-conf.yaml"])
    assert entries["rest.bind-port"] == "8081"


def test_warnings_of_flat_files():
    """Arguments that a flat file would cut are reported, and the same arguments pass from 2.0 on."""
    job = {"jarURI": "local:///a.jar", "parallelism": 1, "args": ["--color", "#fff", " x ", ""]}
    (warning,) = build(job=job).warnings
    assert "$internal.application.program-args" in warning
    newer = build(job=job, flinkVersion="v2_0")
    assert newer.warnings == ()
    text = named("flink-config-app", newer)["data"]["config.yaml"]
    args = yaml.safe_load(text)["$internal"]["application"]["program-args"]
    assert args == ["--color", "#fff", " x ", ""]


def test_operator_options_stay_out():
    """No option of the operator or the autoscaler reaches the cluster."""
    objects = build(
        flinkVersion="v2_2",
        configuration={"kubernetes.operator.x": "1", "job.autoscaler.enabled": "true"},
    )
    entries = standard_file.parse(named("flink-config-app", objects)["data"]["config.yaml"])
    assert not [
        key for key in entries if key.startswith(("kubernetes.operator.", "job.autoscaler"))
    ]


def test_hadoop_from_the_operator():
    """The operator's own Hadoop configuration becomes a ConfigMap, mounted and announced."""
    objects = build(files=LocalFiles(hadoop={"core-site.xml": "<c/>", "x.xml": ""}))
    created = named("hadoop-config-app", objects)
    assert created["data"] == {"core-site.xml": "<c/>"}
    assert {"name": "HADOOP_CONF_DIR", "value": "/opt/hadoop/conf"} in main(objects.deployment)[
        "env"
    ]


def test_krb5_without_a_file():
    """Without its file krb5.conf is mounted from a ConfigMap that somebody else provides."""
    objects = build(configuration={"security.kerberos.krb5-conf.path": "/etc/krb5.conf"})
    assert [body["kind"] for body in objects.accompanying] == ["ConfigMap", "Service", "Service"]
    mounts = main(objects.deployment)["volumeMounts"]
    assert mounts[1]["subPath"] == "krb5.conf"


def test_five_thousand_keys():
    """A configuration of 5,000 keys is built whole."""
    many = {f"custom.key-{index}.x": "v" for index in range(5000)}
    objects = build(flinkVersion="v2_2", configuration=many)
    entries = standard_file.parse(named("flink-config-app", objects)["data"]["config.yaml"])
    assert sum(key.startswith("custom.key-") for key in entries) == 5000


def test_template_as_yaml():
    """A template written as YAML reads back the same, whatever its texts look like."""
    template = {
        "spec": {
            "containers": [
                {"name": "1e3", "env": [{"name": "A", "value": "no"}], "args": ["-x", "", "a: b"]},
                {"name": "b", "ports": [{"containerPort": 80}], "tty": True, "x": [[1, 2], [], {}]},
            ],
            "volumes": [{"emptyDir": {}, "name": "v"}],
            "empty": [],
            "nothing": None,
            "ratio": 0.5,
        },
        "metadata": {"labels": {"on": "off", "a/b": "\n"}},
    }
    assert yaml.safe_load(yamltext.dump(template)) == template
    assert yamltext.dump({}) == "{}\n"
