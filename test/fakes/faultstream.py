"""Passes one watch stream on, line by line, and disturbs it: cut, silence, injected lines."""

import asyncio
from collections.abc import Callable

import aiohttp
from aiohttp import web
from fakes.faultrules import CutLine, Fault, Inject, Silence
from fakes.requestlog import Exchange

_BACKLOG = 64
"""Lines read ahead; a client that does not read holds the API server back, as without a proxy."""


class _End:
    """The upstream stream is over."""

    def __init__(self, *, well: bool) -> None:
        self.well = well


class Relay:
    """One open stream between the API server and a client.

    `changed` is called when something happened that somebody may wait for.
    """

    def __init__(
        self, exchange: Exchange, response: web.StreamResponse, changed: Callable[[], None]
    ) -> None:
        self.exchange = exchange
        self._response = response
        self._changed = changed
        self._inbox: asyncio.Queue[bytes | Fault | _End] = asyncio.Queue()
        self._room = asyncio.Semaphore(_BACKLOG)
        self._cut = False

    def disturb(self, fault: Fault, *, live: bool) -> None:
        """Apply `fault` before the next line. `live`: the stream was open before the rule was made."""
        if live:
            self.exchange.faults.append(type(fault).__name__)
        self._inbox.put_nowait(fault)

    async def run(self, upstream: aiohttp.StreamReader) -> bool:
        """Pass lines on until the stream ends; return whether it ended in good order."""
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(self._read(upstream))
            try:
                well = await self._write()
            except ConnectionError:
                well = False  # the client went away
            reading.cancel()
        return well

    async def _read(self, upstream: aiohttp.StreamReader) -> None:
        rest = bytearray()
        try:
            async for chunk in upstream.iter_any():
                rest += chunk
                if b"\n" not in chunk:
                    continue
                *lines, rest = rest.split(b"\n")
                for line in lines:
                    await self._room.acquire()
                    self._inbox.put_nowait(bytes(line) + b"\n")
        except (aiohttp.ClientError, OSError):
            self._inbox.put_nowait(_End(well=False))
            return
        if rest:
            self._inbox.put_nowait(bytes(rest))
        self._inbox.put_nowait(_End(well=True))

    async def _write(self) -> bool:
        while True:
            match await self._inbox.get():
                case bytes(line):
                    self._room.release()
                    if self._cut:
                        await self._send(line[: max(1, len(line) // 2)])
                        return False
                    await self._send(line)
                case CutLine():
                    self._cut = True
                case Silence():
                    await self._swallow()
                case Inject(line, end):
                    await self._send(line)
                    if end:
                        return True
                case _End(well=well):
                    return well
                case _:
                    pass

    async def _send(self, data: bytes) -> None:
        self.exchange.lines += 1
        self.exchange.response_size += len(data)
        await self._response.write(data)
        self._changed()

    async def _swallow(self) -> None:
        """Take everything and say nothing until the client goes away (which cancels us)."""
        while True:
            item = await self._inbox.get()
            if isinstance(item, bytes):
                self._room.release()
