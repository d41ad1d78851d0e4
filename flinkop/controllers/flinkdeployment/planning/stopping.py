"""Taking the running job down with its state, without waiting inside a reconcile; pure (behaviour.md 3.5).

    savepoint   trigger id written ahead ─> stop with savepoint ─> looked at until done ─> path written, cluster deleted
    cancel      last checkpoint's path written ahead ─> cancel ─> CANCELED seen, its last checkpoint written ─> deleted
    otherwise   target and restore written ahead ─> cluster deleted
    ended       target and restore written ahead ─> cluster deleted

Flink takes the trigger id from us (1.15 and later), so that asking again after a crash starts nothing
new. As long as a stop is under way the recorded spec stays the old one: whoever finds the status, also
the reference, sees a job that runs or has finished with a savepoint.
"""

from typing import Final

from attrs import evolve

from flinkop.api.common import UpgradeMode
from flinkop.api.status import (
    FlinkDeploymentStatus,
    FlinkJobState,
    JobManagerDeploymentStatus as JobManager,
    ReconciliationState,
)
from flinkop.controllers.flinkdeployment import taskmanagers
from flinkop.controllers.flinkdeployment.observation import TaskManagerFacts
from flinkop.controllers.flinkdeployment.planning import starting
from flinkop.controllers.flinkdeployment.planning.situation import Situation
from flinkop.controllers.flinkdeployment.planning.steps import (
    CancelJob,
    CheckObjects,
    DeleteCluster,
    DeleteTaskManagers,
    Inquiry,
    Made,
    Outcome,
    Plan,
    Step,
    Wait,
    WriteAhead,
)
from flinkop.controllers.jobs import (
    situation as job_situation,
    stopping as job_stopping,
    telling as job_telling,
)
from flinkop.controllers.jobs.facts import Rest
from flinkop.lifecycle import record
from flinkop.lifecycle.state import Note
from flinkop.lifecycle.upgrade import Available, Question, Suspend

_DOWN: Final = (JobManager.MISSING, JobManager.ERROR)
_REPLACING: Final = Note("ReplacingCluster", "waiting for the old cluster to be gone")


def begin(at: Situation, decision: Available) -> Outcome:
    """Start to take the job down as decided."""
    said = (*job_telling.spec_changed(at), *check(at), *_suspending(at, decision))
    match decision.suspend:
        case Suspend.SAVEPOINT:
            return job_stopping.stop(at, said, decision.reason)
        case Suspend.CANCEL:
            return job_stopping.cancel(at, said, decision.reason)
        case Suspend.NOOP if at.wants_suspended:
            return lay_down(at.restoring(decision.restore), decision.reason, said)
        case _:
            wanted = at.restoring(decision.restore)
            if decision.restore is UpgradeMode.SAVEPOINT:
                wanted = starting.from_path(wanted, job_situation.known_path(at.status))
            return replace(wanted, decision.reason, said)


def lay_down(at: Situation, reason: str, said: tuple[Step, ...] = ()) -> Outcome:
    """Suspend a job: when it was seen to have ended, its JobManager may stay for a while, to be asked about it.

    Only with HA: without, one that restarts would run the job again.
    """
    kept = at.job_ended and at.options.high_availability and not at.is_standalone
    at = finished(at)
    if kept and _mode(at) is UpgradeMode.SAVEPOINT:
        return suspended(at, said)
    return replace(at, reason, said)


def replace(at: Situation, reason: str, said: tuple[Step, ...] = ()) -> Outcome:
    """Write ahead what is to be there, then delete what is; with nothing there, make it at once."""
    facts = at.observation.job_manager
    if facts is None:
        if at.wants_suspended:
            return suspended(at, said)
        return starting.deploy(at, reason, *said)
    written = finished(starting.attempt(at))
    return Plan(
        reason=f"{reason}: replacing the cluster",
        status=written.status,
        steps=(*said, WriteAhead(written.status), *delete_steps(at)),
        wait=Wait.PROGRESS,
        note=_REPLACING,
    )


