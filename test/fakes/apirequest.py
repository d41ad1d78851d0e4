"""What a request asks of a Kubernetes API server, read from its method, path and query.

Pure. The words are the API server's own: verb, resource, subresource, namespace, name
(`list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`, `get`).
"""

import json
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import attrs

_WRITES = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@attrs.frozen
class ApiRequest:
    """One request as the API server would attribute it.

    A path that names no resource (`/version`, discovery) has resource "" and its verb is the method in
    lower case. `namespace` is "" for cluster-wide requests, `name` is "" for collections.
    """

    method: str
    path: str
    query: dict[str, str]
    verb: str
    group: str = ""
    version: str = ""
    resource: str = ""
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    body: bytes = attrs.field(default=b"", repr=lambda body: f"<{len(body)} bytes>")
    user_agent: str = ""

    @property
    def watch(self) -> bool:
        """Whether the answer is an endless stream of watch events."""
        return self.verb == "watch"

    @property
    def stream(self) -> bool:
        """Whether the answer is passed on as it arrives: a watch, or a log that is followed."""
        return self.watch or self.query.get("follow") == "true"

    @property
    def write(self) -> bool:
        """Whether the request changes something (requests through the service proxy included)."""
        return self.method in _WRITES

    def json(self) -> Any:
        """Return the decoded body, or None when there is none or it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def __str__(self) -> str:
        """Return e.g. `patch flinkdeployments/status demo/basic`."""
        what = f"{self.resource}/{self.subresource}" if self.subresource else self.resource
        where = "/".join(part for part in (self.namespace, self.name) if part)
        return " ".join(part for part in (self.verb, what or self.path, where) if part)


def parse(method: str, target: str, body: bytes = b"", user_agent: str = "") -> ApiRequest:
    """Return the request for `method` on `target` (path and query as they stand in the request line)."""
    parts = urlsplit(target)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    segments = [unquote(segment) for segment in parts.path.split("/") if segment]
    where = _locate(segments)
    return ApiRequest(
        method=method,
        path=unquote(parts.path),
        query=query,
        verb=_verb(method, query, where),
        body=body,
        user_agent=user_agent,
        **where,
    )


def _locate(segments: list[str]) -> dict[str, str]:
    """Return group, version, resource, namespace, name and subresource as far as the path has them."""
    match segments:
        case ["api", version, *rest] if rest:
            where = {"version": version}
        case ["apis", group, version, *rest] if rest:
            where = {"group": group, "version": version}
        case _:
            return {}
    # `namespaces/<ns>/status` is the Namespace's own subresource, not a collection called "status".
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in {"status", "finalize"}:
        where["namespace"] = rest[1]
        rest = rest[2:]
    where["resource"] = rest[0]
    if len(rest) > 1:
        where["name"] = rest[1]
    if len(rest) > 2:
        where["subresource"] = rest[2]
    return where


def _verb(method: str, query: dict[str, str], where: dict[str, str]) -> str:
    if not where:
        return method.lower()
    if method in _WRITES:
        collection = method == "DELETE" and "name" not in where
        return "deletecollection" if collection else _WRITES[method]
    if query.get("watch") in {"1", "true"}:
        return "watch"
    return "get" if "name" in where else "list"
