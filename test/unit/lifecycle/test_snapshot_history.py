"""Which old savepoints and checkpoints go (behaviour.md O-70 to O-75)."""

import datetime as dt

import pytest

from flinkop.api.flinkstatesnapshot import SnapshotState, SnapshotType
from flinkop.api.status import Savepoint, SnapshotTriggerType
from flinkop.config import errors
from flinkop.config.flink_conf import FlinkConf
from flinkop.lifecycle import snapshot_history
from flinkop.lifecycle.snapshot_facts import SnapshotFacts
from flinkop.lifecycle.snapshot_history import Limits, Removal

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
NOW_MS = 1767225600000
HOUR = dt.timedelta(hours=1)
K = "kubernetes.operator.savepoint.history.max."
CHECKPOINT = SnapshotType.CHECKPOINT
MANUAL, PERIODIC, UPGRADE = (
    SnapshotTriggerType.MANUAL,
    SnapshotTriggerType.PERIODIC,
    SnapshotTriggerType.UPGRADE,
)


@pytest.mark.parametrize(
    ("conf", "thresholds", "limits"),
    [
        ({}, (None, None), Limits(10, 24 * HOUR)),
        ({K + "count": "3", K + "age": "2 h"}, (None, None), Limits(3, 2 * HOUR)),
        ({}, (5, HOUR), Limits(5, HOUR)),
        ({}, (50, 99 * HOUR), Limits(10, 24 * HOUR)),
        ({K + "count": "0"}, (None, None), Limits(1, 24 * HOUR)),
        ({}, (0, None), Limits(1, 24 * HOUR)),
    ],
)
def test_limits_of_savepoints(conf, thresholds, limits):
    """The resource's own, within the operator's; at least one is kept."""
    assert snapshot_history.savepoint_limits(FlinkConf(conf), *thresholds) == limits


def test_limits_of_checkpoints():
    """As many as Flink keeps, by either name of the option; their age does not matter."""
    assert snapshot_history.checkpoint_limits(FlinkConf()) == Limits(1, None)
    for key in ("execution.checkpointing.num-retained", "state.checkpoints.num-retained"):
        assert snapshot_history.checkpoint_limits(FlinkConf({key: "3"})) == Limits(3, None)
        assert snapshot_history.checkpoint_limits(FlinkConf({key: "0"})) == Limits(1, None)
    with pytest.raises(errors.ConfigValueError):
        snapshot_history.checkpoint_limits(FlinkConf({key: "all"}))


def savepoint(location, hours_ago=0):
    return Savepoint(time_stamp=NOW_MS - hours_ago * 3_600_000, location=location)


def snapshot(name, hours_ago=0, **facts):
    options = {
        "type": SnapshotType.SAVEPOINT,
        "trigger": PERIODIC,
        "state": SnapshotState.COMPLETED,
        "path": f"/{name}",
        **facts,
    }
    return SnapshotFacts(name=name, created=NOW - hours_ago * HOUR, **options)


A, B, C, D = (savepoint(f"/{name}") for name in "abcd")


def removed(history, count=10, snapshots=(), protected=(), *, dispose=True):
    """Return the locations that leave `history`, those that need success marked with `!`."""
    removals = snapshot_history.legacy_removals(
        history, Limits(count, 24 * HOUR), snapshots, protected, NOW, dispose=dispose
    )
    assert all(removal.dispose is dispose for removal in removals)
    return [f"{r.savepoint.location}{'!' if r.needs_success else ''}" for r in removals]


def test_the_oldest_go_for_the_number():
    """Each only when those before it went."""
    assert removed([A, B, C, D], count=2) == ["/a!", "/b!"]
    assert removed([A, B], count=2) == []


def test_what_is_too_old_goes():
    """Whatever becomes of others; at exactly the age it stays, and so does the newest at any age."""
    old, at_the_age = savepoint("/old", 25), savepoint("/edge", 24)
    assert removed([old, at_the_age, A]) == ["/old"]
    assert removed([old, at_the_age, A, B], count=2) == ["/old", "/edge!"]
    assert removed([A, old]) == []
    assert removed([old]) == []
    assert removed([old, old]) == ["/old"]


def test_nothing_is_disposed_of_without_cleanup():
    """Entries go all the same."""
    assert removed([A, B, C], count=1, dispose=False) == ["/a!", "/b!"]


def test_completed_resources_count_as_kept():
    """Of those the operator made; with one of them the last entry may go too."""
    one, two = snapshot("one"), snapshot("two", trigger=UPGRADE)
    assert removed([A, B, C], count=3, snapshots=[one]) == ["/a!"]
    assert removed([A, B, C], count=3, snapshots=[one, two]) == ["/a!", "/b!"]
    assert removed([A], count=1, snapshots=[one, two]) == ["/a!"]
    assert removed([savepoint("/old", 25)], snapshots=[one]) == ["/old"]


