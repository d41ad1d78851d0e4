"""List, then watch, for ever: one stream of one resource type in one namespace (or all)."""

import asyncio
import contextlib
import enum
import random
from collections.abc import AsyncGenerator, Callable, Iterable, Set as AbstractSet
from typing import Generic, Protocol, TypeVar

import msgspec
import structlog
from attrs import field, frozen

from flinkop.kube import errors, objects, stream
from flinkop.kube.client import Page
from flinkop.kube.meta import Meta, ObjectKey, ResourceType
from flinkop.kube.objects import HasMeta, Undecodable
from flinkop.runtime.backoff import Backoff
from flinkop.runtime.instruments import InformerInstruments

T = TypeVar("T", bound=HasMeta)
S = TypeVar("S")
T_contra = TypeVar("T_contra", bound=HasMeta, contravariant=True)

INITIAL_EVENTS_END = "k8s.io/initial-events-end"

_NO_STREAMED_LISTS = frozenset({400, 405, 406, 415, 422})
"""HTTP statuses by which a server without the WatchList feature refuses its options."""

log = structlog.stdlib.get_logger(__name__)


class State(enum.StrEnum):
    """How a part of a cache stands to the API server."""

    SYNCING = "syncing"
    """The first list has not arrived."""
    SYNCED = "synced"
    CRD_MISSING = "crd-missing"
    """The API server does not serve the type; what was cached is dropped."""
    FORBIDDEN = "forbidden"
    """RBAC says no; what was cached stays and is stale."""
    DEGRADED = "degraded"
    """The API server fails or cannot be reached; what was cached stays and is stale."""


_SAID = {
    State.SYNCING: "Cache waits for its first list",
    State.SYNCED: "Cache is in step with the API server",
    State.CRD_MISSING: "The API server does not serve this type; waiting for its CRD to be installed",
    State.FORBIDDEN: "RBAC forbids to list and watch this; going on without, and trying again",
    State.DEGRADED: "The API server cannot be followed; going on with what is cached",
}


class Source(Protocol):
    """The two calls of `KubeClient` that a reflector makes."""

    async def list_all(
        self,
        rt: ResourceType,
        namespace: str | None = None,
        *,
        label_selector: str | None = None,
        field_selector: str | None = None,
        into: type[S],
    ) -> Page[S]:
        """Read a whole collection."""
        ...

    def watch(
        self,
        rt: ResourceType,
        namespace: str | None = None,
        *,
        label_selector: str | None = None,
        field_selector: str | None = None,
        resource_version: str | None = None,
        send_initial_events: bool = False,
        timeout_seconds: int | None = None,
        silence: float = 90.0,
        on_open: Callable[[], None] | None = None,
    ) -> AsyncGenerator[stream.WatchEvent, None]:
        """Follow a collection."""
        ...


class Sink(Protocol[T_contra]):
    """Who keeps what the reflector hears."""

    async def replace(
        self,
        items: Iterable[T_contra],
        resource_version: str | None,
        *,
        keep: AbstractSet[ObjectKey],
        reset: bool,
    ) -> None:
        """Take a complete list (see `Store.replacing`)."""
        ...

    def upsert(self, obj: T_contra) -> None:
        """Take an added or changed object."""
        ...

    def delete(self, meta: Meta) -> None:
        """Take a deletion."""
        ...

    def undecodable(self, found: Undecodable) -> None:
        """Take an object version that cannot be decoded."""
        ...

    def state_changed(self) -> None:
        """Look at `state` again."""
        ...


@frozen
class What(Generic[T]):
    """What is followed: a type, decoded into `into`, in one namespace or all (None), by selectors."""

    rt: ResourceType
    into: type[T]
    namespace: str | None = None
    label_selector: str | None = None
    field_selector: str | None = None


