"""What an Event says, before it is written: pure values that a plan can hold."""

from collections.abc import Mapping
from enum import StrEnum

from attrs import field, frozen

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

    `once` drafts are written when their identity is new and never again (behaviour.md E-4). `annotations`
    take the place of those of the Event that is repeated; a draft without any leaves them alone (E-6).
    """

    type: EventType
    reason: str
    component: str
    message: str
    key: str | None = None
    once: bool = False
    annotations: Mapping[str, str] = field(factory=dict, hash=False)

    def object_name(self, about: InvolvedObject) -> str:
        """Return the Event's name: `<Component>.<hash of its identity>` (behaviour.md E-2)."""
        identity = (
            f"{self.reason}{self.key or self.message}{self.type}{about.kind}{about.name}{about.uid}"
        )
        return f"{self.component}.{javahash.of_string(identity) & 0x7FFFFFFF}"


def normal(
    reason: str, component: str, message: str, *, key: str | None = None, once: bool = False
) -> EventDraft:
    """Return a Normal draft."""
    return EventDraft(EventType.NORMAL, reason, component, message, key, once)


def warning(
    reason: str, component: str, message: str, *, key: str | None = None, once: bool = False
) -> EventDraft:
    """Return a Warning draft."""
    return EventDraft(EventType.WARNING, reason, component, message, key, once)
