"""What a reconcile works with is made from the object as it was read."""

import datetime as dt

import msgspec
from fakes.clock import FakeClock
from fakes.events import FakeEvents

from flinkop.api import codec
from flinkop.api.flinkstatesnapshot import FlinkStateSnapshotSpec, SnapshotState
from flinkop.config.flink_conf import FlinkConf
from flinkop.config.snapshot import ConfigSnapshot
from flinkop.events.recorder import Recorder
from flinkop.kube import meta
from flinkop.kube.objects import CustomObject
from flinkop.lifecycle.failure import Limits
from flinkop.runtime.result import Request
from flinkop.stages import context

KIND = context.Kind(
    meta.FLINKSTATESNAPSHOTS,
    FlinkStateSnapshotSpec(),
    codec.decode_flinkstatesnapshot_spec,
    codec.decode_flinkstatesnapshot_status,
    codec.encode_status,
)
NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
OPTIONS = {
    "kubernetes.operator.exception.field.max.length": "10",
    "kubernetes.operator.exception.throwable.list.max.count": "1",
    "kubernetes.operator.exception.label.mapper": "a:b",
}


def made(**members):
    metadata = {"name": "s", "namespace": "ns", "uid": "u", "resourceVersion": "7"}
    raw = msgspec.json.encode({"metadata": metadata, **members})
    return context.make(
        KIND,
        Request("ns", "s"),
        msgspec.json.decode(raw, type=CustomObject),
        settings=ConfigSnapshot.make(FlinkConf(OPTIONS), {}, {}),
        now=NOW,
        recorder=Recorder(FakeEvents(), FakeClock()),
        noted=lambda _: None,
    )


def test_spec_status_and_document_belong_together():
    """The next status is compared with the one that was read."""
    ctx = made(spec={"savepoint": {}}, status={"state": "COMPLETED", "new": 1})
    assert ctx.spec.type is not None
    assert ctx.status.state is SnapshotState.COMPLETED
    assert ctx.document.document == {"state": "COMPLETED", "failures": 0, "new": 1}
    assert (ctx.document.uid, ctx.document.resource_version) == ("u", "7")
    assert (ctx.about.kind, ctx.about.name) == ("FlinkStateSnapshot", "s")


def test_a_resource_without_a_status_has_none_to_compare_with():
    """So that the first status is written whole, defaults included."""
    ctx = made()
    assert ctx.status.state is SnapshotState.TRIGGER_PENDING
    assert ctx.document.document == {}
    assert KIND.document(msgspec.Raw(b"")) == {}


def test_a_spec_that_cannot_be_read_is_an_empty_one_with_a_reason():
    """The reconcile goes on, to say so."""
    ctx = made(spec={"backoffLimit": "many"})
    assert ctx.spec == FlinkStateSnapshotSpec()
    assert ctx.unreadable is not None
    assert ctx.unreadable.path == "spec.backoffLimit"


def test_how_much_of_an_error_is_shown():
    """As the operator's options say for the namespace."""
    assert made().error_limits == Limits(10, 1, {"a": "b"})
