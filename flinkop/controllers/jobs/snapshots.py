"""Savepoints and checkpoints of a running job: triggered by nonce or by the clock, and tidied up; pure.

behaviour.md R-86 to R-90, O-70 to O-75. Recorded either as FlinkStateSnapshots, which have a controller of
their own, or in the status (`savepointInfo`, `checkpointInfo`), where the trigger id is written ahead.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Final, TypeVar

from attrs import evolve

from flinkop.api.common import JobSpec
from flinkop.api.flinkstatesnapshot import SnapshotType
from flinkop.api.status import CheckpointInfo, CommonStatus, SavepointInfo, SnapshotTriggerType
from flinkop.controllers.jobs.situation import JobSituation, StatusT
from flinkop.controllers.jobs.steps import (
    CreateSnapshot,
    DeleteSnapshot,
    DisposeSavepoints,
    JobStep,
    Plan,
    Say,
    TriggerCheckpoint,
    TriggerSavepoint,
    Wait,
    WriteAhead,
)
from flinkop.events import reasons
from flinkop.events.draft import warning
from flinkop.flink.interpret import Failed
from flinkop.lifecycle import periodic, record, snapshot_history, snapshot_objects, snapshot_paths
from flinkop.lifecycle.periodic import Due, Wish
from flinkop.lifecycle.snapshot_facts import SnapshotFacts
from flinkop.lifecycle.snapshot_objects import JobOfSnapshot, Occasion, SavepointWish

StepT = TypeVar("StepT")

SAVEPOINT, CHECKPOINT = SnapshotType.SAVEPOINT, SnapshotType.CHECKPOINT
_KINDS: Final = (SAVEPOINT, CHECKPOINT)


def trigger(at: JobSituation[StatusT]) -> Plan[StatusT, JobStep[StatusT]] | None:
    """R-81: return the plan to take a snapshot that is due; savepoints come first."""
    for kind in _KINDS:
        if _is_unheard(at, kind):
            steps = (_ask(at, kind),)
            return Plan(f"asking for the {kind.lower()} again", at.status, steps, Wait.PROBE)
        due = _due(at, kind, at.remembered.get(kind))
        if due is not None and due.trigger is not None and not _has_just_failed(at, kind):
            taken = _take(at, kind, due.trigger)
            if due.trigger is not SnapshotTriggerType.PERIODIC:
                return taken
            after = {**at.remembered, kind: at.now}
            return evolve(taken, periodic=kind, due=min(_due_at(at, after), default=None))
    return None


def warned(at: JobSituation[StatusT]) -> tuple[Say, ...]:
    """Return what is said once of the user's wishes that cannot be granted."""
    found = (_due(at, kind, at.remembered.get(kind)) for kind in _KINDS)
    return tuple(
        Say(warning(reasons.CONFIGURATION_WARNING, reasons.OPERATOR, due.warning, once=True))
        for due in found
        if due is not None and due.warning is not None
    )


def due_at(at: JobSituation[StatusT]) -> Iterator[dt.datetime]:
    """Yield when periodic snapshots are due next."""
    yield from _due_at(at, at.remembered)


def _due_at(
    at: JobSituation[StatusT], remembered: Mapping[SnapshotType, dt.datetime]
) -> Iterator[dt.datetime]:
    for kind in _KINDS:
        due = _due(at, kind, remembered.get(kind))
        if due is not None and due.at is not None:
            yield due.at


def is_in_flight(status: CommonStatus) -> bool:
    """Whether a snapshot that the status keeps track of is being taken."""
    return any(_in_flight(status, kind) for kind in _KINDS)


def tidied(
    at: JobSituation[StatusT], made: Plan[StatusT, StepT]
) -> Plan[StatusT, StepT | JobStep[StatusT]]:
    """O-70 to O-75: return `made`, which has nothing to do, letting old snapshots go besides."""
    wider: Plan[StatusT, StepT | JobStep[StatusT]] = made
    if not at.job_runs:
        return wider
    steps = (*_tidy_history(at), *_tidy_resources(at))
    status = made.status if at.options.cleanup else _without_entries(at, made.status)
    return evolve(wider, status=status, steps=(*made.steps, *steps))


