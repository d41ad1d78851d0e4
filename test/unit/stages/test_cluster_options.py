"""Options of a running cluster, read once per change."""

import pytest

from flinkop.config.errors import ConfigError
from flinkop.config.flink_conf import FlinkConf
from flinkop.config.snapshot import ConfigSnapshot
from flinkop.kube.meta import ObjectKey
from flinkop.stages import cluster_options
from flinkop.stages.cluster_options import ClusterOptions, PerResource

K = "kubernetes.operator."
A, B = ObjectKey("ns", "a"), ObjectKey("ns", "b")
MEMORY = {
    "jobmanager.memory.process.size": "1g",
    "taskmanager.memory.process.size": "2g",
}


def read(operator=None):
    return with_keys({}, operator)


def with_keys(conf, operator=None):
    settings = ConfigSnapshot.make(FlinkConf(operator or {}), {}, {})
    return cluster_options.from_conf(FlinkConf({**MEMORY, **conf}), settings, settings.operator)


def test_defaults():
    """What a plain cluster has."""
    found = read()
    assert found.rest_port == 8081
    assert found.flink_timeout == 10
    assert (found.rest_tls, found.high_availability, found.savepoint_on_deletion) == (False,) * 3
    assert (found.recovery, found.block_on_session_jobs, found.block_on_unmanaged_jobs) == (
        True,
    ) * 3
    assert found.manage_ingress


def test_what_the_cluster_says():
    """Each option from its key."""
    found = with_keys(
        {
            "rest.port": "9000",
            "security.ssl.rest.enabled": "true",
            "high-availability.type": "kubernetes",
            K + "jm-deployment-recovery.enabled": "false",
            K + "session.deletion.block-on-session-jobs": "false",
            K + "session.block-on-unmanaged-jobs": "false",
            K + "job.savepoint-on-deletion": "true",
        }
    )
    assert found.rest_port == 9000
    assert found.rest_tls
    assert found.high_availability
    assert not found.recovery
    assert not found.block_on_session_jobs
    assert not found.block_on_unmanaged_jobs
    assert found.savepoint_on_deletion


def test_where_ha_metadata_is():
    """In ConfigMaps, or in ZooKeeper under the names that the cluster was deployed with."""
    assert with_keys({"high-availability.type": "kubernetes"}).zookeeper is None
    conf = {
        "high-availability.type": "zookeeper",
        "high-availability.zookeeper.quorum": "zk:2181",
        "kubernetes.namespace": "jobs",
        "kubernetes.cluster-id": "basic",
    }
    found = with_keys(conf)
    assert found.high_availability
    assert found.zookeeper.path == "/flink/basic"
    assert found.zookeeper.ensemble.servers == ("zk.jobs:2181",)
    with pytest.raises(ConfigError, match="name the ZooKeeper servers"):
        with_keys({"high-availability.type": "zookeeper"})


def test_what_the_operator_says():
    """Timeouts and the management of Ingresses are not the cluster's to choose."""
    found = read({K + "flink.client.timeout": "3 s", K + "ingress.manage": "false"})
    assert found.flink_timeout == 3
    assert not found.manage_ingress


@pytest.mark.parametrize(("asked", "given"), [("5 s", 5), ("1 min", 60), ("10 min", 60)])
def test_a_cancellation_leaves_time_for_the_deletion(asked, given):
    """It may be shorter than a minute, but not longer."""
    assert read({K + "flink.client.cancel.timeout": asked}).cancel_timeout == given


@pytest.mark.parametrize(
    ("conf", "tls"),
    [
        ({"security.ssl.enabled": "TRUE"}, True),
        ({"security.ssl.enabled": "true", "security.ssl.rest.enabled": "false"}, False),
        ({"security.ssl.internal.enabled": "true"}, False),
    ],
)
def test_tls_of_the_rest_api(conf, tls):
    """Its own option, else the one for all."""
    assert with_keys(conf).rest_tls is tls


def test_a_resource_cannot_choose_files_of_the_operator():
    """A trust store counts when the operator's own configuration names it, not when a resource does."""
    tls = {"security.ssl.rest.enabled": "true", "security.ssl.rest.truststore": "/certs/trust.p12"}
    foreign = with_keys(tls).rest_stores
    own = with_keys(tls, {"security.ssl.rest.truststore": "/certs/trust.p12"}).rest_stores
    assert foreign is not None
    assert foreign.truststore is None
    assert own is not None
    assert str(own.truststore) == "/certs/trust.p12"


def test_size_of_the_cluster():
    """2.10: amounts times limit factors times replicas, as text."""
    found = with_keys(
        {
            "kubernetes.jobmanager.cpu.amount": "0.5",
            "kubernetes.jobmanager.cpu.limit-factor": "2",
            "kubernetes.jobmanager.replicas": "3",
            "kubernetes.taskmanager.cpu.amount": "2",
            "kubernetes.taskmanager.memory.limit-factor": "1.5",
        }
    )
    assert found.total_cpu(0) == "3.0"
    assert found.total_cpu(2) == "7.0"
    assert found.total_memory(2) == str(3 * 2**30 + 2 * 3 * 2**30)


def test_values_that_cannot_be_read():
    """The caller falls back to defaults; the validator tells the user."""
    with pytest.raises(ConfigError):
        with_keys({"rest.port": "x"})


@pytest.mark.parametrize(
    ("parallelism", "slots", "count"), [("1", "1", 1), ("5", "2", 3), ("4", "2", 2), ("3", "0", 3)]
)
def test_taskmanagers_for_a_parallelism(parallelism, slots, count):
    """P-1, point 5: rounded up; senseless slots count as one."""
    conf = {"parallelism.default": parallelism, "taskmanager.numberOfTaskSlots": slots}
    assert cluster_options.task_managers(FlinkConf(conf)) == count


def test_taskmanagers_of_a_standalone_cluster():
    """Their Deployment's number, whatever the parallelism is; one unless told otherwise."""
    conf = {"execution.target": "remote", "parallelism.default": "5"}
    assert cluster_options.task_managers(FlinkConf(conf)) == 1
    conf["kubernetes.internal.taskmanager.replicas"] = "3"
    assert cluster_options.task_managers(FlinkConf(conf)) == 3


@pytest.mark.parametrize(
    ("mode", "reactive"), [("REACTIVE", True), ("reactive", True), ("x", False)]
)
def test_the_reactive_mode(mode, reactive):
    """As Flink reads it: in any case."""
    assert with_keys({"scheduler-mode": mode}).reactive is reactive
    assert not read().reactive


def test_values_are_made_once_per_change():
    """One per resource, made again when what it comes from differs."""
    made = []

    def make():
        made.append(1)
        return ClusterOptions(rest_port=len(made))

    kept = PerResource()
    assert [kept.get(A, 1, make).rest_port for _ in range(3)] == [1, 1, 1]
    assert kept.get(B, 1, make).rest_port == 2
    assert kept.get(A, 2, make).rest_port == 3
    assert kept.get(A, 1, make).rest_port == 4
    kept.forget(A)
    kept.forget(ObjectKey("ns", "unknown"))
    assert kept.get(A, 1, make).rest_port == 5


def test_nothing_is_a_value_too():
    """None is remembered like anything else: a verdict without a problem is None."""
    made = []
    kept = PerResource()
    for _ in range(3):
        assert kept.get(A, None, lambda: made.append(1)) is None
    assert made == [1]
