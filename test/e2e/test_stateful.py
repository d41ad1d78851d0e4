"""A job with state goes through upgrades, suspensions and losses, and goes on where it was."""

import pytest
from fakes.flinkuser import stateful

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

SAVEPOINT = "savepoint"
LAST_STATE = "last-state"
NEW = {"restartNonce": 1}


def went_on(cluster):
    """The last run started exactly where the newest snapshot before it was."""
    runs = cluster.runs()
    assert [run["lost"] for run in runs] == [0] * len(runs)
    assert runs[-1]["restored_counter"] > 0
    return runs


@pytest.mark.parametrize("kind", ["native", "standalone"])
@pytest.mark.parametrize("ha", [True, False])
def test_an_upgrade_by_savepoint(place, ha, kind):
    """The job is stopped with a savepoint, and the new one starts from it, under a new id."""
    cluster = place.stable(stateful(SAVEPOINT, ha=ha, mode=kind)).wait_checkpoint()
    job = cluster.status["jobStatus"]["jobId"]
    cluster.wait_stable(cluster.change(**NEW))
    runs = went_on(cluster)
    assert cluster.ends() == ["FINISHED", None]
    path = cluster.status["jobStatus"]["upgradeSavepointPath"]
    assert path.startswith("file:/data/savepoints/savepoint-")
    assert runs[-1]["restored_from"] == path
    assert cluster.status["jobStatus"]["jobId"] != job
    assert cluster.status["jobStatus"]["savepointInfo"].get("triggerId") is None


def test_an_upgrade_by_last_state(place):
    """The cluster is deleted, and the new one finds the job in the HA metadata, under its old id."""
    cluster = place.stable(stateful(LAST_STATE)).wait_checkpoint()
    job = cluster.status["jobStatus"]["jobId"]
    cluster.wait_stable(cluster.change(job={"parallelism": 1}))
    runs = went_on(cluster)
    assert cluster.ends() == ["JOBMANAGER_LOST", None]
    assert cluster.status["jobStatus"]["jobId"] == job
    assert "chk-" in runs[-1]["restored_from"]
    assert cluster.sim()["jobmanagers"][0]["jobs"][0]["parallelism"] == 1
    assert cluster.status["jobStatus"]["upgradeSavepointPath"] == "KUBERNETES_OPERATOR_LAST_STATE"


def test_a_last_state_upgrade_without_ha_metadata(place):
    """The job is cancelled, and the new one starts from its last checkpoint."""
    cluster = place.stable(stateful(LAST_STATE, ha=False)).wait_checkpoint()
    cluster.wait_stable(cluster.change(**NEW))
    runs = went_on(cluster)
    assert cluster.ends() == ["CANCELED", None]
    assert "chk-" in runs[-1]["restored_from"]


@pytest.mark.parametrize("mode", [SAVEPOINT, LAST_STATE])
@pytest.mark.parametrize("ha", [True, False])
def test_suspended_and_resumed(place, mode, ha):
    """Down as asked, and on from where it was."""
    cluster = place.stable(stateful(mode, ha=ha)).wait_checkpoint()
    cluster.wait_lifecycle("SUSPENDED", cluster.change(job={"state": "suspended"}))
    assert cluster.ends()[-1] is not None
    cluster.wait_stable(cluster.change(job={"state": "running"}))
    went_on(cluster)


@pytest.mark.parametrize("mode", [SAVEPOINT, LAST_STATE])
def test_a_lost_job_manager_comes_back_with_its_state(place, mode):
    """Its Deployment is deleted by hand: the HA metadata brings the job back."""
    cluster = place.stable(stateful(mode)).wait_checkpoint()
    former = cluster.uid
    place.api.delete(f"{place.apps('deployments')}/{cluster.name}")
    cluster.wait_new_job_manager(former)
    cluster.wait_event("RecoverDeployment")
    cluster.wait_runs(lambda runs: len(runs) == 2 and runs[-1]["running_since"])
    cluster.wait_job("RUNNING")
    went_on(cluster)


