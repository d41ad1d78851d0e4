"""What the operator reports, and remembers, of FlinkDeployments and FlinkSessionJobs.

Fields stand in the order in which the reference serialises them (`api.md` 3.2). A missing status is a
default-constructed one, never None (`behaviour.md` 0.1).
"""

import enum
from collections.abc import Mapping
from typing import Any

import attrs

from flinkop.api.common import EpochText, extra_fields


class FlinkJobState(enum.StrEnum):
    """Flink's job states; RECONCILING is also the operator's own "unknown, or in transition"."""

    INITIALIZING = "INITIALIZING"
    CREATED = "CREATED"
    RUNNING = "RUNNING"
    FAILING = "FAILING"
    FAILED = "FAILED"
    CANCELLING = "CANCELLING"
    CANCELED = "CANCELED"
    FINISHED = "FINISHED"
    RESTARTING = "RESTARTING"
    SUSPENDED = "SUSPENDED"
    RECONCILING = "RECONCILING"

    @property
    def is_terminal(self) -> bool:
        """Whether the job can never run again under this id (globally terminal)."""
        return self in {FlinkJobState.FAILED, FlinkJobState.CANCELED, FlinkJobState.FINISHED}


class ReconciliationState(enum.StrEnum):
    """How far the last spec that was acted on has got."""

    DEPLOYED = "DEPLOYED"
    UPGRADING = "UPGRADING"
    ROLLING_BACK = "ROLLING_BACK"
    ROLLED_BACK = "ROLLED_BACK"


class JobManagerDeploymentStatus(enum.StrEnum):
    """The state of the JobManager (`api.md` 3.6); its REST API is used only when READY."""

    READY = "READY"
    DEPLOYED_NOT_READY = "DEPLOYED_NOT_READY"
    DEPLOYING = "DEPLOYING"
    MISSING = "MISSING"
    ERROR = "ERROR"


class LifecycleState(enum.StrEnum):
    """The one-word summary of a resource (`api.md` 3.5); derived, except DELETING and DELETED."""

    CREATED = "CREATED"
    SUSPENDED = "SUSPENDED"
    UPGRADING = "UPGRADING"
    DEPLOYED = "DEPLOYED"
    STABLE = "STABLE"
    ROLLING_BACK = "ROLLING_BACK"
    ROLLED_BACK = "ROLLED_BACK"
    FAILED = "FAILED"
    DELETING = "DELETING"
    DELETED = "DELETED"


class SnapshotTriggerType(enum.StrEnum):
    """Why a savepoint or checkpoint was triggered."""

    MANUAL = "MANUAL"
    PERIODIC = "PERIODIC"
    UPGRADE = "UPGRADE"
    UNKNOWN = "UNKNOWN"


class SavepointFormatType(enum.StrEnum):
    """The binary format of a savepoint."""

    CANONICAL = "CANONICAL"
    NATIVE = "NATIVE"
    UNKNOWN = "UNKNOWN"


class CheckpointType(enum.StrEnum):
    """The type of a checkpoint."""

    FULL = "FULL"
    INCREMENTAL = "INCREMENTAL"
    UNKNOWN = "UNKNOWN"


@attrs.frozen(kw_only=True)
class Savepoint:
    """A completed savepoint.

    Attributes:
        time_stamp: When it was triggered, in milliseconds since 1970.
        location: Where it is.
        trigger_type: Why it was triggered.
        format_type: Its binary format.
        trigger_nonce: The savepointTriggerNonce that asked for it.
    """

    time_stamp: int = 0
    location: str | None = None
    trigger_type: SnapshotTriggerType = SnapshotTriggerType.UNKNOWN
    format_type: SavepointFormatType = SavepointFormatType.UNKNOWN
    trigger_nonce: int | None = None
    extra: Mapping[str, Any] = extra_fields()


@attrs.frozen(kw_only=True)
class SavepointInfo:
    """Savepoints taken without a FlinkStateSnapshot (deprecated).

    Attributes:
        last_savepoint: The last completed savepoint.
        trigger_id: Id of the savepoint in progress; absent when there is none.
        trigger_timestamp: When the savepoint in progress was triggered, in milliseconds since 1970.
        trigger_type: Why the savepoint in progress was triggered.
        format_type: Format of the savepoint in progress.
        savepoint_history: Completed savepoints, oldest first.
        last_periodic_savepoint_timestamp: When the last periodic savepoint was triggered, in milliseconds
            since 1970; 0 if never.
    """

    last_savepoint: Savepoint | None = None
    trigger_id: str | None = None
    trigger_timestamp: int | None = None
    trigger_type: SnapshotTriggerType | None = None
    format_type: SavepointFormatType | None = None
    savepoint_history: tuple[Savepoint, ...] = ()
    last_periodic_savepoint_timestamp: int = 0
    extra: Mapping[str, Any] = extra_fields()


@attrs.frozen(kw_only=True)
class Checkpoint:
    """A completed checkpoint.

    Attributes:
        time_stamp: When it was triggered, in milliseconds since 1970.
        trigger_type: Why it was triggered.
        format_type: Its type.
        trigger_nonce: The checkpointTriggerNonce that asked for it.
    """

    time_stamp: int = 0
    trigger_type: SnapshotTriggerType = SnapshotTriggerType.UNKNOWN
    format_type: CheckpointType = CheckpointType.UNKNOWN
    trigger_nonce: int | None = None
    extra: Mapping[str, Any] = extra_fields()


