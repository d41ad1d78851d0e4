"""`spec.flinkConfiguration`: any mixture of flat and nested keys to one flat map (`api.md` 2.5)."""

from collections.abc import Mapping
from typing import Any

from flinkop.config import errors, yaml12


def flatten(tree: object) -> dict[str, str]:
    """Join nested keys with `.` and turn scalars to text; later writes win.

    Arrays become their items' texts joined by `;` without quoting, empty ones and empty objects vanish,
    null becomes the text `null`.

    Raises:
        ConfigShapeError: `tree` is not an object.
    """
    if tree is None:
        return {}
    if not isinstance(tree, Mapping):
        kind = "a list" if isinstance(tree, list | tuple) else f"the value {tree!r:.60}"
        raise errors.ConfigShapeError(
            f"spec.flinkConfiguration is {kind}, not an object: write keys and values, "
            "such as taskmanager.numberOfTaskSlots: 2"
        )
    found: dict[str, str] = {}
    try:
        _walk(tree, "", found)
    except RecursionError:
        raise errors.ConfigShapeError(
            "spec.flinkConfiguration is nested too deeply: write dotted keys instead"
        ) from None
    return found


def _walk(tree: Mapping[str, Any], prefix: str, found: dict[str, str]) -> None:
    for key, node in tree.items():
        if type(node) is str:
            found[prefix + key] = node
        elif isinstance(node, Mapping):
            _walk(node, f"{prefix}{key}.", found)
        elif isinstance(node, list | tuple):
            if node:
                found[prefix + key] = ";".join(_text(item) for item in node)
        else:
            found[prefix + key] = _text(node)


def _text(node: Any) -> str:
    return "" if isinstance(node, Mapping | list | tuple) else yaml12.plain_text(node)
