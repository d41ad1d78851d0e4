"""Writing a status: only the difference, only over what was read."""

import msgspec
import pytest
from fakes.objectapi import KEY, ObjectApi, apply_merge_patch

from flinkop.kube import errors, meta
from flinkop.stages.status_patch import (
    StatusConflict,
    StatusDocument,
    StatusPruned,
    first_dropped,
    merge_difference,
)

OLD = {"error": "x", "jobStatus": {"state": "RUNNING", "jobId": "1"}, "conditions": [1]}
NEW = {"jobStatus": {"state": "FAILED", "jobId": "1"}, "conditions": [1]}


def document(api, noted):
    found = api.object()
    return StatusDocument(
        rt=meta.FLINKDEPLOYMENTS,
        key=KEY,
        uid=found.metadata.uid,
        resource_version=found.metadata.resource_version,
        document=api.status,
        parse=lambda raw: msgspec.json.decode(raw) if memoryview(raw) else {},
        noted=noted.append,
    )


@pytest.mark.parametrize(
    ("old", "new", "patch"),
    [
        ({}, {}, {}),
        ({"a": 1}, {"a": 1}, {}),
        ({"a": 1}, {"a": 2}, {"a": 2}),
        ({"a": 1}, {}, {"a": None}),
        ({}, {"a": 1}, {"a": 1}),
        ({}, {"a": None}, {}),
        ({"a": None}, {}, {}),
        ({"a": 1}, {"a": None}, {"a": None}),
        ({"a": [1, 2]}, {"a": [2]}, {"a": [2]}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, {"a": {"c": 3}}),
        ({"a": {"b": 1}}, {"a": {}}, {"a": {"b": None}}),
        ({"a": {"b": 1}}, {"a": 5}, {"a": 5}),
        ({"a": 5}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({}, {"a": {}}, {"a": {}}),
        (OLD, NEW, {"error": None, "jobStatus": {"state": "FAILED"}}),
    ],
)
def test_the_difference_is_a_merge_patch(old, new, patch):
    """RFC 7386: nulls remove, lists are replaced, what is equal is not mentioned."""
    assert merge_difference(old, new) == patch
    clean = {k: v for k, v in new.items() if v is not None}
    assert apply_merge_patch({k: v for k, v in old.items() if v is not None}, patch) == clean


async def test_an_equal_status_is_not_written():
    """A steady resource costs no call."""
    api, noted = ObjectApi(OLD), []
    assert await document(api, noted).write(api, dict(OLD)) is False
    assert (api.patches, noted) == ([], [])


async def test_only_the_difference_is_sent_with_its_version():
    """A write over something newer than what was read is refused by the API server."""
    api, noted = ObjectApi(OLD), []
    written = document(api, noted)
    assert await written.write(api, NEW) is True
    assert api.patches == [
        {
            "metadata": {"uid": "uid-1", "resourceVersion": "1"},
            "status": {"error": None, "jobStatus": {"state": "FAILED"}},
        }
    ]
    assert api.status == NEW
    assert [o.metadata.resource_version for o in noted] == ["2"]
    assert (written.resource_version, written.document) == ("2", NEW)


async def test_one_document_serves_several_writes():
    """The next difference is made from what was acknowledged."""
    api = ObjectApi(OLD)
    written = document(api, [])
    await written.write(api, NEW)
    await written.write(api, {**NEW, "error": "y"})
    assert api.patches[1] == {
        "metadata": {"uid": "uid-1", "resourceVersion": "2"},
        "status": {"error": "y"},
    }
    assert await written.write(api, {**NEW, "error": "y"}) is False


async def test_a_change_of_the_spec_does_not_stop_a_write():
    """Only spec or metadata moved: the same difference is right for the newer version (L-24)."""
    api, noted = ObjectApi(OLD), []
    api.meanwhile = [lambda a: a.touch(spec={"image": "b"}), lambda a: a.touch(spec={})]
    assert await document(api, noted).write(api, NEW) is True
    assert api.status == NEW
    assert len(api.patches) == 3
    assert [o.metadata.resource_version for o in noted] == ["2", "3", "4"]


async def test_a_status_by_somebody_else_is_not_overwritten():
    """The reconcile starts again from the facts, soon, and the cache knows what is there now."""
    api, noted = ObjectApi(OLD), []
    api.meanwhile = [lambda a: a.touch(status={"error": "theirs"})]
    with pytest.raises(StatusConflict, match="changed by somebody else") as conflict:
        await document(api, noted).write(api, NEW)
    assert conflict.value.retry_after < 1
    assert api.status == {"error": "theirs"}
    assert len(api.patches) == 1
    assert [o.metadata.resource_version for o in noted] == ["2"]


async def test_it_gives_up_after_three_tries():
    """Somebody who writes all the time must not keep a worker."""
    api = ObjectApi(OLD)
    api.meanwhile = [lambda a: a.touch(spec={}) for _ in range(3)]
    with pytest.raises(StatusConflict, match="keeps changing"):
        await document(api, []).write(api, NEW)
    assert len(api.patches) == 3
    assert api.status == OLD


async def test_other_errors_are_the_callers():
    """An object that is gone, also between conflict and reading."""
    api = ObjectApi(OLD)
    api.gone = True
    with pytest.raises(errors.NotFound):
        await document(api, []).write(api, NEW)

    def vanish(a):
        a.touch()
        a.meanwhile = [lambda b: setattr(b, "gone", True)]

    api = ObjectApi(OLD)
    api.meanwhile = [vanish]
    with pytest.raises(errors.NotFound):
        await document(api, []).write(api, NEW)


async def test_an_object_made_anew_under_the_same_name_does_not_get_the_old_status():
    """The uid goes with the write, and a different one on a conflict starts the reconcile again."""
    api, noted = ObjectApi(OLD), []
    made = document(api, noted)
    made.uid = "of the deleted one"
    api.meanwhile.append(lambda other: other.touch())
    with pytest.raises(StatusConflict):
        await made.write(api, NEW)


class OldCrd(ObjectApi):
    """Its CRD does not know `jobStatus.later` and the conditions."""

    async def merge_patch(self, *args, **more):
        written = await super().merge_patch(*args, **more)
        status = self.document["status"]
        status.pop("conditions", None)
        status.get("jobStatus", {}).pop("later", None)
        self.document["status"] = status
        return msgspec.structs.replace(written, status=msgspec.Raw(msgspec.json.encode(status)))


@pytest.mark.parametrize(
    ("new", "dropped"),
    [
        ({**NEW, "conditions": [2]}, "conditions"),
        ({**NEW, "jobStatus": {"state": "FAILED", "jobId": "1", "later": 1}}, "jobStatus.later"),
    ],
)
async def test_what_an_older_crd_drops_is_noticed(new, dropped):
    """Nothing that relies on it may be done: the error says what to do."""
    api = OldCrd(OLD)
    with pytest.raises(
        StatusPruned, match=f"drops status.{dropped}: .* until the CRDs are replaced"
    ):
        await document(api, []).write(api, new)


async def test_what_it_keeps_is_no_error():
    """Only what was sent counts."""
    api = OldCrd({key: value for key, value in OLD.items() if key != "conditions"})
    await document(api, []).write(api, {key: v for key, v in NEW.items() if key != "conditions"})


@pytest.mark.parametrize(
    ("patch", "stored", "dropped"),
    [
        ({}, {}, None),
        ({"a": None}, {}, None),
        ({"a": 1}, {"a": 1, "b": 2}, None),
        ({"a": {}}, {"a": {}}, None),
        ({"a": {}}, {}, "a"),
        ({"a": 1}, {"a": 2}, "a"),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {}}}, "a.b.c"),
        ({"a": [{"b": 1, "c": 2}]}, {"a": [{"b": 1}]}, "a"),
    ],
)
def test_what_was_dropped(patch, stored, dropped):
    """The first member that is not there, or not as it was sent."""
    assert first_dropped(patch, stored) == dropped
