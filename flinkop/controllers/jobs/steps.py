"""The words that plans are made of, as far as they concern a job; each kind adds those of its cluster."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final, Generic, TypeVar

from attrs import frozen

from flinkop.api.flinkstatesnapshot import SnapshotType
from flinkop.api.status import CheckpointType, CommonStatus, SavepointFormatType
from flinkop.events.draft import EventDraft
from flinkop.lifecycle.inplace_scaling import Requirements
from flinkop.lifecycle.snapshot_history import Removal
from flinkop.lifecycle.state import Note, Stall
from flinkop.lifecycle.upgrade import Question

StatusT = TypeVar("StatusT", bound=CommonStatus)
StepT_co = TypeVar("StepT_co", covariant=True)


@frozen
class Say:
    """Emit an Event."""

    draft: EventDraft


@frozen
class WriteAhead(Generic[StatusT]):
    """Write the status and wait until the API server has it; nothing after it runs before that."""

    status: StatusT


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
class ScaleJob:
    """Give the job's vertices other bounds; Flink moves it to another parallelism within them."""

    job_id: str
    bounds: Requirements


@frozen
class ReleaseFinalizer:
    """Let the resource go: nothing of it is left."""


Asking = CancelJob | StopJob | TriggerSavepoint | TriggerCheckpoint | DisposeSavepoints | ScaleJob
"""Steps that ask Flink for something."""

JobStep = Say | WriteAhead[StatusT] | Asking | CreateSnapshot | DeleteSnapshot | ReleaseFinalizer
"""Steps of all kinds with a job."""


class Wait:
    """How long until the next look, when no event comes first; names for the options that bound it."""

    NONE: Final = "none"
    PROBE: Final = "probe"  # 0.2 s to 2 s, backing off: Flink's REST API cannot be watched
    PROGRESS: Final = "progress"  # kubernetes.operator.observer.progress-check.interval
    INTERVAL: Final = "interval"  # kubernetes.operator.reconcile.interval


@frozen
class Plan(Generic[StatusT, StepT_co]):
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
    status: StatusT
    steps: tuple[StepT_co, ...] = ()
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
