"""What the operator refuses because nothing proves where the state is, and the ways out that docs/job-lifecycle.md names.

Each test walks a row of its table "When it does not go on": the symptom appears, the remedy helps.
"""

import pytest
from fakes.flinkuser import CHECKPOINTS, app, condition, session, stateful

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

SAVEPOINT = "savepoint"
LAST_STATE = "last-state"
NEW = {"restartNonce": 1}
NOT_BY_ITSELF = {"kubernetes.operator.jm-deployment-recovery.enabled": "false"}
GIVEN_UP = "Manual restore required."


def start_from(cluster, path, nonce=1):
    """The remedy for what the operator cannot know: start from there, whatever runs now."""
    return cluster.change(job={"savepointRedeployNonce": nonce, "initialSavepointPath": path})


def runs_from(cluster, path, generation):
    """The job runs again, and started from `path`."""
    cluster.wait_stable(generation)
    assert cluster.runs()[-1]["restored_from"] == path
    assert "error" not in cluster.status
    assert condition(cluster.get(), "Ready")["status"] == "True"


def test_a_status_that_is_lost(place):
    """StatusLost: the job goes on; a savepoint taken by hand is where it starts from."""
    cluster = place.stable(stateful(SAVEPOINT)).wait_checkpoint()
    place.api.patch(f"{cluster.path}/status", {"status": None})
    cluster.look()
    cluster.wait_stalled("StatusLost")
    cluster.wait_event("StatusLost")
    assert cluster.ends() == [None]
    path = cluster.savepoint_by_hand()
    runs_from(cluster, path, cluster.change(job={"initialSavepointPath": path}))


def test_metadata_that_is_lost_during_an_upgrade(place):
    """X-4, RestoreFailed: the old cluster is gone, and its metadata with it; a savepoint helps."""
    cluster = place.stable(stateful(LAST_STATE)).wait_checkpoint()
    path = cluster.savepoint_by_hand()
    cluster.hold_job_manager()
    cluster.change(**NEW)
    cluster.wait_lifecycle("UPGRADING")
    cluster.wait_pods(lambda pods: not pods)
    cluster.lose_metadata()
    cluster.let_job_manager_go()
    cluster.wait_stalled("RestoreFailed")
    cluster.wait_event("RestoreFailed", words="HA metadata is not available")
    assert cluster.job_manager is None
    runs_from(cluster, path, start_from(cluster, path))


def test_a_lost_cluster_without_metadata(place):
    """X-12, JobManagerMissing, then UpgradeFailed: nothing tells which checkpoint is the newest."""
    cluster = place.stable(stateful(SAVEPOINT, ha=False)).wait_checkpoint()
    path = cluster.savepoint_by_hand()
    cluster.lose_job_manager()
    stalled = cluster.wait_stalled("JobManagerMissing")
    assert "savepointRedeployNonce" in stalled["message"]
    assert cluster.events("RecoverDeployment") == []
    cluster.change(**NEW)
    cluster.wait_stalled("UpgradeFailed")
    cluster.wait_event("UpgradeFailed", words=GIVEN_UP)
    cluster.wait_lifecycle("FAILED")
    runs_from(cluster, path, start_from(cluster, path))


def test_a_lost_cluster_that_is_not_to_be_recovered(place):
    """JobManagerMissing by choice: metadata is there, and a change of the spec starts from it."""
    cluster = place.stable(stateful(LAST_STATE, flinkConfiguration=NOT_BY_ITSELF)).wait_checkpoint()
    cluster.lose_job_manager()
    stalled = cluster.wait_stalled("JobManagerMissing")
    assert "restartNonce" in stalled["message"]
    cluster.wait_stable(cluster.change(**NEW))
    assert [run["lost"] for run in cluster.runs()] == [0, 0]


def test_a_last_checkpoint_that_is_unknown(place):
    """X-6, UpgradeFailed: the job failed before it had read what it was to start from."""
    cluster = place.stable(stateful(LAST_STATE)).wait_checkpoint()
    path = cluster.savepoint_by_hand()
    cluster.order(submit="fail")
    cluster.change(**NEW)
    cluster.wait_lifecycle("FAILED")
    assert cluster.status["jobStatus"]["upgradeSavepointPath"] == "KUBERNETES_OPERATOR_LAST_STATE"
    cluster.no_orders()
    cluster.change(restartNonce=2)
    cluster.wait_stalled("UpgradeFailed")
    cluster.wait_event("UpgradeFailed", words="last checkpoint is unknown")
    runs_from(cluster, path, start_from(cluster, path))


