"""Taking the job away when its resource is deleted; pure (behaviour.md 1.7, R-92, R-124 to R-128).

    nothing on a cluster ─────────────────────────────────────────┐
    savepoint on deletion ─> stopped with savepoint ──────────────┼─> released
    else ─> cancelled ─> seen to have ended ──────────────────────┘

What keeps the resource is named in its condition and an Event, and `kubernetes.operator.deletion.deadline` ends it.
"""

import datetime as dt
from typing import Final

from attrs import evolve

from flinkop.api.status import FlinkJobState, LifecycleState
from flinkop.config import deletion_options, options
from flinkop.controllers.flinksessionjob import progress
from flinkop.controllers.flinksessionjob.observation import Handover
from flinkop.controllers.flinksessionjob.planning import changing, starting
from flinkop.controllers.flinksessionjob.planning.situation import Situation
from flinkop.controllers.flinksessionjob.planning.steps import AbandonSubmission, Made, Step
from flinkop.controllers.jobs import situation, stopping
from flinkop.controllers.jobs.facts import Rest
from flinkop.controllers.jobs.job_progress import JOB_NOT_FOUND
from flinkop.controllers.jobs.steps import CancelJob, Plan, ReleaseFinalizer, Say, Wait
from flinkop.events import reasons
from flinkop.events.draft import normal, warning
from flinkop.lifecycle import record
from flinkop.lifecycle.state import Note, Stall

_LATE_SECONDS: Final = 30.0
"""How long a job of an interrupted submission may take to be listed: its main method may still run."""
_CANCELLING: Final = Note("CancellingJob", "the job is being cancelled")


def cleanup(at: Situation) -> Made:
    """Return what to do for a resource that is being deleted."""
    said: tuple[Step, ...] = (
        Say(normal(reasons.CLEANUP, reasons.OPERATOR, "Cleaning up FlinkSessionJob")),
    )
    if at.status.lifecycle_state is LifecycleState.DELETING:
        said = ()
    at = at.having(evolve(at.status, lifecycle_state=LifecycleState.DELETING))
    made = (
        _abandon(at)
        or _stop_under_way(at)
        or _nothing_there(at)
        or _without_cluster(at)
        or _take_down(at)
    )
    return evolve(made, steps=(*said, *made.steps))


def _abandon(at: Situation) -> Made | None:
    """A submission that is under way ends first, so that no job comes after its resource has gone."""
    if at.observation.submitted.handover is not Handover.UNDER_WAY:
        return None
    note = Note(
        "SubmittingJob", "waiting for the end of the submission, to cancel what comes of it"
    )
    return Plan(note.message, at.status, (AbandonSubmission(),), wait=Wait.PROGRESS, note=note)


def _stop_under_way(at: Situation) -> Made | None:
    """What comes of a stop with savepoint is recorded, whatever else there is to do."""
    answered = at.rest.state is Rest.ANSWERED
    listed = at.rest.job(at.status.job_status.job_id) is not None
    if not (answered and listed and record.is_stopping(at.status)):
        return None
    return _last_savepoint(at)


def _nothing_there(at: Situation) -> Made | None:
    """R-92: nothing was submitted, or it has ended."""
    if record.last_reconciled(at.status) is None:
        return _release(at, "nothing was deployed")
    if at.status.job_status.job_id is None or at.job_ended:
        return _release(at, "no job is left")
    if situation.recorded_as_down(at.status) and not starting.is_attempted(at.status):
        return _release(at, "the job is down")
    return None


def _without_cluster(at: Situation) -> Made | None:
    """R-124 to R-126: a cluster that is not there has no jobs, unless it will recover them."""
    cluster, name = at.observation.cluster, at.cluster_name
    if cluster is None and not at.observation.cluster_known:
        return _kept(at, f"FlinkDeployment {name} is not known yet")
    if cluster is None:
        return _release(at, f"FlinkDeployment {name} is gone, and the job with it")
    if cluster.deleting and not (cluster.up and at.options.block_on_session_jobs):
        return _release(at, f"session cluster {name} is being deleted, and takes the job with it")
    if cluster.up:
        return None
    if not at.options.high_availability:
        return _release(
            at, f"session cluster {name} is down and keeps no HA metadata: the job is gone"
        )
    text = (
        f"session cluster {name} is not ready ({cluster.state.value}), and will bring the job back from its HA "
        "metadata: the job is cancelled as soon as it is"
    )
    return _kept(at, text)


