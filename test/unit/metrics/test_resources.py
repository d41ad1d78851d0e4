"""Counts of resources follow every change (operations.md 2.3)."""

import pytest

from flinkop.api.flinkstatesnapshot import SnapshotState
from flinkop.api.status import (
    FlinkDeploymentStatus,
    JobManagerDeploymentStatus as JobManager,
    LifecycleState as State,
)
from flinkop.kube.meta import ObjectKey
from flinkop.metrics.lifecycle import LifecycleTimes
from flinkop.metrics.resources import (
    FLINKDEPLOYMENT,
    FLINKSESSIONJOB,
    FLINKSTATESNAPSHOT,
    ResourceMetrics,
    minor_version,
    number,
)

N = "flink_k8soperator_namespace_"
DEPLOYMENT = {"resourcens": "team_a", "resourcetype": "FlinkDeployment"}


@pytest.fixture
def metrics(series, clock):
    return ResourceMetrics(series, LifecycleTimes(series, clock))


def key(name, namespace="team-a"):
    return ObjectKey(namespace, name)


def status(job_manager=JobManager.READY, **info):
    return FlinkDeploymentStatus(
        job_manager_deployment_status=job_manager,
        cluster_info={name.replace("_", "-"): value for name, value in info.items()},
    )


def test_first_resource_registers_everything(metrics, scrape):
    """All states and all JobManager states of the namespace show at once, most of them 0."""
    metrics.flinkdeployment(key("a"), status(), State.STABLE)
    found = scrape()
    states = found.values(f"{N}Lifecycle_State_", **DEPLOYMENT)
    counts = {name: value for name, value in states.items() if name.endswith("_Count")}
    assert counts == {f"{state}_Count": float(state is State.STABLE) for state in State}
    job_managers = found.values(f"{N}JmDeploymentStatus_", **DEPLOYMENT)
    assert job_managers == {f"{s}_Count": float(s is JobManager.READY) for s in JobManager}
    assert found.value(f"{N}Count", **DEPLOYMENT) == 1


def test_change_and_removal(metrics, scrape):
    """A change moves a resource from one count to the other; removal leaves zeros behind."""
    metrics.flinkdeployment(key("a"), status(JobManager.DEPLOYING), State.DEPLOYED)
    metrics.flinkdeployment(key("b"), status(), State.STABLE)
    metrics.flinkdeployment(key("a"), status(), State.STABLE)
    found = scrape()
    assert found.value(f"{N}Count", **DEPLOYMENT) == 2
    assert found.value(f"{N}Lifecycle_State_STABLE_Count", **DEPLOYMENT) == 2
    assert found.value(f"{N}Lifecycle_State_DEPLOYED_Count", **DEPLOYMENT) == 0
    assert found.value(f"{N}JmDeploymentStatus_DEPLOYING_Count", **DEPLOYMENT) == 0
    for name in ("a", "b", "a", "never-seen"):
        metrics.remove(FLINKDEPLOYMENT, key(name))
    gauges = scrape().values(N)
    assert {v for name, v in gauges.items() if "TimeSeconds" not in name} == {0}


def test_usage_sums(metrics, scrape):
    """Resource usage is summed per namespace, and fractions of CPUs end at exactly zero."""
    for name in ("a", "b", "c"):
        usage = status(total_cpu="0.1", total_memory="1024", state_size="-1")
        metrics.flinkdeployment(key(name), usage, State.STABLE)
    metrics.flinkdeployment(key("x", "other"), status(total_cpu="7"), State.STABLE)
    found = scrape()
    assert found.value(f"{N}ResourceUsage_Cpu", **DEPLOYMENT) == 0.3
    assert found.value(f"{N}ResourceUsage_Memory", **DEPLOYMENT) == 3072
    assert found.value(f"{N}ResourceUsage_StateSize", **DEPLOYMENT) == 0
    for name in ("a", "b", "c"):
        metrics.remove(FLINKDEPLOYMENT, key(name))
    assert scrape().value(f"{N}ResourceUsage_Cpu", **DEPLOYMENT) == 0


