"""Verb, resource type and options to method, path, query and headers; pure, does no I/O."""

from collections.abc import AsyncIterator, Callable, Iterable
from urllib.parse import quote

from attrs import evolve, field, frozen

from flinkop.kube.meta import ObjectKey, ResourceType

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"

Query = tuple[tuple[str, str], ...]


@frozen
class Streamed:
    """A body too large to be held.

    Attributes:
        size: number of bytes that `chunks` yields.
        chunks: makes a new iterator over the bytes for each attempt.
    """

    size: int
    chunks: Callable[[], AsyncIterator[bytes]]


Content = bytes | Streamed


@frozen
class Request:
    """One call, ready to be sent: nothing is left to decide but the connection.

    Attributes:
        verb: for counting: get, list, watch, create, replace, patch, apply, delete, proxy, raw.
        resource: for counting: plural, with the subresource after a slash.
        method: HTTP method.
        path: absolute, percent-encoded.
        query: pairs in a stable order, not encoded.
        content_type: of the body, when there is one.
        write: whether the call changes something and must pass the fence.
        idempotent: whether sending it twice does what sending it once does.
    """

    verb: str
    resource: str
    method: str
    path: str
    query: Query = ()
    content_type: str = JSON
    write: bool = False
    idempotent: bool = True
    lease: bool = field(default=False, kw_only=True)


def path_of(
    rt: ResourceType, namespace: str | None = None, name: str = "", subresource: str | None = None
) -> str:
    """Return the path of a collection (no name) or of one object.

    An empty or missing namespace gives the cluster-wide collection.
    """
    parts = ["apis", rt.group, rt.version] if rt.group else ["api", rt.version]
    if rt.namespaced and namespace:
        parts += ["namespaces", namespace]
    parts.append(rt.plural)
    parts += [part for part in (name, subresource) if part]
    return "/" + "/".join(quote(part, safe="") for part in parts)


def _build(
    verb: str,
    method: str,
    rt: ResourceType,
    key: tuple[str | None, str],
    *,
    subresource: str | None = None,
    query: Iterable[tuple[str, str | int | bool | None]] = (),
    content_type: str = JSON,
    write: bool = False,
    idempotent: bool = True,
) -> Request:
    namespace, name = key
    if name and rt.namespaced and not namespace:
        raise ValueError(f"{rt.kind} {name} needs a namespace")
    return Request(
        verb,
        f"{rt.plural}/{subresource}" if subresource else rt.plural,
        method,
        path_of(rt, namespace, name, subresource),
        tuple((k, _text(v)) for k, v in query if v is not None and v != ""),
        content_type,
        write=write,
        idempotent=idempotent,
        lease=rt.plural == "leases",
    )


def _text(value: str | int | bool) -> str:  # noqa: FBT001 - a query value, not a switch
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _write_query(
    field_manager: str | None, *, dry_run: bool
) -> tuple[tuple[str, str | None], tuple[str, str | None]]:
    return ("fieldManager", field_manager), ("dryRun", "All" if dry_run else None)


def get(rt: ResourceType, key: ObjectKey, subresource: str | None = None) -> Request:
    """Read one object."""
    return _build("get", "GET", rt, (key.namespace, key.name), subresource=subresource)


def list_page(
    rt: ResourceType,
    namespace: str | None = None,
    *,
    label_selector: str | None = None,
    field_selector: str | None = None,
    limit: int | None = 500,
    continue_token: str | None = None,
    resource_version: str | None = None,
) -> Request:
    """Read one page of a collection; without `resource_version` the read is consistent."""
    return _build(
        "list",
        "GET",
        rt,
        (namespace, ""),
        query=(
            ("labelSelector", label_selector),
            ("fieldSelector", field_selector),
            ("limit", limit),
            ("continue", continue_token),
            ("resourceVersion", resource_version),
        ),
    )


def watch(
    rt: ResourceType,
    namespace: str | None = None,
    *,
    label_selector: str | None = None,
    field_selector: str | None = None,
    resource_version: str | None = None,
    send_initial_events: bool = False,
    timeout_seconds: int | None = None,
) -> Request:
    """Follow a collection, always with bookmarks.

    With `send_initial_events` the stream starts with the present objects and a bookmark that carries
    the annotation `k8s.io/initial-events-end` (the API server's WatchList feature).
    """
    initial = (
        (("sendInitialEvents", True), ("resourceVersionMatch", "NotOlderThan"))
        if send_initial_events
        else ()
    )
    return _build(
        "watch",
        "GET",
        rt,
        (namespace, ""),
        query=(
            ("watch", True),
            ("allowWatchBookmarks", True),
            ("labelSelector", label_selector),
            ("fieldSelector", field_selector),
            ("resourceVersion", resource_version),
            ("timeoutSeconds", timeout_seconds),
            *initial,
        ),
    )


