"""Reaching an HTTP server behind a Service through the API server (`design.md` 11)."""

from collections.abc import Iterable

from flinkop.kube import errors, request as requests
from flinkop.kube.client import DEADLINE, KubeClient


class ServiceProxy:
    """HTTP to one port of one Service, with the API server in between.

    Needs RBAC `get`, `create`, `patch` and `delete` on `services/proxy`. What the server behind says
    is returned whatever its status; what the API server itself says is raised.
    """

    def __init__(
        self,
        client: KubeClient,
        namespace: str,
        service: str,
        port: int | str,
        *,
        scheme: str = "",
    ) -> None:
        self._client = client
        self._namespace = namespace
        self._service = service
        self._port = port
        self._scheme = scheme

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Iterable[tuple[str, str]] = (),
        body: requests.Content | None = None,
        content_type: str = requests.JSON,
        deadline: float = DEADLINE,
    ) -> tuple[int, bytes]:
        """Send one request; returns the status and body of the server behind.

        Args:
            method: GET, POST, PATCH, PUT or DELETE; all but GET pass the write fence.
            path: on the server behind, with or without a leading slash.
            query: pairs.
            body: what to send, or None.
            content_type: of the body; a multipart upload brings its boundary here.
            deadline: seconds.

        Raises:
            ApiError: the API server refused (Forbidden, NotFound: no such Service) or could not reach
                the server behind (ServerError 503: no ready endpoint, or it does not answer).
        """
        call = requests.service_proxy(
            method,
            self._namespace,
            self._service,
            self._port,
            path,
            query=query,
            scheme=self._scheme,
        )
        call = requests.with_content_type(call, content_type)
        status, answer = await self._client.send(call, body, deadline=deadline)
        if status >= 400:  # noqa: PLR2004 - where errors begin
            own = errors.parse_status(answer)
            if own is not None:
                raise errors.from_status(own)
        return status, answer
