"""The words that plans are made of: a closed set of steps, and what a plan says besides."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen

from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.flinkstatesnapshot import SnapshotType
from flinkop.api.status import CheckpointType, FlinkDeploymentStatus, SavepointFormatType
from flinkop.events.draft import EventDraft
from flinkop.lifecycle.ha_zookeeper import ZooKeeper
from flinkop.lifecycle.inplace_scaling import Requirements
from flinkop.lifecycle.snapshot_history import Removal
from flinkop.lifecycle.state import Note, Stall
from flinkop.lifecycle.upgrade import Question


@frozen
class Say:
    """Emit an Event."""

    draft: EventDraft


@frozen
class WriteAhead:
    """Write the status and wait until the API server has it; nothing after it runs before that."""

    status: FlinkDeploymentStatus


@frozen
class CheckObjects:
    """Let the API server judge the objects of `spec` without making them (dry run)."""

    spec: FlinkDeploymentSpec


@frozen
class CancelJob:
    """Ask Flink to cancel the job.

    `required` when the job's own end is what is needed; else its cluster is deleted all the same, and a
    refusal does not matter (behaviour.md 4.3).
    """

    job_id: str
    required: bool = False


@frozen
class StopJob:
    """Ask Flink to stop the job with a savepoint, under a trigger id that is in the status already."""

    job_id: str
    trigger_id: str
    directory: str | None
    format_type: SavepointFormatType
    drain: bool


@frozen
class TriggerSavepoint:
    """Ask Flink for a savepoint, under a trigger id that is in the status already."""

    job_id: str
    trigger_id: str
    directory: str | None
    format_type: SavepointFormatType


@frozen
class TriggerCheckpoint:
    """Ask Flink for a checkpoint, under a trigger id that is in the status already."""

    job_id: str
    trigger_id: str
    checkpoint_type: CheckpointType


@frozen
class DisposeSavepoints:
    """Have Flink delete the files of savepoints that leave the history, in this order."""

    removals: tuple[Removal, ...]


@frozen
class CreateSnapshot:
    """Make a FlinkStateSnapshot; one by that name is the work of an earlier try."""

    body: Mapping[str, Any]


@frozen
class DeleteSnapshot:
    """Delete the FlinkStateSnapshot `name`; what becomes of its files is its own affair."""

    name: str


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
class ScaleJob:
    """Give the job's vertices other bounds; Flink moves it to another parallelism within them."""

    job_id: str
    bounds: Requirements


@frozen
class SyncIngress:
    """Create, update or delete the Ingress as `spec` asks."""

    spec: FlinkDeploymentSpec


@frozen
class ReleaseFinalizer:
    """Let the resource go: nothing of it is left."""


Step = (
    Say
    | WriteAhead
    | CheckObjects
    | CancelJob
    | StopJob
    | TriggerSavepoint
    | TriggerCheckpoint
    | DisposeSavepoints
    | CreateSnapshot
    | DeleteSnapshot
    | DeleteCluster
    | DeleteTaskManagers
    | DeleteHaMetadata
    | DropJobGraphs
    | Submit
    | RestoreTaskManagers
    | ScaleTaskManagers
    | ScaleJob
    | SyncIngress
    | ReleaseFinalizer
)


class Wait:
    """How long until the next look, when no event comes first; names for the options that bound it."""

    NONE: Final = "none"
    PROBE: Final = "probe"  # 0.2 s to 2 s, backing off: Flink's REST API cannot be watched
    PROGRESS: Final = "progress"  # kubernetes.operator.observer.progress-check.interval
    INTERVAL: Final = "interval"  # kubernetes.operator.reconcile.interval


@frozen
class Plan:
    """What is done in this reconcile.

    Attributes:
        reason: why, for people: what the log shows.
        status: status when all steps are done.
        steps: what is done, in order.
        wait: when to look again if no event comes first, one of `Wait`.
        due: when to look again at the latest, for what happens at a time of its own.
        again: whether to observe and plan once more at once.
        silent: whether the status need not be written now, because what it would say is over soon.
        stall: what keeps the wanted spec from being reached.
        note: what is being done or waited for on the way to it.
        periodic: type of the periodic snapshot that is taken.
    """

    reason: str
    status: FlinkDeploymentStatus
    steps: tuple[Step, ...] = ()
    wait: str = Wait.INTERVAL
    due: dt.datetime | None = None
    again: bool = False
    silent: bool = False
    stall: Stall | None = None
    note: Note | None = None
    periodic: SnapshotType | None = None


@frozen
class Inquiry:
    """No plan yet: a fact has to be looked up first; then plan again with it."""

    question: Question


Outcome = Plan | Inquiry
