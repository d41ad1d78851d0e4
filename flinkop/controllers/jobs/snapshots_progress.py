"""How far savepoints and checkpoints are that the status itself keeps track of; pure (O-7, O-60 to O-65).

These are the ones without a FlinkStateSnapshot. One that is part of stopping the job is looked after by the
plan, because the upgrade goes on from there.
"""

from attrs import evolve

from flinkop import clock
from flinkop.api.status import (
    Checkpoint,
    CheckpointInfo,
    CheckpointType,
    CommonStatus,
    FlinkJobState,
    Savepoint,
    SavepointFormatType,
    SavepointInfo,
    SnapshotTriggerType,
)
from flinkop.controllers.jobs.assessed import Assessed, JobSubject, StatusT
from flinkop.events import reasons
from flinkop.events.draft import EventDraft, warning
from flinkop.flink.interpret import Done, Failed
from flinkop.lifecycle import record


def assess(found: Assessed[StatusT], subject: JobSubject[StatusT]) -> Assessed[StatusT]:
    """Return the status in which what has ended is recorded, and said when it failed."""
    return _checkpoint(_savepoint(found, subject), subject)


def _savepoint(found: Assessed[StatusT], subject: JobSubject[StatusT]) -> Assessed[StatusT]:
    info = found.status.job_status.savepoint_info
    if info is None or not info.trigger_id or record.is_stopping(found.status):
        return found
    if found.status.job_status.state is not FlinkJobState.RUNNING:  # O-7
        handled = _nonce_handled(found.status, subject, info.trigger_type, savepoint=True)
        return found.having(_savepoint_idle(handled)).say(
            _failed(subject, info.trigger_type, savepoint=True)
        )
    match subject.rest.savepoint:
        case Done(path):
            return found.having(_with_savepoint(found.status, subject, info, path))
        case Failed(unknown=unknown):
            late = _is_late(info.trigger_timestamp, subject.options.savepoint_grace, subject)
            if unknown and not late:
                return found  # never asked for: a crash lay between the word and the deed
            status = found.status
            if late:
                status = _nonce_handled(status, subject, info.trigger_type, savepoint=True)
            said = _failed(subject, info.trigger_type, savepoint=True)
            return found.having(_savepoint_idle(status)).say(said)
        case _:
            return found


def _with_savepoint(
    status: StatusT, subject: JobSubject[StatusT], info: SavepointInfo, path: str
) -> StatusT:
    """O-61."""
    status = _nonce_handled(status, subject, info.trigger_type, savepoint=True)
    kind = info.trigger_type or SnapshotTriggerType.UNKNOWN
    job = subject.job
    manual = kind is SnapshotTriggerType.MANUAL
    taken = Savepoint(
        time_stamp=info.trigger_timestamp or 0,
        location=path,
        trigger_type=kind,
        format_type=info.format_type or SavepointFormatType.UNKNOWN,
        trigger_nonce=job.savepoint_trigger_nonce if manual and job else None,
    )
    status = _savepoint_idle(status)
    known = status.job_status.savepoint_info or SavepointInfo()
    same = known.last_savepoint is not None and known.last_savepoint.location == path
    history = known.savepoint_history if same else (*known.savepoint_history, taken)
    kept = evolve(known, last_savepoint=taken, savepoint_history=history)
    if kind is SnapshotTriggerType.PERIODIC:
        kept = evolve(kept, last_periodic_savepoint_timestamp=taken.time_stamp)
    return evolve(status, job_status=evolve(status.job_status, savepoint_info=kept))


def _savepoint_idle(status: StatusT) -> StatusT:
    return record.without_savepoint_trigger(status)


