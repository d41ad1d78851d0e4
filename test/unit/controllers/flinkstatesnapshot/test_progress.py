"""What the facts make of an attempt under way (behaviour.md N-2, N-7, N-8)."""

import json

import pytest
from attrs import evolve
from fakes.snapshots import (
    ABSENT,
    BEGUN,
    ID,
    NOW,
    PATH,
    PENDING,
    TAKEN,
    UNSEEN,
    access,
    checkpoint,
    running,
    savepoint,
    stopped,
    target,
)

from flinkop.api.flinkstatesnapshot import FlinkStateSnapshotSpec, SnapshotState
from flinkop.api.status import FlinkJobState
from flinkop.controllers.flinkstatesnapshot import progress
from flinkop.controllers.flinkstatesnapshot.observation import Answer, Observation
from flinkop.controllers.flinkstatesnapshot.progress import Subject
from flinkop.flink.interpret import FailureCause
from flinkop.lifecycle.failure import Limits

FAILURE = (FailureCause("a.B: disk full", "disk full"), FailureCause("c.D: no room", "no room"))


def assess(seen, spec=None, status=BEGUN):
    return progress.assess(Subject("s", spec or savepoint(), status, seen, NOW, Limits()))


def only(found):
    (draft,) = found.drafts
    return draft


@pytest.mark.parametrize("status", [PENDING, TAKEN])
def test_without_an_attempt_there_is_nothing_to_judge(status):
    """Whatever the job does."""
    for seen in (ABSENT, stopped(), running(Answer.DONE)):
        assert assess(seen, status=status) == progress.Assessed(status)


@pytest.mark.parametrize(
    "seen",
    [
        running(),
        running(Answer.PENDING),
        running(Answer.UNKNOWN, silent_for=59),
        running(Answer.SILENT, silent_for=59),
        UNSEEN,
    ],
)
def test_what_is_waited_for(seen):
    """The end, a sign, a complete cache."""
    assert assess(seen) == progress.Assessed(BEGUN)


def test_a_savepoint_that_was_taken():
    """COMPLETED with its path; nothing to tell."""
    found = assess(running(Answer.DONE, path=PATH), status=evolve(BEGUN, error="old"))
    assert found == progress.Assessed(TAKEN)


def test_a_checkpoint_whose_place_is_not_known():
    """COMPLETED with an empty path, and a hint at the option."""
    found = assess(running(Answer.DONE, detail="HTTP 404"), checkpoint())
    assert (found.status.state, found.status.path) == (SnapshotState.COMPLETED, "")
    assert found.status.error is None
    said = only(found)
    assert (said.reason, said.component) == ("CheckpointError", "Snapshot")
    assert "web.checkpoints.history" in said.message


def test_flink_reports_a_failure():
    """The chain of causes is in the status, in words in the Event; a retry is left."""
    found = assess(running(Answer.FAILED, causes=FAILURE))
    assert (found.status.state, found.status.failures) == (SnapshotState.TRIGGER_PENDING, 1)
    error = json.loads(found.status.error)
    assert error["type"].endswith(".ReconciliationException")
    assert error["message"] == "a.B: disk full"
    assert [cause["message"] for cause in error["throwableList"]] == ["c.D: no room"]
    said = only(found)
    assert (said.reason, said.component) == ("SavepointError", "Snapshot")
    assert said.message == "a.B: disk full -> c.D: no room"


def test_the_last_attempt_fails():
    """FAILED for good; checkpoints have their own reason."""
    found = assess(running(Answer.FAILED), checkpoint(limit=0))
    assert found.status.state is SnapshotState.FAILED
    assert only(found).reason == "CheckpointError"
    assert "unknown reason" in only(found).message


def test_a_trigger_that_the_job_manager_forgot():
    """It was restarted, and with it went the savepoint: that counts as a failure."""
    found = assess(running(Answer.FORGOTTEN))
    assert found.status.failures == 1
    assert ID in only(found).message


@pytest.mark.parametrize("answer", [Answer.SILENT, Answer.UNKNOWN])
@pytest.mark.parametrize("spec", [savepoint(), checkpoint()])
def test_silence_has_an_end(answer, spec):
    """The grace period of its type, after which the attempt has failed."""
    reach = evolve(access(), savepoint_grace=5, checkpoint_grace=5)
    assert not assess(running(answer, silent_for=5, access=reach), spec).status.failures
    found = assess(running(answer, silent_for=6, access=reach, detail="refused"), spec)
    assert found.status.failures == 1
    assert "6 s" in only(found).message


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (ABSENT, "FlinkDeployment basic was not found"),
        (stopped(), "FlinkDeployment basic is not running (its job is FINISHED)"),
        (stopped(None), "not started"),
        (stopped(FlinkJobState.RUNNING, job_id=None), "is not running"),
        (Observation(target=target()), "session cluster of FlinkDeployment basic was not found"),
    ],
)
def test_without_a_running_job_it_is_abandoned(seen, words):
    """For good, and with the reason in plain words."""
    found = assess(seen)
    assert found.status.state is SnapshotState.ABANDONED
    assert words in found.status.error
    assert "savepoint s is abandoned" in found.status.error
    said = only(found)
    assert (said.reason, said.component) == ("SnapshotAbandoned", "Snapshot")
    assert said.message == found.status.error


UNSURE = target(FlinkJobState.RECONCILING)


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (Answer.PENDING, SnapshotState.IN_PROGRESS),
        (Answer.DONE, SnapshotState.COMPLETED),
        (Answer.FAILED, SnapshotState.TRIGGER_PENDING),
        (Answer.FORGOTTEN, SnapshotState.TRIGGER_PENDING),
    ],
)
def test_a_job_of_which_nobody_can_tell_may_still_take_it(answer, state):
    """What Flink says of the trigger counts more than that it was too slow for somebody else."""
    found = assess(running(answer, path=PATH, target=UNSURE, silent_for=1e6))
    if answer is Answer.FORGOTTEN:
        found = assess(running(answer, target=UNSURE))
    assert found.status.state is state


@pytest.mark.parametrize("answer", [Answer.SILENT, Answer.UNKNOWN])
def test_silence_about_a_job_of_which_nobody_can_tell_ends_in_giving_up(answer):
    """Abandoned, not failed: there is no running job."""
    assert assess(running(answer, target=UNSURE, silent_for=60)) == progress.Assessed(BEGUN)
    found = assess(running(answer, target=UNSURE, silent_for=61))
    assert found.status.state is SnapshotState.ABANDONED
    assert "RECONCILING" in (found.status.error or "")


def test_the_reference_to_the_job_was_taken_away():
    """Nobody knows the job any more."""
    found = assess(ABSENT, FlinkStateSnapshotSpec())
    assert "its job was not found" in found.status.error
