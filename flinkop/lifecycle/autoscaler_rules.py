"""Rule D21: the autoscaler's options must be within their ranges (api.md 4.6); pure."""

import math
import re
from collections.abc import Iterator
from typing import Final

from attrs import frozen

from flinkop.api.validation import Problem
from flinkop.config import errors, options, values
from flinkop.config.flink_conf import FlinkConf

_PREFIX: Final = "job.autoscaler."
_OLD_PREFIX: Final = "kubernetes.operator.job.autoscaler."


@frozen
class _Range:
    """A number that must lie in [low, high]; `only_if` names the switch without which it is not read."""

    key: str
    default: float | None
    low: float
    high: float = math.inf
    older: str | None = None
    only_if: str | None = None


_RANGES: Final = (
    _Range("scale-down.max-factor", 0.6, 0),
    _Range("scale-up.max-factor", 100000.0, 0),
    _Range("utilization.target", 0.7, 0, 1, older="target.utilization"),
    _Range("target.utilization.boundary", 0.3, 0),
)
_LATER_RANGES: Final = (
    _Range("memory.gc-pressure.threshold", 1.0, 0, 1),
    _Range("memory.heap-usage.threshold", 1.0, 0, 1),
    _Range(
        "observed-scalability.coefficient-min", 0.5, 0.01, 1, only_if="observed-scalability.enabled"
    ),
    _Range(
        "scaling.effectiveness.threshold",
        0.1,
        0,
        1,
        only_if="scaling.effectiveness.detection.enabled",
    ),
    _Range("memory.tuning.overhead", 0.2, 0, 1, only_if="memory.tuning.enabled"),
)
_DAILY: Final = re.compile(
    r"(\d{1,2}):(\d{2})(?::(\d{2})(?::(\d{3}))?)?-(\d{1,2}):(\d{2})(?::(\d{2})(?::(\d{3}))?)?",
    re.ASCII,
)
_CRON: Final = re.compile(r"[0-9A-Za-z*?/,#\- ]+", re.ASCII)
_CRON_FIELDS: Final = (6, 7)
_WINDOW: Final = "15 min"
_LATEST: Final = [23, 59, 59, 999]
_PARTS: Final = 2


def is_enabled(conf: FlinkConf) -> bool:
    """Return whether the autoscaler is asked for.

    Raises:
        ConfigValueError: the option is neither true nor false.
    """
    return _switch(conf, "enabled")


def tunes_memory(conf: FlinkConf) -> bool:
    """Return whether the autoscaler is asked to tune the TaskManagers' memory, too.

    Raises:
        ConfigValueError: the option is neither true nor false.
    """
    return _switch(conf, "memory.tuning.enabled")


def first_problem(conf: FlinkConf) -> Problem | None:
    """Return the first autoscaler option out of range; None while the autoscaler is off."""
    if not is_enabled(conf):
        return None
    return next(_problems(conf), None)


def _problems(conf: FlinkConf) -> Iterator[Problem]:
    for item in _RANGES:
        yield from _check(conf, item)
    target = _number(conf, _RANGES[2])
    if isinstance(target, float):
        yield from _check(conf, _Range("utilization.max", None, target, 1))
        yield from _check(conf, _Range("utilization.min", None, 0, target))
    for item in _LATER_RANGES:
        yield from _check(conf, item)
    yield from _excluded_periods(conf)
    yield from _window(conf)


def _check(conf: FlinkConf, item: _Range) -> Iterator[Problem]:
    if item.only_if is not None and not _switch(conf, item.only_if):
        return
    value = _number(conf, item)
    if isinstance(value, Problem):
        yield value
    elif value is not None and not item.low <= value <= item.high:
        high = "+Infinity" if item.high == math.inf else f"{item.high:g}"
        yield _problem(
            item.key,
            f"AutoScalerOption {_PREFIX}{item.key} is invalid, must be within [{item.low:g}, {high}], but is {value:g}",
        )


def _number(conf: FlinkConf, item: _Range) -> float | Problem | None:
    text = _text(conf, item.key, item.older)
    if text is None:
        return item.default
    try:
        return values.parse_double(text)
    except ValueError:
        return _problem(
            item.key,
            f"invalid value in the autoscaler config {_PREFIX}{item.key}: {text!r} is no number",
        )


def _excluded_periods(conf: FlinkConf) -> Iterator[Problem]:
    text = _text(conf, "excluded.periods") or ""
    for element in filter(None, (part.strip() for part in text.split(";"))):
        kinds = [_kind(part.strip()) for part in element.split("&&")]
        if len(kinds) > _PARTS or None in kinds or len(set(kinds)) != len(kinds):
            yield _problem(
                "excluded.periods",
                f"{_PREFIX}excluded.periods has {element!r}: write a daily range such as 09:00-17:00, "
                "a Quartz cron expression, or one of each joined by &&",
            )


def _kind(part: str) -> str | None:
    match = _DAILY.fullmatch(part)
    if match is not None:
        numbers = [int(group or 0) for group in match.groups()]
        start, end = numbers[:4], numbers[4:]
        valid = all(n <= top for time in (start, end) for n, top in zip(time, _LATEST, strict=True))
        return "daily" if valid and start < end else None
    return "cron" if _CRON.fullmatch(part) and len(part.split()) in _CRON_FIELDS else None


def _window(conf: FlinkConf) -> Iterator[Problem]:
    text = _text(conf, "metrics.window") or _WINDOW
    try:
        window = values.parse_duration(text)
    except ValueError as error:
        yield _problem(
            "metrics.window",
            f"invalid value in the autoscaler config {_PREFIX}metrics.window: {error}",
        )
        return
    interval = conf.get(options.RECONCILE_INTERVAL)
    if window < interval:
        yield _problem(
            "metrics.window",
            f"AutoScalerOption {_PREFIX}metrics.window is invalid, must be at least "
            f"{options.RECONCILE_INTERVAL.key} ({interval.total_seconds():g} s)",
        )


def _switch(conf: FlinkConf, key: str) -> bool:
    text = (_text(conf, key) or "false").strip().lower()
    if text not in ("true", "false"):
        raise errors.ConfigValueError(_PREFIX + key, text, "write true or false")
    return text == "true"


def _text(conf: FlinkConf, key: str, older: str | None = None) -> str | None:
    for prefix in (_PREFIX, _OLD_PREFIX):
        for name in filter(None, (key, older)):
            text = conf.text(prefix + name)
            if text is not None:
                return text
    return None


def _problem(key: str, message: str) -> Problem:
    return Problem(f"spec.flinkConfiguration[{_PREFIX}{key}]", "InvalidAutoscalerOption", message)
