"""What is to be done about a FlinkStateSnapshot: a closed set of steps with a reason; pure.

A snapshot is triggered under an id of our own that is in the status, acknowledged, before Flink is asked:
whoever finds it IN_PROGRESS and unknown to Flink asks again under the same id, which starts nothing that
is under way. Rules N-4 for the trigger, N-20 to N-26 for the deletion.
"""

import datetime as dt
from collections.abc import Callable
from enum import StrEnum
from typing import Final

from attrs import evolve, frozen

from flinkop.api.flinkstatesnapshot import (
    FlinkStateSnapshotSpec,
    FlinkStateSnapshotStatus,
    SnapshotState,
    SnapshotType,
)
from flinkop.api.status import SavepointFormatType
from flinkop.config import deletion_options
from flinkop.controllers.flinkstatesnapshot import progress
from flinkop.controllers.flinkstatesnapshot.observation import Answer, Disposal, Observation
from flinkop.controllers.flinkstatesnapshot.progress import Assessed, Subject
from flinkop.events import reasons
from flinkop.events.draft import EventDraft, warning
from flinkop.flink import features
from flinkop.flink.states import SavepointFormat
from flinkop.lifecycle import snapshot_states
from flinkop.lifecycle.failure import Failure, FailureType, Limits

_EXIT: Final = (
    "to delete the resource and keep the files, set spec.savepoint.disposeOnDelete to false"
)


@frozen
class Order:
    """A snapshot as Flink is asked for it.

    Attributes:
        type: savepoint or checkpoint.
        job_id: the job.
        trigger_id: the id to ask for it under; None for a Flink that chooses its own.
        directory: of a savepoint.
        format: of a savepoint.
    """

    type: SnapshotType
    job_id: str
    trigger_id: str | None
    directory: str | None = None
    format: SavepointFormat = SavepointFormat.CANONICAL


@frozen
class Say:
    """Emit an Event."""

    draft: EventDraft


@frozen
class WriteAhead:
    """Write this status, and go on only when it is acknowledged."""

    status: FlinkStateSnapshotStatus


@frozen
class Trigger:
    """Ask Flink for the snapshot, under the id that is in the status; safe to repeat."""

    order: Order


@frozen
class TriggerUnnamed:
    """Ask a Flink that takes no ids for the snapshot, and then write the one it chose into the status."""

    order: Order
    status: FlinkStateSnapshotStatus


@frozen
class Dispose:
    """Ask Flink to delete a savepoint's files; safe to repeat."""

    path: str


@frozen
class ReleaseFinalizer:
    """Let the resource go."""


Step = Say | WriteAhead | Trigger | TriggerUnnamed | Dispose | ReleaseFinalizer


class Wait(StrEnum):
    """What brings the next look, if no change does before."""

    NOTHING = "nothing"
    PROBE = "probe"
    RETRY = "retry"
    INTERVAL = "interval"


@frozen
class Plan:
    """What to do.

    Attributes:
        steps: in this order.
        status: the status to write at the end; None when a step writes it.
        reason: why, in one sentence for people.
        wait: what brings the next look.
    """

    steps: tuple[Step, ...]
    status: FlinkStateSnapshotStatus | None
    reason: str
    wait: Wait = Wait.NOTHING


@frozen
class Situation:
    """Everything that decides.

    Attributes:
        name: name of the resource.
        spec: the user's spec.
        status: the status after `progress.assess`.
        observation: the facts.
        now: wall time.
        limits: how much of an error is shown.
        new_trigger_id: makes an id.
        released_at: when what keeps it after its deletion does so no longer; None for never.
    """

    name: str
    spec: FlinkStateSnapshotSpec
    status: FlinkStateSnapshotStatus
    observation: Observation
    now: dt.datetime
    limits: Limits
    new_trigger_id: Callable[[], str]
    released_at: dt.datetime | None = None

    @property
    def subject(self) -> Subject:
        """The same, as `progress` judges it."""
        return Subject(self.name, self.spec, self.status, self.observation, self.now, self.limits)


def plan(at: Situation) -> Plan:
    """Return what to do about a snapshot that is not being deleted, and whose spec is good."""
    match at.status.state:
        case SnapshotState.TRIGGER_PENDING:
            return _begin(at)
        case SnapshotState.IN_PROGRESS:
            return _follow(at)
        case state:
            return Plan((), at.status, f"the snapshot is {state.value}")


