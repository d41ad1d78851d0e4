"""Connection pools that follow the credentials: a new TLS context means a new session."""

import asyncio
import socket
from typing import Any

import aiohttp
from attrs import define

from flinkop.kube.config import Credentials
from flinkop.kube.instruments import ClientInstruments

KEEPALIVE = 75.0
"""Seconds an idle connection is kept; the API server closes its end after 90, and must not be first."""

READ_BUFFER = 256 * 1024
"""Bytes: what one turn of the event loop decodes at most is twice this, some milliseconds."""


@define
class Generation:
    """A session, the TLS generation it was made for, and how many exchanges use it."""

    session: aiohttp.ClientSession
    tls: int
    in_use: int = 0


class Pool:
    """Connections for one purpose.

    Promises: at most `limit` exchanges at a time (None: any number); never the environment's proxies
    or netrc; dead peers noticed by the kernel within about a minute; after a change of the TLS
    context new exchanges use it, and those under way end in peace.
    """

    def __init__(
        self,
        name: str,
        credentials: Credentials,
        instruments: ClientInstruments,
        *,
        user_agent: str,
        limit: int | None = None,
    ) -> None:
        self._name = name
        self._credentials = credentials
        self._instruments = instruments
        self._user_agent = user_agent
        self._slots = asyncio.Semaphore(limit) if limit else None
        self._current: Generation | None = None
        self._retired: list[Generation] = []

    async def acquire(self) -> Generation:
        """Take a slot, waiting for one if need be; give it back by `release`."""
        if self._slots is not None:
            await self._slots.acquire()
        current = self._current
        tls = self._credentials.tls_generation
        if current is None or current.tls != tls:
            if current is not None:
                self._retired.append(current)
            current = self._current = Generation(self._session(), tls)
        current.in_use += 1
        self._instruments.in_flight(self._name, self._in_use())
        return current

    async def release(self, generation: Generation) -> None:
        """Give a slot back; closes what nobody uses any more."""
        generation.in_use -= 1
        if self._slots is not None:
            self._slots.release()
        self._instruments.in_flight(self._name, self._in_use())
        if self._retired:
            idle = [old for old in self._retired if not old.in_use]
            self._retired = [old for old in self._retired if old.in_use]
            for old in idle:
                await old.session.close()

    async def close(self) -> None:
        """Close all connections; exchanges under way fail."""
        everything = [*self._retired, *([self._current] if self._current else [])]
        self._retired, self._current = [], None
        for generation in everything:
            await generation.session.close()

    def _in_use(self) -> int:
        return sum(old.in_use for old in self._retired) + (
            self._current.in_use if self._current else 0
        )

    def _session(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=0,
            keepalive_timeout=KEEPALIVE,
            ttl_dns_cache=30,
            ssl=self._credentials.ssl_context or True,
            socket_factory=_socket,
        )
        session = aiohttp.ClientSession(
            connector=connector,
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            read_bufsize=READ_BUFFER,
            timeout=aiohttp.ClientTimeout(total=None),
            # Inside a cluster bytes are cheaper than the time to inflate them.
            headers={"User-Agent": self._user_agent, "Accept-Encoding": "identity"},
        )
        # aiohttp sends a PUT or DELETE again by itself when a kept connection breaks, past the fence
        # and without telling. There is no public switch; `Transport` does it for reads.
        session._retry_connection = False  # noqa: SLF001
        return session


def _socket(address: Any) -> socket.socket:
    """Make a socket whose dead peer the kernel notices; HTTP/1.1 has no ping of its own."""
    family, kind, protocol = address[:3]
    made = socket.socket(family, kind, protocol)
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (
        ("TCP_KEEPIDLE", 30),
        ("TCP_KEEPINTVL", 10),
        ("TCP_KEEPCNT", 3),
        ("TCP_USER_TIMEOUT", 30_000),
    ):
        if hasattr(socket, option):  # Linux has them all, others some
            made.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    return made
