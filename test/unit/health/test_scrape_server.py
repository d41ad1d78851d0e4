"""The port that is opened for Prometheus alone."""

import aiohttp
import structlog

from flinkop.health.scrape_server import ScrapeServer


async def scrape():
    """What is served."""
    return b"a 1\n"


async def ask(port, path):
    """Status, content type and text of an answer."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}{path}") as answer,
    ):
        return answer.status, answer.headers["Content-Type"], await answer.text()


async def test_every_path_is_scraped():
    """As the reference's reporter does."""
    async with ScrapeServer("prom", scrape, [0], host="127.0.0.1").listening() as server:
        for path in ("/", "/metrics", "/x/y"):
            assert await ask(server.port, path) == (
                200,
                "text/plain; version=0.0.4; charset=utf-8",
                "a 1\n",
            )


async def test_the_first_free_port_is_taken():
    """Without one it is logged, and everything else goes on."""
    async with ScrapeServer("one", scrape, [0], host="127.0.0.1").listening() as first:
        assert first.port is not None
        ports = [first.port, 0]
        async with ScrapeServer("two", scrape, ports, host="127.0.0.1").listening() as second:
            assert second.port not in {None, first.port}
        with structlog.testing.capture_logs() as logs:
            full = ScrapeServer("three", scrape, ports[:1], host="127.0.0.1")
            async with full.listening():
                assert full.port is None
        assert logs[0]["log_level"] == "error"
