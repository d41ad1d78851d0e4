"""What comes of a plan for a job: a line in the log, a failed step in the status, the time of the next look."""

import datetime as dt
from typing import Any

from attrs import evolve
from structlog.typing import FilteringBoundLogger

from flinkop.api.recorded_spec import SpecT
from flinkop.config import options
from flinkop.controllers.jobs.assessed import StatusT
from flinkop.controllers.jobs.refusals import StepFailed
from flinkop.controllers.jobs.steps import Plan, ReleaseFinalizer, Wait
from flinkop.events.draft import warning
from flinkop.lifecycle import record
from flinkop.lifecycle.exception_looks import Known
from flinkop.lifecycle.failure import Failure, FailureType
from flinkop.runtime.result import Result
from flinkop.stages.context import ReconcileContext


def tell(journal: FilteringBoundLogger, made: Plan[Any, Any]) -> None:
    """Log why; a look that only waits is of little interest."""
    if made.steps or made.wait == Wait.INTERVAL:
        journal.info(made.reason)
    else:
        journal.debug(made.reason)


def tell_left_out(journal: FilteringBoundLogger, told: Known) -> None:
    """Log how many exceptions of the job no Event tells of."""
    if told.left_out:
        journal.info(
            f"{told.left_out} older exceptions of the job are not told of, because of "
            f"{options.EVENT_EXCEPTIONS_LIMIT.key}"
        )


def is_released(made: Plan[Any, Any]) -> bool:
    """Return whether the plan lets the resource go."""
    return any(isinstance(step, ReleaseFinalizer) for step in made.steps)


def step_failed(
    journal: FilteringBoundLogger,
    ctx: ReconcileContext[SpecT, StatusT],
    acknowledged: StatusT,
    error: StepFailed,
    component: str,
) -> StatusT:
    """Say that Flink refuses to stop or cancel the job; return the status: it goes on, and is asked again later.

    Args:
        journal: the log of the controller.
        ctx: the reconcile.
        acknowledged: the status as the API server has it by now.
        error: the refusal.
        component: what the Event is about.
    """
    causes = [Failure(FailureType.RECONCILIATION, str(error.__cause__))] if error.__cause__ else []
    failure = Failure(FailureType.UPGRADE_FAILURE, str(error), causes=causes)
    ctx.say(warning(error.reason, component, str(error)))
    journal.warning(f"the job cannot be taken down: {error}", reason=error.reason)
    status = record.without_savepoint_trigger(acknowledged)
    return evolve(status, error=failure.to_json(ctx.error_limits))


def no_later(result: Result, now: dt.datetime, due: dt.datetime | None) -> Result:
    """Return `result` with a look not after `due`."""
    if due is None:
        return result
    left = max((due - now).total_seconds(), 0.1)
    if result.requeue_after is not None and result.requeue_after <= left:
        return result
    return evolve(result, requeue_after=left)
