"""The last stage: the status when it differs, the labels that follow it, the count, and a line in the log."""

import pytest
from attrs import evolve
from fakes.clock import FakeClock
from fakes.events import FakeEvents
from fakes.snapshots import BEGUN, PENDING, TAKEN
from fakes.snapshotworld import KEY, REQUEST, World
from structlog.testing import capture_logs

from flinkop.api import codec
from flinkop.api.flinkstatesnapshot import FlinkStateSnapshotSpec
from flinkop.config.flink_conf import FlinkConf
from flinkop.config.snapshot import ConfigSnapshot
from flinkop.controllers.flinkstatesnapshot.status_writer import StatusWriter, audit
from flinkop.events.recorder import Recorder
from flinkop.kube import meta
from flinkop.metrics.resources import ResourceMetrics
from flinkop.metrics.scope import Variables
from flinkop.metrics.series import SeriesRegistry
from flinkop.stages import context

KIND = context.Kind(
    meta.FLINKSTATESNAPSHOTS,
    FlinkStateSnapshotSpec(),
    codec.decode_flinkstatesnapshot_spec,
    codec.decode_flinkstatesnapshot_status,
    codec.encode_status,
)


@pytest.fixture
def world():
    made = World()
    made.create({"savepoint": {}}, labels={"own": "x", "a": "old"})
    return made


def context_of(world):
    obj = world.object()
    return context.make(
        KIND,
        REQUEST,
        obj,
        settings=ConfigSnapshot.make(FlinkConf({}), {}, {}),
        now=world.clock.now(),
        recorder=Recorder(FakeEvents(), FakeClock()),
        noted=lambda _: None,
    )


async def test_a_status_is_written_once(world):
    """What is there already costs nothing."""
    writer, ctx = StatusWriter(world), context_of(world)
    with capture_logs() as logs:
        await writer.write(ctx, BEGUN)
        await writer.write(ctx, BEGUN)
    assert world.writes == ["patch status"]
    assert world.status == codec.encode_status(BEGUN)
    assert [entry["event"] for entry in logs] == [">>> Status[Snapshot] | IN_PROGRESS     | "]


async def test_the_first_status_is_not_written_for_its_own_sake(world):
    """A snapshot that nothing has happened to has none (api.md 3.10)."""
    await StatusWriter(world).write(context_of(world), PENDING)
    assert world.writes == []


async def test_only_labels_that_are_wrong_are_written(world):
    """Others are not ours."""
    writer = StatusWriter(world)
    written = await writer.label(context_of(world), {"a": "new", "b": "x"})
    assert written is not None
    assert written.metadata.labels == {"own": "x", "a": "new", "b": "x"}
    assert await writer.label(context_of(world), {"a": "new", "b": "x"}) is None
    assert world.writes == ["patch metadata"]


async def test_what_is_gone_needs_no_labels(world):
    """It was deleted meanwhile."""
    ctx = context_of(world)
    world.document = None
    assert await StatusWriter(world).label(ctx, {"a": "new"}) is None


async def test_snapshots_are_counted_while_they_are_wanted(world):
    """Not those that ask for nothing, nor those that are being deleted."""
    series = SeriesRegistry(Variables())
    counts = ResourceMetrics(series)
    writer = StatusWriter(world, counts)
    await writer.write(context_of(world), TAKEN)
    assert (meta.FLINKSTATESNAPSHOTS.kind, KEY) in counts._counted
    writer.forget(KEY)
    assert counts._counted == {}
    ctx = evolve(context_of(world), spec=FlinkStateSnapshotSpec())
    await writer.write(ctx, TAKEN)
    world.delete()
    await writer.write(context_of(world), TAKEN)
    assert counts._counted == {}


def test_what_the_log_tells():
    """State, and the error in words, else the path (behaviour.md 7.3)."""
    failed = evolve(TAKEN, error='{"message":"a","throwableList":[{"message":"b"}]}')
    with capture_logs() as logs:
        for status in (TAKEN, failed, evolve(TAKEN, error="plain")):
            audit(status)
    assert [entry["event"] for entry in logs] == [
        ">>> Status[Snapshot] | COMPLETED       | s3://bucket/savepoint-1",
        ">>> Status[Snapshot] | COMPLETED       | a -> b",
        ">>> Status[Snapshot] | COMPLETED       | plain",
    ]
