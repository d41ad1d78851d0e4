"""Every option of the operator, from the tables."""

import datetime as dt
import enum
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from flinkop.api import quantity
from flinkop.config import (
    autoscaler_options,
    bluegreen_options,
    metric_options,
    options,
    values,
    without_effect,
)
from flinkop.config.option import Option, Scope

SCOPES: Final = {
    Scope.STATIC: "operator, at start",
    Scope.DYNAMIC: "operator",
    Scope.NAMESPACE: "namespace, version",
    Scope.RESOURCE: "resource",
}


def own() -> str:
    """Return the operator's options."""
    return table(options.all_options(), options.PREFIX)


def metrics() -> str:
    """Return the options about metrics."""
    return table(metric_options.all_options(), options.PREFIX)


def bluegreen() -> str:
    """Return the options of FlinkBlueGreenDeployments."""
    return table(bluegreen_options.all_options(), options.PREFIX)


def autoscaler() -> str:
    """Return the autoscaler's options."""
    return table(autoscaler_options.all_options(), options.AUTOSCALER_PREFIX)


def older() -> str:
    """Return the older names of the operator's own options."""
    rows = [
        f"| `{key}` | `{one.key}` |"
        for one in (*options.all_options(), *metric_options.all_options())
        for key in one.older_keys
    ]
    return "\n".join(["| older name | name |", "| --- | --- |", *rows])


def without() -> str:
    """Return the options that change nothing, with what holds instead; the later kinds' by their prefix."""
    later = (options.AUTOSCALER_PREFIX, options.PREFIX + "bluegreen.")
    rows = [
        f"| `{key.removeprefix(options.PREFIX)}` | {reason} |"
        for key, reason in without_effect.REASONS.items()
        if not key.startswith(later)
    ]
    return "\n".join(["| option | instead |", "| --- | --- |", *rows])


def table(chosen: Iterable[Option[object]], prefix: str) -> str:
    """Return options as a table, with keys less `prefix`."""
    head = ["| option | default | type | set for | |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([*head, *(_row(one, prefix) for one in chosen)])


def _row(option: Option[object], prefix: str) -> str:
    kind = ", ".join(option.choices) if option.choices else option.type_name
    meaning = option.description
    if without_effect.reason(option) is not None:
        meaning += " *No effect yet.*" if _is_later(option) else " *No effect.*"
    name, default = option.key.removeprefix(prefix), text_of(option.default, option.type_name)
    return f"| `{name}` | {default} | {kind} | {SCOPES[option.scope]} | {meaning} |"


def _is_later(option: Option[object]) -> bool:
    return "yet" in (without_effect.reason(option) or "")


def text_of(value: object, type_name: str) -> str:
    """Return a default as users write it, as code; a hyphen when there is none."""
    if value is None or value in ("", (), {}):
        return "-"
    if type_name == "MemorySize" and isinstance(value, int):
        return f"`{quantity.flink_size_text(value)}`"
    for kind, text in _TEXTS.items():
        if isinstance(value, kind):
            return f"`{text(value)}`"
    return f"`{value}`"


_TEXTS: Final[Mapping[type, Callable[..., str]]] = {
    bool: lambda value: str(value).lower(),
    enum.Enum: lambda value: str(value.value),
    tuple: ";".join,
    dt.timedelta: values.render_duration,
}
