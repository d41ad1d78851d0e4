"""What is done about a snapshot that is not being deleted (behaviour.md N-4)."""

import datetime as dt
import json

import pytest
from attrs import evolve
from fakes.snapshots import (
    ABSENT,
    BEGUN,
    ID,
    JOB_ID,
    NOW,
    PENDING,
    STAMP,
    TAKEN,
    UNSEEN,
    access,
    checkpoint,
    names,
    running,
    said,
    savepoint,
    situation,
    stopped,
    target,
)

from flinkop.api.flinkstatesnapshot import SnapshotState, SnapshotType
from flinkop.api.status import FlinkJobState, SavepointFormatType
from flinkop.controllers.flinkstatesnapshot import plan
from flinkop.controllers.flinkstatesnapshot.observation import Answer
from flinkop.controllers.flinkstatesnapshot.plan import Order, Trigger, Wait, WriteAhead
from flinkop.flink import features
from flinkop.flink.states import SavepointFormat
from flinkop.lifecycle.failure import Failure, FailureType

V1_14, V1_16 = features.Version(1, 14), features.Version(1, 16)


def test_the_id_is_written_before_flink_is_asked():
    """Whoever comes after a crash knows what was asked for."""
    made = plan.plan(situation(savepoint(path="s3://own", format_type=SavepointFormatType.NATIVE)))
    order = Order(SnapshotType.SAVEPOINT, JOB_ID, ID, "s3://own", SavepointFormat.NATIVE)
    assert made.steps == (WriteAhead(BEGUN), Trigger(order))
    assert made.status == BEGUN
    assert made.wait is Wait.PROBE


def test_the_directory_is_the_jobs_own_unless_told():
    """A blank one is none."""
    for spec in (savepoint(), savepoint(path=" ")):
        (_, trigger) = plan.plan(situation(spec)).steps
        assert trigger == Trigger(Order(SnapshotType.SAVEPOINT, JOB_ID, ID, "s3://dir"))


def test_a_checkpoint_has_no_directory():
    """There is nothing to choose."""
    (_, trigger) = plan.plan(situation(checkpoint())).steps
    assert trigger == Trigger(Order(SnapshotType.CHECKPOINT, JOB_ID, ID))


def test_old_flink_chooses_the_id():
    """Asked first, written afterwards: there is no other way."""
    seen = running(access=access(V1_14))
    made = plan.plan(situation(savepoint(), seen=seen))
    (step,) = made.steps
    assert isinstance(step, plan.TriggerUnnamed)
    assert (step.order.trigger_id, step.status) == (None, PENDING)
    assert (made.status, made.wait) == (None, Wait.PROBE)


def test_a_savepoint_that_exists_is_registered():
    """Whatever its job does, and although an attempt failed before."""
    spec = savepoint(path="s3://p", already_exists=True)
    for seen in (ABSENT, UNSEEN, stopped(), running()):
        status = evolve(PENDING, failures=1, result_timestamp=STAMP)
        made = plan.plan(situation(spec, status, seen))
        assert made.steps == ()
        assert made.status is not None
        assert (made.status.state, made.status.path) == (SnapshotState.COMPLETED, "s3://p")
        assert made.wait is Wait.NOTHING


@pytest.mark.parametrize("seen", [stopped(), ABSENT])
def test_without_a_running_job_it_is_abandoned(seen):
    """N-8: not queued."""
    made = plan.plan(situation(savepoint(), seen=seen))
    assert names(made) == ["SnapshotAbandoned"]
    assert made.status is not None
    assert made.status.state is SnapshotState.ABANDONED
    assert made.wait is Wait.NOTHING


def test_a_job_in_its_first_start_is_waited_for():
    """Applied together with its job, a snapshot is taken and not abandoned."""
    made = plan.plan(situation(savepoint(), seen=stopped(None, starting=True)))
    assert (made.steps, made.status, made.wait) == ((), PENDING, Wait.INTERVAL)
    assert names(plan.plan(situation(savepoint(), seen=running()))) == ["WriteAhead", "Trigger"]


def test_nothing_is_concluded_from_what_cannot_be_seen():
    """A cache that is not complete hides jobs."""
    for status in (PENDING, BEGUN):
        made = plan.plan(situation(savepoint(), status, UNSEEN))
        assert (made.steps, made.status, made.wait) == ((), status, Wait.INTERVAL)


