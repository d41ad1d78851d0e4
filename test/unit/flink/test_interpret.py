"""Interpretation: every row of `behaviour.md` 4.3 and 4.4."""

import pytest

from flinkop.flink import errors, interpret, models
from flinkop.flink.checkpoints import (
    NOT_ADDRESSABLE,
    Checkpoint,
    CheckpointOperation,
    CheckpointStats,
    CheckpointStatus,
    CheckpointTriggerStatus,
    LatestCheckpoints,
    RestoredCheckpoint,
)
from flinkop.flink.interpret import (
    PENDING,
    CancelOutcome,
    Disposed,
    Done,
    Failed,
    Triggered,
)
from flinkop.flink.states import JobState, OperationStatus

IN_PROGRESS = models.QueueStatus(id=OperationStatus.IN_PROGRESS)
COMPLETED = models.QueueStatus(id=OperationStatus.COMPLETED)


def http(status, text=""):
    return errors.from_answer(status, text.encode())


def savepoint(location=None, trace=None, status=COMPLETED):
    cause = None if trace is None else models.ThrowableInfo(java_class="E", stack_trace=trace)
    operation = models.SavepointOperation(location=location, failure_cause=cause)
    return models.SavepointStatus(status=status, operation=operation)


@pytest.mark.parametrize(
    ("state", "running", "finished", "total", "seen"),
    [
        ("RUNNING", 4, 0, 4, "RUNNING"),
        ("RUNNING", 2, 2, 4, "RUNNING"),
        ("RUNNING", 3, 0, 4, "CREATED"),
        ("RUNNING", 0, 0, 0, "RUNNING"),
        ("RESTARTING", 0, 0, 4, "RESTARTING"),
        ("FINISHED", 0, 4, 4, "FINISHED"),
    ],
)
def test_running_counts_only_with_all_tasks(state, running, finished, total, seen):
    """RUNNING is RUNNING only when all tasks run or are finished (O-32)."""
    tasks = models.TaskCounts(running=running, finished=finished, total=total)
    job = models.JobOverview(jid="1", state=JobState(state), tasks=tasks)
    assert interpret.running_state(job) == seen


def test_jobs_are_found_by_id_only():
    """Names and single jobs never stand in for the id (O-31)."""
    jobs = (models.JobOverview(jid="1", state=JobState.RUNNING),)
    assert interpret.find_job(jobs, "1") is jobs[0]
    assert interpret.find_job(jobs, "2") is None
    assert interpret.find_job(jobs, None) is None


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, CancelOutcome.ACCEPTED),
        (http(404), CancelOutcome.MISSING),
        (http(404, "Job could not be found."), CancelOutcome.MISSING),
        (
            http(500, "org.apache.flink.runtime.messages.FlinkJobNotFoundException: x"),
            CancelOutcome.MISSING,
        ),
        (http(409), CancelOutcome.TERMINATED),
        (
            http(500, "Job has Already Reached another terminal state (FAILED)"),
            CancelOutcome.TERMINATED,
        ),
        (http(500, "a.b.FlinkJobTerminatedWithoutCancellationException"), CancelOutcome.TERMINATED),
        (http(500, "something else"), CancelOutcome.FAILED),
        (errors.Timeout("late"), CancelOutcome.FAILED),
    ],
)
def test_cancel(error, outcome):
    """Each way a cancel can end has its meaning."""
    assert interpret.cancel_outcome(error) is outcome


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (models.SavepointStatus(status=IN_PROGRESS), PENDING),
        (models.SavepointStatus(status=COMPLETED), PENDING),
        (savepoint(status=COMPLETED), PENDING),
        (savepoint("file:/sp"), Done("file:/sp")),
        (
            savepoint(trace="java.lang.E: no\n\tat x"),
            Failed("java.lang.E: no", "java.lang.E: no\n\tat x"),
        ),
        (http(404, "gone"), Failed("HTTP 404: gone", "HTTP 404: gone", unknown=True)),
        (errors.Timeout("late"), Failed("late", "late")),
    ],
)
def test_savepoint(answer, outcome):
    """A savepoint is pending, done, or failed; an error of the call is a failure, never raised."""
    assert interpret.savepoint_outcome(answer) == outcome


