"""Stands in an operator's way to the API server and to Flink: counts its writes, and stops it at one."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection

from crash.writes import Crash, Moment, Target, Write, name, shown
from fakes.apirequest import ApiRequest


class Trap:
    """Lets everything pass until the write of its crash; from then on no write passes, and no answer.

    Attributes:
        step: number of the deed under way; None while the writes do not count.
        writes: the writes that counted, in the order in which they began.
        sprung: set at that write; the operator waits there to be killed.
        caught: the write at which it sprung.
        told: the same in words.
    """

    def __init__(self, crash: Crash | None = None, spared: Collection[Write] = ()) -> None:
        """Wait for `crash`, at another write than the `spared` ones."""
        self.crash = crash
        self.spared = spared
        self.step: int | None = None
        self.writes: list[Write] = []
        self.sprung = asyncio.Event()
        self.caught: Write | None = None
        self.told = ""
        self._counts: Counter[tuple[int, str]] = Counter()
        self._under_way: dict[int, Write] = {}

    def hook(self, target: Target) -> Callable[[ApiRequest, Moment], Awaitable[None]]:
        """Return what a proxy calls around the writes to `target`."""

        async def on_write(request: ApiRequest, moment: Moment) -> None:
            if moment == "before":
                await self._before(request, target)
            else:
                await self._after(request)

        return on_write

    async def _before(self, request: ApiRequest, target: Target) -> None:
        await self._stop_if_sprung()
        if self.step is None:
            return
        what = name(request, target)
        self._counts[self.step, what] += 1
        write = Write(self.step, what, self._counts[self.step, what])
        self.writes.append(write)
        self._under_way[id(request)] = write
        await self._judge(write, "before", request)

    async def _after(self, request: ApiRequest) -> None:
        await self._stop_if_sprung()
        write = self._under_way.pop(id(request), None)
        if write is not None:
            await self._judge(write, "after", request)

    async def _judge(self, write: Write, moment: Moment, request: ApiRequest) -> None:
        if self.crash is None or write in self.spared or not self.crash.catches(write, moment):
            return
        self.caught, self.told = write, f"{request}: {shown(request)}"
        self.sprung.set()
        await self._stop_if_sprung()

    async def _stop_if_sprung(self) -> None:
        if self.sprung.is_set():
            await asyncio.Event().wait()