@attrs.frozen(kw_only=True)
class CheckpointInfo:
    """Checkpoints triggered without a FlinkStateSnapshot (deprecated).

    Attributes:
        last_checkpoint: The last completed checkpoint.
        trigger_id: Id of the checkpoint in progress; absent when there is none.
        trigger_timestamp: When the checkpoint in progress was triggered, in milliseconds since 1970.
        trigger_type: Why the checkpoint in progress was triggered.
        format_type: Type of the checkpoint in progress.
        last_periodic_checkpoint_timestamp: When the last periodic checkpoint was triggered, in
            milliseconds since 1970; 0 if never.
    """

    last_checkpoint: Checkpoint | None = None
    trigger_id: str | None = None
    trigger_timestamp: int | None = None
    trigger_type: SnapshotTriggerType | None = None
    format_type: CheckpointType | None = None
    last_periodic_checkpoint_timestamp: int = 0
    extra: Mapping[str, Any] = extra_fields()


@attrs.frozen(kw_only=True)
class JobStatus:
    """The job as Flink last reported it.

    Attributes:
        job_name: Name of the job.
        job_id: Id of the job, 32 hexadecimal digits; set before submission.
        state: State of the job.
        start_time: When the job started, in milliseconds since 1970, as a string.
        update_time: When state last changed, in milliseconds since 1970, as a string.
        upgrade_savepoint_path: Savepoint or checkpoint that the next stateful start restores from.
        savepoint_info: Savepoints taken without a FlinkStateSnapshot (deprecated).
        checkpoint_info: Checkpoints triggered without a FlinkStateSnapshot (deprecated).
    """

    job_name: str | None = None
    job_id: str | None = None
    state: FlinkJobState | None = None
    start_time: EpochText | None = None
    update_time: EpochText | None = None
    upgrade_savepoint_path: str | None = None
    savepoint_info: SavepointInfo | None = None
    checkpoint_info: CheckpointInfo | None = None
    extra: Mapping[str, Any] = extra_fields()


@attrs.frozen(kw_only=True)
class ReconciliationStatus:
    """What the operator last acted on.

    Attributes:
        reconciliation_timestamp: When a spec was last acted on, in milliseconds since 1970.
        last_reconciled_spec: The spec last acted on, as JSON text; absent before the first deployment.
        last_stable_spec: The spec that last ran stably, as JSON text.
        state: How far the last spec that was acted on has got.
    """

    reconciliation_timestamp: int = 0
    last_reconciled_spec: str | None = None
    last_stable_spec: str | None = None
    state: ReconciliationState = ReconciliationState.UPGRADING
    extra: Mapping[str, Any] = extra_fields()


@attrs.frozen(kw_only=True)
class TaskManagerInfo:
    """The TaskManagers, for the scale subresource.

    Attributes:
        label_selector: Selects the TaskManager pods.
        replicas: Number of TaskManagers.
    """

    label_selector: str | None = None
    replicas: int = 0
    extra: Mapping[str, Any] = extra_fields()


@attrs.frozen(kw_only=True)
class Condition:
    """One aspect of the resource's state.

    Attributes:
        last_transition_time: When status last changed (RFC 3339).
        message: Explanation for people.
        observed_generation: The metadata.generation that this condition was computed for.
        reason: One word for programs, in CamelCase.
        status: One of True, False and Unknown.
        type: Which aspect this is, such as Running or Ready.
    """

    last_transition_time: str | None = None
    message: str | None = None
    observed_generation: int | None = None
    reason: str | None = None
    status: str | None = None
    type: str | None = None
    extra: Mapping[str, Any] = extra_fields()


@attrs.frozen(kw_only=True)
class CommonStatus:
    """What the statuses of all kinds with a job have.

    Attributes:
        job_status: The job as Flink last reported it.
        error: What went wrong, as JSON text; absent when all is well.
        observed_generation: The metadata.generation whose spec was last acted on.
        lifecycle_state: One-word summary.
        reconciliation_status: What the operator last acted on.
        conditions: Conditions of the resource.
    """

    job_status: JobStatus = attrs.field(factory=JobStatus)
    error: str | None = None
    observed_generation: int | None = None
    lifecycle_state: LifecycleState | None = LifecycleState.CREATED
    reconciliation_status: ReconciliationStatus = attrs.field(factory=ReconciliationStatus)
    conditions: tuple[Condition, ...] = ()
    extra: Mapping[str, Any] = extra_fields()


@attrs.frozen(kw_only=True)
class FlinkDeploymentStatus(CommonStatus):
    """Last observed state of a Flink cluster; written by the operator.

    Attributes:
        job_status: The job as Flink last reported it.
        error: What went wrong, as JSON text; absent when all is well.
        observed_generation: The metadata.generation whose spec was last acted on.
        lifecycle_state: One-word summary.
        cluster_info: Facts about the running cluster, such as flink-version and total-cpu.
        job_manager_deployment_status: State of the JobManager.
        reconciliation_status: What the operator last acted on.
        task_manager: The TaskManagers, for the scale subresource.
        conditions: Conditions Running, Ready, Reconciling and Stalled.
    """

    cluster_info: Mapping[str, str] = attrs.field(factory=dict)
    job_manager_deployment_status: JobManagerDeploymentStatus = JobManagerDeploymentStatus.MISSING
    # Named once more for their place in the reference's order.
    reconciliation_status: ReconciliationStatus = attrs.field(factory=ReconciliationStatus)
    task_manager: TaskManagerInfo | None = None
    conditions: tuple[Condition, ...] = ()


@attrs.frozen(kw_only=True)
class FlinkSessionJobStatus(CommonStatus):
    """Last observed state of a job on a session cluster; written by the operator.

    Attributes:
        job_status: The job as Flink last reported it.
        error: What went wrong, as JSON text; absent when all is well.
        observed_generation: The metadata.generation whose spec was last acted on.
        lifecycle_state: One-word summary.
        reconciliation_status: What the operator last acted on.
        conditions: Conditions Ready, Reconciling and Stalled.
    """
