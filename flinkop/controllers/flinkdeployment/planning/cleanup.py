"""Taking everything away when the resource is deleted; pure (behaviour.md 1.7, 3.13).

savepoint on deletion ─> stopped with savepoint ─┐
else ────────────────────────────────────────────┴─> cluster deleted ─> gone ─> HA metadata deleted ─> released
"""

import datetime as dt

from attrs import evolve

from flinkop.api.common import UpgradeMode
from flinkop.api.status import FlinkJobState, LifecycleState
from flinkop.config import deletion_options, options
from flinkop.controllers.flinkdeployment import taskmanagers
from flinkop.controllers.flinkdeployment.planning import remains, stopping
from flinkop.controllers.flinkdeployment.planning.situation import Situation
from flinkop.controllers.flinkdeployment.planning.steps import (
    DeleteHaMetadata,
    Made,
    Outcome,
    Plan,
    ReleaseFinalizer,
    Say,
    Step,
    Wait,
)
from flinkop.controllers.jobs import situation as job_situation, snapshots, stopping as job_stopping
from flinkop.events import reasons
from flinkop.events.draft import normal, warning
from flinkop.flink.interpret import Done
from flinkop.lifecycle import record
from flinkop.lifecycle.state import Stall


def cleanup(at: Situation) -> Outcome:
    """Return what to do for a resource that is being deleted."""
    said: tuple[Step, ...] = (
        Say(normal(reasons.CLEANUP, reasons.OPERATOR, "Cleaning up FlinkDeployment")),
    )
    if at.status.lifecycle_state is LifecycleState.DELETING:
        said = ()
    at = at.having(evolve(at.status, lifecycle_state=LifecycleState.DELETING))
    # Nothing is kept for a restore: the job may be cancelled, whatever its mode.
    at = at.restoring(UpgradeMode.STATELESS)
    manager = at.observation.job_manager
    mine = manager is not None and manager.ours
    if mine or record.is_stopping(at.status):
        last = _last_savepoint(at)
        if isinstance(last, Plan):
            return evolve(last, steps=(*said, *last.steps))
        said = (*said, *_registered(at))
        at = last
    blocker = _blocker(at) if mine else None
    if blocker is not None and not _is_overdue(at):
        return _blocked(at, said, blocker)
    if blocker is not None:
        said = (*said, *_given_up(at, blocker))
    if mine and manager is not None and not manager.deleting:
        steps = (*said, *stopping.delete_steps(at))
        return Plan("deleting the cluster", at.status, steps, wait=Wait.PROGRESS, silent=True)
    if mine:
        return Plan("waiting for the cluster to be gone", at.status, said, wait=Wait.PROGRESS)
    made = _last(at, said)
    return made if at.options.pods_may_stay else remains.once_gone(at, made, known=True)


def _last(at: Situation, said: tuple[Step, ...]) -> Made:
    """No JobManager Deployment of ours is there: what else there is goes, then the resource itself."""
    left = taskmanagers.own(at.observation)
    if left is not None:
        return stopping.without_task_managers(left, at.status, said)
    steps = (*said, *_without_metadata(at), ReleaseFinalizer())
    return Plan("nothing is left", at.status, steps, wait=Wait.NONE)


def _without_metadata(at: Situation) -> tuple[Step, ...]:
    """3.14: a ZooKeeper that is gone, perhaps with the namespace, does not keep the resource for ever."""
    if not at.options.high_availability:
        return ()
    return (DeleteHaMetadata(at.options.zookeeper, may_stay=True),)


def _blocked(at: Situation, said: tuple[Step, ...], blocker: str) -> Made:
    """What keeps the resource is named in its condition and an Event, until the deadline."""
    warn = Say(warning(reasons.CLEANUP_FAILED, reasons.OPERATOR, blocker))
    stall = Stall("DeletionBlocked", blocker)
    return Plan(blocker, at.status, (*said, warn), due=_deadline(at), stall=stall)


def _deadline(at: Situation) -> dt.datetime | None:
    """Return when what keeps the resource does so no longer; None for never."""
    if at.options.deletion_deadline is None or at.deleted_at is None:
        return None
    return at.deleted_at + at.options.deletion_deadline


def _is_overdue(at: Situation) -> bool:
    deadline = _deadline(at)
    return deadline is not None and at.now >= deadline


def _given_up(at: Situation, blocker: str) -> tuple[Step, ...]:
    """Say what is not waited for any longer, once: with it the deletion of the cluster begins."""
    manager = at.observation.job_manager
    if manager is not None and manager.deleting:
        return ()
    text = f"the cluster is deleted all the same, because of {deletion_options.DEADLINE.key}: {blocker}"
    return (Say(warning(reasons.CLEANUP_FAILED, reasons.OPERATOR, text)),)


def _last_savepoint(at: Situation) -> Situation | Made:
    """R-120: stop the job with a savepoint first, if that is wanted and there is a job to stop.

    Returns a Situation when that is done, or not to be done.
    """
    wanted = at.options.savepoint_on_deletion and _has_live_job(at)
    if record.is_stopping(at.status):
        if isinstance(at.observation.rest.savepoint, Done):
            path = at.observation.rest.savepoint.path
            return stopping.finished(at.having(job_stopping.recorded_savepoint(at, path)))
        going = (
            stopping.continue_stop(at)
            if wanted
            else at.having(record.without_savepoint_trigger(at.status))
        )
        return going if isinstance(going, Situation | Plan) else at
    if not wanted:
        return at
    if at.job_runs:
        return job_stopping.stop(at, (), f"{options.SAVEPOINT_ON_DELETION.key} is set")
    if _is_overdue(at):
        return at
    state = at.status.job_status.state or FlinkJobState.RECONCILING
    return _blocked(
        at,
        (),
        f"{options.SAVEPOINT_ON_DELETION.key} asks for a savepoint, which needs a running job, and the job is {state}. "
        "It is waited for; set the option to false to delete the job without a savepoint",
    )


def _registered(at: Situation) -> tuple[Step, ...]:
    """R-30: the last savepoint outlives the resource as a FlinkStateSnapshot, where there can be any."""
    outcome = at.observation.rest.savepoint
    done = record.is_stopping(at.status) and isinstance(outcome, Done)
    if not done or not at.snapshots_as_resources or not isinstance(outcome, Done):
        return ()
    return snapshots.upgrade_savepoint(at, outcome.path)


def _has_live_job(at: Situation) -> bool:
    """Whether a job was deployed, should be there, and has not ended."""
    recorded = record.last_reconciled(at.status)
    if recorded is None or recorded.spec.job is None:
        return False
    return not at.job_ended and not job_situation.recorded_as_down(at.status)


def _blocker(at: Situation) -> str | None:
    """Return what keeps a session cluster from being deleted, in words that name it (R-121, R-122)."""
    recorded = record.last_reconciled(at.status)
    spec = recorded.spec if recorded else at.spec
    if spec.job is not None:
        return None
    if at.options.block_on_session_jobs and at.observation.session_jobs:
        names = ", ".join(at.observation.session_jobs)
        return f"The session jobs [{names}] should be deleted first"
    if at.options.block_on_session_jobs and at.options.block_on_unmanaged_jobs:
        running = [
            j.jid for j in at.observation.rest.jobs if not FlinkJobState(j.state.value).is_terminal
        ]
        if running:
            ids = ", ".join(running)
            return f"The session cluster has non terminated jobs [{ids}] that should be cancelled first"
    return None
