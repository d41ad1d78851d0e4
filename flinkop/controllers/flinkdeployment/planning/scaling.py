"""Changing the size of what runs, without stopping it; pure (behaviour.md 3.12)."""

from flinkop.api.status import FlinkJobState
from flinkop.controllers.flinkdeployment import taskmanagers
from flinkop.controllers.flinkdeployment.planning.situation import Situation
from flinkop.controllers.flinkdeployment.planning.steps import (
    Inquiry,
    Made,
    Outcome,
    Plan,
    Say,
    ScaleJob,
    ScaleTaskManagers,
    Step,
    Wait,
)
from flinkop.controllers.jobs import telling as job_telling
from flinkop.controllers.jobs.facts import Rest
from flinkop.events import reasons
from flinkop.events.draft import normal
from flinkop.flink import features
from flinkop.lifecycle import inplace_scaling, record
from flinkop.lifecycle.specdiff import DiffType
from flinkop.lifecycle.upgrade import Question


def in_place(at: Situation) -> Outcome | None:
    """R-8: return how the running cluster follows a change of scale; None when only a new one can."""
    return _native(at) if _may_rescale(at) else _standalone(at)


def _may_rescale(at: Situation) -> bool:
    """R-110: nothing but overrides changed, and Flink can carry them out itself."""
    options, state = at.options, at.status.job_status.state
    return (
        at.diff is not None
        and at.diff.type is DiffType.SCALE
        and not at.is_standalone
        and at.may_rescale
        and options.inplace_scaling
        and options.flink_version >= features.REQUIREMENTS
        and bool(options.overrides and at.wanted_overrides)
        and at.observation.rest.state is Rest.ANSWERED
        and not at.job_ended
        and state not in (None, FlinkJobState.RECONCILING)
    )


def _native(at: Situation) -> Outcome | None:
    """R-111, R-112."""
    current = at.observation.rest.requirements
    job_id = at.status.job_status.job_id
    if current is None or job_id is None:
        return Inquiry(Question.REQUIREMENTS) if job_id is not None else None
    bounds = inplace_scaling.of_native(current, at.options.overrides, at.wanted_overrides)
    if bounds is None or not current:
        return None
    scaled: tuple[Step, ...] = ()
    if bounds != current:
        say = Say(normal(reasons.SCALING, reasons.JOB, "In-place scaling triggered"))
        scaled = (ScaleJob(job_id, bounds), say)
    return Plan(
        reason="the running job is scaled in place",
        status=record.deployed(at.status, at.target),
        steps=(*job_telling.spec_changed(at), *scaled),
        wait=Wait.PROBE,
    )


def _standalone(at: Situation) -> Made | None:
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
        steps=(*job_telling.spec_changed(at), *steps),
        wait=Wait.PROBE,
    )
