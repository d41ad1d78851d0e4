"""Every event reason and component, named once (behaviour.md 7.2; names are the contract)."""

from typing import Final

# Components: `source.component` of an Event.
OPERATOR: Final = "Operator"
JOB_MANAGER_DEPLOYMENT: Final = "JobManagerDeployment"
JOB: Final = "Job"
SNAPSHOT: Final = "Snapshot"

# Reasons the reference uses too.
CHECKPOINT_ERROR: Final = "CheckpointError"
CHECKPOINT_NOT_FOUND: Final = "CheckpointNotFound"
CLEANUP: Final = "Cleanup"
CLEANUP_FAILED: Final = "CleanupFailed"
ERROR: Final = "Error"
INGRESS_MANAGEMENT: Final = "IngressManagement"
JOB_EXCEPTION: Final = "JobException"
JOB_STATUS_CHANGED: Final = "JobStatusChanged"
MISSING: Final = "Missing"
RECOVER_DEPLOYMENT: Final = "RecoverDeployment"
RESTART_UNHEALTHY_JOB: Final = "RestartUnhealthyJob"
RESTORE_FAILED: Final = "RestoreFailed"
ROLLBACK: Final = "Rollback"
SAVEPOINT_ERROR: Final = "SavepointError"
SCALING: Final = "Scaling"
SNAPSHOT_ABANDONED: Final = "SnapshotAbandoned"
SPEC_CHANGED: Final = "SpecChanged"
SUBMIT: Final = "Submit"
SUSPENDED: Final = "Suspended"
UNSUPPORTED_FLINK_VERSION: Final = "UnsupportedFlinkVersion"
UPGRADE_FAILED: Final = "UpgradeFailed"
VALIDATION_ERROR: Final = "ValidationError"

# Reasons of failed deployments, passed through from Kubernetes (behaviour.md O-20 to O-23).
FAILED_CREATE: Final = "FailedCreate"
FAILED_MOUNT: Final = "FailedMount"
CRASH_LOOP_BACK_OFF: Final = "CrashLoopBackOff"
WAITING_FAILURES: Final = frozenset(
    {
        CRASH_LOOP_BACK_OFF,
        "ImagePullBackOff",
        "ErrImagePull",
        "ErrImageNeverPull",
        "ImageInspectError",
        "InvalidImageName",
        "RunContainerError",
        "CreateContainerConfigError",
        "CreateContainerError",
        "OOMKilled",
    },
)

# Reported by flinkop only: the reference stays silent about a pod that no node can take, and about
# configuration that Flink will not read as it was written.
UNSCHEDULABLE: Final = "Unschedulable"
CONFIGURATION_WARNING: Final = "ConfigurationWarning"