def _checkpoint(found: Assessed[StatusT], subject: JobSubject[StatusT]) -> Assessed[StatusT]:
    info = found.status.job_status.checkpoint_info
    if info is None or not info.trigger_id:
        return found
    if found.status.job_status.state is not FlinkJobState.RUNNING:
        handled = _nonce_handled(found.status, subject, info.trigger_type, savepoint=False)
        return found.having(_checkpoint_idle(handled)).say(
            _failed(subject, info.trigger_type, savepoint=False)
        )
    match subject.rest.checkpoint:
        case Done():
            return found.having(_with_checkpoint(found.status, subject, info))
        case Failed(unknown=unknown):
            late = _is_late(info.trigger_timestamp, subject.options.checkpoint_grace, subject)
            if unknown and not late:
                return found
            status = found.status
            if late:
                status = _nonce_handled(status, subject, info.trigger_type, savepoint=False)
            said = _failed(subject, info.trigger_type, savepoint=False)
            return found.having(_checkpoint_idle(status)).say(said)
        case _:
            return found


def _with_checkpoint(
    status: StatusT, subject: JobSubject[StatusT], info: CheckpointInfo
) -> StatusT:
    status = _nonce_handled(status, subject, info.trigger_type, savepoint=False)
    kind = info.trigger_type or SnapshotTriggerType.UNKNOWN
    job = subject.job
    manual = kind is SnapshotTriggerType.MANUAL
    taken = Checkpoint(
        time_stamp=info.trigger_timestamp or 0,
        trigger_type=kind,
        format_type=info.format_type or CheckpointType.UNKNOWN,
        trigger_nonce=job.checkpoint_trigger_nonce if manual and job else None,
    )
    status = _checkpoint_idle(status)
    known = evolve(status.job_status.checkpoint_info or CheckpointInfo(), last_checkpoint=taken)
    if kind is SnapshotTriggerType.PERIODIC:
        known = evolve(known, last_periodic_checkpoint_timestamp=taken.time_stamp)
    return evolve(status, job_status=evolve(status.job_status, checkpoint_info=known))


def _checkpoint_idle(status: StatusT) -> StatusT:
    info = evolve(
        status.job_status.checkpoint_info or CheckpointInfo(),
        trigger_id=None,
        trigger_timestamp=None,
        trigger_type=None,
        format_type=None,
    )
    return evolve(status, job_status=evolve(status.job_status, checkpoint_info=info))


def _nonce_handled(
    status: StatusT,
    subject: JobSubject[StatusT],
    kind: SnapshotTriggerType | None,
    *,
    savepoint: bool,
) -> StatusT:
    """P-3: only what a nonce asked for handles one."""
    job = subject.job
    if kind is not SnapshotTriggerType.MANUAL or job is None:
        return status
    return record.nonces_handled(
        status,
        savepoint=job.savepoint_trigger_nonce if savepoint else None,
        checkpoint=None if savepoint else job.checkpoint_trigger_nonce,
        now_ms=clock.epoch_ms(subject.now),
    )


def _is_late(triggered: int | None, grace: float, subject: JobSubject[CommonStatus]) -> bool:
    """Whether a snapshot that failed is given up, instead of being asked for again (O-62)."""
    return (triggered or 0) + grace * 1000 < clock.epoch_ms(subject.now)


def _failed(
    subject: JobSubject[CommonStatus], kind: SnapshotTriggerType | None, *, savepoint: bool
) -> EventDraft:
    """O-63; the type is what decides the words, and unlike the reference's it is still known (Q-18)."""
    word, reason = (
        ("savepoint", reasons.SAVEPOINT_ERROR)
        if savepoint
        else ("checkpoint", reasons.CHECKPOINT_ERROR)
    )
    if kind is SnapshotTriggerType.PERIODIC:
        return warning(reason, reasons.OPERATOR, f"Periodic {word} failed")
    job = subject.job
    nonce = None
    if job is not None:
        nonce = job.savepoint_trigger_nonce if savepoint else job.checkpoint_trigger_nonce
    text = f"{word.capitalize()} failed for {word}TriggerNonce: {nonce}"
    return warning(reason, reasons.OPERATOR, text)
