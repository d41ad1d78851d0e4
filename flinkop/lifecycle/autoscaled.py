"""What an autoscaler has decided about a job stays in force while no autoscaler runs here; pure (autoscaler.md 5.2).

The reference's autoscaler writes its decisions into the spec that it records, never into the user's. Without
them the user's spec would look changed, and taking over would restart each scaled job with the parallelism it
had before. They go when the user turns the autoscaler off, as they do there.
"""

from collections.abc import Mapping
from typing import Final, TypeVar

from attrs import evolve

from flinkop.api.common import AbstractSpec, Quantities, ResourceRequirements, TaskManagerSpec
from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.config import flatten
from flinkop.config.flink_conf import FlinkConf
from flinkop.config.flink_options import PARALLELISM_OVERRIDES
from flinkop.lifecycle import autoscaler_rules

SpecT = TypeVar("SpecT", bound=AbstractSpec)

_PARALLELISM: Final = PARALLELISM_OVERRIDES.key
_MARK: Final = "taskmanager.memory.framework.heap.size"  # no user sets it to what tuning does
_MARKED: Final = "0 bytes"
_TUNED: Final = (
    _MARK,
    "taskmanager.memory.process.size",
    "taskmanager.memory.managed.fraction",
    "taskmanager.memory.network.min",
    "taskmanager.memory.network.max",
    "taskmanager.memory.jvm-overhead.fraction",
    "taskmanager.memory.jvm-metaspace.size",
    "taskmanager.memory.flink.size",
    "taskmanager.memory.task.heap.size",
    "taskmanager.memory.managed.size",
    "taskmanager.memory.size",
)
_MEMORY: Final = "memory"


def has_decisions(recorded: AbstractSpec) -> bool:
    """Whether a recorded spec may hold what an autoscaler decided."""
    entries = recorded.flink_configuration
    return isinstance(entries, Mapping) and (_PARALLELISM in entries or _MARK in entries)


def kept(spec: SpecT, recorded: SpecT, conf: FlinkConf) -> SpecT:
    """Return the user's `spec` with what the recorded one has from an autoscaler that is still wanted.

    Args:
        spec: the user's spec.
        recorded: the spec that was last acted on.
        conf: defaults and the user's configuration.

    Raises:
        ConfigError: the configuration cannot be read.
    """
    if spec.job is None or not autoscaler_rules.is_enabled(conf):
        return spec
    before = flatten.flatten(recorded.flink_configuration)
    if _PARALLELISM in before:
        spec = _with_entries(spec, before, (_PARALLELISM,))
    if before.get(_MARK) != _MARKED or not autoscaler_rules.tunes_memory(conf):
        return spec
    spec = _with_entries(spec, before, _TUNED)
    if not isinstance(spec, FlinkDeploymentSpec) or not isinstance(recorded, FlinkDeploymentSpec):
        return spec  # a session job has no TaskManagers of its own
    return evolve(spec, task_manager=_with_memory(spec.task_manager, recorded.task_manager))


def _with_entries(spec: SpecT, before: Mapping[str, str], keys: tuple[str, ...]) -> SpecT:
    entries = flatten.flatten(spec.flink_configuration)
    if all(entries.get(key) == before.get(key) for key in keys):
        return spec
    for key in keys:
        entries.pop(key, None)
        if key in before:
            entries[key] = before[key]
    return evolve(spec, flink_configuration=entries)


def _with_memory(
    wanted: TaskManagerSpec | None, before: TaskManagerSpec | None
) -> TaskManagerSpec | None:
    if wanted is None or before is None:
        return wanted
    resource, resources = wanted.resource, wanted.resources
    if resource is not None and before.resource is not None:
        resource = evolve(resource, memory=before.resource.memory)
    if resources is not None and before.resources is not None:
        resources = _with_quantities(resources, before.resources)
    return evolve(wanted, resource=resource, resources=resources)


def _with_quantities(
    wanted: ResourceRequirements, before: ResourceRequirements
) -> ResourceRequirements:
    return evolve(
        wanted,
        requests=_with_quantity(wanted.requests, before.requests),
        limits=_with_quantity(wanted.limits, before.limits),
    )


def _with_quantity(wanted: Quantities | None, before: Quantities | None) -> Quantities | None:
    if not wanted or not before or _MEMORY not in wanted or _MEMORY not in before:
        return wanted
    return {**wanted, _MEMORY: before[_MEMORY]}
