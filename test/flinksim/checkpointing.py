"""A job's checkpoints and savepoints: numbers, history, retention, what may be restored."""

from collections import deque

from attrs import define
from flinksim.settings import RETAIN, Settings
from flinksim.storage import Snapshot, Storage, shown

from flinkop.flink.checkpoints import NOT_ADDRESSABLE

INTERVAL_OFF = 9223372036854775807


@define
class Record:
    """One entry of the history."""

    number: int
    triggered: float
    is_savepoint: bool
    status: str = "IN_PROGRESS"
    completed: float | None = None
    format: str | None = None
    snapshot: Snapshot | None = None
    failure: str | None = None
    discarded: bool = False


@define
class Restored:
    snapshot: Snapshot
    at: float


class Checkpoints:
    """Bookkeeping only: when a checkpoint happens is decided by the job."""

    def __init__(self, settings: Settings, storage: Storage, job_id: str) -> None:
        self._settings = settings
        self._storage = storage
        self._job_id = job_id
        self._next = 1
        self.history: deque[Record] = deque(maxlen=settings.history)
        self.completed: Record | None = None
        self.savepoint: Record | None = None
        self.failed: Record | None = None
        self.restored: Restored | None = None
        self.counts = {"restored": 0, "total": 0, "in_progress": 0, "completed": 0, "failed": 0}
        self.retained: list[Snapshot] = []
        self._not_ours: set[str] = set()

    @property
    def enabled(self) -> bool:
        return self._settings.checkpoint_interval is not None

    @property
    def next_number(self) -> int:
        return self._next

    def start_from(self, snapshot: Snapshot, now: float, *, owned: bool) -> None:
        """A first start from a snapshot, which counts as a checkpoint from then on, in HA metadata too.

        `owned`: recovered from HA, so ours to delete; a path that was given is never claimed.
        """
        self.restore(snapshot, now)
        self.retained = [snapshot]
        if not owned or snapshot.is_savepoint:
            self._not_ours.add(snapshot.path)

    def restore(self, snapshot: Snapshot, now: float) -> None:
        """A start from a snapshot, also after a failure inside one JobManager."""
        self.restored = Restored(snapshot, now)
        self.counts["restored"] += 1
        self._next = max(self._next, snapshot.number + 1)

    def newest(self) -> Snapshot | None:
        """What a restart of the job (inside one JobManager) restores."""
        if self.retained:
            return self.retained[-1]
        return self.restored.snapshot if self.restored else None

    def begin(self, now: float, *, savepoint: bool, format_type: str | None = None) -> Record:
        record = Record(self._next, now, savepoint, format=format_type)
        self._next += 1
        self.counts["total"] += 1
        self.counts["in_progress"] += 1
        self.history.appendleft(record)
        return record

    def complete(self, record: Record, snapshot: Snapshot, now: float) -> None:
        record.status, record.completed, record.snapshot = "COMPLETED", now, snapshot
        self._end("completed")
        self._storage.put(snapshot)
        if snapshot.is_savepoint:
            self.savepoint = record
            return
        self.completed = record
        self.retained.append(snapshot)
        while len(self.retained) > self._settings.retained:
            self._discard(self.retained.pop(0))

    def fail(self, record: Record, reason: str, now: float) -> None:
        record.status, record.completed, record.failure = "FAILED", now, reason
        self.failed = record
        self._end("failed")

    def path(self, number: int) -> str:
        base = self._settings.checkpoint_dir
        return f"{shown(base)}/{self._job_id}/chk-{number}" if base else NOT_ADDRESSABLE

    def job_ended(self, state: str) -> None:
        """Delete what the retention policy does not keep; savepoints are never deleted."""
        keeps = state in {"CANCELED", "FAILED"} and self._settings.retention == RETAIN
        if state == "FAILED" and self._settings.retention is not None:
            keeps = True
        if not keeps:
            for snapshot in self.retained:
                self._discard(snapshot)
            self.retained = []

    def find(self, number: int) -> Record | None:
        return next((record for record in self.history if record.number == number), None)

    def _end(self, how: str) -> None:
        self.counts["in_progress"] -= 1
        self.counts[how] += 1

    def _discard(self, snapshot: Snapshot) -> None:
        if snapshot.path in self._not_ours:
            return
        self._storage.delete(snapshot.path)
        for record in self.history:
            if record.snapshot is snapshot:
                record.discarded = True
