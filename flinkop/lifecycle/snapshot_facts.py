"""What the rules of savepoints and checkpoints need to know of a FlinkStateSnapshot."""

import datetime as dt

from attrs import frozen

from flinkop.api.flinkstatesnapshot import SnapshotState, SnapshotType
from flinkop.api.status import SnapshotTriggerType


@frozen(kw_only=True)
class SnapshotFacts:
    """One FlinkStateSnapshot of the job in question.

    Attributes:
        name: its name.
        type: savepoint or checkpoint.
        trigger: why it was taken; UNKNOWN when its label does not say.
        state: how far it is; TRIGGER_PENDING while it has no status.
        created: when the resource was created.
        deleting: whether its deletion is under way.
        path: where the snapshot is, once it is known; of one that only registers a savepoint from the start.
        nonce: the trigger nonce it was made for.
        uid: its uid.
    """

    name: str
    type: SnapshotType
    trigger: SnapshotTriggerType
    state: SnapshotState
    created: dt.datetime
    deleting: bool = False
    path: str | None = None
    nonce: int | None = None
    uid: str = ""

    @property
    def completed(self) -> bool:
        """Whether there is something to restore from."""
        return self.state is SnapshotState.COMPLETED

    @property
    def on_its_way(self) -> bool:
        """Whether it may still complete."""
        return self.state in (SnapshotState.TRIGGER_PENDING, SnapshotState.IN_PROGRESS)
