"""KubeClient: typed calls to the API server over aiohttp."""

import asyncio
import http
import random
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, Self

import msgspec
from attrs import field, frozen

from flinkop import __version__
from flinkop.kube import errors, objects, request as requests, stream, transport
from flinkop.kube.config import Credentials
from flinkop.kube.instruments import ClientInstruments, NoClientInstruments
from flinkop.kube.meta import ObjectKey, ResourceType
from flinkop.kube.objects import Undecodable
from flinkop.kube.retry import RetryPolicy

if TYPE_CHECKING:  # the default makes `into` optional for callers that want a dict
    from typing_extensions import TypeVar

    T = TypeVar("T", default=dict[str, Any])
else:
    from typing import TypeVar

    T = TypeVar("T")

FIELD_MANAGER = "flinkop"
DEADLINE = 30.0
LIST_DEADLINE = 60.0


@frozen
class Page(Generic[T]):
    """One page of a collection, or all of it.

    Attributes:
        items: in the server's order.
        resource_version: of the collection: watch from here.
        continue_token: of the next page; empty on the last.
        undecodable: objects with a field of an unexpected type; they are not in `items`.
    """

    items: list[T]
    resource_version: str
    continue_token: str = ""
    undecodable: list[Undecodable] = field(factory=list)


@frozen
class ServerVersion:
    """What the API server says of itself."""

    major: str
    minor: str
    git_version: str


class _ListMeta(msgspec.Struct, rename="camel"):
    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")


class _List(msgspec.Struct):
    metadata: _ListMeta = msgspec.field(default_factory=_ListMeta)
    items: list[msgspec.Raw] | None = None


class _Version(msgspec.Struct, rename="camel"):
    major: str = ""
    minor: str = ""
    git_version: str = ""


