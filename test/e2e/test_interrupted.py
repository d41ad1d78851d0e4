"""Upgrades of a job with state that something comes in between of: nothing is lost, nothing is done twice.

Scenarios of behaviour.md 8.4; README.md in this folder says which.
"""

import json

import pytest
from fakes.flinkuser import call, condition, job_state, stateful

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

SAVEPOINT = "savepoint"
LAST_STATE = "last-state"
NEW = {"restartNonce": 1}
KINDS = ("native", "standalone")
LEGACY = {"kubernetes.operator.snapshot.resource.enabled": "false"}


def savepoints(cluster):
    """How many savepoints the operator has asked for."""
    return cluster.sim()["calls"].get("POST /jobs/:jobid/savepoints", 0)


def info(obj):
    """`status.jobStatus.savepointInfo`."""
    return obj["status"]["jobStatus"].get("savepointInfo", {})


def losses(cluster):
    """What each run lost."""
    return [run["lost"] for run in cluster.runs()]


@pytest.mark.parametrize("kind", KINDS)
def test_a_job_manager_that_is_killed(place, kind):
    """Application HA: the container restarts in its pod, and Flink restores the same job from its checkpoint."""
    cluster = place.stable(stateful(LAST_STATE, mode=kind)).wait_checkpoint()
    former, job = cluster.uid, cluster.status["jobStatus"]["jobId"]
    cluster.order(jobmanager="kill")
    runs = cluster.wait_runs(lambda runs: len(runs) == 2 and runs[-1]["checkpoints"])
    assert "chk-" in runs[-1]["restored_from"]
    assert losses(cluster) == [0, 0]
    cluster.wait_job("RUNNING").wait_stable(cluster.look())
    status = cluster.status
    assert status["jobManagerDeploymentStatus"] == "READY"
    assert (cluster.uid, status["jobStatus"]["jobId"]) == (former, job)
    assert cluster.events("RecoverDeployment") == []


@pytest.mark.parametrize("kind", KINDS)
def test_another_parallelism(place, kind):
    """Application operations: the cluster comes anew, the job from its checkpoint, and a slot is free."""
    cluster = place.stable(stateful(LAST_STATE, mode=kind)).wait_checkpoint()
    former, job = cluster.uid, cluster.status["jobStatus"]["jobId"]
    assert call("GET", f"{cluster.rest}/overview")["slots-available"] == 0
    cluster.wait_stable(cluster.change(job={"parallelism": 1})).wait_checkpoint()
    assert cluster.uid != former
    assert cluster.status["jobStatus"]["jobId"] == job
    assert "chk-" in cluster.runs()[-1]["restored_from"]
    assert call("GET", f"{cluster.rest}/overview")["slots-available"] == 1


def test_a_status_that_was_not_written(place):
    """X-2: the cluster is there, and the status says that it is about to be made: it is taken as it is."""
    cluster = place.stable(stateful(LAST_STATE)).wait_checkpoint()
    former = cluster.uid
    recon = cluster.status["reconciliationStatus"]
    recorded = json.loads(recon["lastReconciledSpec"])
    recorded["spec"]["job"]["state"] = "suspended"
    cluster.change_status(
        jobManagerDeploymentStatus="MISSING",
        jobStatus={"state": "FINISHED"},
        reconciliationStatus={"state": "UPGRADING", "lastReconciledSpec": json.dumps(recorded)},
    )
    cluster.wait_stable(cluster.look())
    assert cluster.uid == former
    assert cluster.ends() == [None]


def test_a_new_cluster_that_does_not_come_up(place):
    """X-3: nothing was done since the savepoint, so the mended spec starts from the same one."""
    cluster = place.stable(stateful(SAVEPOINT)).wait_checkpoint()
    cluster.change(serviceAccount="nobody")
    cluster.wait_stalled("JobManagerFailed")
    path = cluster.status["jobStatus"]["upgradeSavepointPath"]
    assert "savepoint-" in path
    cluster.wait_stable(cluster.change(serviceAccount="flink"))
    assert cluster.runs()[-1]["restored_from"] == path
    assert losses(cluster) == [0, 0]


def test_a_nonce_during_an_upgrade(place):
    """X-8: the savepoint is taken when the new job runs, and not before."""
    cluster = place.stable(stateful(LAST_STATE, flinkConfiguration=LEGACY)).wait_checkpoint()
    cluster.hold_job_manager()
    cluster.change(**NEW)
    cluster.wait_lifecycle("UPGRADING")
    generation = cluster.change(job={"savepointTriggerNonce": 5})
    cluster.wait_noticed(generation)
    assert savepoints(cluster) == 0
    cluster.let_job_manager_go()
    obj = cluster.until(lambda obj: info(obj).get("lastSavepoint"))
    assert info(obj)["lastSavepoint"]["triggerNonce"] == 5
    assert job_state(obj) == "RUNNING"
    assert (savepoints(cluster), len(cluster.runs())) == (1, 2)


