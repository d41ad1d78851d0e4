"""A read-only view of a store."""

from typing import Generic, TypeVar

from flinkop.kube.meta import ObjectKey
from flinkop.kube.objects import HasMeta
from flinkop.runtime.store import Store

T = TypeVar("T", bound=HasMeta)


class Lister(Generic[T]):
    """What controllers read instead of asking the API server.

    Promises: answers come from memory, at once. Not promised: that they are current; ask the
    informer's `has_synced` before concluding from an absence.
    """

    def __init__(self, store: Store[T]) -> None:
        self._store = store

    def __len__(self) -> int:
        return len(self._store)

    def get(self, key: ObjectKey) -> T | None:
        """Return the object, or None."""
        return self._store.get(key)

    def list(self, namespace: str | None = None) -> tuple[T, ...]:
        """Return all objects, or those of one namespace."""
        return self._store.list(namespace)

    def by_index(self, index: str, value: str) -> tuple[T, ...]:
        """Return the objects filed under `value`; KeyError when there is no such index."""
        return self._store.by_index(index, value)
