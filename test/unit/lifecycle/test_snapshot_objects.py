"""Snapshots as objects: names, labels, and those that the operator makes (behaviour.md 5.1, 5.2)."""

import pytest

from flinkop.api import codec
from flinkop.api.flinkstatesnapshot import (
    CheckpointSpec,
    FlinkStateSnapshotSpec,
    FlinkStateSnapshotStatus,
    JobKind,
    JobReference,
    SavepointSpec,
    SnapshotState,
    SnapshotType,
)
from flinkop.api.status import SavepointFormatType, SnapshotTriggerType
from flinkop.lifecycle import snapshot_objects as objects
from flinkop.lifecycle.snapshot_objects import JobOfSnapshot, Occasion, SavepointWish

JOB = JobOfSnapshot(JobKind.FLINK_DEPLOYMENT, "ns", "basic")
MANUAL = Occasion(trigger=SnapshotTriggerType.MANUAL, at_ms=1767225600000, nonce=2**53 + 1)
PERIODIC = Occasion(trigger=SnapshotTriggerType.PERIODIC, at_ms=1767225600000)
UPGRADE = Occasion(trigger=SnapshotTriggerType.UPGRADE, at_ms=1767225600000)


def test_a_manual_savepoint_remembers_its_nonce():
    """So that whoever comes after a crash finds the nonce handled."""
    made = objects.body(JOB, MANUAL, SavepointWish(path="s3://dir", dispose=True))
    assert made == {
        "apiVersion": "flink.apache.org/v1beta1",
        "kind": "FlinkStateSnapshot",
        "metadata": {
            "name": "basic-savepoint-manual-1767225600000",
            "namespace": "ns",
            "labels": {"snapshot.trigger-type": "MANUAL"},
            "annotations": {"snapshot.trigger-nonce": "9007199254740993"},
        },
        "spec": {
            "jobReference": {"kind": "FlinkDeployment", "name": "basic"},
            "savepoint": {
                "path": "s3://dir",
                "formatType": "CANONICAL",
                "disposeOnDelete": True,
                "alreadyExists": False,
            },
            "backoffLimit": 0,
        },
    }
    assert objects.nonce(made["metadata"]["annotations"]) == MANUAL.nonce


def test_a_periodic_checkpoint():
    """An empty object is the wish; it is tried once."""
    job = JobOfSnapshot(JobKind.FLINK_SESSION_JOB, "ns", "job", "team=a,env in (x, y),!old")
    made = objects.body(job, PERIODIC, None)
    assert made["metadata"]["name"] == "job-checkpoint-periodic-1767225600000"
    assert made["metadata"]["labels"] == {"team": "a", "snapshot.trigger-type": "PERIODIC"}
    assert "annotations" not in made["metadata"]
    assert made["spec"] == {
        "jobReference": {"kind": "FlinkSessionJob", "name": "job"},
        "checkpoint": {},
        "backoffLimit": 0,
    }


def test_the_savepoint_of_an_upgrade_exists():
    """Registered by its path, in its format."""
    wish = SavepointWish(path="s3://p", format_type=SavepointFormatType.NATIVE, exists=True)
    made = objects.body(JOB, UPGRADE, wish)
    assert made["metadata"]["name"] == "basic-savepoint-upgrade-1767225600000"
    spec = codec.decode_flinkstatesnapshot_spec(made["spec"])
    assert spec.already_exists
    assert spec.savepoint == SavepointSpec(
        path="s3://p",
        format_type=SavepointFormatType.NATIVE,
        dispose_on_delete=False,
        already_exists=True,
    )