def upgrade_savepoint(at: JobSituation[StatusT], path: str) -> tuple[JobStep[StatusT], ...]:
    """R-30: return the step that registers the savepoint of an upgrade, unless it is registered."""
    known = at.snapshots or ()
    if any(one.trigger is SnapshotTriggerType.UPGRADE and one.path == path for one in known):
        return ()
    wish = SavepointWish(
        path=path,
        format_type=at.options.savepoint_format,
        dispose=at.options.dispose_on_delete,
        exists=True,
    )
    occasion = Occasion(trigger=SnapshotTriggerType.UPGRADE, at_ms=at.now_ms)
    return (CreateSnapshot(snapshot_objects.body(_job_of(at), occasion, wish)),)


# --- due


def _due(
    at: JobSituation[StatusT], kind: SnapshotType, remembered: dt.datetime | None
) -> Due | None:
    job, handled = at.job, _recorded_job(at)
    if job is None or handled is None:
        return None
    savepoint = kind is SAVEPOINT
    expression = at.options.periodic_savepoints if savepoint else at.options.periodic_checkpoints
    wish = Wish(
        type=kind,
        running=at.job_runs,
        in_flight=_in_flight(at.status, kind),
        nonce=job.savepoint_trigger_nonce if savepoint else job.checkpoint_trigger_nonce,
        handled_nonce=(
            handled.savepoint_trigger_nonce if savepoint else handled.checkpoint_trigger_nonce
        ),
        expression=expression,
        flink_version=at.flink_version,
    )
    last = periodic.last_periodic(
        kind, at.created, _legacy_ms(at, kind), _resources(at), remembered
    )
    return periodic.judge(wish, last, at.now, at.zone)


def _recorded_job(at: JobSituation[StatusT]) -> JobSpec | None:
    recorded = record.last_reconciled(at.status)
    return recorded.spec.job if recorded else None


def _in_flight(status: CommonStatus, kind: SnapshotType) -> bool:
    job = status.job_status
    info = job.savepoint_info if kind is SAVEPOINT else job.checkpoint_info
    return info is not None and bool(info.trigger_id)


def _legacy_ms(at: JobSituation[StatusT], kind: SnapshotType) -> int:
    job = at.status.job_status
    if kind is SAVEPOINT:
        return job.savepoint_info.last_periodic_savepoint_timestamp if job.savepoint_info else 0
    return job.checkpoint_info.last_periodic_checkpoint_timestamp if job.checkpoint_info else 0


def _resources(at: JobSituation[StatusT]) -> tuple[SnapshotFacts, ...]:
    return (at.snapshots or ()) if at.snapshots_as_resources else ()


def _is_unheard(at: JobSituation[StatusT], kind: SnapshotType) -> bool:
    """Whether Flink has never heard of the snapshot that is under way: a crash lay between."""
    rest = at.rest
    outcome = rest.savepoint if kind is SAVEPOINT else rest.checkpoint
    unknown = isinstance(outcome, Failed) and outcome.unknown
    return unknown and at.job_runs and _in_flight(at.status, kind)


def _has_just_failed(at: JobSituation[StatusT], kind: SnapshotType) -> bool:
    """Whether this look found one failed: the next try has time until the next look (O-62)."""
    rest = at.rest
    return isinstance(rest.savepoint if kind is SAVEPOINT else rest.checkpoint, Failed)


# --- taken


def _take(
    at: JobSituation[StatusT], kind: SnapshotType, why: SnapshotTriggerType
) -> Plan[StatusT, JobStep[StatusT]]:
    if at.snapshots_as_resources:
        return _take_as_resource(at, kind, why)
    return _take_in_status(at, kind, why)


