"""Periodic snapshots over time: one per period, none missed, none twice, restarted or not."""

import datetime as dt

from hypothesis import given, strategies as st

from flinkop.api.flink_version import FlinkVersion
from flinkop.api.flinkstatesnapshot import SnapshotState, SnapshotType
from flinkop.api.status import SnapshotTriggerType
from flinkop.lifecycle import periodic, quartz
from flinkop.lifecycle.periodic import Wish
from flinkop.lifecycle.snapshot_facts import SnapshotFacts

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
SAVEPOINT = SnapshotType.SAVEPOINT

expressions = st.sampled_from(
    ["7 min", "90000", "1 h", "0 0/10 * * * ?", "0 5 0/2 ? * *", "30 1-59/29 * * * ?"]
)
moments = st.integers(0, 10_000_000).map(lambda ms: START + dt.timedelta(milliseconds=ms))


def wish(expression, **more):
    options = {"running": True, "in_flight": False, "nonce": None, "handled_nonce": None, **more}
    return Wish(type=SAVEPOINT, expression=expression, flink_version=FlinkVersion.V1_20, **options)


def due_after(expression, last):
    """Return when the next is due, told by the expression alone."""
    if "?" in expression:
        return quartz.parse(expression).next_after(last)
    number, _, unit = expression.partition(" ")
    unit_ms = {"min": 60_000, "h": 3_600_000, "": 1}[unit]
    return last + dt.timedelta(milliseconds=int(number) * unit_ms)


@given(expressions, st.lists(st.tuples(moments, st.booleans()), max_size=40).map(sorted))
def test_looks_at_any_time_with_restarts_between(expression, looks):
    """Each look takes one exactly when one is due since the last; a restart makes no difference."""
    remembered, taken = None, []
    for now, restarted in looks:
        remembered = None if restarted else remembered
        last = periodic.last_periodic(SAVEPOINT, START, 0, taken, remembered)
        assert last == (taken[-1].created if taken else START)
        found = periodic.judge(wish(expression), last, now, dt.UTC)
        assert found.at is not None
        assert found.at == due_after(expression, last)
        assert (found.trigger is SnapshotTriggerType.PERIODIC) == (found.at <= now)
        if found.trigger is not None:
            remembered = now
            state = SnapshotState.COMPLETED if len(taken) % 2 else SnapshotState.IN_PROGRESS
            taken.append(
                SnapshotFacts(
                    name=str(len(taken)),
                    type=SAVEPOINT,
                    trigger=found.trigger,
                    state=state,
                    created=now,
                )
            )


@given(expressions, moments)
def test_a_timer_is_enough(expression, start):
    """Woken only at the moments that were told, each wake takes exactly one."""
    now = last = start
    for _ in range(20):
        found = periodic.judge(wish(expression), last, now, dt.UTC)
        assert found.trigger is None
        assert found.at is not None
        assert found.at > now
        now = found.at
        assert periodic.judge(wish(expression), last, now, dt.UTC).trigger is not None
        last = now


@given(st.text(max_size=20), moments, moments, st.booleans(), st.booleans())
def test_whatever_is_written(expression, last, now, running, in_flight):
    """A verdict, with a warning or without; never a snapshot of a job that cannot give one."""
    asked = wish(expression, running=running, in_flight=in_flight, nonce=1)
    found = periodic.judge(asked, last, now, dt.UTC)
    assert (found.trigger is None) == (not running or in_flight)
