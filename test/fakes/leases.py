"""A Lease kept in memory, reached over bad networks, and clocks that run apart."""

import asyncio
import contextlib
import datetime as dt

import attrs

from flinkop.runtime.leaderelection import LeaseRecord


class ConflictError(Exception):
    """The record changed since it was read, or exists already, or is gone."""


class LeaseServer:
    """Holds the one record and applies conditional writes, as the API server does."""

    def __init__(self) -> None:
        self.record: LeaseRecord | None = None
        self.history: list[LeaseRecord] = []
        self._version = 0
        self._changed = asyncio.Event()

    def create(self, record):
        if self.record is not None:
            raise ConflictError("it exists")
        return self._store(record)

    def replace(self, record):
        if self.record is None or self.record.version != record.version:
            raise ConflictError("it changed")
        return self._store(record)

    def touch(self):
        """Change the version alone, as somebody does who sets a label."""
        self._store(self.record)

    def delete(self):
        self.record = None
        self._notify()

    async def wait_change(self):
        await self._changed.wait()

    def _store(self, record):
        self._version += 1
        self.record = attrs.evolve(record, version=str(self._version))
        self.history.append(self.record)
        self._notify()
        return self.record

    def _notify(self):
        self._changed.set()
        self._changed = asyncio.Event()


class Network:
    """One candidate's way to the server; a LeaseStore.

    `before` and `after` are seconds a call takes to arrive and to be answered; `lose` is `request`, `answer` or
    empty. A lost call hangs, as it does when packets vanish.
    """

    def __init__(self, server: LeaseServer) -> None:
        self._server = server
        self._late: set[asyncio.TimerHandle] = set()
        self.before = 0.0
        self.after = 0.0
        self.lose = ""
        self.late = 0.0
        self.calls = 0

    async def get(self):
        return await self._call(lambda: self._server.record)

    async def create(self, record):
        return await self._call(lambda: self._server.create(record))

    async def replace(self, record):
        return await self._call(lambda: self._server.replace(record))

    async def changes(self):
        """A watch: yields at each change, as late as other answers; a bad network cuts it."""
        yield
        while True:
            await self._server.wait_change()
            await asyncio.sleep(self.after)
            if self.lose or self.late:
                raise ConnectionError
            yield

    async def _call(self, act):
        self.calls += 1
        if self.late:
            # The write is on its way whatever becomes of the caller.
            arrival = asyncio.get_running_loop().call_later(self.late, _quietly, act)
            self._late.add(arrival)
            await asyncio.Event().wait()
        await asyncio.sleep(self.before)
        if self.lose == "request":
            await asyncio.Event().wait()
        answer = act()
        if self.lose == "answer":
            await asyncio.Event().wait()
        await asyncio.sleep(self.after)
        return answer


class LoopClock:
    """A clock on the event loop's time: its wall may be stepped, its monotonic time may run at another rate."""

    def __init__(self, rate: float = 1.0, offset: float = 0.0) -> None:
        self._rate = rate
        self._paused = 0.0
        self._wall = dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=offset)

    def now(self) -> dt.datetime:
        return self._wall + dt.timedelta(seconds=asyncio.get_running_loop().time())

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time() * self._rate + self._paused

    def pause(self, seconds: float) -> None:
        """Let monotonic time pass while nothing ran, as when the process was stopped."""
        self._paused += seconds

    def step(self, seconds: float) -> None:
        self._wall += dt.timedelta(seconds=seconds)


def _quietly(act):
    with contextlib.suppress(ConflictError):
        act()