@frozen
class Timing:
    """Waits, in seconds.

    Attributes:
        silence: without a byte for so long, a watch counts as dead. Bookmarks come about every 60 s.
        watch_shortest: the server is asked to end a watch after a random time between this ...
        watch_longest: ... and this, so that watches spread over API servers again.
        backoff_base: see `Backoff`.
        backoff_cap: see `Backoff`.
        missing_cap: longest wait while the CRD is missing: a 404 is cheap, and people wait for it.
        healthy: a watch that lived so long, or brought something, ends the backoff.
    """

    silence: float = 90.0
    watch_shortest: int = 300
    watch_longest: int = 600
    backoff_base: float = 0.2
    backoff_cap: float = 30.0
    missing_cap: float = 5.0
    healthy: float = 5.0


@frozen
class _Failure:
    """What to do about an error: its name for counting, the state it leads to, whether to relist."""

    reason: str
    state: State = State.DEGRADED
    relist: bool = False
    patience: int = field(default=0, kw_only=True)  # failures before the state changes


def _classify(error: errors.ApiError) -> _Failure:
    if isinstance(error, errors.Gone) or "ResourceVersionTooLarge" in error.causes():
        return _Failure("gone", relist=True, patience=2)
    if isinstance(error, errors.NotFound):
        return _Failure("missing", State.CRD_MISSING, relist=True)
    if isinstance(error, errors.Forbidden):
        return _Failure("forbidden", State.FORBIDDEN)
    if isinstance(error, errors.BadRequest | errors.Invalid):
        return _Failure("error", relist=True, patience=2)
    if error.reason in {"Silent", "Cut"}:
        return _Failure(error.reason.lower(), patience=2)
    return _Failure("error", patience=2)