def _take_as_resource(
    at: JobSituation[StatusT], kind: SnapshotType, why: SnapshotTriggerType
) -> Plan[StatusT, JobStep[StatusT]]:
    """R-90 with resources: the nonce is handled as soon as there is one for it (T-11)."""
    job = at.job
    nonce = None
    status = at.status
    if why is SnapshotTriggerType.MANUAL and job is not None:
        savepoint = kind is SAVEPOINT
        nonce = job.savepoint_trigger_nonce if savepoint else job.checkpoint_trigger_nonce
        status = record.nonces_handled(
            status,
            savepoint=nonce if savepoint else None,
            checkpoint=None if savepoint else nonce,
            now_ms=at.now_ms,
        )
        if any(one.type is kind and one.nonce == nonce for one in _resources(at)):
            return Plan(f"the {kind.lower()} for nonce {nonce} was asked for already", status)
    wish = None
    if kind is SAVEPOINT:
        wish = SavepointWish(
            path=at.options.savepoint_directory,
            format_type=at.options.savepoint_format,
            dispose=at.options.dispose_on_delete,
        )
    occasion = Occasion(trigger=why, at_ms=at.now_ms, nonce=nonce)
    body = snapshot_objects.body(_job_of(at), occasion, wish)
    return Plan(f"a {why.lower()} {kind.lower()} is due", status, (CreateSnapshot(body),))


def _job_of(at: JobSituation[StatusT]) -> JobOfSnapshot:
    return JobOfSnapshot(at.job_kind, at.namespace, at.name, at.label_selector)


def _take_in_status(
    at: JobSituation[StatusT], kind: SnapshotType, why: SnapshotTriggerType
) -> Plan[StatusT, JobStep[StatusT]]:
    """R-90 without: a nonce is handled when its snapshot is there (O-61)."""
    job = at.status.job_status
    if kind is SAVEPOINT:
        job = evolve(
            job,
            savepoint_info=evolve(
                job.savepoint_info or SavepointInfo(),
                trigger_id=at.new_trigger_id(),
                trigger_timestamp=at.now_ms,
                trigger_type=why,
                format_type=at.options.savepoint_format,
            ),
        )
    else:
        job = evolve(
            job,
            checkpoint_info=evolve(
                job.checkpoint_info or CheckpointInfo(),
                trigger_id=at.new_trigger_id(),
                trigger_timestamp=at.now_ms,
                trigger_type=why,
                format_type=at.options.checkpoint_type,
            ),
        )
    status = evolve(at.status, job_status=job)
    reason = f"a {why.lower()} {kind.lower()} is due"
    return Plan(reason, status, (WriteAhead(status), _ask(at.having(status), kind)), Wait.PROBE)


def _ask(at: JobSituation[StatusT], kind: SnapshotType) -> JobStep[StatusT]:
    """Return the step that asks Flink for what the status says is under way."""
    job = at.status.job_status
    if kind is SAVEPOINT:
        info = job.savepoint_info or SavepointInfo()
        return TriggerSavepoint(
            job.job_id or "",
            info.trigger_id or "",
            at.options.savepoint_directory,
            info.format_type or at.options.savepoint_format,
        )
    known = job.checkpoint_info or CheckpointInfo()
    kind_of = known.format_type or at.options.checkpoint_type
    return TriggerCheckpoint(job.job_id or "", known.trigger_id or "", kind_of)


# --- tidied up


def _tidy_history(at: JobSituation[StatusT]) -> tuple[JobStep[StatusT], ...]:
    removals = _removals(at) if at.options.cleanup else ()
    return (DisposeSavepoints(removals),) if removals else ()


def _removals(at: JobSituation[StatusT]) -> tuple[snapshot_history.Removal, ...]:
    info = at.status.job_status.savepoint_info
    return snapshot_history.legacy_removals(
        info.savepoint_history if info else (),
        at.options.savepoint_limits,
        _resources(at),
        snapshot_paths.named_by_resource(at.job, at.status),
        at.now,
        dispose=at.options.cleanup,
    )


def _without_entries(at: JobSituation[StatusT], status: StatusT) -> StatusT:
    """O-72 with cleanup switched off: entries go, files stay."""
    gone = [removal.savepoint for removal in _removals(at)]
    return record.without_savepoints(status, gone) if gone else status


def _tidy_resources(at: JobSituation[StatusT]) -> tuple[JobStep[StatusT], ...]:
    if not (at.snapshots_as_resources and at.options.cleanup):
        return ()
    names = snapshot_history.snapshots_to_delete(
        _resources(at),
        at.options.savepoint_limits,
        at.options.checkpoint_limits,
        snapshot_paths.named_by_resource(at.job, at.status),
        at.now,
    )
    return tuple(DeleteSnapshot(name) for name in names)
