"""The finalizer: put on before anything is made, taken off when nothing is left (behaviour.md L-5)."""

from collections.abc import Mapping
from typing import Any, Protocol

from flinkop.kube import errors, meta
from flinkop.kube.objects import CustomObject


class FinalizerClient(Protocol):
    """The call this file makes; `kube.client.KubeClient` has it."""

    async def merge_patch(
        self,
        rt: meta.ResourceType,
        key: meta.ObjectKey,
        patch: Mapping[str, Any],
        *,
        subresource: str | None = None,
        into: type[CustomObject],
    ) -> CustomObject:
        """Patch the object."""
        ...


def name_for(rt: meta.ResourceType) -> str:
    """Return the finalizer of a kind: `<plural>.flink.apache.org/finalizer`."""
    return f"{rt.plural}.{rt.group}/finalizer"


def is_on(obj: CustomObject, rt: meta.ResourceType) -> bool:
    """Whether our finalizer is on the object."""
    return name_for(rt) in obj.metadata.finalizers


async def add(
    client: FinalizerClient,
    rt: meta.ResourceType,
    obj: CustomObject,
    labels: Mapping[str, str] | None = None,
) -> CustomObject:
    """Put the finalizer on, and `labels` in the same write; return the object as it is then.

    Raises:
        errors.Conflict: the object changed since it was read.
        errors.ApiError: the API server refused or could not be reached.
    """
    return await _write(client, rt, obj, [*obj.metadata.finalizers, name_for(rt)], labels)


async def remove(client: FinalizerClient, rt: meta.ResourceType, obj: CustomObject) -> None:
    """Take the finalizer off; the object may be gone afterwards.

    Raises:
        errors.Conflict: the object changed since it was read.
        errors.ApiError: the API server refused or could not be reached.
    """
    left = [f for f in obj.metadata.finalizers if f != name_for(rt)]
    try:
        await _write(client, rt, obj, left)
    except errors.NotFound:
        return


async def _write(
    client: FinalizerClient,
    rt: meta.ResourceType,
    obj: CustomObject,
    finalizers: list[str],
    labels: Mapping[str, str] | None = None,
) -> CustomObject:
    # A list is replaced as a whole by a merge patch: the version keeps others' finalizers safe.
    metadata: dict[str, Any] = {
        "resourceVersion": obj.metadata.resource_version,
        "finalizers": finalizers,
    }
    if labels:
        metadata["labels"] = dict(labels)
    return await client.merge_patch(rt, obj.metadata.key, {"metadata": metadata}, into=CustomObject)
