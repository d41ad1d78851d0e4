"""FlinkStateSnapshots of running jobs: taken, retried, abandoned, disposed of (behaviour.md 5, 8.3)."""

import json

import pytest
from fakes.flinkuser import app
from fakes.programs import pause
from fakes.sessionjobuser import SessionJob, stable_cluster
from fakes.snapshotuser import Snapshot, job_with_savepoints, storage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def running(shared_place):
    """A job that runs and has a savepoint directory; tests leave it running."""
    return shared_place.stable(job_with_savepoints())


@pytest.fixture
def snapshot(running):
    """A snapshot to be, beside the running job."""
    return Snapshot(running.place)


def is_stored(place, path):
    """Whether Flink's file system has a snapshot there."""
    return path in storage(place)["snapshots"]


def savepoints_of(cluster):
    """How often Flink was asked for a savepoint."""
    return cluster.sim()["calls"].get("POST /jobs/:jobid/savepoints", 0)


def test_a_savepoint_is_taken_and_disposed_of_with_its_resource(running, snapshot):
    """8.3, phase 2: COMPLETED with a path; deleted, its files are gone before it is."""
    place = running.place
    wish = {"disposeOnDelete": True, "formatType": "NATIVE", "alreadyExists": False}
    status = snapshot.create(running, savepoint=wish, backoffLimit=0).wait("COMPLETED")
    assert status["path"].startswith("file:/data/savepoints/savepoint-")
    assert len(status["triggerId"]) == 32
    assert status["triggerTimestamp"] <= status["resultTimestamp"]
    assert status["failures"] == 0
    assert "error" not in status
    assert snapshot.labels == {
        "snapshot.type": "SAVEPOINT",
        "snapshot.trigger-type": "MANUAL",
        "snapshot.state": "COMPLETED",
        "job-reference.kind": "FlinkDeployment",
        "job-reference.name": running.name,
    }
    assert is_stored(place, status["path"])
    snapshot.delete()
    snapshot.wait_gone()
    assert not is_stored(place, status["path"])


def test_a_savepoint_goes_where_it_is_told_and_may_stay(running, snapshot):
    """`path` is the directory; without `disposeOnDelete` the files outlive the resource."""
    wish = {"path": "s3://bucket/own/", "disposeOnDelete": False}
    status = snapshot.create(running, savepoint=wish).wait("COMPLETED")
    assert status["path"].startswith("s3://bucket/own/savepoint-")
    snapshot.delete()
    snapshot.wait_gone()
    assert is_stored(running.place, status["path"])


def test_a_checkpoint_is_taken(running, snapshot):
    """Its path is that of Flink's own checkpoint; nothing is disposed of with it."""
    status = snapshot.create(running, checkpoint={}).wait("COMPLETED")
    assert status["path"] == "<checkpoint-not-externally-addressable>"
    assert snapshot.labels["snapshot.type"] == "CHECKPOINT"
    snapshot.delete()
    snapshot.wait_gone()


def test_a_savepoint_that_exists_is_registered_without_a_job(place):
    """COMPLETED with the path that was given, both times the same; it goes at once."""
    snapshot = Snapshot(place)
    wish = {"alreadyExists": True, "path": "s3://bucket/savepoint-1"}
    status = snapshot.create(savepoint=wish).wait("COMPLETED")
    assert status["path"] == "s3://bucket/savepoint-1"
    assert status["triggerTimestamp"] == status["resultTimestamp"]
    assert "triggerId" not in status
    snapshot.delete()
    snapshot.wait_gone()


def test_an_invalid_spec_is_told_and_can_be_corrected(running, snapshot):
    """An Event and no change of the status; the correction is taken up at once."""
    snapshot.create(running, savepoint={}, checkpoint={})
    said = snapshot.wait_event("ValidationError", words="exactly one")
    assert said["source"]["component"] == "Operator"
    assert "state" not in snapshot.status
    snapshot.change(checkpoint=None)
    snapshot.wait("COMPLETED")


