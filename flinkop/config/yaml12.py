"""YAML 1.2 with the core schema, as Flink 2.x reads its `config.yaml`: strict types, no surprises.

ruamel.yaml splits the text into events; what a plain scalar means is decided here, because the loaders
at hand read `1_000`, `yes` or `2020-01-01` as something else than Flink does. Rendering back writes flow
text the way Flink's own dumper does (`test/golden/serialization/loader-standard`).
"""

import math
import re
from collections.abc import Iterator
from typing import Any

import ruamel.yaml
from ruamel.yaml import error, events

from flinkop.config import values

Node = bool | int | float | str | None | list["Node"] | dict[str, "Node"]

_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLEANS = {
    text: text.lower() == "true" for text in ("true", "True", "TRUE", "false", "False", "FALSE")
}
_DECIMAL = re.compile(r"[-+]?[0-9]+", re.ASCII)
_OCTAL = re.compile(r"0o[0-7]+", re.ASCII)
_HEX = re.compile(r"0x[0-9a-fA-F]+", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_INFINITY = re.compile(r"[-+]?\.(inf|Inf|INF)", re.ASCII)
_NAN = frozenset((".nan", ".NaN", ".NAN"))
_FLOW_LEADING = frozenset("#,[]{}&*!|>'\"%@`")
_FLOW_INSIDE = frozenset(",?[]{}:")
_MAX_DEPTH = 60
_TAG = "tag:yaml.org,2002:"


class YamlError(ValueError):
    """The text is not YAML that can be used.

    Attributes:
        line: 1-based line of the fault, or None when unknown.
    """

    def __init__(self, reason: str, line: int | None) -> None:
        """Say what is wrong in which line."""
        super().__init__(reason)
        self.line = line


def parse(text: str) -> Node:
    """Read one document; an empty one is None.

    Raises:
        YamlError: broken syntax, a duplicate key, an unknown tag, nesting beyond all measure.
    """
    reader = ruamel.yaml.YAML(typ="safe", pure=True)
    try:
        return _Composer(reader.parse(text)).document()
    except error.MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        reason = " ".join(part for part in (fault.context, fault.problem) if part)
        raise YamlError(reason or "not YAML", None if mark is None else mark.line + 1) from None
    except error.YAMLError as fault:
        raise YamlError(" ".join(str(fault).split()), None) from None


class _Composer:
    """Puts events together to a tree."""

    def __init__(self, stream: Iterator[Any]) -> None:
        self._stream = stream
        self._anchors: dict[str, Node] = {}

    def document(self) -> Node:
        """Return the only document of the stream."""
        found: Node = None
        documents = 0
        for event in self._stream:
            if isinstance(event, events.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise YamlError("a second document starts here, keep one", _line(event))
            elif isinstance(event, events.NodeEvent):
                found = self._node(event, 0)
        return found

    def _node(self, event: Any, depth: int) -> Node:
        if depth > _MAX_DEPTH:
            raise YamlError(f"nested deeper than {_MAX_DEPTH} levels", _line(event))
        if isinstance(event, events.AliasEvent):
            if event.anchor not in self._anchors:
                raise YamlError(f"unknown alias '{event.anchor}'", _line(event))
            return self._anchors[event.anchor]
        node: Node
        if isinstance(event, events.ScalarEvent):
            node = _scalar(event)
        elif isinstance(event, events.SequenceStartEvent):
            node = self._sequence(depth)
        else:
            node = self._mapping(depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _sequence(self, depth: int) -> list[Node]:
        items = []
        while not isinstance(event := next(self._stream), events.SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        return items

    def _mapping(self, depth: int) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        while not isinstance(event := next(self._stream), events.MappingEndEvent):
            key = self._node(event, depth + 1)
            if isinstance(key, list | dict):
                raise YamlError("a key must be a text, not a list or a map", _line(event))
            name = plain_text(key)
            if name in entries:
                raise YamlError(f"the key '{name}' is given twice in one map", _line(event))
            entries[name] = self._node(next(self._stream), depth + 1)
        return entries


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _scalar(event: Any) -> Node:
    text = str(event.value)
    tag = None if event.tag is None else str(event.tag)
    if tag is None:
        return resolve(text) if event.implicit[0] else text
    if tag in ("!", _TAG + "str"):
        return text
    if tag in (_TAG + "int", _TAG + "float", _TAG + "bool", _TAG + "null"):
        return resolve(text)
    raise YamlError(f"unknown tag '{tag}', remove it", _line(event))


def resolve(text: str) -> bool | int | float | str | None:
    """Tell what a plain scalar means in the core schema."""
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if len(text) <= 4000 and _DECIMAL.fullmatch(text):  # noqa: PLR2004 - Python's limit for int
        return int(text)
    if _OCTAL.fullmatch(text):
        return int(text, 0)
    if _HEX.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _INFINITY.fullmatch(text):
        return -math.inf if text.startswith("-") else math.inf
    return math.nan if text in _NAN else text


def plain_text(node: Node) -> str:
    """Write a scalar as Flink turns it into a configuration value; lists and maps as flow text."""
    match node:
        case str():
            return node
        case None:
            return "null"
        case bool():
            return "true" if node else "false"
        case int():
            return str(node)
        case float():
            return values.java_double(node)
        case _:
            return flow_text(node)


def flow_text(node: Node) -> str:
    """Write a value as one line of YAML flow text: `[a, 1, c;d]`."""
    match node:
        case list():
            return "[" + ", ".join(flow_text(item) for item in node) + "]"
        case dict():
            entries = (f"{_flow_string(key)}: {flow_text(item)}" for key, item in node.items())
            return "{" + ", ".join(entries) + "}"
        case str():
            return _flow_string(node)
        case _:
            return plain_text(node)


def _flow_string(text: str) -> str:
    plain = (
        isinstance(resolve(text), str)
        and text[0] not in _FLOW_LEADING
        and not _FLOW_INSIDE.intersection(text)
        and not (text[0] == "-" and (len(text) == 1 or text[1].isspace()))
        and text not in ("---", "...")
        and " #" not in text
        and text.strip() == text
        and text.isprintable()
    )
    if plain:
        return text
    return quoted(text)


_ESCAPES = {"\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def quoted(text: str) -> str:
    """Write a text as a quoted scalar that reads back as exactly this text, on one line."""
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    if code <= 0xFF:  # noqa: PLR2004 - widths of YAML's escapes
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"  # noqa: PLR2004


def flow_list(text: str) -> list[Node] | None:
    """Read a YAML list, or return None when the text is none."""
    try:
        node = parse(text)
    except YamlError:
        return None
    return node if isinstance(node, list) else None


def flow_map(text: str) -> dict[str, Node] | None:
    """Read a YAML map, or return None when the text is none."""
    try:
        node = parse(text)
    except YamlError:
        return None
    return node if isinstance(node, dict) else None
