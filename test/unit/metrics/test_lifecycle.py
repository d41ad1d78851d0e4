"""Lifecycle times are taken by the reference's rules (operations.md 2.4)."""

import datetime as dt

import pytest

from flinkop.api.status import LifecycleState as State
from flinkop.kube.meta import ObjectKey
from flinkop.metrics.lifecycle import LifecycleTimes

KEY = ObjectKey("ns", "a")


@pytest.fixture
def walk(series, clock, scrape):
    """Take a resource through (seconds until then, state) and return what was recorded, by name."""

    def walk(*steps, created=None, **settings):
        times = LifecycleTimes(series, clock, **settings)
        for seconds, state in steps:
            clock.advance(seconds)
            times.observe("FlinkDeployment", KEY, state, created)
        prefix = "flink_k8soperator_FlinkDeployment_Lifecycle_"
        found = scrape()
        counted = {
            name.removesuffix("_TimeSeconds_count")
            for name, value in found.values(prefix).items()
            if name.endswith("_count") and value
        }
        return {
            name: found.value(f"{prefix}{name}_TimeSeconds", quantile="0.5") for name in counted
        }

    return walk


def test_first_deployment(walk, clock):
    """CREATED counts from the creation time; the way to STABLE gives Submission and Stabilization."""
    created = clock.now() - dt.timedelta(seconds=100)
    recorded = walk(
        (0, State.CREATED),
        (1, State.CREATED),
        (1, State.UPGRADING),
        (3, State.DEPLOYED),
        (4, State.DEPLOYED),
        (6.9, State.STABLE),
        created=created,
    )
    assert recorded == {
        "State_CREATED": 101,
        "Transition_Submission": 3,
        "Transition_Stabilization": 10,
        "State_UPGRADING": 0,
        "State_DEPLOYED": 4,
    }


def test_upgrade(walk):
    """STABLE to STABLE is an Upgrade, from when the job was last seen stable."""
    recorded = walk(
        (0, State.STABLE),
        (50, State.STABLE),
        (1, State.UPGRADING),
        (2, State.DEPLOYED),
        (3, State.STABLE),
    )
    assert recorded["Transition_Upgrade"] == 6
    assert recorded["Transition_Suspend"] == 1
    assert "State_STABLE" not in recorded  # it was never left for good


def test_resume(walk):
    """After a suspension Resume and Stabilization are recorded together."""
    recorded = walk(
        (0, State.SUSPENDED), (10, State.UPGRADING), (1, State.DEPLOYED), (2, State.STABLE)
    )
    assert recorded["Transition_Resume"] == 13
    assert recorded["Transition_Stabilization"] == 2


def test_rollback(walk):
    """DEPLOYED to ROLLED_BACK counts from the entry into DEPLOYED."""
    recorded = walk(
        (0, State.DEPLOYED), (5, State.DEPLOYED), (5, State.ROLLING_BACK), (1, State.ROLLED_BACK)
    )
    assert recorded["Transition_Rollback"] == 11
    assert recorded["Transition_Submission"] == 1


def test_namespace_histograms(walk, scrape):
    """Values go to the namespace's histograms too, unless these are switched off."""
    walk((0, State.DEPLOYED), (2, State.STABLE))
    name = "flink_k8soperator_namespace_Lifecycle_Transition_Stabilization_TimeSeconds"
    assert scrape().value(f"{name}_count", resourcens="ns") == 1


def test_namespace_histograms_off(walk, scrape):
    """Switched off, only the system's histograms are there."""
    walk((0, State.DEPLOYED), (2, State.STABLE), namespace_histograms=False)
    assert not scrape().values("flink_k8soperator_namespace_")


def test_all_registered(walk, scrape):
    """Ten states and six transitions are there from the first resource on."""
    walk((0, State.CREATED))
    names = scrape().values("flink_k8soperator_FlinkDeployment_Lifecycle_")
    assert len([name for name in names if name.endswith("_count")]) == 16


def test_removal(series, clock, scrape):
    """A resource that comes again under the same name starts anew."""
    times = LifecycleTimes(series, clock)
    times.observe("FlinkDeployment", KEY, State.DEPLOYED)
    times.remove("FlinkDeployment", KEY)
    times.observe("FlinkDeployment", KEY, State.STABLE)
    counts = scrape().values("flink_k8soperator_FlinkDeployment_Lifecycle_Transition_")
    assert {value for name, value in counts.items() if name.endswith("_count")} == {0}
