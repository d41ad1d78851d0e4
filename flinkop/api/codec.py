"""JSON documents ↔ attrs classes: camelCase, nulls as absent, unknown members kept, exact error paths.

msgspec parses the bytes, cattrs' generated code makes the objects. Two converters are built from the same
hooks: a fast one, and one that is asked only after the fast one failed, because it knows where.

Decoding takes bytes (also `msgspec.Raw`, memoryview), a plain object, or None. Absent, empty and null
documents decode as an empty object: a resource without a spec is legal (`api.md` 1.3). What cannot be
understood raises DecodeError and nothing else.
"""

import enum
import functools
import operator
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_args, get_origin

import attrs
import msgspec
from cattrs import Converter
from cattrs.errors import (
    AttributeValidationNote,
    BaseValidationError,
    IterableValidationNote,
)
from cattrs.gen import make_dict_structure_fn, override

from flinkop.api.common import (
    EpochText,
    FlinkConfiguration,
    IngressTls,
    PodTemplate,
    Quantities,
    ResourceClaim,
    ResourceRequirements,
)
from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.flinksessionjob import FlinkSessionJobSpec
from flinkop.api.status import FlinkDeploymentStatus, FlinkSessionJobStatus, LifecycleState
from flinkop.api.wire import DecodeError, Mismatch, describe, wire_name

T = TypeVar("T")

JsonText = bytes | bytearray | memoryview | msgspec.Raw
Document = JsonText | Mapping[str, Any] | None
"""What decoding reads: JSON text, or what parsing it gave."""


def decode_flinkdeployment_spec(raw: Document) -> FlinkDeploymentSpec:
    """Read the spec of a FlinkDeployment; DecodeError paths start with `spec`."""
    return decode(raw, FlinkDeploymentSpec, "spec")


def decode_flinkdeployment_status(raw: Document) -> FlinkDeploymentStatus:
    """Read the status of a FlinkDeployment; DecodeError paths start with `status`."""
    return decode(raw, FlinkDeploymentStatus, "status")


def decode_flinksessionjob_spec(raw: Document) -> FlinkSessionJobSpec:
    """Read the spec of a FlinkSessionJob; DecodeError paths start with `spec`."""
    return decode(raw, FlinkSessionJobSpec, "spec")


def decode_flinksessionjob_status(raw: Document) -> FlinkSessionJobStatus:
    """Read the status of a FlinkSessionJob; DecodeError paths start with `status`."""
    return decode(raw, FlinkSessionJobStatus, "status")


def decode(raw: Document, into: type[T], path: str) -> T:
    """Read one document as the API class `into`.

    Raises:
        DecodeError: the text is not JSON, or a member has a type or value that cannot be understood;
            its path starts with `path`.
    """
    document = _parse(raw, path)
    if document is None:
        return into()
    try:
        return _FAST.structure(document, into)
    except Exception:  # noqa: BLE001 - the detailed converter tells what it was
        return _explain(document, into, path)


class Omit(enum.Enum):
    """What encoding leaves out."""

    DEFAULTS = "members that equal their default"
    NULLS = "members without a value"
    NOTHING = "nothing but what Kubernetes' own types leave out"


def encode_spec(spec: object) -> dict[str, Any]:
    """Return a spec as a plain object; members that equal their default are left out."""
    return encode(spec, Omit.DEFAULTS)


def encode_status(status: FlinkDeploymentStatus | FlinkSessionJobStatus) -> dict[str, Any]:
    """Return a status as a plain object for `/status`, in the order of `api.md` 3.2, without nulls."""
    return encode(status, Omit.NULLS)


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
    if extra:
        made.update(extra)
    return made


def _parse(raw: Document, path: str) -> Any:
    if not isinstance(raw, JsonText):
        return raw
    if not memoryview(raw):
        return None
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DecodeError(path, f"is not JSON: {error}") from None


# Leaves. Nothing is coerced silently, except where JSON has two spellings of one value.


def _text(value: Any, _: Any) -> str:
    if value.__class__ is str:
        return value
    raise Mismatch(f"must be a string, but is {describe(value)}")


def _integer(value: Any, _: Any) -> int:
    if value.__class__ is int:
        return value
    if value.__class__ is float and value.is_integer():
        return int(value)
    raise Mismatch(f"must be an integer, but is {describe(value)}")


def _number(value: Any, _: Any) -> float:
    if value.__class__ is float:
        return value
    if value.__class__ is int:
        try:
            return float(value)
        except OverflowError:
            pass
    raise Mismatch(f"must be a number, but is {describe(value)}")


def _boolean(value: Any, _: Any) -> bool:
    if value is True or value is False:
        return value
    raise Mismatch(f"must be true or false, but is {describe(value)}")


def _object(value: Any, _: Any) -> dict[str, Any]:
    if value.__class__ is dict:
        return value
    raise Mismatch(f"must be an object, but is {describe(value)}")


def _anything(value: Any, _: Any) -> Any:
    return value


def _texts(value: Any, _: Any) -> dict[str, str]:
    texts = _object(value, None)
    for key, element in texts.items():
        if element.__class__ is not str:
            raise Mismatch(f"must be a string, but is {describe(element)}", f"[{key}]")
    return texts


