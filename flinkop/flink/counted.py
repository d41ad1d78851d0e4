"""What is asked of Flink, counted: each request with its endpoint, its outcome and its time.

Endpoints are told without ids (`/jobs/:id/savepoints`), so that there are as many series as kinds of calls.
`flinkop.metrics` fills the Protocol for Prometheus: this room imports no metrics library.
"""

import re
from typing import Final, Protocol

from attrs import frozen

from flinkop.clock import Clock
from flinkop.flink import errors
from flinkop.flink.address import Cluster
from flinkop.flink.transport import DEFAULT_LIMIT, Body, RawAnswer, Transport, TransportFactory

_ID: Final = re.compile(r"/(?:[0-9a-f]{32}|[^/]*\.jar)(?=/|$)")
_OUTCOMES: Final = (
    (errors.Unreachable, "unreachable"),
    (errors.Timeout, "timeout"),
)


class FlinkInstruments(Protocol):
    """Told about each request to a Flink cluster. Calls must be cheap and must not raise."""

    def request(self, method: str, endpoint: str, code: str, seconds: float) -> None:
        """Count one request: each attempt counts.

        Args:
            method: HTTP method.
            endpoint: path below `/v1`, ids as `:id`, without its query.
            code: the HTTP status as text; `unreachable`, `timeout` or `unusable` when there was none to use.
            seconds: time to the end of the answer.
        """
        ...


@frozen
class CountedTransport:
    """Counts what goes through `inner`, and changes nothing of it."""

    inner: Transport
    instruments: FlinkInstruments
    clock: Clock

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
        """See `Transport.request`."""
        begun = self.clock.monotonic()
        code = "unusable"
        try:
            answer = await self.inner.request(
                method, path, timeout=timeout, json=json, body=body, limit=limit
            )
            code = str(answer.status)
        except errors.FlinkError as error:
            code = next((word for kind, word in _OUTCOMES if isinstance(error, kind)), code)
            raise
        finally:
            taken = self.clock.monotonic() - begun
            self.instruments.request(method, endpoint(path), code, taken)
        return answer


def counted(
    factory: TransportFactory, instruments: FlinkInstruments, clock: Clock
) -> TransportFactory:
    """Return `factory` with everything counted that goes through its transports."""

    def make(cluster: Cluster) -> Transport:
        return CountedTransport(factory(cluster), instruments, clock)

    return make


def endpoint(path: str) -> str:
    """Return a path as it is counted: below `/v1`, without ids and query."""
    return _ID.sub("/:id", path.partition("?")[0].removeprefix("/v1"))
