"""What the facts say about the status: JobManager, job, errors (behaviour.md section 2); pure.

    Deployment absent ──> MISSING          available, REST silent ──> DEPLOYED_NOT_READY
    Deployment there  ──> DEPLOYING        available, REST answers ─> READY
    pod cannot start  ──> ERROR            (heals by itself as soon as the Deployment is available)

No fixed waits lie between these states: the next one is taken as soon as it is observed.
"""

from typing import Final

from attrs import evolve

from flinkop.api.common import JobState
from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.recorded_spec import Form
from flinkop.api.status import (
    FlinkDeploymentStatus,
    FlinkJobState,
    JobManagerDeploymentStatus as JobManager,
    ReconciliationState,
)
from flinkop.controllers.flinkdeployment import (
    health_progress,
)
from flinkop.controllers.flinkdeployment.assessed import Assessed, Subject
from flinkop.controllers.flinkdeployment.observation import (
    PodFailure,
)
from flinkop.controllers.jobs import (
    exceptions_progress,
    job_progress,
    snapshots_progress,
)
from flinkop.controllers.jobs.facts import (
    Rest,
)
from flinkop.events import reasons
from flinkop.events.draft import warning
from flinkop.flink.models import JobOverview
from flinkop.lifecycle import record
from flinkop.lifecycle.failure import Failure, FailureType

_STARTING: Final = (
    FlinkJobState.RECONCILING,
    FlinkJobState.INITIALIZING,
    FlinkJobState.CREATED,
)
_ANSWERING: Final = (JobManager.DEPLOYED_NOT_READY, JobManager.READY)
_CLUSTER_INFO_TOLERANCE: Final = 0.1
_SUBMISSION_SECONDS: Final = (
    60.0  # how long an available JobManager may know no job: `main` still has to hand it in
)


def assess(subject: Subject) -> Assessed:
    """Return the status that the facts imply; O-1 to O-8."""
    status = subject.status
    recorded = record.last_reconciled(status)
    recon = status.reconciliation_status.state
    if recorded is None:
        return Assessed(status)
    if recon is ReconciliationState.ROLLING_BACK:
        return Assessed(_job_manager_gone(subject))
    upgrading = recon is ReconciliationState.UPGRADING
    if upgrading and not job_progress.is_cancelling(status):
        return Assessed(_job_manager_gone(subject))
    found = _job_manager(subject)
    asked = subject.observation.rest.state is not Rest.NOT_ASKED
    if asked and found.status.job_manager_deployment_status is JobManager.READY:
        found = _cluster(found, subject)
    found = snapshots_progress.assess(found, subject)
    found = health_progress.assess(found, subject)
    found = exceptions_progress.assess(found, subject)
    return found.having(_without_old_error(found.status))


def deployed_spec(status: FlinkDeploymentStatus) -> FlinkDeploymentSpec | None:
    """Return the spec that is running: the recorded one, after a rollback the stable one (0.2)."""
    rolled_back = status.reconciliation_status.state is ReconciliationState.ROLLED_BACK
    recorded = record.last_stable(status) if rolled_back else record.last_reconciled(status)
    return recorded.spec if recorded else None


def is_passing(before: FlinkDeploymentStatus, after: FlinkDeploymentStatus) -> bool:
    """Whether `after` only adds that the JobManager answers, or that its job has begun to start.

    A healthy job is past that within a second. Writing it down would cost every start of every job one
    write of its FlinkDeployment and one Event, for something that nobody gets to see.
    """
    return (
        after.job_status.state in _STARTING
        and before.job_status.state is FlinkJobState.RECONCILING
        and after.job_manager_deployment_status in _ANSWERING
        and after.reconciliation_status.state is ReconciliationState.DEPLOYED
        and before.error == after.error
        and not record.is_stable(after)
    )


def _job_manager_gone(subject: Subject) -> FlinkDeploymentStatus:
    """During an upgrade only one thing is of interest: whether the old cluster is gone."""
    status, facts = subject.status, subject.observation.job_manager
    if facts is not None and facts.ours:
        return status
    status = evolve(status, job_manager_deployment_status=JobManager.MISSING)
    recorded = record.last_reconciled(status)
    if recorded is None or recorded.spec.job is None:
        return status  # a session cluster has no job of its own that could have ended
    job = evolve(status.job_status, state=_ended(status.job_status.state))
    return evolve(status, job_status=job)


