"""Nothing new is asked for: keep what is there alive, and say what is wrong; pure (behaviour.md 3.10).

In this order, first match: a failed job is restarted if that is wanted; a snapshot that is due is taken; a lost cluster is deployed again; an
unhealthy one is deleted, so that it comes back from its HA metadata; the JobManager of a job that ended long
ago goes; old snapshots go.
"""

import datetime as dt
from typing import Final

from attrs import evolve

from flinkop.api.common import JobState, UpgradeMode
from flinkop.api.status import (
    FlinkDeploymentStatus,
    FlinkJobState,
    JobManagerDeploymentStatus as JobManager,
)
from flinkop.controllers.flinkdeployment import progress, taskmanagers
from flinkop.controllers.flinkdeployment.planning import (
    deadlines,
    deciding,
    recovering,
    starting,
    stopping,
)
from flinkop.controllers.flinkdeployment.planning.situation import Situation
from flinkop.controllers.flinkdeployment.planning.steps import (
    Inquiry,
    Made,
    Outcome,
    Plan,
    RestoreTaskManagers,
    Say,
    Wait,
    WriteAhead,
)
from flinkop.controllers.jobs import (
    job_progress,
    situation as job_situation,
    snapshots,
    telling as job_telling,
)
from flinkop.events import reasons
from flinkop.events.draft import warning
from flinkop.lifecycle import cluster_health, record
from flinkop.lifecycle.failure import words
from flinkop.lifecycle.state import Stall
from flinkop.lifecycle.upgrade import Available, Impossible, NotNow, Question

_NOT_ROLLED_BACK: Final = "It is not rolled back, because there is no HA metadata that the last stable spec could start from: mend the spec"


_NOT_FOUND: Final = (
    "the JobManager answers and does not know the job: it may have ended while the JobManager restarted. "
    "To run it again, change spec.job.savepointRedeployNonce with spec.job.initialSavepointPath set to where it "
    "shall start from, or for a job without state spec.restartNonce"
)


def steady(at: Situation) -> Outcome:
    """Record that nothing new is asked for (P-2), then look after what is there."""
    return others(at.having(record.refresh(at.status, at.generation)))


def others(at: Situation) -> Outcome:
    """R-80 to R-85."""
    made = (
        recovering.finish(at)
        or _restart_failed(at)
        or snapshots.trigger(at)
        or recovering.recover(at)
        or _restore_task_managers(at)
        or _restart_unhealthy(at)
        or _retire(at)
    )
    return made if made is not None else snapshots.tidied(at, _idle(at))


# --- failed


def _restart_failed(at: Situation) -> Outcome | None:
    """R-80: as in an upgrade of a job that has ended, so that its state is proven to be there (Q-7)."""
    failed = at.status.job_status.state is FlinkJobState.FAILED
    if not (failed and at.options.restart_failed) or job_situation.recorded_as_down(at.status):
        return None
    running = progress.deployed_spec(at.status)
    if running is None:
        return None
    decision = deciding.decide(at)
    match decision:
        case Question():
            return Inquiry(decision)
        case Available():
            generation = at.status.observed_generation or at.generation
            again = evolve(at, spec=running, generation=generation)
            return stopping.begin(again, evolve(decision, reason="the job has failed"))
        case Impossible():
            return job_telling.refused(at, decision.reason, decision.message)
        case NotNow():
            return None


def _restore_task_managers(at: Situation) -> Made | None:
    """A standalone cluster whose TaskManagers' Deployment was deleted by hand gets it back."""
    lost = taskmanagers.lost(at.status, at.observation)
    if lost is None:
        return None
    text = "Recovering lost TaskManager deployment"
    return Plan(
        reason="the TaskManagers' Deployment was lost: making it again",
        status=at.status,
        steps=(
            Say(warning(reasons.RECOVER_DEPLOYMENT, reasons.JOB, text)),
            RestoreTaskManagers(lost.spec),
        ),
        wait=Wait.PROBE,
    )


# --- unhealthy