def test_versions(metrics, scrape):
    """Versions are labels; a resource without one counts as UNKNOWN and MALFORMED."""
    metrics.flinkdeployment(key("a"), status(flink_version="1.20.1"), State.STABLE)
    metrics.flinkdeployment(key("b"), status(flink_version=" "), State.CREATED)
    found = scrape()
    assert found.value(f"{N}FlinkVersion_Count", FlinkVersion="1_20_1", **DEPLOYMENT) == 1
    assert found.value(f"{N}FlinkVersion_Count", FlinkVersion="UNKNOWN") == 1
    assert found.value(f"{N}FlinkMinorVersion_Count", FlinkMinorVersion="1_20") == 1
    assert found.value(f"{N}FlinkMinorVersion_Count", FlinkMinorVersion="MALFORMED") == 1


SNAPSHOT = {"resourcens": "team_a", "resourcetype": "FlinkStateSnapshot"}


def test_snapshots_are_counted_by_type_and_state(metrics, scrape):
    """All series of both types show with the first snapshot of a namespace."""
    metrics.flinkstatesnapshot(key("a"), SnapshotState.IN_PROGRESS, checkpoint=False)
    metrics.flinkstatesnapshot(key("b"), SnapshotState.COMPLETED, checkpoint=True)
    found = scrape()
    for kind, state in (("Savepoint", "IN_PROGRESS"), ("Checkpoint", "COMPLETED")):
        assert found.value(f"{N}{kind}_Count", **SNAPSHOT) == 1
        by_state = found.values(f"{N}{kind}_State_", **SNAPSHOT)
        assert by_state == {f"{s}_Count": float(s == state) for s in SnapshotState}
    metrics.flinkstatesnapshot(key("a"), SnapshotState.COMPLETED, checkpoint=False)
    found = scrape()
    assert found.value(f"{N}Savepoint_State_IN_PROGRESS_Count", **SNAPSHOT) == 0
    assert found.value(f"{N}Savepoint_State_COMPLETED_Count", **SNAPSHOT) == 1
    for name in ("a", "b", "a"):
        metrics.remove(FLINKSTATESNAPSHOT, key(name))
    assert set(scrape().values(N, **SNAPSHOT).values()) == {0}


def test_kinds_are_apart(metrics, scrape):
    """Kinds of one namespace and name share series names and differ in `resourcetype`."""
    metrics.flinkdeployment(key("a"), status(), State.STABLE)
    metrics.flinksessionjob(key("a"), State.FAILED)
    metrics.remove(FLINKDEPLOYMENT, key("a"))
    job = {"resourcens": "team_a", "resourcetype": "FlinkSessionJob"}
    found = scrape()
    assert found.value(f"{N}Count", **job) == 1
    assert found.value(f"{N}Lifecycle_State_FAILED_Count", **job) == 1
    assert found.value(f"{N}Count", **DEPLOYMENT) == 0
    metrics.remove(FLINKSESSIONJOB, key("a"))
    assert scrape().value(f"{N}Count", **job) == 0


def test_lifecycle_switched_off(series, scrape):
    """Without lifecycle metrics there are counts only."""
    metrics = ResourceMetrics(series)
    metrics.flinkdeployment(key("a"), status(), State.STABLE)
    assert scrape().value(f"{N}Count") == 1
    assert "Lifecycle" not in scrape().text


@pytest.mark.parametrize("text", [None, "", "abc", "nan", "inf", "-inf", "1e999"])
def test_no_number(text):
    """What is no finite number counts as 0."""
    assert number({"x": text}, "x") == 0
    assert number({}, "x") == 0


def test_minor_version():
    """Two parts are kept."""
    assert [minor_version(v) for v in ("1.20.1", "2.0-SNAPSHOT", "2")] == [
        "1.20",
        "2.0-SNAPSHOT",
        "MALFORMED",
    ]
