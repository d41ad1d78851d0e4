"""Which old savepoints and checkpoints go, by number and age (behaviour.md O-70 to O-75); pure.

Two kinds of record are kept short: the history in the status, from before snapshot resources, whose
savepoints the operator disposes of itself, and FlinkStateSnapshots that it made, which it deletes. What
somebody names as a place to restore from never goes (`protected`, see `snapshot_paths`); neither does
what a user registered by hand, nor the newest that is complete.
"""

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from attrs import frozen

from flinkop.api.flinkstatesnapshot import SnapshotType
from flinkop.api.status import Savepoint, SnapshotTriggerType
from flinkop.clock import epoch_ms
from flinkop.config import flink_options, options
from flinkop.config.flink_conf import FlinkConf
from flinkop.lifecycle.snapshot_facts import SnapshotFacts
from flinkop.lifecycle.snapshot_paths import place, places

_CLEANED_UP: Final = frozenset({SnapshotTriggerType.PERIODIC, SnapshotTriggerType.UPGRADE})


@frozen
class Limits:
    """How many are kept, at least 1, and how old they get; no age where None."""

    count: int
    age: dt.timedelta | None


@frozen
class Removal:
    """A savepoint that is to leave the history.

    Attributes:
        savepoint: the entry.
        dispose: whether its files go first; when that fails the entry stays.
        needs_success: whether it stays too once the disposal of an entry before it failed.
    """

    savepoint: Savepoint
    dispose: bool
    needs_success: bool


def savepoint_limits(
    conf: FlinkConf, count_threshold: int | None, age_threshold: dt.timedelta | None
) -> Limits:
    """Return the limits of savepoints: a resource's own, within those of the operator (O-70).

    Raises:
        ConfigValueError: an option of `conf` cannot be read.
    """
    count, age = conf.get(options.SAVEPOINT_MAX_COUNT), conf.get(options.SAVEPOINT_MAX_AGE)
    if count_threshold is not None:
        count = min(count, count_threshold)
    if age_threshold is not None:
        age = min(age, age_threshold)
    return Limits(max(1, count), age)


def checkpoint_limits(conf: FlinkConf) -> Limits:
    """Return the limits of checkpoints: as many as Flink itself keeps, of any age (O-74).

    Raises:
        ConfigValueError: an option of `conf` cannot be read.
    """
    return Limits(max(1, conf.get(flink_options.RETAINED_CHECKPOINTS)), None)


def legacy_removals(
    history: Sequence[Savepoint],
    limits: Limits,
    snapshots: Collection[SnapshotFacts],
    protected: Collection[str],
    now: dt.datetime,
    *,
    dispose: bool,
) -> tuple[Removal, ...]:
    """Return the entries of `history` (oldest first) that go, in the order to try (O-71, O-72).

    The caller goes through them once, keeps in mind whether a disposal failed, and leaves out from
    then on those that need success: the oldest must not be passed over for the sake of the number,
    while what is too old goes whatever becomes of others. Completed savepoint resources count as
    savepoints that are kept; once there is one, also the newest entry may go.

    Args:
        history: `savepointInfo.savepointHistory`.
        limits: of savepoints.
        snapshots: the FlinkStateSnapshots of the job; none while snapshot resources are off.
        protected: paths that somebody names.
        now: the present.
        dispose: whether files are disposed of (`savepoint.cleanup.enabled`), or only entries removed.
    """
    completed = sum(map(_stands_for_history, snapshots))
    if not history or (len(history) == 1 and not completed):
        return ()
    kept = places(protected) | places(snapshot.path for snapshot in snapshots)
    oldest_ms = None if limits.age is None else epoch_ms(now - limits.age)
    removals: list[Removal] = []
    excess = len(history) - max(0, limits.count - completed)
    for savepoint in history if completed else history[:-1]:
        if savepoint.location and place(savepoint.location) in kept:
            continue
        too_old = oldest_ms is not None and savepoint.time_stamp < oldest_ms
        if len(removals) < excess or too_old:
            has_files = dispose and savepoint.location is not None
            removals.append(Removal(savepoint, has_files, needs_success=not too_old))
    return tuple(removals)


def snapshots_to_delete(
    snapshots: Collection[SnapshotFacts],
    savepoints: Limits,
    checkpoints: Limits,
    protected: Collection[str],
    now: dt.datetime,
) -> tuple[str, ...]:
    """Return the names of the FlinkStateSnapshots that are to be deleted (O-73 to O-75).

    Not asked while snapshot resources or `savepoint.cleanup.enabled` are off. One that is still on its
    way goes for its age only. The reference deletes it for the sake of the number as well: with room for
    one, as checkpoints have by default, no later one than the first ever completes.
    """
    return (
        *_to_delete(snapshots, SnapshotType.SAVEPOINT, savepoints, protected, now),
        *_to_delete(snapshots, SnapshotType.CHECKPOINT, checkpoints, protected, now),
    )


def _to_delete(
    snapshots: Collection[SnapshotFacts],
    kind: SnapshotType,
    limits: Limits,
    protected: Collection[str],
    now: dt.datetime,
) -> Iterator[str]:
    ours = sorted(
        (s for s in snapshots if s.type is kind and s.trigger in _CLEANED_UP and not s.deleting),
        key=lambda snapshot: (snapshot.created, snapshot.name),
    )
    newest = next((snapshot for snapshot in reversed(ours) if snapshot.completed), None)
    kept = places(protected) | places(s.path for s in snapshots if s.trigger not in _CLEANED_UP)
    oldest = None if limits.age is None else now - limits.age
    remaining = len(ours)
    for snapshot in ours:
        if snapshot is newest or (snapshot.path and place(snapshot.path) in kept):
            continue
        if remaining == 1:
            return
        too_many = remaining > limits.count and not snapshot.on_its_way
        too_old = oldest is not None and snapshot.created < oldest
        if too_many or too_old:
            remaining -= 1
            yield snapshot.name


def _stands_for_history(snapshot: SnapshotFacts) -> bool:
    """Whether it counts as one of the savepoints that are kept."""
    return (
        snapshot.type is SnapshotType.SAVEPOINT
        and snapshot.completed
        and snapshot.trigger in _CLEANED_UP
        and not snapshot.deleting
    )
