"""The Lease object as the election's record."""

import copy
import datetime as dt

import msgspec
import pytest

from flinkop.kube.errors import AlreadyExists, Conflict, NotFound
from flinkop.kube.stream import WatchEvent
from flinkop.runtime.leaderelection import LeaseRecord
from flinkop.runtime.leasestore import KubeLeaseStore, from_lease

MOMENT = dt.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=dt.UTC)


class OneLease:
    """A client that keeps one Lease."""

    def __init__(self, lease=None):
        self.lease = lease
        self.version = 1

    async def get(self, resource, key):
        assert (resource.plural, str(key)) == ("leases", "flink/flink-operator-lease")
        if self.lease is None:
            raise NotFound("no lease")
        return copy.deepcopy(self.lease)

    async def create(self, resource, namespace, body):
        if self.lease is not None:
            raise AlreadyExists("it is there")
        return self.store(body)

    async def replace(self, resource, key, body):
        if self.lease is None or body["metadata"]["resourceVersion"] != str(self.version):
            raise Conflict("changed")
        return self.store(body)

    async def watch(self, resource, namespace, *, field_selector):
        assert (resource.plural, namespace) == ("leases", "flink")
        assert field_selector == "metadata.name=flink-operator-lease"
        for kind in ("ADDED", "BOOKMARK", "MODIFIED", "DELETED"):
            yield WatchEvent(kind, msgspec.Raw(b"{}"))

    def store(self, body):
        self.version += 1
        self.lease = copy.deepcopy(body)
        self.lease["metadata"]["resourceVersion"] = str(self.version)
        return copy.deepcopy(self.lease)


def store_on(client):
    return KubeLeaseStore(client, "flink", "flink-operator-lease")


async def test_a_lease_is_created_in_the_references_format():
    """Names of the fields, microseconds in the times (operations.md 3.5)."""
    client = OneLease()
    store = store_on(client)
    assert await store.get() is None
    record = await store.create(LeaseRecord("pod-1", 15, MOMENT, MOMENT, 2))
    assert client.lease == {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": "flink-operator-lease",
            "namespace": "flink",
            "resourceVersion": "2",
        },
        "spec": {
            "holderIdentity": "pod-1",
            "leaseDurationSeconds": 15,
            "leaseTransitions": 2,
            "acquireTime": "2026-01-02T03:04:05.678901Z",
            "renewTime": "2026-01-02T03:04:05.678901Z",
        },
    }
    assert record == LeaseRecord("pod-1", 15, MOMENT, MOMENT, 2, "2")
    assert await store.get() == record


async def test_what_others_put_on_the_lease_stays():
    """Labels and unknown fields survive a replace; managedFields are not sent back."""
    lease = {
        "metadata": {"labels": {"a": "b"}, "managedFields": [{}], "resourceVersion": "1"},
        "spec": {"holderIdentity": "java", "strategy": "OldestEmulationVersion"},
    }
    client = OneLease(lease)
    store = store_on(client)
    seen = await store.get()
    await store.replace(LeaseRecord("us", 15, MOMENT, MOMENT, 1, seen.version))
    assert client.lease["metadata"]["labels"] == {"a": "b"}
    assert "managedFields" not in client.lease["metadata"]
    assert client.lease["spec"]["strategy"] == "OldestEmulationVersion"
    assert client.lease["spec"]["holderIdentity"] == "us"


async def test_a_stale_version_conflicts():
    """Writes are conditional on the version that was read."""
    client = OneLease()
    store = store_on(client)
    record = await store.create(LeaseRecord("us", 15, MOMENT, MOMENT))
    client.store(client.lease)
    with pytest.raises(Conflict):
        await store.replace(record)


def test_sparse_and_odd_leases_are_read():
    """Missing and malformed fields count as empty."""
    assert from_lease({"metadata": {}}) == LeaseRecord("", 0, None, None)
    odd = {"metadata": {}, "spec": {"renewTime": "yesterday", "holderIdentity": None}}
    assert from_lease(odd) == LeaseRecord("", 0, None, None)


async def test_changes_are_told_without_bookmarks():
    """One Lease is watched, and each change of it is told."""
    assert len([change async for change in store_on(OneLease()).changes()]) == 3
