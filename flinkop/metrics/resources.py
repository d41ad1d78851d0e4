"""Counts of resources per namespace, in the reference's naming (operations.md 2.3, 2.4).

A change costs the same whether there are ten resources or ten thousand: what a resource added to its
namespace's numbers is remembered and taken back when it changes or goes. Series of a namespace appear
with its first resource of the kind and stay, at 0.
"""

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from typing import Final

from flinkop.api.status import (
    FlinkDeploymentStatus,
    JobManagerDeploymentStatus,
    LifecycleState,
)
from flinkop.kube.meta import ObjectKey
from flinkop.metrics.lifecycle import LifecycleTimes
from flinkop.metrics.scope import Scope
from flinkop.metrics.series import Gauge, SeriesRegistry

FLINKDEPLOYMENT: Final = "FlinkDeployment"
FLINKSESSIONJOB: Final = "FlinkSessionJob"

_NANO: Final = 10**9
_MINOR_PARTS: Final = 2

_STATES: Final = {state: f"Lifecycle.State.{state}.Count" for state in LifecycleState}
_JOB_MANAGERS: Final = {
    status: f"JmDeploymentStatus.{status}.Count" for status in JobManagerDeploymentStatus
}
_CPU: Final = "ResourceUsage.Cpu"
_MEMORY: Final = "ResourceUsage.Memory"
_STATE_SIZE: Final = "ResourceUsage.StateSize"

_Share = tuple[Gauge, int]


class ResourceMetrics:
    """Told about each resource whenever its status was read or written, and when it is gone.

    Args:
        registry: Where the series live.
        lifecycle: Told about states too; None when lifecycle metrics are switched off.
    """

    def __init__(self, registry: SeriesRegistry, lifecycle: LifecycleTimes | None = None) -> None:
        self._registry = registry
        self._lifecycle = lifecycle
        self._shares: dict[tuple[str, ObjectKey], tuple[_Share, ...]] = {}
        self._prepared: set[tuple[str, str]] = set()

    def flinkdeployment(
        self,
        key: ObjectKey,
        status: FlinkDeploymentStatus,
        state: LifecycleState,
        created: dt.datetime | None = None,
    ) -> None:
        """Note what a FlinkDeployment is like now; `state` is its computed lifecycle state."""
        self._prepare(FLINKDEPLOYMENT, key.namespace, (*_JOB_MANAGERS.values(), *_usages()))
        info = status.cluster_info
        version = (info.get("flink-version") or "").strip() or "UNKNOWN"
        labels = _labels(FLINKDEPLOYMENT, key.namespace)
        minor = labels | {"FlinkMinorVersion": minor_version(version)}
        self._observe(
            FLINKDEPLOYMENT,
            key,
            state,
            created,
            [
                (self._gauge(labels, _JOB_MANAGERS[status.job_manager_deployment_status]), 1),
                (self._gauge(labels | {"FlinkVersion": version}, "FlinkVersion.Count"), 1),
                (self._gauge(minor, "FlinkMinorVersion.Count"), 1),
                (self._gauge(labels, _CPU), round(number(info, "total-cpu") * _NANO)),
                (self._gauge(labels, _MEMORY), int(number(info, "total-memory"))),
                (self._gauge(labels, _STATE_SIZE), max(0, int(number(info, "state-size")))),
            ],
        )

    def flinksessionjob(
        self, key: ObjectKey, state: LifecycleState, created: dt.datetime | None = None
    ) -> None:
        """Note what a FlinkSessionJob is like now; `state` is its computed lifecycle state."""
        self._prepare(FLINKSESSIONJOB, key.namespace, ())
        self._observe(FLINKSESSIONJOB, key, state, created, [])

    def remove(self, kind: str, key: ObjectKey) -> None:
        """Note that a resource is gone. May be called again, and for one never seen."""
        for gauge, units in self._shares.pop((kind, key), ()):
            gauge.units -= units
        if self._lifecycle is not None:
            self._lifecycle.remove(kind, key)

    def _observe(
        self,
        kind: str,
        key: ObjectKey,
        state: LifecycleState,
        created: dt.datetime | None,
        shares: list[_Share],
    ) -> None:
        labels = _labels(kind, key.namespace)
        shares.append((self._gauge(labels, "Count"), 1))
        if self._lifecycle is not None:
            shares.append((self._gauge(labels, _STATES[state]), 1))
            self._lifecycle.observe(kind, key, state, created)
        for gauge, units in self._shares.get((kind, key), ()):
            gauge.units -= units
        for gauge, units in shares:
            gauge.units += units
        self._shares[kind, key] = tuple(shares)

    def _prepare(self, kind: str, namespace: str, paths: Iterable[str]) -> None:
        """Make a namespace's series, so that a value of 0 shows before the first 1."""
        if (kind, namespace) in self._prepared:
            return
        self._prepared.add((kind, namespace))
        states = _STATES.values() if self._lifecycle is not None else ()
        for path in ("Count", *paths, *states):
            self._gauge(_labels(kind, namespace), path)

    def _gauge(self, labels: Mapping[str, str], path: str) -> Gauge:
        parts = _NANO if path == _CPU else 1
        return self._registry.gauge(Scope.NAMESPACE, path, labels, parts=parts)


def minor_version(version: str) -> str:
    """Return the first two parts of a Flink version, `MALFORMED` when there are fewer."""
    parts = version.split(".")
    return ".".join(parts[:_MINOR_PARTS]) if len(parts) >= _MINOR_PARTS else "MALFORMED"


def number(info: Mapping[str, str], key: str) -> float:
    """Return the number under `key`; 0 when it is missing, no number or not finite."""
    try:
        value = float(info.get(key) or 0)
    except ValueError:
        return 0.0
    return value if math.isfinite(value) else 0.0


def _labels(kind: str, namespace: str) -> dict[str, str]:
    return {"resourcens": namespace, "resourcetype": kind}


def _usages() -> tuple[str, ...]:
    return (_CPU, _MEMORY, _STATE_SIZE)
