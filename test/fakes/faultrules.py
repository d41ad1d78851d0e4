"""Which requests a fault proxy disturbs, and how: matches, faults, rules.

A rule is a `Match`, a `Fault` and a count: `Rule(Match(verb="patch"), CloseAfter(), skip=2, times=1)` loses
the answer of the third patch. Rules see requests in the order in which they were added; `Delay` and
`Hold` pass on to the next rule, every other fault ends the matter.
"""

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

import attrs
from fakes.apirequest import ApiRequest


def _words(value: str | tuple[str, ...] | None) -> tuple[str, ...] | None:
    return (value,) if isinstance(value, str) else value


@attrs.frozen(kw_only=True)
class Match:
    """Which requests are meant; what is None does not matter.

    Args:
        verb: One verb of the API server or several, e.g. `("create", "patch")`.
        method: HTTP method.
        path: Regular expression searched in the path (unquoted, without query).
        resource: Plural, e.g. `flinkdeployments`.
        namespace: Exact namespace; "" means cluster-wide requests only.
        name: Exact name of the object.
        subresource: `status`, `scale`, `proxy`; "" means none.
        watch: True for watches only, False for everything else.
        write: True for requests that change something only, False for reads.
        body: Predicate on the decoded JSON body (None when there is no JSON).
        where: Predicate on the whole request.
    """

    verb: tuple[str, ...] | None = attrs.field(default=None, converter=_words)
    method: tuple[str, ...] | None = attrs.field(default=None, converter=_words)
    path: str | None = None
    resource: tuple[str, ...] | None = attrs.field(default=None, converter=_words)
    namespace: str | None = None
    name: str | None = None
    subresource: str | None = None
    watch: bool | None = None
    write: bool | None = None
    body: Callable[[Any], bool] | None = None
    where: Callable[[ApiRequest], bool] | None = None

    def __call__(self, request: ApiRequest) -> bool:
        """Return whether `request` is meant."""
        listed = (
            (self.verb, request.verb),
            (self.method, request.method),
            (self.resource, request.resource),
        )
        exact = (
            (self.namespace, request.namespace),
            (self.name, request.name),
            (self.subresource, request.subresource),
            (self.watch, request.watch),
            (self.write, request.write),
        )
        return (
            all(wanted is None or found in wanted for wanted, found in listed)
            and all(wanted is None or found == wanted for wanted, found in exact)
            and (self.path is None or re.search(self.path, request.path) is not None)
            and (self.body is None or self.body(request.json()))
            and (self.where is None or self.where(request))
        )


ANY = Match()
WATCHES = Match(watch=True)
WRITES = Match(write=True)


@attrs.frozen
class Delay:
    """Wait, before the request is forwarded or, with `after`, before its answer is passed on."""

    seconds: float
    after: bool = False


@attrs.frozen
class Hold:
    """Wait until the rule is released (or removed): a barrier before forwarding, or `after` it."""

    after: bool = False


@attrs.frozen
class Answer:
    """Answer in the API server's place; it never sees the request. A dict is sent as JSON, a str as plain text."""

    status: int
    body: dict[str, Any] | str = ""
    headers: dict[str, str] = attrs.field(factory=dict)


@attrs.frozen
class CloseBefore:
    """Close the connection; the API server never sees the request."""


@attrs.frozen
class CloseAfter:
    """Let the API server act, then close the connection instead of answering: a lost acknowledgement."""


@attrs.frozen
class Truncate:
    """Send the answer's headers and the first half of its body, then close."""


@attrs.frozen
class CutLine:
    """Send half of the stream's next line, then close. Streams that are already open are cut too."""


@attrs.frozen
class Silence:
    """Keep the stream open and swallow every byte. A stream that fell silent stays so, as a dead peer does.

    Streams that are already open fall silent too. Removing the rule spares streams opened later.
    """


@attrs.frozen
class Inject:
    """Put `line` into the stream (now, if it is already open) and, with `end`, close it properly after it."""

    line: bytes
    end: bool = True


Fault = Delay | Hold | Answer | CloseBefore | CloseAfter | Truncate | CutLine | Silence | Inject
STREAM_FAULTS = (CutLine, Silence, Inject)


@attrs.define(eq=False)
class Rule:
    """A fault for the requests that match, after the first `skip` of them, at most `times` times.

    For stream faults an occurrence is a stream, not a line. `seen` counts matches, `applied` deeds.
    """

    match: Match
    fault: Fault
    skip: int = 0
    times: int | None = None
    seen: int = 0
    applied: int = 0
    removed: bool = False
    _released: asyncio.Event = attrs.field(factory=asyncio.Event, init=False, repr=False)
    _progress: asyncio.Event = attrs.field(factory=asyncio.Event, init=False, repr=False)

    def claims(self, request: ApiRequest) -> bool:
        """Return whether the rule applies to `request`; counts the occurrence."""
        if self.removed or (self.times is not None and self.applied >= self.times):
            return False
        if not self.match(request):
            return False
        self.seen += 1
        if self.seen <= self.skip:
            return False
        self.applied += 1
        self._progress.set()
        self._progress = asyncio.Event()
        return True

    def release(self) -> None:
        """Let everything go that this rule holds, now and later."""
        self._released.set()

    async def wait_released(self) -> None:
        """Wait until `release` was called."""
        await self._released.wait()

    async def wait_applied(self, count: int = 1) -> None:
        """Wait until the rule has applied `count` times; the caller sets the deadline."""
        while self.applied < count:
            await self._progress.wait()


def status_body(code: int, reason: str, message: str, **details: Any) -> dict[str, Any]:
    """Return a `Status` object as the API server sends it with an error."""
    body: dict[str, Any] = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    }
    if details:
        body["details"] = details
    return body


def gone() -> Answer:
    """Return 410 Expired: the resourceVersion is too old."""
    return Answer(410, status_body(410, "Expired", "too old resource version: 1 (2)"))


def gone_event() -> Inject:
    """Return the same 410 as an ERROR event inside a watch stream that then ends."""
    status = status_body(410, "Expired", "too old resource version: 1 (2)")
    return error_event(status)


def error_event(status: dict[str, Any]) -> Inject:
    """Return an ERROR event carrying `status`, after which the stream ends."""
    return Inject(json.dumps({"type": "ERROR", "object": status}).encode() + b"\n")


def too_many_requests(retry_after: int = 1) -> Answer:
    """Return 429 with Retry-After in seconds."""
    message = "the server has received too many requests and has asked us to try again later"
    body = status_body(429, "TooManyRequests", message, retryAfterSeconds=retry_after)
    return Answer(429, body, {"Retry-After": str(retry_after)})


def conflict() -> Answer:
    """Return 409 Conflict: another writer was faster."""
    return Answer(409, status_body(409, "Conflict", "the object has been modified"))


def internal_error() -> Answer:
    """Return 500 with a Status body."""
    return Answer(500, status_body(500, "InternalError", "etcdserver: request timed out"))


def unavailable() -> Answer:
    """Return 503 in plain text, as load balancers and a starting API server send it."""
    return Answer(503, "upstream connect error or disconnect/reset before headers\n")
