"""A cluster counts as gone when its last pod is, not when its Deployment is (behaviour.md 4.8)."""

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


def going(cluster):
    """Wait until all of the old cluster has been told to go, and only its TaskManager is left."""
    cluster.wait_pods(lambda pods: not pods)
    cluster.api.until(
        cluster.place.core("pods"),
        lambda pods: pods[cluster.native_worker]["metadata"].get("deletionTimestamp"),
        label_selector=f"app={cluster.name}",
    )
    cluster.wait_deployments()


def test_a_restart_waits_for_the_last_pod(place):
    """A TaskManager of the old cluster would join the new one, with the old program."""
    cluster = place.stable()
    cluster.start_task_manager()
    generation = cluster.change(restartNonce=1)
    going(cluster)
    cluster.until(lambda obj: obj["status"]["jobManagerDeploymentStatus"] == "MISSING")
    assert cluster.status["lifecycleState"] == "UPGRADING"
    assert cluster.job_manager is None
    cluster.let_task_manager_go()
    cluster.wait_stable(generation)
    assert len(cluster.runs()) == 2


def test_a_deletion_waits_for_the_last_pod(place):
    """The resource is there as long as anything of it runs."""
    cluster = place.stable()
    cluster.start_task_manager()
    cluster.delete()
    going(cluster)
    cluster.wait_lifecycle("DELETING")
    cluster.let_task_manager_go()
    cluster.wait_nothing_left()


def test_a_cluster_deleted_by_hand_comes_back_when_it_is_gone(place):
    """`kubectl delete deployment` leaves the pods to be collected; the next JobManager waits for that."""
    cluster = place.stable()
    cluster.start_task_manager()
    cluster.api.delete(f"{place.apps('deployments')}/{cluster.name}")
    going(cluster)
    cluster.until(lambda obj: obj["status"]["jobManagerDeploymentStatus"] == "MISSING")
    assert cluster.job_manager is None
    cluster.let_task_manager_go()
    cluster.wait_event("RecoverDeployment")
    cluster.wait_stable()