@pytest.mark.parametrize(
    ("spec", "reach", "words"),
    [
        (savepoint(limit=0), access(directory=None), "spec.savepoint.path"),
        (savepoint(limit=0, format_type=SavepointFormatType.UNKNOWN), access(), "formatType"),
        (checkpoint(limit=0), access(V1_16), "Flink 1.16"),
        (checkpoint(limit=0), access(V1_14), "1.17 and later"),
    ],
)
def test_what_cannot_be_triggered_fails_before_flink_is_asked(spec, reach, words):
    """Each is an attempt that failed, with the remedy in its error."""
    made = plan.plan(situation(spec, seen=running(access=reach)))
    assert made.status is not None
    assert made.status.state is SnapshotState.FAILED
    assert words in json.loads(made.status.error or "")["message"]
    assert names(made)[0] in {"SavepointError", "CheckpointError"}
    assert words in said(made)
    assert made.wait is Wait.NOTHING


def test_a_retry_waits_for_its_time():
    """Also when the job stops meanwhile: it may be back by then."""
    failed = evolve(PENDING, failures=1, result_timestamp=STAMP, error="{}")
    soon, late = NOW + dt.timedelta(seconds=9), NOW + dt.timedelta(seconds=10)
    for seen in (running(), stopped()):
        made = plan.plan(situation(savepoint(), failed, seen, soon))
        assert (made.steps, made.status, made.wait) == ((), failed, Wait.RETRY)
    made = plan.plan(situation(savepoint(), failed, running(), late))
    assert names(made) == ["WriteAhead", "Trigger"]
    assert made.status is not None
    assert (made.status.failures, made.status.trigger_id) == (1, ID)


def test_an_attempt_that_flink_does_not_know_is_asked_for_again():
    """Under the same id: nothing is doubled."""
    made = plan.plan(situation(savepoint(), BEGUN, running(Answer.UNKNOWN)))
    assert made.steps == (Trigger(Order(SnapshotType.SAVEPOINT, JOB_ID, ID, "s3://dir")),)
    assert (made.status, made.wait) == (BEGUN, Wait.PROBE)


@pytest.mark.parametrize("answer", [Answer.PENDING, Answer.SILENT])
def test_an_attempt_under_way_is_probed(answer):
    """Flink cannot be watched."""
    made = plan.plan(situation(savepoint(), BEGUN, running(answer)))
    assert (made.steps, made.status, made.wait) == ((), BEGUN, Wait.PROBE)


def test_nothing_is_begun_on_a_job_of_which_nobody_can_tell():
    """Neither again nor for the first time."""
    unsure = target(FlinkJobState.RECONCILING)
    made = plan.plan(situation(savepoint(), BEGUN, running(Answer.UNKNOWN, target=unsure)))
    assert (made.steps, made.wait) == ((), Wait.PROBE)
    assert names(plan.plan(situation(savepoint(), seen=running(target=unsure)))) == [
        "SnapshotAbandoned"
    ]


def test_old_flink_is_never_asked_twice():
    """It would take a second savepoint."""
    seen = running(Answer.UNKNOWN, access=access(V1_14))
    made = plan.plan(situation(savepoint(), BEGUN, seen))
    assert (made.steps, made.wait) == ((), Wait.PROBE)


@pytest.mark.parametrize(
    "state", [SnapshotState.COMPLETED, SnapshotState.ABANDONED, SnapshotState.FAILED]
)
def test_what_has_ended_stays(state):
    """Nothing is done, nothing is waited for."""
    status = evolve(TAKEN, state=state)
    made = plan.plan(situation(savepoint(), status, stopped()))
    assert (made.steps, made.status, made.wait) == ((), status, Wait.NOTHING)


def test_a_refusal_is_an_attempt_that_failed():
    """From the status that is acknowledged by then."""
    cause = Failure(FailureType.RECONCILIATION, "HTTP 409: no")
    made = plan.refused(situation(savepoint(limit=1), BEGUN), cause)
    assert made.status is not None
    assert (made.status.state, made.status.failures) == (SnapshotState.TRIGGER_PENDING, 1)
    assert names(made) == ["SavepointError"]
    assert made.wait is Wait.RETRY
    last = plan.refused(situation(savepoint(limit=0), BEGUN), cause)
    assert last.wait is Wait.NOTHING
