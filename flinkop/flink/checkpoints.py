"""Flink's answers about checkpoints as frozen values; see `models` for what holds for all answers."""

import enum

from msgspec import field

from flinkop.flink.models import Answer, QueueStatus, ThrowableInfo

NOT_ADDRESSABLE = "<checkpoint-not-externally-addressable>"
"""What stands for the path of a checkpoint kept in the JobManager's memory."""


class CheckpointStatus(enum.StrEnum):
    """`status` of a checkpoint in the statistics."""

    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


class Checkpoint(Answer, frozen=True, kw_only=True):
    """A checkpoint or savepoint in the statistics; also the whole of `/checkpoints/details/:id`.

    Attributes:
        kind: `completed`, `failed` or `in_progress`.
        external_path: where it is; None unless completed.
        failure_message: why it failed; None unless failed.
    """

    id: int | None = None
    kind: str = field(name="className", default="")
    status: CheckpointStatus | None = None
    is_savepoint: bool = False
    savepoint_format: str | None = field(name="savepointFormat", default=None)
    trigger_timestamp: int | None = None
    latest_ack_timestamp: int | None = None
    state_size: int | None = None
    end_to_end_duration: int | None = None
    checkpoint_type: str | None = None
    external_path: str | None = None
    discarded: bool | None = None
    failure_message: str | None = None


class RestoredCheckpoint(Answer, frozen=True, kw_only=True):
    """What the job was restored from."""

    id: int | None = None
    restore_timestamp: int | None = None
    is_savepoint: bool = False
    external_path: str | None = None


class LatestCheckpoints(Answer, frozen=True, kw_only=True):
    """The newest of each kind."""

    completed: Checkpoint | None = None
    savepoint: Checkpoint | None = None
    failed: Checkpoint | None = None
    restored: RestoredCheckpoint | None = None


class CheckpointCounts(Answer, frozen=True, kw_only=True):
    """How many since the JobManager started."""

    restored: int = 0
    total: int = 0
    in_progress: int = 0
    completed: int = 0
    failed: int = 0


class CheckpointStats(Answer, frozen=True, kw_only=True):
    """`/jobs/:id/checkpoints`; `history` is newest first."""

    counts: CheckpointCounts = CheckpointCounts()
    latest: LatestCheckpoints = LatestCheckpoints()
    history: tuple[Checkpoint, ...] = ()


class Externalization(Answer, frozen=True, kw_only=True):
    """Whether completed checkpoints outlive the job."""

    enabled: bool = False
    delete_on_cancellation: bool = False


class CheckpointConfig(Answer, frozen=True, kw_only=True):
    """`/jobs/:id/checkpoints/config`; `interval` is a huge number when periodic checkpoints are off."""

    mode: str = ""
    interval: int = 0
    timeout: int = 0
    min_pause: int = 0
    max_concurrent: int = 0
    externalization: Externalization = Externalization()
    tolerable_failed_checkpoints: int = 0


class CheckpointOperation(Answer, frozen=True, kw_only=True):
    """How a triggered checkpoint ended."""

    checkpoint_id: int | None = field(name="checkpointId", default=None)
    failure_cause: ThrowableInfo | None = field(name="failureCause", default=None)


class CheckpointTriggerStatus(Answer, frozen=True, kw_only=True):
    """`/jobs/:id/checkpoints/:triggerId` (Flink 1.17 and later)."""

    status: QueueStatus
    operation: CheckpointOperation | None = None
