"""Caches filled by hand: what an informer is to those who only read it."""

from collections.abc import Mapping
from typing import Any

import msgspec

from flinkop.kube.meta import ObjectKey
from flinkop.kube.objects import CustomObject
from flinkop.runtime.lister import Lister
from flinkop.runtime.store import Indexer, Store


def custom_object(name: str = "basic", namespace: str = "ns", **members: Any) -> CustomObject:
    """Return a custom resource; `spec` and `status` are members, everything else is metadata."""
    document: dict[str, Any] = {
        member: members.pop(member)
        for member in ("spec", "status")
        if members.get(member) is not None
    }
    members.pop("spec", None), members.pop("status", None)
    base = {"name": name, "namespace": namespace, "uid": f"uid-{name}", "generation": 1}
    document["metadata"] = {**base, "resourceVersion": "1", **members}
    return msgspec.json.decode(msgspec.json.encode(document), type=CustomObject)


class FakeCache:
    """Objects, and whether absence means absence; `put` and `drop` change them."""

    def __init__(
        self,
        *objects: CustomObject,
        indexers: Mapping[str, Indexer[CustomObject]] | None = None,
        synced: bool = True,
    ) -> None:
        self.store: Store[CustomObject] = Store(indexers)
        self.lister = Lister(self.store)
        self.synced = synced
        self.noted: list[CustomObject] = []
        self._version = 1
        for obj in objects:
            self.put(obj)

    def has_synced(self, namespace: str | None = None) -> bool:
        """Return what the test says."""
        return self.synced

    def note_write(self, obj: CustomObject) -> None:
        """Take the answer to a write."""
        self.noted.append(obj)
        self.store.note(obj)

    def put(self, obj: CustomObject) -> None:
        """Make `obj` the newest version of itself."""
        self._version += 1
        metadata = msgspec.structs.replace(obj.metadata, resource_version=str(self._version))
        self.store.upsert(msgspec.structs.replace(obj, metadata=metadata))

    def drop(self, name: str, namespace: str = "ns") -> None:
        """Take an object away."""
        found = self.store.get(ObjectKey(namespace, name))
        if found is not None:
            self.store.delete(found.metadata)