def _begin(at: Situation) -> Plan:
    """N-4."""
    savepoint = at.spec.savepoint
    if savepoint is not None and savepoint.already_exists:
        status = snapshot_states.registered(at.status, savepoint.path, at.now)
        return Plan((), status, "the savepoint already exists")
    if snapshot_states.seconds_to_retry(at.status, at.now) > 0:
        return Plan((), at.status, "an attempt failed; waiting for the next", Wait.RETRY)
    if not at.observation.target_known:
        return Plan((), at.status, "not all resources can be seen yet", Wait.INTERVAL)
    target = at.observation.target
    if target is not None and target.starting and not target.runs:
        return Plan((), at.status, f"the job of {target} is starting", Wait.INTERVAL)
    why = progress.abandonment(at.subject)
    if why is not None:
        return _given(progress.abandon(at.subject, why), why)
    fault = _fault(at)
    if fault is not None:
        return _given(
            progress.failed(at.subject, Failure(FailureType.RECONCILIATION, fault)), fault
        )
    return _trigger(at)


def _given(assessed: Assessed, reason: str) -> Plan:
    """Return the plan that leads to a status that has been decided already."""
    steps = tuple(Say(draft) for draft in assessed.drafts)
    pending = assessed.status.state is SnapshotState.TRIGGER_PENDING
    return Plan(steps, assessed.status, reason, Wait.RETRY if pending else Wait.NOTHING)


def refused(at: Situation, cause: Failure) -> Plan:
    """Return what to do after Flink has refused a trigger; `at` has the status as acknowledged."""
    return _given(progress.failed(at.subject, cause), cause.message)


def _fault(at: Situation) -> str | None:
    """Return why the snapshot cannot be triggered although its job runs, None when it can be."""
    access, savepoint = at.observation.access, at.spec.savepoint
    if access is None:
        return None
    if savepoint is None:
        if access.flink >= features.CHECKPOINT_TRIGGER:
            return None
        return (
            f"the job runs on Flink {access.flink}: checkpoints can be triggered with Flink "
            f"{features.CHECKPOINT_TRIGGER} and later"
        )
    if savepoint.format_type is SavepointFormatType.UNKNOWN:
        return "spec.savepoint.formatType is UNKNOWN: use CANONICAL or NATIVE"
    if _directory(at) is None:
        return (
            "there is no directory for savepoints: set spec.savepoint.path, or "
            "execution.checkpointing.savepoint-dir in the job's flinkConfiguration"
        )
    return None


def _directory(at: Situation) -> str | None:
    access, savepoint = at.observation.access, at.spec.savepoint
    own = (savepoint.path or "").strip() if savepoint is not None else ""
    return own or (access.savepoint_directory if access is not None else None)


def _order(at: Situation, trigger_id: str | None) -> Order:
    target, savepoint = at.observation.target, at.spec.savepoint
    job_id = (target.job_id if target is not None else None) or ""
    if savepoint is None:
        return Order(SnapshotType.CHECKPOINT, job_id, trigger_id)
    native = savepoint.format_type is SavepointFormatType.NATIVE
    return Order(
        SnapshotType.SAVEPOINT,
        job_id,
        trigger_id,
        directory=_directory(at),
        format=SavepointFormat.NATIVE if native else SavepointFormat.CANONICAL,
    )


def _takes_ids(at: Situation) -> bool:
    access = at.observation.access
    return access is not None and access.flink >= features.SAVEPOINT_FORMAT


def _trigger(at: Situation) -> Plan:
    what = progress.word(at.spec)
    if not _takes_ids(at):
        step = TriggerUnnamed(_order(at, None), at.status)
        return Plan((step,), None, f"triggering a {what}", Wait.PROBE)
    status = snapshot_states.in_progress(at.status, at.new_trigger_id(), at.now)
    steps = (WriteAhead(status), Trigger(_order(at, status.trigger_id)))
    return Plan(steps, status, f"triggering a {what}", Wait.PROBE)


def _follow(at: Situation) -> Plan:
    what = progress.word(at.spec)
    if not at.observation.target_known:
        return Plan((), at.status, "not all resources can be seen yet", Wait.INTERVAL)
    unknown = at.observation.trigger.answer is Answer.UNKNOWN
    if unknown and at.observation.job_runs and _takes_ids(at):
        steps = (Trigger(_order(at, at.status.trigger_id)),)
        return Plan(steps, at.status, f"asking for the {what} under its id", Wait.PROBE)
    return Plan((), at.status, f"the {what} is being taken", Wait.PROBE)


