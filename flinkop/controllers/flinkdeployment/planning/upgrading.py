"""From a spec that changed to the new cluster; pure (behaviour.md R-6 to R-9, R-20 to R-26).

changed ─> decided how the job goes down (lifecycle.upgrade) ─> taken down (stopping)
UPGRADING found ─> old cluster there: deleted · going: waited for · gone: new one submitted · new one there: recorded
"""

from attrs import evolve

from flinkop.api.common import JobState, UpgradeMode
from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.recorded_spec import Form
from flinkop.api.status import (
    FlinkDeploymentStatus,
    FlinkJobState,
    JobManagerDeploymentStatus as JobManager,
    ReconciliationState,
)
from flinkop.controllers.flinkdeployment import progress
from flinkop.controllers.flinkdeployment.observation import NO_GENERATION, JobManagerFacts
from flinkop.controllers.flinkdeployment.planning import (
    deciding,
    scaling,
    situation,
    starting,
    steady,
    stopping,
)
from flinkop.controllers.flinkdeployment.planning.situation import Situation
from flinkop.controllers.flinkdeployment.planning.steps import (
    Inquiry,
    Outcome,
    Plan,
    Step,
    Wait,
    WriteAhead,
)
from flinkop.controllers.jobs import situation as job_situation, snapshots, telling as job_telling
from flinkop.lifecycle import record, specdiff
from flinkop.lifecycle.specdiff import DiffType
from flinkop.lifecycle.state import Note
from flinkop.lifecycle.upgrade import Available, Impossible, NotNow, Question


def changed(at: Situation) -> Outcome:
    """The spec asks for something that the recorded one does not."""
    if _is_back_at_stable(at):
        status = record.deployed(at.status, at.target)
        return Plan("back at the spec that runs since the rollback", status, again=True)
    scaled = scaling.in_place(at)
    if scaled is not None:
        return scaled
    if at.spec.job is None:
        return _session_changed(at)
    if _snapshot_is_pending(at):
        note = Note(
            "UpgradeWaits", "the upgrade waits for the savepoint or checkpoint that is being taken"
        )
        return Plan(note.message, at.status, wait=Wait.PROBE, note=note)
    if at.redeploys:
        return stopping.redeploy(at)
    if job_situation.recorded_as_down(at.status):
        return _down(at)
    decision = deciding.decide(at)
    match decision:
        case Question():
            return Inquiry(decision)
        case Impossible():
            return job_telling.refused(
                at, decision.reason, decision.message, job_telling.way_out(at.status)
            )
        case NotNow():
            return _not_now(at, decision)
        case Available():
            return stopping.begin(at, decision)


def _snapshot_is_pending(at: Situation) -> bool:
    """R-1: a snapshot of the legacy kind is finished first, unless the user does not want to wait."""
    return snapshots.is_in_flight(at.status) and not at.options.ignore_pending_savepoint


def _not_now(at: Situation, decision: NotNow) -> Outcome:
    """R-21: the running job stays as it is; what keeps it healthy goes on, if that may help."""
    note = Note("UpgradeWaits", f"the upgrade waits: {decision.reason}")
    said = job_telling.spec_changed(at)
    if not decision.others:
        return Plan(note.message, at.status, said, wait=Wait.PROBE, note=note)
    made = steady.others(at)
    if isinstance(made, Inquiry):
        return made
    return evolve(made, steps=(*said, *made.steps), note=made.note or note, wait=_sooner(made.wait))


def _sooner(wait: str) -> str:
    return Wait.PROGRESS if wait == Wait.INTERVAL else wait


def _is_back_at_stable(at: Situation) -> bool:
    """R-6: after a rollback the stable spec runs, and the user asks for it again."""
    if at.recon is not ReconciliationState.ROLLED_BACK:
        return False
    running = progress.deployed_spec(at.status)
    return running is not None and not asks_for_more(running, at.spec, standalone=at.is_standalone)


def asks_for_more(
    running: FlinkDeploymentSpec, wanted: FlinkDeploymentSpec, *, standalone: bool
) -> bool:
    """Whether `wanted` differs from `running` in a way that matters."""
    return specdiff.between(running, wanted, standalone=standalone).type > DiffType.IGNORE


