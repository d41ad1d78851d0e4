"""`status.error`: a failure as the JSON text that people and programs read (api.md 3.8).

The `type` names are the reference's class names, because clients select by them.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

import msgspec
from attrs import field, frozen

_PREFIX: Final = "org.apache.flink.kubernetes.operator.exception."


class FailureType(StrEnum):
    """What kind of failure it is."""

    VALIDATION = _PREFIX + "ValidationException"
    RECONCILIATION = _PREFIX + "ReconciliationException"
    DEPLOYMENT_FAILED = _PREFIX + "DeploymentFailedException"
    UPGRADE_FAILURE = _PREFIX + "UpgradeFailureException"
    MISSING_JOB_MANAGER = _PREFIX + "MissingJobManagerException"
    JOB_FAILED = "org.apache.flink.util.SerializedThrowable"


@frozen
class Limits:
    """How much of a failure is shown (`kubernetes.operator.exception.*`)."""

    field_length: int = 2048
    causes: int = 2
    labels: Mapping[str, str] = field(factory=dict)


@frozen
class Failure:
    """A failure with the chain of what caused it, outermost first."""

    type: str
    message: str
    metadata: Mapping[str, Any] = field(factory=dict)
    causes: Sequence["Failure"] = ()

    def to_json(self, limits: Limits | None = None) -> str:
        """Return the compact JSON text, its fields cut to `limits`."""
        limits = limits or Limits()
        chain = [self, *self.causes]
        document = _entry(self, chain, limits)
        document["throwableList"] = [
            _entry(cause, chain[i:], limits)
            for i, cause in enumerate(self.causes[: limits.causes], start=1)
        ]
        return msgspec.json.encode(document).decode()


def words(error: str) -> str:
    """Return what a `status.error` says to people: its message and causes, or the plain text it is."""
    try:
        document = msgspec.json.decode(error)
    except msgspec.DecodeError:
        return error
    message = document.get("message") if isinstance(document, Mapping) else None
    if not isinstance(message, str):
        return error
    return " -> ".join((message, *_causes(document)))


def _causes(document: Mapping[str, object]) -> Iterator[str]:
    """Yield the messages of the causes: the innermost tells what to mend."""
    listed = document.get("throwableList")
    for cause in listed if isinstance(listed, list) else ():
        message = cause.get("message") if isinstance(cause, Mapping) else None
        if isinstance(message, str) and message:
            yield message


def from_exception(error: BaseException, kind: FailureType = FailureType.RECONCILIATION) -> Failure:
    """Return the failure that `error` and its causes describe."""
    causes = [
        Failure(type(cause).__name__, str(cause), _http_metadata(cause)) for cause in _chain(error)
    ]
    return Failure(kind, f"{type(error).__name__}: {error}", _http_metadata(error), causes)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen = {id(error)}
    cause = error.__cause__
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__


def _http_metadata(error: BaseException) -> dict[str, Any]:
    status = getattr(error, "status", None)
    return {"httpResponseCode": status} if isinstance(status, int) and status else {}


def _entry(failure: Failure, chain: Sequence[Failure], limits: Limits) -> dict[str, Any]:
    metadata = {
        k: v[: limits.field_length] if isinstance(v, str) else v
        for k, v in failure.metadata.items()
    }
    labels = [
        label
        for pattern, label in limits.labels.items()
        if any(_is_found(pattern, part.message) for part in chain)
    ]
    if labels:
        metadata["labels"] = labels
    return {
        "type": failure.type[: limits.field_length],
        "message": failure.message[: limits.field_length],
        "additionalMetadata": metadata,
    }


def _is_found(pattern: str, text: str) -> bool:
    """Whether the regular expression occurs in `text`; a broken one of the user's never does."""
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return False
