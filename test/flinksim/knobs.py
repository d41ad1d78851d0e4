"""What a test can tell a cluster to do, and for how long things take."""

import re
from collections.abc import Mapping
from typing import Any

from attrs import asdict, define, field, fields
from flinksim import conf

PREFIX = "flinksim."
ANNOTATION = "flinksim/control"


@define
class Delays:
    """Seconds that each step takes."""

    rest: float = 0.0
    initializing: float = 0.05
    created: float = 0.02
    taskmanagers: float = 0.05
    running: float = 0.05
    cancelling: float = 0.05
    restarting: float = 0.1
    savepoint: float = 0.1
    checkpoint: float = 0.02
    rescale: float = 0.2


@define
class Knobs:
    """Standing orders; None is the normal way. The README tells each value."""

    rest: str | None = None
    submit: str | None = None
    job: str | None = None
    job_after: float = 0.0
    next_savepoint: str | None = None
    next_checkpoint: str | None = None
    pod: str | None = None
    pod_message: str | None = None
    jobmanager: str | None = None
    taskmanagers: str | None = None
    unknown_savepoint: str = "fail"
    checkpoint_interval: float | None = None
    rate: float = 1000.0
    message: str | None = None
    delays: Delays = field(factory=Delays)

    def update(self, orders: Mapping[str, Any]) -> None:
        """Change what `orders` names; `null` returns to the default.

        Raises:
            ValueError: an unknown order or a value of the wrong kind.
        """
        known = {one.name for one in fields(Knobs)}
        for key, value in orders.items():
            if key not in known:
                raise ValueError(f"unknown order {key!r}; known are {', '.join(sorted(known))}")
            if key == "delays":
                for name, text in (value or {}).items():
                    _set(self.delays, name, _seconds(text), Delays())
            else:
                _set(self, key, _typed(key, value), Knobs())

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def layered(*layers: Mapping[str, Any]) -> Knobs:
    """Return defaults overlaid by each layer; later wins."""
    knobs = Knobs()
    for layer in layers:
        knobs.update(layer)
    return knobs


def from_configuration(flat: Mapping[str, str]) -> dict[str, Any]:
    """Return the orders in configuration keys `flinksim.*`; `flinksim.delays.running` goes deep."""
    orders: dict[str, Any] = {}
    for key, value in flat.items():
        if not key.startswith(PREFIX):
            continue
        name = key.removeprefix(PREFIX).replace("-", "_")
        if name.startswith("delays."):
            orders.setdefault("delays", {})[name.removeprefix("delays.")] = value
        else:
            orders[name] = value
    return orders


def slow(rest: str | None) -> float | None:
    """Return the seconds of `slow:5s`."""
    return conf.seconds(rest.removeprefix("slow:")) if rest and rest.startswith("slow:") else None


def _typed(key: str, value: Any) -> Any:
    if value is None:
        return None
    if key in {"job_after", "checkpoint_interval"}:
        return _seconds(value)
    return float(value) if key == "rate" else str(value)


def _set(target: Any, name: str, value: Any, default: Any) -> None:
    if not hasattr(target, name):
        raise ValueError(f"unknown delay {name!r}")
    setattr(target, name, getattr(default, name) if value is None else value)


def _seconds(value: Any) -> float | None:
    if value is None or isinstance(value, int | float):
        return value
    return float(value) if re.fullmatch(r"\d*\.\d+|\d+", value) else conf.seconds(value)
