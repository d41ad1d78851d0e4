"""A proxy between an operator and a real API server that delays, refuses, cuts, mutes, holds and counts.

In front: HTTP on loopback, no credentials (`write_kubeconfig` gives the client its way in). Behind: the
API server with the TLS and the credentials of a kubeconfig. What is not disturbed passes unchanged.

    async with FaultProxy(kubeconfigs.load(path)) as proxy:
        proxy.write_kubeconfig(tmp_path / "kubeconfig")
        with proxy.fault(Match(verb="patch", subresource="status"), CloseAfter(), nth=2) as rule:
            ...
            await rule.wait_applied()
        assert proxy.log.counts()["patch", "flinkdeployments/status"] == 2

Promises: a write that was forwarded is carried through even when its client goes away meanwhile, as the
real API server would. An API server that cannot be reached shows as a closed connection. Nothing is
retried here. Not supported: protocol upgrades (exec, attach, port-forward).
"""

import asyncio
import contextlib
import inspect
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, Literal, Self

import aiohttp
import attrs
import msgspec
from aiohttp import web
from fakes import kubeconfigs
from fakes.apirequest import ApiRequest, parse
from fakes.faultrules import (
    STREAM_FAULTS,
    Answer,
    CloseAfter,
    CloseBefore,
    Delay,
    Fault,
    Hold,
    Match,
    Rule,
    Truncate,
)
from fakes.faultstream import Relay
from fakes.requestlog import Exchange, RequestLog
from multidict import CIMultiDict
from yarl import URL

WriteHook = Callable[[ApiRequest, Literal["before", "after"]], Awaitable[None] | None]

_HOP_BY_HOP = {
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "te",  # codespell:ignore te
    "trailer",
    "transfer-encoding",
    "upgrade",
}


class DropConnection(Exception):  # noqa: N818 - an order, not an error
    """Raised by a write hook: close the connection (before: the API server never sees the write)."""


@attrs.frozen
class _Reply:
    status: int
    headers: CIMultiDict[str]
    body: bytes


def connect(upstream: kubeconfigs.Upstream) -> aiohttp.TCPConnector:
    """Return a connector for as many connections to `upstream` as are asked for."""
    return aiohttp.TCPConnector(limit=0, ssl=upstream.tls or True)


