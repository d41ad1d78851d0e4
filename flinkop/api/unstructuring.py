"""attrs classes → plain objects, in the order of their fields."""

import enum
import functools
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from flinkop.api.common import IngressTls, ResourceClaim, ResourceRequirements
from flinkop.api.wire import wire_name


class Omit(enum.Enum):
    """What encoding leaves out."""

    DEFAULTS = "members that equal their default"
    NULLS = "members without a value"
    NOTHING = "nothing but what Kubernetes' own types leave out"


def encode(value: object, omit: Omit) -> dict[str, Any]:
    """Return an object of an API class as a plain object; unknown members come last.

    Raw members (pod templates, configuration, maps) are handed out as they are, not copied.
    """
    cls: Any = value.__class__
    if omit is Omit.NOTHING and cls in _KUBERNETES_TYPES:
        omit = Omit.DEFAULTS
    made: dict[str, Any] = {}
    for member in _plan(cls):
        element = getattr(value, member.attribute)
        if element is None:
            if omit is Omit.NOTHING:
                made[member.wire] = None
        elif omit is not Omit.DEFAULTS or not member.is_default(element):
            made[member.wire] = _encode_element(element, omit)
    extra: Mapping[str, Any] = value.extra  # type: ignore[attr-defined]
    if extra and omit is not Omit.NOTHING:  # the recorded form has known members only
        made.update(extra)
    return made


_KUBERNETES_TYPES = frozenset({ResourceRequirements, ResourceClaim, IngressTls})
"""Types whose serialised form in the reference is Kubernetes' own: without nulls (`api.md` 3.4)."""

_PLAIN = frozenset({str, int, float, bool, dict})


@attrs.frozen
class _Member:
    attribute: str
    wire: str
    default: Any
    factory: Callable[[], Any] | None

    def is_default(self, value: Any) -> bool:
        default = self.factory() if self.factory is not None else self.default
        return bool(value == default)


@functools.cache
def _plan(cls: type[Any]) -> tuple[_Member, ...]:
    return tuple(
        _Member(field.name, wire_name(field.name), *_default_of(field))
        for field in attrs.fields(cls)
        if field.name != "extra"
    )


def _default_of(field: Any) -> tuple[Any, Callable[[], Any] | None]:
    default = field.default
    factory = getattr(default, "factory", None)
    return (default, None) if factory is None else (None, factory)


def _encode_element(value: Any, omit: Omit) -> Any:
    cls = value.__class__
    if cls in _PLAIN:
        return value
    if cls is tuple:
        return [_encode_element(element, omit) for element in value]
    if isinstance(value, enum.Enum):
        return value.value
    if attrs.has(cls):
        return encode(value, omit)
    if isinstance(value, Mapping):
        return dict(value)
    return value
