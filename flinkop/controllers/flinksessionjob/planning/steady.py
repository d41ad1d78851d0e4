"""Nothing new is asked for: take snapshots that are due, and say what is wrong; pure (behaviour.md 3.10)."""

from typing import Final

from flinkop.api.status import FlinkJobState, FlinkSessionJobStatus
from flinkop.controllers.flinksessionjob.planning.situation import Situation
from flinkop.controllers.flinksessionjob.planning.steps import Made
from flinkop.controllers.jobs import job_progress, situation, snapshots
from flinkop.controllers.jobs.steps import Plan, Wait
from flinkop.lifecycle import record
from flinkop.lifecycle.failure import words
from flinkop.lifecycle.state import Stall

_NOT_FOUND: Final = (
    "the session cluster answers and does not know the job: it was lost with a JobManager, or ended while nobody "
    "looked. To run it again, change spec.job.savepointRedeployNonce with spec.job.initialSavepointPath set to where "
    "it shall start from, or for a job without state set spec.job.upgradeMode to stateless"
)


def refreshed(at: Situation) -> Situation:
    """Return `at` with the record that nothing new is asked for (P-2)."""
    return at.having(record.refresh(at.status, at.generation))


def others(at: Situation) -> Made:
    """R-81 and what the idle job's state is."""
    triggered = snapshots.trigger(at)
    return triggered if triggered is not None else snapshots.tidied(at, _idle(at))


def _idle(at: Situation) -> Made:
    status = at.status
    times = [moment for moment in snapshots.due_at(at) if moment > at.now]
    return Plan(
        _reason(status),
        status,
        snapshots.warned(at),
        wait=_wait(status),
        due=min(times, default=None),
        stall=_stall(status),
    )


def _reason(status: FlinkSessionJobStatus) -> str:
    if record.is_stable(status):
        return "Resource fully reconciled, nothing to do..."
    return f"waiting: job {status.job_status.state or 'not known yet'}"


def _wait(status: FlinkSessionJobStatus) -> str:
    if status.error == job_progress.JOB_NOT_FOUND:
        return Wait.PROGRESS
    return Wait.PROBE if _in_between(status) or snapshots.is_in_flight(status) else Wait.INTERVAL


def _in_between(status: FlinkSessionJobStatus) -> bool:
    """Whether the job is on its way to another state, which no watch tells."""
    if situation.recorded_as_down(status):
        return False
    state = status.job_status.state
    return state is not FlinkJobState.RUNNING and not (state is not None and state.is_terminal)


def _stall(status: FlinkSessionJobStatus) -> Stall | None:
    if status.error == job_progress.JOB_NOT_FOUND and not situation.recorded_as_down(status):
        return Stall("JobNotFound", _NOT_FOUND)
    if status.job_status.state is FlinkJobState.FAILED:
        text = status.error or "the job has failed; see the log of its cluster's JobManager"
        return Stall("JobFailed", words(text))
    return None