# --- deletion


def needs_disposal(spec: FlinkStateSnapshotSpec) -> bool:
    """Whether files may have to go together with the resource (N-20)."""
    savepoint, job = spec.savepoint, spec.job_reference
    return (
        savepoint is not None
        and savepoint.dispose_on_delete
        and job is not None
        and job.kind is not None
        and bool(job.name)
    )


def cleanup(at: Situation) -> Plan:
    """Return what to do about a snapshot that is being deleted (N-20 to N-26)."""
    if not needs_disposal(at.spec):
        return _release(at, "nothing has to be disposed of")
    if at.status.state is SnapshotState.IN_PROGRESS:
        return _await_end(at)
    if at.status.state is not SnapshotState.COMPLETED or not at.status.path:
        return _release(at, "there is no savepoint to dispose of")
    return _dispose(at, at.status.path)


def _await_end(at: Situation) -> Plan:
    """N-21: what comes of the attempt decides; one that Flink never heard of is not begun any more."""
    if not at.observation.target_known:
        return Plan((), at.status, "not all resources can be seen yet", Wait.INTERVAL)
    if at.observation.trigger.answer is Answer.UNKNOWN:
        return _release(at, "the savepoint was never begun")
    return Plan((), at.status, "the savepoint is still being taken", Wait.PROBE)


def _dispose(at: Situation, path: str) -> Plan:
    seen, facts = at.observation, at.observation.cleanup
    match facts.disposal:
        case Disposal.DONE:
            return _release(at, f"savepoint {path} was disposed of")
        case Disposal.PENDING:
            return Plan((), at.status, f"savepoint {path} is being disposed of", Wait.PROBE)
        case Disposal.FAILED:
            return _blocked(at, f"disposing of savepoint {path} failed: {facts.detail}")
        case Disposal.NOT_ASKED:
            pass
    if facts.users and not facts.namespace_ends:
        names = ", ".join(facts.users)
        return _blocked(at, f"savepoint {path} is what {names} would be started from")
    if seen.job_runs:
        return Plan((Dispose(path),), at.status, f"disposing of savepoint {path}", Wait.PROBE)
    if facts.namespace_ends:
        return _let_go(at, path, "the namespace is being deleted")
    if not seen.target_known:
        return Plan((), at.status, "not all resources can be seen yet", Wait.INTERVAL)
    if seen.target is not None and seen.target.deleting:
        return _let_go(at, path, f"{seen.target} is being deleted")
    return _blocked(at, f"savepoint {path} cannot be disposed of: {_no_job(at)}")


def _no_job(at: Situation) -> str:
    target, job = at.observation.target, at.spec.job_reference
    if target is not None:
        return f"the job of {target} is not running, and only it can do that"
    name = f"{job.kind} {job.name}" if job is not None else "its job"
    return f"{name} cannot be found, and only its job can do that"


def disposal_refused(at: Situation, path: str, why: str) -> Plan:
    """Return what to do after Flink has not taken the request to dispose (N-24)."""
    return _blocked(at, f"savepoint {path} cannot be disposed of: {why}")


def _blocked(at: Situation, why: str) -> Plan:
    """N-22: keep the resource, and say what it waits for and how to do without; not beyond the deadline."""
    if at.released_at is not None and at.now >= at.released_at:
        return _given_up(at, why)
    said = warning(reasons.CLEANUP_FAILED, reasons.SNAPSHOT, f"{why}; {_EXIT}")
    return Plan((Say(said),), at.status, why, Wait.INTERVAL)


def _given_up(at: Situation, why: str) -> Plan:
    """Release a resource that has waited for as long as `deletion_options.DEADLINE` allows."""
    text = f"{why}; its files are left, because {deletion_options.DEADLINE.key} has passed"
    said = Say(warning(reasons.CLEANUP_FAILED, reasons.SNAPSHOT, text))
    made = _release(at, text)
    return evolve(made, steps=(said, *made.steps))


def _let_go(at: Situation, path: str, why: str) -> Plan:
    """Release a resource whose files nobody can dispose of any more."""
    text = (
        f"savepoint {path} may still be there, because {why} and its job does not run: "
        "delete its files by hand if so"
    )
    said = Say(warning(reasons.CLEANUP_FAILED, reasons.SNAPSHOT, text))
    made = _release(at, text)
    return evolve(made, steps=(said, *made.steps))


def _release(at: Situation, reason: str) -> Plan:
    return Plan((ReleaseFinalizer(),), at.status, reason)