def _session_changed(at: Situation) -> Outcome:
    """3.9: the cluster is replaced under its jobs; with HA the new JobManager recovers them."""
    said = (*job_telling.spec_changed(at), *stopping.check(at))
    return stopping.replace(at, _what_changed(at), said)


def _what_changed(at: Situation) -> str:
    return f"the spec changed ({at.diff.type.name if at.diff else DiffType.UPGRADE.name})"


def _down(at: Situation) -> Outcome:
    """R-25, R-26: the job is down, by wish or because it was cancelled."""
    said: tuple[Step, ...] = job_telling.spec_changed(at)
    if suspends_what_ended(at):
        return stopping.lay_down(resuming(at), "suspending a job that was cancelled", said)
    if at.wants_suspended:
        reason = "suspended and to stay so: changes count when it is resumed"
        made = steady.others(at)
        if isinstance(made, Inquiry):
            return made
        return evolve(made, reason=reason, steps=(*said, *made.steps))
    said = (*said, *stopping.check(at))
    return stopping.replace(resuming(at), "starting the suspended job", said)


def suspends_what_ended(at: Situation) -> bool:
    """Whether the user suspends a job that is down already in the record, because it was cancelled (P-5).

    No difference shows it: only that this generation is new, and that a record of a wish is stable.
    """
    down = job_situation.recorded_as_down(at.status) and at.wants_suspended
    return down and at.is_newer and not record.is_stable(at.status)


def resuming(at: Situation) -> Situation:
    """Return `at` restoring as the job was suspended (R-26, Q-5).

    Only who suspended with a savepoint may change to stateless and start empty: HA metadata is used as long
    as the recorded mode asks for it, and the same Flink version can read it.
    """
    mode = at.recorded_mode
    empty = at.user_mode is UpgradeMode.STATELESS and not _is_redeploying(at.status)
    readable = mode is UpgradeMode.LAST_STATE and not _version_changed(at)
    return at.restoring(UpgradeMode.STATELESS if empty and not readable else mode)


def _version_changed(at: Situation) -> bool:
    recorded = record.last_reconciled(at.status)
    return recorded is not None and recorded.spec.flink_version != at.spec.flink_version


def _is_redeploying(status: FlinkDeploymentStatus) -> bool:
    """Whether a start from `initialSavepointPath` is written ahead: it is asked for in any mode (R-20)."""
    recorded = record.last_reconciled(status)
    job = recorded.spec.job if recorded else None
    upgrading = status.reconciliation_status.state is ReconciliationState.UPGRADING
    return (
        upgrading
        and job is not None
        and job.savepoint_redeploy_nonce is not None
        and job.initial_savepoint_path == status.job_status.upgrade_savepoint_path
    )


# --- UPGRADING


def proceed(at: Situation) -> Outcome:
    """UPGRADING was found in the status: go on from wherever it was left."""
    if not at.is_newer and record.is_suspending(at.status):
        # Also when a refused spec is replaced by the recorded one, whose state is never "suspended by wish".
        at = _with_state(at, JobState.SUSPENDED)
    at = resuming(at) if at.is_newer else at.restoring(at.recorded_mode)
    manager = at.observation.job_manager
    if manager is None:
        return _old_is_gone(at)
    if manager.deleting:
        return Plan("waiting for the old cluster to be gone", at.status, wait=Wait.PROGRESS)
    if not _is_wanted_one(at, manager):
        return _replace_old(at)
    if at.is_newer:  # P-6, so that what the user wants by now is a change like any other
        status = record.already_upgraded(_with_known_id(at).status)
        return Plan("the interrupted deployment is there", status, again=True)
    if at.wants_suspended:
        return stopping.take_away(at, "suspending: deleting the cluster")
    return starting.submit(_with_known_id(at), "finishing a deployment that was interrupted")


