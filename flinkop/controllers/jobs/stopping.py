"""Taking a running job down with its state, without waiting inside a reconcile; pure (behaviour.md 3.5).

    savepoint   trigger id written ahead ─> stop with savepoint ─> looked at until done ─> its path
    cancel      last checkpoint's path written ahead ─> cancel ─> CANCELED seen, its last checkpoint with it

Flink takes the trigger id from us (1.15 and later), so that asking again after a crash starts nothing
new. As long as a stop is under way the recorded spec stays the old one: whoever finds the status, also
the reference, sees a job that runs or has finished with a savepoint. What follows is the kinds' business.
"""

from typing import Final, Generic, TypeVar

from attrs import evolve, frozen

from flinkop.api.common import UpgradeMode
from flinkop.api.status import (
    CommonStatus,
    FlinkJobState,
    ReconciliationState,
    Savepoint,
    SavepointInfo,
    SnapshotTriggerType,
)
from flinkop.controllers.jobs import situation, snapshots, telling
from flinkop.controllers.jobs.situation import JobSituation
from flinkop.controllers.jobs.steps import (
    CancelJob,
    Inquiry,
    JobStep,
    Plan,
    StopJob,
    Wait,
    WriteAhead,
)
from flinkop.events import reasons
from flinkop.flink.interpret import Done, Failed
from flinkop.lifecycle import record
from flinkop.lifecycle.state import Note
from flinkop.lifecycle.upgrade import LAST_STATE_PATH, Question

StatusT = TypeVar("StatusT", bound=CommonStatus)
StepT = TypeVar("StepT")

CANCELLING: Final = Note(
    "CancellingJob", "the job is being cancelled, to start again from its last checkpoint"
)
_STOPPING: Final = Note("TakingSavepoint", "the job is being stopped with a savepoint")


@frozen
class Stopped(Generic[StatusT]):
    """The job is stopped.

    Attributes:
        path: the savepoint it left.
        status: the status with no savepoint under way.
        registered: the steps that make the savepoint known.
    """

    path: str
    status: StatusT
    registered: tuple[JobStep[StatusT], ...] = ()


@frozen
class NotStopped(Generic[StatusT]):
    """The stop came to nothing, and what is to be done has to be decided anew.

    Attributes:
        status: the status with no savepoint under way.
    """

    status: StatusT


def stop(
    at: JobSituation[StatusT], said: tuple[StepT, ...], reason: str
) -> Plan[StatusT, StepT | JobStep[StatusT]]:
    """Write the trigger id ahead, then ask the job to stop with a savepoint."""
    job = at.status.job_status
    info = evolve(
        job.savepoint_info or SavepointInfo(),
        trigger_id=at.new_trigger_id(),
        trigger_timestamp=at.now_ms,
        trigger_type=SnapshotTriggerType.UPGRADE,
        format_type=at.options.savepoint_format,
    )
    status = evolve(at.status, job_status=evolve(job, savepoint_info=info))
    return Plan(
        reason=f"{reason}: stopping the job with a savepoint",
        status=status,
        steps=(*said, WriteAhead(status), *_ask(at.having(status))),
        wait=Wait.PROBE,
        note=_STOPPING,
    )


def _ask(at: JobSituation[StatusT]) -> tuple[StopJob, ...]:
    job = at.status.job_status
    info = job.savepoint_info
    if info is None or info.trigger_id is None or job.job_id is None:
        return ()
    return (
        StopJob(
            job_id=job.job_id,
            trigger_id=info.trigger_id,
            directory=at.options.savepoint_directory,
            format_type=info.format_type or at.options.savepoint_format,
            drain=at.options.drain_on_savepoint,
        ),
    )


def continue_stop(
    at: JobSituation[StatusT], *, down: bool = False
) -> Plan[StatusT, JobStep[StatusT]] | Stopped[StatusT] | NotStopped[StatusT]:
    """A stop with savepoint is under way: see how far it is; `down` tells that its cluster is gone."""
    overdue = is_overdue(at)
    cleared = record.without_savepoint_trigger(at.status)
    match at.rest.savepoint:
        case Done(path):
            return _stopped(at, path)
        case Failed() if at.job_ended:  # its last checkpoint was observed: the savepoint
            return _ended_unheard(cleared)
        case Failed(unknown=True) if at.job_runs and not overdue:
            # a crash lay between the word and the deed
            return Plan("asking again", at.status, _ask(at), wait=Wait.PROBE, note=_STOPPING)
        case Failed(reason=reason):
            words = f"Savepoint Error -> {reason}"
            return telling.failed(at.having(cleared), reasons.SAVEPOINT_ERROR, words)
        case _ if down:
            return NotStopped(cleared)
        case _ if overdue:
            return _timed_out(at)
        case _:
            return Plan("waiting for the savepoint", at.status, wait=Wait.PROBE, note=_STOPPING)


