"""What to do next for one FlinkSessionJob: a closed set of steps with the reason in words; pure.

    no cluster, or not ready ──────> wait, and say so; a watch tells of its coming       (planning.waiting)
    nothing recorded ── wanted ────> write ahead ─> submit ─> DEPLOYED                   (planning.starting)
    UPGRADING ── submission open ──> look for the id, or submit again under the same      (planning.starting)
    DEPLOYED ── spec changed ──────> decide how the job goes down ─> take it down        (planning.changing)
    stop or cancel under way ──────> done: write the restore path ahead, submit          (planning.changing)
    nothing new ───────────────────> restart what failed, take snapshots, tidy up        (planning.steady)
    deleting ──────────────────────> last savepoint, or cancel ─> release the finalizer  (planning.cleanup)

Nothing here waits: see the plan of FlinkDeployments, which goes by the same principles.
"""

from flinkop.api.status import FlinkJobState, ReconciliationState
from flinkop.controllers.flinksessionjob.planning import changing, starting, steady, waiting
from flinkop.controllers.flinksessionjob.planning.situation import Situation
from flinkop.controllers.flinksessionjob.planning.steps import Outcome
from flinkop.controllers.jobs import job_progress, situation
from flinkop.controllers.jobs.steps import Plan
from flinkop.lifecycle import record


def plan(at: Situation) -> Outcome:
    """Return what to do for a resource that is not being deleted."""
    if _is_settled(at):
        return steady.others(steady.refreshed(at))
    if at.wants_suspended and record.last_reconciled(at.status) is None:
        return starting.first_deployment(at)
    waits = waiting.for_cluster(at)
    if waits is not None:
        return waits
    if record.last_reconciled(at.status) is None:
        return starting.first_deployment(at)
    return waiting.for_answer(at) or _with_answer(at)


def _is_settled(at: Situation) -> bool:
    """Whether the job is down as asked: its cluster does not matter."""
    deployed = at.recon is ReconciliationState.DEPLOYED
    down = situation.recorded_as_down(at.status) and at.wants_suspended
    return deployed and down and not at.differs and not changing.suspends_what_ended(at)


def _with_answer(at: Situation) -> Outcome:
    if record.is_stopping(at.status):
        going = changing.continue_stop(at)
        if not isinstance(going, Situation):
            return going
        at = going
    if job_progress.is_cancelling(at.status):
        going = changing.continue_cancel(at)
        if not isinstance(going, Situation):
            return going
        at = going
    if at.recon is ReconciliationState.UPGRADING:
        return starting.proceed(at)
    if at.differs or changing.suspends_what_ended(at):
        return changing.changed(at)
    at = steady.refreshed(at)
    return _restart_failed(at) or steady.others(at)


def _restart_failed(at: Situation) -> Outcome | None:
    """R-80: as in an upgrade of a job that has ended, so that its state is proven to be there (Q-7)."""
    failed = at.status.job_status.state is FlinkJobState.FAILED
    if not (failed and at.options.restart_failed) or situation.recorded_as_down(at.status):
        return None
    made = changing.take_down(at, "the job has failed")
    waits = isinstance(made, Plan) and made.note is not None and made.note.reason == "UpgradeWaits"
    return None if waits else made