def test_without_a_directory_it_fails_in_words(place):
    """No attempt is left, so it stays FAILED; deleting it needs no job."""
    cluster = place.stable()
    snapshot = Snapshot(place).create(cluster, savepoint={}, backoffLimit=0)
    status = snapshot.wait("FAILED")
    error = json.loads(status["error"])
    assert error["type"].endswith(".ReconciliationException")
    assert "spec.savepoint.path" in error["message"]
    assert status["failures"] == 1
    said = snapshot.wait_event("SavepointError", words="spec.savepoint.path")
    assert (said["source"]["component"], said["type"]) == ("Snapshot", "Warning")
    assert savepoints_of(cluster) == 0
    snapshot.delete()
    snapshot.wait_gone()


def test_a_failed_attempt_is_repeated(running, snapshot):
    """Ten seconds later, with another trigger id; the error goes with the success."""
    running.order(next_savepoint="fail", message="disk full")
    snapshot.create(running, savepoint={}, backoffLimit=1)
    failed = snapshot.wait_failures(1)
    assert failed["state"] == "TRIGGER_PENDING"
    assert "disk full" in failed["error"]
    snapshot.wait_event("SavepointError", words="disk full")
    running.no_orders()
    status = snapshot.wait("COMPLETED")
    assert status["failures"] == 1
    assert "error" not in status
    assert status["triggerId"] != failed["triggerId"]


def test_attempts_come_to_an_end(running, snapshot):
    """`backoffLimit: 0` is one attempt."""
    running.order(next_checkpoint="fail", message="declined")
    status = snapshot.create(running, checkpoint={}, backoffLimit=0).wait("FAILED")
    running.no_orders()
    assert "declined" in status["error"]
    assert "path" not in status
    snapshot.wait_event("CheckpointError", words="declined")


def test_a_snapshot_of_a_job_that_does_not_run_is_abandoned(place):
    """For good: also when the job runs again later."""
    cluster = place.stable(job_with_savepoints())
    cluster.wait_lifecycle("SUSPENDED", cluster.change(job={"state": "suspended"}))
    snapshot = Snapshot(place).create(cluster)
    status = snapshot.wait("ABANDONED")
    assert "is not running" in status["error"]
    said = snapshot.wait_event("SnapshotAbandoned")
    assert said["source"]["component"] == "Snapshot"
    cluster.wait_stable(cluster.change(job={"state": "running"}))
    assert snapshot.status == status
    snapshot.delete()
    snapshot.wait_gone()


def test_a_snapshot_is_abandoned_when_its_job_stops_meanwhile(place):
    """Whoever waits for it is told at once, by the change of the job."""
    cluster = place.stable(job_with_savepoints())
    cluster.order(next_savepoint="hang")
    snapshot = Snapshot(place).create(cluster)
    snapshot.wait("IN_PROGRESS")
    cluster.change(job={"state": "suspended"})
    assert "is not running" in snapshot.wait("ABANDONED")["error"]


def test_a_snapshot_waits_for_a_job_that_is_not_there_yet(place):
    """Told as a problem; taken as soon as the job runs for the first time."""
    cluster = place.flink()
    snapshot = Snapshot(place).create(cluster)
    snapshot.wait_event("ValidationError", words=f"{cluster.name} was not found")
    assert "state" not in snapshot.status
    cluster.create(job_with_savepoints())
    status = snapshot.wait("COMPLETED")
    assert status["failures"] == 0


def test_deletion_waits_for_a_job_that_can_dispose(place):
    """N-22: it says who is waited for, and goes on by the change of the job, not by a timer."""
    cluster = place.stable(job_with_savepoints())
    snapshot = Snapshot(place).create(cluster)
    path = snapshot.wait("COMPLETED")["path"]
    cluster.wait_lifecycle("SUSPENDED", cluster.change(job={"state": "suspended"}))
    snapshot.delete()
    said = snapshot.wait_event("CleanupFailed", words=cluster.name)
    assert said["source"]["component"] == "Snapshot"
    assert "disposeOnDelete" in said["message"]
    assert is_stored(place, path)
    cluster.change(job={"state": "running"})
    snapshot.wait_gone()
    assert not is_stored(place, path)


def test_deletion_can_be_had_without_the_job(place):
    """What the Event says to do works: the files stay."""
    cluster = place.stable(job_with_savepoints())
    snapshot = Snapshot(place).create(cluster)
    path = snapshot.wait("COMPLETED")["path"]
    cluster.delete()
    cluster.wait_gone()
    snapshot.delete()
    snapshot.wait_event("CleanupFailed", words=f"{cluster.name} cannot be found")
    snapshot.change(savepoint={"disposeOnDelete": False})
    snapshot.wait_gone()
    assert is_stored(place, path)