def _mode(at: Situation) -> UpgradeMode:
    return at.spec.job.upgrade_mode if at.spec.job else UpgradeMode.STATELESS


def suspended(at: Situation, said: tuple[Step, ...] = ()) -> Made:
    """The job is down as `job.state: suspended` asks; HA metadata stays where the resume needs it."""
    status = record.deployed(at.status, at.target)
    if at.observation.job_manager is None:
        status = evolve(status, job_manager_deployment_status=JobManager.MISSING)
    done = finished(at.having(status))
    metadata = starting.metadata_steps(done)
    ahead = _suspension_ahead(at) if metadata else ()
    return Plan("suspended", done.status, (*said, *ahead, *metadata))


def _suspension_ahead(at: Situation) -> tuple[Step, ...]:
    """HA metadata goes only when it is written that the resume does without; SUSPENDED is, when it has gone."""
    if record.is_suspending(at.status) and not at.is_newer:
        return ()
    return (WriteAhead(finished(starting.attempt(at)).status),)


def finished(at: Situation) -> Situation:
    """Return `at` with a job that has ended: stopped, or gone with its cluster (behaviour.md 4.8)."""
    if at.spec.job is None:
        return at
    job = evolve(at.status.job_status, state=FlinkJobState.FINISHED)
    return at.having(evolve(at.status, job_status=job))


def delete_steps(at: Situation, *, foreground: bool = False) -> tuple[Step, ...]:
    """Return the steps that take the cluster away; a job of ours that runs is cancelled first.

    `foreground` where no record will tell the next plan that there was a cluster; and a JobManager that was
    never available may have no pod yet.
    """
    facts, rest = at.observation.job_manager, at.observation.rest
    if facts is None or facts.deleting:
        return ()
    live = [job.jid for job in rest.jobs if not FlinkJobState(job.state.value).is_terminal]
    own = [jid for jid in live if jid == at.status.job_status.job_id]
    if _mode(at) is UpgradeMode.LAST_STATE:
        own = []  # a cancelled job removes the HA metadata that the next one starts from
    quiet = rest.state is Rest.ANSWERED and len(own) == len(live)
    with_it = taskmanagers.go_with_the_job_manager(
        at.observation, high_availability=at.options.high_availability
    )
    standalone = taskmanagers.own(at.observation) is not None  # its JobManager starts no others
    return (
        *(CancelJob(jid) for jid in own),
        DeleteCluster(
            facts.uid,
            scale_down=not quiet and not standalone,
            foreground=foreground or facts.never_available,
        ),
        *((DeleteTaskManagers(with_it.uid),) if with_it else ()),
    )


def without_task_managers(
    left: TaskManagerFacts, status: FlinkDeploymentStatus, said: tuple[Step, ...] = ()
) -> Made:
    """What a standalone cluster leaves when its JobManager is gone has to go before anything else."""
    steps = said if left.deleting else (*said, DeleteTaskManagers(left.uid))
    return Plan("waiting for the old TaskManagers to be gone", status, steps, wait=Wait.PROGRESS)


def take_away(at: Situation, reason: str) -> Outcome:
    """Delete the old cluster for an attempt that is written ahead, if what that restores from is still there."""
    plain = Plan(reason, at.status, delete_steps(at), wait=Wait.PROGRESS)
    return without_metadata(at, reason) or plain


def without_metadata(at: Situation, reason: str) -> Outcome | None:
    """Return what is done when the HA metadata is gone before its cluster is; None when nothing is wrong.

    A crash may lie between the word and the deed, and meanwhile the job may have failed or finished, which
    removes its HA metadata: what its JobManager knows is then all there is.
    """
    if at.spec.job is None or _mode(at) is not UpgradeMode.LAST_STATE:
        return None
    facts, rest = at.observation.ha, at.observation.rest
    if facts is None:
        return Inquiry(Question.HA_METADATA)
    if facts.available:
        return None
    job = rest.job(at.status.job_status.job_id)
    if job is None or not FlinkJobState(job.state.value).is_terminal:
        return starting.no_metadata(at)
    if rest.checkpoints is None:
        return Inquiry(Question.CHECKPOINTS)
    if rest.checkpoints.error is not None:
        return job_telling.failed(at, rest.checkpoints.error.reason, rest.checkpoints.error.message)
    if rest.checkpoints.path is None:
        return starting.no_metadata(at)
    return _from_its_end(at, rest.checkpoints.path, reason)


