"""An HTTP server that answers as a script says: for faults that a real API server shows too seldom.

    async with ScriptedApi(plain(503, "nope"), status(404, "NotFound")) as api:
        client = await api.client()
        ...
    assert [r.path for r in api.requests] == [...]

Each answer is used once, in order; the last one is used again and again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Self

import attrs
import msgspec
from aiohttp import web
from aiohttp.test_utils import TestServer

from flinkop.kube import client, config, tls

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@attrs.frozen
class Seen:
    """A request that arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@attrs.define
class StaticSource:
    """Credentials that a test sets; counts how often they were asked for."""

    snapshot: tls.Snapshot
    next: Sequence[tls.Snapshot] = ()
    reads: int = 0

    async def read(self, *, refused: bool) -> tls.Snapshot:
        self.reads += 1
        if self.reads > 1 and self.next:
            self.snapshot, *rest = self.next
            self.next = rest
        return self.snapshot


class ScriptedApi:
    """The server; `url` is its base."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[Seen] = []
        self._clients: list[client.KubeClient] = []
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._server = TestServer(app)

    async def __aenter__(self) -> Self:
        await self._server.start_server()
        return self

    async def __aexit__(self, *_: object) -> None:
        for made in self._clients:
            await made.close()
        await self._server.close()

    @property
    def url(self) -> str:
        return str(self._server.make_url("")).rstrip("/")

    def snapshot(self, authorization: str = "Bearer one") -> tls.Snapshot:
        return tls.Snapshot(tls.Endpoint(self.url), tls.TlsMaterial(), authorization)

    async def client(
        self, source: config.Source | None = None, **options: Any
    ) -> client.KubeClient:
        """A client of this server, closed with it."""
        credentials = await config.Credentials.open(source or StaticSource(self.snapshot()))
        made = client.KubeClient(credentials, **options)
        self._clients.append(made)
        return made

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(
            Seen(
                request.method,
                request.rel_url.raw_path,
                dict(request.query),
                dict(request.headers),
                await request.read(),
            )
        )
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return await answer(request)


def json(body: Any, code: int = 200, **headers: str) -> Answer:
    """Answer with a JSON body."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(
            body=msgspec.json.encode(body),
            status=code,
            content_type="application/json",
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )

    return answer


def status(
    code: int,
    reason: str = "",
    message: str = "",
    *,
    retry_after: int | None = None,
    **details: Any,
) -> Answer:
    """Answer with a v1.Status."""
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "message": message or reason,
        "reason": reason,
        "code": code,
        "details": details,
    }
    headers = {} if retry_after is None else {"Retry_After": str(retry_after)}
    return json(body, code, **headers)


def plain(code: int, text: str, **headers: str) -> Answer:
    """Answer with text, as proxies and a starting API server do."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(
            text=text,
            status=code,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )

    return answer


def hang() -> Answer:
    """Never answer; the server ends this when the client goes away."""

    async def answer(_: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    return answer


def event(kind: str, obj: Any) -> bytes:
    """One line of a watch."""
    return msgspec.json.encode({"type": kind, "object": obj}) + b"\n"


def watch(*pieces: bytes, then: str = "end", content_type: str = "application/json") -> Answer:
    """Answer with a stream of pieces, each a chunk of its own.

    Args:
        pieces: what to write.
        then: `end` the stream, `cut` the connection, or `hold` it in silence.
        content_type: of the answer.
    """

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": content_type})
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
            await asyncio.sleep(0)
        if then == "cut":
            assert request.transport is not None
            request.transport.close()
        elif then == "hold":
            await asyncio.Event().wait()
        return response

    return answer
