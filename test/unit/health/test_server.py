"""The health port answers as the reference's does, and more."""

import asyncio
import contextlib

import aiohttp
import pytest
import structlog

from flinkop.health.probes import Check, leading
from flinkop.health.server import METRICS_TYPE, HealthServer, Probes


class Part:
    """Something that may be unwell."""

    def __init__(self, name):
        self.problem = None
        self.check = Check(name, lambda: self.problem)


@pytest.fixture
def alive():
    return Part("informers")


@pytest.fixture
def ready():
    return Part("synced")


@pytest.fixture
def started():
    return Part("started")


@pytest.fixture
async def get(alive, ready, started):
    """Ask the server; returns status and text."""

    async def metrics():
        return b"# TYPE x gauge\nx 1.0\n" * 100

    probes = Probes(
        alive=(alive.check,),
        ready=(ready.check, leading(lambda: False)),
        started=(started.check,),
    )
    server = HealthServer(probes, metrics, host="127.0.0.1", port=0)
    async with server.listening(), aiohttp.ClientSession() as session:
        assert server.port

        async def get(path, method="GET"):
            url = f"http://127.0.0.1:{server.port}{path}"
            async with session.request(method, url) as answer:
                return answer.status, await answer.text(), dict(answer.headers)

        yield get


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/healthz/", "/any/path"])
async def test_healthy(get, path):
    """Every path answers 200 with `OK` as plain text."""
    status, text, headers = await get(path)
    assert (status, text) == (200, "OK")
    assert headers["Content-Type"].replace(" ", "") == "text/plain;charset=UTF-8"


async def test_any_method(get):
    """The method does not matter."""
    assert (await get("/", "POST"))[:2] == (200, "OK")
    assert (await get("/healthz", "PUT"))[:2] == (200, "OK")


@pytest.mark.parametrize(
    ("broken", "statuses"),
    [
        ("alive", {"/": 500, "/healthz": 500, "/readyz": 200}),
        ("ready", {"/": 200, "/healthz": 200, "/readyz": 500}),
        ("started", {"/": 500, "/healthz": 200, "/readyz": 200}),
    ],
)
async def test_unhealthy(get, request, broken, statuses):
    """Each path looks at its own checks and answers 500 with `ERROR`."""
    request.getfixturevalue(broken).problem = "broken"
    answers = {path: (await get(path))[:2] for path in statuses}
    assert answers == {
        path: (status, "OK" if status == 200 else "ERROR") for path, status in statuses.items()
    }


async def test_verbose(get, ready):
    """Asked for more, the answer names each check."""
    ready.problem = "not in step: pods"
    status, text, _ = await get("/readyz?verbose")
    assert status == 500
    assert text.splitlines() == [
        "ERROR",
        "[-]synced not in step: pods",
        "[ ]leading standing by",
    ]


async def test_metrics(get):
    """Metrics come in Prometheus' text format, compressed when the scraper takes that."""
    status, text, headers = await get("/metrics")
    assert status == 200
    assert text.startswith("# TYPE x gauge\n")
    assert headers["Content-Type"] == METRICS_TYPE
    assert headers["Content-Encoding"] in {"gzip", "deflate"}


async def test_logged_once(get, alive):
    """A failing probe explains itself in the log when it begins and ends to fail, not each time."""
    with structlog.testing.capture_logs() as logs:
        alive.problem = "stopped working: pods"
        await get("/")
        assert logs == []
        alive.problem = None
        await get("/a")
        for alive.problem in ("stopped working: pods", "stopped working: pods", None):
            await get("/b")
    assert [entry["event"] for entry in logs] == [
        "The health probe succeeds",
        "The health probe fails: informers: stopped working: pods",
        "The health probe succeeds",
    ]


async def test_run_until_cancelled():
    """It listens until cancelled, and then lets the port go."""
    server = HealthServer(Probes(), host="127.0.0.1", port=0)
    running = asyncio.timeout(None)
    with contextlib.suppress(TimeoutError):
        async with running, asyncio.TaskGroup() as group:
            group.create_task(server.run())
            while not server.port:  # noqa: ASYNC110 - the port is all there is to see
                await asyncio.sleep(0)
            async with aiohttp.request("GET", f"http://127.0.0.1:{server.port}/x") as answer:
                assert answer.status == 200
            running.reschedule(0)
    with pytest.raises(aiohttp.ClientConnectionError):
        await aiohttp.request("GET", f"http://127.0.0.1:{server.port}/x").__aenter__()


async def test_port_taken():
    """A port in use is an error at once."""
    async with HealthServer(Probes(), host="127.0.0.1", port=0).listening() as server:
        with pytest.raises(OSError, match="address already in use"):
            await HealthServer(Probes(), host="127.0.0.1", port=server.port).run()