def test_a_checkpoint_that_nobody_else_can_read(place):
    """CheckpointNotFound: checkpoints are in the JobManager's memory; a savepoint is not."""
    memory = {"execution.checkpointing.interval": "1 s"}
    cluster = place.stable(app(flinkConfiguration=memory)).wait_checkpoint()
    cluster.change(job={"upgradeMode": LAST_STATE}, flinkConfiguration=CHECKPOINTS)
    cluster.wait_event("CheckpointNotFound", words=GIVEN_UP)
    assert cluster.ends() == [None]
    cluster.wait_stable(cluster.change(job={"upgradeMode": SAVEPOINT}))
    assert [run["lost"] for run in cluster.runs()] == [0, 0]


def test_a_job_that_its_job_manager_does_not_know(place):
    """Job Not Found: it ended while its JobManager restarted, and is not run again by itself."""
    cluster = place.stable(stateful(LAST_STATE)).wait_checkpoint()
    path = cluster.savepoint_by_hand()
    cluster.age_job_manager()  # a young one may not have submitted it yet
    cluster.order(rest="down", job="finish")
    cluster.wait_runs(lambda runs: runs[-1]["end"] == "FINISHED")
    cluster.order(jobmanager="kill")
    cluster.wait_sim(lambda sim: sim["orders"].get("jobmanager") is None)
    cluster.no_orders()
    cluster.look()
    cluster.wait_stalled("JobNotFound")
    assert cluster.status["error"] == "Job Not Found"
    cluster.wait_event("Missing", words="Job Not Found")
    runs_from(cluster, path, start_from(cluster, path))


def test_a_savepoint_that_is_not_taken(place):
    """SavepointError: the job goes on, and the upgrade is tried again; last-state needs none."""
    cluster = place.stable(stateful(SAVEPOINT)).wait_checkpoint()
    cluster.order(next_savepoint="fail")
    cluster.change(**NEW)
    cluster.wait_event("SavepointError")
    assert cluster.ends() == [None]
    cluster.wait_stable(cluster.change(job={"upgradeMode": LAST_STATE}))
    assert [run["lost"] for run in cluster.runs()] == [0, 0]


@pytest.mark.parametrize("labels", [{"component": "jobmanager"}, {}], ids=["of Flink", "of others"])
def test_a_name_that_is_taken(place, labels):
    """NameTaken: once the other Deployment is gone, ours comes."""
    name = "taken"
    pods = {"app": name}
    pod = {"metadata": {"labels": pods}, "spec": {"containers": [{"name": "a", "image": "a"}]}}
    spec = {"replicas": 0, "selector": {"matchLabels": pods}, "template": pod}
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": spec,
    }
    place.api.request("POST", place.apps("deployments"), body)
    cluster = place.create(name=name)
    cluster.wait_stalled("NameTaken")
    cluster.lose_job_manager()
    if not labels:  # only of Flink's Deployments the operator hears the end
        cluster.look()
    cluster.wait_stable()
    assert "error" not in cluster.status


def test_a_deletion_that_waits_for_a_savepoint(place):
    """DeletionBlocked: the job cannot be stopped with one; without the option it goes."""
    option = "kubernetes.operator.job.savepoint-on-deletion"
    cluster = place.stable(stateful(SAVEPOINT, flinkConfiguration={option: "true"}))
    cluster.order(job="restart", delays={"restarting": 3600})
    cluster.look()
    cluster.wait_job("RESTARTING")
    cluster.delete()
    cluster.wait_stalled("DeletionBlocked")
    cluster.wait_event("CleanupFailed", words=option)
    cluster.change(flinkConfiguration={option: "false"})
    cluster.wait_nothing_left()


def test_a_deletion_that_waits_for_jobs(place):
    """DeletionBlocked: somebody's job still runs in the session cluster; cancelled, it goes."""
    cluster = place.stable(session())
    cluster.submit_by_hand()
    cluster.delete()
    cluster.wait_stalled("DeletionBlocked")
    cluster.order(job="cancel")
    cluster.wait_runs(lambda runs: runs[-1]["end"] == "CANCELED")
    cluster.look()
    cluster.wait_nothing_left()


def test_a_rollback_without_metadata(place):
    """Nothing to return to: the failing spec stays until it is mended."""
    options = {
        "kubernetes.operator.deployment.rollback.enabled": "true",
        "kubernetes.operator.deployment.readiness.timeout": "1 ms",
    }
    cluster = place.stable(stateful(SAVEPOINT, flinkConfiguration=options)).wait_checkpoint()
    cluster.order(submit="fail")
    cluster.change(**NEW)
    cluster.wait_lifecycle("FAILED")
    assert "not rolled back" in cluster.wait_stalled("JobFailed")["message"]
    cluster.no_orders()
    cluster.wait_noticed(cluster.look())
    assert cluster.events("Rollback") == []
    cluster.wait_stable(cluster.change(restartNonce=2))
    assert cluster.runs()[-1]["lost"] == 0
