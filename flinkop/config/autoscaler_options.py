"""The autoscaler's options, each once (`operations.md` 1.12); a resource may set them all.

Each is also read under its older prefix, `kubernetes.operator.job.autoscaler.`. What values are within their
ranges is said in `lifecycle.autoscaler_rules`.
"""

import enum
from typing import Final

import attrs

from flinkop.config.option import Option, Scope, Section
from flinkop.config.options import AUTOSCALER_PREFIX as _A, PREFIX

OLDER_PREFIX: Final = PREFIX + _A
_RESOURCE: Final = Section(Scope.RESOURCE)


class Aggregator(enum.StrEnum):
    """How the busy times of subtasks become one."""

    MAX = "MAX"
    AVG = "AVG"
    MIN = "MIN"


_TABLE: Final[tuple[Option[object], ...]] = (
    _RESOURCE.boolean(_A + "enabled", False, "Scale the job by its load."),
    _RESOURCE.boolean(
        _A + "scaling.enabled", True, "Carry out what was found; otherwise only report it."
    ),
    _RESOURCE.duration(
        _A + "metrics.window", "15 min", "Over which time measurements are averaged."
    ),
    _RESOURCE.duration(
        _A + "stabilization.interval", "5 min", "How long a job is left alone after a start."
    ),
    _RESOURCE.texts(
        _A + "excluded.periods", (), "Daily periods or cron expressions without scaling."
    ),
    _RESOURCE.double(
        _A + "utilization.target", 0.7, "Aimed share of busy time.", _A + "target.utilization"
    ),
    _RESOURCE.optional_double(_A + "utilization.max", "Utilization above which is scaled up."),
    _RESOURCE.optional_double(_A + "utilization.min", "Utilization below which is scaled down."),
    _RESOURCE.double(
        _A + "target.utilization.boundary",
        0.3,
        "Deprecated: distance from the target within which nothing is scaled.",
    ),
    _RESOURCE.duration(
        _A + "scale-down.interval",
        "1 h",
        "How long after a scale-up there is no scale-down.",
        _A + "scale-up.grace-period",
    ),
    _RESOURCE.integer(_A + "vertex.min-parallelism", 1, "Least parallelism of a vertex."),
    _RESOURCE.integer(_A + "vertex.max-parallelism", 200, "Largest parallelism of a vertex."),
    _RESOURCE.texts(_A + "vertex.exclude.ids", (), "Vertices that keep their parallelism."),
    _RESOURCE.double(
        _A + "scale-down.max-factor", 0.6, "Largest share by which is scaled down at once."
    ),
    _RESOURCE.double(
        _A + "scale-up.max-factor", 100000.0, "Largest ratio by which is scaled up at once."
    ),
    _RESOURCE.duration(
        _A + "catch-up.duration", "30 min", "Within which time a backlog is to be worked off."
    ),
    _RESOURCE.duration(_A + "restart.time", "5 min", "How long a restart is taken to last."),
    _RESOURCE.boolean(
        _A + "restart.time-tracking.enabled", False, "Take the restarts' measured time instead."
    ),
    _RESOURCE.duration(
        _A + "restart.time-tracking.limit", "15 min", "Largest measured time that counts."
    ),
    _RESOURCE.duration(
        _A + "backlog-processing.lag-threshold",
        "5 min",
        "Lag above which a job works off a backlog.",
    ),
    _RESOURCE.duration(
        _A + "observed-true-processing-rate.lag-threshold",
        "30 s",
        "Lag above which the rate of sources is measured.",
    ),
    _RESOURCE.double(
        _A + "observed-true-processing-rate.switch-threshold",
        0.15,
        "Difference from which on the measured rate counts.",
    ),
    _RESOURCE.integer(
        _A + "observed-true-processing-rate.min-observations",
        2,
        "Measurements needed before they count.",
    ),
    _RESOURCE.boolean(
        _A + "scaling.effectiveness.detection.enabled",
        False,
        "Stop scaling up what does not get faster.",
    ),
    _RESOURCE.double(
        _A + "scaling.effectiveness.threshold",
        0.1,
        "Share of the expected gain below which a scaling was in vain.",
    ),
    _RESOURCE.double(
        _A + "memory.gc-pressure.threshold",
        1.0,
        "Share of time in garbage collection above which nothing is scaled down.",
    ),
    _RESOURCE.double(
        _A + "memory.heap-usage.threshold", 1.0, "Heap usage above which nothing is scaled down."
    ),
    _RESOURCE.boolean(_A + "memory.tuning.enabled", False, "Fit memory to its use."),
    _RESOURCE.boolean(
        _A + "memory.tuning.scale-down-compensation.enabled",
        True,
        "Give TaskManagers more memory when there are fewer.",
    ),
    _RESOURCE.double(_A + "memory.tuning.overhead", 0.2, "Share added to the memory in use."),
    _RESOURCE.boolean(
        _A + "memory.tuning.maximize-managed-memory", False, "Give what is left to managed memory."
    ),
    _RESOURCE.integer(_A + "history.max.count", 3, "How many scalings of a vertex are remembered."),
    _RESOURCE.duration(_A + "history.max.age", "24 h", "How long scalings are remembered."),
    _RESOURCE.choice(
        _A + "metrics.busy-time.aggregator",
        Aggregator.MAX,
        "How the busy times of subtasks become one.",
    ),
    _RESOURCE.duration(
        _A + "scaling.event.interval", "30 min", "How long an equal event is not repeated."
    ),
    _RESOURCE.duration(
        _A + "flink.rest-client.timeout",
        "10 s",
        "Timeout of a call to Flink; flink.client.timeout where it is not set.",
    ),
    _RESOURCE.optional_double(_A + "quota.cpu", "Largest number of cores of a job."),
    _RESOURCE.optional_memory(_A + "quota.memory", "Largest memory of a job."),
    _RESOURCE.text(
        _A + "scaling.parallelism-alignment.mode",
        "BALANCED",
        "How parallelism is fitted to partitions and key groups.",
    ),
    _RESOURCE.text(
        _A + "scaling.key-group.partitions.adjust.mode",
        "EVENLY_SPREAD",
        "Deprecated: how parallelism is fitted to partitions and key groups.",
    ),
    _RESOURCE.boolean(
        _A + "observed-scalability.enabled", False, "Learn how far parallelism makes a job faster."
    ),
    _RESOURCE.integer(
        _A + "observed-scalability.min-observations", 3, "Scalings needed to learn from."
    ),
    _RESOURCE.double(
        _A + "observed-scalability.coefficient-min", 0.5, "Least learned gain that counts."
    ),
    _RESOURCE.texts(_A + "metrics.custom-evaluators", (), "Plug-ins that correct measurements."),
    _RESOURCE.texts(_A + "scaling.custom-executors", (), "Plug-ins that change or veto scalings."),
)

FAMILIES: Final = tuple(
    _A + name
    for name in (
        "metrics.custom-evaluator.",
        "scaling.custom-executor.",
        "scaling.parallelism-alignment.mode.",
    )
)
"""Prefixes of what plug-ins are told; the rest of the key is theirs."""


def all_options() -> tuple[Option[object], ...]:
    """Return every option of this table, in its order, with its older keys."""
    return tuple(
        attrs.evolve(
            one,
            older_keys=tuple(
                name for key in (one.key, *one.older_keys) for name in (key, PREFIX + key)
            )[1:],
        )
        for one in _TABLE
    )
