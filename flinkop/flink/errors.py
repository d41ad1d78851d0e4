"""What can go wrong when talking to a Flink cluster.

    FlinkError                  anything below; `retry` says who tries again
    ├── Unreachable             no answer arrived: refused, reset, closed      (retried inside the call)
    ├── Timeout                 the caller's time ran out                      (next reconcile)
    ├── KeyStoreError           TLS stores cannot be read (`keystore`)         (next reconcile)
    ├── BadAnswer               an answer that cannot be read or is too large  (next reconcile)
    └── HttpError               an answer that is not 2xx: status and text
        ├── NotFound            404: unknown path, jar or trigger              (never)
        │   └── JobNotFound     404 for a job                                  (never)
        ├── Conflict            409: the job is in the wrong state             (never)
        └── Unavailable         503: starting up or electing a leader          (retried inside the call)

An unreachable JobManager surfaces as `Timeout`, because `Unreachable` and `Unavailable` are tried
again until the caller's time is up (`behaviour.md` S-3); with a single-shot client they surface
themselves, and both are what a caller treats like a timeout: `is_absent`.
"""

import enum
import re

import msgspec


class Retry(enum.Enum):
    """Who tries again after an error."""

    IN_CALL = "in call"
    """The client itself, until the caller's time is up."""
    LATER = "later"
    """The next reconcile."""
    NEVER = "never"
    """Nobody: the same request would get the same answer."""


class FlinkError(Exception):
    """Base of everything this room raises."""

    retry = Retry.LATER


class Unreachable(FlinkError):  # noqa: N818 - named for the state of the peer
    """No answer arrived: connection refused, reset, or closed before an answer.

    Attributes:
        sent: whether (part of) the request may have reached the JobManager.
    """

    retry = Retry.IN_CALL

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class Timeout(FlinkError):  # noqa: N818 - the word the rules use
    """The caller's time ran out; `__cause__` is the last failure, if there was one."""


class BadAnswer(FlinkError):  # noqa: N818 - an answer, not an error of ours
    """The answer is larger than allowed or not the JSON that was expected."""


class HttpError(FlinkError):
    """An answer with a status that is not 2xx (S-4).

    Attributes:
        status: the HTTP status.
        text: the strings of the answer's `errors` joined, or the start of the body.
    """

    retry = Retry.LATER

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"HTTP {status}: {text}" if text else f"HTTP {status}")
        self.status = status
        self.text = text


class NotFound(HttpError):  # noqa: N818 - HTTP's own word
    """404: the path, jar, trigger or checkpoint is not known."""

    retry = Retry.NEVER


class JobNotFound(NotFound):
    """404 for a job: this cluster does not know it (any more)."""


class Conflict(HttpError):  # noqa: N818 - HTTP's own word
    """409: the job's state does not allow it."""

    retry = Retry.NEVER


class Unavailable(HttpError):  # noqa: N818 - HTTP's own word
    """503: the JobManager starts up or elects a leader; a proxy has no endpoint for it."""

    retry = Retry.IN_CALL


_MAX_TEXT = 16_384
_JOB_MISSING = re.compile(
    r"\bjob\b.{0,64}\b(?:not|could not be) found|could not find flink job|JobNotFoundException",
    re.IGNORECASE,
)


class _ErrorBody(msgspec.Struct):
    errors: list[str] = []


def from_answer(status: int, body: bytes) -> HttpError:
    """Return the error for an answer that is not 2xx; never raises."""
    try:
        text = "\n".join(msgspec.json.decode(body, type=_ErrorBody).errors)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        text = ""
    text = (text or body[:_MAX_TEXT].decode("utf-8", "replace")).strip()[:_MAX_TEXT]
    match status:
        case 404 if _JOB_MISSING.search(text):
            return JobNotFound(status, text)
        case 404:
            return NotFound(status, text)
        case 409:
            return Conflict(status, text)
        case 503:
            return Unavailable(status, text)
        case _:
            return HttpError(status, text)


def is_absent(error: BaseException) -> bool:
    """Return whether the error means that nobody answers there (O-37): observe the JobManager itself."""
    return isinstance(error, Unreachable | Timeout | Unavailable)
