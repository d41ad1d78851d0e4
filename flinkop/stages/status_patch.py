"""Writes a status: only what changed, only over what was read, and never twice.

The status is the write-ahead log (design decision 3), so a write counts when the API server has
acknowledged it. It is a merge patch of the difference that carries the resourceVersion it was made
from. When somebody else wrote first, the newest object decides: if its status is still the one the
difference was made from, only spec or metadata moved and the write is repeated over it; if not, the
whole reconcile is repeated from the facts (behaviour.md L-24, without its dead end).

A CRD that is older than the operator drops what it does not know, without a word: a restore path written
ahead would be lost. So what comes back is compared with what was sent.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import msgspec
from attrs import define

from flinkop.kube import errors, meta
from flinkop.kube.objects import CustomObject

_TRIES: Final = 3
_RETRY_SECONDS: Final = 0.05
_PRUNED_SECONDS: Final = 30.0


class StatusConflict(Exception):  # noqa: N818 - reads as what happened
    """Somebody else changed the status since it was read; the reconcile starts again at once."""

    retry_after = _RETRY_SECONDS


class StatusPruned(Exception):  # noqa: N818 - reads as what happened
    """The API server dropped a part of a status; nothing that relies on it may be done."""

    retry_after = _PRUNED_SECONDS


class StatusClient(Protocol):
    """The calls this file makes; `kube.client.KubeClient` has them."""

    async def get(
        self, rt: meta.ResourceType, key: meta.ObjectKey, *, into: type[CustomObject]
    ) -> CustomObject:
        """Read the object."""
        ...

    async def merge_patch(
        self,
        rt: meta.ResourceType,
        key: meta.ObjectKey,
        patch: Mapping[str, Any],
        *,
        subresource: str | None,
        into: type[CustomObject],
    ) -> CustomObject:
        """Patch the object or a subresource of it."""
        ...


@define
class StatusDocument:
    """One object's status as the API server last acknowledged it, and the way to change it.

    Attributes:
        rt: the kind.
        key: the object.
        uid: its uid: one recreated under the same name is another object.
        resource_version: of the object that `document` was read from.
        document: the status in wire form, with only the fields this version knows.
        parse: makes that form of a status as the API server sends it.
        noted: is told each object that a write returned, so that caches do not lag behind.
    """

    rt: meta.ResourceType
    key: meta.ObjectKey
    uid: str
    resource_version: str
    document: Mapping[str, Any]
    parse: Callable[[Any], Mapping[str, Any]]
    noted: Callable[[CustomObject], None]

    async def write(self, client: StatusClient, status: Mapping[str, Any]) -> bool:
        """Make `status` (wire form) the object's status; return whether a write was needed.

        Raises:
            StatusConflict: somebody else changed the status.
            StatusPruned: not all of it was stored.
            errors.ApiError: the API server refused or could not be reached.
        """
        difference = merge_difference(self.document, status)
        if not difference:
            return False
        for _ in range(_TRIES):
            try:
                written = await client.merge_patch(
                    self.rt,
                    self.key,
                    {
                        "metadata": {"uid": self.uid, "resourceVersion": self.resource_version},
                        "status": difference,
                    },
                    subresource="status",
                    into=CustomObject,
                )
            except errors.Conflict as error:
                await self._catch_up(client, error)
                continue
            self._accept(written, status)
            self._check(difference, written)
            return True
        raise StatusConflict(f"{self.rt.kind} {self.key} keeps changing; trying again")

    async def _catch_up(self, client: StatusClient, cause: Exception) -> None:
        latest = await client.get(self.rt, self.key, into=CustomObject)
        self.noted(latest)
        if latest.metadata.uid != self.uid or self.parse(latest.status) != self.document:
            raise StatusConflict(
                f"the status of {self.rt.kind} {self.key} was changed by somebody else; starting again from it"
            ) from cause
        self.resource_version = latest.metadata.resource_version

    def _accept(self, written: CustomObject, status: Mapping[str, Any]) -> None:
        self.resource_version = written.metadata.resource_version
        self.document = status
        self.noted(written)

    def _check(self, difference: Mapping[str, Any], written: CustomObject) -> None:
        stored = msgspec.json.decode(written.status) if memoryview(written.status) else {}
        dropped = first_dropped(difference, stored)
        if dropped is not None:
            raise StatusPruned(
                f"the CRD of {self.rt.kind} on this cluster is older than this operator and drops status.{dropped}: "
                f"{self.key} is left alone until the CRDs are replaced with this version's"
            )


def first_dropped(patch: Mapping[str, Any], stored: Mapping[str, Any]) -> str | None:
    """Return the dotted path of the first member of a merge patch that is not in what was stored."""
    for key, value in patch.items():
        if value is None:
            continue
        found = stored.get(key)
        if isinstance(value, Mapping) and isinstance(found, Mapping):
            inner = first_dropped(value, found)
            if inner is not None:
                return f"{key}.{inner}"
        elif found != value:
            return key
    return None


def merge_difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return the RFC 7386 merge patch that turns `old` into `new`; empty when they are equal."""
    patch: dict[str, Any] = {}
    for key, value in new.items():
        before = old.get(key)
        if before == value and key in old:
            continue
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            inner = merge_difference(before, value)
            if inner:
                patch[key] = inner
        elif value is not None:
            patch[key] = value
        elif before is not None:
            patch[key] = None
    for key, before in old.items():
        if key not in new and before is not None:
            patch[key] = None
    return patch
