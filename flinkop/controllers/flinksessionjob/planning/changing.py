"""From a spec that changed to another run of the job; pure (behaviour.md R-20 to R-26).

changed ─> decided how the job goes down (lifecycle.upgrade) ─> stopped or cancelled (jobs.stopping) ─> started
"""

from typing import Final

from attrs import evolve

from flinkop.api.common import UpgradeMode
from flinkop.api.status import FlinkJobState, ReconciliationState
from flinkop.controllers.flinksessionjob.planning import starting, steady
from flinkop.controllers.flinksessionjob.planning.situation import Situation
from flinkop.controllers.flinksessionjob.planning.steps import Outcome, Step
from flinkop.controllers.jobs import deciding, job_progress, situation, snapshots, stopping, telling
from flinkop.controllers.jobs.steps import Inquiry, Plan, Wait
from flinkop.lifecycle import record, upgrade
from flinkop.lifecycle.state import Note
from flinkop.lifecycle.upgrade import (
    UPGRADE_FAILED,
    Available,
    Impossible,
    NotNow,
    Question,
    Suspend,
)

_LOST: Final = "the session cluster does not know the job any more, and nothing tells which restore point is its newest."


def changed(at: Situation) -> Outcome:
    """The spec asks for something that the recorded one does not."""
    if snapshots.is_in_flight(at.status) and not at.options.ignore_pending_savepoint:
        note = Note(
            "UpgradeWaits", "the upgrade waits for the savepoint or checkpoint that is being taken"
        )
        return Plan(note.message, at.status, wait=Wait.PROBE, note=note)
    if at.redeploys:
        return redeploy(at)
    if situation.recorded_as_down(at.status):
        return _down(at)
    if is_lost(at):
        return telling.refused(at, UPGRADE_FAILED, _LOST, telling.way_out(at.status))
    return take_down(at)


def is_lost(at: Situation) -> bool:
    """Whether the cluster answers and does not know the job, whose state is not to be given up."""
    return at.status.error == job_progress.JOB_NOT_FOUND and not at.job_ended


def take_down(at: Situation, why: str | None = None) -> Outcome:
    """Decide how the running job ends so that the next run has its state, and begin with it."""
    decision = upgrade.decide(deciding.facts(at, accessible=True))
    match decision:
        case Question():
            return Inquiry(decision)
        case Impossible():
            return telling.refused(
                at, decision.reason, decision.message, telling.way_out(at.status)
            )
        case NotNow():
            return _not_now(at, decision)
        case Available():
            return _begin(at, evolve(decision, reason=why or decision.reason))


def _begin(at: Situation, decision: Available) -> Outcome:
    said = (*telling.spec_changed(at), *_suspending(decision))
    match decision.suspend:
        case Suspend.SAVEPOINT:
            return stopping.stop(at, said, decision.reason)
        case Suspend.CANCEL:
            return stopping.cancel(at, said, decision.reason)
        case Suspend.NOOP:
            return _go_on(at.restoring(decision.restore), decision.reason, said)
        case _:
            return stopping.cancel(at, said, decision.reason, UpgradeMode.STATELESS)


def _suspending(decision: Available) -> tuple[Step, ...]:
    return () if decision.suspend is Suspend.NOOP else (telling.suspending(),)


def _not_now(at: Situation, decision: NotNow) -> Outcome:
    """R-21: the running job stays as it is; what is due besides is done."""
    note = Note("UpgradeWaits", f"the upgrade waits: {decision.reason}")
    said = telling.spec_changed(at)
    if not decision.others:
        return Plan(note.message, at.status, said, wait=Wait.PROBE, note=note)
    made = steady.others(at)
    wait = Wait.PROGRESS if made.wait == Wait.INTERVAL else made.wait
    return evolve(made, steps=(*said, *made.steps), note=made.note or note, wait=wait)


def _go_on(at: Situation, reason: str, said: tuple[Step, ...] = ()) -> Outcome:
    """The old job has ended: start the new one, or leave it at that."""
    if at.wants_suspended:
        return starting.suspended(at, said)
    return starting.deploy(at, reason, said)


