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
    Savepoint,
    SavepointInfo,
    SnapshotTriggerType,
)
from flinkop.controllers.flinkdeployment import taskmanagers
from flinkop.controllers.flinkdeployment.observation import Rest, TaskManagerFacts
from flinkop.controllers.flinkdeployment.planning import snapshots, starting, telling
from flinkop.controllers.flinkdeployment.planning.situation import Situation
from flinkop.controllers.flinkdeployment.planning.steps import (
    CancelJob,
    CheckObjects,
    DeleteCluster,
    DeleteTaskManagers,
    Inquiry,
    Outcome,
    Plan,
    Say,
    Step,
    StopJob,
    Wait,
    WriteAhead,
)
from flinkop.events import reasons
from flinkop.events.draft import normal
from flinkop.flink.interpret import Done, Failed
from flinkop.lifecycle import record
from flinkop.lifecycle.state import Note
from flinkop.lifecycle.upgrade import LAST_STATE_PATH, Available, Question, Suspend

_DOWN: Final = (JobManager.MISSING, JobManager.ERROR)
_STOPPING: Final = Note("TakingSavepoint", "the job is being stopped with a savepoint")
_CANCELLING: Final = Note(
    "CancellingJob", "the job is being cancelled, to start again from its last checkpoint"
)
_REPLACING: Final = Note("ReplacingCluster", "waiting for the old cluster to be gone")


def begin(at: Situation, decision: Available) -> Outcome:
    """Start to take the job down as decided."""
    said = (*telling.spec_changed(at), *check(at), *_suspending(at, decision))
    match decision.suspend:
        case Suspend.SAVEPOINT:
            return stop(at, said, decision.reason)
        case Suspend.CANCEL:
            return _cancel(at, said, decision.reason)
        case Suspend.NOOP if at.wants_suspended:
            return lay_down(at.restoring(decision.restore), decision.reason, said)
        case _:
            wanted = at.restoring(decision.restore)
            if decision.restore is UpgradeMode.SAVEPOINT:
                wanted = starting.from_path(wanted, starting.known_path(at.status))
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


def suspended(at: Situation, said: tuple[Step, ...] = ()) -> Plan:
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
) -> Plan:
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
        return telling.failed(at, rest.checkpoints.error.reason, rest.checkpoints.error.message)
    if rest.checkpoints.path is None:
        return starting.no_metadata(at)
    return _from_its_end(at, rest.checkpoints.path, reason)


def _from_its_end(at: Situation, path: str, reason: str) -> Plan:
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
    """R-22: a job that is still there is going to be taken down."""
    if decision.suspend is Suspend.NOOP or at.observation.job_manager is None:
        return ()
    text = "Suspending existing deployment."
    return (Say(normal(reasons.SUSPENDED, reasons.JOB_MANAGER_DEPLOYMENT, text)),)


# --- stop with savepoint


def stop(at: Situation, said: tuple[Step, ...], reason: str) -> Plan:
    """Write the trigger id ahead, then ask the job to stop with a savepoint."""
    job = at.status.job_status
    info = evolve(
        job.savepoint_info or SavepointInfo(),
        trigger_id=at.new_trigger_id(),
        trigger_timestamp=at.now_ms,
        trigger_type=SnapshotTriggerType.UPGRADE,
        format_type=at.options.savepoint_format,
    )
    status = evolve(at.status, job_status=evolve(job, savepoint_info=info))
    return Plan(
        reason=f"{reason}: stopping the job with a savepoint",
        status=status,
        steps=(*said, WriteAhead(status), *_stop_steps(at.having(status))),
        wait=Wait.PROBE,
        note=_STOPPING,
    )


def _stop_steps(at: Situation) -> tuple[Step, ...]:
    job = at.status.job_status
    info = job.savepoint_info
    if info is None or info.trigger_id is None or job.job_id is None:
        return ()
    return (
        StopJob(
            job_id=job.job_id,
            trigger_id=info.trigger_id,
            directory=at.options.savepoint_directory,
            format_type=info.format_type or at.options.savepoint_format,
            drain=at.options.drain_on_savepoint,
        ),
    )


def continue_stop(at: Situation) -> Outcome | Situation:
    """A stop with savepoint is under way: see how far it is.

    Returns a Situation without it when it came to nothing and what is to be done has to be decided anew.
    """
    info = at.status.job_status.savepoint_info or SavepointInfo()
    outcome = at.observation.rest.savepoint
    overdue = at.now_ms - (info.trigger_timestamp or 0) > at.options.checkpoint_timeout * 1000
    match outcome:
        case Done(path):
            return _stopped(at, path)
        case Failed() if at.job_ended:  # its last checkpoint was observed, and is the savepoint
            return _ended_unheard(without_trigger(at))
        case Failed(unknown=True) if at.job_runs and not overdue:
            steps = _stop_steps(at)  # a crash lay between the word and the deed
            return Plan("asking again", at.status, steps, wait=Wait.PROBE, note=_STOPPING)
        case Failed(reason=reason):
            return telling.failed(
                without_trigger(at), reasons.SAVEPOINT_ERROR, f"Savepoint Error -> {reason}"
            )
        case _ if at.status.job_manager_deployment_status in _DOWN:
            return without_trigger(at)
        case _ if overdue:
            return _timed_out(at)
        case _:
            return Plan("waiting for the savepoint", at.status, wait=Wait.PROBE, note=_STOPPING)


