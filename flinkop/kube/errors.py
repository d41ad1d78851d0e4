"""What can go wrong with a call to the API server.

ApiError
├── BadRequest          400: the request itself is wrong
├── Unauthorized        401: credentials missing, wrong or expired
├── Forbidden           403: RBAC or an admission plugin says no (quota too)
├── NotFound            404: no such object, or the type is not served
├── Conflict            409: somebody else wrote since we read
├── AlreadyExists       409: the name is taken
├── Gone                410: resourceVersion or continue token too old
├── Invalid             422: the object breaks its schema or a rule
├── TooManyRequests     429: throttled; carries retry_after
├── ServerError         5xx
├── BadAnswer           2xx, but the body is not what was asked for
└── Unreachable         no complete answer: connection refused, reset, deadline passed
FencedError             not sent: the lease is lost
ConfigError             the credentials cannot be used (kubeconfig, exec plugin, files)

Each ApiError says by `transient` whether the same call may succeed later without anybody's doing,
and by `retry_after` how many seconds the server asked to wait.
"""

# ruff: noqa: N818 - the names are the API server's reasons, as its documentation has them

import http
from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

OK = 200
UNAUTHORIZED = 401

_SHOWN = 300  # characters of a plain-text error body that are kept


class ConfigError(Exception):
    """The credentials or the address of the API server cannot be used; the message says why."""


class FencedError(Exception):
    """A write was not sent because this process no longer holds the lease."""


class ApiError(Exception):
    """The API server refused a call, or could not be reached.

    Attributes:
        status: HTTP status; 0 when there was no answer.
        reason: the machine-readable reason of the Status object, such as `NotFound`; may be empty.
        message: what the server said, one sentence or more.
        retry_after: seconds the server asked to wait, or None.
        details: the Status object's details: name, kind, causes; empty when absent.
    """

    transient: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        reason: str = "",
        retry_after: float | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.reason = reason
        self.retry_after = retry_after
        self.details: Mapping[str, Any] = details or {}

    def causes(self) -> tuple[str, ...]:
        """Return the reasons of the details' causes, such as `ResourceVersionTooLarge`."""
        causes = self.details.get("causes") or ()
        return tuple(str(c.get("reason", "")) for c in causes if isinstance(c, Mapping))

    @property
    def namespace_ends(self) -> bool:
        """Whether the cause is that the namespace is being deleted: nothing can be created in it any more."""
        return "NamespaceTerminating" in self.causes()

    def __str__(self) -> str:
        tag = " ".join(part for part in (str(self.status or ""), self.reason) if part)
        return f"{self.message} ({tag})" if tag else self.message


class BadRequest(ApiError):
    """The request cannot be understood."""


class Unauthorized(ApiError):
    """The credentials are missing, wrong or expired, also after they were refreshed once.

    Attributes:
        look: which credentials were refused (`config.Credentials.refresh`).
    """

    transient = True
    look: int = 0


class Forbidden(ApiError):
    """RBAC, a quota or an admission plugin refused."""


class NotFound(ApiError):
    """There is no such object, or the API server does not serve the type."""

    @property
    def type_missing(self) -> bool:
        """Whether the type itself is not served (its CRD is not installed)."""
        return not self.details.get("name")


class Conflict(ApiError):
    """The object changed since it was read: read again, decide again."""

    transient = True


class AlreadyExists(ApiError):
    """An object of that name exists."""


class Gone(ApiError):
    """The resourceVersion or continue token is too old: list again."""

    transient = True


class Invalid(ApiError):
    """The object breaks its schema or a validation rule."""


class TooManyRequests(ApiError):
    """The API server throttles; `retry_after` says for how long."""

    transient = True


class ServerError(ApiError):
    """The API server failed (5xx)."""

    transient = True


class BadAnswer(ApiError):
    """The API server said yes, but its answer cannot be read."""

    transient = True


class Unreachable(ApiError):
    """There was no complete answer; whether the server acted is not known."""

    transient = True


_BY_STATUS: Mapping[int, type[ApiError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    422: Invalid,
    429: TooManyRequests,
}
_BY_REASON: Mapping[str, type[ApiError]] = {
    "AlreadyExists": AlreadyExists,
    "Expired": Gone,
    "Gone": Gone,
}


class Status(msgspec.Struct, frozen=True):
    """The fields of a `v1.Status` that are read."""

    kind: str = ""
    message: str = ""
    reason: str = ""
    code: int = 0
    details: dict[str, Any] = {}


_status_decoder = msgspec.json.Decoder(Status)


def parse_status(body: bytes | memoryview | msgspec.Raw) -> Status | None:
    """Return the `v1.Status` in `body`, or None when it is something else."""
    try:
        status = _status_decoder.decode(body)
    except msgspec.DecodeError:
        return None
    return status if status.kind == "Status" else None


def from_status(status: Status, retry_after: float | None = None) -> ApiError:
    """Return the typed error for a Status object."""
    kind = _BY_REASON.get(status.reason) or _BY_STATUS.get(status.code)
    if kind is None:
        server_error = status.code >= http.HTTPStatus.INTERNAL_SERVER_ERROR
        kind = ServerError if server_error else ApiError
    if retry_after is None:
        seconds = status.details.get("retryAfterSeconds")
        retry_after = float(seconds) if isinstance(seconds, int | float) and seconds > 0 else None
    return kind(
        status.message or status.reason or f"HTTP status {status.code}",
        status=status.code,
        reason=status.reason,
        retry_after=retry_after,
        details=status.details,
    )


def from_response(code: int, body: bytes, retry_after: str | None = None) -> ApiError:
    """Return the typed error for an answer with an error status; the body may be plain text.

    Args:
        code: HTTP status.
        body: the answer's body, of any type; at most its first 300 characters are kept.
        retry_after: the header's value; only whole seconds are understood, as the API server sends.
    """
    seconds = float(retry_after) if retry_after and retry_after.strip().isdigit() else None
    status = parse_status(body)
    if status is None:
        text = body[: 4 * _SHOWN].decode("utf-8", "replace").strip()[:_SHOWN]
        status = Status(message=text or _phrase(code), code=code)
    elif status.code != code:
        status = msgspec.structs.replace(status, code=code)
    return from_status(status, seconds)


def _phrase(code: int) -> str:
    try:
        return http.HTTPStatus(code).phrase
    except ValueError:
        return f"HTTP status {code}"