def test_a_failing_upgrade_is_rolled_back(place):
    """It does not come up in time: the last stable spec runs again, with the state."""
    options = {
        "kubernetes.operator.deployment.rollback.enabled": "true",
        "kubernetes.operator.deployment.readiness.timeout": "5 s",
    }
    spec = stateful(LAST_STATE, flinkConfiguration=options)
    cluster = place.stable(spec).wait_checkpoint()
    cluster.order(pod="ImagePullBackOff")
    cluster.change(image="flink:none")
    cluster.wait_lifecycle("ROLLING_BACK")
    cluster.no_orders()
    cluster.wait_lifecycle("ROLLED_BACK")
    cluster.wait_job("RUNNING")
    went_on(cluster)
    job_manager = cluster.job_manager
    [container] = job_manager["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "flink:1.20"
    cluster.wait_event("Rollback")
    former = cluster.uid
    cluster.wait_stable(cluster.change(image="flink:1.20"))
    assert cluster.uid == former


def test_a_failed_job_is_restarted_where_that_is_wanted(place):
    """From the last checkpoint that was seen with its failure."""
    options = {"kubernetes.operator.job.restart.failed": "true"}
    cluster = place.stable(stateful(LAST_STATE, flinkConfiguration=options)).wait_checkpoint()
    cluster.order(job="fail")
    cluster.wait_runs(lambda runs: runs[-1]["end"] == "FAILED")
    cluster.look()
    cluster.wait_runs(lambda runs: len(runs) == 2 and runs[-1]["running_since"])
    cluster.no_orders()
    cluster.wait_stable()
    went_on(cluster)


def test_a_job_cancelled_by_hand_goes_on(place):
    """X-10: it is started again from its last checkpoint, never empty."""
    cluster = place.stable(stateful(LAST_STATE)).wait_checkpoint()
    cluster.order(job="cancel")
    cluster.wait_runs(lambda runs: runs[-1]["end"] == "CANCELED")
    cluster.look()
    cluster.wait_runs(lambda runs: len(runs) == 2 and runs[-1]["running_since"])
    cluster.wait_stable()
    went_on(cluster)


def test_a_savepoint_on_deletion(place):
    """The resource goes when the savepoint is there."""
    options = {"kubernetes.operator.job.savepoint-on-deletion": "true"}
    cluster = place.stable(stateful(SAVEPOINT, flinkConfiguration=options)).wait_checkpoint()
    cluster.delete()
    cluster.wait_nothing_left()
    assert cluster.ends() == ["FINISHED"]


def test_a_redeployment_from_a_savepoint(place):
    """savepointRedeployNonce: from initialSavepointPath, whatever the job has reached since."""
    cluster = place.stable(stateful(SAVEPOINT)).wait_checkpoint()
    cluster.wait_stable(cluster.change(**NEW))
    path = cluster.status["jobStatus"]["upgradeSavepointPath"]
    cluster.wait_checkpoint()
    change = {"savepointRedeployNonce": 1, "initialSavepointPath": path}
    cluster.wait_stable(cluster.change(job=change))
    assert cluster.runs()[-1]["restored_from"] == path


def test_a_failing_savepoint_leaves_the_job_alone(place):
    """It is said, and tried again; the job goes on meanwhile."""
    cluster = place.stable(stateful(SAVEPOINT)).wait_checkpoint()
    cluster.order(next_savepoint="fail")
    cluster.change(**NEW)
    cluster.wait_event("SavepointError")
    assert cluster.ends() == [None]
    cluster.look()
    cluster.wait_runs(lambda runs: len(runs) == 2 and runs[-1]["running_since"])
    went_on(cluster)


def test_an_unhealthy_job_is_restarted_from_its_metadata(place):
    """It restarts too often: its cluster is replaced, and it goes on where it was."""
    options = {
        "kubernetes.operator.cluster.health-check.enabled": "true",
        "kubernetes.operator.cluster.health-check.restarts.threshold": "1",
    }
    cluster = place.stable(stateful(LAST_STATE, flinkConfiguration=options)).wait_checkpoint()
    former = cluster.uid
    cluster.look()
    cluster.until(lambda obj: "ClusterHealthInfo" in obj["status"]["clusterInfo"])
    for _ in range(3):
        cluster.order(job="restart")
        cluster.wait_sim(lambda sim: sim["orders"].get("job") is None)
    cluster.look()
    cluster.wait_event("RestartUnhealthyJob", words="Restart count hit threshold: 1")
    cluster.wait_new_job_manager(former)
    cluster.wait_job("RUNNING")
    went_on(cluster)


def test_overrides_scale_the_running_job(place):
    """With the adaptive scheduler the job moves to another parallelism without leaving its cluster."""
    options = {"jobmanager.scheduler": "adaptive"}
    cluster = place.stable(stateful(LAST_STATE, flinkConfiguration=options)).wait_checkpoint()
    [vertex, *_] = cluster.vertices()
    key = "pipeline.jobvertex-parallelism-overrides"
    cluster.wait_stable(cluster.change(flinkConfiguration={key: f"{vertex}:2"}))
    former = cluster.uid
    cluster.wait_stable(cluster.change(flinkConfiguration={key: f"{vertex}:1"}))
    cluster.wait_event("Scaling", words="In-place scaling triggered")
    assert cluster.uid == former
    assert cluster.requirements()[vertex]["parallelism"]["upperBound"] == 1
