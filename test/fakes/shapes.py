"""What two JSON answers have to have in common to be of the same kind."""

from typing import Any

FREE = {"user-config"}
"""Objects whose keys are data."""


def shape(value: Any, key: str = "") -> Any:
    """The keys and kinds of a JSON value; lists are told by their first item, numbers are all alike."""
    if isinstance(value, dict):
        return (
            "free"
            if key in FREE
            else {name: shape(inner, name) for name, inner in sorted(value.items())}
        )
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    if value == "NaN":  # Flink's way to write a number that is none
        return "number"
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return "null" if value is None else type(value).__name__
    return "number"


def only_completed(statistics: Any) -> Any:
    """Checkpoint statistics without those under way, which come and go."""
    if not isinstance(statistics, dict) or "history" not in statistics:
        return statistics
    history = [one for one in statistics["history"] if one["status"] == "COMPLETED"]
    return {**statistics, "history": history}
