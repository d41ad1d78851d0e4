"""FlinkStateSnapshot: one savepoint or checkpoint of a job, taken or registered (`api.md` 2.11, 3.10)."""

import enum
from collections.abc import Mapping
from typing import Any

import attrs

from flinkop.api.common import extra_fields
from flinkop.api.status import SavepointFormatType


class JobKind(enum.StrEnum):
    """The kinds of resources that have a job."""

    FLINK_DEPLOYMENT = "FlinkDeployment"
    FLINK_SESSION_JOB = "FlinkSessionJob"


class SnapshotType(enum.StrEnum):
    """What a snapshot is, in the words of the label `snapshot.type`."""

    SAVEPOINT = "SAVEPOINT"
    CHECKPOINT = "CHECKPOINT"


class SnapshotState(enum.StrEnum):
    """How far a snapshot is; the way from one to the next is in `lifecycle.snapshot_states`."""

    ABANDONED = "ABANDONED"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    IN_PROGRESS = "IN_PROGRESS"
    TRIGGER_PENDING = "TRIGGER_PENDING"


@attrs.frozen(kw_only=True)
class JobReference:
    """The job that a snapshot is taken of, in the snapshot's own namespace.

    Attributes:
        kind: Kind of the resource with the job, FlinkDeployment or FlinkSessionJob.
        name: Name of that resource.
    """

    kind: JobKind | None = None
    name: str | None = None
    extra: Mapping[str, Any] = extra_fields()


@attrs.frozen(kw_only=True)
class SavepointSpec:
    """A savepoint.

    Attributes:
        path: Directory in which Flink makes the savepoint; by default the job's savepoint directory. With
            alreadyExists, where the savepoint is.
        format_type: Binary format, CANONICAL (default) or NATIVE.
        dispose_on_delete: Whether the savepoint's files are deleted together with this resource, by the
            referenced job, which has to run for that. Default true.
        already_exists: Whether the savepoint is there already; then nothing is triggered. Default false.
    """

    path: str | None = None
    format_type: SavepointFormatType = SavepointFormatType.CANONICAL
    dispose_on_delete: bool = True
    already_exists: bool = False
    extra: Mapping[str, Any] = extra_fields()


@attrs.frozen(kw_only=True)
class CheckpointSpec:
    """A full checkpoint; there is nothing to choose."""

    extra: Mapping[str, Any] = extra_fields()


@attrs.frozen(kw_only=True)
class FlinkStateSnapshotSpec:
    """A savepoint or checkpoint to be taken, or a savepoint that exists.

    Attributes:
        job_reference: The job to take it of. Required, unless the savepoint already exists.
        savepoint: Takes a savepoint. Exactly one of savepoint and checkpoint must be set.
        checkpoint: Takes a checkpoint; needs Flink 1.17 or later.
        backoff_limit: How often a failed attempt is repeated, -1 (default) without bound, 0 never.
    """

    job_reference: JobReference | None = None
    savepoint: SavepointSpec | None = None
    checkpoint: CheckpointSpec | None = None
    backoff_limit: int = -1
    extra: Mapping[str, Any] = extra_fields()

    @property
    def type(self) -> SnapshotType | None:
        """What is asked for; None when that is nothing."""
        if self.savepoint is not None:
            return SnapshotType.SAVEPOINT
        return SnapshotType.CHECKPOINT if self.checkpoint is not None else None

    @property
    def already_exists(self) -> bool:
        """Whether it only registers a savepoint that is there."""
        return self.savepoint is not None and self.savepoint.already_exists


@attrs.frozen(kw_only=True)
class FlinkStateSnapshotStatus:
    """How far the snapshot is; written by the operator.

    Attributes:
        state: Where it stands. COMPLETED, ABANDONED and, without a retry left, FAILED are final.
        trigger_id: Flink's id of the attempt; written before Flink is asked.
        trigger_timestamp: When the attempt began.
        result_timestamp: When it ended, well or not.
        path: Where the snapshot is. Empty when a checkpoint succeeded but Flink no longer knew its place.
        error: What went wrong, as JSON text, or why it was abandoned; absent when all is well.
        failures: How many attempts failed.
    """

    state: SnapshotState = SnapshotState.TRIGGER_PENDING
    trigger_id: str | None = None
    trigger_timestamp: str | None = None
    result_timestamp: str | None = None
    path: str | None = None
    error: str | None = None
    failures: int = 0
    extra: Mapping[str, Any] = extra_fields()