def test_deletion_does_not_outlast_its_job(place):
    """A blocked one is let go when the job's resource is deleted; somebody is told of the files."""
    cluster = place.stable(job_with_savepoints())
    snapshot = Snapshot(place).create(cluster)
    snapshot.wait("COMPLETED")
    cluster.wait_lifecycle("SUSPENDED", cluster.change(job={"state": "suspended"}))
    snapshot.delete()
    snapshot.wait_event("CleanupFailed", words="is not running")
    cluster.delete()
    snapshot.wait_gone()
    assert snapshot.wait_event("CleanupFailed", words="by hand")


def test_a_savepoint_that_a_job_may_start_from_is_not_disposed_of(running, snapshot):
    """It is kept until no resource names it any more."""
    path = snapshot.create(running).wait("COMPLETED")["path"]
    other = running.place.create(app(job={"initialSavepointPath": path}))
    snapshot.delete()
    snapshot.wait_event("CleanupFailed", words=other.name)
    assert is_stored(running.place, path)
    other.delete()
    other.wait_gone()
    running.look()
    snapshot.wait_gone()
    assert not is_stored(running.place, path)


def test_the_job_manager_restarts_while_a_savepoint_is_taken(place):
    """The attempt is over, and no second one is under way."""
    cluster = place.stable(job_with_savepoints())
    cluster.order(next_savepoint="hang")
    snapshot = Snapshot(place).create(cluster, savepoint={}, backoffLimit=0)
    snapshot.wait("IN_PROGRESS")
    pause(0.5)
    cluster.order(jobmanager="kill")
    status = snapshot.until(lambda obj: obj["status"]["state"] != "IN_PROGRESS")["status"]
    assert status["state"] in {"FAILED", "ABANDONED"}
    assert savepoints_of(cluster) == 1


@pytest.mark.parametrize("version", ["v1_14", "v1_17", "v2_2"])
def test_savepoints_of_old_and_new_flink(place, version):
    """Before 1.15 Flink chooses the trigger id, from then on we do."""
    image = f"flink:{version[1:].replace('_', '.')}"
    cluster = place.stable(job_with_savepoints() | {"flinkVersion": version, "image": image})
    status = Snapshot(place).create(cluster).wait("COMPLETED")
    assert status["path"]
    assert savepoints_of(cluster) == 1


def test_checkpoints_need_flink_1_17(place):
    """Told as a failure; nothing is sent."""
    spec = job_with_savepoints() | {"flinkVersion": "v1_16", "image": "flink:1.16"}
    cluster = place.stable(spec)
    snapshot = Snapshot(place).create(cluster, checkpoint={}, backoffLimit=0)
    assert "1.17" in json.loads(snapshot.wait("FAILED")["error"])["message"]


def test_a_session_job_has_its_own_savepoints(place):
    """Reached through its cluster, with the directory of its own configuration (N-1)."""
    own = {"state.savepoints.dir": "s3://bucket/of-job"}
    job = SessionJob(stable_cluster(place)).submit(flinkConfiguration=own).wait_stable()
    snapshot = Snapshot(place)
    reference = {"kind": "FlinkSessionJob", "name": job.name}
    status = snapshot.create(jobReference=reference, savepoint={}).wait("COMPLETED")
    assert status["path"].startswith("s3://bucket/of-job/savepoint-")
    assert snapshot.labels["job-reference.kind"] == "FlinkSessionJob"
    snapshot.delete()
    snapshot.wait_gone()


@pytest.fixture(scope="module", autouse=True)
def doomed(doomed_place):
    """A job and its savepoint in a namespace that is being deleted: that takes Kubernetes ten seconds."""
    place = doomed_place
    cluster = place.stable(job_with_savepoints())
    snapshot = Snapshot(place).create(cluster)
    snapshot.wait("COMPLETED")
    cluster.wait_lifecycle("SUSPENDED", cluster.change(job={"state": "suspended"}))
    place.api.delete(f"/api/v1/namespaces/{place.namespace}")
    return snapshot


def test_a_namespace_can_be_deleted_with_its_snapshots(doomed):
    """Although nobody can dispose of the savepoint any more."""
    doomed.wait_gone()
