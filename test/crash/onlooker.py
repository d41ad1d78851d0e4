"""Sees resources and JobManager Deployments of all namespaces, on a way of its own."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import msgspec

from flinkop.kube.client import KubeClient
from flinkop.kube.meta import (
    DEPLOYMENTS,
    FLINKDEPLOYMENTS,
    FLINKSESSIONJOBS,
    ObjectKey,
    ResourceType,
)
from flinkop.kube.objects import CustomObject
from flinkop.runtime.informer import Informer

_LOOK_SECONDS = 0.3


class NotReachedError(AssertionError):
    """A state did not come in time; the message has what was seen last."""


class Onlooker:
    """Follows what happens, and wakes who waits for a change in a namespace."""

    def __init__(self, client: KubeClient) -> None:
        # A Deployment is read as a custom object: its spec and status are bytes until somebody asks.
        self._informers = {
            rt: Informer(client, rt, CustomObject)
            for rt in (FLINKDEPLOYMENTS, FLINKSESSIONJOBS, DEPLOYMENTS)
        }
        self._changed: dict[str, asyncio.Event] = {}
        for informer in self._informers.values():
            informer.add_handler(self._on_change)

    async def run(self) -> None:
        """Follow until cancelled."""
        async with asyncio.TaskGroup() as group:
            for informer in self._informers.values():
                group.create_task(informer.run())

    async def ready(self) -> None:
        """Wait until it sees everything."""
        for informer in self._informers.values():
            await informer.wait_synced()

    def _on_change(self, old: CustomObject | None, new: CustomObject | None) -> None:
        seen = new or old
        if seen is not None and (waiting := self._changed.pop(seen.metadata.namespace, None)):
            waiting.set()

    async def _change(self, namespace: str) -> None:
        """Wait for a change, but not for long: of what happens in Flink nobody tells."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_SECONDS):
                await self._changed.setdefault(namespace, asyncio.Event()).wait()

    def get(self, rt: ResourceType, key: ObjectKey) -> CustomObject | None:
        """Return an object as it was seen last."""
        return self._informers[rt].lister.get(key)

    def status(self, rt: ResourceType, key: ObjectKey) -> dict[str, Any]:
        """Return its status, {} without one."""
        found = self.get(rt, key)
        raw = b"" if found is None else memoryview(found.status)
        return msgspec.json.decode(raw or b"{}", type=dict[str, Any])

    async def until(
        self, namespace: str, reached: Callable[[], bool], seconds: float, what: str
    ) -> None:
        """Wait until `reached()`, which is looked at with each change in `namespace`, and now and then.

        Raises:
            NotReachedError: that did not come within `seconds`.
        """
        try:
            async with asyncio.timeout(seconds):
                while not reached():
                    await self._change(namespace)
        except TimeoutError:
            seen = "\n".join(
                f"{rt.kind} {found.metadata.name}: {bytes(memoryview(found.status)).decode()}"
                for rt, informer in self._informers.items()
                for found in informer.lister.list(namespace)
            )
            text = f"{what} did not come within {seconds:g} s; there is"
            raise NotReachedError(f"{text}\n{seen or 'nothing'}") from None
