"""Block YAML for documents that Flink reads back: every text quoted, so that none becomes a number."""

from typing import Any

from flinkop.config import values, yaml12

_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))


def dump(node: dict[str, Any]) -> str:
    """Write a JSON-like object as one YAML document."""
    lines: list[str] = []
    _object(node, "", lines)
    return "".join(lines) or "{}\n"


def _object(node: dict[str, Any], indent: str, lines: list[str]) -> None:
    for key, value in node.items():
        _entry(f"{indent}{_key(key)}:", value, indent, lines)


def _entry(head: str, value: Any, indent: str, lines: list[str]) -> None:
    if isinstance(value, dict) and value:
        lines.append(f"{head}\n")
        _object(value, indent + "  ", lines)
    elif isinstance(value, list) and value:
        lines.append(f"{head}\n")
        _list(value, indent, lines)
    else:
        lines.append(f"{head} {_scalar(value)}\n")


def _list(items: list[Any], indent: str, lines: list[str]) -> None:
    for item in items:
        if isinstance(item, dict) and item:
            inner: list[str] = []
            _object(item, indent + "  ", inner)
            inner[0] = f"{indent}- {inner[0].lstrip()}"
            lines += inner
        elif isinstance(item, list) and item:
            lines.append(f"{indent}-\n")
            _list(item, indent + "  ", lines)
        else:
            lines.append(f"{indent}- {_scalar(item)}\n")


def _key(key: str) -> str:
    plain = key.isascii() and key.isalpha() and key.lower() not in _WORDS
    return key if plain else yaml12.quoted(key)


def _scalar(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return values.java_double(value)
        case str():
            return yaml12.quoted(value)
        case dict():
            return "{}"
        case _:
            return "[]"