class KubeClient:
    """Speaks to one API server.

    Promises:
        - Every call ends within its deadline (seconds), waiting for a slot and retries included; a
          watch never waits for ever either: its headers and each gap between bytes are limited.
        - Errors are `errors.ApiError` by kind, for plain-text and broken bodies too.
        - 429, and 5xx with Retry-After, are retried within the deadline; a 401 once, after the
          credentials were fetched anew.
        - `fence` is called before each write that leaves, retries included; when it raises, nothing
          is sent. Leases are exempt: the election writes them itself.
        - Watches, requests and Leases have connections of their own and cannot starve each other.
        - Bodies are never logged.

    Not promised: that a write which ended in `Unreachable` was not carried out.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        fence: Callable[[], None] | None = None,
        instruments: ClientInstruments | None = None,
        user_agent: str = f"flinkop/{__version__}",
        max_in_flight: int = 64,
        retry: RetryPolicy | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self._transport = transport.Transport(
            credentials,
            fence=fence,
            instruments=instruments or NoClientInstruments(),
            user_agent=user_agent,
            max_in_flight=max_in_flight,
            retry=retry or RetryPolicy(),
            rng=rng or random.Random(),  # noqa: S311 - jitter, not secrets
        )
        self.credentials = credentials

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections; calls under way fail as Unreachable."""
        await self._transport.close()

    def set_fence(self, fence: Callable[[], None] | None) -> None:
        """Set what is called before each write; it raises FencedError to forbid it."""
        self._transport.fence = fence

    def check_fence(self) -> None:
        """Raise FencedError when no write may leave now; for writes that go elsewhere, from any thread."""
        if self._transport.fence is not None:
            self._transport.fence()

    async def get(
        self,
        rt: ResourceType,
        key: ObjectKey,
        into: type[T] = dict,  # type: ignore[assignment]
        *,
        subresource: str | None = None,
        deadline: float = DEADLINE,
    ) -> T:
        """Read one object; NotFound when it is not there."""
        call = requests.get(rt, key, subresource)
        return _decode(await self._transport.call(call, None, deadline), into)

    async def list_page(
        self,
        rt: ResourceType,
        namespace: str | None = None,
        *,
        label_selector: str | None = None,
        field_selector: str | None = None,
        limit: int | None = 500,
        continue_token: str | None = None,
        resource_version: str | None = None,
        into: type[T] = dict,  # type: ignore[assignment]
        deadline: float = LIST_DEADLINE,
    ) -> Page[T]:
        """Read one page; without `resource_version` the read is consistent. Gone: start again."""
        call = requests.list_page(
            rt,
            namespace,
            label_selector=label_selector,
            field_selector=field_selector,
            limit=limit,
            continue_token=continue_token,
            resource_version=resource_version,
        )
        return _decode_page(await self._transport.call(call, None, deadline), into)

    async def list_all(
        self,
        rt: ResourceType,
        namespace: str | None = None,
        *,
        label_selector: str | None = None,
        field_selector: str | None = None,
        limit: int | None = 500,
        into: type[T] = dict,  # type: ignore[assignment]
        deadline: float = LIST_DEADLINE,
    ) -> Page[T]:
        """Read all pages as of one resourceVersion; the deadline is for each page.

        When the server forgets that version between pages, the list is read again, in one piece.
        """
        items: list[T] = []
        bad: list[Undecodable] = []
        token: str | None = None
        while True:
            try:
                page = await self.list_page(
                    rt,
                    namespace,
                    label_selector=label_selector,
                    field_selector=field_selector,
                    limit=limit,
                    continue_token=token,
                    into=into,
                    deadline=deadline,
                )
            except errors.Gone:
                if limit is None or token is None:
                    raise
                items, bad, token, limit = [], [], None, None
                continue
            items += page.items
            bad += page.undecodable
            token = page.continue_token
            if not token:
                return Page(items, page.resource_version, "", bad)
            await asyncio.sleep(0)

    def watch(
        self,
        rt: ResourceType,
        namespace: str | None = None,
        *,
        label_selector: str | None = None,
        field_selector: str | None = None,
        resource_version: str | None = None,
        send_initial_events: bool = False,
        timeout_seconds: int | None = None,
        silence: float = 90.0,
        on_open: Callable[[], None] | None = None,
    ) -> AsyncGenerator[stream.WatchEvent, None]:
        """Follow a collection: yields ADDED, MODIFIED, DELETED and BOOKMARK, and ends when the server does.

        Close it with `contextlib.aclosing`: it holds a connection.

        Args:
            rt: what to follow.
            namespace: None follows all namespaces.
            label_selector: as in kubectl.
            field_selector: as in kubectl.
            resource_version: follow from here; None starts with the present objects.
            send_initial_events: stream the present objects, then a bookmark that ends them.
            timeout_seconds: after which the server ends the watch.
            silence: seconds without a byte after which the stream counts as dead; the server sends a
                bookmark about every 60.
            on_open: called when the server has accepted the watch, before anything happens in it.

        Raises:
            Gone: the resourceVersion is too old, as HTTP status or inside the stream.
            StreamError: silent, cut in the middle of a line, or not a watch at all.
            ApiError: as for other calls; also errors that the server sends inside the stream.
        """
        call = requests.watch(
            rt,
            namespace,
            label_selector=label_selector,
            field_selector=field_selector,
            resource_version=resource_version,
            send_initial_events=send_initial_events,
            timeout_seconds=timeout_seconds,
        )
        return self._transport.stream(call, silence, on_open)

    async def create(
        self,
        rt: ResourceType,
        namespace: str | None,
        body: Any,
        into: type[T] = dict,  # type: ignore[assignment]
        *,
        field_manager: str = FIELD_MANAGER,
        dry_run: bool = False,
        deadline: float = DEADLINE,
    ) -> T:
        """Make an object; AlreadyExists when the name is taken."""
        call = requests.create(rt, namespace, field_manager=field_manager, dry_run=dry_run)
        return _decode(await self._transport.call(call, _encode(body), deadline), into)

    async def replace(
        self,
        rt: ResourceType,
        key: ObjectKey,
        body: Any,
        subresource: str | None = None,
        into: type[T] = dict,  # type: ignore[assignment]
        *,
        field_manager: str = FIELD_MANAGER,
        dry_run: bool = False,
        deadline: float = DEADLINE,
    ) -> T:
        """Write a whole object; Conflict when its resourceVersion is no longer current."""
        call = requests.replace(
            rt, key, subresource=subresource, field_manager=field_manager, dry_run=dry_run
        )
        return _decode(await self._transport.call(call, _encode(body), deadline), into)

    async def merge_patch(
        self,
        rt: ResourceType,
        key: ObjectKey,
        patch: Any,
        subresource: str | None = None,
        into: type[T] = dict,  # type: ignore[assignment]
        *,
        field_manager: str = FIELD_MANAGER,
        dry_run: bool = False,
        deadline: float = DEADLINE,
    ) -> T:
        """Write parts of an object; null removes. A resourceVersion in it is the optimistic lock."""
        call = requests.merge_patch(
            rt, key, subresource=subresource, field_manager=field_manager, dry_run=dry_run
        )
        return _decode(await self._transport.call(call, _encode(patch), deadline), into)

    async def apply(
        self,
        rt: ResourceType,
        key: ObjectKey,
        body: Any,
        field_manager: str = FIELD_MANAGER,
        into: type[T] = dict,  # type: ignore[assignment]
        *,
        force: bool = True,
        subresource: str | None = None,
        dry_run: bool = False,
        deadline: float = DEADLINE,
    ) -> T:
        """Write the fields that `field_manager` owns (server-side apply); makes the object if absent."""
        call = requests.apply(
            rt,
            key,
            field_manager=field_manager,
            force=force,
            subresource=subresource,
            dry_run=dry_run,
        )
        return _decode(await self._transport.call(call, _encode(body), deadline), into)

    async def delete(
        self,
        rt: ResourceType,
        key: ObjectKey,
        *,
        propagation: str | None = None,
        uid: str | None = None,
        resource_version: str | None = None,
        grace: int | None = None,
        dry_run: bool = False,
        deadline: float = DEADLINE,
    ) -> None:
        """Delete an object; NotFound when it is gone, Conflict when a precondition does not hold."""
        options = requests.delete_options(
            propagation=propagation,
            uid=uid,
            resource_version=resource_version,
            grace=grace,
            dry_run=dry_run,
        )
        call = requests.delete(rt, key)
        await self._transport.call(call, _encode(options), deadline)

    async def version(self, *, deadline: float = DEADLINE) -> ServerVersion:
        """Ask the API server for its version."""
        call = requests.Request("get", "version", "GET", "/version")
        found = _decode(await self._transport.call(call, None, deadline), _Version)
        return ServerVersion(found.major, found.minor, found.git_version)

    async def raw(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        content_type: str = requests.JSON,
        deadline: float = DEADLINE,
    ) -> tuple[int, bytes]:
        """Send any call to a percent-encoded path; returns status and body, errors included."""
        read = method in {"GET", "HEAD"}
        call = requests.Request(
            "raw",
            "raw",
            method,
            path,
            tuple((query or {}).items()),
            content_type,
            write=not read,
            idempotent=read,
        )
        return await self.send(call, body, deadline=deadline)

    async def send(
        self,
        call: requests.Request,
        body: requests.Content | None = None,
        *,
        deadline: float = DEADLINE,
    ) -> tuple[int, bytes]:
        """Send a prepared request; returns status and body, error statuses included.

        Raises:
            Unreachable: no answer within the deadline.
            TooManyRequests: the API server throttles, still, at the deadline.
        """
        return await self._transport.exchange(call, body, deadline)


def _encode(body: Any) -> bytes:
    return body if isinstance(body, bytes) else msgspec.json.encode(body)


def _decode(body: bytes, into: type[T]) -> T:
    try:
        return objects.decode(body, into)
    except msgspec.DecodeError as error:
        raise errors.BadAnswer(
            f"the API server's answer cannot be read: {error}", status=http.HTTPStatus.OK
        ) from None


def _decode_page(body: bytes, into: type[T]) -> Page[T]:
    found = _decode(body, _List)
    decode = objects.decoder(into).decode
    items: list[T] = []
    bad: list[Undecodable] = []
    for raw in found.items or ():
        try:
            items.append(decode(raw))
        except msgspec.ValidationError as error:
            bad.append(objects.undecodable(raw, error))
    meta = found.metadata
    return Page(items, meta.resource_version, meta.continue_, bad)
