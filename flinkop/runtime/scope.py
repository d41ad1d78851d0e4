"""Which namespaces a cache covers: all, a list, or those that a label selector finds."""

import random
from collections.abc import Callable, Iterable, Set as AbstractSet
from typing import Protocol

from flinkop.kube.meta import NAMESPACES, Meta, ObjectKey
from flinkop.kube.objects import NamespaceView, Undecodable
from flinkop.runtime.instruments import InformerInstruments, NoInformerInstruments
from flinkop.runtime.reflector import Reflector, Source, State, Timing, What

Listener = Callable[[], None]


class Scope(Protocol):
    """A set of namespaces that may change while running. One scope may serve many informers."""

    def namespaces(self) -> frozenset[str] | None:
        """Return the namespaces at present; None: all, to be followed by one cluster-wide watch."""
        ...

    @property
    def settled(self) -> bool:
        """Whether the set is known, or is known not to be knowable for now."""
        ...

    @property
    def synced(self) -> bool:
        """Whether the set is known."""
        ...

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` whenever the set or `settled` changes."""
        ...

    async def run(self) -> None:
        """Follow the set until cancelled; returns at once when it never changes."""
        ...


class FixedScope:
    """All namespaces, or a list of them."""

    def __init__(self, names: Iterable[str] | None = None) -> None:
        self._names = _at_least_one(names)

    def __repr__(self) -> str:
        names = "all" if self._names is None else ", ".join(sorted(self._names))
        return f"<FixedScope {names}>"

    def namespaces(self) -> frozenset[str] | None:
        """Return the names, or None for all."""
        return self._names

    @property
    def settled(self) -> bool:
        """Return True."""
        return True

    @property
    def synced(self) -> bool:
        """Return True."""
        return True

    def subscribe(self, listener: Listener) -> None:
        """Do nothing: the set never changes."""

    async def run(self) -> None:
        """Return at once."""


class ListedScope(FixedScope):
    """All namespaces, or a list of them, until somebody gives another one."""

    def __init__(self, names: Iterable[str] | None = None) -> None:
        super().__init__(names)
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` after each change."""
        self._listeners.append(listener)

    def change(self, names: Iterable[str] | None) -> None:
        """Take another list, or all; nobody is told when it is the same set."""
        wanted = _at_least_one(names)
        if wanted != self._names:
            self._names = wanted
            for listener in self._listeners:
                listener()


def _at_least_one(names: Iterable[str] | None) -> frozenset[str] | None:
    wanted = None if names is None else frozenset(names)
    if wanted is not None and not wanted:
        raise ValueError("a list of namespaces needs at least one")
    return wanted


ALL = FixedScope()


class SelectedScope:
    """The namespaces whose labels match a selector, followed live.

    Promises: a namespace joins within one watch event of being made or labelled, and leaves likewise;
    while the API server cannot be reached, or forbids to watch namespaces, the last known set stays.
    """

    def __init__(
        self,
        source: Source,
        label_selector: str,
        *,
        instruments: InformerInstruments | None = None,
        rng: random.Random | None = None,
        timing: Timing | None = None,
    ) -> None:
        self._uids: dict[str, str] = {}
        self._listeners: list[Listener] = []
        self._reflector = Reflector(
            source,
            What(NAMESPACES, NamespaceView, label_selector=label_selector),
            self,
            instruments=instruments or NoInformerInstruments(),
            rng=rng or random.Random(),  # noqa: S311 - jitter, not secrets
            timing=timing,
        )

    def __repr__(self) -> str:
        return f"<SelectedScope {self.state}: {', '.join(sorted(self._uids))}>"

    @property
    def state(self) -> State:
        """Return how the watch on namespaces stands."""
        return self._reflector.state

    @property
    def settled(self) -> bool:
        """Whether the set is known, or is known to be forbidden."""
        return self._reflector.settled

    @property
    def synced(self) -> bool:
        """Whether the set is known."""
        return self._reflector.synced

    def namespaces(self) -> frozenset[str]:
        """Return the names at present."""
        return frozenset(self._uids)

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` whenever the set or `settled` changes."""
        self._listeners.append(listener)

    async def run(self) -> None:
        """Follow until cancelled."""
        await self._reflector.run()

    async def replace(
        self,
        items: Iterable[NamespaceView],
        resource_version: str | None,  # noqa: ARG002 - part of the Sink protocol
        *,
        keep: AbstractSet[ObjectKey],
        reset: bool,  # noqa: ARG002
    ) -> None:
        """Take a complete list."""
        kept = {key.name: self._uids.get(key.name, "") for key in keep}
        self._uids = kept | {item.metadata.name: item.metadata.uid for item in items}
        self._tell()

    def upsert(self, obj: NamespaceView) -> None:
        """Take a namespace that matches."""
        meta = obj.metadata
        joined = meta.name not in self._uids
        self._uids[meta.name] = meta.uid
        if joined:
            self._tell()

    def delete(self, meta: Meta) -> None:
        """Take a namespace that is gone or matches no more."""
        if self._uids.get(meta.name) in {meta.uid, ""}:
            del self._uids[meta.name]
            self._tell()

    def undecodable(self, found: Undecodable) -> None:
        """Take a namespace of which no more than the name can be read: that is enough."""
        if found.key.name and found.key.name not in self._uids:
            self._uids[found.key.name] = found.uid
            self._tell()

    def state_changed(self) -> None:
        """Pass the change on."""
        self._tell()

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()
