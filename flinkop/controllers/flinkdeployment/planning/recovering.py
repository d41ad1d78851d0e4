"""A JobManager Deployment that was lost is deployed again; pure (behaviour.md 3.10).

    lost ─> MISSING and the job's id written ─> submitted, from HA metadata where the cluster keeps it ─> DEPLOYING

What is deployed is the recorded spec, after a rollback the stable one, whatever the user wants by now.
"""

from attrs import evolve

from flinkop.api.common import JobState, UpgradeMode
from flinkop.api.status import JobManagerDeploymentStatus as JobManager
from flinkop.controllers.flinkdeployment import progress
from flinkop.controllers.flinkdeployment.planning import situation, starting, telling
from flinkop.controllers.flinkdeployment.planning.situation import Situation
from flinkop.controllers.flinkdeployment.planning.starting import Restore
from flinkop.controllers.flinkdeployment.planning.steps import (
    Inquiry,
    Outcome,
    Plan,
    Say,
    Step,
    Submit,
    Wait,
    WriteAhead,
)
from flinkop.events import reasons
from flinkop.events.draft import warning
from flinkop.lifecycle.state import Stall
from flinkop.lifecycle.upgrade import LAST_STATE_PATH, Question


def recover(at: Situation) -> Outcome | None:
    """R-83: deploy again what was deployed; from HA metadata where the cluster keeps it."""
    if not is_lost(at) or _cannot_recover(at) is not None:
        return None
    if not at.observation.confirmed:
        return Inquiry(Question.JOB_MANAGER)
    spec = progress.deployed_spec(at.status) or at.spec
    restore = _restore(at)
    if not isinstance(restore, Restore):
        return restore
    job = at.status.job_status
    if spec.job is None:
        job = evolve(job, job_id=None)
    elif not at.options.high_availability or job.job_id is None:
        job = evolve(job, job_id=at.new_job_id())
    if restore.path == LAST_STATE_PATH:
        job = evolve(job, upgrade_savepoint_path=restore.path)
    attempt = evolve(at.status, job_status=job)
    text = "Recovering lost deployment"
    said: tuple[Step, ...] = (Say(warning(reasons.RECOVER_DEPLOYMENT, reasons.JOB, text)),)
    generation = at.status.observed_generation or at.generation
    return Plan(
        reason="the JobManager Deployment was lost: deploying it again",
        status=starting.started(evolve(at, spec=spec), attempt),
        steps=(
            *(said if spec.job else ()),
            WriteAhead(attempt),
            *restore.before,
            Submit(spec, generation, job.job_id, restore.path),
        ),
        wait=Wait.PROGRESS,
    )


def finish(at: Situation) -> Outcome | None:
    """Make what is missing of a cluster whose JobManager was written down as missing, and is there.

    A crash lay between its Deployment and the status that tells of it. Without its ConfigMap it never starts.
    """
    manager, spec = at.observation.job_manager, progress.deployed_spec(at.status)
    if at.last_job_manager is not JobManager.MISSING or manager is None or manager.deleting:
        return None
    down = situation.recorded_as_down(at.status) or at.job_ended
    if spec is None or down or manager.generation != at.status.observed_generation:
        return None
    restore = _restore(at)
    if not isinstance(restore, Restore):
        return restore
    job_id = at.status.job_status.job_id if spec.job else None
    return Plan(
        reason="finishing a recovery that was interrupted",
        status=starting.started(evolve(at, spec=spec), at.status),
        steps=(Submit(spec, manager.generation, job_id, restore.path),),
        wait=Wait.PROGRESS,
    )


def _restore(at: Situation) -> Restore | Outcome:
    """Return what a lost job comes back from; one without state and without metadata starts as it last did."""
    if at.spec.job is None:
        return Restore(None)
    from_path = at.recorded_mode is UpgradeMode.SAVEPOINT
    as_last = Restore(starting.known_path(at.status) if from_path else None)
    if not at.options.high_availability:
        return as_last
    found = starting.restore_last_state(at)
    stateless = isinstance(found, Plan) and at.user_mode is UpgradeMode.STATELESS
    return as_last if stateless else found


def is_lost(at: Situation) -> bool:
    """Whether the JobManager is gone and should be there."""
    if at.observation.job_manager is not None:
        return False
    deployed = progress.deployed_spec(at.status)
    if deployed is None or deployed.job is None:
        return deployed is not None
    return deployed.job.state is JobState.RUNNING and not at.job_ended


def _cannot_recover(at: Situation) -> str | None:
    """Return why a lost cluster is not brought back, in words; None when it is."""
    if not at.options.recovery:
        return "kubernetes.operator.jm-deployment-recovery.enabled is false"
    if at.options.high_availability:
        return None
    if at.spec.job is None:
        return "without high availability its jobs could not be brought back"
    if at.user_mode is not UpgradeMode.STATELESS:
        return "without high availability nothing tells which checkpoint is its job's newest"
    return None


def stall(at: Situation) -> Stall:
    """Return what is told of a lost cluster that is not brought back."""
    cause = f"the JobManager Deployment is gone and is not deployed again, because {_cannot_recover(at)}"
    unproven = not at.options.high_availability and at.user_mode is not UpgradeMode.STATELESS
    remedy = (
        telling.START_FROM if unproven else "Change spec.restartNonce to start the cluster anew"
    )
    return Stall("JobManagerMissing", f"{cause}. {remedy}")
