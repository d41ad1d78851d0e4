"""FlinkStateSnapshots are read and written as the reference has them (api.md 2.11, 3.10)."""

import pytest

from flinkop.api import codec
from flinkop.api.flinkstatesnapshot import (
    FlinkStateSnapshotSpec,
    FlinkStateSnapshotStatus,
    JobKind,
    JobReference,
    SnapshotState,
    SnapshotType,
)
from flinkop.api.status import SavepointFormatType
from flinkop.api.wire import DecodeError

FULL = {
    "jobReference": {"kind": "FlinkSessionJob", "name": "job"},
    "savepoint": {
        "path": "s3://bucket/savepoints",
        "formatType": "NATIVE",
        "disposeOnDelete": False,
        "alreadyExists": True,
    },
    "backoffLimit": 3,
}


@pytest.mark.parametrize("raw", [None, b"", b"{}", b"null"])
def test_an_absent_spec_asks_for_nothing(raw):
    """It is legal for the API server, and for the validator to refuse."""
    spec = codec.decode_flinkstatesnapshot_spec(raw)
    assert spec == FlinkStateSnapshotSpec()
    assert spec.type is None
    assert not spec.already_exists


def test_defaults_are_those_of_the_reference():
    """A savepoint is canonical and disposable, and tried without bound."""
    spec = codec.decode_flinkstatesnapshot_spec(b'{"savepoint":{},"jobReference":{"name":"a"}}')
    assert spec.savepoint is not None
    assert spec.savepoint.format_type is SavepointFormatType.CANONICAL
    assert spec.savepoint.dispose_on_delete
    assert not spec.savepoint.already_exists
    assert spec.savepoint.path is None
    assert spec.backoff_limit == -1
    assert spec.job_reference == JobReference(kind=None, name="a")


def test_every_member_survives_reading_and_writing():
    """Nothing is lost, nothing is added."""
    spec = codec.decode_flinkstatesnapshot_spec(FULL)
    assert codec.encode_spec(spec) == FULL
    assert spec.job_reference is not None
    assert spec.job_reference.kind is JobKind.FLINK_SESSION_JOB
    assert spec.already_exists


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"savepoint": {}}, SnapshotType.SAVEPOINT),
        ({"checkpoint": {}}, SnapshotType.CHECKPOINT),
        ({"savepoint": {}, "checkpoint": {}}, SnapshotType.SAVEPOINT),
        ({"savepoint": None}, None),
    ],
)
def test_the_presence_of_an_empty_object_decides(document, kind):
    """`savepoint: {}` and `checkpoint: {}` are wishes."""
    spec = codec.decode_flinkstatesnapshot_spec(document)
    assert spec.type is kind
    assert codec.encode_spec(spec).keys() == {k for k, v in document.items() if v is not None}


def test_a_status_is_written_in_the_order_of_the_reference():
    """A missing one is the initial one; `failures` is always there."""
    assert codec.decode_flinkstatesnapshot_status(b"") == FlinkStateSnapshotStatus()
    status = FlinkStateSnapshotStatus(
        state=SnapshotState.COMPLETED,
        trigger_id="0" * 32,
        trigger_timestamp="2026-01-01T00:00:00Z",
        result_timestamp="2026-01-01T00:00:01Z",
        path="",
        error="e",
        failures=1,
    )
    written = codec.encode_status(status)
    assert list(written) == [
        "state",
        "triggerId",
        "triggerTimestamp",
        "resultTimestamp",
        "path",
        "error",
        "failures",
    ]
    assert written["path"] == ""
    assert codec.decode_flinkstatesnapshot_status(written) == status
    assert codec.encode_status(FlinkStateSnapshotStatus()) == {
        "state": "TRIGGER_PENDING",
        "failures": 0,
    }


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"jobReference": {"kind": "Deployment"}}, "spec.jobReference.kind"),
        ({"backoffLimit": "two"}, "spec.backoffLimit"),
        ({"savepoint": {"formatType": "BEST"}}, "spec.savepoint.formatType"),
        ({"checkpoint": "yes"}, "spec.checkpoint"),
    ],
)
def test_what_an_older_crd_lets_through_is_refused_with_its_path(document, path):
    """Words and types that the schema refuses too."""
    with pytest.raises(DecodeError) as refused:
        codec.decode_flinkstatesnapshot_spec(document)
    assert refused.value.path == path
