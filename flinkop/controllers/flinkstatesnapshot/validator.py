"""Stage 2: what is wrong with a spec; pure (api.md 4.4, rules N1 to N4, in their order)."""

from collections.abc import Callable
from typing import Final

from attrs import frozen

from flinkop.api.flinkstatesnapshot import (
    FlinkStateSnapshotSpec,
    FlinkStateSnapshotStatus,
    SnapshotState,
)
from flinkop.api.validation import Problem


@frozen
class Candidate:
    """What is judged.

    Attributes:
        namespace: of the resource, and of the job it names.
        spec: the user's spec.
        status: its status: a missing job matters only before the snapshot is triggered.
        target_found: whether the job it names is there; True also when that cannot be told.
    """

    namespace: str
    spec: FlinkStateSnapshotSpec
    status: FlinkStateSnapshotStatus
    target_found: bool


def first_problem(it: Candidate) -> Problem | None:
    """Return the first rule that the candidate breaks, as the problem to report."""
    problem = _not_exactly_one(it)
    if problem is not None or it.spec.already_exists:
        return problem
    return next((found for rule in _RULES if (found := rule(it)) is not None), None)


def _not_exactly_one(it: Candidate) -> Problem | None:
    """N1: a snapshot is one thing."""
    if (it.spec.savepoint is None) != (it.spec.checkpoint is None):
        return None
    found = "neither" if it.spec.savepoint is None else "both"
    return Problem(
        "spec",
        "SnapshotTypeUnclear",
        f"spec has {found} of savepoint and checkpoint: set exactly one of them, to {{}} for the defaults",
    )


def _job_reference_is_missing(it: Candidate) -> Problem | None:
    """N3: only a savepoint that exists needs no job."""
    if it.spec.job_reference is not None:
        return None
    return Problem(
        "spec.jobReference",
        "JobReferenceMissing",
        "spec.jobReference is missing: name the FlinkDeployment or FlinkSessionJob whose job is meant",
    )


def _target_is_missing(it: Candidate) -> Problem | None:
    """N4: before it is triggered, its job has to be there; it is waited for."""
    job = it.spec.job_reference
    if it.target_found or it.status.state is not SnapshotState.TRIGGER_PENDING or job is None:
        return None
    if job.kind is None or not job.name:
        return Problem(
            "spec.jobReference",
            "JobReferenceIncomplete",
            "spec.jobReference needs kind (FlinkDeployment or FlinkSessionJob) and name",
        )
    return Problem(
        "spec.jobReference",
        "TargetNotFound",
        f"{job.kind} {it.namespace}/{job.name} was not found: create it, or correct spec.jobReference",
    )


_RULES: Final[tuple[Callable[[Candidate], Problem | None], ...]] = (
    _job_reference_is_missing,
    _target_is_missing,
)