def _from_its_end(at: Situation, path: str, reason: str) -> Made:
    """The job ended before its cluster went: the next one starts from its last checkpoint, as another job."""
    at = starting.from_path(at.restoring(UpgradeMode.SAVEPOINT), path)
    job = evolve(at.status.job_status, job_id=at.new_job_id())
    status = record.with_mode(evolve(at.status, job_status=job), UpgradeMode.SAVEPOINT)
    steps = (WriteAhead(status), *delete_steps(at.having(status)))
    return Plan(reason, status, steps, wait=Wait.PROGRESS)


def check(at: Situation) -> tuple[Step, ...]:
    """What the API server would refuse is found while the old cluster still runs."""
    if at.wants_suspended or at.observation.job_manager is None:
        return ()
    return (CheckObjects(at.spec),)


def _suspending(at: Situation, decision: Available) -> tuple[Step, ...]:
    if decision.suspend is Suspend.NOOP or at.observation.job_manager is None:
        return ()
    return (job_telling.suspending(),)


# --- stop with savepoint


def continue_stop(at: Situation) -> Outcome | Situation:
    """A stop with savepoint is under way: see how far it is.

    Returns a Situation without it when it came to nothing and what is to be done has to be decided anew.
    """
    down = at.status.job_manager_deployment_status in _DOWN
    match job_stopping.continue_stop(at, down=down):
        case job_stopping.Stopped(path, status, registered):
            return _go_on_from(at.having(status), path, registered)
        case job_stopping.NotStopped(status):
            return at.having(status)
        case Plan() as going:
            return going


def _go_on_from(at: Situation, path: str, registered: tuple[Step, ...] = ()) -> Outcome:
    """Its path is written before anything of the old cluster is deleted."""
    at = starting.from_path(at, path)
    if at.redeploys:
        return redeploy(finished(at), registered)
    at = at.restoring(UpgradeMode.SAVEPOINT)
    said = (*registered, *job_telling.spec_changed(at))
    reason = f"the job was stopped with savepoint {path}"
    return lay_down(at, reason, said) if at.wants_suspended else replace(finished(at), reason, said)


def redeploy(at: Situation, before: tuple[Step, ...] = ()) -> Outcome:
    """R-20: start from `initialSavepointPath`, whatever runs now and whatever it has reached."""
    path = (at.spec.job.initial_savepoint_path if at.spec.job else None) or None
    at = starting.from_path(at.restoring(UpgradeMode.SAVEPOINT), path)
    said = (*before, *job_telling.spec_changed(at), *check(at))
    return replace(at, "savepointRedeployNonce changed", said)


# --- cancel


def continue_cancel(at: Situation) -> Outcome | Situation:
    """The job was told to cancel: see whether it has.

    Returns a Situation without the cancellation when what is to be done has to be decided anew.
    """
    if at.job_ended:  # its last checkpoint was observed with its end
        wanted = at.restoring(UpgradeMode.SAVEPOINT)
        return redeploy(at) if at.redeploys else replace(wanted, "the job was cancelled")
    if at.status.job_status.state is FlinkJobState.CANCELLING:
        return Plan(
            "waiting for the job to be cancelled",
            at.status,
            wait=Wait.PROBE,
            note=job_stopping.CANCELLING,
        )
    # Also when the cluster was lost: nobody knows whether the word reached the job, which may have gone on
    # and taken checkpoints since.
    return at.having(record.in_state(at.status, ReconciliationState.DEPLOYED))
