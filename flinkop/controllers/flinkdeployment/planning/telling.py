"""What plans say: Events, and refusals in words; pure."""

from typing import Final

from attrs import evolve

from flinkop.controllers.flinkdeployment.planning.situation import Situation
from flinkop.controllers.flinkdeployment.planning.steps import Made, Plan, Say
from flinkop.events import reasons
from flinkop.events.draft import warning
from flinkop.lifecycle.failure import Failure, FailureType
from flinkop.lifecycle.state import Stall

NAME_TAKEN: Final = "NameTaken"
START_FROM: Final = (
    "To start its job from a savepoint or checkpoint, set spec.job.initialSavepointPath to that, and change "
    "spec.job.savepointRedeployNonce"
)
"""What to do where nothing proves which restore point is the newest."""


def name_taken_words(name: str) -> str:
    """Return the message about a Deployment of somebody else, with what to do."""
    return (
        f"a Deployment named {name} exists and does not belong to this FlinkDeployment. "
        "Rename one of the two, or delete that Deployment"
    )


def name_taken(at: Situation, name: str) -> Made:
    """A Deployment that has the name of one of ours belongs to somebody else: nothing is done."""
    message = name_taken_words(name)
    error = Failure(FailureType.RECONCILIATION, message).to_json(at.limits)
    return Plan(
        reason=message,
        status=evolve(at.status, error=error),
        steps=(Say(warning(reasons.ERROR, reasons.JOB_MANAGER_DEPLOYMENT, message)),),
        stall=Stall(NAME_TAKEN, message),
    )
