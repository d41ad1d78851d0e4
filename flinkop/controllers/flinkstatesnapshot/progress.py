"""What the facts say about an attempt under way: taken, failed, abandoned, or wait; pure (N-2, N-7, N-8).

The states and the steps between them are in `lifecycle.snapshot_states`.
"""

import datetime as dt
from typing import Final

from attrs import evolve, frozen

from flinkop.api.flinkstatesnapshot import (
    FlinkStateSnapshotSpec,
    FlinkStateSnapshotStatus,
    SnapshotState,
    SnapshotType,
)
from flinkop.controllers.flinkstatesnapshot.observation import Answer, Observation
from flinkop.events import reasons
from flinkop.events.draft import EventDraft, warning
from flinkop.flink.interpret import FailureCause
from flinkop.lifecycle import failure, snapshot_states
from flinkop.lifecycle.failure import Failure, FailureType, Limits

_HISTORY_OPTION: Final = "web.checkpoints.history"
_SIGNS: Final = (Answer.PENDING, Answer.DONE, Answer.FAILED)
"""Answers of a JobManager that knows the trigger."""


@frozen
class Subject:
    """What is judged: a snapshot, its status before, and what was found out."""

    name: str
    spec: FlinkStateSnapshotSpec
    status: FlinkStateSnapshotStatus
    observation: Observation
    now: dt.datetime
    limits: Limits


@frozen
class Assessed:
    """The status with the facts in it, and what there is to tell about them."""

    status: FlinkStateSnapshotStatus
    drafts: tuple[EventDraft, ...] = ()


def assess(subject: Subject) -> Assessed:
    """Return what became of the attempt under way; a snapshot without one stays as it is."""
    status, seen = subject.status, subject.observation
    if status.state is not SnapshotState.IN_PROGRESS or not seen.target_known:
        return Assessed(status)
    why = abandonment(subject)
    if why is not None and not _may_be_well(subject):
        return abandon(subject, why)
    facts = seen.trigger
    match facts.answer:
        case Answer.DONE:
            return _taken(subject)
        case Answer.FAILED:
            return failed(subject, _failure(facts.causes))
        case Answer.FORGOTTEN:
            return failed(subject, Failure(FailureType.RECONCILIATION, _forgotten(subject)))
        case Answer.SILENT | Answer.UNKNOWN if facts.silent_for > _grace(subject):
            return failed(subject, Failure(FailureType.RECONCILIATION, _silent(subject)))
        case _:
            return Assessed(status)


def _may_be_well(subject: Subject) -> bool:
    """Whether the job, of which nobody can tell just now, may still be the one that takes the snapshot.

    A JobManager that is slow to answer, perhaps because of this very savepoint, is no reason to give it up.
    """
    seen = subject.observation
    if seen.target is None or not seen.target.may_run or seen.access is None:
        return False
    return seen.trigger.answer in _SIGNS or seen.trigger.silent_for <= _grace(subject)


def abandonment(subject: Subject) -> str | None:
    """Return why there is no running job to take the snapshot of, None when there is one (N-8)."""
    seen = subject.observation
    what = f"{word(subject.spec)} {subject.name} is abandoned"
    job = subject.spec.job_reference
    if seen.target is None:
        named = f"{job.kind} {job.name}" if job is not None else "its job"
        return f"{named} was not found: {what}"
    if not seen.target.runs:
        state = seen.target.state.value if seen.target.state is not None else "not started"
        return (
            f"{seen.target} is not running (its job is {state}): {what}, "
            "make a new one once the job runs"
        )
    if seen.access is None:
        return f"the session cluster of {seen.target} was not found: {what}"
    return None


def abandon(subject: Subject, why: str) -> Assessed:
    """Give the snapshot up for good."""
    return Assessed(
        snapshot_states.abandoned(subject.status, why, subject.now),
        (warning(reasons.SNAPSHOT_ABANDONED, reasons.SNAPSHOT, why),),
    )


def failed(subject: Subject, cause: Failure) -> Assessed:
    """Note an attempt that failed; there may be another (N-7)."""
    error = cause.to_json(subject.limits)
    status = snapshot_states.failed(
        subject.status, error, subject.now, backoff_limit=subject.spec.backoff_limit
    )
    said = warning(error_reason(subject.spec), reasons.SNAPSHOT, failure.words(error))
    return Assessed(status, (said,))


def error_reason(spec: FlinkStateSnapshotSpec) -> str:
    """Return the reason of Events about failures of this type of snapshot."""
    if spec.type is SnapshotType.CHECKPOINT:
        return reasons.CHECKPOINT_ERROR
    return reasons.SAVEPOINT_ERROR


def word(spec: FlinkStateSnapshotSpec) -> str:
    """Return what people call this type of snapshot."""
    return "checkpoint" if spec.type is SnapshotType.CHECKPOINT else "savepoint"


def _taken(subject: Subject) -> Assessed:
    facts = subject.observation.trigger
    status = snapshot_states.completed(subject.status, facts.path, subject.now)
    if facts.path:
        return Assessed(status)
    text = (
        f"the checkpoint was taken, but Flink no longer tells where it is: raise {_HISTORY_OPTION} "
        f"if this happens often ({facts.detail})"
    )
    said = warning(reasons.CHECKPOINT_ERROR, reasons.SNAPSHOT, text)
    return Assessed(evolve(status, path=""), (said,))


def _failure(causes: tuple[FailureCause, ...]) -> Failure:
    chain = [Failure(FailureType.JOB_FAILED, cause.text) for cause in causes]
    text = chain[0].message if chain else "the snapshot failed for an unknown reason"
    return Failure(FailureType.RECONCILIATION, text, causes=tuple(chain[1:]))


def _forgotten(subject: Subject) -> str:
    return (
        f"the JobManager was restarted while the {word(subject.spec)} was being taken, "
        f"and no longer knows trigger {subject.status.trigger_id}"
    )


def _silent(subject: Subject) -> str:
    facts = subject.observation.trigger
    detail = facts.detail or "it does not know the trigger"
    return (
        f"Flink has given no sign of {word(subject.spec)} trigger {subject.status.trigger_id} "
        f"for {facts.silent_for:.0f} s: {detail}"
    )


def _grace(subject: Subject) -> float:
    access = subject.observation.access
    if access is None:
        return 0.0
    if subject.spec.type is SnapshotType.CHECKPOINT:
        return access.checkpoint_grace
    return access.savepoint_grace
