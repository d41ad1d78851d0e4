"""Requests over connections: deadlines, retries, fence, counting. Knows no resource types."""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable
from urllib.parse import quote, urlencode

import aiohttp
import yarl

from flinkop.kube import errors, stream
from flinkop.kube.config import Credentials
from flinkop.kube.instruments import ClientInstruments
from flinkop.kube.pools import Pool
from flinkop.kube.request import Content, Request, Streamed
from flinkop.kube.retry import RetryPolicy

CONNECT = 10.0
"""Seconds to open a connection."""

HEADERS = 30.0
"""Seconds until a watch must have answered with its headers."""

_DISCONNECTED = "Disconnected"
_ERROR_STATUS = 300
_ERROR_BODY = 64 * 1024

Fence = Callable[[], None]


class Transport:
    """Sends prepared requests; `KubeClient` says what it promises."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        fence: Fence | None,
        instruments: ClientInstruments,
        user_agent: str,
        max_in_flight: int,
        retry: RetryPolicy,
        rng: random.Random,
    ) -> None:
        self.fence = fence
        self._credentials = credentials
        self._instruments = instruments
        self._retry = retry
        self._rng = rng

        def pool(name: str, limit: int | None = None) -> Pool:
            return Pool(name, credentials, instruments, user_agent=user_agent, limit=limit)

        self._requests = pool("requests", max_in_flight)
        self._watches = pool("watches")
        self._lease = pool("lease")

    async def close(self) -> None:
        """Close all connections."""
        for pool in (self._requests, self._watches, self._lease):
            await pool.close()

    async def call(self, call: Request, body: bytes | None, deadline: float) -> bytes:
        """Send and return the body of a success; raises ApiError for anything else."""
        return (await self._within(call, body, deadline, raise_all=True))[1]

    async def exchange(
        self, call: Request, body: Content | None, deadline: float
    ) -> tuple[int, bytes]:
        """Send and return status and body, of errors too; only 429 is retried and raised."""
        return await self._within(call, body, deadline, raise_all=False)

    async def _within(
        self, call: Request, body: Content | None, deadline: float, *, raise_all: bool
    ) -> tuple[int, bytes]:
        end = asyncio.get_running_loop().time() + deadline
        try:
            async with asyncio.timeout_at(end):
                return await self._attempts(call, body, end, raise_all=raise_all)
        except TimeoutError:
            raise errors.Unreachable(
                f"the API server did not answer {call.method} {call.path} within {deadline:g} s",
                reason="DeadlineExceeded",
            ) from None

    async def _attempts(
        self, call: Request, body: Content | None, end: float, *, raise_all: bool
    ) -> tuple[int, bytes]:
        loop = asyncio.get_running_loop()
        refreshed = reconnected = False
        attempt = 0
        while True:
            try:
                return await self._attempt(call, body, raise_all=raise_all)
            except errors.Unauthorized as error:
                if refreshed or not await self._credentials.refresh(error.look):
                    raise
                refreshed = True
                self._instruments.retry(call.verb, call.resource, "unauthorized")
            except errors.Unreachable as error:
                # The server may have closed an idle connection just as this read went out on it.
                if call.write or reconnected or error.reason != _DISCONNECTED:
                    raise
                reconnected = True
                self._instruments.retry(call.verb, call.resource, "disconnected")
            except errors.ApiError as error:
                wait = self._retry.wait(error, attempt, idempotent=call.idempotent, rng=self._rng)
                if wait is None or loop.time() + wait >= end:
                    raise
                throttled = isinstance(error, errors.TooManyRequests)
                reason = "throttled" if throttled else "unavailable"
                self._instruments.retry(call.verb, call.resource, reason)
                await asyncio.sleep(wait)
                attempt += 1

    async def _attempt(
        self, call: Request, body: Content | None, *, raise_all: bool
    ) -> tuple[int, bytes]:
        pool = self._lease if call.lease else self._requests
        slot = await pool.acquire()
        try:
            response, look = await self._open(slot.session, call, body)
            async with response:
                answer = await response.read()
        except (aiohttp.ClientError, OSError) as error:
            raise _unreachable(call, error) from error
        finally:
            await pool.release(slot)
        status = response.status
        if status < _ERROR_STATUS:
            return status, answer
        failure = errors.from_response(status, answer, response.headers.get("Retry-After"))
        if isinstance(failure, errors.Unauthorized):
            failure.look = look
        if raise_all or isinstance(failure, errors.TooManyRequests | errors.Unauthorized):
            raise failure
        return status, answer

    async def _open(
        self,
        session: aiohttp.ClientSession,
        call: Request,
        body: Content | None,
        sock_read: float | None = None,
    ) -> tuple[aiohttp.ClientResponse, int]:
        """Send one request and wait for its headers; every attempt of every call comes by here."""
        loop = asyncio.get_running_loop()
        authorization, look = await self._credentials.authorization()
        headers = {"Accept": "application/json"}
        if authorization:
            headers["Authorization"] = authorization
        if body is not None:
            headers["Content-Type"] = call.content_type
        if isinstance(body, Streamed):
            headers["Content-Length"] = str(body.size)
        endpoint = self._credentials.endpoint
        if call.write and not call.lease and self.fence is not None:
            self.fence()
        started = loop.time()
        code = "unreachable"
        try:
            response = await session.request(
                call.method,
                _url(endpoint.server, call),
                data=body.chunks() if isinstance(body, Streamed) else body,
                headers=headers,
                proxy=endpoint.proxy,
                server_hostname=endpoint.server_name,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(sock_connect=CONNECT, sock_read=sock_read),
            )
            code = str(response.status)
        finally:
            self._instruments.request(call.verb, call.resource, code, loop.time() - started)
        return response, look

    async def stream(
        self, call: Request, silence: float, on_open: Callable[[], None] | None = None
    ) -> AsyncGenerator[stream.WatchEvent, None]:
        """Yield the events of a watch until the server ends it; raises what an ERROR event carries."""
        pool = self._watches
        slot = await pool.acquire()
        try:
            response = await self._open_stream(slot.session, call, silence)
            try:
                if on_open is not None:
                    on_open()
                decoder = stream.Decoder()
                async for chunk in response.content.iter_any():
                    for event in decoder.feed(chunk):
                        if event.type == stream.ERROR:
                            raise stream.error_of(event)
                        yield event
                decoder.finish()
            finally:
                response.close()
        except aiohttp.SocketTimeoutError:
            raise stream.StreamError(
                f"the watch on {call.path} was silent for {silence:g} s", reason="Silent"
            ) from None
        except (aiohttp.ClientError, OSError) as error:
            raise stream.StreamError(
                f"the watch on {call.path} was cut: {_cause(error)}", reason="Cut"
            ) from error
        finally:
            await pool.release(slot)

    async def _open_stream(
        self, session: aiohttp.ClientSession, call: Request, silence: float
    ) -> aiohttp.ClientResponse:
        try:
            async with asyncio.timeout(HEADERS):
                response, look = await self._open(session, call, None, silence)
                if response.status == errors.UNAUTHORIZED and await self._credentials.refresh(look):
                    response.close()
                    self._instruments.retry(call.verb, call.resource, "unauthorized")
                    response, look = await self._open(session, call, None, silence)
                if response.status == errors.OK:
                    return _streaming(call, response)
                async with response:
                    body = await response.content.read(_ERROR_BODY)
        except aiohttp.SocketTimeoutError:
            raise
        except (aiohttp.ClientError, ConnectionError) as error:
            raise _unreachable(call, error) from error
        except TimeoutError:
            raise errors.Unreachable(
                f"the watch on {call.path} got no answer within {HEADERS:g} s", reason="Silent"
            ) from None
        raise errors.from_response(response.status, body, response.headers.get("Retry-After"))


def _streaming(call: Request, response: aiohttp.ClientResponse) -> aiohttp.ClientResponse:
    if response.content_type == "application/json":
        return response
    response.close()
    raise stream.StreamError(
        f"the watch on {call.path} was answered with {response.content_type}, not with events",
        reason="NotAnEvent",
    )


def _url(server: str, call: Request) -> yarl.URL:
    query = f"?{urlencode(call.query, quote_via=quote)}" if call.query else ""
    return yarl.URL(f"{server}{call.path}{query}", encoded=True)


def _unreachable(call: Request, error: Exception) -> errors.Unreachable:
    lost = isinstance(error, aiohttp.ServerDisconnectedError | ConnectionResetError)
    return errors.Unreachable(
        f"the API server cannot be reached for {call.method} {call.path}: {_cause(error)}",
        reason=_DISCONNECTED if lost else "",
    )


def _cause(error: Exception) -> str:
    return str(error) or type(error).__name__
