"""The direct transport: limits, deadlines and failures over real sockets."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from flinkop.flink import errors
from flinkop.flink.address import Cluster, Template
from flinkop.flink.transport import Body, direct_transports


@asynccontextmanager
async def served(handler):
    """A transport to a server that answers everything with `handler`."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    server = TestServer(app)
    async with server:
        template = Template(f"http://127.0.0.1:{server.port}/{{namespace}}/{{name}}")
        async with direct_transports(template) as factory:
            yield factory(Cluster("ns", "a"))


async def test_request_and_answer():
    """Method, path, JSON and status go through."""

    async def handler(request):
        return web.json_response(
            {"path": request.path_qs, "body": await request.json()}, status=202
        )

    async with served(handler) as direct:
        status, body = await direct.request("POST", "/v1/x?y=1", json={"a": 1}, timeout=5)
    assert status == 202
    assert body == b'{"path": "/ns/a/v1/x?y=1", "body": {"a": 1}}'
    assert "/ns/a" in repr(direct)


async def test_errors_are_answers():
    """A status is not judged here, and a redirect is not followed."""

    async def handler(request):
        raise web.HTTPFound("http://elsewhere.invalid/")

    async with served(handler) as direct:
        assert (await direct.request("GET", "/", timeout=5)).status == 302


@pytest.mark.parametrize("announced", [True, False])
async def test_large_answers(announced):
    """An answer above the limit is refused, announced or not."""

    async def handler(request):
        if announced:
            return web.Response(body=b"x" * 2000)
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(20):
            await response.write(b"x" * 100)
        return response

    async with served(handler) as direct:
        with pytest.raises(errors.BadAnswer, match="1000"):
            await direct.request("GET", "/", timeout=5, limit=1000)
        assert len((await direct.request("GET", "/", timeout=5, limit=2000)).body) == 2000


async def test_hanging_answer():
    """A server that says nothing is a Timeout after the call's seconds."""

    async def handler(request):
        await asyncio.sleep(30)

    async with served(handler) as direct:
        with pytest.raises(errors.Timeout):
            await direct.request("GET", "/", timeout=0.05)


async def test_refused_connection():
    """A closed port is Unreachable, and nothing was sent."""
    async with direct_transports(Template(f"http://127.0.0.1:{unused_port()}")) as factory:
        with pytest.raises(errors.Unreachable) as caught:
            await factory(Cluster("ns", "a")).request("GET", "/", timeout=5)
    assert not caught.value.sent


async def test_unknown_host():
    """A name that does not resolve is Unreachable."""
    async with direct_transports() as factory:
        with pytest.raises(errors.Unreachable):
            await factory(Cluster("invalid", "nobody")).request("GET", "/", timeout=5)


async def test_cut_connection():
    """A connection cut before the answer is Unreachable, and the request may have arrived."""

    async def handler(request):
        request.transport.abort()
        return web.Response()

    async with served(handler) as direct:
        with pytest.raises(errors.Unreachable) as caught:
            await direct.request("POST", "/", json={}, timeout=5)
    assert caught.value.sent


async def test_streamed_body():
    """A body of chunks arrives whole, with its size announced."""

    async def handler(request):
        return web.json_response(
            [
                request.headers["Content-Length"],
                request.content_type,
                (await request.read()).decode(),
            ]
        )

    async def chunks():
        yield b"ab"
        yield b"cd"

    async with served(handler) as direct:
        answer = await direct.request("POST", "/", body=Body("text/x", 4, chunks), timeout=5)
    assert answer.body == b'["4", "text/x", "abcd"]'
