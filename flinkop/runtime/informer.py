"""A cache of one resource type: reflectors for its namespaces, one store, handlers."""

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping, Set as AbstractSet
from typing import Generic, TypeVar

from attrs import frozen

from flinkop.kube.meta import Meta, ObjectKey, ResourceType
from flinkop.kube.objects import HasMeta, Undecodable
from flinkop.runtime.cache import Cache, Handler
from flinkop.runtime.instruments import InformerInstruments, NoInformerInstruments
from flinkop.runtime.lister import Lister
from flinkop.runtime.reflector import Reflector, Source, State, Timing, What
from flinkop.runtime.scope import ALL, Scope
from flinkop.runtime.store import Indexer

T = TypeVar("T", bound=HasMeta)

SLICE = 0.005
"""Seconds of work on a large list before other tasks get a turn."""


@frozen
class PartStatistics:
    """One reflector of an informer.

    Attributes:
        namespace: empty for a cluster-wide one.
        state: how it stands to the API server.
        error: the last failure's message while it does not follow; else empty.
        synced: whether absence from the cache means absence.
        resource_version: where a new watch would start; empty before the first list.
        silent_for: seconds since the API server last said anything.
        relists: complete lists so far.
        restarts: watches that ended, for whatever reason.
    """

    namespace: str
    state: State
    error: str
    synced: bool
    resource_version: str
    silent_for: float
    relists: int
    restarts: int


@frozen
class InformerStatistics:
    """A snapshot of an informer."""

    resource: str
    objects: int
    undecodable: int
    handler_failures: int
    parts: tuple[PartStatistics, ...]


class Informer(Generic[T]):
    """Keeps the objects of a type in memory and tells handlers what changes.

    Promises:
        - Handlers are called on the event loop, in the order of the stream for each object, with
          (None, new), (old, new) or (old, None); a name reused by another uid gives a deletion and
          then an addition. They hear of every object once the informer has synced, however it came.
        - An exception in a handler is logged and counted; the stream and other handlers go on.
        - A namespace that is forbidden, or a type that is not installed, holds nothing else up.
        - `note_write` makes what a write returned visible at once; older events that arrive later
          do not undo it.
        - A large list is taken in slices: no turn of the event loop lasts longer than some ms.

    Not promised: every intermediate version, or that the cache is current: it follows by one network
    hop. Handlers must be cheap and must not block: they put a name into a queue.
    """

    def __init__(
        self,
        source: Source,
        rt: ResourceType,
        into: type[T],
        *,
        scope: Scope = ALL,
        label_selector: str | None = None,
        field_selector: str | None = None,
        indexers: Mapping[str, Indexer[T]] | None = None,
        instruments: InformerInstruments | None = None,
        rng: random.Random | None = None,
        timing: Timing | None = None,
    ) -> None:
        self.rt = rt
        self._source = source
        self._into = into
        self._scope = scope
        self._selectors = (label_selector, field_selector)
        self._instruments = instruments or NoInformerInstruments()
        self._rng = rng or random.Random()  # noqa: S311 - jitter, not secrets
        self._timing = timing
        self._cache: Cache[T] = Cache(rt, indexers, self._instruments)
        self.lister = Lister(self._cache.store)
        self._parts: dict[str, _Part[T]] = {}
        self._scope_changed = asyncio.Event()
        self._settled = asyncio.Event()
        self._started = False
        scope.subscribe(self._on_scope)

    def __repr__(self) -> str:
        return f"<Informer {self.rt}: {len(self.lister)} objects, {len(self._parts)} parts>"

    def add_handler(self, on_event: Handler[T]) -> None:
        """Call `on_event(old, new)` for each change, and now for each object already known."""
        self._cache.add_handler(on_event)

    def has_synced(self, namespace: str | None = None) -> bool:
        """Whether absence from the cache means absence: everywhere, or in one namespace.

        False while a part has not listed yet, is forbidden, or its CRD is missing. True while the API
        server cannot be reached after a first list: the cache is then stale, not incomplete.
        """
        if not self._started or not self._scope.synced:
            return False
        if namespace is not None:
            part = self._parts.get("") or self._parts.get(namespace)
            return part is not None and part.reflector.synced
        return all(part.reflector.synced for part in self._parts.values())

    async def wait_synced(self) -> None:
        """Wait until each part has listed, or is known not to be able to for now.

        A missing CRD or a forbidden namespace does not hold this up: ask `has_synced` afterwards.
        """
        await self._settled.wait()

    async def run(self) -> None:
        """Follow until cancelled. The scope is run by whoever made it."""
        async with asyncio.TaskGroup() as group:
            tasks: dict[str, asyncio.Task[None]] = {}
            while True:
                self._scope_changed.clear()
                wanted = self._wanted()
                for name in [name for name in tasks if name not in wanted]:
                    tasks.pop(name).cancel()
                    self._drop(name)
                for name in sorted(wanted - set(tasks)):
                    part = self._parts[name] = self._part(name)
                    tasks[name] = group.create_task(
                        part.reflector.run(), name=f"reflector {self.rt} {name}".strip()
                    )
                self._started = True
                self._look()
                await self._scope_changed.wait()

    def note_write(self, obj: T) -> None:
        """Take what the API server answered to a write of ours.

        Ignored when the object's deletion was seen meanwhile, when something newer is known, and when
        its namespace is not covered. With selectors, note only objects that match them.
        """
        namespace = obj.metadata.namespace
        if "" in self._parts or namespace in self._parts:
            self._cache.changed(self._cache.store.note(obj))

    def undecodable(self) -> tuple[Undecodable, ...]:
        """Return the objects that cannot be decoded now; the lister has their last good version."""
        return tuple(self._cache.undecodable.values())

    def statistics(self) -> InformerStatistics:
        """Return a snapshot of the insides."""
        now = asyncio.get_running_loop().time()
        return InformerStatistics(
            resource=str(self.rt),
            objects=len(self.lister),
            undecodable=len(self._cache.undecodable),
            handler_failures=self._cache.handler_failures,
            parts=tuple(part.statistics(now) for part in self._parts.values()),
        )

    def _wanted(self) -> set[str]:
        names = self._scope.namespaces()
        if names is None or not self.rt.namespaced:
            return {""}
        return set(names)

    def _part(self, name: str) -> "_Part[T]":
        labels, fields = self._selectors
        what = What(self.rt, self._into, name or None, labels, fields)
        part: _Part[T] = _Part(self._cache, name, self._look)
        part.reflector = Reflector(
            self._source,
            what,
            part,
            instruments=self._instruments,
            rng=self._rng,
            timing=self._timing,
        )
        return part

    def _drop(self, name: str) -> None:
        """Forget a namespace that left the scope."""
        del self._parts[name]
        self._cache.forget_undecodable(name)
        self._cache.changed(self._cache.store.replace((), None, namespace=name or None))

    def _on_scope(self) -> None:
        self._scope_changed.set()
        self._look()

    def _look(self) -> None:
        """Set or clear what `wait_synced` waits for."""
        known = self._started and self._scope.settled and set(self._parts) == self._wanted()
        if known and all(part.reflector.settled for part in self._parts.values()):
            self._settled.set()
        else:
            self._settled.clear()