def _ended(state: FlinkJobState | None) -> FlinkJobState | None:
    """Return the state of a job whose cluster was deleted (behaviour.md 4.8)."""
    return state if state is not None and state.is_terminal else FlinkJobState.FINISHED


def _job_manager(subject: Subject) -> Assessed:
    """Judge the Deployment (behaviour.md 2.4)."""
    status, seen = subject.status, subject.observation
    facts = seen.job_manager
    if facts is None or facts.deleting or not facts.ours:
        return _missing(subject)
    if facts.available and seen.rest.state is Rest.NOT_ASKED:
        return Assessed(status)
    if facts.available:
        answered = seen.rest.state in (Rest.ANSWERED, Rest.FAILED)
        state = JobManager.READY if answered else JobManager.DEPLOYED_NOT_READY
        return Assessed(_job_unreachable(status, state))
    failure = _start_failure(subject)
    if failure is None:
        return Assessed(_job_unreachable(status, JobManager.DEPLOYING))
    return _failed_to_start(subject, failure)


def _job_unreachable(status: FlinkDeploymentStatus, state: JobManager) -> FlinkDeploymentStatus:
    """Take over the JobManager's state, and with it that nobody can say how the job is."""
    if state is not JobManager.READY:
        status = job_progress.unknown(status)
    return evolve(status, job_manager_deployment_status=state)


def _missing(subject: Subject) -> Assessed:
    """O-10 and O-15: the Deployment is not there (any more)."""
    status = subject.status
    previous = status.job_manager_deployment_status
    recorded = deployed_spec(status)
    suspended = (
        recorded is not None
        and recorded.job is not None
        and recorded.job.state is JobState.SUSPENDED
    )
    if suspended:
        return Assessed(evolve(status, job_manager_deployment_status=JobManager.MISSING))
    job = status.job_status
    if job.state is None or not job.state.is_terminal:
        job = evolve(job, state=FlinkJobState.RECONCILING)
    missing = evolve(status, job_manager_deployment_status=JobManager.MISSING, job_status=job)
    if previous in (JobManager.MISSING, JobManager.ERROR):
        return Assessed(missing)
    text = "Missing JobManager deployment"
    error = Failure(FailureType.MISSING_JOB_MANAGER, text).to_json(subject.limits)
    return Assessed(evolve(missing, error=error)).say(
        warning(reasons.MISSING, reasons.JOB_MANAGER_DEPLOYMENT, text),
    )


def _start_failure(subject: Subject) -> PodFailure | None:
    facts = subject.observation.job_manager
    if facts is not None and facts.replica_failure is not None:
        return PodFailure(reasons.FAILED_CREATE, facts.replica_failure)
    return subject.observation.pod_failure


def _failed_to_start(subject: Subject, failure: PodFailure) -> Assessed:
    """O-20 to O-23: said once, because texts and reasons of one failure change with every retry."""
    status = subject.status
    error = Failure(
        FailureType.DEPLOYMENT_FAILED, failure.message, {"reason": failure.reason}
    ).to_json(subject.limits)
    state = JobManager.ERROR if failure.fatal else JobManager.DEPLOYING
    found = evolve(
        status,
        job_manager_deployment_status=state,
        job_status=evolve(status.job_status, state=FlinkJobState.RECONCILING),
    )
    if status.job_manager_deployment_status is state and _tells(status.error, failure):
        return Assessed(found)
    return Assessed(evolve(found, error=error)).say(
        warning(failure.reason, reasons.JOB_MANAGER_DEPLOYMENT, failure.message),
    )


def _tells(error: str | None, failure: PodFailure) -> bool:
    """Whether `status.error` is about this failure, or for fatal ones about any failure to start."""
    if error is None or FailureType.DEPLOYMENT_FAILED not in error:
        return False
    return failure.fatal or f'"reason":"{failure.reason}"' in error


