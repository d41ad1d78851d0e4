"""Changing the size of what runs, without stopping it; pure (behaviour.md 3.12)."""

from flinkop.controllers.flinkdeployment import taskmanagers
from flinkop.controllers.flinkdeployment.planning import telling
from flinkop.controllers.flinkdeployment.planning.situation import Situation
from flinkop.controllers.flinkdeployment.planning.steps import (
    Outcome,
    Plan,
    ScaleTaskManagers,
    Wait,
)
from flinkop.lifecycle import record
from flinkop.lifecycle.specdiff import DiffType


def in_place(at: Situation) -> Outcome | None:
    """R-8: return how the running cluster follows a change of scale; None when only a new one can."""
    return _standalone(at)


def _standalone(at: Situation) -> Plan | None:
    """R-114: a standalone cluster gets another number of TaskManagers."""
    scaling = taskmanagers.scaling(
        at.status,
        at.observation,
        change=at.diff.type if at.diff else DiffType.IGNORE,
        reactive=at.options.reactive,
        wanted=at.task_managers,
    )
    if scaling is None:
        return None
    steps = () if scaling.replicas is None else (ScaleTaskManagers(scaling.replicas),)
    return Plan(
        reason=f"the running cluster is to have {at.task_managers} TaskManagers: scaling it",
        status=record.deployed(at.status, at.target),
        steps=(*telling.spec_changed(at), *steps),
        wait=Wait.PROBE,
    )
