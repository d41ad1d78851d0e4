"""Returning to the last stable spec when an upgrade does not become stable; pure (behaviour.md 3.11).

    DEPLOYED, not stable in time ─> ROLLING_BACK written ─> failed cluster deleted ─> stable spec submitted ─> ROLLED_BACK

The failed spec stays recorded, so that it is not tried again until the user changes it. The Deployment
carries its generation in either life; which one is there is told by the status: once the failed one is
gone, MISSING is written before the next is made.
"""

from attrs import evolve

from flinkop.api.common import UpgradeMode
from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.status import (
    FlinkDeploymentStatus,
    JobManagerDeploymentStatus as JobManager,
    ReconciliationState,
)
from flinkop.controllers.flinkdeployment.planning import (
    deadlines,
    starting,
    stopping,
    upgrading,
)
from flinkop.controllers.flinkdeployment.planning.situation import Situation
from flinkop.controllers.flinkdeployment.planning.steps import (
    Inquiry,
    Outcome,
    Plan,
    Say,
    Wait,
    WriteAhead,
)
from flinkop.events import reasons
from flinkop.events.draft import normal
from flinkop.lifecycle import record
from flinkop.lifecycle.state import Note
from flinkop.lifecycle.upgrade import Question

_NOTE = Note("RollingBack", "the upgrade did not become stable: returning to the last stable spec")


def begin(at: Situation) -> Outcome | None:
    """Return the plan to roll back when it is time to and the state allows it; else None."""
    until = deadlines.rollback(at)
    if until is None or at.now < until:
        return None
    mode = _restore_mode(at)
    if not isinstance(mode, UpgradeMode):
        return mode
    back = _to_stable(at, mode)
    status = record.in_state(at.status, ReconciliationState.ROLLING_BACK)
    failed = back.having(record.before_attempt(status, back.target))
    written = stopping.finished(failed)
    text = "Rolling back failed deployment."
    return Plan(
        reason=_NOTE.message,
        status=written.status,
        steps=(
            Say(normal(reasons.ROLLBACK, reasons.JOB_MANAGER_DEPLOYMENT, text)),
            WriteAhead(written.status),
            *stopping.delete_steps(back),
        ),
        wait=Wait.PROGRESS,
        again=at.observation.job_manager is None,
        note=_NOTE,
    )


def proceed(at: Situation) -> Outcome:
    """ROLLING_BACK was found in the status: go on from wherever it was left."""
    if at.differs:  # what the user wants by now counts
        # A job recorded as running would be taken for one that is being cancelled.
        down = record.mark_suspended(at.status)
        status = record.in_state(down, ReconciliationState.UPGRADING)
        return upgrading.proceed(at.having(status))
    mode = _mode_to_go_on_with(at)
    if not isinstance(mode, UpgradeMode):
        return mode
    at = at.having(record.with_mode(at.status, mode))
    back = _to_stable(at, mode)
    manager = at.observation.job_manager
    if manager is None:
        return _deploy(back)
    if manager.deleting:
        return Plan(
            "waiting for the failed cluster to be gone", at.status, wait=Wait.PROGRESS, note=_NOTE
        )
    if _is_made(at):
        back = evolve(back, generation=manager.generation)
        return starting.submit(back, "finishing a rollback that was interrupted")
    going = stopping.take_away(back, "deleting the failed cluster")
    return evolve(going, note=_NOTE) if isinstance(going, Plan) else going


def _deploy(back: Situation) -> Outcome:
    """MISSING and the job's id are durable before the stable spec's Deployment is made."""
    status = evolve(back.status, job_manager_deployment_status=JobManager.MISSING)
    job = status.job_status
    if back.spec.job is not None and (
        back.recorded_mode is not UpgradeMode.LAST_STATE or job.job_id is None
    ):
        status = evolve(status, job_status=evolve(job, job_id=back.new_job_id()))
    written = WriteAhead(status)
    return starting.submit(
        back.having(status),
        "the failed cluster is gone: deploying the last stable spec",
        (written,),
    )


def _restore_mode(at: Situation) -> UpgradeMode | Outcome | None:
    """Return what the stable spec is restored from; None when nothing proves that its state is there."""
    manager = at.observation.job_manager
    mode = at.recorded_mode
    never = manager is not None and manager.never_available
    if mode is UpgradeMode.SAVEPOINT and never:
        return mode  # the savepoint that the failed spec never got to read
    if at.observation.ha is None:
        return Inquiry(Question.HA_METADATA)
    back = _to_stable(at, mode)
    if not at.observation.ha.available or not back.finds_ha_metadata:
        return None
    stateless = mode is UpgradeMode.STATELESS or at.spec.job is None
    return UpgradeMode.STATELESS if stateless else UpgradeMode.LAST_STATE


def _mode_to_go_on_with(at: Situation) -> UpgradeMode | Inquiry:
    """Return what the rollback under way restores from.

    A savepoint only where the failed spec never ran. Releases before 1.7 recorded ROLLING_BACK ahead of
    that decision, so that the savepoint may be older than what its job left in the HA metadata.
    """
    mode = at.recorded_mode
    if mode is not UpgradeMode.SAVEPOINT or not at.options.high_availability or _is_made(at):
        return mode
    if at.observation.ha is None:
        return Inquiry(Question.HA_METADATA)
    return UpgradeMode.LAST_STATE if at.observation.ha.available else mode


def _is_made(at: Situation) -> bool:
    """Whether the JobManager that is there is the one of the stable spec; HA metadata are its own by now."""
    missing = at.status.job_manager_deployment_status is JobManager.MISSING
    return missing and at.observation.job_manager is not None


def _to_stable(at: Situation, mode: UpgradeMode) -> Situation:
    spec = _stable(at.status, at.spec)
    generation = at.status.observed_generation or at.generation
    return evolve(at, spec=spec, generation=generation).restoring(mode)


def _stable(status: FlinkDeploymentStatus, otherwise: FlinkDeploymentSpec) -> FlinkDeploymentSpec:
    stable = record.last_stable(status)
    return stable.spec if stable else otherwise
