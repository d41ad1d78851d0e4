"""Session jobs with state: the reference's scenarios for them, and ways to suspend, resume and start anew."""

import pytest
from fakes.sessionjobuser import SessionJob, session_cluster, stable_cluster
from fakes.snapshotuser import Snapshot, snapshots_of, storage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

IN_STATUS = {"kubernetes.operator.snapshot.resource.enabled": "false"}
"""Savepoints are kept track of in the status, as in the reference's scenarios."""


def stateful_job(place, mode, *, ha=False, **change):
    """A job with state that runs and has taken a checkpoint."""
    cluster = stable_cluster(place, ha=ha)
    job = SessionJob(cluster).submit(job={"upgradeMode": mode}, **change)
    job.wait_stable().wait_checkpoint()
    return job


def proven(job):
    """Nothing was lost, and no two runs of it worked at the same time."""
    assert [run["lost"] for run in job.runs()] == [0] * len(job.runs())
    doubled = storage(job.place)["doubled"]
    assert [one for one in doubled if one["lineage"][0] == job.place.namespace] == []


def test_operations_on_a_session_job(place):
    """The reference's scenario: savepoint by nonce, change with savepoint, change with last-state."""
    job = stateful_job(place, "savepoint", flinkConfiguration=IN_STATUS)
    job.change(job={"savepointTriggerNonce": 123456})
    taken = job.until(
        lambda obj: obj["status"]["jobStatus"].get("savepointInfo", {}).get("lastSavepoint")
    )["status"]["jobStatus"]["savepointInfo"]
    assert taken["lastSavepoint"]["location"]
    assert "triggerId" not in taken
    job.wait_stable(job.change(job={"parallelism": 2}))
    first, second = job.runs()
    assert "savepoint" in second["restored_from"]
    assert first["end"] == "FINISHED"
    generation = job.change(job={"parallelism": 1, "upgradeMode": "last-state"})
    job.wait_checkpoint().wait_stable(generation)
    job.wait_runs(lambda runs: len(runs) == 3)
    assert job.runs()[1]["end"] == "CANCELED"
    assert job.runs()[2]["restored_from"]
    proven(job)


def test_a_session_job_survives_its_job_manager(place):
    """The reference's scenario: with HA the same job goes on, and its id stays in the status."""
    job = stateful_job(place, "last-state", ha=True)
    former = job.job_id
    job.cluster.order(jobmanager="kill")
    job.wait_runs(lambda runs: len(runs) == 2)
    job.wait_job("RUNNING").wait_stable()
    assert job.job_id == former
    assert [run["job_id"] for run in job.runs()] == [former, former]
    proven(job)


def test_session_jobs_survive_an_upgrade_of_their_cluster(place):
    """With HA: the new JobManager recovers them, and the operator submits none again."""
    job = stateful_job(place, "savepoint", ha=True)
    former = job.job_id
    job.cluster.wait_stable(job.cluster.change(restartNonce=1))
    job.wait_runs(lambda runs: len(runs) == 2)
    job.wait_job("RUNNING").wait_stable()
    assert job.job_id == former
    assert len(job.events("Submit")) == 1
    assert job.events("Missing") == []
    proven(job)


def test_a_session_job_without_state_is_started_again_on_a_new_job_manager(place):
    """Without HA its cluster forgets it."""
    job = SessionJob(stable_cluster(place)).submit().wait_stable()
    former = job.job_id
    job.cluster.wait_stable(job.cluster.change(restartNonce=1))
    job.until(lambda obj: obj["status"]["jobStatus"].get("jobId") not in (None, former))
    job.wait_stable()
    job.wait_event("Missing", words="Job Not Found")
    assert len(job.runs()) == 2


def test_a_session_job_with_state_that_is_lost_says_what_helps(place):
    """It never starts empty by itself; from a savepoint that its user names it does."""
    job = stateful_job(place, "savepoint")
    path = job.cluster.savepoint_by_hand()
    job.cluster.wait_stable(job.cluster.change(restartNonce=1))
    said = job.wait_stalled("JobNotFound")
    assert "savepointRedeployNonce" in said["message"]
    redeploy = {"savepointRedeployNonce": 1, "initialSavepointPath": path}
    job.wait_stable(job.change(job=redeploy))
    assert [run["restored_from"] for run in job.runs()] == [None, path]


