"""The health port: /healthz, /readyz, /metrics, and the reference's answer on every other path.

`OK` with 200 or `ERROR` with 500 as plain text, whatever the method (operations.md 3.2). `?verbose` on
any of them adds one line per check, failing ones marked `[-]`.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

import structlog
from aiohttp import web
from attrs import frozen

from flinkop.health.probes import Check, Verdict, judge

METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_SHUTDOWN_SECONDS: Final = 1.0

_log = structlog.stdlib.get_logger(__name__)


@frozen(kw_only=True)
class Probes:
    """The checks behind each path.

    Attributes:
        alive: `/healthz`: what a restart would mend.
        ready: `/readyz`: what must hold before it is of use.
        started: Every other path, together with `alive`: the reference's health port.
    """

    alive: tuple[Check, ...] = ()
    ready: tuple[Check, ...] = ()
    started: tuple[Check, ...] = ()

    def behind(self, path: str) -> tuple[str, tuple[Check, ...]]:
        """Return what `path` asks, by name, and the checks that answer it."""
        match path.rstrip("/"):
            case "/healthz":
                return "alive", self.alive
            case "/readyz":
                return "ready", self.ready
            case _:
                return "started and alive", self.started + self.alive


class HealthServer:
    """Answers probes and scrapes over plain HTTP/1.1.

    Args:
        probes: The checks.
        metrics: Returns the text to be scraped; None for no `/metrics`.
        host: Where to listen; all interfaces by default.
        port: Where to listen; 0 for any free port.

    Attributes:
        port: The port it listens on, known once it listens.
    """

    def __init__(
        self,
        probes: Probes,
        metrics: Callable[[], Awaitable[bytes]] | None = None,
        *,
        host: str | None = None,
        port: int = 8085,
    ) -> None:
        self._probes = probes
        self._metrics = metrics
        self._host = host
        self._complaints: dict[str, str] = {}
        self.port = port

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator["HealthServer"]:
        """Listen inside the block.

        Raises:
            OSError: The port is taken or may not be used.
        """
        app = web.Application()
        if self._metrics is not None:
            app.router.add_get("/metrics", self._scrape)
        app.router.add_route("*", "/{path:.*}", self._probe)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self.port).start()
            self.port = runner.addresses[0][1]
            _log.info("Health and metrics are served", host=self._host or "*", port=self.port)
            yield self
        finally:
            await runner.cleanup()

    async def run(self) -> None:
        """Listen until cancelled.

        Raises:
            OSError: The port is taken or may not be used.
        """
        async with self.listening():
            await asyncio.Event().wait()

    async def _probe(self, request: web.Request) -> web.Response:
        question, checks = self._probes.behind(request.path)
        verdict = judge(checks)
        self._report(question, verdict)
        lines = ["OK" if verdict.good else "ERROR"]
        if "verbose" in request.query:
            lines += [str(finding) for finding in verdict.findings]
        return web.Response(
            status=200 if verdict.good else 500,
            text="\n".join(lines),
            content_type="text/plain",
            charset="UTF-8",
        )

    async def _scrape(self, _request: web.Request) -> web.Response:
        assert self._metrics is not None  # noqa: S101 - the route exists only then
        body = await self._metrics()
        response = web.Response(body=body, headers={"Content-Type": METRICS_TYPE})
        response.enable_compression()
        return response

    def _report(self, question: str, verdict: Verdict) -> None:
        """Log a verdict when it changes, so that a failing probe explains itself and does not flood.

        Until it was good for the first time it is only starting, which is no reason to warn.
        """
        bad = "; ".join(f"{f.name}: {f.complaint}" for f in verdict.findings if f.failed)
        before = self._complaints.get(question)
        if bad == before:
            return
        if not bad:
            _log.info("The health probe succeeds", asks=question)
        elif before is None:
            return
        else:
            _log.warning(f"The health probe fails: {bad}", asks=question)
        self._complaints[question] = bad