def _is_wanted_one(at: Situation, manager: JobManagerFacts) -> bool:
    """Whether the JobManager that is there is the one that the recorded attempt was to make (2.2).

    A job whose cancellation was observed (R-23) is still in the old one: the recorded spec and its generation
    are those of the job that was cancelled. Release 1.0 numbered neither Deployments nor attempts.
    """
    missing = at.status.job_manager_deployment_status is JobManager.MISSING
    target = at.status.observed_generation
    if target is None:
        return missing and manager.generation == NO_GENERATION
    cancelled = at.status.job_status.state is FlinkJobState.CANCELED
    return manager.generation == target and (missing or not cancelled)


def _with_known_id(at: Situation) -> Situation:
    """Return `at` with the job's id if it is sure; releases before 1.10 did not always know it ahead.

    Without one, the only job of the cluster is taken for its job (`progress`). HA metadata bears the id of a
    job that starts from it, whichever release started it.
    """
    recorded = record.last_reconciled(at.status)
    sure = recorded is None or recorded.form is Form.SINCE_1_10
    if sure or at.recorded_mode is UpgradeMode.LAST_STATE:
        return at
    return at.having(evolve(at.status, job_status=evolve(at.status.job_status, job_id=None)))


def _old_is_gone(at: Situation) -> Outcome:
    """No JobManager is left: start the new one, from what is written ahead if that is still wanted."""
    if situation.is_first_attempt(at.status) and (at.is_newer or not _has_job_id(at)):
        first = _first_attempt(at)
        if not isinstance(first, Situation):
            return first
        at = first
    if (
        at.is_newer and at.redeploys
    ):  # also of a job that is to be suspended: its resume starts from there
        return stopping.redeploy(at)
    if at.wants_suspended:
        return stopping.suspended(at, job_telling.spec_changed(at) if at.is_newer else ())
    reason = "the old cluster is gone: deploying the new one"
    if at.is_newer or not _has_job_id(at):
        return starting.deploy(at, reason, *(job_telling.spec_changed(at) if at.is_newer else ()))
    if not _is_former_id(at):
        return starting.submit(at, reason)
    if not at.observation.confirmed:
        return Inquiry(Question.JOB_MANAGER)
    return starting.deploy(at, reason)


def _has_job_id(at: Situation) -> bool:
    return at.spec.job is None or at.status.job_status.job_id is not None


def _is_former_id(at: Situation) -> bool:
    """Whether the id is that of the job that went: the reference gives the next one its own only now (R-65).

    An id that `starting.attempt` wrote ahead is that of a job which has not started.
    """
    kept = at.spec.job is None or at.recorded_mode is UpgradeMode.LAST_STATE
    return not kept and at.status.job_status.start_time is not None


def _first_attempt(at: Situation) -> Outcome | Situation:
    """P-7: nothing of a first attempt exists, so a new spec wins; but for HA metadata that it did get to leave.

    Returns a Situation in which the attempt is over, when it ran unseen and is gone.
    """
    if at.spec.job is not None and at.options.high_availability:
        if at.observation.ha is None:
            return Inquiry(Question.HA_METADATA)
        if at.observation.ha.available:
            empty = at.user_mode is UpgradeMode.STATELESS
            mode = UpgradeMode.STATELESS if empty else UpgradeMode.LAST_STATE
            status = record.with_mode(record.not_first(at.status), mode)
            return at.restoring(mode).having(status)
    return starting.first_deployment(at.having(record.forget_first_attempt(at.status)))


def _replace_old(at: Situation) -> Outcome:
    if not at.is_newer:
        return stopping.take_away(at, "deleting the old cluster")
    if at.redeploys:
        return stopping.redeploy(at)
    instead = stopping.without_metadata(at, "deleting the old cluster")
    if instead is not None:
        return instead
    said: tuple[Step, ...] = job_telling.spec_changed(at)
    written = stopping.finished(starting.attempt(at))
    steps = (*said, WriteAhead(written.status), *stopping.delete_steps(at))
    return Plan("deleting the old cluster", written.status, steps, wait=Wait.PROGRESS)


def _with_state(at: Situation, state: JobState) -> Situation:
    job = at.spec.job
    return evolve(at, spec=evolve(at.spec, job=evolve(job, state=state) if job else None))
