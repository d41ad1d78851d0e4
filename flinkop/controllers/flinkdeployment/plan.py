"""What to do next for one FlinkDeployment: a closed set of steps with the reason in words; pure.

    nothing recorded ── wanted ────> write ahead ─> submit ─> DEPLOYED                       (planning.starting)
    DEPLOYED ── spec changed ──────> decide how the job goes down ─> take it down            (planning.upgrading, stopping)
    stop or cancel under way ──────> done: write the restore path ahead, delete the cluster  (planning.stopping)
    UPGRADING ── old one gone ─────> submit ─> DEPLOYED, or suspended                        (planning.upgrading)
    DEPLOYED ── not stable in time ─> ROLLING_BACK ─> stable spec submitted ─> ROLLED_BACK   (planning.rollback)
    nothing new ───────────────────> recover, restart, take snapshots, tidy up               (planning.steady)
    deleting ──────────────────────> last savepoint, delete, gone, release the finalizer     (planning.cleanup)

Nothing here waits: a step that starts something long ends the plan, and the watch event that tells
of its end brings the next plan. Whatever was done before a crash is found in the facts and the
status, so that each plan can be made again from scratch (design decisions 3, 5 and 7). A fact that costs a
request is asked for by an Inquiry, only when a decision needs it.
"""

from flinkop.api.common import UpgradeMode
from flinkop.api.status import ReconciliationState
from flinkop.controllers.flinkdeployment import taskmanagers
from flinkop.controllers.flinkdeployment.planning import (
    remains,
    rollback,
    starting,
    steady,
    stopping,
    telling,
    upgrading,
)
from flinkop.controllers.flinkdeployment.planning.situation import Situation
from flinkop.controllers.flinkdeployment.planning.steps import (
    Inquiry,
    Made,
    Outcome,
    Plan,
    Submit,
    Wait,
)
from flinkop.controllers.jobs import (
    job_progress,
    situation as job_situation,
    telling as job_telling,
)
from flinkop.lifecycle import record
from flinkop.lifecycle.upgrade import Question


def plan(at: Situation) -> Outcome:
    """Return what to do for a resource that is not being deleted.

    A standalone cluster's TaskManagers belong to no JobManager, and go before the next one comes.
    """
    made = _plan(at)
    left = taskmanagers.left_over(at.observation)
    if left is not None and not (isinstance(made, Plan) and made.stall is not None):
        made = stopping.without_task_managers(left, at.status)
    if isinstance(made, Plan) and _is_missed(at) and _goes_on_without(at, made):
        return Inquiry(Question.JOB_MANAGER)
    return remains.once_gone(at, made, known=record.last_reconciled(at.status) is not None)


def _is_missed(at: Situation) -> bool:
    """Whether a JobManager should be there, or may have been made a moment ago, and is not in the cache."""
    seen = at.observation
    if seen.job_manager is not None or seen.confirmed or record.last_reconciled(at.status) is None:
        return False
    if at.recon in (ReconciliationState.UPGRADING, ReconciliationState.ROLLING_BACK):
        return at.is_newer or record.is_suspending(at.status)
    return not job_situation.recorded_as_down(at.status)


def _goes_on_without(at: Situation, made: Made) -> bool:
    """Whether a plan starts, or records, something that is wrong while there is a JobManager."""
    submits = any(isinstance(step, Submit) for step in made.steps)
    return submits or made.status.reconciliation_status != at.status.reconciliation_status


def _plan(at: Situation) -> Outcome:
    manager = at.observation.job_manager
    if manager is not None and not manager.ours:
        return telling.name_taken(at, at.name)
    taken = taskmanagers.name_taken(at.name, at.spec, at.observation)
    if taken is not None:
        return telling.name_taken(at, taken)
    if record.last_reconciled(at.status) is None:
        return _from_nothing(at)
    if at.recon is ReconciliationState.ROLLING_BACK:
        return rollback.proceed(at)
    if record.is_stopping(at.status):
        going = stopping.continue_stop(at)
        if not isinstance(going, Situation):
            return going
        at = going
    if job_progress.is_cancelling(at.status):
        going = stopping.continue_cancel(at)
        if not isinstance(going, Situation):
            return going
        at = going
    if at.recon is ReconciliationState.UPGRADING:
        return upgrading.proceed(at)
    if at.differs or upgrading.suspends_what_ended(at):
        return upgrading.changed(at)
    return rollback.begin(at) or steady.steady(at)


def _from_nothing(at: Situation) -> Outcome:
    """Nothing is recorded: a first deployment, or a status that was lost."""
    manager = at.observation.job_manager
    if manager is None:
        return starting.first_deployment(at)
    job = at.spec.job
    if (
        job is not None
        and at.user_mode is not UpgradeMode.STATELESS
        and not job.initial_savepoint_path
    ):
        return job_telling.refused(
            at,
            "StatusLost",
            "a cluster of this resource runs, but its status is lost, and with it what tells where the job's state is",
            "Take a savepoint of the job, set spec.job.initialSavepointPath to it, and flinkop starts the job from there.",
        )
    reason = "a cluster from before the status was lost is in the way: deleting it first"
    steps = stopping.delete_steps(at, foreground=True)
    return Plan(reason, at.status, steps, wait=Wait.PROGRESS)