def _digits(value: Any, _: Any) -> str:
    return str(value) if value.__class__ is int else _text(value, None)


def _lifecycle_state(value: Any, _: Any) -> LifecycleState | None:
    """Read leniently: it is derived, so a word of a later version must not stop anything."""
    return _members(LifecycleState).get(_text(value, None))  # type: ignore[return-value]


def _quantities(value: Any, _: Any) -> dict[str, str]:
    read = {}
    for key, element in _object(value, None).items():
        if element.__class__ is str:
            read[key] = element
        elif element.__class__ is int:
            read[key] = str(element)
        else:
            raise Mismatch(
                f"must be a quantity, a string or an integer, but is {describe(element)}",
                f"[{key}]",
            )
    return read


@functools.cache
def _members(cls: type[enum.Enum]) -> dict[Any, enum.Enum]:
    return {member.value: member for member in cls}


def _member(value: Any, cls: type[enum.Enum]) -> enum.Enum:
    try:
        return _members(cls)[value]
    except (KeyError, TypeError):
        known = ", ".join(_members(cls))
        raise Mismatch(f"must be one of {known}, but is {describe(value)}") from None


def _tuple_hook(cls: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    element_type = get_args(cls)[0]
    element_hook = converter.get_structure_hook(element_type)

    def read(value: Any, _: Any) -> tuple[Any, ...]:
        if value.__class__ is not list and value.__class__ is not tuple:
            raise Mismatch(f"must be a list, but is {describe(value)}")
        done: list[Any] = []
        try:
            for element in value:
                done.append(element_hook(element, element_type))  # noqa: PERF401 - its length is the index
        except Mismatch as error:
            raise Mismatch(error.message, f"[{len(done)}]{error.suffix}") from None
        except BaseValidationError as error:
            found = _locate(error)
            raise Mismatch(found.message, f"[{len(done)}]{found.suffix}") from None
        return tuple(done)

    return read


def _class_hook(cls: type[Any], converter: Converter) -> Callable[[Any, Any], Any]:
    """Wrap cattrs' generated function: refuse non-objects, drop nulls, keep unknown members."""
    fields = attrs.fields(cls)
    overrides: dict[str, Any] = {
        field.name: override(rename=wire_name(field.name))
        for field in fields
        if field.name != "extra"
    }
    known = frozenset(wire_name(field.name) for field in fields if field.name != "extra")
    make = make_dict_structure_fn(cls, converter, extra=override(omit=True), **overrides)

    def read(value: Any, _: Any) -> Any:
        if value.__class__ is not dict:
            if not isinstance(value, Mapping):
                raise Mismatch(f"must be an object, but is {describe(value)}")
            value = dict(value)
        unknown = None
        if not known.issuperset(value):
            unknown = {key: member for key, member in value.items() if key not in known}
        if None in value.values():
            value = {key: member for key, member in value.items() if member is not None}
        made = make(value, cls)
        if unknown:
            object.__setattr__(made, "extra", unknown)
        return made

    return read


def _converter(*, detailed: bool) -> Converter:
    converter = Converter(detailed_validation=detailed, forbid_extra_keys=False)
    by_class: dict[Any, Callable[[Any, Any], Any]] = {
        str: _text,
        int: _integer,
        float: _number,
        bool: _boolean,
        enum.Enum: _member,
        enum.StrEnum: _member,  # nearer than str in their order of resolution
        LifecycleState: _lifecycle_state,
    }
    for cls, hook in by_class.items():
        converter.register_structure_hook(cls, hook)
    by_annotation: dict[Any, Callable[[Any, Any], Any]] = {
        Mapping[str, str]: _texts,
        PodTemplate: _object,
        FlinkConfiguration: _anything,
        Quantities: _quantities,
        EpochText: _digits,
    }
    for annotation, hook in by_annotation.items():
        converter.register_structure_hook_func(functools.partial(operator.eq, annotation), hook)
    converter.register_structure_hook_factory(_is_tuple, _tuple_hook)
    converter.register_structure_hook_factory(attrs.has, _class_hook)
    return converter


def _is_tuple(cls: Any) -> bool:
    return get_origin(cls) is tuple


_FAST = _converter(detailed=False)
_DETAILED = _converter(detailed=True)


def _explain(document: Any, into: type[T], path: str) -> T:
    try:
        return _DETAILED.structure(document, into)
    except Mismatch as error:
        found = error
    except BaseValidationError as error:
        found = _locate(error)
    raise DecodeError(path + found.suffix, found.message)


def _locate(error: BaseException) -> Mismatch:
    """Return the first leaf of a tree of validation errors, with the way to it."""
    if isinstance(error, Mismatch):
        return error
    if not isinstance(error, BaseValidationError):
        return Mismatch(f"cannot be read: {error!r}")
    first = error.exceptions[0]
    step = ""
    for note in getattr(first, "__notes__", ()):
        if isinstance(note, AttributeValidationNote):
            step = f".{wire_name(note.name)}"
        elif isinstance(note, IterableValidationNote):
            step = f"[{note.index}]"
    inner = _locate(first)
    return Mismatch(inner.message, step + inner.suffix)


# Encoding: one plan per class, made once, because asking attrs each time is too slow for a status.

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
