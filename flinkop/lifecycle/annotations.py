"""Annotations as Kubernetes takes them: what comes from jobs may hold anything; pure."""

import re
from collections.abc import Mapping
from typing import Final

_LONGEST_PREFIX: Final = 253
_LONGEST_NAME: Final = 63
_NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?")
_DNS_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_LINE_BREAKS: Final = re.compile(r"[\r\n\t]+")


def cleaned(annotations: Mapping[str, str | None]) -> dict[str, str]:
    """Return those with a key that Kubernetes takes and a value, each value on one line."""
    return {
        key: one_line(value)
        for key, value in annotations.items()
        if value is not None and is_key(key)
    }


def is_key(key: str) -> bool:
    """Whether it is a name of at most 63 letters, perhaps after a DNS name and a slash."""
    prefix, slash, name = key.rpartition("/")
    if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        return False
    if not slash:
        return True
    labels = prefix.split(".")
    return len(prefix) <= _LONGEST_PREFIX and all(
        len(label) <= _LONGEST_NAME and _DNS_LABEL.fullmatch(label) for label in labels
    )


def one_line(value: str) -> str:
    """Return the value without space around it, line breaks or control characters."""
    return _LINE_BREAKS.sub(" ", _CONTROL.sub("", value.strip()))
