"""What the facts say about the status of a session job (behaviour.md section 2); pure.

cluster not there, replaced or silent ──> nobody can tell: RUNNING becomes RECONCILING
cluster answers, job listed ────────────> as Flink says                               (jobs.job_progress)
cluster answers, job not listed ────────> "Job Not Found"; without state it starts anew
"""

from typing import Final

from attrs import evolve

from flinkop.api.common import JobState, UpgradeMode
from flinkop.api.status import FlinkJobState, FlinkSessionJobStatus, ReconciliationState
from flinkop.controllers.flinksessionjob.assessed import Assessed, Subject
from flinkop.controllers.jobs import (
    exceptions_progress,
    job_progress,
    situation,
    snapshots_progress,
)
from flinkop.controllers.jobs.facts import Rest
from flinkop.events import reasons
from flinkop.events.draft import warning
from flinkop.lifecycle import record

ABSENCE_SECONDS: Final = 10.0
"""How long a JobManager with HA metadata may answer without the job: it may be about to recover it (T-46)."""

_STARTING: Final = (
    FlinkJobState.RECONCILING,
    FlinkJobState.INITIALIZING,
    FlinkJobState.CREATED,
)


def assess(subject: Subject) -> Assessed:
    """Return the status that the facts imply; O-1 to O-7."""
    status = subject.status
    if record.last_reconciled(status) is None or is_starting(status):
        return Assessed(status)  # the plan sees to it that the job is there
    found = _job(subject)
    found = snapshots_progress.assess(found, subject)
    found = exceptions_progress.assess(found, subject)
    return found.having(_without_old_error(found.status, subject))


def is_starting(status: FlinkSessionJobStatus) -> bool:
    """Whether the recorded spec is about to be submitted, or was and nobody wrote it down (O-4)."""
    upgrading = status.reconciliation_status.state is ReconciliationState.UPGRADING
    return upgrading and not job_progress.is_cancelling(status)


def is_passing(before: FlinkSessionJobStatus, after: FlinkSessionJobStatus) -> bool:
    """Whether `after` only adds that the job has begun to start, which a moment later is over."""
    return (
        after.job_status.state in _STARTING
        and before.job_status.state is FlinkJobState.RECONCILING
        and after.reconciliation_status.state is ReconciliationState.DEPLOYED
        and before.error == after.error
        and not record.is_stable(after)
    )


def _job(subject: Subject) -> Assessed:
    status, rest = subject.status, subject.rest
    if situation.recorded_as_down(status):  # O-30
        return Assessed(status)
    if rest.state is not Rest.ANSWERED:  # O-5, O-37
        return Assessed(job_progress.unknown(status))
    job = rest.job(status.job_status.job_id)
    if job is not None:
        return job_progress.found(Assessed(status), job, subject)
    if subject.options.high_availability and subject.observation.absent_for < ABSENCE_SECONDS:
        return Assessed(job_progress.unknown(status))
    return _not_found(subject)


def _not_found(subject: Subject) -> Assessed:
    """O-36: a job without state is started anew; what became of another's state a person has to say (Q-8).

    Nobody can tell whether Flink still holds the id, so a new start gets one of its own.
    """
    status = subject.status
    known = status.job_status.state
    if known is not None and known.is_terminal:
        return Assessed(status)
    job = subject.spec.job
    gone = evolve(status.job_status, state=FlinkJobState.RECONCILING)
    lost = evolve(status, error=job_progress.JOB_NOT_FOUND, job_status=gone)
    if job is not None and job.upgrade_mode is UpgradeMode.STATELESS:
        lost = evolve(record.mark_suspended(lost), job_status=evolve(gone, job_id=None))
        lost = record.with_mode(lost, UpgradeMode.STATELESS)
    lost = record.in_state(lost, ReconciliationState.DEPLOYED)
    return Assessed(lost).say(warning(reasons.MISSING, reasons.JOB, job_progress.JOB_NOT_FOUND))


def _without_old_error(status: FlinkSessionJobStatus, subject: Subject) -> FlinkSessionJobStatus:
    """O-8, which the reference has for FlinkDeployments alone: an error ends when all is well."""
    if status.error is None or status.error == job_progress.JOB_NOT_FOUND:
        return status
    recorded = record.last_reconciled(status)
    job = recorded.spec.job if recorded else None
    suspended = job is not None and job.state is JobState.SUSPENDED
    seen = suspended or subject.rest.state is Rest.ANSWERED
    healthy = (
        seen and status.job_status.state is not FlinkJobState.FAILED and record.is_stable(status)
    )
    return evolve(status, error=None) if healthy else status
