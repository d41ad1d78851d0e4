"""Counts of resources per namespace, in the reference's naming (operations.md 2.3, 2.4).

A change costs the same whether there are ten resources or ten thousand: what a resource added to its
namespace's numbers is remembered and taken back when it changes or goes. Series of a namespace appear
with its first resource of the kind and stay, at 0.
"""

import datetime as dt
import math
from collections.abc import Mapping
from functools import cache
from typing import Final

from attrs import frozen

from flinkop.api.flinkstatesnapshot import SnapshotState
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
FLINKSTATESNAPSHOT: Final = "FlinkStateSnapshot"

_NANO: Final = 10**9
_MINOR_PARTS: Final = 2

_STATES: Final = {state: f"Lifecycle.State.{state}.Count" for state in LifecycleState}
_JOB_MANAGERS: Final = {
    status: f"JmDeploymentStatus.{status}.Count" for status in JobManagerDeploymentStatus
}
_NOTHING: Final = (0, 0, 0)


@frozen
class _Counted:
    """What a resource adds to its namespace's numbers: 1 to each of `ones`, `amounts` to `sums`.

    The tuples of gauges are shared by all resources that are alike, so that each costs little memory.
    """

    ones: tuple[Gauge, ...]
    sums: tuple[Gauge, ...] = ()
    amounts: tuple[int, ...] = ()

    def add(self, sign: int) -> None:
        for gauge in self.ones:
            gauge.units += sign
        for gauge, amount in zip(self.sums, self.amounts, strict=True):
            gauge.units += sign * amount


class ResourceMetrics:
    """Told about each resource whenever its status was read or written, and when it is gone.

    Args:
        registry: Where the series live.
        lifecycle: Told about states too; None when lifecycle metrics are switched off.
    """

    def __init__(self, registry: SeriesRegistry, lifecycle: LifecycleTimes | None = None) -> None:
        self._registry = registry
        self._lifecycle = lifecycle
        self._counted: dict[tuple[str, ObjectKey], _Counted] = {}
        self._deployment_ones = cache(self._make_deployment_ones)
        self._session_job_ones = cache(self._make_session_job_ones)
        self._snapshot_ones = cache(self._make_snapshot_ones)
        self._sums = cache(self._make_sums)

    def flinkdeployment(
        self,
        key: ObjectKey,
        status: FlinkDeploymentStatus,
        state: LifecycleState,
        created: dt.datetime | None = None,
    ) -> None:
        """Note what a FlinkDeployment is like now; `state` is its computed lifecycle state."""
        info = status.cluster_info
        version = (info.get("flink-version") or "").strip() or "UNKNOWN"
        job_manager = status.job_manager_deployment_status
        amounts = (
            round(number(info, "total-cpu") * _NANO),
            int(number(info, "total-memory")),
            max(0, int(number(info, "state-size"))),
        )
        counted = _Counted(
            self._deployment_ones(key.namespace, job_manager, version, state),
            self._sums(key.namespace),
            amounts if any(amounts) else _NOTHING,
        )
        self._replace(FLINKDEPLOYMENT, key, counted)
        self._tell_lifecycle(FLINKDEPLOYMENT, key, state, created)

    def flinksessionjob(
        self, key: ObjectKey, state: LifecycleState, created: dt.datetime | None = None
    ) -> None:
        """Note what a FlinkSessionJob is like now; `state` is its computed lifecycle state."""
        counted = _Counted(self._session_job_ones(key.namespace, state))
        self._replace(FLINKSESSIONJOB, key, counted)
        self._tell_lifecycle(FLINKSESSIONJOB, key, state, created)

    def flinkstatesnapshot(self, key: ObjectKey, state: SnapshotState, *, checkpoint: bool) -> None:
        """Note what a FlinkStateSnapshot is like now; it is a savepoint unless it is a `checkpoint`."""
        counted = _Counted(self._snapshot_ones(key.namespace, state, checkpoint))
        self._replace(FLINKSTATESNAPSHOT, key, counted)

    def remove(self, kind: str, key: ObjectKey) -> None:
        """Note that a resource is gone. May be called again, and for one never seen."""
        counted = self._counted.pop((kind, key), None)
        if counted is not None:
            counted.add(-1)
        if self._lifecycle is not None:
            self._lifecycle.remove(kind, key)

    def _replace(self, kind: str, key: ObjectKey, counted: _Counted) -> None:
        before = self._counted.get((kind, key))
        if before is not None:
            before.add(-1)
        counted.add(1)
        self._counted[kind, key] = counted

    def _tell_lifecycle(
        self, kind: str, key: ObjectKey, state: LifecycleState, created: dt.datetime | None
    ) -> None:
        if self._lifecycle is not None:
            self._lifecycle.observe(kind, key, state, created)

    def _make_deployment_ones(
        self,
        namespace: str,
        job_manager: JobManagerDeploymentStatus,
        version: str,
        state: LifecycleState,
    ) -> tuple[Gauge, ...]:
        # All of them are made at once, so that a value of 0 shows before the first 1.
        labels = _labels(FLINKDEPLOYMENT, namespace)
        by_job_manager = {s: self._gauge(labels, path) for s, path in _JOB_MANAGERS.items()}
        minor = labels | {"FlinkMinorVersion": minor_version(version)}
        return (
            *self._common_ones(labels, state),
            by_job_manager[job_manager],
            self._gauge(labels | {"FlinkVersion": version}, "FlinkVersion.Count"),
            self._gauge(minor, "FlinkMinorVersion.Count"),
        )

    def _make_session_job_ones(self, namespace: str, state: LifecycleState) -> tuple[Gauge, ...]:
        return self._common_ones(_labels(FLINKSESSIONJOB, namespace), state)

    def _make_snapshot_ones(
        self,
        namespace: str,
        state: SnapshotState,
        checkpoint: bool,  # noqa: FBT001 - a part of the key
    ) -> tuple[Gauge, ...]:
        # All of them are made at once, of both types, so that a value of 0 shows before the first 1.
        labels = _labels(FLINKSTATESNAPSHOT, namespace)
        made = {
            kind: (
                self._gauge(labels, f"{kind}.Count"),
                {s: self._gauge(labels, f"{kind}.State.{s}.Count") for s in SnapshotState},
            )
            for kind in ("Checkpoint", "Savepoint")
        }
        count, by_state = made["Checkpoint" if checkpoint else "Savepoint"]
        return (count, by_state[state])

    def _common_ones(self, labels: dict[str, str], state: LifecycleState) -> tuple[Gauge, ...]:
        count = self._gauge(labels, "Count")
        if self._lifecycle is None:
            return (count,)
        by_state = {s: self._gauge(labels, path) for s, path in _STATES.items()}
        return (count, by_state[state])

    def _make_sums(self, namespace: str) -> tuple[Gauge, ...]:
        labels = _labels(FLINKDEPLOYMENT, namespace)
        return (
            self._gauge(labels, "ResourceUsage.Cpu", parts=_NANO),
            self._gauge(labels, "ResourceUsage.Memory"),
            self._gauge(labels, "ResourceUsage.StateSize"),
        )

    def _gauge(self, labels: Mapping[str, str], path: str, *, parts: int = 1) -> Gauge:
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