def test_stop_that_made_its_savepoint():
    """A job that failed while stopping has its savepoint all the same."""
    trace = (
        "org.apache.flink.runtime.scheduler.stopwithsavepoint.StopWithSavepointStoppingException: "
        "A savepoint has been created at: s3://bucket/sp/savepoint-1-2, but the corresponding job 1 failed during stopping."
    )
    assert interpret.stop_outcome(savepoint(trace=trace)) == Done("s3://bucket/sp/savepoint-1-2")
    assert isinstance(interpret.stop_outcome(savepoint(trace="java.lang.E: no")), Failed)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (CheckpointTriggerStatus(status=IN_PROGRESS), PENDING),
        (
            CheckpointTriggerStatus(
                status=COMPLETED, operation=CheckpointOperation(checkpoint_id=7)
            ),
            Triggered(7),
        ),
        (
            CheckpointTriggerStatus(
                status=COMPLETED,
                operation=CheckpointOperation(failure_cause=models.ThrowableInfo(java_class="E")),
            ),
            Failed("E", "E"),
        ),
        (http(500, "no"), Failed("HTTP 500: no", "HTTP 500: no")),
    ],
)
def test_checkpoint(answer, outcome):
    """A triggered checkpoint ends with its id or a reason."""
    assert interpret.checkpoint_outcome(answer) == outcome


def test_checkpoint_without_id():
    """A completed checkpoint without an id is a failure, not something to wait for."""
    assert isinstance(
        interpret.checkpoint_outcome(CheckpointTriggerStatus(status=COMPLETED)), Failed
    )


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Checkpoint(id=1, kind="completed", external_path="p"), Done("p")),
        (Checkpoint(id=1, kind="in_progress"), PENDING),
        (Checkpoint(id=1, kind="failed", failure_message="full"), Failed("full", "full")),
        (http(404, "no"), Failed("HTTP 404: no", "HTTP 404: no")),
    ],
)
def test_checkpoint_details(answer, outcome):
    """The class name of a checkpoint decides."""
    assert interpret.checkpoint_details_outcome(answer) == outcome


def disposal(trace=None, status=COMPLETED):
    cause = None if trace is None else models.ThrowableInfo(java_class="E", stack_trace=trace)
    operation = models.DisposalOperation(failure_cause=cause)
    return models.DisposalStatus(status=status, operation=operation)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (models.DisposalStatus(status=IN_PROGRESS), PENDING),
        (models.DisposalStatus(status=COMPLETED), Disposed()),
        (disposal(), Disposed()),
        (disposal("a.B: x\nCaused by: java.io.FileNotFoundException: gone"), Disposed()),
    ],
)
def test_disposal(answer, outcome):
    """Files that are not there need not be deleted: somebody was faster, perhaps we ourselves."""
    assert interpret.disposal_outcome(answer) == outcome


def test_a_disposal_that_failed():
    """For another reason than that nothing was there."""
    found = interpret.disposal_outcome(disposal("java.io.IOException: denied\n at x"))
    assert isinstance(found, Failed)
    assert found.reason == "java.io.IOException: denied"


def taken(moment, path="p", *, savepoint=True, status=CheckpointStatus.COMPLETED):
    return Checkpoint(
        id=1,
        is_savepoint=savepoint,
        status=status,
        trigger_timestamp=moment,
        external_path=path,
    )


def test_savepoints_of_a_moment():
    """Completed ones alone, both ends included."""
    history = (
        taken(99, "early"),
        taken(100, "a"),
        taken(150, "checkpoint", savepoint=False),
        taken(150, "failed", status=CheckpointStatus.FAILED),
        taken(150, None),
        taken(200, "b"),
        taken(201, "late"),
        taken(None, "never"),
    )
    stats = CheckpointStats(history=history)
    assert interpret.savepoints_triggered(stats, 100, 200) == ("a", "b")


@pytest.mark.parametrize("kind", ["", "completed", "new"])
def test_checkpoint_details_without_path(kind):
    """What is not failed, in progress or completed with a path is a failure."""
    assert isinstance(interpret.checkpoint_details_outcome(Checkpoint(id=1, kind=kind)), Failed)