def pending(place, seconds, **options):
    """A job of which a savepoint is being taken that takes so long; returns it."""
    configuration = {**LEGACY, **options}
    cluster = place.stable(stateful(LAST_STATE, flinkConfiguration=configuration)).wait_checkpoint()
    cluster.order(delays={"savepoint": seconds})
    cluster.change(job={"savepointTriggerNonce": 5})
    cluster.until(lambda obj: info(obj).get("triggerId"))
    return cluster


def test_an_upgrade_waits_for_a_savepoint(place):
    """X-9: said in a condition; it goes on once the savepoint is there."""
    cluster = pending(place, 3)
    generation = cluster.change(**NEW)
    waiting = cluster.until(lambda obj: condition(obj, "Ready").get("reason") == "UpgradeWaits")
    assert "savepoint" in condition(waiting, "Reconciling")["message"]
    assert cluster.ends() == [None]
    cluster.wait_stable(generation)
    assert info(cluster.get())["lastSavepoint"]["triggerNonce"] == 5
    assert (savepoints(cluster), losses(cluster)) == (1, [0, 0])


def test_an_upgrade_that_does_not_wait_for_a_savepoint(place):
    """X-9: `ignore-pending-savepoint` upgrades at once; the savepoint is asked for again afterwards."""
    option = {"kubernetes.operator.job.upgrade.ignore-pending-savepoint": "true"}
    cluster = pending(place, 3600, **option)
    cluster.no_orders()
    cluster.wait_stable(cluster.change(**NEW))
    assert losses(cluster) == [0, 0]


def test_a_job_that_ended_long_ago(place):
    """X-13: its JobManager goes after a while; what became of the job stays, and nothing is recovered."""
    option = {"kubernetes.operator.jm-deployment.shutdown-ttl": "1 s"}
    cluster = place.stable(stateful(LAST_STATE, flinkConfiguration=option)).wait_checkpoint()
    cluster.order(job="finish")
    cluster.look()
    cluster.wait_deployments()
    cluster.wait_stable(cluster.look())
    status = cluster.status
    assert status["jobStatus"]["state"] == "FINISHED"
    assert status["jobManagerDeploymentStatus"] == "MISSING"
    assert cluster.events("Missing") == cluster.events("RecoverDeployment") == []
    assert condition(cluster.get(), "Ready")["status"] == "True"


def test_a_savepoint_after_which_the_job_did_not_stop(place):
    """X-16: the exception tells of a savepoint; that is what the new job starts from."""
    cluster = place.stable(stateful(SAVEPOINT))
    cluster.order(next_savepoint="stopping", checkpoint_interval=3600)
    cluster.wait_stable(cluster.change(**NEW))
    path = cluster.status["jobStatus"]["upgradeSavepointPath"]
    assert "savepoint-" in path
    assert cluster.runs()[-1]["restored_from"] == path
    assert losses(cluster)[-1] == 0


def test_a_job_manager_that_dies_while_the_job_is_stopped(place):
    """X-16: nothing came of the stop; the job goes on from its metadata, and is stopped once more."""
    cluster = place.stable(stateful(SAVEPOINT)).wait_checkpoint()
    cluster.order(delays={"savepoint": 3600})
    cluster.change(**NEW)
    cluster.wait_sim(lambda sim: sim["calls"].get("POST /jobs/:jobid/stop"))
    cluster.order(jobmanager="kill", delays={"savepoint": None})
    cluster.wait_stable(2)
    assert losses(cluster) == [0] * len(cluster.runs())
    assert cluster.ends()[-2:] == ["FINISHED", None]


def test_a_batch_job(place):
    """It finishes, stays finished while nothing that matters changes, and runs once more when something does."""
    cluster = place.flink()
    cluster.order(job="finish")
    spec = stateful("stateless", ha=False)
    cluster.create(spec).wait_job("FINISHED").wait_stable()
    timeout = {"kubernetes.operator.deployment.readiness.timeout": "6h"}
    cluster.wait_stable(cluster.change(flinkConfiguration=timeout))
    assert cluster.ends() == ["FINISHED"]
    cluster.wait_event("JobStatusChanged", words="to FINISHED")
    cluster.order(job="finish")
    generation = cluster.change(job={"parallelism": 1})
    cluster.wait_runs(lambda runs: len(runs) == 2)
    cluster.wait_job("FINISHED").wait_stable(generation)
    assert cluster.ends() == ["FINISHED", "FINISHED"]
