"""Snapshots as their jobs see them."""

import datetime as dt

import pytest
from fakes.caches import FakeCache, custom_object
from structlog.testing import capture_logs

from flinkop.api.flinkstatesnapshot import JobKind, SnapshotState, SnapshotType
from flinkop.api.status import SnapshotTriggerType
from flinkop.kube.meta import ObjectKey
from flinkop.stages import references
from flinkop.stages.snapshots import Snapshots, facts_of

DEPLOYMENT = JobKind.FLINK_DEPLOYMENT
BASIC = ObjectKey("ns", "basic")


def snapshot(name="s", job="basic", kind="FlinkDeployment", status=None, **members):
    spec = members.pop("spec", {"savepoint": {}})
    spec = {"jobReference": {"kind": kind, "name": job}, **spec}
    return custom_object(name, spec=spec, status=status, **members)


def cache(*objects, synced=True):
    return FakeCache(
        *objects, indexers={references.BY_JOB: references.job_of_snapshot}, synced=synced
    )


def recorded(obj):
    """The record of one that asks for something."""
    found = facts_of(obj)
    assert found is not None
    return found


def test_a_record_has_what_a_job_asks_for():
    """Type from the spec, trigger from the label, nonce from the annotation."""
    found = recorded(
        snapshot(
            status={"state": "COMPLETED", "path": "s3://p", "failures": 0},
            labels={"snapshot.trigger-type": "MANUAL"},
            annotations={"snapshot.trigger-nonce": "7"},
            creationTimestamp="2026-01-01T00:00:00Z",
        )
    )
    assert (found.name, found.uid) == ("s", "uid-s")
    assert found.type is SnapshotType.SAVEPOINT
    assert found.trigger is SnapshotTriggerType.MANUAL
    assert (found.state, found.path) == (SnapshotState.COMPLETED, "s3://p")
    assert (found.nonce, found.deleting) == (7, False)
    assert found.created == dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def test_one_that_was_not_looked_at_yet():
    """An upgrade's is known by its path from its creation on."""
    found = recorded(snapshot(spec={"savepoint": {"alreadyExists": True, "path": "s3://p"}}))
    assert (found.state, found.path) == (SnapshotState.TRIGGER_PENDING, "s3://p")
    assert found.trigger is SnapshotTriggerType.UNKNOWN
    assert found.nonce is None
    wish = recorded(snapshot(spec={"savepoint": {"path": "s3://directory"}}))
    assert wish.path is None


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        ({"savepoint": {}}, SnapshotType.SAVEPOINT),
        ({"checkpoint": {}}, SnapshotType.CHECKPOINT),
        ({}, None),
        ({"savepoint": 5}, None),
    ],
)
def test_the_type_is_what_is_asked_for(spec, kind):
    """What asks for nothing, or cannot be read, is no snapshot of the job."""
    found = facts_of(snapshot(spec=spec))
    assert (found.type if found is not None else None) is kind
    listed = Snapshots(cache(snapshot(spec=spec))).of_job(DEPLOYMENT, BASIC)
    assert [one.type for one in listed] == ([kind] if kind is not None else [])


def test_a_status_that_cannot_be_read_is_none():
    """It has not ended, as far as anybody can tell."""
    found = recorded(snapshot(status={"state": "DONE"}))
    assert found.state is SnapshotState.TRIGGER_PENDING


def test_the_snapshots_of_one_job_oldest_first():
    """Not those of another kind with the same name, nor of another namespace."""
    of_all = Snapshots(
        cache(
            snapshot("b", creationTimestamp="2026-01-02T00:00:00Z"),
            snapshot("a", creationTimestamp="2026-01-03T00:00:00Z"),
            snapshot("c", creationTimestamp="2026-01-01T00:00:00Z"),
            snapshot("d", creationTimestamp="2026-01-01T00:00:00Z"),
            snapshot("x", kind="FlinkSessionJob"),
            snapshot("y", job="other"),
            snapshot("z", namespace="elsewhere"),
        )
    )
    assert [one.name for one in of_all.of_job(DEPLOYMENT, BASIC)] == ["c", "d", "b", "a"]
    assert [one.name for one in of_all.of_job(JobKind.FLINK_SESSION_JOB, BASIC)] == ["x"]


def test_what_was_made_is_there_at_once():
    """Nobody makes a second one because the watch is late."""
    kept = cache()
    of_all = Snapshots(kept)
    of_all.note_write(snapshot("new"))
    assert [one.name for one in of_all.of_job(DEPLOYMENT, BASIC)] == ["new"]


def test_without_the_crd_there_are_none_and_it_is_said_once():
    """And once more when that has changed."""
    kept = cache(synced=False)
    of_all = Snapshots(kept)
    with capture_logs() as logs:
        assert not of_all.are_available()
        assert not of_all.are_available("ns")
        kept.synced = True
        assert of_all.are_available("ns")
        assert of_all.are_available()
    assert [entry["log_level"] for entry in logs] == ["warning", "info"]
    assert "kubernetes.operator.snapshot.resource.enabled counts as false" in logs[0]["event"]


def test_where_all_is_well_nothing_is_said():
    """From the start on."""
    with capture_logs() as logs:
        assert Snapshots(cache()).are_available()
    assert logs == []


def test_switched_off_by_the_operator():
    """There is no cache at all, and nobody wonders."""
    none = Snapshots(None)
    with capture_logs() as logs:
        assert not none.are_available()
        assert none.of_job(DEPLOYMENT, BASIC) == ()
        none.note_write(snapshot())
    assert logs == []