def test_names_of_long_jobs_are_cut_and_stay_apart():
    """Never longer than the API server takes, and never ending oddly."""
    one, other = "a" * 250 + "b", "a" * 250 + "c"
    names = {objects.name(job, SnapshotType.CHECKPOINT, PERIODIC) for job in (one, other)}
    assert len(names) == 2
    for name in names:
        assert len(name) <= 253
        assert name.startswith("a" * 200)
        assert name.endswith("-checkpoint-periodic-1767225600000")
    dotted = objects.name(("a" * 209) + "." * 40, SnapshotType.SAVEPOINT, MANUAL)
    assert ".-" not in dotted
    assert objects.name("a", SnapshotType.SAVEPOINT, MANUAL) == "a-savepoint-manual-1767225600000"


SPEC = FlinkStateSnapshotSpec(
    savepoint=SavepointSpec(),
    job_reference=JobReference(kind=JobKind.FLINK_DEPLOYMENT, name="basic"),
)


def test_labels_of_a_snapshot_whose_job_is_there():
    """Type, trigger, state, and the job; one that a user made is MANUAL."""
    status = FlinkStateSnapshotStatus(state=SnapshotState.COMPLETED)
    assert objects.labels(SPEC, status, {"own": "x"}, job_found=True) == {
        "snapshot.type": "SAVEPOINT",
        "snapshot.trigger-type": "MANUAL",
        "snapshot.state": "COMPLETED",
        "job-reference.kind": "FlinkDeployment",
        "job-reference.name": "basic",
    }


def test_labels_without_a_job_or_a_type():
    """What is not known is left out; why it was made stays as it was."""
    present = {"snapshot.trigger-type": "PERIODIC"}
    found = objects.labels(
        FlinkStateSnapshotSpec(), FlinkStateSnapshotStatus(), present, job_found=True
    )
    assert found == {"snapshot.trigger-type": "PERIODIC", "snapshot.state": "TRIGGER_PENDING"}
    spec = FlinkStateSnapshotSpec(checkpoint=CheckpointSpec(), job_reference=SPEC.job_reference)
    found = objects.labels(spec, FlinkStateSnapshotStatus(), {}, job_found=False)
    assert found["snapshot.type"] == "CHECKPOINT"
    assert "job-reference.kind" not in found


def test_a_name_that_is_no_label_value_is_left_out():
    """The API server would refuse all labels with it."""
    job = JobReference(kind=JobKind.FLINK_SESSION_JOB, name="a" * 64)
    spec = FlinkStateSnapshotSpec(savepoint=SavepointSpec(), job_reference=job)
    found = objects.labels(spec, FlinkStateSnapshotStatus(), {}, job_found=True)
    assert found["job-reference.kind"] == "FlinkSessionJob"
    assert "job-reference.name" not in found


@pytest.mark.parametrize(
    ("labels", "trigger"),
    [
        ({"snapshot.trigger-type": "UPGRADE"}, SnapshotTriggerType.UPGRADE),
        ({"snapshot.trigger-type": "whim"}, SnapshotTriggerType.UNKNOWN),
        ({}, SnapshotTriggerType.UNKNOWN),
    ],
)
def test_why_it_was_made_is_read_from_its_label(labels, trigger):
    """What cannot be read is UNKNOWN."""
    assert objects.trigger_type(labels) is trigger


def test_a_nonce_that_is_none():
    """Absent, or not a number."""
    assert objects.nonce({}) is None
    assert objects.nonce({"snapshot.trigger-nonce": "x"}) is None
    assert objects.nonce({"snapshot.trigger-nonce": "-3"}) == -3


@pytest.mark.parametrize(
    ("selector", "labels"),
    [
        (None, {}),
        ("", {}),
        ("a=b", {"a": "b"}),
        ("a==b, c = d", {"a": "b", "c": "d"}),
        ("a!=b,c", {}),
        ("x in (a,b),team/name=ops,!y", {"team/name": "ops"}),
        ("a=", {"a": ""}),
    ],
)
def test_what_a_selector_asks_for_can_be_given_where_it_is_an_equality(selector, labels):
    """A snapshot that the operator makes must not be invisible to it (operations.md, trap 23)."""
    assert objects.selected(selector) == labels