def is_overdue(at: JobSituation[StatusT]) -> bool:
    """Whether the stop that is under way has had its time."""
    info = at.status.job_status.savepoint_info or SavepointInfo()
    waited_ms = at.now_ms - (info.trigger_timestamp or 0)
    return waited_ms > at.options.checkpoint_timeout * 1000


def _stopped(at: JobSituation[StatusT], path: str) -> Stopped[StatusT]:
    """R-30: the savepoint is there; the history has it only where no resource does (T-25)."""
    if not at.snapshots_as_resources:
        return Stopped(path, recorded_savepoint(at, path))
    cleared = record.without_savepoint_trigger(at.status)
    return Stopped(path, cleared, snapshots.upgrade_savepoint(at, path))


def _ended_unheard(cleared: StatusT) -> Stopped[StatusT] | NotStopped[StatusT]:
    """The job has ended and Flink no longer knows the trigger: what was observed of its end has to do."""
    path = situation.known_path(cleared)
    if path is None or path == LAST_STATE_PATH:
        return NotStopped(cleared)
    return Stopped(path, cleared)


def _timed_out(
    at: JobSituation[StatusT],
) -> Plan[StatusT, JobStep[StatusT]] | NotStopped[StatusT]:
    cleared = record.without_savepoint_trigger(at.status)
    if not at.job_runs:
        return NotStopped(cleared)
    job_id = at.status.job_status.job_id
    return telling.failed(
        at.having(cleared),
        reasons.SAVEPOINT_ERROR,
        f"Timed out stopping the job {job_id} with savepoint, please configure a larger timeout via "
        "'execution.checkpointing.timeout'",
    )


def recorded_savepoint(at: JobSituation[StatusT], path: str) -> StatusT:
    """Return the status with the savepoint in its history, and no longer under way."""
    info = at.status.job_status.savepoint_info or SavepointInfo()
    taken = Savepoint(
        time_stamp=info.trigger_timestamp or at.now_ms,
        location=path,
        trigger_type=SnapshotTriggerType.UPGRADE,
        format_type=info.format_type or at.options.savepoint_format,
    )
    cleared = record.without_savepoint_trigger(at.status)
    job = cleared.job_status
    known = job.savepoint_info or SavepointInfo()
    history = (*known.savepoint_history, taken)
    kept = evolve(known, last_savepoint=taken, savepoint_history=history)
    return evolve(cleared, job_status=evolve(job, savepoint_info=kept))


def cancel(
    at: JobSituation[StatusT],
    said: tuple[StepT, ...],
    reason: str,
    restore: UpgradeMode = UpgradeMode.SAVEPOINT,
) -> Plan[StatusT, StepT | JobStep[StatusT]] | Inquiry:
    """R-23, but written ahead: with the newest checkpoint there is before the job is told.

    One that is to start empty needs none.
    """
    path = None
    if restore is not UpgradeMode.STATELESS:
        checkpoints = at.rest.checkpoints
        if checkpoints is None:
            return Inquiry(Question.CHECKPOINTS)
        if checkpoints.error is not None:
            return telling.failed(at, checkpoints.error.reason, checkpoints.error.message)
        path = checkpoints.path
    status = _to_be_cancelled(at.status, restore, path)
    job_id = status.job_status.job_id
    told = (CancelJob(job_id, required=True),) if job_id else ()
    return Plan(
        reason=f"{reason}: cancelling the job",
        status=status,
        steps=(*said, WriteAhead(status), *told),
        wait=Wait.PROBE,
        note=CANCELLING,
    )


def _to_be_cancelled(status: StatusT, restore: UpgradeMode, path: str | None) -> StatusT:
    marked = record.in_state(
        record.with_mode(record.not_first(status), restore), ReconciliationState.UPGRADING
    )
    job = evolve(marked.job_status, state=FlinkJobState.CANCELLING)
    if path is not None:
        job = evolve(job, upgrade_savepoint_path=path)
    return evolve(marked, job_status=job)