class Reflector(Generic[T]):
    """Keeps a sink equal to what the API server has.

    Promises:
        - After any interruption it goes on at the last resourceVersion; when that is too old (410,
          as status or inside the stream) it lists again, and the sink learns what vanished.
        - A silent or cut stream is replaced; attempts back off with full jitter and honour
          Retry-After.
        - An object that cannot be decoded is reported, the others go on.
        - While the type is not served it waits; what was there is dropped when a second look
          confirms it (an API server that starts may say 404 once).
        - `run` ends only by cancellation.

    Not promised: every intermediate version; only the latest matters.
    """

    def __init__(
        self,
        source: Source,
        what: What[T],
        sink: Sink[T],
        *,
        instruments: InformerInstruments,
        rng: random.Random,
        timing: Timing | None = None,
    ) -> None:
        self._source = source
        self._what = what
        self._sink = sink
        self._instruments = instruments
        self._rng = rng
        self._timing = timing or Timing()
        self._backoff = Backoff(self._timing.backoff_base, self._timing.backoff_cap, rng)
        self._decode = objects.decoder(what.into).decode
        self._decode_partial = objects.decoder(objects.Partial).decode
        self._streaming_list = True
        self._version: str | None = None  # to resume from; None: list first
        self._seen: str | None = None  # the newest ever seen, also across lists
        self._heard_at = 0.0
        self._log = log.bind(resource=str(what.rt), watched_namespace=what.namespace or "")
        self.state = State.SYNCING
        self.complete = False
        self.error = ""
        self.relists = 0
        self.restarts = 0

    def __repr__(self) -> str:
        where = self._what.namespace or "all namespaces"
        return f"<Reflector {self._what.rt} in {where}: {self.state}, at {self._version}>"

    @property
    def resource_version(self) -> str | None:
        """Return where a new watch would start."""
        return self._version

    @property
    def settled(self) -> bool:
        """Whether there is nothing to wait for: listed once, or known to be impossible for now."""
        return self.complete or self.state in {State.CRD_MISSING, State.FORBIDDEN}

    @property
    def synced(self) -> bool:
        """Whether absence from the sink means absence (apart from the delay of events)."""
        return self.complete and self.state in {State.SYNCED, State.DEGRADED}

    def silent_for(self, now: float) -> float:
        """Return seconds since the API server last said anything, by the event loop's clock."""
        return now - self._heard_at

    async def run(self) -> None:
        """Follow until cancelled."""
        loop = asyncio.get_running_loop()
        self._heard_at = loop.time()
        while True:
            started = loop.time()
            try:
                await self._cycle()
            except errors.ApiError as error:
                wait = await self._failed(error)
            except Exception as error:  # noqa: BLE001 - a bug must not blind the operator
                self._log.exception("Unexpected error while following; listing again")
                self._version = None
                wait = await self._failed(errors.ServerError(repr(error)))
            else:
                self._restarted("ended")
                long_enough = loop.time() - started >= 1
                wait = 0.0 if long_enough else self._backoff.next()
            await asyncio.sleep(wait)

    async def _cycle(self) -> None:
        """Bring the sink up to date, then follow until the stream ends."""
        if self._version is None:
            if self._streaming_list and await self._stream_list():
                return
            await self._list()
        await self._follow()

    async def _stream_list(self) -> bool:
        """List by a watch that goes on afterwards; returns False when the server does not know how."""
        before = self.relists
        try:
            await self._follow(initial=True)
        except errors.ApiError as error:
            # A server that ignores the option never sends the end mark: silence, then.
            if self.relists == before and error.reason == "Silent":
                self._streaming_list = False
            if self.relists > before or error.status not in _NO_STREAMED_LISTS:
                raise
        else:
            if self.relists > before:
                return True
        self._log.info("The API server does not stream lists; listing in pages")
        self._streaming_list = False
        return False

    async def _list(self) -> None:
        what = self._what
        started = asyncio.get_running_loop().time()
        page: Page[T] = await self._source.list_all(
            what.rt,
            what.namespace,
            label_selector=what.label_selector,
            field_selector=what.field_selector,
            into=what.into,
        )
        await self._listed(page.items, page.resource_version, page.undecodable, started)

    async def _follow(self, *, initial: bool = False) -> None:
        what, loop = self._what, asyncio.get_running_loop()
        started = loop.time()
        listing = _Listing[T]() if initial else None
        watch = self._source.watch(
            what.rt,
            what.namespace,
            label_selector=what.label_selector,
            field_selector=what.field_selector,
            resource_version=None if initial else self._version,
            send_initial_events=initial,
            timeout_seconds=self._rng.randint(
                self._timing.watch_shortest, self._timing.watch_longest
            ),
            silence=self._timing.silence,
            on_open=self._opened,
        )
        async with contextlib.aclosing(watch) as events:
            async for event in events:
                self._heard_at = loop.time()
                self._instruments.event(what.rt.plural, event.type)
                if listing is None:
                    self._apply(event)
                    if self._backoff.failures or self.state is not State.SYNCED:
                        self._healthy()
                elif event.type != stream.BOOKMARK:
                    listing.take(self._read(event))
                else:
                    meta = self._decode_partial(event.object).metadata
                    if INITIAL_EVENTS_END in meta.annotations:
                        items, bad = listing.result()
                        await self._listed(items, meta.resource_version, bad, started)
                        listing = None
        if loop.time() - started >= self._timing.healthy:
            self._healthy()

    def _read(self, event: stream.WatchEvent) -> T | Meta | Undecodable:
        """Decode what an event carries: the object, of a deletion the metadata."""
        try:
            if event.type == stream.DELETED:
                return self._decode_partial(event.object).metadata
            return self._decode(event.object)
        except msgspec.ValidationError as error:
            return objects.undecodable(event.object, error)
        except msgspec.DecodeError as error:
            raise stream.StreamError(
                f"an object in the watch is not JSON: {error}", reason="NotAnEvent"
            ) from None

    def _apply(self, event: stream.WatchEvent) -> None:
        if event.type == stream.BOOKMARK:
            self._advance(self._decode_partial(event.object).metadata.resource_version)
            return
        found = self._read(event)
        if isinstance(found, Undecodable):
            self._sink.undecodable(found)
            self._advance(found.resource_version)
        elif isinstance(found, Meta):
            self._sink.delete(found)
            self._advance(found.resource_version)
        else:
            self._sink.upsert(found)
            self._advance(found.metadata.resource_version)

    def _advance(self, version: str) -> None:
        if version:
            self._version = self._seen = version

    async def _listed(
        self, items: Iterable[T], version: str, bad: Iterable[Undecodable], started: float
    ) -> None:
        bad = tuple(bad)
        count = 0

        def counted() -> Iterable[T]:
            nonlocal count
            for item in items:
                count += 1
                yield item

        back_in_time = self._seen is not None and _before(version, self._seen)
        if back_in_time:
            self._log.warning(
                "The API server went back in time (a restored backup?); taking its objects as they are",
                seen=self._seen,
                listed=version,
            )
        await self._sink.replace(
            counted(), version, keep={found.key for found in bad}, reset=back_in_time
        )
        for found in bad:
            self._sink.undecodable(found)
        self._version = self._seen = version
        self.relists += 1
        loop = asyncio.get_running_loop()
        self._heard_at = loop.time()
        self._instruments.listed(self._what.rt.plural, self._heard_at - started, count)
        self.complete = True
        self._become(State.SYNCED)

    async def _failed(self, error: errors.ApiError) -> float:
        """Note a failure; returns seconds to wait."""
        failure = _classify(error)
        self._restarted(failure.reason)
        repeated = self.state is State.CRD_MISSING
        if failure.relist:
            self._version = None
        if failure.state is State.CRD_MISSING and repeated and self.complete:
            await self._sink.replace((), None, keep=frozenset(), reset=False)
            self._seen = None
            self.complete = False
        if self._backoff.failures >= failure.patience:
            self._become(failure.state, error.message)
        missing = failure.state is State.CRD_MISSING
        wait = self._backoff.next(self._timing.missing_cap if missing else None)
        self._log.debug("Watch failed", reason=failure.reason, error=str(error), retry_in=wait)
        return wait + (error.retry_after or 0.0)

    def _opened(self) -> None:
        """Note that the server accepted a watch: what is missing comes now, in order."""
        self._heard_at = asyncio.get_running_loop().time()
        if self.complete:
            self._become(State.SYNCED)

    def _healthy(self) -> None:
        self._backoff.reset()
        if self.complete:
            self._become(State.SYNCED)

    def _restarted(self, reason: str) -> None:
        self.restarts += 1
        self._instruments.watch_restarted(self._what.rt.plural, reason)

    def _become(self, state: State, error: str = "") -> None:
        self.error = error
        if state is self.state:
            return
        before, self.state = self.state, state
        if state is State.SYNCED:
            self._log.info(_SAID[state], was=str(before))
        else:
            self._log.warning(_SAID[state], error=error)
        self._instruments.state(self._what.rt.plural, self._what.namespace or "", str(state))
        self._sink.state_changed()


class _Listing(Generic[T]):
    """Collects the initial events of a streamed list, later ones overriding earlier ones."""

    def __init__(self) -> None:
        self._items: dict[ObjectKey, T] = {}
        self._bad: dict[ObjectKey, Undecodable] = {}

    def take(self, found: T | Meta | Undecodable) -> None:
        if isinstance(found, Undecodable):
            self._bad[found.key] = found
        elif isinstance(found, Meta):
            self._items.pop(found.key, None)
            self._bad.pop(found.key, None)
        else:
            self._items[found.metadata.key] = found

    def result(self) -> tuple[Iterable[T], Iterable[Undecodable]]:
        return self._items.values(), self._bad.values()


def _before(version: str, other: str) -> bool:
    try:
        return int(version) < int(other)
    except ValueError:
        return False
