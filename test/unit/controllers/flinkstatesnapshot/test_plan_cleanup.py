"""What is done about a snapshot that is being deleted (behaviour.md N-20 to N-26)."""

import datetime as dt

import pytest
from attrs import evolve
from fakes.snapshots import (
    ABSENT,
    BEGUN,
    PATH,
    PENDING,
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

from flinkop.api.flinkstatesnapshot import FlinkStateSnapshotSpec, JobReference, SnapshotState
from flinkop.controllers.flinkstatesnapshot import plan
from flinkop.controllers.flinkstatesnapshot.observation import Answer, CleanupFacts, Disposal
from flinkop.controllers.flinkstatesnapshot.plan import Dispose, Wait

RELEASE = ["ReleaseFinalizer"]
EVERYTHING = [running(), stopped(), ABSENT, UNSEEN]


def cleanup(spec, status=TAKEN, seen=None):
    return plan.cleanup(situation(spec, status, seen))


@pytest.mark.parametrize("seen", EVERYTHING)
@pytest.mark.parametrize("status", [PENDING, BEGUN, TAKEN])
@pytest.mark.parametrize(
    "spec",
    [
        checkpoint(),
        savepoint(dispose_on_delete=False),
        savepoint(job=None),
        savepoint(job=JobReference(name="a")),
        FlinkStateSnapshotSpec(),
    ],
)
def test_where_nothing_has_to_be_disposed_of_it_goes_at_once(spec, status, seen):
    """N-20, whatever its state and its job's."""
    assert names(cleanup(spec, status, seen)) == RELEASE


@pytest.mark.parametrize("seen", EVERYTHING)
@pytest.mark.parametrize(
    "status",
    [
        PENDING,
        evolve(TAKEN, state=SnapshotState.FAILED, path=None),
        evolve(TAKEN, state=SnapshotState.ABANDONED, path=None),
        evolve(TAKEN, path=None),
        evolve(TAKEN, path=""),
    ],
)
def test_what_has_no_files_goes_at_once(status, seen):
    """N-23, N-25."""
    assert names(cleanup(savepoint(), status, seen)) == RELEASE


@pytest.mark.parametrize("answer", [Answer.NOT_ASKED, Answer.PENDING, Answer.SILENT])
def test_an_attempt_under_way_is_waited_for(answer):
    """N-21: where its files will be is not known before its end."""
    made = cleanup(savepoint(), BEGUN, running(answer))
    assert (made.steps, made.wait) == ((), Wait.PROBE)


def test_an_attempt_that_flink_never_heard_of_is_not_begun_any_more():
    """Nobody wants it."""
    assert names(cleanup(savepoint(), BEGUN, running(Answer.UNKNOWN))) == RELEASE


def test_nothing_is_concluded_from_what_cannot_be_seen():
    """The job may be there."""
    for status in (BEGUN, TAKEN):
        made = cleanup(savepoint(), status, UNSEEN)
        assert (made.steps, made.wait) == ((), Wait.INTERVAL)


def test_files_are_disposed_of_by_the_running_job():
    """Asked, then waited for; the resource goes when they are gone."""
    made = cleanup(savepoint())
    assert (made.steps, made.wait) == ((Dispose(PATH),), Wait.PROBE)
    pending = running(cleanup=CleanupFacts(Disposal.PENDING))
    made = cleanup(savepoint(), seen=pending)
    assert (made.steps, made.wait) == ((), Wait.PROBE)
    assert names(cleanup(savepoint(), seen=running(cleanup=CleanupFacts(Disposal.DONE)))) == RELEASE


def test_files_are_disposed_of_also_while_the_job_is_being_deleted():
    """As long as it runs, it can."""
    seen = running(target=target(deleting=True))
    assert names(cleanup(savepoint(), seen=seen)) == ["Dispose"]


def test_a_disposal_that_fails_keeps_the_resource():
    """N-24: it is tried again, and the Event says how to do without."""
    seen = running(cleanup=CleanupFacts(Disposal.FAILED, "denied"))
    made = cleanup(savepoint(), seen=seen)
    assert names(made) == ["CleanupFailed"]
    assert "denied" in said(made)
    assert made.wait is Wait.INTERVAL
    made = plan.disposal_refused(situation(savepoint(), TAKEN), PATH, "HTTP 500")
    assert names(made) == ["CleanupFailed"]
    assert "HTTP 500" in said(made)


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (stopped(), "the job of FlinkDeployment basic is not running"),
        (ABSENT, "FlinkDeployment basic cannot be found"),
    ],
)
def test_without_a_running_job_it_waits(seen, words):
    """N-22: the Event names who is waited for, and how to do without."""
    made = cleanup(savepoint(), seen=seen)
    assert names(made) == ["CleanupFailed"]
    assert words in said(made)
    assert "spec.savepoint.disposeOnDelete to false" in said(made)
    assert made.wait is Wait.INTERVAL
    assert made.status == TAKEN


@pytest.mark.parametrize(("left", "let_go"), [(None, False), (1, False), (0, True), (-60, True)])
def test_nothing_keeps_it_beyond_the_deadline(left, let_go):
    """`kubernetes.operator.deletion.deadline`: it goes, and somebody is told of the files."""
    at = situation(savepoint(), TAKEN, stopped())
    due = None if left is None else at.now + dt.timedelta(seconds=left)
    made = plan.cleanup(evolve(at, released_at=due))
    assert names(made) == (["CleanupFailed", *RELEASE] if let_go else ["CleanupFailed"])
    assert ("kubernetes.operator.deletion.deadline" in said(made)) is let_go
    assert PATH in said(made)


def test_a_job_whose_cluster_is_gone_cannot_dispose():
    """A session job may still say RUNNING."""
    seen = evolve(running(), access=None)
    assert names(cleanup(savepoint(), seen=seen)) == ["CleanupFailed"]


def test_a_savepoint_that_somebody_may_start_from_is_kept():
    """Also when its own job could dispose of it."""
    seen = running(cleanup=CleanupFacts(users=("a", "b")))
    made = cleanup(savepoint(), seen=seen)
    assert names(made) == ["CleanupFailed"]
    assert "a, b" in said(made)
    assert made.wait is Wait.INTERVAL


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (stopped(deleting=True), "FlinkDeployment basic is being deleted"),
        (stopped(cleanup=CleanupFacts(namespace_ends=True)), "namespace is being deleted"),
        (
            evolve(ABSENT, cleanup=CleanupFacts(users=("a",), namespace_ends=True)),
            "namespace is being deleted",
        ),
        (evolve(UNSEEN, cleanup=CleanupFacts(namespace_ends=True)), "namespace is being deleted"),
    ],
)
def test_what_nobody_will_ever_dispose_of_is_let_go(seen, words):
    """A deletion of the job or of the whole namespace does not hang on it; somebody is told of the files."""
    made = cleanup(savepoint(), seen=seen)
    assert names(made) == ["CleanupFailed", *RELEASE]
    assert words in said(made)
    assert PATH in said(made)
    assert made.wait is Wait.NOTHING


def test_in_a_namespace_that_is_being_deleted_a_running_job_still_disposes():
    """As long as it is there."""
    seen = running(access=access(), cleanup=CleanupFacts(users=("a",), namespace_ends=True))
    assert names(cleanup(savepoint(), seen=seen)) == ["Dispose"]