def _down(at: Situation) -> Outcome:
    """R-25, R-26: the job is down, by wish or because it was cancelled or lost."""
    listed = at.rest.job(at.status.job_status.job_id)
    if listed is not None and not listed.state.is_terminal:  # T-46, as others have recorded it
        status = record.already_upgraded(at.status)
        return Plan("the job that was taken for lost is there", status, again=True)
    said: tuple[Step, ...] = telling.spec_changed(at)
    if suspends_what_ended(at):
        return starting.suspended(starting.resuming(at), said)
    if at.wants_suspended:
        return Plan("suspended and to stay so: changes count when it is resumed", at.status, said)
    return starting.deploy(starting.resuming(at), "starting the job that is down", said)


def suspends_what_ended(at: Situation) -> bool:
    """Whether the user suspends a job that is down already in the record, because it was cancelled (P-5)."""
    down = situation.recorded_as_down(at.status) and at.wants_suspended
    return down and at.is_newer and not record.is_stable(at.status)


def redeploy(at: Situation, registered: tuple[Step, ...] = ()) -> Outcome:
    """R-20: whatever runs now is cancelled, and its end waited for (Q-6)."""
    said = (*registered, *telling.spec_changed(at))
    job = at.rest.job(at.status.job_status.job_id)
    if job is not None and not job.state.is_terminal:
        return stopping.cancel(at, said, "savepointRedeployNonce changed", UpgradeMode.STATELESS)
    return starting.from_named_path(at, said)


def continue_stop(at: Situation) -> Outcome | Situation:
    """A stop with savepoint is under way: see how far it is.

    Returns a Situation without it when it came to nothing and what is to be done has to be decided anew.
    """
    match stopping.continue_stop(at, down=is_lost(at)):
        case stopping.Stopped(path) if is_alive(at):
            return _ends_late(at, path)
        case stopping.Stopped(path, status, registered):
            at = starting.from_path(at.having(status), path)
            if at.redeploys:
                return redeploy(at, registered)
            said = (*registered, *telling.spec_changed(at))
            reason = f"the job was stopped with savepoint {path}"
            return _go_on(at.restoring(UpgradeMode.SAVEPOINT), reason, said)
        case stopping.NotStopped(status):
            return at.having(status)
        case Plan() as going:
            return going


def is_alive(at: Situation) -> bool:
    """Whether the cluster lists the job, and it has not ended."""
    job = at.rest.job(at.status.job_status.job_id)
    return job is not None and not job.state.is_terminal


def _ends_late(at: Situation, path: str) -> Outcome:
    """The savepoint is there, and the job as well: no cluster is deleted that would take it along.

    Mostly the list was read a moment before the end. But a job that fails while it stops is restarted, and
    has to be cancelled: it may have gone on from there.
    """
    if at.job_runs and not stopping.is_overdue(at):
        return Plan("waiting for the end of the job that was stopped", at.status, wait=Wait.PROBE)
    stopped = starting.from_path(at.having(record.without_savepoint_trigger(at.status)), path)
    return stopping.cancel(stopped, (), "the job goes on although it was stopped")


def continue_cancel(at: Situation) -> Outcome | Situation:
    """The job was told to cancel: see whether it has.

    Returns a Situation without the cancellation when what is to be done has to be decided anew.
    """
    if at.job_ended:  # its last checkpoint was observed with its end
        if at.redeploys:
            return redeploy(at)
        stateless = at.user_mode is UpgradeMode.STATELESS
        mode = UpgradeMode.STATELESS if stateless else UpgradeMode.SAVEPOINT
        return _go_on(at.restoring(mode), "the job was cancelled")
    if at.status.job_status.state is FlinkJobState.CANCELLING:
        return Plan(
            "waiting for the job to be cancelled",
            at.status,
            wait=Wait.PROBE,
            note=stopping.CANCELLING,
        )
    return at.having(record.in_state(at.status, ReconciliationState.DEPLOYED))