def create(
    rt: ResourceType,
    namespace: str | None,
    *,
    field_manager: str | None = None,
    dry_run: bool = False,
) -> Request:
    """Make an object; not idempotent: a lost answer leaves open whether it exists."""
    return _build(
        "create",
        "POST",
        rt,
        (namespace, ""),
        query=_write_query(field_manager, dry_run=dry_run),
        write=True,
        idempotent=False,
    )


def replace(
    rt: ResourceType,
    key: ObjectKey,
    *,
    subresource: str | None = None,
    field_manager: str | None = None,
    dry_run: bool = False,
) -> Request:
    """Write a whole object; its resourceVersion, when set, is the optimistic lock."""
    return _build(
        "replace",
        "PUT",
        rt,
        (key.namespace, key.name),
        subresource=subresource,
        query=_write_query(field_manager, dry_run=dry_run),
        write=True,
    )


def merge_patch(
    rt: ResourceType,
    key: ObjectKey,
    *,
    subresource: str | None = None,
    field_manager: str | None = None,
    dry_run: bool = False,
) -> Request:
    """Write parts of an object (RFC 7386); a resourceVersion in the patch is the optimistic lock."""
    return _build(
        "patch",
        "PATCH",
        rt,
        (key.namespace, key.name),
        subresource=subresource,
        query=_write_query(field_manager, dry_run=dry_run),
        content_type=MERGE_PATCH,
        write=True,
    )


def apply(
    rt: ResourceType,
    key: ObjectKey,
    *,
    field_manager: str,
    force: bool = True,
    subresource: str | None = None,
    dry_run: bool = False,
) -> Request:
    """Write the fields that `field_manager` owns (server-side apply)."""
    return _build(
        "apply",
        "PATCH",
        rt,
        (key.namespace, key.name),
        subresource=subresource,
        query=(*_write_query(field_manager, dry_run=dry_run), ("force", force)),
        content_type=APPLY_PATCH,
        write=True,
    )


def delete(rt: ResourceType, key: ObjectKey) -> Request:
    """Delete one object; all options go into the body (see `delete_options`).

    With a body the API server ignores options in the query: a dry run asked for there deletes.
    """
    return _build("delete", "DELETE", rt, (key.namespace, key.name), write=True)


def delete_options(
    *,
    propagation: str | None = None,
    uid: str | None = None,
    resource_version: str | None = None,
    grace: int | None = None,
    dry_run: bool = False,
) -> dict[str, object]:
    """Return a DeleteOptions body.

    Args:
        propagation: Foreground, Background or Orphan; None leaves it to the type's default.
        uid: delete only if the object still has this uid (else Conflict).
        resource_version: delete only if the object is still at this version (else Conflict).
        grace: seconds.
        dry_run: only say what would happen.
    """
    body: dict[str, object] = {"kind": "DeleteOptions", "apiVersion": "v1"}
    if propagation is not None:
        body["propagationPolicy"] = propagation
    preconditions = {
        name: value
        for name, value in (("uid", uid), ("resourceVersion", resource_version))
        if value is not None
    }
    if preconditions:
        body["preconditions"] = preconditions
    if grace is not None:
        body["gracePeriodSeconds"] = grace
    if dry_run:
        body["dryRun"] = ["All"]
    return body


def service_proxy(
    method: str,
    namespace: str,
    service: str,
    port: int | str,
    path: str,
    *,
    query: Iterable[tuple[str, str]] = (),
    scheme: str = "",
) -> Request:
    """Reach a Service's HTTP server through the API server.

    Args:
        method: HTTP method; all but GET and HEAD count as writes.
        namespace: of the Service.
        service: its name.
        port: number or name of the Service's port.
        path: the path on the server behind; slashes and existing percent-encoding are kept.
        query: pairs, not encoded.
        scheme: `https` when the server behind speaks TLS; else empty.
    """
    target = f"{scheme}:{service}:{port}" if scheme else f"{service}:{port}"
    rest = quote(path.lstrip("/"), safe="/%:@,;=+$!*'()~")
    read = method in {"GET", "HEAD"}
    return Request(
        "proxy",
        "services/proxy",
        method,
        f"/api/v1/namespaces/{quote(namespace, safe='')}/services/{quote(target, safe=':')}/proxy/{rest}",
        tuple(query),
        write=not read,
        idempotent=read,
    )


def with_content_type(call: Request, content_type: str) -> Request:
    """Return the same call with a body of another type."""
    return evolve(call, content_type=content_type)
