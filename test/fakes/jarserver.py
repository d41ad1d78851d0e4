"""A web server with jars, on loopback, that behaves as badly as a test wants."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestServer
from attrs import define, field

_SERVER = web.RequestKey("server")


@define(eq=False)
class Asked:
    """One request that came."""

    path: str
    headers: dict[str, str]

    @property
    def range(self):
        """What part was asked for."""
        return self.headers.get("Range")


@define(eq=False, slots=False)
class JarServer:
    """Answers each path by its handler, and remembers what was asked.

    Attributes:
        port: where it listens.
        handlers: coroutine functions from request to response, by path.
        asked: the requests, in order.
        received: how much of the last answer's content the other side has taken, with what it had before.
    """

    port: int = 0
    handlers: dict[str, Callable[[web.Request], Awaitable[web.StreamResponse]]] = field(
        factory=dict
    )
    asked: list[Asked] = field(factory=list)
    received: int = 0
    moved: asyncio.Event = field(factory=asyncio.Event)

    def note(self, received):
        """The other side has taken so much."""
        self.received = received
        self.moved.set()

    async def arrived(self, count):
        """Wait until it has: what is cut off before is lost on its way."""
        while self.received < count:
            self.moved.clear()
            await self.moved.wait()

    def url(self, path="/a.jar", host="jars.example", scheme="http"):
        """The address of a path."""
        return f"{scheme}://{host}:{self.port}{path}"

    async def answer(self, request):
        """Dispatch."""
        self.asked.append(Asked(request.path_qs, dict(request.headers)))
        request[_SERVER] = self
        return await self.handlers[request.path](request)


@asynccontextmanager
async def serving(tls=None):
    """A server on a free port of 127.0.0.1."""
    made = JarServer()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.answer)
    server = TestServer(app, host="127.0.0.1", skip_url_asserts=True)
    await server.start_server(ssl=tls)
    try:
        made.port = server.port or 0
        yield made
    finally:
        await server.close()


def static(content, *, etag='"v1"', modified=None, ranges=True, chunked=False, cut_at=None):
    """A handler that serves content well, with conditions and ranges.

    Args:
        content: bytes, or a function that returns them.
        etag: name of the content, or a function that returns it.
        modified: value of Last-Modified.
        ranges: whether parts are given.
        chunked: whether the length is left open.
        cut_at: how many bytes each connection gives before it is cut.
    """

    async def handle(request):
        body = content() if callable(content) else content
        tag = etag() if callable(etag) else etag
        headers = {}
        if tag is not None:
            headers["ETag"] = tag
        if modified is not None:
            headers["Last-Modified"] = modified
        if tag is not None and request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers=headers)
        if modified is not None and request.headers.get("If-Modified-Since") == modified:
            return web.Response(status=304, headers=headers)
        start = _start(request, ranges, tag, modified)
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        rest = body[start:]
        if not chunked:
            headers["Content-Length"] = str(len(rest))
        response = web.StreamResponse(status=206 if start else 200, headers=headers)
        if chunked:
            response.enable_chunked_encoding()
        await response.prepare(request)
        given = rest if cut_at is None else rest[:cut_at]
        request[_SERVER].received = start
        await response.write(given)
        if len(given) < len(rest):
            await request[_SERVER].arrived(start + len(given))
            request.transport.abort()
        return response

    return handle


def _start(request, ranges, tag, modified):
    match = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
    if not ranges or match is None:
        return 0
    condition = request.headers.get("If-Range")
    return int(match[1]) if condition in {tag, modified} else 0


def redirect(target, status=302):
    """A handler that sends elsewhere; `target` may be a function of the request."""

    async def handle(request):
        to = target(request) if callable(target) else target
        return web.Response(status=status, headers={"Location": to})

    return handle


def answering(status=200, body=b"", **headers):
    """A handler with one answer."""

    async def handle(_request):
        return web.Response(
            status=status, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )

    return handle


@asynccontextmanager
async def raw(answer):
    """A server that writes bytes as they are; yields its port.

    Args:
        answer: coroutine function that gets the request's head and the writer.
    """

    async def handle(reader, writer):
        try:
            await answer(await reader.readuntil(b"\r\n\r\n"), writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
