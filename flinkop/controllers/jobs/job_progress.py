"""What is said about a job by what Flink tells of it; pure (behaviour.md O-30 to O-35, P-5, P-8)."""

from typing import Final

from attrs import evolve

from flinkop import clock
from flinkop.api.common import JobState, UpgradeMode
from flinkop.api.status import (
    CommonStatus,
    FlinkJobState,
    ReconciliationState,
)
from flinkop.controllers.jobs.assessed import Assessed, JobSubject, StatusT
from flinkop.controllers.jobs.facts import CheckpointFacts
from flinkop.events import reasons
from flinkop.events.draft import EventDraft, normal, warning
from flinkop.flink import interpret
from flinkop.flink.models import JobOverview
from flinkop.lifecycle import record
from flinkop.lifecycle.failure import Failure, FailureType
from flinkop.lifecycle.upgrade import LAST_STATE_PATH

JOB_NOT_FOUND: Final = "Job Not Found"  # plain text, compared by clients (behaviour.md 0.7)


def is_cancelling(status: CommonStatus) -> bool:
    """Whether the job was told to cancel so that the next one starts from its last checkpoint (R-23).

    The recorded spec is then still that of the old job, which is to be looked at (O-3).
    """
    upgrading = status.reconciliation_status.state is ReconciliationState.UPGRADING
    recorded = record.last_reconciled(status)
    job = recorded.spec.job if recorded else None
    return upgrading and job is not None and job.state is JobState.RUNNING


def unknown(status: StatusT) -> StatusT:
    """A job that ran and cannot be asked about is RECONCILING; other states are kept (O-37)."""
    job = status.job_status
    if job.state is not FlinkJobState.RUNNING:
        return status
    return evolve(status, job_status=evolve(job, state=FlinkJobState.RECONCILING))


def found(
    seen: Assessed[StatusT], job: JobOverview, subject: JobSubject[StatusT]
) -> Assessed[StatusT]:
    """O-32 to O-35."""
    if seen.status.error == JOB_NOT_FOUND:
        seen = seen.having(evolve(seen.status, error=None))
    before = seen.status.job_status
    state = FlinkJobState(interpret.running_state(job).value)
    if state.is_terminal and not _end_is_known(before.state, subject):
        return seen.having(unknown(seen.status))
    after = evolve(before, state=state, job_name=job.name, start_time=str(job.start_time))
    if subject.status.job_status.state is state:
        seen = seen.having(evolve(seen.status, job_status=after))
        return seen.having(_stable_if_running(seen.status))
    after = evolve(after, update_time=str(clock.epoch_ms(subject.now)))
    seen = seen.having(evolve(seen.status, job_status=after))
    if state.is_terminal:
        seen = _job_ended(seen, subject)
    if state is FlinkJobState.FAILED:
        seen = _job_failed(seen, subject)
    seen = seen.say(_changed(subject.status.job_status.state, state))
    return seen.having(_stable_if_running(seen.status))


def _end_is_known(before: FlinkJobState | None, subject: JobSubject[CommonStatus]) -> bool:
    """Whether the end of a job can be recorded: only together with the last checkpoint it has left (O-64).

    Recorded alone, it would be taken for an end without a checkpoint.
    """
    if before is not None and before.is_terminal:
        return True
    checkpoints = subject.rest.checkpoints
    if checkpoints is None:
        return False
    return checkpoints.error is None or checkpoints.error.is_final


def _job_ended(seen: Assessed[StatusT], subject: JobSubject[StatusT]) -> Assessed[StatusT]:
    """O-33 and O-64: what the next start restores from, and that a cancelled job may be started again."""
    seen = _with_last_checkpoint(seen, subject)
    status = seen.status
    before, after = subject.status.job_status.state, status.job_status.state
    cancelled = after is FlinkJobState.CANCELED or before is FlinkJobState.CANCELLING
    if not cancelled or is_cancelling(status) or record.is_stopping(status):
        return seen  # the end was asked for, and the plan goes on from there
    return seen.having(_after_cancellation(status))


def _with_last_checkpoint(
    seen: Assessed[StatusT], subject: JobSubject[StatusT]
) -> Assessed[StatusT]:
    checkpoints = subject.rest.checkpoints or CheckpointFacts()
    job = seen.status.job_status
    if checkpoints.error is not None:
        error = Failure(FailureType.UPGRADE_FAILURE, checkpoints.error.message)
        nowhere = evolve(job, upgrade_savepoint_path=LAST_STATE_PATH)
        failed = evolve(seen.status, error=error.to_json(subject.limits), job_status=nowhere)
        said = warning(
            checkpoints.error.reason, reasons.JOB_MANAGER_DEPLOYMENT, checkpoints.error.message
        )
        return seen.having(failed).say(said)
    path = checkpoints.path
    if path is None and not _left_nothing(seen.status):
        return seen
    return seen.having(evolve(seen.status, job_status=evolve(job, upgrade_savepoint_path=path)))


def _left_nothing(status: CommonStatus) -> bool:
    """Whether a job that ended without a checkpoint has no state at all.

    A path in the status is then of another life: the job was cancelled, or had been started empty. One that
    was to start from HA metadata and has restored nothing is not among them: its state is somewhere else.
    """
    if status.job_status.upgrade_savepoint_path == LAST_STATE_PATH:
        return False
    recorded = record.last_reconciled(status)
    job = recorded.spec.job if recorded else None
    empty = job is not None and job.upgrade_mode is UpgradeMode.STATELESS
    return empty or status.job_status.state is FlinkJobState.CANCELED


def _after_cancellation(status: StatusT) -> StatusT:
    """P-5; a job that was cancelled from outside must not restart empty (Q-30).

    Whether the user wants its state is asked when it starts again.
    """
    status = record.mark_suspended(status)
    return record.with_mode(status, UpgradeMode.SAVEPOINT)


def _job_failed(seen: Assessed[StatusT], subject: JobSubject[StatusT]) -> Assessed[StatusT]:
    """O-35: the cause goes into the status before the change of state is announced (T-27)."""
    failure = subject.rest.job_failure
    if failure is None or not failure.causes:
        return seen
    chain = [Failure(FailureType.JOB_FAILED, cause.text) for cause in failure.causes]
    error = evolve(chain[0], causes=tuple(chain[1:])).to_json(subject.limits)
    message = " -> ".join(cause.message for cause in failure.causes[:3])
    return seen.having(evolve(seen.status, error=error)).say(
        warning(reasons.ERROR, reasons.JOB, message),
    )


def _changed(before: FlinkJobState | None, after: FlinkJobState) -> EventDraft:
    words = f"from {before} to {after}" if before is not None else f"to {after}"
    return normal(reasons.JOB_STATUS_CHANGED, reasons.JOB, f"Job status changed {words}")


def _stable_if_running(status: StatusT) -> StatusT:
    """P-8: a spec is good when its job runs, or has finished by itself."""
    if status.reconciliation_status.state is not ReconciliationState.DEPLOYED or record.is_stable(
        status
    ):
        return status
    recorded = record.last_reconciled(status)
    job = status.job_status.state
    wanted = (
        recorded is not None
        and recorded.spec.job is not None
        and recorded.spec.job.state is JobState.RUNNING
    )
    if job is FlinkJobState.RUNNING or (wanted and job is FlinkJobState.FINISHED):
        return record.mark_stable(status)
    return status
