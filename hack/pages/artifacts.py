"""The options about jars of session jobs."""

import datetime as dt
from typing import Final

from flinkop.api import quantity
from flinkop.config import artifact_options, options, values
from flinkop.config.option import Option, Scope

_WHO: Final = {
    Scope.STATIC: "operator, read at its start",
    Scope.DYNAMIC: "operator",
    Scope.RESOURCE: "job or operator",
}


def table() -> str:
    """Return the options about jars as a table, the reference's first."""
    prefix = options.PREFIX + "user.artifacts."
    reference = [one for one in options.all_options() if one.key.startswith(prefix)]
    rows = [
        f"| `{one.key.removeprefix(prefix)}` | {default_of(one)} | {_WHO[one.scope]} | {one.description} |"
        for one in [*reference, *artifact_options.all_options()]
    ]
    return "\n".join(["| option | default | set by | |", "| --- | --- | --- | --- |", *rows])


def default_of(option: Option[object]) -> str:
    """Return an option's default as users write it."""
    match option.default:
        case dt.timedelta() as duration:
            text = values.render_duration(duration)
        case bool() as yes:
            text = str(yes).lower()
        case int() as size if option.type_name == "MemorySize":
            text = quantity.flink_size_text(size)
        case tuple() as texts:
            text = ";".join(map(str, texts))
        case dict():
            text = ""
        case other:
            text = str(other)
    return f"`{text}`" if text else "none"
