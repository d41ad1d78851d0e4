"""The seam between FlinkClient and the network: one request, one answer, one deadline.

`Transport` is what a fake, the simulator or the API server's service proxy replaces. `DirectTransport`
speaks to the JobManager itself, over a session that all clusters share.

Promises of every transport: the answer's body is never larger than `limit`; the call ends within
`timeout` seconds; what goes wrong on the way is a `FlinkError`. Not promised: any retry, and any
judgement of the status.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, NamedTuple, Protocol

import aiohttp
import msgspec
from attrs import frozen

from flinkop.flink import errors
from flinkop.flink.address import Address, Cluster, in_cluster
from flinkop.flink.tls import Contexts

DEFAULT_LIMIT: Final = 1 << 20
"""Bytes that an answer may have when the call sets no limit of its own."""

Tls = ssl.SSLContext | bool
"""How to check a server's certificate, as aiohttp takes it; True is the system's trust."""
SYSTEM_TRUST: Final[Tls] = True

_KEEPALIVE: Final = (
    75.0  # longer than the 60 s reconcile interval, so that its probes reuse a connection
)
_CONNECT_SHARE: Final = 0.5  # of the call's time; the rest is for the answer
_CHUNK: Final = 1 << 16


class RawAnswer(NamedTuple):
    """Status and body as received."""

    status: int
    body: bytes


@frozen
class Body:
    """A request body that is not JSON.

    Attributes:
        content_type: value of the header.
        size: number of bytes that `chunks` yields.
        chunks: makes a new iterator over the bytes each time it is called.
    """

    content_type: str
    size: int
    chunks: Callable[[], AsyncIterator[bytes]]


class Transport(Protocol):
    """Carries one request to one Flink cluster."""

    async def request(
        self,
        method: str,
        path: str,
        *,
        timeout: float,  # noqa: ASYNC109 - the deadline belongs to the call
        json: object = None,
        body: Body | None = None,
        limit: int = DEFAULT_LIMIT,
    ) -> RawAnswer:
        """Send the request and return the answer, whatever its status.

        Args:
            method: HTTP method.
            path: path and query below the cluster's address, starting with `/`.
            timeout: seconds until `Timeout`.
            json: request body, encoded as JSON when not None.
            body: another request body; never together with `json`.
            limit: bytes that the answer's body may have.

        Raises:
            Unreachable: no answer arrived.
            Timeout: time ran out.
            BadAnswer: the answer is larger than `limit`.
        """
        ...


class TransportFactory(Protocol):
    """Gives the transport for a cluster; cheap, nothing to close."""

    def __call__(self, cluster: Cluster) -> Transport:
        """Return a transport to `cluster`.

        Raises:
            KeyStoreError: the cluster's key stores cannot be read.
        """
        ...


class DirectTransport:
    """HTTP to one base address over a shared session."""

    def __init__(self, session: aiohttp.ClientSession, base: str, tls: Tls = SYSTEM_TRUST) -> None:
        self._session = session
        self._base = base.rstrip("/")
        self._tls = tls

    def __repr__(self) -> str:
        return f"DirectTransport({self._base})"

    async def request(
        self,
        method: str,
        path: str,
        *,
        timeout: float,  # noqa: ASYNC109
        json: object = None,
        body: Body | None = None,
        limit: int = DEFAULT_LIMIT,
    ) -> RawAnswer:
        """See `Transport.request`."""
        data, headers = _content(json, body)
        try:
            async with (
                asyncio.timeout(timeout),
                self._session.request(
                    method,
                    self._base + path,
                    data=data,
                    headers=headers,
                    ssl=self._tls,
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(sock_connect=timeout * _CONNECT_SHARE),
                ) as response,
            ):
                return RawAnswer(response.status, await _read(response, limit))
        except TimeoutError as error:
            # aiohttp's own timeouts end here too: its sock_connect is a connect failure, not our deadline
            if isinstance(error, aiohttp.ClientError):
                raise errors.Unreachable(self._said(error), sent=False) from error
            raise errors.Timeout(f"no answer from {self._base} within {timeout:g} s") from error
        except aiohttp.ClientConnectorError as error:
            raise errors.Unreachable(self._said(error), sent=False) from error
        except (aiohttp.ClientError, OSError) as error:
            raise errors.Unreachable(self._said(error), sent=True) from error

    def _said(self, error: BaseException) -> str:
        reason = str(error) or type(error).__name__
        return f"cannot reach {self._base}: {reason}"


def _content(
    json: object, body: Body | None
) -> tuple[bytes | AsyncIterator[bytes] | None, dict[str, str]]:
    headers = {"Accept": "application/json"}
    if body is not None:
        headers |= {"Content-Type": body.content_type, "Content-Length": str(body.size)}
        return body.chunks(), headers
    if json is not None:
        headers["Content-Type"] = "application/json"
        return msgspec.json.encode(json), headers
    return None, headers


async def _read(response: aiohttp.ClientResponse, limit: int) -> bytes:
    if (response.content_length or 0) > limit:
        raise _too_large(limit)
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_chunked(_CHUNK):
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        parts.append(part)
    return b"".join(parts)


def _too_large(limit: int) -> errors.BadAnswer:
    return errors.BadAnswer(f"the answer is larger than the {limit} bytes this call accepts")


@asynccontextmanager
async def direct_transports(
    address: Address = in_cluster,
) -> AsyncIterator[TransportFactory]:
    """Open the shared session and yield a factory of direct transports; closes the session at the end.

    Args:
        address: base URL of a cluster; `address.Template` overrides the Service's name.
    """
    connector = aiohttp.TCPConnector(
        limit=0,  # the controllers' workers bound the number of calls
        limit_per_host=0,
        keepalive_timeout=_KEEPALIVE,
        ttl_dns_cache=5,
    )
    async with aiohttp.ClientSession(
        connector=connector,
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
        headers={"User-Agent": "flinkop"},
        auto_decompress=True,
    ) as session:
        contexts = Contexts()

        def factory(cluster: Cluster) -> Transport:
            trust = contexts.get(cluster.stores) if cluster.stores else SYSTEM_TRUST
            return DirectTransport(session, address(cluster), trust)

        yield factory
