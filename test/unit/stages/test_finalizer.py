"""The finalizer: on before anything is made, off when nothing is left."""

import pytest
from fakes.objectapi import ObjectApi

from flinkop.kube import errors, meta
from flinkop.stages import finalizer

KIND = meta.FLINKDEPLOYMENTS
OURS = "flinkdeployments.flink.apache.org/finalizer"
THEIRS = "example.com/theirs"


def test_names_are_those_of_the_reference():
    """L-5: `<plural>.flink.apache.org/finalizer`."""
    assert finalizer.name_for(KIND) == OURS
    assert finalizer.name_for(meta.FLINKSESSIONJOBS) == (
        "flinksessionjobs.flink.apache.org/finalizer"
    )


async def test_it_is_put_on_beside_others():
    """Others' finalizers stay, and the object comes back as it is then."""
    api = ObjectApi(finalizers=(THEIRS,))
    assert not finalizer.is_on(api.object(), KIND)
    found = await finalizer.add(api, KIND, api.object())
    assert found.metadata.finalizers == (THEIRS, OURS)
    assert found.metadata.resource_version == "2"
    assert finalizer.is_on(found, KIND)


async def test_labels_come_in_the_same_write():
    """One request for both; other labels stay."""
    api = ObjectApi(finalizers=(THEIRS,))
    api.document["metadata"]["labels"] = {"own": "x"}
    found = await finalizer.add(api, KIND, api.object(), {"a": "b"})
    assert found.metadata.finalizers == (THEIRS, OURS)
    assert found.metadata.labels == {"own": "x", "a": "b"}
    assert len(api.patches) == 1


async def test_it_is_taken_off_alone():
    """Others still have work to do."""
    api = ObjectApi(finalizers=(OURS, THEIRS))
    await finalizer.remove(api, KIND, api.object())
    assert api.object().metadata.finalizers == (THEIRS,)


async def test_an_object_that_is_gone_needs_nothing():
    """Somebody may have removed it by force."""
    api = ObjectApi(finalizers=(OURS,))
    found = api.object()
    api.gone = True
    await finalizer.remove(api, KIND, found)
    with pytest.raises(errors.NotFound):
        await finalizer.add(api, KIND, found)


@pytest.mark.parametrize("act", [finalizer.add, finalizer.remove])
async def test_a_list_that_changed_is_not_overwritten(act):
    """A merge patch replaces lists: the version protects what others added."""
    api = ObjectApi(finalizers=(OURS,))
    found = api.object()
    api.touch(spec={"image": "b"})
    with pytest.raises(errors.Conflict):
        await act(api, KIND, found)
