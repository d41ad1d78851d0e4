"""A small API server to stand behind the proxy, and a client in front of it."""

import asyncio
from collections import Counter

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from fakes.faultproxy import FaultProxy
from fakes.kubeconfigs import Upstream


class SmallApiServer:
    """Remembers what it saw; watches deliver what is put into `events`."""

    def __init__(self) -> None:
        self.seen = Counter()
        self.headers = []
        self.events = asyncio.Queue()
        self.watches = 0
        self.watches_closed = asyncio.Event()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.seen[request.method] += 1
        self.headers.append(request.headers)
        if request.query.get("watch") == "1":
            return await self.watch(request)
        body = await request.read()
        if request.path.endswith("/missing"):
            return web.json_response({"kind": "Status", "code": 404}, status=404)
        return web.json_response({"path": request.raw_path, "size": len(body)})

    async def watch(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        self.watches += 1
        try:
            while (line := await self.events.get()) is not None:
                await response.write(line)
        finally:
            self.watches -= 1
            self.watches_closed.set()
        return response


@pytest.fixture
async def api():
    return SmallApiServer()


@pytest.fixture
async def server(api):
    app = web.Application(client_max_size=0)
    app.router.add_route("*", "/{path:.*}", api.handle)
    async with TestServer(app) as server:
        yield server


@pytest.fixture
async def proxy(server):
    upstream = Upstream(str(server.make_url("")).rstrip("/"), headers={"Authorization": "Bearer t"})
    async with FaultProxy(upstream) as proxy:
        yield proxy


@pytest.fixture
async def client(proxy):
    async with aiohttp.ClientSession(proxy.url) as session:
        yield session
