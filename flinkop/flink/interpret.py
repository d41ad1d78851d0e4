"""What an answer or an error means (`behaviour.md` 4.3, 4.4): pure functions, no requests.

Callers hand in what a call returned or raised; programming errors are never swallowed here.
"""

import enum
import re
from typing import Final

from attrs import evolve, frozen

from flinkop.flink import errors, models
from flinkop.flink.checkpoints import (
    NOT_ADDRESSABLE,
    Checkpoint,
    CheckpointStats,
    CheckpointStatus,
    CheckpointTriggerStatus,
    RestoredCheckpoint,
)
from flinkop.flink.states import JobState, OperationStatus


class CancelOutcome(enum.Enum):
    """What came of a request to cancel."""

    ACCEPTED = "accepted"
    """The job is going to be CANCELED; wait for it."""
    MISSING = "missing"
    """The cluster does not know the job."""
    TERMINATED = "terminated"
    """The job had already ended, not by this request."""
    FAILED = "failed"
    """Anything else, a timeout included: unknown whether the job was cancelled."""


@frozen
class Pending:
    """The operation is under way."""


@frozen
class Done:
    """The operation succeeded.

    Attributes:
        path: where the savepoint or checkpoint is.
    """

    path: str


@frozen
class Triggered:
    """A triggered checkpoint was taken; its path is in the details of this id."""

    checkpoint_id: int


@frozen
class Disposed:
    """A savepoint's files are gone."""


@frozen
class Failed:
    """The operation failed, or cannot be told about.

    Attributes:
        reason: the first line of Flink's own words.
        detail: all of them.
        unknown: whether the cluster knows nothing of it: it was never triggered, or long ago.
    """

    reason: str
    detail: str
    unknown: bool = False


@frozen
class LastCheckpoint:
    """The newest restore point that a job knows.

    Attributes:
        id: Flink's number of it.
        path: its external address, or `checkpoints.NOT_ADDRESSABLE`.
        timestamp: epoch milliseconds of its trigger, or of the restore from it.
        is_savepoint: whether it is a savepoint.
    """

    id: int
    path: str
    timestamp: int
    is_savepoint: bool

    @property
    def is_addressable(self) -> bool:
        """Whether a new job can be started from it."""
        return self.path != NOT_ADDRESSABLE


PENDING: Final = Pending()

_CANCEL_SIGNS: Final = (  # in lower case, first match wins
    ("already reached another terminal state", CancelOutcome.TERMINATED),
    ("flinkjobterminatedwithoutcancellationexception", CancelOutcome.TERMINATED),
    ("flinkjobnotfoundexception", CancelOutcome.MISSING),
)
_NOT_ENABLED: Final = "Checkpointing has not been enabled"
_STOPPED_LATE: Final = re.compile(
    r"A savepoint has been created at: (?P<path>\S+?),? but ", re.IGNORECASE
)
_MISSING_FILE: Final = "java.io.FileNotFoundException"
_MAX_REASON: Final = 2048


def running_state(job: models.JobOverview) -> JobState:
    """Return the job's state, where RUNNING counts only once all tasks run or are finished (O-32)."""
    tasks = job.tasks
    if job.state is JobState.RUNNING and tasks.running + tasks.finished != tasks.total:
        return JobState.CREATED
    return job.state


def find_job(jobs: tuple[models.JobOverview, ...], job_id: str | None) -> models.JobOverview | None:
    """Return the entry with exactly this id (O-31)."""
    return next((job for job in jobs if job.jid == job_id), None)


def cancel_outcome(error: errors.FlinkError | None) -> CancelOutcome:
    """Return what a cancel came to; `error` is what it raised, or None."""
    match error:
        case None:
            return CancelOutcome.ACCEPTED
        case errors.NotFound():
            return CancelOutcome.MISSING
        case errors.Conflict():
            return CancelOutcome.TERMINATED
        case errors.HttpError(text=text):
            found = (meant for sign, meant in _CANCEL_SIGNS if sign in text.lower())
            return next(found, CancelOutcome.FAILED)
        case _:
            return CancelOutcome.FAILED


def savepoint_outcome(
    answer: models.SavepointStatus | errors.FlinkError,
) -> Pending | Done | Failed:
    """Return how far a savepoint is; any error of the call counts as a failed savepoint."""
    if isinstance(answer, errors.FlinkError):
        return failed_call(answer)
    operation = answer.operation
    if operation is None:
        return PENDING
    if operation.location is not None:
        return Done(operation.location)
    if operation.failure_cause is not None:
        return _failed(failure_text(operation.failure_cause))
    return PENDING


def stop_outcome(answer: models.SavepointStatus | errors.FlinkError) -> Pending | Done | Failed:
    """Return how far a stop with savepoint is.

    When the savepoint was made but the job then failed to stop cleanly, Flink reports a failure that
    names the savepoint: that is a success, the state is there.
    """
    outcome = savepoint_outcome(answer)
    if isinstance(outcome, Failed) and (found := _STOPPED_LATE.search(outcome.detail)):
        return Done(found["path"])
    return outcome


