"""When a savepoint or checkpoint of a running job is due, and why (behaviour.md R-86 to R-89); pure.

Asked for by a new nonce it is MANUAL, by the clock PERIODIC. The clock goes by an expression, which is a
Flink duration since the last periodic one (a bare number is in milliseconds, 0 turns it off) or a Quartz
cron expression; the first moment that it names after the last periodic one is when the next is due.
"""

import datetime as dt
import functools
from collections.abc import Iterable

from attrs import frozen

from flinkop.api.flink_version import FlinkVersion
from flinkop.api.flinkstatesnapshot import SnapshotType
from flinkop.api.status import SnapshotTriggerType
from flinkop.config import values
from flinkop.lifecycle import quartz
from flinkop.lifecycle.quartz import CronExpression
from flinkop.lifecycle.snapshot_facts import SnapshotFacts


@frozen(kw_only=True)
class Wish:
    """What a job's spec asks for in the way of snapshots of one type, and how the job is.

    Attributes:
        type: savepoint or checkpoint.
        running: whether the job is RUNNING.
        in_flight: whether a snapshot of this type that the status tracks is being taken.
        nonce: the trigger nonce of the user's spec.
        handled_nonce: the one of the last reconciled spec.
        expression: when periodic ones are due; blank for never.
        flink_version: the version that runs, None when it is not known.
    """

    type: SnapshotType
    running: bool
    in_flight: bool
    nonce: int | None
    handled_nonce: int | None
    expression: str
    flink_version: FlinkVersion | None


@frozen
class Due:
    """What follows from a wish.

    Attributes:
        trigger: MANUAL or PERIODIC when a snapshot is to be triggered now, else None.
        at: when the periodic one is due or was, in UTC; None when none will be as things are.
        warning: why a part of the wish cannot be granted, for people.
    """

    trigger: SnapshotTriggerType | None = None
    at: dt.datetime | None = None
    warning: str | None = None


def judge(wish: Wish, last: dt.datetime, now: dt.datetime, zone: dt.tzinfo) -> Due:
    """Return what is due at `now` when the last periodic snapshot was triggered at `last`.

    Cron expressions speak of the clocks of `zone`, the process' own. A snapshot is due from the very
    moment `Due.at` on, so that whoever sets a timer to it need not look twice.
    """
    manual = wish.nonce is not None and wish.nonce != wish.handled_nonce
    if (manual or wish.expression.strip()) and not _can_be_triggered(wish):
        return Due(warning="checkpoints can only be triggered on Flink 1.17 or later")
    try:
        at = _next(wish.expression, last, zone)
        warning = None
    except ValueError as error:
        at, warning = None, _unreadable(wish, error)
    if not wish.running or wish.in_flight:
        return Due(warning=warning)
    if manual:
        return Due(SnapshotTriggerType.MANUAL, at, warning)
    if at is not None and at <= now:
        return Due(SnapshotTriggerType.PERIODIC, at, warning)
    return Due(None, at, warning)


def last_periodic(
    kind: SnapshotType,
    created: dt.datetime,
    legacy_ms: int,
    snapshots: Iterable[SnapshotFacts],
    remembered: dt.datetime | None = None,
) -> dt.datetime:
    """Return when a periodic snapshot of type `kind` was last triggered (R-89).

    The latest that anything tells counts. The reference believes its memory first, then snapshot
    resources, then the rest, and goes wrong when these were switched on or off meanwhile. Of the
    resources those on their way count too: the reference leaves them out and takes a second snapshot
    when it is restarted in between. Failed and abandoned ones do not: what they were to be is still due.

    Args:
        kind: savepoint or checkpoint.
        created: when the job's resource was created: the first period begins there.
        legacy_ms: `lastPeriodicSavepointTimestamp` or `lastPeriodicCheckpointTimestamp`, 0 for never.
        snapshots: the FlinkStateSnapshots of the job, of any type.
        remembered: when this process last triggered one, however that ended: it waits a full period.
    """
    moments = [created, dt.datetime.fromtimestamp(legacy_ms / 1000, dt.UTC)]
    moments += (
        snapshot.created
        for snapshot in snapshots
        if snapshot.type is kind
        and snapshot.trigger is SnapshotTriggerType.PERIODIC
        and (snapshot.completed or snapshot.on_its_way)
    )
    if remembered is not None:
        moments.append(remembered)
    return max(moments)


def _can_be_triggered(wish: Wish) -> bool:
    if wish.type is SnapshotType.SAVEPOINT:
        return True
    return wish.flink_version is not None and wish.flink_version.is_at_least(1, 17)


def _next(expression: str, last: dt.datetime, zone: dt.tzinfo) -> dt.datetime | None:
    """Return when it is due next, in UTC: times of a zone whose clocks change cannot be compared."""
    match _schedule(expression):
        case CronExpression() as cron:
            at = cron.next_after(last.astimezone(zone))
            return None if at is None else at.astimezone(dt.UTC)
        case dt.timedelta() as interval:
            return last.astimezone(dt.UTC) + interval if interval else None


@functools.lru_cache(maxsize=256)
def _schedule(expression: str) -> dt.timedelta | CronExpression:
    if not expression.strip():
        return dt.timedelta(0)
    try:
        return values.parse_duration(expression)
    except ValueError:
        return quartz.parse(expression)


def _unreadable(wish: Wish, error: ValueError) -> str:
    return (
        f"no periodic {wish.type.lower()}s: {wish.expression!r} is neither a duration such as 10 min "
        f"nor a Quartz cron expression such as 0 0 3 * * ? ({error})"
    )
