"""`config.yaml`, the YAML file of Flink 2.x (`kubernetes-objects.md` 4.6).

The writer is by hand because it runs for every cluster: nested block maps, every scalar quoted, so that
`1e3` or `00000001` stay the texts they are.
"""

import functools
import re
from collections.abc import Collection, Iterable, Mapping

from flinkop.config import errors, structured, yaml12

NAME = "config.yaml"

_SAFE_SEGMENT = re.compile(r"[A-Za-z$_][A-Za-z0-9_$-]*", re.ASCII)


def parse(text: str, *, path: str = NAME, legacy_lists: bool = False) -> dict[str, str]:
    """Read the file as Flink 2.x does: nested maps joined with `.`, scalars to their texts.

    Args:
        text: The file's content.
        path: What to call the file in errors.
        legacy_lists: Write a list of scalars as `a;b`, which every Flink version reads, instead of
            the flow text `[a, b]` that Flink 2.x makes of it.

    Raises:
        ConfigFileError: broken YAML, a null value, or something else than a map at the top.
    """
    try:
        tree = yaml12.parse(text)
    except yaml12.YamlError as fault:
        raise errors.ConfigFileError(
            path, f"broken YAML: {fault}. Correct the line.", line=fault.line
        ) from None
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise errors.ConfigFileError(
            path, "not a map of options at the top. Write 'key: value' lines."
        )
    found: dict[str, str] = {}
    _flatten(tree, "", found, path, legacy_lists=legacy_lists)
    return found


def _flatten(
    tree: dict[str, yaml12.Node],
    prefix: str,
    found: dict[str, str],
    path: str,
    *,
    legacy_lists: bool,
) -> None:
    for key, node in tree.items():
        name = prefix + key
        if isinstance(node, dict):
            _flatten(node, name + ".", found, path, legacy_lists=legacy_lists)
        elif node is None:
            raise errors.ConfigFileError(
                path, f"the value of key '{name}' is null. Give it a value, '' for an empty one."
            )
        elif isinstance(node, list) and legacy_lists and _representable(node):
            found[name] = _legacy(node)
        else:
            found[name] = yaml12.plain_text(node)


def _representable(node: list[yaml12.Node]) -> bool:
    flat = all(not isinstance(item, list | dict) for item in node)
    maps = bool(node) and all(
        isinstance(item, dict) and not any(isinstance(leaf, list | dict) for leaf in item.values())
        for item in node
    )
    return flat or maps


def _legacy(node: list[yaml12.Node]) -> str:
    if node and isinstance(node[0], dict):
        return structured.join_maps(
            {key: yaml12.plain_text(leaf) for key, leaf in item.items()}
            for item in node
            if isinstance(item, dict)
        )
    return structured.join_list(yaml12.plain_text(item) for item in node)


def overlap(keys: Collection[str]) -> tuple[str, str] | None:
    """Find the first key that has another one as its dotted prefix: no YAML tree can hold both.

    Returned are the prefix and the longer key; always the same pair for the same keys in the same order.
    """
    known = frozenset(keys)
    for key in keys:
        position = key.find(".")
        while position >= 0:
            if key[:position] in known:
                return key[:position], key
            position = key.find(".", position + 1)
    return None


def render(values: Mapping[str, str], lists: Mapping[str, Iterable[str]] | None = None) -> str:
    """Write the file, sorted, one branch per dotted segment.

    Args:
        values: Flat keys and values; no key may be a prefix of another (see `overlap`).
        lists: Keys written as lists instead; they win over `values`.
    """
    sequences = lists or {}
    lines: list[str] = []
    open_path: tuple[str, ...] = ()
    for key in sorted({*values, *sequences}) if sequences else sorted(values):
        *parents, leaf = _segments(key)
        branch = tuple(parents)
        if branch != open_path:
            shared = _shared(open_path, branch)
            lines += [f"{'  ' * depth}{branch[depth]}:\n" for depth in range(shared, len(branch))]
            open_path = branch
        indent = "  " * len(branch)
        if key in sequences:
            lines.append(_sequence(indent, leaf, sequences[key]))
        else:
            lines.append(f"{indent}{leaf}: {yaml12.quoted(values[key])}\n")
    return "".join(lines)


def _shared(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count


def _sequence(indent: str, leaf: str, items: Iterable[str]) -> str:
    written = [f"{indent}- {yaml12.quoted(item)}\n" for item in items]
    return f"{indent}{leaf}:\n{''.join(written)}" if written else f"{indent}{leaf}: []\n"


@functools.lru_cache(maxsize=8192)
def _segments(key: str) -> tuple[str, ...]:
    return tuple(
        segment
        if _SAFE_SEGMENT.fullmatch(segment) and isinstance(yaml12.resolve(segment), str)
        else yaml12.quoted(segment)
        for segment in key.split(".")
    )
