"""Cleaning up savepoints: as the rule table has it where nothing is named, and nothing named ever goes."""

import datetime as dt

from attrs import evolve
from hypothesis import given, strategies as st

from flinkop.api.flinkstatesnapshot import SnapshotState, SnapshotType
from flinkop.api.status import Savepoint, SnapshotTriggerType
from flinkop.lifecycle import snapshot_history
from flinkop.lifecycle.snapshot_facts import SnapshotFacts
from flinkop.lifecycle.snapshot_history import Limits
from flinkop.lifecycle.snapshot_paths import place, places

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
NOW_MS = 1767225600000
HOUR_MS = 3_600_000
CLEANED_UP = (SnapshotTriggerType.PERIODIC, SnapshotTriggerType.UPGRADE)

hours = st.integers(0, 9)
limits = st.builds(Limits, st.integers(1, 4), hours.map(lambda h: dt.timedelta(hours=h)))
paths = st.sampled_from([f"/s/{letter}" for letter in "abcdefgh"])
spelled = paths.flatmap(
    lambda p: st.sampled_from([p, f"file:{p}", f"s3://b{p}/", f"{p}/_metadata"])
)
histories = st.lists(st.tuples(paths, hours), max_size=8, unique_by=lambda pair: pair[0]).map(
    lambda pairs: tuple(
        Savepoint(time_stamp=NOW_MS - ago * HOUR_MS, location=path) for path, ago in pairs
    )
)
facts = st.builds(
    SnapshotFacts,
    name=st.uuids().map(str),
    type=st.sampled_from(SnapshotType),
    trigger=st.sampled_from(SnapshotTriggerType),
    state=st.sampled_from(SnapshotState),
    created=hours.map(lambda h: NOW - dt.timedelta(hours=h)),
    deleting=st.booleans(),
    path=st.none() | spelled,
)
snapshots = st.lists(facts, max_size=8, unique_by=lambda s: s.name)


def of_history(count):
    """Return so many resources that count as savepoints that are kept, and name none of them."""
    return [
        SnapshotFacts(
            name=str(n),
            type=SnapshotType.SAVEPOINT,
            trigger=SnapshotTriggerType.PERIODIC,
            state=SnapshotState.COMPLETED,
            created=NOW,
            path=f"/resource/{n}",
        )
        for n in range(count)
    ]


def carried_out(history, removals, undisposable):
    """Return what is left when the disposal of some fails, as the caller carries removals out."""
    left, failed = list(history), False
    for removal in removals:
        if failed and removal.needs_success:
            continue
        if removal.dispose and removal.savepoint.location in undisposable:
            failed = True
        else:
            left.remove(removal.savepoint)
    return left


def table(history, limit, completed, undisposable):
    """Return what O-70 to O-72 leave, done step by step."""
    left = list(history)
    if not left or (len(left) == 1 and completed == 0):
        return left
    newest = left[-1]
    while len(left) > max(0, limit.count - completed):
        if left[0].location in undisposable:
            break
        left.pop(0)
    oldest_ms = NOW_MS - limit.age // dt.timedelta(milliseconds=1)
    for entry in list(left):
        if entry is newest and completed == 0:
            continue
        if entry.time_stamp < oldest_ms and entry.location not in undisposable:
            left.remove(entry)
    return left


@given(histories, limits, st.integers(0, 4), st.sets(paths))
def test_history_is_kept_as_the_table_says(history, limit, completed, undisposable):
    """Whatever cannot be disposed of, as long as nobody names anything."""
    removals = snapshot_history.legacy_removals(
        history, limit, of_history(completed), (), NOW, dispose=True
    )
    left = carried_out(history, removals, undisposable)
    assert left == table(history, limit, completed, undisposable)


@given(histories, limits, snapshots, st.sets(spelled))
def test_what_is_named_stays_in_the_history(history, limit, known, protected):
    """By somebody or by a resource; nor does the newest go unless a resource stands for it."""
    removals = snapshot_history.legacy_removals(history, limit, known, protected, NOW, dispose=True)
    gone = [removal.savepoint for removal in removals]
    named = places([*protected, *(snapshot.path for snapshot in known)])
    assert not named & places(savepoint.location for savepoint in gone)
    if history and history[-1] in gone:
        assert any(s.completed and s.type is SnapshotType.SAVEPOINT for s in known)
    assert gone == [savepoint for savepoint in history if savepoint in gone]


def deleted(known, savepoints, checkpoints, protected):
    return set(snapshot_history.snapshots_to_delete(known, savepoints, checkpoints, protected, NOW))


@given(snapshots, limits, limits, st.sets(spelled))
def test_which_resources_never_go(known, savepoints, checkpoints, protected):
    """Named ones, users' own, those that go already, and of each type the newest completed one."""
    gone = deleted(known, savepoints, checkpoints, protected)
    named = places(protected)
    for snapshot in known:
        if snapshot.name in gone:
            assert snapshot.trigger in CLEANED_UP
            assert not snapshot.deleting
            assert snapshot.path is None or place(snapshot.path) not in named
    for kind in SnapshotType:
        ours = [s for s in known if s.type is kind and s.trigger in CLEANED_UP and not s.deleting]
        done = [s for s in ours if s.completed]
        if ours:
            assert any(s.name not in gone for s in ours)
        if done:
            newest = max(s.created for s in done)
            assert any(s.name not in gone for s in done if s.created == newest)


@given(snapshots, limits, limits)
def test_resources_are_kept_within_their_limits(known, savepoints, checkpoints):
    """What is left over the limit is on its way; so far as it is not, it is the newest completed."""
    known = [evolve(s, path=None) for s in known]
    gone = deleted(known, savepoints, checkpoints, ())
    for kind, limit in (
        (SnapshotType.SAVEPOINT, savepoints),
        (SnapshotType.CHECKPOINT, checkpoints),
    ):
        left = [
            s
            for s in known
            if s.type is kind and s.trigger in CLEANED_UP and not s.deleting and s.name not in gone
        ]
        settled = [s for s in left if not s.on_its_way]
        assert len(left) <= limit.count or len(settled) <= 1
        too_old = [s for s in left if s.created < NOW - limit.age]
        assert len([s for s in too_old if not s.completed]) <= 1
        assert len(too_old) <= 2


@given(snapshots, limits, limits, st.sets(spelled))
def test_cleaning_up_twice_is_cleaning_up_once(known, savepoints, checkpoints, protected):
    """What was left is left."""
    gone = deleted(known, savepoints, checkpoints, protected)
    left = [s for s in known if s.name not in gone]
    assert deleted(left, savepoints, checkpoints, protected) == set()