def _cluster(found: Assessed, subject: Subject) -> Assessed:
    """Judge what the JobManager says (2.5 to 2.7, 2.10)."""
    rest = subject.observation.rest
    if rest.cluster_info is not None:
        found = found.having(_with_cluster_info(found.status, dict(rest.cluster_info)))
    if rest.state is not Rest.ANSWERED:  # O-37
        return found.having(job_progress.unknown(found.status))
    spec = deployed_spec(found.status)
    if spec is None or spec.job is None:
        deployed = found.status.reconciliation_status.state is ReconciliationState.DEPLOYED
        return found.having(record.mark_stable(found.status)) if deployed else found
    if spec.job.state is JobState.SUSPENDED:  # O-30
        return found
    job = rest.job(found.status.job_status.job_id)
    if job is not None:
        return job_progress.found(found, job, subject)
    only = _only_job(found.status, rest.jobs)
    if only is not None:
        named = evolve(found.status.job_status, job_id=only.jid)
        return found.having(evolve(found.status, job_status=named))
    return found if _still_submitting(subject) else _job_not_found(found)


def _only_job(status: FlinkDeploymentStatus, jobs: tuple[JobOverview, ...]) -> JobOverview | None:
    """Return the job of a cluster that was made without an id for it, as releases before 1.10 did at times.

    The id in the status is then none, or that of the run before (O-31 holds for all others).
    """
    recorded = record.last_reconciled(status)
    fixed = recorded is None or (
        recorded.form is Form.SINCE_1_10 and status.job_status.job_id is not None
    )
    unseen = status.job_status.state in (None, FlinkJobState.RECONCILING)
    return jobs[0] if unseen and not fixed and len(jobs) == 1 else None


def _with_cluster_info(status: FlinkDeploymentStatus, new: dict[str, str]) -> FlinkDeploymentStatus:
    """Merge cluster info; a state size that moved by less than a tenth is not worth a write."""
    old = status.cluster_info
    size, before = new.get("state-size"), old.get("state-size")
    if size and before and size.isdigit() and before.isdigit():
        moved = abs(int(size) - int(before))
        if moved < _CLUSTER_INFO_TOLERANCE * max(int(before), 1):
            new["state-size"] = before
    merged = {**old, **new}
    return status if merged == old else evolve(status, cluster_info=merged)


def _still_submitting(subject: Subject) -> bool:
    """Whether the JobManager answers but `main` has not yet handed in the job: no error so early."""
    facts = subject.observation.job_manager
    starting = subject.status.job_status.state in (None, FlinkJobState.RECONCILING)
    return starting and facts is not None and facts.available_for < _SUBMISSION_SECONDS


def _job_not_found(found: Assessed) -> Assessed:
    """O-36: the JobManager does not know the job (yet, or any more); a cancellation of it is over.

    The reference also forgets a rollback here; nothing else than a cancellation is under way. One that was
    seen to have ended stays so: with HA, a JobManager that restarts does not list it (terminal states stay).
    """
    known = found.status.job_status.state
    if known is not None and known.is_terminal:
        return found
    job = evolve(found.status.job_status, state=FlinkJobState.RECONCILING)
    lost = evolve(found.status, error=job_progress.JOB_NOT_FOUND, job_status=job)
    if job_progress.is_cancelling(lost):
        lost = record.in_state(lost, ReconciliationState.DEPLOYED)
    return found.having(lost).say(warning(reasons.MISSING, reasons.JOB, job_progress.JOB_NOT_FOUND))


def _without_old_error(status: FlinkDeploymentStatus) -> FlinkDeploymentStatus:
    """O-8: an error ends when the cluster is fine, or down as asked, and the recorded spec stable."""
    if status.error is None:
        return status
    recorded = record.last_reconciled(status)
    job = recorded.spec.job if recorded else None
    suspended = job is not None and job.state is JobState.SUSPENDED
    up = status.job_manager_deployment_status is JobManager.READY
    healthy = (
        (up or suspended)
        and status.job_status.state is not FlinkJobState.FAILED
        and status.error != job_progress.JOB_NOT_FOUND
        and record.is_stable(status)
    )
    return evolve(status, error=None) if healthy else status
