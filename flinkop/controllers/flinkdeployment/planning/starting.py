"""Bringing a cluster up: what is written ahead, what its job restores from, the submission; pure.

    write ahead (spec, mode, job id, restore path) ─> HA metadata as the restore needs it ─> submit ─> DEPLOYED

A start never guesses: what it restores from stands in the status, acknowledged, before anything of the
old cluster is deleted (design decision 4).
"""

from collections.abc import Mapping
from typing import Final

from attrs import evolve, frozen

from flinkop.api.common import UpgradeMode
from flinkop.api.status import (
    FlinkDeploymentStatus,
    FlinkJobState,
    JobManagerDeploymentStatus as JobManager,
)
from flinkop.controllers.flinkdeployment.planning import telling
from flinkop.controllers.flinkdeployment.planning.situation import Situation
from flinkop.controllers.flinkdeployment.planning.steps import (
    DeleteHaMetadata,
    DropJobGraphs,
    Inquiry,
    Outcome,
    Plan,
    Say,
    Step,
    Submit,
    SyncIngress,
    Wait,
    WriteAhead,
)
from flinkop.events import reasons
from flinkop.events.draft import normal, warning
from flinkop.lifecycle import cluster_health, record
from flinkop.lifecycle.ha_metadata import HaFacts
from flinkop.lifecycle.upgrade import LAST_STATE_PATH, Question

# The texts are contracts (behaviour.md 0.5, Q-27).
_OTHER_PLACE: Final = (
    "HA metadata of the job is not where the new configuration has the cluster look for it. "
    "Set the high-availability options back to what they were when it was suspended"
)
_NO_METADATA: Final = (
    "HA metadata is not available to restore from last state."
    "It is possible that the job has finished or terminally failed, or the configmaps have been deleted."
)
_UNREADABLE: Final = (
    reasons.RESTORE_FAILED,
    "the job's state is in HA metadata, and the cluster that is wanted keeps none, so it could not read it.",
    "Switch high availability off again only when the job runs",
)


@frozen
class Restore:
    """What a start restores from, and what has to happen to HA metadata first."""

    path: str | None
    before: tuple[Step, ...] = ()


def first_deployment(at: Situation) -> Outcome:
    """R-2: from nothing to submitted, in one go."""
    if at.wants_suspended:
        mended = evolve(at.status, error=None)  # of a spec that was refused, and is good now
        return Plan("the job is to be suspended and was never deployed: nothing to do", mended)
    job = at.spec.job
    path = (job.initial_savepoint_path if job else None) or None
    at = at.restoring(UpgradeMode.SAVEPOINT if path else UpgradeMode.STATELESS)
    return deploy(from_path(at, path) if path else at, "first deployment")


def deploy(at: Situation, reason: str, *said: Step) -> Outcome:
    """Write ahead, submit, record; nothing of an earlier cluster is there."""
    written = at.having(
        evolve(attempt(at).status, job_manager_deployment_status=JobManager.MISSING)
    )
    return submit(written, reason, (*said, WriteAhead(written.status)))


def from_path(at: Situation, path: str | None) -> Situation:
    """Return `at` with the restore path in its status."""
    job = evolve(at.status.job_status, upgrade_savepoint_path=path)
    return at.having(evolve(at.status, job_status=job))


def known_path(status: FlinkDeploymentStatus) -> str | None:
    """Return the newest restore path in a status, also of one from before it had a field of its own."""
    info = status.job_status.savepoint_info
    last = info.last_savepoint if info else None
    return status.job_status.upgrade_savepoint_path or (last.location if last else None) or None


def attempt(at: Situation) -> Situation:
    """Return `at` with the status that is written ahead: the spec to reach, its restore, its job's id.

    Whoever goes on after a crash submits with this id again. It is a new one but for HA metadata, whose
    entries bear the old one (R-65); a job of a new id has not started, and that it has none tells so. A start from HA metadata that has no checkpoint falls back to what the
    present run started from, and to nothing if that was nothing.

    A job that was cancelled from outside starts again without a new generation. Then the old Deployment
    carries the number of the new one, and none is recorded until it is gone, or it would be taken for it.
    """
    before = at.recorded_mode
    if at.wants_suspended:
        return at.having(record.before_suspension(at.status, at.target))
    written = record.before_attempt(at.status, at.target)
    facts = at.observation.job_manager
    if facts is not None and facts.generation == at.generation:
        written = evolve(written, observed_generation=None)
    job = written.job_status
    if at.spec.job is None:
        job = evolve(job, job_id=None)
    elif at.spec.job.upgrade_mode is not UpgradeMode.LAST_STATE or job.job_id is None:
        job = evolve(job, job_id=at.new_job_id(), start_time=None)
    elif before is UpgradeMode.STATELESS:
        job = evolve(job, upgrade_savepoint_path=None)
    return at.having(evolve(written, job_status=job))


