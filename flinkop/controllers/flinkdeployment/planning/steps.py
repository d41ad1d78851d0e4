"""The words that plans are made of: those of all jobs, and those of the clusters that have only one.

A closed set of steps, and what a plan says besides.
"""

from attrs import frozen

from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.status import FlinkDeploymentStatus
from flinkop.controllers.jobs.steps import (
    CancelJob,
    CreateSnapshot,
    DeleteSnapshot,
    DisposeSavepoints,
    Inquiry,
    JobStep,
    Plan,
    ReleaseFinalizer,
    Say,
    ScaleJob,
    StopJob,
    TriggerCheckpoint,
    TriggerSavepoint,
    Wait,
    WriteAhead,
)
from flinkop.lifecycle.ha_zookeeper import ZooKeeper

__all__ = [
    "CancelJob",
    "CheckObjects",
    "CreateSnapshot",
    "DeleteCluster",
    "DeleteHaMetadata",
    "DeleteSnapshot",
    "DeleteTaskManagers",
    "DisposeSavepoints",
    "DropJobGraphs",
    "Inquiry",
    "Made",
    "Outcome",
    "Plan",
    "ReleaseFinalizer",
    "RestoreTaskManagers",
    "Say",
    "ScaleJob",
    "ScaleTaskManagers",
    "Step",
    "StopJob",
    "Submit",
    "SyncIngress",
    "TriggerCheckpoint",
    "TriggerSavepoint",
    "Wait",
    "WriteAhead",
]


@frozen
class CheckObjects:
    """Let the API server judge the objects of `spec` without making them (dry run)."""

    spec: FlinkDeploymentSpec


@frozen
class DeleteCluster:
    """Delete the JobManager Deployment `uid`, and with it all that it owns.

    `scale_down` first takes its replicas to 0, so that a JobManager that still has a job does not
    start new TaskManagers while everything is being deleted (kubernetes-objects.md 2.4). `foreground`
    keeps the Deployment until all else is gone, where nobody would ask for remains (`planning.remains`).
    """

    uid: str
    scale_down: bool
    foreground: bool = False


@frozen
class DeleteTaskManagers:
    """Delete the Deployment `uid` with a standalone cluster's TaskManagers, which no JobManager owns."""

    uid: str


@frozen
class DeleteHaMetadata:
    """Delete the HA metadata of the cluster, which nobody owns.

    In ConfigMaps, or in ZooKeeper at `where`. What cannot be deleted there keeps anything else from being
    done, unless it `may_stay`.
    """

    where: ZooKeeper | None = None
    may_stay: bool = False


@frozen
class DropJobGraphs:
    """Remove job graphs from HA metadata that is there already, and leave its checkpoints alone.

    A JobManager runs every job whose graph it finds (behaviour.md 4.7). `where` as in DeleteHaMetadata.
    """

    where: ZooKeeper | None = None


@frozen
class Submit:
    """Make the cluster's objects; those that are there already from an earlier try are kept."""

    spec: FlinkDeploymentSpec
    generation: int
    job_id: str | None
    savepoint_path: str | None = None


@frozen
class RestoreTaskManagers:
    """Make the Deployment with a standalone cluster's TaskManagers anew, beside a JobManager that is there."""

    spec: FlinkDeploymentSpec


@frozen
class ScaleTaskManagers:
    """Have a standalone cluster run with that many TaskManagers, without a restart."""

    replicas: int


@frozen
class SyncIngress:
    """Create, update or delete the Ingress as `spec` asks."""

    spec: FlinkDeploymentSpec


Step = (
    JobStep[FlinkDeploymentStatus]
    | CheckObjects
    | DeleteCluster
    | DeleteTaskManagers
    | DeleteHaMetadata
    | DropJobGraphs
    | Submit
    | RestoreTaskManagers
    | ScaleTaskManagers
    | SyncIngress
)


Made = Plan[FlinkDeploymentStatus, Step]
"""A plan for a FlinkDeployment."""

Outcome = Made | Inquiry
