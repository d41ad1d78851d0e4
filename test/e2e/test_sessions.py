"""Session clusters: deployed, restarted, lost and found."""

import pytest
from fakes.flinkuser import condition, session

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


def test_a_session_cluster_becomes_stable(place):
    """Stable as soon as its REST API answers."""
    cluster = place.stable(session())
    status = cluster.status
    assert status["jobManagerDeploymentStatus"] == "READY"
    assert condition(cluster.get(), "Ready")["status"] == "True"
    config = place.api.get(f"{place.core('configmaps')}/flink-config-{cluster.name}")
    assert "execution.target: kubernetes-session" in config["data"]["flink-conf.yaml"]
    assert cluster.runs() == []


@pytest.mark.parametrize(
    "change",
    [{"restartNonce": 1}, {"image": "flink:1.20.1"}, {"jobManager": {"resource": {"cpu": 1}}}],
    ids=["restartNonce", "image", "cpu"],
)
def test_a_change_restarts_the_session_cluster(place, change):
    """The old JobManager goes, a new one comes."""
    cluster = place.stable(session())
    former = cluster.uid
    cluster.wait_stable(cluster.change(**change))
    assert cluster.uid != former
    assert len(cluster.events("SpecChanged")) == 1


def test_a_session_cluster_without_configuration(place):
    """`flinkConfiguration` may be left out."""
    spec = session()
    del spec["flinkConfiguration"]
    place.stable(spec)


def test_a_session_cluster_that_stops_answering_is_not_ready(place):
    """STABLE tells of the spec, Ready of the cluster (the reference keeps its status, too)."""
    cluster = place.stable(session())
    cluster.order(rest="down")
    cluster.look()
    cluster.wait_condition("Running", "False")
    assert condition(cluster.get(), "Ready")["status"] == "False"
    cluster.no_orders()
    cluster.wait_condition("Ready")
    cluster.wait_condition("Running")


def test_a_session_job_manager_deleted_by_hand(place):
    """A session cluster that was deleted is reported as missing."""
    cluster = place.stable(session())
    place.api.delete(f"{place.apps('deployments')}/{cluster.name}")
    cluster.wait_event("Missing", words="Missing JobManager deployment")
