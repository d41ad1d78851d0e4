"""What an Event says, before it is written: pure values that a plan can hold."""

from enum import StrEnum

from attrs import frozen

from flinkop import javahash


class EventType(StrEnum):
    """The two kinds of Event that Kubernetes knows."""

    NORMAL = "Normal"
    WARNING = "Warning"


@frozen
class InvolvedObject:
    """The resource an Event is about."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str


@frozen
class EventDraft:
    """One Event to be: `key` stands for the message in its identity where messages vary.

    `once` drafts are written when their identity is new and never again (behaviour.md E-4).
    """

    type: EventType
    reason: str
    component: str
    message: str
    key: str | None = None
    once: bool = False

    def object_name(self, about: InvolvedObject) -> str:
        """Return the Event's name: `<Component>.<hash of its identity>` (behaviour.md E-2)."""
        identity = (
            f"{self.reason}{self.key or self.message}{self.type}{about.kind}{about.name}{about.uid}"
        )
        return f"{self.component}.{javahash.of_string(identity) & 0x7FFFFFFF}"


def normal(reason: str, component: str, message: str, **extra: str | bool) -> EventDraft:
    """Return a Normal draft."""
    return _draft(EventType.NORMAL, reason, component, message, extra)


def warning(reason: str, component: str, message: str, **extra: str | bool) -> EventDraft:
    """Return a Warning draft."""
    return _draft(EventType.WARNING, reason, component, message, extra)


def _draft(
    kind: EventType,
    reason: str,
    component: str,
    message: str,
    extra: dict[str, str | bool],
) -> EventDraft:
    key = extra.get("key")
    return EventDraft(
        type=kind,
        reason=reason,
        component=component,
        message=message,
        key=str(key) if key is not None else None,
        once=bool(extra.get("once", False)),
    )
