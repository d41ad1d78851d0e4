"""The few options of a running cluster that every reconcile asks for, worked out once per change.

A whole Flink configuration takes kilobytes and a fraction of a millisecond to put together; with
ten thousand resources neither can be kept or repeated each minute. These few values can.
"""

import math
from collections.abc import Callable
from typing import Final, TypeVar

from attrs import define, field, frozen

from flinkop.builders import effective_conf, memory
from flinkop.config import flink_options, options
from flinkop.config.flink_conf import FlinkConf
from flinkop.config.operator_config import OperatorConfig
from flinkop.config.snapshot import ConfigSnapshot
from flinkop.flink import tls
from flinkop.flink.address import Cluster
from flinkop.flink.tls import Stores
from flinkop.kube.meta import ObjectKey

T = TypeVar("T")

_TLS_PREFIX: Final = "security.ssl."
_SWITCHES: Final = ("enabled", "authentication-enabled")
_LONGEST_CANCEL: Final = 60.0
"""Seconds; what the cancellation is for, the deletion of the cluster, has to follow in the same run."""


@frozen
class ClusterOptions:
    """Options from a cluster's observe configuration (behaviour.md 0.8).

    Attributes:
        rest_port: `rest.port`.
        rest_tls: `security.ssl.rest.enabled`.
        rest_stores: what TLS trusts and shows; None is the system's trust.
        high_availability: whether the cluster keeps HA metadata.
        flink_timeout: seconds for a call to Flink.
        cancel_timeout: seconds for Flink to take the wish to cancel a job.
        recovery: whether a lost JobManager is deployed again.
        block_on_session_jobs: whether session jobs keep their cluster from being deleted.
        block_on_unmanaged_jobs: whether any running job does.
        savepoint_on_deletion: whether deletion takes a savepoint first.
        manage_ingress: whether Ingresses are managed.
        job_manager_cpu: cores of all JobManagers, limit factor included.
        job_manager_memory: bytes of all JobManagers, limit factor included.
        task_manager_cpu: cores of one TaskManager, limit factor included.
        task_manager_memory: bytes of one TaskManager, limit factor included.
    """

    rest_port: int = 8081
    rest_tls: bool = False
    rest_stores: Stores | None = None
    high_availability: bool = False
    flink_timeout: float = 10.0
    cancel_timeout: float = 60.0
    recovery: bool = True
    block_on_session_jobs: bool = True
    block_on_unmanaged_jobs: bool = True
    savepoint_on_deletion: bool = False
    manage_ingress: bool = True
    job_manager_cpu: float = 1.0
    job_manager_memory: float = 0.0
    task_manager_cpu: float = 1.0
    task_manager_memory: float = 0.0

    def cluster(self, key: ObjectKey) -> Cluster:
        """Return the Flink cluster of the resource `key`, as its client is made for it."""
        return Cluster(key.namespace, key.name, self.rest_port, self.rest_tls, self.rest_stores)

    def total_cpu(self, task_managers: int) -> str:
        """Return `total-cpu` of the cluster info, as text (behaviour.md 2.10)."""
        return repr(self.job_manager_cpu + self.task_manager_cpu * task_managers)

    def total_memory(self, task_managers: int) -> str:
        """Return `total-memory` of the cluster info, in bytes, as text."""
        return str(round(self.job_manager_memory + self.task_manager_memory * task_managers))


_MISSING: Final = object()


@define
class PerResource:
    """Remembers one value per resource, made again when what it was made from changes."""

    _kept: dict[ObjectKey, tuple[object, object]] = field(factory=dict)

    def get(self, key: ObjectKey, made_from: object, make: Callable[[], T]) -> T:
        """Return the value for `key`, making it when `made_from` differs from last time.

        `made_from` has the uid in it: another resource may come to bear the same name.
        """
        known, value = self._kept.get(key, (_MISSING, None))
        if known == made_from:
            return value  # type: ignore[return-value]
        made = make()
        self._kept[key] = (made_from, made)
        return made

    def forget(self, key: ObjectKey) -> None:
        """Drop the value of a resource that is gone."""
        self._kept.pop(key, None)


def from_conf(
    conf: FlinkConf, settings: ConfigSnapshot, operator: OperatorConfig
) -> ClusterOptions:
    """Read the options from a cluster's observe configuration and the operator's own.

    Key stores are files of the operator, so only those that its own configuration names are used: a
    resource must not choose which of them is opened.

    Raises:
        ConfigError: a value cannot be read.
    """
    job_manager, task_manager = memory.jobmanager(conf), memory.taskmanager(conf)
    replicas = conf.get(flink_options.JM_REPLICAS)
    return ClusterOptions(
        rest_port=conf.get(flink_options.REST_PORT),
        rest_tls=_speaks_tls(conf),
        rest_stores=_stores(conf, settings),
        high_availability=effective_conf.is_ha(conf),
        flink_timeout=operator.flink_client_timeout.total_seconds(),
        cancel_timeout=min(operator.flink_cancel_timeout.total_seconds(), _LONGEST_CANCEL),
        recovery=conf.get(options.JM_RECOVERY_ENABLED),
        block_on_session_jobs=conf.get(options.SESSION_BLOCK_ON_SESSION_JOBS),
        block_on_unmanaged_jobs=conf.get(options.SESSION_BLOCK_ON_UNMANAGED_JOBS),
        savepoint_on_deletion=conf.get(options.SAVEPOINT_ON_DELETION),
        manage_ingress=operator.ingress_manage,
        job_manager_cpu=conf.get(flink_options.JM_CPU)
        * conf.get(flink_options.JM_CPU_LIMIT_FACTOR)
        * replicas,
        job_manager_memory=job_manager.process
        * conf.get(flink_options.JM_MEMORY_LIMIT_FACTOR)
        * replicas,
        task_manager_cpu=memory.taskmanager_cores(conf)
        * conf.get(flink_options.TM_CPU_LIMIT_FACTOR),
        task_manager_memory=task_manager.process * conf.get(flink_options.TM_MEMORY_LIMIT_FACTOR),
    )


def cluster_of(conf: FlinkConf, settings: ConfigSnapshot, key: ObjectKey) -> Cluster:
    """Return the Flink cluster of the resource `key` without reading anything but its address.

    Raises:
        ConfigError: a value cannot be read.
    """
    port = conf.get(flink_options.REST_PORT)
    return Cluster(key.namespace, key.name, port, _speaks_tls(conf), _stores(conf, settings))


def task_managers(conf: FlinkConf) -> int:
    """Return how many TaskManagers a job's parallelism needs (behaviour.md P-1, point 5)."""
    slots = max(conf.get(flink_options.TASK_SLOTS), 1)
    return math.ceil(conf.get(flink_options.PARALLELISM) / slots)


def _stores(conf: FlinkConf, settings: ConfigSnapshot) -> Stores | None:
    return tls.stores_of(_with_own_files(conf, settings.default), settings.environ)


def _with_own_files(conf: FlinkConf, defaults: FlinkConf) -> dict[str, str]:
    """Return the TLS options in which no path or password is the resource's own choice."""
    found = {
        key: value
        for key, value in conf.entries.items()
        if key.startswith(_TLS_PREFIX) and (key.endswith(_SWITCHES) or defaults.text(key) == value)
    }
    return {**found, tls.ENABLED: str(_speaks_tls(conf)).lower()}


def _speaks_tls(conf: FlinkConf) -> bool:
    text = conf.text("security.ssl.rest.enabled") or conf.text("security.ssl.enabled") or "false"
    return text.strip().lower() == "true"
