"""Savepoints that some job may be started from are known by every way of naming them."""

import msgspec
import pytest

from flinkop.kube.objects import CustomObject
from flinkop.stages import restorepoints

PATH = "s3://bucket/savepoint-1a2b"
BARE = f'{{"job":{{"initialSavepointPath":"{PATH}"}}}}'
RECORDED = f'{{"spec":{BARE},"resource_metadata":{{}}}}'


def resource(name="a", spec=None, status=None, **metadata):
    document = {"metadata": {"name": name, "namespace": "ns", **metadata}, "spec": spec or {}}
    if status is not None:
        document["status"] = status
    return msgspec.json.decode(msgspec.json.encode(document), type=CustomObject)


@pytest.mark.parametrize(
    "members",
    [
        {"spec": {"job": {"initialSavepointPath": PATH}}},
        {"status": {"jobStatus": {"upgradeSavepointPath": PATH}}},
        {"status": {"jobStatus": {"savepointInfo": {"lastSavepoint": {"location": PATH}}}}},
        {"spec": {"job": {"initialSavepointPath": PATH + "/"}}},
        {"status": {"reconciliationStatus": {"lastReconciledSpec": RECORDED}}},
        {"status": {"reconciliationStatus": {"lastStableSpec": RECORDED}}},
        {"status": {"reconciliationStatus": {"lastStableSpec": BARE}}},
    ],
)
def test_who_names_a_savepoint_uses_it(members):
    """What a user asks for, what the last upgrade took, what is remembered in any of its forms."""
    assert restorepoints.users_of(PATH, [resource(**members)]) == ("a",)


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"spec": {"job": None}, "status": {}},
        {"spec": {"job": {"initialSavepointPath": PATH + "x"}}},
        {"spec": {"job": {"args": [PATH]}}},
        {"spec": {"job": PATH}},
        {"status": {"reconciliationStatus": {"lastStableSpec": PATH}}},
        {"status": {"jobStatus": {"savepointInfo": {"savepointHistory": [{"location": PATH}]}}}},
        {
            "spec": {"job": {"initialSavepointPath": PATH}},
            "deletionTimestamp": "2026-01-01T00:00:00Z",
        },
    ],
)
def test_who_does_not(members):
    """Another path, other members, what cannot be read, and what is being deleted."""
    assert restorepoints.users_of(PATH, [resource(**members)]) == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("file:/data/sp-1", "file:///data/sp-1"),
        ("file:///data/sp-1/", "/data/sp-1"),
        ("s3://b/ä&<", "s3://b/ä&<"),
        ("s3://b/sp-1", "s3a://b//sp-1/_metadata"),
    ],
)
def test_spellings_of_one_path(one, other):
    """Flink prints `file:/x` for what people write as `file:///x`."""
    found = resource(spec={"job": {"initialSavepointPath": other}})
    assert restorepoints.users_of(one, [found]) == ("a",)


def test_all_who_use_it_are_told():
    """Sorted, each once."""
    spec = {"job": {"initialSavepointPath": PATH}}
    found = [resource("b", spec), resource("a", spec), resource("c"), resource("a", spec)]
    assert restorepoints.users_of(PATH, found) == ("a", "b")