class FaultProxy:
    """Stands in front of `upstream` while it is entered; see the module for an example.

    `on_write(request, "before" | "after")` is called around every request that changes something: before
    it is forwarded, and after the API server answered but before the client hears of it. It may be async,
    and may raise DropConnection. It can be replaced while the proxy runs. Proxies that come and go in
    numbers can share a `connector`, and with it connections to the API server; its maker closes it.
    """

    def __init__(
        self,
        upstream: kubeconfigs.Upstream,
        on_write: WriteHook | None = None,
        connector: aiohttp.BaseConnector | None = None,
    ) -> None:
        self.upstream = upstream
        self.on_write = on_write
        self._shared = connector
        self.log = RequestLog()
        self.rules: list[Rule] = []
        self.port = 0
        self._relays: set[Relay] = set()
        self._forwards: set[asyncio.Task[_Reply]] = set()

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=self._shared or connect(self.upstream),
            connector_owner=self._shared is None,
            timeout=aiohttp.ClientTimeout(),
            auto_decompress=False,
            skip_auto_headers={"User-Agent", "Accept", "Accept-Encoding", "Content-Type"},
            trust_env=False,
        )
        # aiohttp would repeat a PUT or DELETE by itself when a kept connection turns out to be dead.
        self._session._retry_connection = False
        # Size 0: no limit, the API server has its own.
        app = web.Application(client_max_size=0)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0
        )
        await self._runner.setup()
        await self.accept()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.clear()
        self.drop_connections()
        await self._runner.cleanup()
        for task in self._forwards:
            task.cancel()
        if self._forwards:
            await asyncio.wait(self._forwards)
        await self._session.close()

    @property
    def url(self) -> str:
        """Where clients find the proxy."""
        return f"http://127.0.0.1:{self.port}"

    def write_kubeconfig(self, path: Path) -> Path:
        """Write a kubeconfig that points at this proxy; return `path`."""
        return kubeconfigs.write(path, self.url, self.upstream.namespace)

    # Rules

    def add(
        self,
        match: Match,
        fault: Fault,
        *,
        skip: int = 0,
        times: int | None = None,
        nth: int | None = None,
    ) -> Rule:
        """Disturb requests from now on; `nth=3` means the third match only. Return the rule.

        Stream faults also take hold of streams that are open already.
        """
        if nth is not None:
            skip, times = nth - 1, 1
        rule = Rule(match, fault, skip, times)
        self.rules.append(rule)
        if isinstance(fault, STREAM_FAULTS):
            for relay in list(self._relays):
                if rule.claims(relay.exchange.request):
                    relay.disturb(fault, live=True)
        return rule

    def remove(self, rule: Rule) -> None:
        """Stop disturbing; whatever the rule holds goes on. A rule may be removed twice."""
        rule.removed = True
        rule.release()
        if rule in self.rules:
            self.rules.remove(rule)

    def clear(self) -> None:
        """Remove every rule."""
        for rule in list(self.rules):
            self.remove(rule)

    @contextlib.contextmanager
    def fault(
        self,
        match: Match,
        fault: Fault,
        *,
        skip: int = 0,
        times: int | None = None,
        nth: int | None = None,
    ) -> Iterator[Rule]:
        """Disturb requests inside the block."""
        rule = self.add(match, fault, skip=skip, times=times, nth=nth)
        try:
            yield rule
        finally:
            self.remove(rule)

    # Connections

    async def refuse(self) -> None:
        """Stop listening and close every connection: connects are refused, as by a server that is down."""
        await self._site.stop()
        self.drop_connections()

    async def accept(self) -> None:
        """Listen (again, on the same port)."""
        self._site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await self._site.start()
        self.port = self._runner.addresses[0][1]

    @contextlib.asynccontextmanager
    async def refusing(self) -> AsyncIterator[None]:
        """Refuse connections inside the block."""
        await self.refuse()
        try:
            yield
        finally:
            await self.accept()

    def drop_connections(self) -> None:
        """Close every client's connection at once, watches included."""
        server = self._runner.server
        for connection in server.connections if server else ():
            if connection.transport is not None:
                connection.transport.abort()

    # One request

    async def _handle(self, http: web.Request) -> web.StreamResponse:
        body = await http.read()
        agent = http.headers.get("User-Agent", "")
        exchange = self.log.begin(parse(http.method, http.raw_path, body, agent))
        rules = [rule for rule in self.rules if rule.claims(exchange.request)]
        exchange.faults += [type(rule.fault).__name__ for rule in rules]
        try:
            if exchange.request.stream:
                return await self._stream(http, exchange, rules)
            reply = await self._shielded(self._whole(http, exchange, rules))
        except (DropConnection, aiohttp.ClientError):
            return await _hang_up(http)
        return await self._answer(http, exchange, rules, reply)

    async def _shielded(self, forward: Coroutine[Any, Any, _Reply]) -> _Reply:
        """Await `forward`; if the client goes away meanwhile it is still carried through."""
        task = asyncio.get_running_loop().create_task(forward)
        self._forwards.add(task)
        task.add_done_callback(self._forwards.discard)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(task)

    async def _whole(self, http: web.Request, exchange: Exchange, rules: list[Rule]) -> _Reply:
        """Return the answer to a request that is no stream."""
        try:
            await self._hook(exchange, "before")
            reply = await _before(rules)
            if reply is None:
                async with self._forward(http, exchange) as upstream:
                    body = await upstream.read()
                reply = _Reply(upstream.status, _pass_on(upstream.headers), body)
                await _after(rules)
            await self._hook(exchange, "after")
            exchange.status = reply.status
            exchange.response_size = len(reply.body)
            return reply
        finally:
            self.log.end(exchange)

    async def _hook(self, exchange: Exchange, moment: Literal["before", "after"]) -> None:
        if self.on_write and exchange.request.write and (moment == "before" or exchange.forwarded):
            result = self.on_write(exchange.request, moment)
            if inspect.isawaitable(result):
                await result

    @contextlib.asynccontextmanager
    async def _forward(
        self, http: web.Request, exchange: Exchange
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        headers = _pass_on(http.headers)
        headers.update(self.upstream.headers)
        if exchange.request.stream:
            headers["Accept-Encoding"] = "identity"
        exchange.forwarded = True
        async with self._session.request(
            http.method,
            URL(self.upstream.url + http.raw_path, encoded=True),
            data=io.BytesIO(exchange.request.body) if exchange.request.body else None,
            headers=headers,
            allow_redirects=False,
        ) as upstream:
            exchange.upstream_status = upstream.status
            self.log.notify()
            yield upstream

    async def _answer(
        self, http: web.Request, exchange: Exchange, rules: list[Rule], reply: _Reply
    ) -> web.StreamResponse:
        exchange.status = reply.status
        if not any(isinstance(rule.fault, Truncate) for rule in rules):
            return web.Response(status=reply.status, headers=reply.headers, body=reply.body)
        response = web.StreamResponse(status=reply.status, headers=reply.headers)
        response.content_length = len(reply.body)
        await response.prepare(http)
        await response.write(reply.body[: len(reply.body) // 2])
        return await _hang_up(http, response)

    async def _stream(
        self, http: web.Request, exchange: Exchange, rules: list[Rule]
    ) -> web.StreamResponse:
        """Pass a stream on as it arrives, unless the API server answers with an error."""
        try:
            reply = await _before(rules)
            if reply is not None:
                return await self._answer(http, exchange, rules, reply)
            async with self._forward(http, exchange) as upstream:
                headers = _pass_on(upstream.headers)
                if not upstream.ok:
                    reply = _Reply(upstream.status, headers, await upstream.read())
                    return await self._answer(http, exchange, rules, reply)
                await _after(rules)
                response = web.StreamResponse(status=upstream.status, headers=headers)
                well = await self._relay(http, exchange, rules, response, upstream)
            return response if well else await _hang_up(http, response)
        finally:
            self.log.end(exchange)

    async def _relay(
        self,
        http: web.Request,
        exchange: Exchange,
        rules: list[Rule],
        response: web.StreamResponse,
        upstream: aiohttp.ClientResponse,
    ) -> bool:
        """Pass lines on until the stream ends; return whether it ended in good order."""
        relay = Relay(exchange, response, self.log.notify)
        for rule in rules:
            if isinstance(rule.fault, STREAM_FAULTS):
                relay.disturb(rule.fault, live=False)
        self._relays.add(relay)
        try:
            await response.prepare(http)
            exchange.status = upstream.status
            self.log.notify()
            return await relay.run(upstream.content)
        finally:
            self._relays.discard(relay)


async def _before(rules: list[Rule]) -> _Reply | None:
    """Apply what comes before forwarding; return the answer if the API server is not to be asked."""
    for rule in rules:
        match rule.fault:
            case Delay(seconds, after=False):
                await asyncio.sleep(seconds)
            case Hold(after=False):
                await rule.wait_released()
            case Answer() as answer:
                return _invented(answer)
            case CloseBefore():
                raise DropConnection
            case _:
                pass
    return None


async def _after(rules: list[Rule]) -> None:
    """Apply what comes between the API server's answer and the client's."""
    for rule in rules:
        match rule.fault:
            case Delay(seconds, after=True):
                await asyncio.sleep(seconds)
            case Hold(after=True):
                await rule.wait_released()
            case CloseAfter():
                raise DropConnection
            case _:
                pass


def _invented(answer: Answer) -> _Reply:
    headers = CIMultiDict(answer.headers)
    plain = isinstance(answer.body, str)
    headers.setdefault("Content-Type", "text/plain" if plain else "application/json")
    body = (
        answer.body.encode() if isinstance(answer.body, str) else msgspec.json.encode(answer.body)
    )
    return _Reply(answer.status, headers, body)


def _pass_on(headers: Any) -> CIMultiDict[str]:
    """Return the headers that concern the two ends, not one connection."""
    pairs = headers.items()
    return CIMultiDict((key, value) for key, value in pairs if key.lower() not in _HOP_BY_HOP)


async def _hang_up(
    http: web.Request, response: web.StreamResponse | None = None
) -> web.StreamResponse:
    """Close the client's connection after what was already sent; the returned response goes nowhere."""
    if http.transport is not None:
        http.transport.close()
    return response or web.Response()