class _Part(Generic[T]):
    """The sink of one reflector: one namespace, or all."""

    reflector: Reflector[T]

    def __init__(self, cache: Cache[T], name: str, on_state: Callable[[], None]) -> None:
        self._cache = cache
        self._name = name
        self._on_state = on_state

    async def replace(
        self,
        items: Iterable[T],
        resource_version: str | None,
        *,
        keep: AbstractSet[ObjectKey],
        reset: bool,
    ) -> None:
        """Take a complete list in slices, so that a large one does not stop the event loop."""
        cache, loop = self._cache, asyncio.get_running_loop()
        cache.forget_undecodable(self._name, keep)
        until = loop.time() + SLICE
        for change in cache.store.replacing(
            items, resource_version, namespace=self._name or None, keep=keep, reset=reset
        ):
            if change is not None:
                cache.changed((change,))
            if loop.time() >= until:
                await asyncio.sleep(0)
                until = loop.time() + SLICE

    def upsert(self, obj: T) -> None:
        """Take an added or changed object."""
        store = self._cache.store
        store.advance(obj.metadata.resource_version, self._name or None)
        self._cache.changed(store.upsert(obj))

    def delete(self, meta: Meta) -> None:
        """Take a deletion."""
        self._cache.undecodable.pop(meta.key, None)
        store = self._cache.store
        store.advance(meta.resource_version, self._name or None)
        self._cache.changed(store.delete(meta))

    def undecodable(self, found: Undecodable) -> None:
        """Report a version once."""
        self._cache.report(found)

    def state_changed(self) -> None:
        """Let waiters look again."""
        self._on_state()

    def statistics(self, now: float) -> PartStatistics:
        """Return a snapshot."""
        reflector = self.reflector
        return PartStatistics(
            namespace=self._name,
            state=reflector.state,
            error=reflector.error,
            synced=reflector.synced,
            resource_version=reflector.resource_version or "",
            silent_for=reflector.silent_for(now),
            relists=reflector.relists,
            restarts=reflector.restarts,
        )
