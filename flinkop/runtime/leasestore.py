"""Keeps the record of an election in a coordination.k8s.io/v1 Lease.

Fields of the Lease that the election does not know (labels, annotations, strategy) are written back as
they were read. The client must keep Leases apart from other requests, as `KubeClient` does: outside the
write fence, since taking the lease is what opens it, and on a connection of their own, so that renewals
never queue.
"""

import contextlib
import datetime as dt
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Protocol

from flinkop.clock import rfc3339_micro
from flinkop.kube import stream
from flinkop.kube.errors import NotFound
from flinkop.kube.meta import LEASES, ObjectKey, ResourceType
from flinkop.runtime.leaderelection import LeaseRecord


class LeaseClient(Protocol):
    """The part of `kube.client.KubeClient` that is used here."""

    async def get(self, resource: ResourceType, key: ObjectKey, /) -> Any:
        """Return the object as a dict, or raise NotFound."""
        ...

    async def create(self, resource: ResourceType, namespace: str, body: Any, /) -> Any:
        """Create the object and return it as stored."""
        ...

    async def replace(self, resource: ResourceType, key: ObjectKey, body: Any, /) -> Any:
        """Replace the object if its resourceVersion still holds and return it as stored."""
        ...

    def watch(
        self, rt: ResourceType, namespace: str | None = None, *, field_selector: str | None = None
    ) -> AsyncGenerator[stream.WatchEvent, None]:
        """Follow the objects that the selector finds."""
        ...


class KubeLeaseStore:
    """A `LeaseStore` on the API server.

    Args:
        client: See the module's text.
        namespace: Namespace of the Lease: the operator's own.
        name: Name of the Lease, such as `flink-operator-lease`.
    """

    def __init__(self, client: LeaseClient, namespace: str, name: str) -> None:
        self._client = client
        self._key = ObjectKey(namespace, name)
        self._last: Mapping[str, Any] = {}

    async def get(self) -> LeaseRecord | None:
        """Return the record, or None when there is no Lease."""
        try:
            return self._remember(await self._client.get(LEASES, self._key))
        except NotFound:
            return None

    async def create(self, record: LeaseRecord) -> LeaseRecord:
        """Create the Lease, or raise AlreadyExists."""
        body = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": self._key.name, "namespace": self._key.namespace},
            "spec": to_spec(record),
        }
        return self._remember(await self._client.create(LEASES, self._key.namespace, body))

    async def replace(self, record: LeaseRecord) -> LeaseRecord:
        """Replace the Lease if it still has `record.version`, else raise Conflict or NotFound."""
        body = {
            **self._last,
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {
                **self._last.get("metadata", {}),
                "name": self._key.name,
                "namespace": self._key.namespace,
                "resourceVersion": record.version,
            },
            "spec": {**self._last.get("spec", {}), **to_spec(record)},
        }
        return self._remember(await self._client.replace(LEASES, self._key, body))

    async def changes(self) -> AsyncGenerator[None, None]:
        """Yield when the Lease is first seen and at each change, until the API server ends the watch."""
        watch = self._client.watch(
            LEASES, self._key.namespace, field_selector=f"metadata.name={self._key.name}"
        )
        async with contextlib.aclosing(watch) as events:
            async for event in events:
                if event.type != stream.BOOKMARK:
                    yield

    def _remember(self, lease: Any) -> LeaseRecord:
        metadata = {k: v for k, v in lease["metadata"].items() if k != "managedFields"}
        self._last = {**lease, "metadata": metadata}
        return from_lease(lease)


def to_spec(record: LeaseRecord) -> dict[str, Any]:
    """Return the Lease spec that says what `record` says."""
    spec: dict[str, Any] = {
        "holderIdentity": record.holder,
        "leaseDurationSeconds": record.duration,
        "leaseTransitions": record.transitions,
    }
    if record.acquire_time is not None:
        spec["acquireTime"] = rfc3339_micro(record.acquire_time)
    if record.renew_time is not None:
        spec["renewTime"] = rfc3339_micro(record.renew_time)
    return spec


def from_lease(lease: Mapping[str, Any]) -> LeaseRecord:
    """Return what `lease` says; missing fields count as empty."""
    spec = lease.get("spec") or {}
    return LeaseRecord(
        holder=spec.get("holderIdentity") or "",
        duration=int(spec.get("leaseDurationSeconds") or 0),
        acquire_time=_time(spec.get("acquireTime")),
        renew_time=_time(spec.get("renewTime")),
        transitions=int(spec.get("leaseTransitions") or 0),
        version=lease["metadata"].get("resourceVersion", ""),
    )


def _time(text: str | None) -> dt.datetime | None:
    if not text:
        return None
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return None  # only shown to people; no decision rests on it