def _take_down(at: Situation) -> Made:
    """R-127, R-128."""
    name = at.cluster_name
    if at.rest.state is not Rest.ANSWERED:
        text = f"the JobManager of session cluster {name} does not answer: {at.rest.detail}"
        return _kept(at, text)
    job = at.rest.job(at.status.job_status.job_id)
    if job is None:
        return _not_listed(at)
    if job.state.is_terminal:
        return _release(at, "the job has ended")
    last = _last_savepoint(at)
    if last is not None:
        return last
    if at.status.job_status.state is FlinkJobState.CANCELLING:
        return Plan(_CANCELLING.message, at.status, wait=Wait.PROBE, note=_CANCELLING)
    going = evolve(at.status.job_status, state=FlinkJobState.CANCELLING)
    return Plan(
        reason="cancelling the job",
        status=evolve(at.status, job_status=going),
        steps=(CancelJob(job.jid, required=True),),
        wait=Wait.PROBE,
        note=_CANCELLING,
    )


def _not_listed(at: Situation) -> Made:
    """The job is gone, unless its cluster is about to list it."""
    begun = at.status.reconciliation_status.reconciliation_timestamp
    young = at.now_ms - begun < _LATE_SECONDS * 1000
    recovering = (
        at.options.high_availability and at.observation.absent_for < progress.ABSENCE_SECONDS
    )
    refused = at.observation.submitted.handover is Handover.REFUSED
    known = at.status.error == JOB_NOT_FOUND or refused
    if not known and (recovering or (starting.is_attempted(at.status) and young)):
        note = Note("JobNotListed", "the session cluster does not list the job yet")
        return Plan(note.message, at.status, wait=Wait.PROBE, note=note)
    return _release(at, "the session cluster does not know the job")


def _last_savepoint(at: Situation) -> Made | None:
    """R-128: stop the job with a savepoint first, if that is wanted; None when it is not, or done."""
    if not at.options.savepoint_on_deletion and not record.is_stopping(at.status):
        return None
    if record.is_stopping(at.status):
        match stopping.continue_stop(at):
            case stopping.Stopped() if changing.is_alive(at):
                return None if not at.job_runs or stopping.is_overdue(at) else _ending(at)
            case stopping.Stopped(path, status, registered):
                made = _release(at.having(status), f"the job was stopped with savepoint {path}")
                return evolve(made, steps=(*registered, *made.steps))
            case stopping.NotStopped(status):
                return Plan("deciding anew", status, again=True)
            case Plan() as going:
                return going
    if at.job_runs:
        reason = f"{options.SAVEPOINT_ON_DELETION.key} is set"
        return stopping.stop(at, (), reason)
    state = at.status.job_status.state or FlinkJobState.RECONCILING
    text = (
        f"{options.SAVEPOINT_ON_DELETION.key} asks for a savepoint, which needs a running job, and the job is {state}. "
        "It is waited for; set the option to false to delete the job without a savepoint"
    )
    return _kept(at, text)


def _ending(at: Situation) -> Made:
    text = "waiting for the end of the job that was stopped"
    return Plan(text, at.status, wait=Wait.PROBE)


def _kept(at: Situation, text: str) -> Made:
    """Something keeps the resource: said in its condition and an Event, until the deadline."""
    deadline = at.options.deletion_deadline
    due = None
    if deadline is not None and at.deleted_at is not None:
        due = at.deleted_at + deadline
        if at.now >= due:
            return _given_up(at, text)
    say = Say(warning(reasons.CLEANUP_FAILED, reasons.OPERATOR, text))
    return Plan(
        text, at.status, (say,), wait=Wait.PROGRESS, due=due, stall=Stall("DeletionBlocked", text)
    )


def _given_up(at: Situation, text: str) -> Made:
    job_id = at.status.job_status.job_id
    words = (
        f"the resource goes after {_seconds(at.options.deletion_deadline)} "
        f"({deletion_options.DEADLINE.key}), and job {job_id} may be left: {text}"
    )
    made = _release(at, words)
    say = Say(warning(reasons.CLEANUP_FAILED, reasons.OPERATOR, words))
    return evolve(made, steps=(say, *made.steps))


def _seconds(span: dt.timedelta | None) -> str:
    return f"{span.total_seconds():g} s" if span is not None else ""


def _release(at: Situation, reason: str) -> Made:
    return Plan(reason, at.status, (ReleaseFinalizer(),), wait=Wait.NONE)
