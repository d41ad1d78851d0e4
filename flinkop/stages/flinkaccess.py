"""How Flink's REST API is reached: in the cluster directly, else through the API server, or as told.

Inside Kubernetes the REST Service has a name. Outside, the API server's service proxy reaches it with
the operator's own credentials, so that `flinkop run` works without port-forwards. A template
overrides both (design decision 11).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from flinkop.flink import errors as flink_errors
from flinkop.flink.address import Cluster, Template
from flinkop.flink.transport import (
    DEFAULT_LIMIT,
    Body,
    RawAnswer,
    Transport,
    TransportFactory,
    direct_transports,
)
from flinkop.kube import errors
from flinkop.kube.client import KubeClient
from flinkop.kube.request import Content, Streamed
from flinkop.kube.serviceproxy import ServiceProxy

_PROXY_STATUS = frozenset({502, 503, 504})


class ProxyTransport:
    """Carries requests to one cluster through the API server's service proxy."""

    def __init__(self, kube: KubeClient, cluster: Cluster) -> None:
        scheme = "https" if cluster.tls else ""
        service = f"{cluster.name}-rest"
        self._proxy = ServiceProxy(kube, cluster.namespace, service, cluster.port, scheme=scheme)

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
        """Send the request; see `flink.transport.Transport` for what is promised."""
        where, _, query = path.partition("?")
        pairs = [tuple(p.split("=", 1)) for p in query.split("&") if "=" in p]
        content, content_type = _content(json, body)
        try:
            status, answer = await self._proxy.request(
                method,
                where,
                query=[(k, v) for k, v in pairs],
                body=content,
                content_type=content_type,
                deadline=timeout,
            )
        except errors.ApiError as error:
            raise _as_flink_error(error) from error
        if len(answer) > limit:
            raise flink_errors.BadAnswer(
                f"{method} {path}: the answer is larger than {limit} bytes"
            )
        return RawAnswer(status, answer)


def _content(json: object, body: Body | None) -> tuple[Content | None, str]:
    if body is not None:
        return Streamed(body.size, body.chunks), body.content_type
    return (None if json is None else msgspec.json.encode(json)), "application/json"


def _as_flink_error(error: errors.ApiError) -> flink_errors.FlinkError:
    """Whatever the API server says itself means that the JobManager was not reached."""
    return flink_errors.Unreachable(
        f"not reached through the API server: {error}",
        sent=not isinstance(error, errors.NotFound) and error.status not in _PROXY_STATUS,
    )


@asynccontextmanager
async def open_transports(
    kube: KubeClient, *, template: str | None, in_cluster: bool
) -> AsyncIterator[TransportFactory]:
    """Yield the factory of transports that fits where this process runs.

    Raises:
        ValueError: the template is not usable.
    """
    if template:
        async with direct_transports(Template(template)) as factory:
            yield factory
    elif in_cluster:
        async with direct_transports() as factory:
            yield factory
    else:

        def through_api_server(cluster: Cluster) -> Transport:
            return ProxyTransport(kube, cluster)

        yield through_api_server
