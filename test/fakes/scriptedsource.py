"""What a reflector reads from, as a script: lists, watches, faults and pauses, in virtual time.

    source = ScriptedSource()
    source.watch([initial(obj("a", 5), version=7), bookmark(9), Wait(30), errors.Gone("too old")])

Each `watch` and `list` scripts one call; a call beyond the script waits for ever, which a test sees as a
silent stream. `calls` has what was asked, with the loop's time.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from typing import Any

import attrs
import msgspec

from flinkop.kube import objects, stream
from flinkop.kube.client import Page


@attrs.frozen
class Wait:
    """Silence inside a watch, in seconds."""

    seconds: float


@attrs.frozen
class Call:
    """One call that was made."""

    verb: str
    namespace: str | None
    resource_version: str | None
    initial: bool
    at: float
    timeout_seconds: int | None = None
    label_selector: str | None = None


Step = stream.WatchEvent | Wait | Exception


def manifest(
    name: str, version: int, uid: str = "", namespace: str = "ns", **labels: str
) -> dict[str, Any]:
    """A raw object."""
    return {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": uid or f"uid-{name}",
            "resourceVersion": str(version),
            "labels": labels,
        }
    }


def added(name: str, version: int, **options: Any) -> stream.WatchEvent:
    return _event(stream.ADDED, manifest(name, version, **options))


def modified(name: str, version: int, **options: Any) -> stream.WatchEvent:
    return _event(stream.MODIFIED, manifest(name, version, **options))


def deleted(name: str, version: int, **options: Any) -> stream.WatchEvent:
    return _event(stream.DELETED, manifest(name, version, **options))


def bookmark(version: int, *, end: bool = False) -> stream.WatchEvent:
    """A bookmark; with `end` the one that ends a streamed list."""
    annotations = {"k8s.io/initial-events-end": "true"} if end else {}
    return _event(
        stream.BOOKMARK,
        {"metadata": {"resourceVersion": str(version), "annotations": annotations}},
    )


def broken(name: str, version: int, kind: str = stream.MODIFIED) -> stream.WatchEvent:
    """An object that cannot be decoded, with its key and version readable."""
    body = manifest(name, version)
    body["metadata"]["labels"] = ["not", "a", "map"]
    return _event(kind, body)


def _event(kind: str, body: Any) -> stream.WatchEvent:
    return stream.WatchEvent(kind, msgspec.Raw(msgspec.json.encode(body)))


class ScriptedSource:
    """The two calls of a client that a reflector makes."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.open_watches = 0
        self._watches: dict[str | None, list[list[Step]]] = {}
        self._lists: dict[str | None, list[tuple[list[dict[str, Any]], int] | Exception]] = {}

    def watch_script(self, *steps: Step, namespace: str | None = None) -> None:
        """Script the next watch in a namespace."""
        self._watches.setdefault(namespace, []).append(list(steps))

    def list_script(
        self,
        items: Iterable[dict[str, Any]] | Exception,
        version: int = 0,
        namespace: str | None = None,
    ) -> None:
        """Script the next list in a namespace."""
        script = items if isinstance(items, Exception) else (list(items), version)
        self._lists.setdefault(namespace, []).append(script)

    async def list_all(
        self,
        rt: Any,
        namespace: str | None = None,
        *,
        label_selector: str | None = None,
        field_selector: str | None = None,
        into: Any,
    ) -> Page[Any]:
        self._called("list", namespace, None, initial=False, label_selector=label_selector)
        scripts = self._lists.get(namespace) or []
        if not scripts:
            await asyncio.Event().wait()
        script = scripts.pop(0)
        if isinstance(script, Exception):
            raise script
        items, version = script
        good, bad = [], []
        for item in items:
            raw = msgspec.json.encode(item)
            try:
                good.append(objects.decode(raw, into))
            except msgspec.ValidationError as error:
                bad.append(objects.undecodable(raw, error))
        return Page(good, str(version), "", bad)

    async def watch(
        self,
        rt: Any,
        namespace: str | None = None,
        *,
        label_selector: str | None = None,
        field_selector: str | None = None,
        resource_version: str | None = None,
        send_initial_events: bool = False,
        timeout_seconds: int | None = None,
        silence: float = 90.0,
        on_open: Any = None,
    ) -> AsyncGenerator[stream.WatchEvent, None]:
        self._called(
            "watch",
            namespace,
            resource_version,
            initial=send_initial_events,
            timeout_seconds=timeout_seconds,
            label_selector=label_selector,
        )
        scripts = self._watches.get(namespace) or []
        steps: list[Step] = scripts.pop(0) if scripts else [Wait(1e9)]
        if steps and isinstance(steps[0], Exception):
            raise steps[0]
        self.open_watches += 1
        try:
            if on_open is not None:
                on_open()
            for step in steps:
                if isinstance(step, Wait):
                    await _silence(step.seconds, silence)
                elif isinstance(step, Exception):
                    raise step
                else:
                    yield step
        finally:
            self.open_watches -= 1

    def _called(self, verb: str, namespace: str | None, version: str | None, **more: Any) -> None:
        now = asyncio.get_running_loop().time()
        self.calls.append(Call(verb, namespace, version, at=now, **more))


async def _silence(seconds: float, limit: float) -> None:
    """Be silent as the real client sees it: it gives up after `limit`."""
    await asyncio.sleep(min(seconds, limit))
    if seconds >= limit:
        raise stream.StreamError(f"silent for {limit:g} s", reason="Silent")