@pytest.mark.parametrize(
    "facts",
    [
        {"trigger": MANUAL},
        {"trigger": SnapshotTriggerType.UNKNOWN},
        {"type": CHECKPOINT},
        {"state": SnapshotState.IN_PROGRESS},
        {"state": SnapshotState.FAILED},
        {"deleting": True},
    ],
)
def test_resources_that_do_not_count(facts):
    """Those that are no savepoint, not there yet, soon gone, or never cleaned up."""
    assert removed([A, B], count=2, snapshots=[snapshot("one", **facts)]) == []
    assert removed([A], count=1, snapshots=[snapshot("one", **facts)]) == []


def test_what_is_named_stays():
    """However it is written; it takes up room, and others go in its place, but not the newest."""
    assert removed([A, B, C], count=2, protected=["file:/a/"]) == ["/b!"]
    assert removed([A, B, C], count=1, protected=["/a", "/b"]) == []
    assert removed([savepoint("/old", 25), A], protected=["s3://bucket/old"]) == []
    assert removed([A, B], count=1, snapshots=[snapshot("one")], protected=["/b"]) == ["/a!"]


def test_what_a_resource_has_stays():
    """A savepoint that a user registered is the resource's now."""
    kept = snapshot("one", trigger=MANUAL, path="file:/a")
    assert removed([A, B, C], count=1, snapshots=[kept]) == ["/b!"]


def test_an_entry_without_a_place():
    """There is nothing to dispose of."""
    nowhere = Savepoint(time_stamp=NOW_MS)
    assert snapshot_history.legacy_removals(
        [nowhere, A], Limits(1, None), (), (), NOW, dispose=True
    ) == (Removal(nowhere, dispose=False, needs_success=True),)


def deleted(*snapshots, count=10, checkpoints=1, protected=()):
    return list(
        snapshot_history.snapshots_to_delete(
            snapshots, Limits(count, 24 * HOUR), Limits(checkpoints, None), protected, NOW
        )
    )


def test_old_resources_go_for_the_number():
    """The oldest, by their creation; those of an upgrade too."""
    assert deleted(snapshot("c", 1), snapshot("a", 3), snapshot("b", 2), count=2) == ["a"]
    assert deleted(snapshot("a", 2, trigger=UPGRADE), snapshot("b", 1), count=1) == ["a"]


def test_resources_go_for_their_age():
    """At exactly the age they stay; the newest completed one stays at any age."""
    assert deleted(snapshot("a", 26), snapshot("b", 24), snapshot("c", 1)) == ["a"]
    assert deleted(snapshot("a", 26), snapshot("b", 25)) == ["a"]
    failed = snapshot("c", 25, state=SnapshotState.FAILED)
    assert deleted(snapshot("a", 27), snapshot("b", 26), failed) == ["a", "c"]


def test_one_always_remains():
    """Also when none of them completed."""
    failed = [snapshot(name, 25, state=SnapshotState.FAILED) for name in "abc"]
    assert deleted(*failed) == ["a", "b"]
    assert deleted(failed[0]) == []


@pytest.mark.parametrize(
    "facts", [{"trigger": MANUAL}, {"trigger": SnapshotTriggerType.UNKNOWN}, {"deleting": True}]
)
def test_resources_that_are_not_cleaned_up(facts):
    """Users' own are theirs, and what goes already is not counted."""
    assert deleted(snapshot("a", 26, **facts), snapshot("b", 25, **facts), count=1) == []
    assert deleted(snapshot("a", 2, **facts), snapshot("b", 1), count=1) == []


def test_checkpoints_are_counted_by_themselves():
    """Against what Flink keeps, at any age."""
    old = [snapshot(f"c{n}", 99 - n, type=CHECKPOINT) for n in range(4)]
    assert deleted(*old, snapshot("a"), checkpoints=2, count=1) == ["c0", "c1"]
    assert deleted(*old[:2], checkpoints=2) == []


@pytest.mark.parametrize("state", [SnapshotState.TRIGGER_PENDING, SnapshotState.IN_PROGRESS])
def test_one_on_its_way_may_arrive(state):
    """It takes up room, and goes for its age only, so that a later one than the first can complete."""
    coming = snapshot("c", 1, state=state, path=None)
    assert deleted(snapshot("b", 2), coming, count=1) == []
    assert deleted(snapshot("a", 3), snapshot("b", 2), coming, count=2) == ["a"]
    stuck = snapshot("a", 26, state=state, path=None)
    assert deleted(stuck, snapshot("b", 1)) == ["a"]


def test_a_failed_one_does_not_take_the_place_of_one_that_completed():
    """The newest completed one stays, though a failed one is newer."""
    failed = snapshot("c", 1, state=SnapshotState.FAILED, path=None)
    assert deleted(snapshot("a", 3), snapshot("b", 2), failed, count=1) == ["a", "c"]


def test_resources_whose_savepoint_is_named_stay():
    """By a spec or status, or by a resource that a user made for it."""
    three = [snapshot("a", 3), snapshot("b", 2), snapshot("c", 1)]
    assert deleted(*three, count=1) == ["a", "b"]
    assert deleted(*three, count=1, protected=["file:///a/_metadata"]) == ["b"]
    registered = snapshot("mine", trigger=MANUAL, path="s3://bucket/b")
    assert deleted(*three, registered, count=1) == ["a"]
