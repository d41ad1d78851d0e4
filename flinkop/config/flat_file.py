"""`flink-conf.yaml`, the flat file of Flink up to 1.20 and of the operator itself.

One `key: value` per line, no quoting, no escapes (`kubernetes-objects.md` 4.6, `operations.md` 1.3).
"""

import re
from collections.abc import Iterable, Mapping

import attrs

NAME = "flink-conf.yaml"

_LINE_END = re.compile(r"\r\n|\r|\n")
_BLANKS = "".join(map(chr, range(0x21)))
"""What Java's `trim` takes off."""


@attrs.frozen
class SkippedLine:
    """A line that Flink drops, with its 1-based number and the reason."""

    line: int
    reason: str


def parse(text: str) -> tuple[dict[str, str], list[SkippedLine]]:
    """Read the file as Flink does; what it drops comes back beside the map.

    A line is cut at the first `#`, trimmed and split at the first `": "`; the last duplicate wins;
    quotes and indentation mean nothing.
    """
    found: dict[str, str] = {}
    skipped = []
    for number, line in enumerate(_LINE_END.split(text), start=1):
        content = line.partition("#")[0].strip(_BLANKS)
        if not content:
            continue
        key, separator, value = content.partition(": ")
        key, value = key.strip(_BLANKS), value.strip(_BLANKS)
        if not separator:
            skipped.append(SkippedLine(number, "no ': ' between key and value"))
        elif not key or not value:
            skipped.append(SkippedLine(number, "the key or the value is empty"))
        else:
            found[key] = value
    return found, skipped


def render(values: Mapping[str, str], keys: Iterable[str] | None = None) -> str:
    """Write the file, in the order of `keys` (default: that of the map).

    Only the first line of a value is written: Flink would not read the others as part of it, but
    would take them for keys of their own.
    """
    lines = []
    for key in values if keys is None else keys:
        value = values[key]
        if "\n" in value or "\r" in value:
            value = _LINE_END.split(value.strip(_BLANKS), maxsplit=1)[0]
        lines.append(f"{key}: {value}\n")
    return "".join(lines)


def damage(values: Mapping[str, str]) -> list[tuple[str, str]]:
    """List the keys whose values the flat file cannot carry, each with the reason.

    Edge blanks and empty values are left out: Flink trims the first and falls back to the option's
    default for the second, which is what people expect.
    """
    lost = []
    for key, value in values.items():
        if "#" in value:
            lost.append((key, "everything from '#' on is taken for a comment"))
        elif "\n" in value or "\r" in value:
            content = value.strip(_BLANKS)
            if "\n" in content or "\r" in content:
                lost.append((key, "only its first line is read"))
    return lost
