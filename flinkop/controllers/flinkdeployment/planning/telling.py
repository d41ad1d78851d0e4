"""What plans say: Events, and refusals in words; pure."""

from typing import Final

from attrs import evolve

from flinkop.controllers.flinkdeployment.planning.situation import Situation
from flinkop.controllers.flinkdeployment.planning.steps import Plan, Say, Step, Wait
from flinkop.events import reasons
from flinkop.events.draft import normal, warning
from flinkop.lifecycle.failure import Failure, FailureType
from flinkop.lifecycle.specdiff import DiffType
from flinkop.lifecycle.state import Stall

NAME_TAKEN: Final = "NameTaken"
START_FROM: Final = (
    "To start its job from a savepoint or checkpoint, set spec.job.initialSavepointPath to that, and change "
    "spec.job.savepointRedeployNonce"
)
"""What to do where nothing proves which restore point is the newest."""


def spec_changed(at: Situation) -> tuple[Step, ...]:
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


def refused(at: Situation, reason: str, message: str, hint: str = "") -> Plan:
    """Return the plan to do nothing but say why, once: an UpgradeFailure (behaviour.md 1.4).

    `message` may be a text that clients know; `hint` is added for people.
    """
    text = f"{message} {hint}" if hint else message
    plan = failed(at, reason, text)
    steps = () if plan.status.error == at.last_error else plan.steps
    return evolve(plan, steps=steps, stall=Stall(reason, text))


def failed(at: Situation, reason: str, message: str) -> Plan:
    """Return the plan to record that an attempt came to nothing; it is made again after the interval."""
    error = Failure(FailureType.UPGRADE_FAILURE, message).to_json(at.limits)
    say = Say(warning(reason, reasons.JOB_MANAGER_DEPLOYMENT, message))
    return Plan(message, evolve(at.status, error=error), (say,))


def unknown(at: Situation, message: str) -> Plan:
    """Return the plan to decide nothing, because a fact that it takes is not to be had now."""
    plan = failed(at, reasons.ERROR, message)
    steps = () if plan.status.error == at.last_error else plan.steps
    return evolve(plan, steps=steps, wait=Wait.PROGRESS)


def name_taken_words(name: str) -> str:
    """Return the message about a Deployment of somebody else, with what to do."""
    return (
        f"a Deployment named {name} exists and does not belong to this FlinkDeployment. "
        "Rename one of the two, or delete that Deployment"
    )


def name_taken(at: Situation, name: str) -> Plan:
    """A Deployment that has the name of one of ours belongs to somebody else: nothing is done."""
    message = name_taken_words(name)
    error = Failure(FailureType.RECONCILIATION, message).to_json(at.limits)
    return Plan(
        reason=message,
        status=evolve(at.status, error=error),
        steps=(Say(warning(reasons.ERROR, reasons.JOB_MANAGER_DEPLOYMENT, message)),),
        stall=Stall(NAME_TAKEN, message),
    )