def checkpoint_outcome(
    answer: CheckpointTriggerStatus | errors.FlinkError,
) -> Pending | Triggered | Failed:
    """Return how far a triggered checkpoint is; any error of the call counts as failed."""
    if isinstance(answer, errors.FlinkError):
        return failed_call(answer)
    operation = answer.operation
    if operation is not None and operation.failure_cause is not None:
        return _failed(failure_text(operation.failure_cause))
    if answer.status.id is not OperationStatus.COMPLETED:
        return PENDING
    if operation is None or operation.checkpoint_id is None:
        return _failed("the checkpoint completed without an id")
    return Triggered(operation.checkpoint_id)


def disposal_outcome(answer: models.DisposalStatus) -> Pending | Disposed | Failed:
    """Return how far a disposal is; a savepoint whose files are not there needs none any more."""
    operation = answer.operation
    if operation is not None and operation.failure_cause is not None:
        text = failure_text(operation.failure_cause)
        return Disposed() if _MISSING_FILE in text else _failed(text)
    return Disposed() if answer.status.id is OperationStatus.COMPLETED else PENDING


def savepoints_triggered(stats: CheckpointStats, first: int, last: int) -> tuple[str, ...]:
    """Return where the remembered savepoints are that were triggered between two moments, epoch ms."""
    return tuple(
        one.external_path
        for one in stats.history
        if one.is_savepoint
        and one.status is CheckpointStatus.COMPLETED
        and one.external_path is not None
        and first <= (one.trigger_timestamp or 0) <= last
    )


def checkpoint_details_outcome(answer: Checkpoint | errors.FlinkError) -> Pending | Done | Failed:
    """Return what became of one checkpoint; any error of the call counts as failed."""
    if isinstance(answer, errors.FlinkError):
        return _failed(str(answer))
    match answer.kind:
        case "completed" if answer.external_path is not None:
            return Done(answer.external_path)
        case "in_progress":
            return PENDING
        case "failed":
            return _failed(answer.failure_message or "the checkpoint failed for an unknown reason")
        case _:
            return _failed(
                f"the checkpoint is {answer.kind or 'in no known state'} and has no path"
            )


def last_checkpoint(stats: CheckpointStats | errors.FlinkError) -> LastCheckpoint | None:
    """Return the newest restore point of restored, completed and savepoint; None when there is none.

    Raises:
        FlinkError: the error handed in, unless it says that the job takes no checkpoints.
    """
    if isinstance(stats, errors.FlinkError):
        if _NOT_ENABLED in str(stats):
            return None
        raise stats
    latest = stats.latest
    candidates = (
        _restore_point(one) for one in (latest.restored, latest.completed, latest.savepoint)
    )
    # max keeps the first of equals, so ties go in the order above
    return max((one for one in candidates if one), key=lambda one: one.id, default=None)


def pending_since(stats: CheckpointStats) -> int | None:
    """Return when the checkpoint that is being taken right now was triggered, in epoch milliseconds."""
    newest = stats.history[0] if stats.history else None
    if newest is None or newest.status is not CheckpointStatus.IN_PROGRESS:
        return None
    return newest.trigger_timestamp or 0


def state_size(stats: CheckpointStats) -> int | None:
    """Return the bytes of the newest completed checkpoint's state (2.10)."""
    completed = stats.latest.completed
    return None if completed is None else completed.state_size


def newest_first(history: models.ExceptionHistory) -> tuple[models.ExceptionEntry, ...]:
    """Return a job's exceptions, newest first (O-50)."""
    return tuple(sorted(history.entries, key=lambda entry: entry.timestamp, reverse=True))


def failure_text(cause: models.ThrowableInfo) -> str:
    """Return the stack trace, or the class when there is none."""
    return cause.stack_trace.strip() or cause.java_class or "unknown failure"


@frozen
class FailureCause:
    """One exception of a chain.

    Attributes:
        text: `<class>: <message>`, as in `status.error` (`api.md` 3.8).
        message: the message alone, as in events; the simple class name where there is none (0.7).
    """

    text: str
    message: str


def failure_chain(cause: models.ThrowableInfo, limit: int = 3) -> tuple[FailureCause, ...]:
    """Return the exception and its causes, at most `limit`, outermost first."""
    return causes_in(failure_text(cause), limit)


def causes_in(stack_trace: str, limit: int = 3) -> tuple[FailureCause, ...]:
    """Return the exceptions that a stack trace, or the `detail` of a Failed, tells of."""
    lines = stack_trace.splitlines() or [""]
    heads = [lines[0], *(line for line in lines[1:] if line.startswith("Caused by: "))]
    texts = (head.removeprefix("Caused by: ").strip() for head in heads[:limit])
    return tuple(FailureCause(text, _message(text)) for text in texts)


def _message(head: str) -> str:
    java_class, colon, text = head.partition(": ")
    if colon and " " not in java_class:
        return text.strip()
    return head.rsplit(".", 1)[-1] if " " not in head else head


def failed_call(error: errors.FlinkError) -> Failed:
    """Return what an error of the call itself means for the operation that was asked about."""
    return evolve(_failed(str(error)), unknown=isinstance(error, errors.NotFound))


def _failed(detail: str) -> Failed:
    first = detail.splitlines()[0] if detail else "unknown failure"
    return Failed(reason=first[:_MAX_REASON], detail=detail)


def _restore_point(one: Checkpoint | RestoredCheckpoint | None) -> LastCheckpoint | None:
    if one is None or one.id is None or one.external_path is None:
        return None
    moment = one.trigger_timestamp if isinstance(one, Checkpoint) else one.restore_timestamp
    return LastCheckpoint(one.id, one.external_path, moment or 0, one.is_savepoint)
