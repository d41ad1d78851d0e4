"""Names and errors of the wire form: what an attribute is called in JSON, and what could not be read."""

import functools
from typing import Any

_SPECIAL = {"jar_uri": "jarURI"}


@functools.cache
def wire_name(attribute: str) -> str:
    """Return the JSON member name of a Python attribute: `entry_class` → `entryClass`."""
    if attribute in _SPECIAL:
        return _SPECIAL[attribute]
    head, *rest = attribute.split("_")
    return head + "".join(word.capitalize() for word in rest)


class DecodeError(ValueError):
    """A document that the API server let through, but that cannot be understood.

    Attributes:
        path: where, as Kubernetes writes field paths: `spec.job.args[1]`, `spec.logConfiguration[x]`.
        message: what is wrong and what is expected there; reads on after the path.
    """

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path} {message}")
        self.path = path
        self.message = message


class Mismatch(ValueError):  # noqa: N818 - an internal signal, turned into DecodeError
    """Raised by leaf decoders; `suffix` leads from the leaf's field to the faulty element."""

    def __init__(self, message: str, suffix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.suffix = suffix


_JSON_KINDS: dict[type, str] = {
    bool: "a boolean",
    int: "an integer",
    float: "a number",
    str: "a string",
    dict: "an object",
    list: "a list",
    type(None): "null",
}
_SHOWN = 60


def describe(value: Any) -> str:
    """Return a short text for a JSON value in an error message: its kind, and scalars themselves."""
    kind = _JSON_KINDS.get(type(value), type(value).__name__)
    if isinstance(value, str):
        shown = value if len(value) <= _SHOWN else value[:_SHOWN] + "…"
        return f"{kind} ({shown!r})"
    if isinstance(value, bool):
        return f"{kind} ({str(value).lower()})"
    if isinstance(value, int | float):
        return f"{kind} ({value!r})"
    return kind