def _ended_unheard(at: Situation) -> Outcome | Situation:
    """The job has ended and Flink no longer knows the trigger: what was observed of its end has to do."""
    path = starting.known_path(at.status)
    if path is None or path == LAST_STATE_PATH:
        return at
    return _go_on_from(at, path)


def _timed_out(at: Situation) -> Plan | Situation:
    cleared = without_trigger(at)
    if not at.job_runs:
        return cleared
    job_id = at.status.job_status.job_id
    return telling.failed(
        cleared,
        reasons.SAVEPOINT_ERROR,
        f"Timed out stopping the job {job_id} with savepoint, please configure a larger timeout via "
        "'execution.checkpointing.timeout'",
    )


def without_trigger(at: Situation) -> Situation:
    """Return `at` with no savepoint under way."""
    return at.having(record.without_savepoint_trigger(at.status))


def _stopped(at: Situation, path: str) -> Outcome:
    """R-30: the savepoint is there; the history has it only where no resource does (T-25)."""
    if at.snapshots_as_resources:
        registered = snapshots.upgrade_savepoint(at, path)
        return _go_on_from(without_trigger(at), path, registered)
    return _go_on_from(recorded_savepoint(at, path), path)


def _go_on_from(at: Situation, path: str, registered: tuple[Step, ...] = ()) -> Outcome:
    """Its path is written before anything of the old cluster is deleted."""
    at = starting.from_path(at, path)
    if at.redeploys:
        return redeploy(finished(at), registered)
    at = at.restoring(UpgradeMode.SAVEPOINT)
    said = (*registered, *telling.spec_changed(at))
    reason = f"the job was stopped with savepoint {path}"
    return lay_down(at, reason, said) if at.wants_suspended else replace(finished(at), reason, said)


def recorded_savepoint(at: Situation, path: str) -> Situation:
    """Return `at` with the savepoint in its history, and no longer under way."""
    info = at.status.job_status.savepoint_info or SavepointInfo()
    taken = Savepoint(
        time_stamp=info.trigger_timestamp or at.now_ms,
        location=path,
        trigger_type=SnapshotTriggerType.UPGRADE,
        format_type=info.format_type or at.options.savepoint_format,
    )
    cleared = without_trigger(at)
    job = cleared.status.job_status
    known = job.savepoint_info or SavepointInfo()
    history = (*known.savepoint_history, taken)
    kept = evolve(known, last_savepoint=taken, savepoint_history=history)
    return cleared.having(evolve(cleared.status, job_status=evolve(job, savepoint_info=kept)))


def redeploy(at: Situation, before: tuple[Step, ...] = ()) -> Outcome:
    """R-20: start from `initialSavepointPath`, whatever runs now and whatever it has reached."""
    path = (at.spec.job.initial_savepoint_path if at.spec.job else None) or None
    at = starting.from_path(at.restoring(UpgradeMode.SAVEPOINT), path)
    said = (*before, *telling.spec_changed(at), *check(at))
    return replace(at, "savepointRedeployNonce changed", said)


# --- cancel


def _cancel(at: Situation, said: tuple[Step, ...], reason: str) -> Outcome:
    """R-23, but written ahead: with the newest checkpoint there is before the job is told."""
    checkpoints = at.observation.rest.checkpoints
    if checkpoints is None:
        return Inquiry(Question.CHECKPOINTS)
    if checkpoints.error is not None:
        return telling.failed(at, checkpoints.error.reason, checkpoints.error.message)
    status = _to_be_cancelled(at.status, checkpoints.path)
    return Plan(
        reason=f"{reason}: cancelling the job",
        status=status,
        steps=(*said, WriteAhead(status), *_cancel_steps(status)),
        wait=Wait.PROBE,
        note=_CANCELLING,
    )


def _to_be_cancelled(status: FlinkDeploymentStatus, path: str | None) -> FlinkDeploymentStatus:
    marked = record.in_state(
        record.with_mode(record.not_first(status), UpgradeMode.SAVEPOINT),
        ReconciliationState.UPGRADING,
    )
    job = evolve(marked.job_status, state=FlinkJobState.CANCELLING)
    if path is not None:
        job = evolve(job, upgrade_savepoint_path=path)
    return evolve(marked, job_status=job)


def _cancel_steps(status: FlinkDeploymentStatus) -> tuple[Step, ...]:
    job_id = status.job_status.job_id
    return (CancelJob(job_id, required=True),) if job_id else ()


def continue_cancel(at: Situation) -> Outcome | Situation:
    """The job was told to cancel: see whether it has.

    Returns a Situation without the cancellation when what is to be done has to be decided anew.
    """
    if at.job_ended:  # its last checkpoint was observed with its end
        wanted = at.restoring(UpgradeMode.SAVEPOINT)
        return redeploy(at) if at.redeploys else replace(wanted, "the job was cancelled")
    if at.status.job_status.state is FlinkJobState.CANCELLING:
        return Plan(
            "waiting for the job to be cancelled", at.status, wait=Wait.PROBE, note=_CANCELLING
        )
    # Also when the cluster was lost: nobody knows whether the word reached the job, which may have gone on
    # and taken checkpoints since.
    return at.having(record.in_state(at.status, ReconciliationState.DEPLOYED))
