"""FlinkStateSnapshots in few words: specs, statuses, facts, and the situation that a plan is made from."""

import datetime as dt
from typing import Any

from flinkop.api.flinkstatesnapshot import (
    CheckpointSpec,
    FlinkStateSnapshotSpec,
    FlinkStateSnapshotStatus,
    JobKind,
    JobReference,
    SavepointSpec,
    SnapshotState,
)
from flinkop.api.status import FlinkJobState
from flinkop.controllers.flinkstatesnapshot import plan
from flinkop.controllers.flinkstatesnapshot.observation import (
    Answer,
    CleanupFacts,
    Observation,
    TriggerFacts,
)
from flinkop.flink import features
from flinkop.flink.address import Cluster
from flinkop.kube.meta import ObjectKey
from flinkop.lifecycle.failure import Limits
from flinkop.stages.targets import Access, Target

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
STAMP = "2026-01-01T00:00:00Z"
JOB_ID = "a" * 32
ID = "f" * 32
PATH = "s3://bucket/savepoint-1"
JOB = JobReference(kind=JobKind.FLINK_DEPLOYMENT, name="basic")
PENDING = FlinkStateSnapshotStatus()
BEGUN = FlinkStateSnapshotStatus(
    state=SnapshotState.IN_PROGRESS, trigger_id=ID, trigger_timestamp=STAMP
)
TAKEN = FlinkStateSnapshotStatus(
    state=SnapshotState.COMPLETED,
    trigger_id=ID,
    trigger_timestamp=STAMP,
    result_timestamp=STAMP,
    path=PATH,
)


def savepoint(
    limit: int = -1, job: JobReference | None = JOB, **fields: Any
) -> FlinkStateSnapshotSpec:
    """Return the spec of a savepoint; `fields` are those of its own block."""
    return FlinkStateSnapshotSpec(
        job_reference=job, savepoint=SavepointSpec(**fields), backoff_limit=limit
    )


def checkpoint(limit: int = -1) -> FlinkStateSnapshotSpec:
    """Return the spec of a checkpoint."""
    return FlinkStateSnapshotSpec(
        job_reference=JOB, checkpoint=CheckpointSpec(), backoff_limit=limit
    )


def target(state: FlinkJobState | None = FlinkJobState.RUNNING, **fields: Any) -> Target:
    """Return the job, by default one that runs."""
    known = {"job_id": JOB_ID, **fields}
    return Target(JobKind.FLINK_DEPLOYMENT, ObjectKey("ns", "basic"), state=state, **known)


def access(flink: features.Version = features.NEWEST, directory: str | None = "s3://dir") -> Access:
    """Return the way to the job's Flink."""
    return Access(Cluster("ns", "basic"), flink=flink, savepoint_directory=directory)


def running(answer: Answer = Answer.NOT_ASKED, **facts: Any) -> Observation:
    """Return what is seen of a running job, and what Flink says of the trigger."""
    reach = facts.pop("access", access())
    cleanup = facts.pop("cleanup", CleanupFacts())
    return Observation(
        target=facts.pop("target", target()),
        access=reach,
        trigger=TriggerFacts(answer, **facts),
        cleanup=cleanup,
    )


def stopped(state: FlinkJobState | None = FlinkJobState.FINISHED, **facts: Any) -> Observation:
    """Return what is seen of a job that does not run."""
    cleanup = facts.pop("cleanup", CleanupFacts())
    return Observation(target=target(state, **facts), cleanup=cleanup)


ABSENT = Observation()
"""There is no such job."""
UNSEEN = Observation(target_known=False)
"""Nobody can tell whether there is."""


def situation(
    spec: FlinkStateSnapshotSpec,
    status: FlinkStateSnapshotStatus = PENDING,
    seen: Observation | None = None,
    now: dt.datetime = NOW,
) -> plan.Situation:
    """Return the situation of the snapshot `s`, by default with its job running."""
    return plan.Situation(
        name="s",
        spec=spec,
        status=status,
        observation=running() if seen is None else seen,
        now=now,
        limits=Limits(),
        new_trigger_id=lambda: ID,
    )


def names(made: plan.Plan) -> list[str]:
    """Return the steps by name; Events by their reason."""
    return [
        step.draft.reason if isinstance(step, plan.Say) else type(step).__name__
        for step in made.steps
    ]


def said(made: plan.Plan) -> str:
    """Return the message of the plan's only Event."""
    (found,) = (step.draft.message for step in made.steps if isinstance(step, plan.Say))
    return found
