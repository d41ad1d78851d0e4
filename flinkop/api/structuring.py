"""Plain objects → attrs classes, by code that cattrs generates from hooks that coerce nothing silently.

A leaf that cannot be read raises Mismatch. The fast converter loses the way to it; the detailed one, made
from the same hooks, keeps it in the notes of its errors, from which `locate` writes the path.
"""

import enum
import functools
import operator
from collections.abc import Callable, Mapping
from typing import Any, get_args, get_origin

import attrs
from cattrs import Converter
from cattrs.errors import (
    AttributeValidationNote,
    BaseValidationError,
    IterableValidationNote,
)
from cattrs.gen import make_dict_structure_fn, override

from flinkop.api.common import EpochText, FlinkConfiguration, PodTemplate, Quantities
from flinkop.api.status import LifecycleState
from flinkop.api.wire import Mismatch, describe, wire_name

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


_DEEPEST = 64
"""Levels of a configuration; options have about six, and every reader of it may then recurse."""


def _configuration(value: Any, _: Any) -> Any:
    level = [value]
    for _depth in range(_DEEPEST):
        level = [inner for outer in level for inner in _containers(outer)]
        if not level:
            return value
    raise Mismatch(f"is nested more than {_DEEPEST} levels deep: write options as dotted keys")


def _containers(value: Any) -> list[Any]:
    inner = value.values() if value.__class__ is dict else value if value.__class__ is list else ()
    return [element for element in inner if element.__class__ is dict or element.__class__ is list]


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
            found = locate(error)
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


def converter(*, detailed: bool) -> Converter:
    """Return a converter for the API classes; a detailed one is slower and knows where it failed."""
    made = Converter(detailed_validation=detailed, forbid_extra_keys=False)
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
        made.register_structure_hook(cls, hook)
    by_annotation: dict[Any, Callable[[Any, Any], Any]] = {
        Mapping[str, str]: _texts,
        PodTemplate: _object,
        FlinkConfiguration: _configuration,
        Quantities: _quantities,
        EpochText: _digits,
    }
    for annotation, hook in by_annotation.items():
        made.register_structure_hook_func(functools.partial(operator.eq, annotation), hook)
    made.register_structure_hook_factory(_is_tuple, _tuple_hook)
    made.register_structure_hook_factory(attrs.has, _class_hook)
    return made


def _is_tuple(cls: Any) -> bool:
    return get_origin(cls) is tuple


def locate(error: BaseException) -> Mismatch:
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
    inner = locate(first)
    return Mismatch(inner.message, step + inner.suffix)
