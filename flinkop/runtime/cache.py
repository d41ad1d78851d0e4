"""The core of an informer, without I/O: a store, the handlers, and what could not be decoded."""

from collections.abc import Callable, Iterable, Mapping, Set as AbstractSet
from typing import Generic, TypeVar

import structlog

from flinkop.kube.meta import ObjectKey, ResourceType
from flinkop.kube.objects import HasMeta, Undecodable
from flinkop.runtime.instruments import InformerInstruments
from flinkop.runtime.store import Change, Indexer, Store

T = TypeVar("T", bound=HasMeta)

Handler = Callable[[T | None, T | None], None]

log = structlog.stdlib.get_logger(__name__)


class Cache(Generic[T]):
    """Tells handlers what changes in a store.

    Promises: handlers hear each change once, in order, after the store has it; an exception in one
    is logged and counted and reaches nobody else.
    """

    def __init__(
        self,
        rt: ResourceType,
        indexers: Mapping[str, Indexer[T]] | None,
        instruments: InformerInstruments,
    ) -> None:
        self.store: Store[T] = Store(indexers)
        self.undecodable: dict[ObjectKey, Undecodable] = {}
        self.handler_failures = 0
        self._rt = rt
        self._instruments = instruments
        self._handlers: list[Handler[T]] = []

    def add_handler(self, on_event: Handler[T]) -> None:
        """Call `on_event(old, new)` for each change, and now for each object already known."""
        self._handlers.append(on_event)
        for obj in self.store.list():
            self._call(on_event, Change(None, obj))

    def changed(self, changes: Iterable[Change[T]]) -> None:
        """Tell the handlers what the store reported."""
        for change in changes:
            if self.undecodable and change.new is not None:
                self.undecodable.pop(change.new.metadata.key, None)
            for handler in self._handlers:
                self._call(handler, change)
            if change.old is None or change.new is None:
                self._instruments.objects(self._rt.plural, len(self.store))

    def report(self, found: Undecodable) -> None:
        """Keep and report an object that cannot be decoded, once for each version."""
        known = self.undecodable.get(found.key)
        if known is not None and known.resource_version == found.resource_version:
            return
        self.undecodable[found.key] = found
        self._instruments.undecodable(self._rt.plural)
        log.error(
            "An object cannot be decoded; keeping its last good version",
            resource=str(self._rt),
            object=str(found.key),
            resource_version=found.resource_version,
            error=found.error,
        )

    def forget_undecodable(
        self, namespace: str, keep: AbstractSet[ObjectKey] = frozenset()
    ) -> None:
        """Drop reports of objects that are no longer there; an empty namespace means all."""
        gone = [
            key
            for key in self.undecodable
            if key not in keep and (not namespace or key.namespace == namespace)
        ]
        for key in gone:
            del self.undecodable[key]

    def _call(self, handler: Handler[T], change: Change[T]) -> None:
        try:
            handler(change.old, change.new)
        except Exception:
            self.handler_failures += 1
            self._instruments.handler_failed(self._rt.plural)
            subject = change.new or change.old
            log.exception(
                "A handler failed; the event is lost to it",
                resource=str(self._rt),
                object=str(subject.metadata.key) if subject else "",
            )