def _restart_unhealthy(at: Situation) -> Outcome | None:
    """R-82: the cluster is deleted; once it is gone it is lost, and comes back like any other (R-83)."""
    error = _health_error(at)
    manager = at.observation.job_manager
    if error is None or manager is None or manager.deleting:
        return None
    if at.options.high_availability and at.observation.ha is None:
        return Inquiry(Question.HA_METADATA)
    kept = at.observation.ha is not None and at.observation.ha.available
    if not kept and at.user_mode is not UpgradeMode.STATELESS:
        return None
    going = evolve(
        at.status,
        job_manager_deployment_status=JobManager.MISSING,
        job_status=evolve(at.status.job_status, state=FlinkJobState.RECONCILING),
        cluster_info=starting.without_health(at.status.cluster_info),
    )
    # A job that is cancelled takes its HA metadata with it.
    restore = UpgradeMode.LAST_STATE if kept else UpgradeMode.STATELESS
    return Plan(
        reason=f"the job is unhealthy: {error}",
        status=going,
        steps=(
            Say(warning(reasons.RESTART_UNHEALTHY_JOB, reasons.JOB, error)),
            WriteAhead(going),
            *stopping.delete_steps(at.restoring(restore)),
        ),
        wait=Wait.PROGRESS,
    )


def _health_error(at: Situation) -> str | None:
    """Return why the job counts as unhealthy; None when it does not, or nobody wants to know."""
    if at.options.health is None or at.spec.job is None or at.job_ended:
        return None
    known = cluster_health.decode(at.status.cluster_info.get(cluster_health.KEY))
    if known is None or known.health_result.healthy:
        return None
    return known.health_result.error or "Restarting unhealthy job"


# --- ended


def _retire(at: Situation) -> Made | None:
    """R-85: the JobManager of a job that ended stays for a while, to be asked about it."""
    manager = at.observation.job_manager
    until = deadlines.retirement(at)
    if until is None or manager is None or manager.deleting or at.now < until:
        return None
    gone = evolve(at.status, job_manager_deployment_status=JobManager.MISSING)
    return Plan(
        reason="the job ended long ago: deleting its JobManager",
        status=gone,
        steps=(WriteAhead(gone), *stopping.delete_steps(at)),
    )


# --- idle


def _idle(at: Situation) -> Made:
    status = at.status
    stall = recovering.stall(at) if recovering.is_lost(at) else _job_stall(status)
    if stall is not None and _is_past_rollback(at):
        stall = evolve(stall, message=f"{stall.message}. {_NOT_ROLLED_BACK}")
    moments = (deadlines.rollback(at), _retirement_due(at), *snapshots.due_at(at))
    times = [moment for moment in moments if moment is not None and moment > at.now]
    return Plan(
        _reason(status),
        status,
        snapshots.warned(at),
        wait=_wait(status),
        due=min(times, default=None),
        stall=stall,
    )


def _is_past_rollback(at: Situation) -> bool:
    """Whether it is time to roll back, and yet nothing was found to go back with."""
    until = deadlines.rollback(at)
    return until is not None and at.now >= until and not at.differs


def _retirement_due(at: Situation) -> dt.datetime | None:
    return deadlines.retirement(at) if at.observation.job_manager is not None else None


def _reason(status: FlinkDeploymentStatus) -> str:
    state = status.job_manager_deployment_status
    suspended = job_situation.recorded_as_down(status)
    if (state is JobManager.READY or suspended) and record.is_stable(status):
        return "Resource fully reconciled, nothing to do..."
    return f"waiting: JobManager {state.value}, job {status.job_status.state or 'not known yet'}"


def _wait(status: FlinkDeploymentStatus) -> str:
    match status.job_manager_deployment_status:
        case JobManager.DEPLOYED_NOT_READY:
            return Wait.PROBE
        case JobManager.DEPLOYING:
            return Wait.PROGRESS
        case JobManager.READY if status.error == job_progress.JOB_NOT_FOUND:
            return Wait.PROGRESS
        case JobManager.READY if _in_between(status) or snapshots.is_in_flight(status):
            return Wait.PROBE
        case _:
            return Wait.INTERVAL


def _in_between(status: FlinkDeploymentStatus) -> bool:
    """Whether the job, or the session cluster, is on its way to another state, which no watch tells."""
    recorded = record.last_reconciled(status)
    job = recorded.spec.job if recorded else None
    if job is None:
        return not record.is_stable(status)
    if job.state is JobState.SUSPENDED:
        return False
    state = status.job_status.state
    return state is not FlinkJobState.RUNNING and not (state is not None and state.is_terminal)


def _job_stall(status: FlinkDeploymentStatus) -> Stall | None:
    if status.error == job_progress.JOB_NOT_FOUND:
        return Stall("JobNotFound", _NOT_FOUND)
    if status.job_manager_deployment_status is JobManager.ERROR:
        return Stall("JobManagerFailed", words(status.error or "the JobManager cannot start"))
    if status.job_status.state is FlinkJobState.FAILED:
        text = status.error or "the job has failed; see its JobManager's log"
        return Stall("JobFailed", words(text))
    return None
