"""The few options of a running cluster that every reconcile asks for, worked out once per change.

A whole Flink configuration takes kilobytes and a fraction of a millisecond to put together; with
ten thousand resources neither can be kept or repeated each minute. These few values can.
"""

import datetime as dt
import math
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from attrs import define, field, frozen

from flinkop.api.status import CheckpointType, SavepointFormatType
from flinkop.builders import effective_conf, memory
from flinkop.config import deletion_options, flink_options, options
from flinkop.config.flink_conf import FlinkConf
from flinkop.config.operator_config import OperatorConfig
from flinkop.config.options import DeletionPropagation
from flinkop.config.snapshot import ConfigSnapshot
from flinkop.flink import features, tls
from flinkop.flink.address import Cluster
from flinkop.flink.rest import FlinkClient
from flinkop.flink.tls import Stores
from flinkop.kube.meta import ObjectKey
from flinkop.lifecycle import cluster_health, ha_zookeeper, snapshot_history
from flinkop.lifecycle.cluster_health import HealthRules
from flinkop.lifecycle.ha_zookeeper import ZooKeeper
from flinkop.lifecycle.snapshot_history import Limits

T = TypeVar("T")

_TLS_PREFIX: Final = "security.ssl."
_ADAPTIVE: Final = "adaptive"
_REACTIVE: Final = "reactive"
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
        zookeeper: where in ZooKeeper it keeps them; None for ConfigMaps.
        reactive: whether its job takes whatever slots there are (`scheduler-mode: reactive`).
        flink_timeout: seconds for a call to Flink.
        cancel_timeout: seconds for Flink to take the wish to cancel a job.
        recovery: whether a lost JobManager is deployed again.
        block_on_session_jobs: whether session jobs keep their cluster from being deleted.
        block_on_unmanaged_jobs: whether any running job does.
        savepoint_on_deletion: whether deletion takes a savepoint first.
        deletion_deadline: how long a deletion may be blocked; None for any time.
        pods_may_stay: whether a deleted resource goes without waiting for its cluster's pods.
        drain_on_savepoint: whether a job that is stopped with a savepoint drains its sources first.
        savepoint_directory: where savepoints go; None when nothing says so.
        savepoint_format: binary format of savepoints.
        checkpoint_timeout: seconds that a checkpoint, a savepoint or a stop with one may take.
        last_state_fallback: whether an upgrade by savepoint may use HA metadata instead.
        last_state_cancel: whether a last-state upgrade cancels the job also where HA metadata exists.
        max_checkpoint_age: age beyond which a last-state upgrade takes a savepoint instead; None for any.
        checkpoint_type: kind of checkpoints that are triggered.
        snapshot_resources: whether snapshots are recorded as FlinkStateSnapshots where that is possible.
        dispose_on_delete: whether a savepoint goes with its FlinkStateSnapshot.
        periodic_savepoints: when savepoints are due: a duration, a Quartz cron expression, or blank.
        periodic_checkpoints: likewise for checkpoints.
        cleanup: whether files of old savepoints are disposed of.
        savepoint_limits: how many savepoints are kept, and how long.
        checkpoint_limits: likewise for triggered checkpoints.
        savepoint_grace: seconds in which a savepoint that failed is asked for again.
        checkpoint_grace: likewise for checkpoints.
        ignore_pending_savepoint: whether an upgrade starts while a savepoint is being taken.
        rollback: whether an upgrade that does not become stable is rolled back.
        readiness_timeout: how long it may take.
        restart_failed: whether a job that has failed is started again.
        shutdown_ttl: how long the JobManager of a job that ended stays.
        inplace_scaling: whether a running job is scaled without a restart where Flink can do that.
        overrides: parallelism of single vertices, as texts by vertex id.
        health: when the job is taken for unhealthy; None where nobody wants to know.
        manage_ingress: whether Ingresses are managed.
        job_manager_cpu: cores of all JobManagers, limit factor included.
        job_manager_memory: bytes of all JobManagers, limit factor included.
        task_manager_cpu: cores of one TaskManager, limit factor included.
        task_manager_memory: bytes of one TaskManager, limit factor included.
        flink_version: Flink of the cluster, which decides what its REST API takes.
    """

    rest_port: int = 8081
    rest_tls: bool = False
    rest_stores: Stores | None = None
    high_availability: bool = False
    zookeeper: ZooKeeper | None = None
    reactive: bool = False
    flink_timeout: float = 10.0
    cancel_timeout: float = 60.0
    recovery: bool = True
    block_on_session_jobs: bool = True
    block_on_unmanaged_jobs: bool = True
    savepoint_on_deletion: bool = False
    deletion_deadline: dt.timedelta | None = None
    pods_may_stay: bool = False
    drain_on_savepoint: bool = False
    savepoint_directory: str | None = None
    savepoint_format: SavepointFormatType = SavepointFormatType.CANONICAL
    checkpoint_timeout: float = 600.0
    last_state_fallback: bool = True
    last_state_cancel: bool = False
    max_checkpoint_age: dt.timedelta | None = None
    checkpoint_type: CheckpointType = CheckpointType.FULL
    snapshot_resources: bool = False
    dispose_on_delete: bool = False
    periodic_savepoints: str = ""
    periodic_checkpoints: str = ""
    cleanup: bool = True
    savepoint_limits: Limits = field(factory=lambda: Limits(10, dt.timedelta(hours=24)))
    checkpoint_limits: Limits = field(factory=lambda: Limits(1, None))
    savepoint_grace: float = 60.0
    checkpoint_grace: float = 60.0
    ignore_pending_savepoint: bool = False
    rollback: bool = False
    readiness_timeout: dt.timedelta = dt.timedelta(minutes=5)
    restart_failed: bool = False
    shutdown_ttl: dt.timedelta = dt.timedelta(days=1)
    inplace_scaling: bool = False
    overrides: Mapping[str, str] = field(factory=dict)
    health: HealthRules | None = None
    manage_ingress: bool = True
    job_manager_cpu: float = 1.0
    job_manager_memory: float = 0.0
    task_manager_cpu: float = 1.0
    task_manager_memory: float = 0.0
    flink_version: features.Version = features.NEWEST

    def client(self, make: Callable[[Cluster], FlinkClient], key: ObjectKey) -> FlinkClient:
        """Return the client of the resource `key`, which says to Flink what its version understands."""
        return make(self.cluster(key)).speaking(self.flink_version)

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
        zookeeper=ha_zookeeper.from_conf(
            conf, conf.get(flink_options.NAMESPACE), conf.get(flink_options.CLUSTER_ID) or ""
        ),
        reactive=(conf.get(flink_options.SCHEDULER_MODE) or "").lower() == _REACTIVE,
        flink_timeout=operator.flink_client_timeout.total_seconds(),
        cancel_timeout=min(operator.flink_cancel_timeout.total_seconds(), _LONGEST_CANCEL),
        recovery=conf.get(options.JM_RECOVERY_ENABLED),
        block_on_session_jobs=conf.get(options.SESSION_BLOCK_ON_SESSION_JOBS),
        block_on_unmanaged_jobs=conf.get(options.SESSION_BLOCK_ON_UNMANAGED_JOBS),
        savepoint_on_deletion=conf.get(options.SAVEPOINT_ON_DELETION),
        deletion_deadline=conf.get(deletion_options.DEADLINE),
        pods_may_stay=operator.deletion_propagation is not DeletionPropagation.FOREGROUND,
        drain_on_savepoint=conf.get(options.DRAIN_ON_SAVEPOINT_DELETION),
        savepoint_directory=(conf.get(flink_options.SAVEPOINT_DIR) or "").strip() or None,
        savepoint_format=SavepointFormatType(conf.get(options.SAVEPOINT_FORMAT).value),
        checkpoint_timeout=conf.get(flink_options.CHECKPOINT_TIMEOUT).total_seconds(),
        last_state_fallback=conf.get(options.LAST_STATE_FALLBACK_ENABLED),
        last_state_cancel=conf.get(options.LAST_STATE_CANCEL_ENABLED),
        max_checkpoint_age=conf.get(options.LAST_STATE_MAX_CHECKPOINT_AGE),
        checkpoint_type=CheckpointType(conf.get(options.CHECKPOINT_TYPE).value),
        snapshot_resources=conf.get(options.SNAPSHOT_RESOURCE_ENABLED),
        dispose_on_delete=conf.get(options.SAVEPOINT_DISPOSE_ON_DELETE),
        periodic_savepoints=conf.get(options.PERIODIC_SAVEPOINT_INTERVAL),
        periodic_checkpoints=conf.get(options.PERIODIC_CHECKPOINT_INTERVAL),
        cleanup=conf.get(options.SAVEPOINT_CLEANUP_ENABLED),
        savepoint_limits=snapshot_history.savepoint_limits(
            conf,
            operator.savepoint_max_count_threshold,
            operator.savepoint_max_age_threshold,
        ),
        checkpoint_limits=snapshot_history.checkpoint_limits(conf),
        savepoint_grace=conf.get(options.SAVEPOINT_GRACE_PERIOD).total_seconds(),
        checkpoint_grace=conf.get(options.CHECKPOINT_GRACE_PERIOD).total_seconds(),
        ignore_pending_savepoint=conf.get(options.IGNORE_PENDING_SAVEPOINT),
        rollback=conf.get(options.ROLLBACK_ENABLED),
        readiness_timeout=conf.get(options.READINESS_TIMEOUT),
        restart_failed=conf.get(options.RESTART_FAILED_JOBS),
        shutdown_ttl=conf.get(options.JM_SHUTDOWN_TTL),
        inplace_scaling=conf.get(options.INPLACE_SCALING_ENABLED) and _is_adaptive(conf),
        overrides=conf.get(flink_options.PARALLELISM_OVERRIDES),
        health=cluster_health.rules(conf) if conf.get(options.HEALTH_CHECK_ENABLED) else None,
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
        flink_version=features.parse(conf.get(flink_options.FLINK_VERSION) or "")
        or features.NEWEST,
    )


def cluster_of(conf: FlinkConf, settings: ConfigSnapshot, key: ObjectKey) -> Cluster:
    """Return the Flink cluster of the resource `key` without reading anything but its address.

    Raises:
        ConfigError: a value cannot be read.
    """
    port = conf.get(flink_options.REST_PORT)
    return Cluster(key.namespace, key.name, port, _speaks_tls(conf), _stores(conf, settings))


def task_managers(conf: FlinkConf) -> int:
    """Return how many TaskManagers a deployed configuration leads to.

    In a standalone cluster as many as their Deployment gets; in a native one as many as the job's
    parallelism needs (behaviour.md P-1, point 5).
    """
    if conf.get(flink_options.EXECUTION_TARGET) == effective_conf.STANDALONE_TARGET:
        return conf.get(flink_options.TM_REPLICAS)
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


def _is_adaptive(conf: FlinkConf) -> bool:
    return (conf.get(flink_options.SCHEDULER) or "").strip().lower() == _ADAPTIVE


def _speaks_tls(conf: FlinkConf) -> bool:
    text = conf.text("security.ssl.rest.enabled") or conf.text("security.ssl.enabled") or "false"
    return text.strip().lower() == "true"
