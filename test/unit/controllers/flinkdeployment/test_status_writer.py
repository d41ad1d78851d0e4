"""The last stage: summed up, written when it differs, and told in the log when its word changes."""

from typing import Any

from attrs import define, evolve, field
from fakes.clock import FakeClock
from fakes.deployments import application, status_of, upgrading
from fakes.events import FakeEvents
from fakes.objectapi import KEY, ObjectApi
from structlog.testing import capture_logs

from flinkop.api import codec
from flinkop.config.flink_conf import FlinkConf
from flinkop.config.snapshot import ConfigSnapshot
from flinkop.controllers.flinkdeployment.status_writer import StatusWriter
from flinkop.events.draft import InvolvedObject, normal
from flinkop.events.recorder import Recorder
from flinkop.kube import meta
from flinkop.lifecycle.state import Note, Stall
from flinkop.runtime.result import Request
from flinkop.stages.context import ReconcileContext
from flinkop.stages.settings import Settings
from flinkop.stages.status_patch import StatusDocument

STABLE = status_of(application())


@define
class Heard:
    """Stands for a recorder."""

    drafts: list[Any] = field(factory=list)

    def emit(self, about, draft):
        self.drafts.append((about.name, draft.reason))


def writer_on(api: Any):
    return StatusWriter(api)


def context(api, recorder: Any = None):
    obj, clock = api.object(), FakeClock()
    status = codec.decode_flinkdeployment_status(obj.status)
    settings = Settings(ConfigSnapshot.make(FlinkConf({}), {}, {}))
    settings.replace(ConfigSnapshot.make(FlinkConf({"a": "b"}), {}, {}))
    return ReconcileContext(
        request=Request("ns", "basic"),
        obj=obj,
        about=InvolvedObject("v", "FlinkDeployment", "ns", "basic", "uid-1"),
        spec=application(),
        unreadable=None,
        status=status,
        document=StatusDocument(
            rt=meta.FLINKDEPLOYMENTS,
            key=KEY,
            uid=obj.metadata.uid,
            resource_version=obj.metadata.resource_version,
            document=api.status,
            parse=lambda raw: codec.encode_status(codec.decode_flinkdeployment_status(raw)),
            noted=lambda _: None,
        ),
        settings=settings.current,
        now=clock.now(),
        recorder=recorder or Recorder(FakeEvents(), clock),
    )


async def test_a_status_is_summed_up_and_written_once():
    """lifecycleState and conditions come with it; writing it again costs nothing."""
    api = ObjectApi()
    ctx = context(api)
    writer = writer_on(api)
    with capture_logs() as logs:
        written = await writer.write(ctx, STABLE)
        await writer.write_ahead(ctx, STABLE, None)
    assert api.status["lifecycleState"] == "STABLE"
    assert {c["type"] for c in api.status["conditions"]} == {
        "Running",
        "Ready",
        "Reconciling",
        "Stalled",
    }
    assert api.status == codec.encode_status(written)
    assert len(api.patches) == 1
    assert [entry["event"] for entry in logs] == [
        ">>> Status[Job]      | Info    | STABLE          | JobManager READY"
    ]


async def test_what_is_written_ahead_need_not_be_written_again():
    """With what is being done in it, or each upgrade would cost a write of nothing but that."""
    api = ObjectApi()
    ctx, writer = context(api), writer_on(api)
    note = Note("ReplacingCluster", "waiting for the old cluster to be gone")
    ahead = upgrading(application(), 2)
    await writer.write_ahead(ctx, ahead, note)
    await writer.write(ctx, ahead, note=note)
    assert len(api.patches) == 1
    reconciling = next(c for c in api.status["conditions"] if c["type"] == "Reconciling")
    assert reconciling["reason"] == "ReplacingCluster"


async def test_what_keeps_the_spec_from_being_reached_is_in_the_status():
    """Stalled, with reason and message; an error is told as such in the log."""
    api = ObjectApi()
    with capture_logs() as logs:
        status = evolve(
            STABLE, error="boom", reconciliation_status=type(STABLE)().reconciliation_status
        )
        await writer_on(api).write(context(api), status, Stall("Broken", "mend it"))
    stalled = next(c for c in api.status["conditions"] if c["type"] == "Stalled")
    assert (stalled["status"], stalled["reason"]) == ("True", "Broken")
    assert [entry["event"] for entry in logs] == [
        ">>> Status[Job]      | Error   | FAILED          | boom"
    ]


async def test_a_status_that_comes_to_the_same_is_silent():
    """Only a change of the lifecycle state is told."""
    api = ObjectApi()
    await writer_on(api).write(context(api), STABLE)
    with capture_logs() as logs:
        ctx = context(api)
        await writer_on(api).write(ctx, evolve(ctx.status, cluster_info={"a": "b"}))
    assert logs == []
    assert len(api.patches) == 2


def test_what_a_reconcile_knows():
    """Key, generation, deletion, and a way to say something."""
    api, heard = ObjectApi(), Heard()
    api.document["metadata"]["generation"] = 4
    ctx = context(api, heard)
    assert (ctx.key, ctx.generation, ctx.deleting) == (KEY, 4, False)
    assert ctx.settings.default.text("a") == "b"
    ctx.say(normal("A", "C", "x"), normal("B", "C", "y"))
    assert heard.drafts == [("basic", "A"), ("basic", "B")]
    api.document["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert context(api).deleting