def latest(restored=None, completed=None, savepoint=None):
    found = LatestCheckpoints(
        restored=restored
        and RestoredCheckpoint(id=restored, restore_timestamp=10, external_path="r"),
        completed=completed and Checkpoint(id=completed, trigger_timestamp=20, external_path="c"),
        savepoint=savepoint
        and Checkpoint(id=savepoint, trigger_timestamp=30, external_path="s", is_savepoint=True),
    )
    return CheckpointStats(latest=found)


@pytest.mark.parametrize(
    ("stats", "path", "moment"),
    [
        (latest(restored=3), "r", 10),
        (latest(restored=3, completed=4), "c", 20),
        (latest(restored=3, completed=4, savepoint=5), "s", 30),
        (latest(restored=5, completed=5, savepoint=5), "r", 10),
        (latest(completed=5, savepoint=5), "c", 20),
    ],
)
def test_last_checkpoint(stats, path, moment):
    """The highest id wins; ties keep restored, completed, savepoint."""
    found = interpret.last_checkpoint(stats)
    assert found is not None
    assert (found.path, found.timestamp) == (path, moment)


def test_no_last_checkpoint():
    """Nothing with id and path means none, and so does a job without checkpoints."""
    assert interpret.last_checkpoint(latest()) is None
    without_path = CheckpointStats(latest=LatestCheckpoints(completed=Checkpoint(id=1)))
    assert interpret.last_checkpoint(without_path) is None
    assert interpret.last_checkpoint(http(404, "Checkpointing has not been enabled.")) is None


def test_last_checkpoint_in_memory():
    """A checkpoint in the JobManager's memory is found, and marked as of no use."""
    stats = CheckpointStats(
        latest=LatestCheckpoints(completed=Checkpoint(id=1, external_path=NOT_ADDRESSABLE))
    )
    found = interpret.last_checkpoint(stats)
    assert found is not None
    assert not found.is_addressable


def test_other_errors_of_the_statistics():
    """Any other error is the caller's."""
    with pytest.raises(errors.HttpError):
        interpret.last_checkpoint(http(500))


def test_pending_checkpoint():
    """Only the newest entry of the history can be in progress."""
    going, done = (
        Checkpoint(id=1, status=status, trigger_timestamp=7)
        for status in (CheckpointStatus.IN_PROGRESS, CheckpointStatus.COMPLETED)
    )
    assert interpret.pending_since(CheckpointStats(history=(going, done))) == 7
    assert interpret.pending_since(CheckpointStats(history=(done, going))) is None
    assert interpret.pending_since(CheckpointStats()) is None


def test_state_size():
    """The size is the newest completed checkpoint's."""
    sized = CheckpointStats(latest=LatestCheckpoints(completed=Checkpoint(id=1, state_size=5)))
    assert interpret.state_size(sized) == 5
    assert interpret.state_size(CheckpointStats()) is None


def test_newest_exception_first():
    """Exceptions are sorted by time, whatever their order on the wire."""
    entries = tuple(models.ExceptionEntry(timestamp=moment) for moment in (1, 3, 2))
    sorted_entries = interpret.newest_first(models.ExceptionHistory(entries=entries))
    assert [entry.timestamp for entry in sorted_entries] == [3, 2, 1]


def test_chain_of_causes():
    """Messages of the chain, outermost first, at most three; without a message the class."""
    trace = "a.Outer: first\n\tat x\nCaused by: a.b.Inner\n\tat y\nCaused by: a.C: last: one\nCaused by: a.D: too much"
    chain = interpret.failure_chain(models.ThrowableInfo(stack_trace=trace))
    assert [cause.message for cause in chain] == ["first", "Inner", "last: one"]
    assert [cause.text for cause in chain] == ["a.Outer: first", "a.b.Inner", "a.C: last: one"]
    only = interpret.failure_chain(models.ThrowableInfo(java_class="a.b.Only"))
    assert only == (interpret.FailureCause("a.b.Only", "Only"),)


def test_causes_in_a_stack_trace():
    """The same chain, from a text alone; an empty one is one unnamed cause."""
    found = interpret.causes_in("a.B: one\n\tat x\nCaused by: c.D: two\n\tat y")
    assert [cause.text for cause in found] == ["a.B: one", "c.D: two"]
    assert [cause.message for cause in found] == ["one", "two"]
    assert [cause.text for cause in interpret.causes_in("")] == [""]
