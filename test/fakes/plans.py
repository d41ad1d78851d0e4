"""Plans in few words: the specs of the plan tests, and what a plan consists of."""

from collections.abc import Callable
from typing import Any, TypeVar

from attrs import evolve
from fakes.deployments import application, session, status_of, with_job

from flinkop.api.common import JobSpec, JobState
from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.status import (
    FlinkDeploymentStatus,
    FlinkJobState,
    JobManagerDeploymentStatus as JobManager,
    ReconciliationState,
)
from flinkop.controllers.flinkdeployment import plan
from flinkop.controllers.flinkdeployment.planning import cleanup, steps
from flinkop.controllers.flinkdeployment.planning.situation import Situation
from flinkop.controllers.jobs.facts import CheckpointFacts
from flinkop.lifecycle import record
from flinkop.lifecycle.ha_metadata import HaFacts
from flinkop.lifecycle.inplace_scaling import Bounds, Requirements
from flinkop.lifecycle.upgrade import Question

T = TypeVar("T")

APP = application()
NEW = application(image="flink:2.0")
SUSPENDED = with_job(APP, state=JobState.SUSPENDED)
SESSION = session()


SOME_METADATA = HaFacts(available=True, has_checkpoint=True)
SOME_BOUNDS = {"a": Bounds(1, 2), "b": Bounds(2, 2)}
SOME_CHECKPOINTS = CheckpointFacts("s3://checkpoints/chk-5")


def planned(
    at: Situation,
    *,
    ha: HaFacts = SOME_METADATA,
    checkpoints: CheckpointFacts = SOME_CHECKPOINTS,
    requirements: Requirements = SOME_BOUNDS,
    remains: bool = False,
    planner: Callable[[Situation], steps.Outcome] = plan.plan,
) -> steps.Made:
    """Return the plan, with what it asks for answered."""
    made = planner(at)
    asked = set()
    while isinstance(made, steps.Inquiry):
        assert made.question not in asked, "asked twice"
        asked.add(made.question)
        seen = at.observation
        match made.question:
            case Question.JOB_MANAGER:
                seen = evolve(seen, confirmed=True)
            case Question.HA_METADATA:
                seen = evolve(seen, ha=ha)
            case Question.CHECKPOINTS:
                seen = evolve(seen, rest=evolve(seen.rest, checkpoints=checkpoints))
            case Question.REQUIREMENTS:
                seen = evolve(seen, rest=evolve(seen.rest, requirements=requirements))
            case Question.REMAINS:
                seen = evolve(seen, remains=remains)
        at = evolve(at, observation=seen)
        made = planner(at)
    return made


def cleaned(at: Situation, *, remains: bool = False) -> steps.Made:
    """Return the plan of a deletion."""
    return planned(at, planner=cleanup.cleanup, remains=remains)


def names(made: steps.Made) -> list[str]:
    """Return the steps by name; events by their reason."""
    return [
        step.draft.reason if isinstance(step, steps.Say) else type(step).__name__
        for step in made.steps
    ]


def step(made: steps.Made, kind: type[T]) -> T:
    """Return the only step of this kind."""
    (found,) = (s for s in made.steps if isinstance(s, kind))
    return found


def recorded(status: FlinkDeploymentStatus) -> record.Recorded:
    """Return the recorded spec, which must be there."""
    found = record.last_reconciled(status)
    assert found is not None
    return found


def recorded_job(status: FlinkDeploymentStatus) -> JobSpec:
    """Return its job, which must be there."""
    found = recorded(status).spec.job
    assert found is not None
    return found


def recon(status: FlinkDeploymentStatus) -> ReconciliationState:
    """Return the reconciliation state."""
    return status.reconciliation_status.state


def suspended(**options: Any) -> FlinkDeploymentStatus:
    """Return the status of a suspended job."""
    return status_of(
        APP,
        recorded_state=JobState.SUSPENDED,
        job=FlinkJobState.FINISHED,
        job_manager=JobManager.MISSING,
        **options,
    )


def lost(spec: FlinkDeploymentSpec = APP, **options: Any) -> FlinkDeploymentStatus:
    """Return the status of a cluster whose JobManager is gone."""
    return status_of(spec, job_manager=JobManager.MISSING, job=FlinkJobState.RECONCILING, **options)
