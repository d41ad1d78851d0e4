"""Carries out coroutines in order for each key, several keys at once."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

log = structlog.stdlib.get_logger(__name__)

Deed = Callable[[], Awaitable[Any]]
_LANES = 16


class Lanes:
    def __init__(self) -> None:
        self._queues: list[asyncio.Queue[Deed]] = [asyncio.Queue() for _ in range(_LANES)]

    def put(self, key: tuple[str, str], deed: Deed) -> None:
        """Do `deed` after all that was put for the same key; its failure is logged."""
        number = zlib.crc32("/".join(key).encode()) % _LANES
        self._queues[number].put_nowait(deed)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for queue in self._queues:
                group.create_task(self._lane(queue))

    async def drained(self) -> None:
        """Wait until nothing is left to do."""
        for queue in self._queues:
            await queue.join()

    async def _lane(self, queue: asyncio.Queue[Deed]) -> None:
        while True:
            deed = await queue.get()
            try:
                await deed()
            except Exception as error:  # noqa: BLE001 - one cluster's trouble must not end all
                await log.awarning("a deed failed", error=repr(error))
            finally:
                queue.task_done()