def submit(at: Situation, reason: str, before: tuple[Step, ...] = ()) -> Outcome:
    """Submit what `at.status` records, then record that it is there."""
    restore = _restore(at)
    if not isinstance(restore, Restore):
        return restore
    # With the Deployment there, what comes before it was done, and its JobManager may have written since.
    before += restore.before if at.observation.job_manager is None else ()
    at = from_path(at, restore.path) if restore.path == LAST_STATE_PATH else at
    job_id = at.status.job_status.job_id if at.spec.job else None
    said: tuple[Step, ...] = ()
    if at.spec.job is not None:  # session clusters are silent here
        said = (Say(normal(reasons.SUBMIT, reasons.JOB_MANAGER_DEPLOYMENT, "Starting deployment")),)
    return Plan(
        reason=reason,
        status=started(at, record.deployed(at.status, at.target)),
        steps=(
            *before,
            *said,
            Submit(at.spec, at.generation, job_id, restore.path),
            *_ingress(at),
        ),
        wait=Wait.PROGRESS,
    )


def started(at: Situation, status: FlinkDeploymentStatus) -> FlinkDeploymentStatus:
    """Return `status` with a JobManager on its way up and a job that nobody has seen yet (R-68)."""
    job = status.job_status
    if at.spec.job is not None:
        job = evolve(job, state=FlinkJobState.RECONCILING)
    return evolve(
        status,
        job_manager_deployment_status=JobManager.DEPLOYING,
        job_status=job,
        cluster_info=without_health(status.cluster_info),
    )


def _restore(at: Situation) -> Restore | Outcome:
    """Return what the recorded attempt restores from (R-61, R-67), and its dealings with HA metadata."""
    if at.spec.job is None:  # its JobManager recovers the jobs from the metadata (behaviour.md 3.9)
        return Restore(None)
    mode = at.recorded_mode
    path = known_path(at.status) if mode is UpgradeMode.SAVEPOINT else None
    if record_is_first(at):
        # What is there can only be somebody else's: nobody's state is deleted, but no graph may run.
        return Restore(path, (DropJobGraphs(at.zookeeper_of(at.spec)),) if at.wants_ha else ())
    if mode is UpgradeMode.LAST_STATE:
        if not at.wants_ha:
            return telling.refused(at, *_UNREADABLE)
        if not at.finds_ha_metadata:
            return telling.refused(at, reasons.RESTORE_FAILED, _OTHER_PLACE)
        return restore_last_state(at)
    # An old run's metadata would win over the path inside Flink, and its job would run as well.
    return Restore(path, (DeleteHaMetadata(at.zookeeper_of(at.spec)),) if at.wants_ha else ())


def restore_last_state(at: Situation) -> Restore | Outcome:
    """Return the start from HA metadata, when it is proven to be there (R-67).

    It is looked for where the cluster that runs, or ran, keeps it.
    """
    facts = at.observation.ha
    if facts is None:
        return Inquiry(Question.HA_METADATA)
    if not facts.available:
        made = at.observation.job_manager
        if (
            made is not None and not made.never_available
        ):  # it started with them, and its job has ended
            return Restore(at.status.job_status.upgrade_savepoint_path)
        return no_metadata(at)
    return Restore(_last_state_path(at, facts), (DropJobGraphs(at.options.zookeeper),))


def no_metadata(at: Situation) -> Plan:
    """Refuse to go on, because the HA metadata that the state is in is gone."""
    return telling.refused(at, reasons.RESTORE_FAILED, _NO_METADATA)


def _last_state_path(at: Situation, facts: HaFacts) -> str | None:
    """R-61; a run that has taken no checkpoint yet starts again from what it started from itself."""
    if facts.has_checkpoint:
        return LAST_STATE_PATH
    empty = at.recorded_mode is UpgradeMode.STATELESS
    return None if empty else at.status.job_status.upgrade_savepoint_path


def metadata_steps(at: Situation) -> tuple[Step, ...]:
    """Return what becomes of HA metadata when a job is down: only a resume from it needs it."""
    alive = at.observation.job_manager is not None
    if alive or at.spec.job is None or at.recorded_mode is UpgradeMode.LAST_STATE:
        return ()
    return (DeleteHaMetadata(at.options.zookeeper),) if at.options.high_availability else ()


def record_is_first(at: Situation) -> bool:
    """Whether the recorded attempt is the very first."""
    nothing = record.last_reconciled(at.status) is None
    return nothing or record.is_first_deployment(at.status)


def without_health(info: Mapping[str, str]) -> dict[str, str]:
    """O-85: a health record belongs to one run of the cluster."""
    return {k: v for k, v in info.items() if k != cluster_health.KEY}


def _ingress(at: Situation) -> tuple[Step, ...]:
    """R-68 and behaviour.md 3.7: the Ingress follows each deployment."""
    if at.options.manage_ingress:
        wanted = at.spec.ingress is not None or at.observation.has_ingress
        return (SyncIngress(at.spec),) if wanted else ()
    if at.spec.ingress is None:
        return ()
    text = "Ingress management is turned off but ingress set in spec"
    return (Say(warning(reasons.INGRESS_MANAGEMENT, reasons.OPERATOR, text)),)
