"""Reads a cluster's Flink configuration from its ConfigMap, independently of the operator's own code."""

import re
from collections.abc import Mapping

import yaml

OLD_FILE = "flink-conf.yaml"
NEW_FILE = "config.yaml"

_UNITS = {
    "": 0.001,
    "ms": 0.001, "milli": 0.001, "millis": 0.001, "millisecond": 0.001, "milliseconds": 0.001,
    "s": 1.0, "sec": 1.0, "secs": 1.0, "second": 1.0, "seconds": 1.0,
    "m": 60.0, "min": 60.0, "mins": 60.0, "minute": 60.0, "minutes": 60.0,
    "h": 3600.0, "hour": 3600.0, "hours": 3600.0,
    "d": 86400.0, "day": 86400.0, "days": 86400.0,
}  # fmt: skip


def parse(data: Mapping[str, str]) -> dict[str, str]:
    """Return the flat configuration in a ConfigMap's data; the new file wins."""
    if NEW_FILE in data:
        loaded = yaml.load(data[NEW_FILE], Loader=yaml.CBaseLoader) or {}  # noqa: S506 - text scalars only
        flat: dict[str, str] = {}
        _flatten("", loaded, flat)
        return flat
    return _parse_lines(data.get(OLD_FILE, ""))


def _parse_lines(text: str) -> dict[str, str]:
    flat = {}
    for line in text.splitlines():
        key, colon, value = line.partition(": ")
        if colon and not key.lstrip().startswith("#"):
            flat[key.strip()] = value.strip().strip("\"'")
    return flat


def _flatten(prefix: str, value: object, into: dict[str, str]) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _flatten(f"{prefix}.{key}" if prefix else str(key), inner, into)
    elif isinstance(value, list):
        into[prefix] = ";".join(_scalar(item) for item in value)
    else:
        into[prefix] = _scalar(value)


def _scalar(value: object) -> str:
    return "" if value is None else str(value)


def seconds(text: str) -> float:
    """Return a Flink duration (`10 s`, `5min`, `250` milliseconds) in seconds."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*", text)
    if found is None or found[2].lower() not in _UNITS:
        raise ValueError(f"not a duration: {text!r}")
    return float(found[1]) * _UNITS[found[2].lower()]


def overrides(text: str) -> dict[str, int]:
    """Return a map such as `pipeline.jobvertex-parallelism-overrides`: `id:2,id:4`."""
    pairs = (pair.partition(":") for pair in re.split(r"[,;]", text) if ":" in pair)
    return {key.strip(" {}\"'"): int(value.strip(" {}\"'")) for key, _, value in pairs}
