"""One thing asked of many resources at once, and the wait until all got there."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import attrs
from bench.resources import NAMESPACE, flinkdeployment
from bench.timeline import Milestone, Timeline, Wave
from fakes.leanapi import CRS, MERGE, Api

COLLECTION = f"{CRS}/namespaces/{NAMESPACE}/flinkdeployments"
AT_ONCE = 32
"""Requests under way at a time: what one impatient person's script does."""


class TooSlowError(Exception):
    """Not all resources got there in time; the message tells which did not and what they say."""


@attrs.frozen
class Waves:
    """Asks and waits.

    Attributes:
        api: sends the requests.
        timeline: sees what comes of them.
        check: raises when a program that takes part has ended.
        limit: seconds a wave may take.
    """

    api: Api
    timeline: Timeline
    check: Callable[[], None]
    limit: float

    async def create(self, names: list[str]) -> Wave:
        """Create resources and wait until all are STABLE."""

        async def ask(name: str) -> None:
            await self.api.call("POST", COLLECTION, flinkdeployment(name))

        return await self._wave("stable", names, ask)

    async def change(self, names: list[str], patch: bytes) -> Wave:
        """Merge `patch` into resources and wait until all are STABLE with another JobManager."""

        async def ask(name: str) -> None:
            await self.api.call("PATCH", f"{COLLECTION}/{name}", patch, MERGE)

        return await self._wave("stable", names, ask)

    async def delete(self, names: list[str]) -> Wave:
        """Delete resources and wait until all are gone."""

        async def ask(name: str) -> None:
            await self.api.call("DELETE", f"{COLLECTION}/{name}")

        return await self._wave("gone", names, ask)

    async def _wave(
        self, goal: Milestone, names: list[str], ask: Callable[[str], Awaitable[None]]
    ) -> Wave:
        wave = self.timeline.begin(goal, names)
        places = asyncio.Semaphore(AT_ONCE)

        async def one(name: str) -> None:
            async with places:
                wave.asked[name] = time.monotonic()
                await ask(name)

        async with asyncio.TaskGroup() as group:
            for name in names:
                group.create_task(one(name))
        await self._arrival(wave)
        return wave

    async def _arrival(self, wave: Wave) -> None:
        deadline = time.monotonic() + self.limit
        while not wave.complete.is_set():
            self.check()
            if time.monotonic() > deadline:
                raise TooSlowError(self._told(wave))
            try:
                async with asyncio.timeout(1):
                    await wave.complete.wait()
            except TimeoutError:
                continue

    def _told(self, wave: Wave) -> str:
        missing = wave.missing()
        lines = [
            f"{len(missing)} of {len(wave.target)} are not {wave.goal} after {self.limit:.0f} s:"
        ]
        lines += [f"  {name}: {self.timeline.seen.get(name)}" for name in missing[:5]]
        return "\n".join(lines)
