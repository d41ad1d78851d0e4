"""Writes Events: merged, spaced out, in the background, and never at the cost of a reconcile.

Written as core/v1 Events, because their names, `source.component` and `count` are what people and
programs already select by (behaviour.md E-1 to E-6); events.k8s.io/v1 has no place for these.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final, Protocol

import structlog
from attrs import define, field

from flinkop.clock import Clock, rfc3339
from flinkop.events.draft import EventDraft, EventType, InvolvedObject
from flinkop.kube import errors, meta

_log = structlog.get_logger(__name__)

_REMEMBERED: Final = (
    20_000  # identities; the oldest are forgotten, at the price of one more request
)
_WAITING: Final = 10_000  # drafts not yet written; beyond it the newest are dropped and counted
_WRITERS: Final = 4
_SPACING_SECONDS: Final = 30.0  # a repeated Event is counted at once and written at most this often
_MESSAGE_LIMIT: Final = 1024  # characters; the API server refuses more


class EventWriter(Protocol):
    """The three calls this room makes; `kube.client.KubeClient` has them."""

    async def create(self, rt: meta.ResourceType, namespace: str, body: Mapping[str, Any]) -> Any:
        """Create an Event."""
        ...

    async def get(self, rt: meta.ResourceType, key: meta.ObjectKey) -> Any:
        """Read an Event as a dictionary."""
        ...

    async def merge_patch(
        self, rt: meta.ResourceType, key: meta.ObjectKey, patch: Mapping[str, Any]
    ) -> Any:
        """Patch an Event."""
        ...


@define
class _Known:
    """An Event that is there: `annotated` are the keys of all annotations that it may have."""

    count: int
    written_at: float
    annotated: frozenset[str]


@define
class Recorder:
    """Takes drafts at once and writes them from its own tasks.

    Promises: `emit` never blocks and never raises; Events of one identity are written in order; a
    repetition raises `count` instead of making a new Event. Not promised: that every Event arrives.
    A failed write is logged, counted in `dropped` and not repeated.
    """

    _client: EventWriter
    _clock: Clock
    dropped: int = 0
    _overflowing: bool = field(default=False, init=False)
    _known: OrderedDict[tuple[str, str], _Known] = field(factory=OrderedDict)
    _queues: list[asyncio.Queue[tuple[InvolvedObject, EventDraft]]] = field(
        factory=lambda: [asyncio.Queue(_WAITING // _WRITERS) for _ in range(_WRITERS)],
    )
    _stopped: asyncio.Event = field(factory=asyncio.Event)

    def emit(self, about: InvolvedObject, draft: EventDraft) -> None:
        """Take `draft` about the resource `about`, to be written soon."""
        queue = self._queues[hash((about.uid, draft.object_name(about))) % _WRITERS]
        try:
            queue.put_nowait((about, draft))
        except asyncio.QueueFull:
            self.dropped += 1
            if not self._overflowing:
                _log.warning("events come faster than they can be written; the newest are dropped")
            # Said once: one full queue beside empty ones would flood the log.
            self._overflowing = True

    async def run(self) -> None:
        """Write what was taken, until `stop` or cancellation."""
        async with asyncio.TaskGroup() as group:
            writers = [group.create_task(self._write_from(queue)) for queue in self._queues]
            await self._stopped.wait()
            for writer in writers:
                writer.cancel()

    async def stop(self, deadline: float) -> None:
        """Write what was taken so far, for at most `deadline` seconds, and let `run` end."""
        await self._flush(deadline)
        self._stopped.set()

    async def _flush(self, deadline: float) -> None:
        try:
            async with asyncio.timeout(deadline):
                for queue in self._queues:
                    await queue.join()
        except TimeoutError:
            _log.warning("events not written in time", waiting=sum(q.qsize() for q in self._queues))

    async def _write_from(self, queue: asyncio.Queue[tuple[InvolvedObject, EventDraft]]) -> None:
        while True:
            about, draft = await queue.get()
            try:
                await self._write(about, draft)
            except (errors.ApiError, errors.FencedError) as error:
                self.dropped += 1
                _log.warning(
                    "event not written",
                    namespace=about.namespace,
                    name=about.name,
                    reason=draft.reason,
                    error=str(error),
                )
            finally:
                queue.task_done()

    async def _write(self, about: InvolvedObject, draft: EventDraft) -> None:
        name = draft.object_name(about)
        identity = (about.namespace, name)
        known = self._known.get(identity)
        if known is None:
            known = await self._create(about, draft, name)
            self._remember(identity, known)
            return
        if draft.once:
            return
        known.count += 1
        if self._clock.monotonic() - known.written_at >= _SPACING_SECONDS:
            await self._update(about, draft, name, known)

    async def _create(self, about: InvolvedObject, draft: EventDraft, name: str) -> _Known:
        now = self._clock.monotonic()
        try:
            await self._client.create(
                meta.EVENTS, about.namespace, event_body(about, draft, name, self._stamp())
            )
        except errors.AlreadyExists:
            existing = await self._client.get(meta.EVENTS, meta.ObjectKey(about.namespace, name))
            count = int(existing.get("count") or 1) + 1
            known = _Known(count, now, frozenset(existing["metadata"].get("annotations") or ()))
            if not draft.once:
                await self._update(about, draft, name, known)
            return known
        audit(about, draft)
        return _Known(1, now, frozenset(draft.annotations))

    async def _update(
        self, about: InvolvedObject, draft: EventDraft, name: str, known: _Known
    ) -> None:
        known.written_at = self._clock.monotonic()
        patch: dict[str, Any] = {
            "count": known.count,
            "lastTimestamp": self._stamp(),
            "message": _cut(draft.message),
        }
        if draft.annotations:
            replaced = {**dict.fromkeys(known.annotated), **draft.annotations}
            patch["metadata"] = {"annotations": replaced}
            known.annotated |= frozenset(draft.annotations)
        try:
            await self._client.merge_patch(
                meta.EVENTS, meta.ObjectKey(about.namespace, name), patch
            )
        except errors.NotFound:  # expired in the API server since: start again
            known.count = 1
            await self._client.create(
                meta.EVENTS, about.namespace, event_body(about, draft, name, self._stamp())
            )
        audit(about, draft)

    def _remember(self, identity: tuple[str, str], known: _Known) -> None:
        self._known[identity] = known
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    def _stamp(self) -> str:
        return rfc3339(self._clock.now())


def audit(about: InvolvedObject, draft: EventDraft) -> None:
    """Log a written Event the way the reference does (behaviour.md 7.3)."""
    source = "Event[Snapshot]" if about.kind == meta.FLINKSTATESNAPSHOTS.kind else "Event[Job]"
    level = "Info" if draft.type is EventType.NORMAL else draft.type.value
    _log.info(
        f">>> {source:<16} | {level:<7} | {draft.reason.upper():<15} | {draft.message}",
        namespace=about.namespace,
        name=about.name,
    )


def event_body(about: InvolvedObject, draft: EventDraft, name: str, stamp: str) -> dict[str, Any]:
    """Return the core/v1 Event for `draft`, first seen at `stamp` (RFC 3339)."""
    annotated = {"annotations": dict(draft.annotations)} if draft.annotations else {}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": about.namespace, **annotated},
        "involvedObject": {
            "apiVersion": about.api_version,
            "kind": about.kind,
            "name": about.name,
            "namespace": about.namespace,
            "uid": about.uid,
        },
        "type": draft.type.value,
        "reason": draft.reason,
        "message": _cut(draft.message),
        "source": {"component": draft.component},
        "firstTimestamp": stamp,
        "lastTimestamp": stamp,
        "count": 1,
    }


def _cut(message: str) -> str:
    return message if len(message) <= _MESSAGE_LIMIT else message[: _MESSAGE_LIMIT - 1] + "…"
