"""Objects by key, with indexes: what an informer knows."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Set as AbstractSet
from typing import Generic, TypeVar

from attrs import frozen

from flinkop.kube.meta import Meta, ObjectKey
from flinkop.kube.objects import HasMeta

T = TypeVar("T", bound=HasMeta)

Indexer = Callable[[T], Iterable[str]]
"""The values under which an object is found; pure, cheap, must not raise."""


@frozen
class Change(Generic[T]):
    """What happened to one object: `old` is None when added, `new` is None when deleted."""

    old: T | None
    new: T | None


class Store(Generic[T]):
    """Objects by key.

    Promises:
        - An object never goes back: a version not newer than the stored one (resourceVersion as a
          number) of the same uid is ignored. Versions that are no numbers are taken as they come.
        - The same key with a newer uid is a deletion and an addition, in this order; with an older
          uid it is ignored.
        - A deletion always wins over what is stored of the same uid. An answer to a write that arrives
          after the stream has passed it (`note`, `advance`) does not bring a deleted object back.
        - Indexes agree with the objects after every call; each call is O(1) in the number of objects,
          `replacing` O(1) for each step.

    Not promised: that objects are current; a store follows. Objects are shared, never copied: nobody
    may change them.
    """

    def __init__(self, indexers: Mapping[str, Indexer[T]] | None = None) -> None:
        self._indexers: dict[str, Indexer[T]] = dict(indexers or {})
        self._items: dict[ObjectKey, T] = {}
        # Inner dicts are ordered sets: lists come out in a stable order.
        self._namespaces: dict[str, dict[ObjectKey, None]] = {}
        self._indexes: dict[str, dict[str, dict[ObjectKey, None]]] = {
            name: {} for name in self._indexers
        }
        # How far the stream of a namespace (None: of all) has come.
        self._positions: dict[str | None, str] = {}

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return f"<Store of {len(self)} objects in {len(self._namespaces)} namespaces>"

    def get(self, key: ObjectKey) -> T | None:
        """Return the object, or None."""
        return self._items.get(key)

    def list(self, namespace: str | None = None) -> tuple[T, ...]:
        """Return all objects, or those of one namespace."""
        if namespace is None:
            return tuple(self._items.values())
        return tuple(self._items[key] for key in self._namespaces.get(namespace, ()))

    def by_index(self, index: str, value: str) -> tuple[T, ...]:
        """Return the objects that the indexer `index` files under `value`; KeyError: no such index."""
        return tuple(self._items[key] for key in self._indexes[index].get(value, ()))

    def upsert(self, obj: T) -> tuple[Change[T], ...]:
        """Take a version from the stream; returns what changed, nothing when it is not newer."""
        return self._put(obj, force=False)

    def note(self, obj: T) -> tuple[Change[T], ...]:
        """Take the answer to a write.

        An object that is not stored although the stream has passed this version is deleted by now
        (or its labels match no more), and stays so.
        """
        meta = obj.metadata
        if meta.key not in self._items:
            for part in (None, meta.namespace):
                position = self._positions.get(part)
                if position is not None and not _newer(meta.resource_version, position):
                    return ()
        return self._put(obj, force=False)

    def delete(self, meta: Meta) -> tuple[Change[T], ...]:
        """Take a deletion from the stream: `meta` as of the deletion."""
        old = self._items.get(meta.key)
        if old is None:
            return ()
        known = old.metadata
        if known.uid != meta.uid and _newer(known.resource_version, meta.resource_version):
            return ()  # an earlier bearer of the name; the present one is already known
        self._remove(meta.key, old)
        return (Change(old, None),)

    def advance(self, resource_version: str, namespace: str | None = None) -> None:
        """Remember that everything up to `resource_version` has been taken from a stream.

        Args:
            resource_version: of the last event.
            namespace: the stream covers this namespace only; None: all.
        """
        self._positions[namespace] = resource_version

    def replace(
        self,
        items: Iterable[T],
        resource_version: str | None,
        *,
        namespace: str | None = None,
        keep: AbstractSet[ObjectKey] = frozenset(),
        reset: bool = False,
    ) -> tuple[Change[T], ...]:
        """Do all steps of `replacing` at once; returns what changed."""
        steps = self.replacing(items, resource_version, namespace=namespace, keep=keep, reset=reset)
        return tuple(change for change in steps if change is not None)

    def replacing(
        self,
        items: Iterable[T],
        resource_version: str | None,
        *,
        namespace: str | None = None,
        keep: AbstractSet[ObjectKey] = frozenset(),
        reset: bool = False,
    ) -> Iterator[Change[T] | None]:
        """Take a complete list step by step; other calls may come between the steps.

        What is stored but not listed has vanished unseen and is deleted, unless it is newer than the
        list (the answer to a write).

        Args:
            items: the listed objects.
            resource_version: of the list; None means newer than anything: nothing stored survives.
            namespace: the list covers this namespace only; None: all.
            keep: keys that were listed but could not be decoded: the last good version stays.
            reset: take the listed versions even if they are older: the API server went back in time
                (a restored backup).

        Yields:
            One step each: what changed, or None.
        """
        if resource_version is None:
            self._positions.pop(namespace, None)
        else:
            self._positions[namespace] = resource_version
        present = set(keep)
        for obj in items:
            present.add(obj.metadata.key)
            changes = self._put(obj, force=reset)
            yield from changes or (None,)
        stored = self._items if namespace is None else self._namespaces.get(namespace, {})
        for key in tuple(stored):
            yield None if key in present else self._vanished(key, resource_version, reset=reset)

    def statistics(self) -> Mapping[str, int]:
        """Return counts: objects, namespaces, streams."""
        return {
            "objects": len(self._items),
            "namespaces": len(self._namespaces),
            "streams": len(self._positions),
        }

    def _vanished(
        self, key: ObjectKey, resource_version: str | None, *, reset: bool
    ) -> Change[T] | None:
        old = self._items.get(key)
        if old is None:
            return None
        unseen = resource_version is not None and _newer(
            old.metadata.resource_version, resource_version
        )
        if unseen and not reset:
            return None
        self._remove(key, old)
        return Change(old, None)

    def _put(self, new: T, *, force: bool) -> tuple[Change[T], ...]:
        meta = new.metadata
        key = meta.key
        old = self._items.get(key)
        if old is None:
            self._items[key] = new
            self._namespaces.setdefault(key.namespace, {})[key] = None
            self._file(key, None, new)
            return (Change(None, new),)
        known = old.metadata
        version = meta.resource_version
        same = version == known.resource_version and meta.uid == known.uid
        if same or not (force or _newer(version, known.resource_version)):
            return ()
        self._items[key] = new
        self._file(key, old, new)
        if known.uid == meta.uid:
            return (Change(old, new),)
        return Change(old, None), Change(None, new)

    def _remove(self, key: ObjectKey, old: T) -> None:
        del self._items[key]
        members = self._namespaces[key.namespace]
        del members[key]
        if not members:
            del self._namespaces[key.namespace]
        self._file(key, old, None)

    def _file(self, key: ObjectKey, old: T | None, new: T | None) -> None:
        for name, indexer in self._indexers.items():
            index = self._indexes[name]
            before = set(indexer(old)) if old is not None else set()
            after = set(indexer(new)) if new is not None else set()
            for value in before - after:
                members = index[value]
                del members[key]
                if not members:
                    del index[value]
            for value in after - before:
                index.setdefault(value, {})[key] = None


def _newer(version: str, than: str) -> bool:
    """Whether a resourceVersion is newer; what is not a number counts as newer."""
    try:
        return int(version) > int(than)
    except ValueError:
        return True