def test_suspend_and_resume(place):
    """SUSPENDED has no job id; the resumed job continues from the savepoint."""
    job = stateful_job(place, "savepoint")
    job.wait_lifecycle("SUSPENDED", job.change(job={"state": "suspended"}))
    status = job.status["jobStatus"]
    assert (status["state"], status.get("jobId")) == ("FINISHED", None)
    assert status["upgradeSavepointPath"]
    job.wait_condition("Ready")
    job.wait_stable(job.change(job={"state": "running"}))
    assert job.runs()[-1]["restored_from"] == status["upgradeSavepointPath"]
    proven(job)


@pytest.mark.parametrize("mode", ["stateless", "last-state"])
def test_suspend_by_cancellation(place, mode):
    """It is CANCELLING, then SUSPENDED (the reference stays UPGRADING for ever, Q-3)."""
    job = SessionJob(stable_cluster(place)).submit(job={"upgradeMode": mode}).wait_stable()
    job.wait_checkpoint()
    job.wait_lifecycle("SUSPENDED", job.change(job={"state": "suspended"}))
    assert job.ends() == ["CANCELED"]
    job.wait_stable(job.change(job={"state": "running"}))
    restored = job.runs()[-1]["restored_from"]
    assert (restored is None) == (mode == "stateless")


def test_a_session_job_cancelled_by_somebody_starts_again(place):
    """From its last checkpoint (X-10)."""
    job = stateful_job(place, "last-state")
    job.order(job="cancel")
    job.change(flinkConfiguration={"kubernetes.operator.look": "1"})
    job.wait_runs(lambda runs: len(runs) == 2)
    job.wait_stable()
    proven(job)


def test_a_savepoint_before_the_deletion(place):
    """`job.savepoint-on-deletion`, recorded as a FlinkStateSnapshot that outlives the job."""
    conf = {"kubernetes.operator.job.savepoint-on-deletion": "true"}
    job = stateful_job(place, "savepoint", flinkConfiguration=conf)
    job.delete()
    job.wait_gone()
    assert job.ends() == ["FINISHED"]
    snapshots = place.api.list(job.collection.replace("flinksessionjobs", "flinkstatesnapshots"))
    [one] = snapshots.values()
    assert one["spec"]["jobReference"] == {"kind": "FlinkSessionJob", "name": job.name}


def test_snapshots_of_a_session_job(place):
    """Asked for as resources, by nonce and by a user; each is taken of that job and disposed of by its cluster."""
    job = stateful_job(place, "savepoint")
    reference = {"kind": "FlinkSessionJob", "name": job.name}
    taken = Snapshot(place).create(savepoint={}, jobReference=reference)
    path = taken.wait("COMPLETED")["path"]
    job.change(job={"savepointTriggerNonce": 7})
    snapshots = place.api.until(
        snapshots_of(place),
        lambda found: len([one for one in found.values() if is_completed(one)]) == 2 and found,
    )
    assert all(one["spec"]["jobReference"] == reference for one in snapshots.values())
    taken.delete()
    taken.wait_gone()
    assert path.removeprefix("file:") in storage(place)["disposed"]
    checkpoint = Snapshot(place).create(checkpoint={}, jobReference=reference)
    assert checkpoint.wait("COMPLETED")["path"]


def is_completed(snapshot):
    """Whether it was taken."""
    return snapshot.get("status", {}).get("state") == "COMPLETED"


def test_session_jobs_of_equal_names_in_two_namespaces(place, other_place):
    """The reference's scenario: each has its own cluster, job and status."""
    jobs = []
    for one in (place, other_place):
        cluster = one.create(session_cluster(), "session-cluster-1")
        jobs.append(SessionJob(cluster, "flink-example-statemachine").submit())
    for job in jobs:
        job.wait_stable()
    assert jobs[0].job_id != jobs[1].job_id
    assert [len(job.runs()) for job in jobs] == [1, 1]
