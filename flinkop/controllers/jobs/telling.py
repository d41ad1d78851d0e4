"""What plans for jobs say: Events, and refusals in words; pure."""

from attrs import evolve

from flinkop.api.status import CommonStatus
from flinkop.controllers.jobs.situation import JobSituation, StatusT, known_path
from flinkop.controllers.jobs.steps import JobStep, Plan, Say, Wait
from flinkop.events import reasons
from flinkop.events.draft import normal, warning
from flinkop.lifecycle.failure import Failure, FailureType
from flinkop.lifecycle.specdiff import DiffType
from flinkop.lifecycle.state import Stall
from flinkop.lifecycle.upgrade import LAST_STATE_PATH


def spec_changed(at: JobSituation[StatusT]) -> tuple[JobStep[StatusT], ...]:
    """R-7: told once per generation."""
    if at.diff is None or at.diff.type is DiffType.IGNORE:
        return ()
    message = f"{at.diff.type.name} change(s) detected ({at.diff.text()}), starting reconciliation."
    return (
        Say(
            normal(
                reasons.SPEC_CHANGED,
                reasons.JOB_MANAGER_DEPLOYMENT,
                message,
                key=f"SpecChange: {at.generation}",
                once=True,
            ),
        ),
    )


def suspending() -> Say:
    """R-22: a job that is still there is going to be taken down."""
    text = "Suspending existing deployment."
    return Say(normal(reasons.SUSPENDED, reasons.JOB_MANAGER_DEPLOYMENT, text))


def way_out(status: CommonStatus) -> str:
    """Return what a person can do who knows better than the facts."""
    path = known_path(status)
    known = f"the newest known is {path}" if path and path != LAST_STATE_PATH else "none is known"
    return (
        "Choose a savepoint or checkpoint to start from: set spec.job.initialSavepointPath to it, and change "
        f"spec.job.savepointRedeployNonce; {known}"
    )


def refused(
    at: JobSituation[StatusT], reason: str, message: str, hint: str = ""
) -> Plan[StatusT, JobStep[StatusT]]:
    """Return the plan to do nothing but say why, once: an UpgradeFailure (behaviour.md 1.4).

    `message` may be a text that clients know; `hint` is added for people.
    """
    text = f"{message} {hint}" if hint else message
    plan = failed(at, reason, text)
    steps = () if plan.status.error == at.last_error else plan.steps
    return evolve(plan, steps=steps, stall=Stall(reason, text))


def failed(at: JobSituation[StatusT], reason: str, message: str) -> Plan[StatusT, JobStep[StatusT]]:
    """Return the plan to record that an attempt came to nothing; it is made again after the interval."""
    error = Failure(FailureType.UPGRADE_FAILURE, message).to_json(at.limits)
    say = Say(warning(reason, at.component, message))
    return Plan(message, evolve(at.status, error=error), (say,))


def unknown(at: JobSituation[StatusT], message: str) -> Plan[StatusT, JobStep[StatusT]]:
    """Return the plan to decide nothing, because a fact that it takes is not to be had now."""
    plan = failed(at, reasons.ERROR, message)
    steps = () if plan.status.error == at.last_error else plan.steps
    return evolve(plan, steps=steps, wait=Wait.PROGRESS)
