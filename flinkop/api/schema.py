"""attrs classes → openAPIV3Schema: types from the annotations, descriptions from the docstrings.

The schemas contain no `required`, `default`, `pattern`, `format` or bounds: nothing that the reference's
CRDs accept is refused for its shape (`api.md` 1.3). Enumerations are the reference's.
"""

import enum
import inspect
import re
import types
from collections.abc import Mapping
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import attrs

from flinkop.api.common import Wire
from flinkop.api.wire import wire_name

Schema = dict[str, Any]

_INT_OR_STRING: Schema = {
    "anyOf": [{"type": "integer"}, {"type": "string"}],
    "x-kubernetes-int-or-string": True,
}
_SCALARS: dict[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
}
_POD = "io.k8s.api.core.v1.Pod"
_SPECIAL: dict[str, Schema] = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": _INT_OR_STRING,
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": _INT_OR_STRING,
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": {"type": "string"},
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": {"type": "string"},
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": {"type": "object"},
}


def of_class(cls: type[Any], pod: Schema) -> Schema:
    """Return the schema of an API class; `pod` is the schema of pod templates (see `of_pod`)."""
    hints = get_type_hints(cls, include_extras=True)
    described = attribute_descriptions(cls)
    properties: dict[str, Schema] = {}
    for field in attrs.fields(cls):
        if field.name != "extra":
            member = _of_type(hints[field.name], pod)
            properties[wire_name(field.name)] = {"description": described[field.name], **member}
    return {"type": "object", "properties": properties}


def of_pod(definitions: Mapping[str, Schema]) -> Schema:
    """Return the schema of a Pod with all references inlined and without descriptions.

    Args:
        definitions: trimmed definitions of Kubernetes' OpenAPI by name (crds/pod-schema.json).
    """
    return _inline({"$ref": _POD}, definitions)


def summary(cls: type[Any]) -> str:
    """Return the first paragraph of a class's docstring, as one line."""
    return _one_line(inspect.cleandoc(cls.__doc__ or "").split("\n\n", 1)[0])


def attribute_descriptions(cls: type[Any]) -> dict[str, str]:
    """Return the texts of the docstring's `Attributes:` section by attribute."""
    _, _, section = inspect.cleandoc(cls.__doc__ or "").partition("Attributes:\n")
    entries = re.findall(r"^    (\w+): (.*(?:\n     +.*)*)", section, re.MULTILINE)
    return {name: _one_line(text) for name, text in entries}


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _of_type(hint: Any, pod: Schema) -> Schema:
    if get_origin(hint) in (Union, types.UnionType):
        (hint,) = (option for option in get_args(hint) if option is not type(None))
    if get_origin(hint) is Annotated:
        return _of_mark(get_args(hint)[1], pod)
    if get_origin(hint) is tuple:
        return {"type": "array", "items": _of_type(get_args(hint)[0], pod)}
    if hint == Mapping[str, str]:
        return {"type": "object", "additionalProperties": {"type": "string"}}
    if attrs.has(hint):
        return of_class(hint, pod)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return {"type": "string", "enum": [member.value for member in hint]}
    return dict(_SCALARS[hint])


def _of_mark(mark: Wire, pod: Schema) -> Schema:
    match mark:
        case Wire.POD:
            return pod
        case Wire.ANY:
            return {"x-kubernetes-preserve-unknown-fields": True}
        case Wire.QUANTITIES:
            return {"type": "object", "additionalProperties": _INT_OR_STRING}
        case Wire.DIGITS:
            return {"type": "string"}


def _inline(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    if "$ref" in schema:
        name = schema["$ref"]
        if name in _SPECIAL:
            return _SPECIAL[name]
        return _inline(definitions[name], definitions)
    made: Schema = {"type": schema["type"]}
    if "properties" in schema:
        made["properties"] = {
            name: _inline(member, definitions)
            for name, member in sorted(schema["properties"].items())
        }
    for key in ("items", "additionalProperties"):
        if key in schema:
            made[key] = _inline(schema[key], definitions)
    return made
