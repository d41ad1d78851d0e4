"""A port for Prometheus alone, as the reference's reporter opens it (operations.md 2.2).

Metrics are on the health port in any case; this is for monitors that look elsewhere.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final

import structlog
from aiohttp import web

from flinkop.health.server import METRICS_TYPE

_SHUTDOWN_SECONDS: Final = 1.0

_log = structlog.stdlib.get_logger(__name__)


class ScrapeServer:
    """Answers every path with the metrics, over plain HTTP/1.1.

    Args:
        name: What the configuration calls it.
        scrape: Returns the text to be scraped.
        ports: The first of these that is free is taken.
        host: Where to listen; all interfaces by default.

    Attributes:
        port: The port it listens on, known once it listens; None when none was free.
    """

    def __init__(
        self,
        name: str,
        scrape: Callable[[], Awaitable[bytes]],
        ports: Sequence[int],
        *,
        host: str | None = None,
    ) -> None:
        self._name = name
        self._scrape = scrape
        self._ports = ports
        self._host = host
        self.port: int | None = None

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator["ScrapeServer"]:
        """Listen inside the block; without a free port, say so and go on without."""
        app = web.Application()
        app.router.add_get("/{path:.*}", self._answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
        await runner.setup()
        try:
            refused = ""
            for port in self._ports:
                try:
                    await web.TCPSite(runner, self._host, port).start()
                except OSError as error:
                    refused = str(error)
                    continue
                self.port = runner.addresses[0][1]
                _log.info("Metrics are served", reporter=self._name, port=self.port)
                break
            else:
                _log.error(
                    "None of its ports is free: metrics are on the health port only",
                    reporter=self._name,
                    error=refused,
                )
            yield self
        finally:
            await runner.cleanup()

    async def run(self) -> None:
        """Listen until cancelled."""
        async with self.listening():
            await asyncio.Event().wait()

    async def _answer(self, _request: web.Request) -> web.Response:
        response = web.Response(body=await self._scrape(), headers={"Content-Type": METRICS_TYPE})
        response.enable_compression()
        return response
