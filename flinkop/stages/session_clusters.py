"""Session clusters as their jobs see them: read from the cache of FlinkDeployments alone.

A cluster's configuration takes long to put together and is the same for all its jobs, so it is kept until
the FlinkDeployment, or the operator's own configuration, changes.
"""

from typing import Final

from attrs import define, field, frozen

from flinkop.api import codec
from flinkop.api.common import KubernetesDeploymentMode
from flinkop.api.flink_version import FlinkVersion
from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.status import (
    FlinkDeploymentStatus,
    JobManagerDeploymentStatus as JobManager,
    ReconciliationState,
)
from flinkop.api.wire import DecodeError
from flinkop.builders import effective_conf
from flinkop.builders.identity import ClusterIdentity
from flinkop.config.flink_conf import FlinkConf
from flinkop.config.snapshot import ConfigSnapshot
from flinkop.kube.meta import ObjectKey
from flinkop.kube.objects import CustomObject
from flinkop.lifecycle import record
from flinkop.stages.cluster_options import PerResource
from flinkop.stages.snapshots import Cached

_MOVING: Final = (ReconciliationState.UPGRADING, ReconciliationState.ROLLING_BACK)


@frozen
class SessionCluster:
    """A FlinkDeployment that session jobs name.

    Attributes:
        key: its namespace and name.
        mark: another one when anything of it has changed.
        has_job: whether it is an application, and no session cluster at all.
        up: whether its JobManager can be asked; not while it is being replaced.
        deleting: whether its deletion has begun.
        version: its Flink; None when nothing says so.
        standalone: whether the operator makes its TaskManagers.
        state: what its JobManager is doing, for people.
    """

    key: ObjectKey
    mark: str
    has_job: bool = False
    up: bool = False
    deleting: bool = False
    version: FlinkVersion | None = None
    standalone: bool = False
    state: JobManager = JobManager.MISSING

    @property
    def takes_jobs(self) -> bool:
        """Whether jobs may be started on it."""
        return self.up and not self.deleting


@frozen
class _Read:
    cluster: SessionCluster
    deployed: FlinkDeploymentSpec
    current: FlinkDeploymentSpec


@define
class SessionClusters:
    """Finds session clusters; `deployments` is the cache of FlinkDeployments."""

    deployments: Cached
    _read: PerResource = field(factory=PerResource)
    _confs: PerResource = field(factory=PerResource)

    def are_known(self, namespace: str) -> bool:
        """Return whether a cluster that `find` does not find is not there."""
        return self.deployments.has_synced(namespace)

    def find(self, key: ObjectKey) -> SessionCluster | None:
        """Return the cluster of that name; None when there is none, or none that can be read."""
        read = self._get(key)
        return read.cluster if read is not None else None

    def conf(self, cluster: SessionCluster, settings: ConfigSnapshot) -> FlinkConf:
        """Return the configuration by which the running cluster is reached and judged.

        Raises:
            BuildError: it cannot be put together.
            ConfigError: likewise.
        """
        made_from = (cluster.mark, settings)
        return self._confs.get(cluster.key, made_from, lambda: self._conf(cluster, settings))

    def _conf(self, cluster: SessionCluster, settings: ConfigSnapshot) -> FlinkConf:
        read = self._get(cluster.key)
        obj = self.deployments.lister.get(cluster.key)
        if read is None or obj is None:
            return settings.effective(cluster.key.namespace, cluster.version)
        return observe_conf(obj, read.deployed, read.current, settings)

    def _get(self, key: ObjectKey) -> _Read | None:
        obj = self.deployments.lister.get(key)
        if obj is None:
            self._read.forget(key)
            self._confs.forget(key)
            return None
        return self._read.get(key, _mark(obj), lambda: _judge(obj))


def observe_conf(
    obj: CustomObject,
    deployed: FlinkDeploymentSpec,
    current: FlinkDeploymentSpec,
    settings: ConfigSnapshot,
) -> FlinkConf:
    """Return the configuration of the cluster of a FlinkDeployment; see `effective_conf.observe_conf`."""
    metadata = obj.metadata
    identity = ClusterIdentity(metadata.namespace, metadata.name, metadata.uid, metadata.generation)
    base = settings.effective(metadata.namespace, deployed.flink_version)
    return effective_conf.observe_conf(base, identity, deployed, current)


def _mark(obj: CustomObject) -> str:
    return f"{obj.metadata.uid}/{obj.metadata.resource_version}"


def _judge(obj: CustomObject) -> _Read | None:
    try:
        status = codec.decode_flinkdeployment_status(obj.status)
        recorded = record.last_reconciled(status)
        current = codec.decode_flinkdeployment_spec(obj.spec)
    except DecodeError:
        return None
    deployed = recorded.spec if recorded is not None else current
    up = recorded is not None and _is_up(status)
    return _Read(
        SessionCluster(
            key=obj.metadata.key,
            mark=_mark(obj),
            has_job=deployed.job is not None,
            up=up,
            deleting=obj.metadata.deletion_timestamp is not None,
            version=deployed.flink_version,
            standalone=deployed.effective_mode is KubernetesDeploymentMode.STANDALONE,
            state=status.job_manager_deployment_status,
        ),
        deployed,
        current,
    )


def _is_up(status: FlinkDeploymentStatus) -> bool:
    ready = status.job_manager_deployment_status is JobManager.READY
    return ready and status.reconciliation_status.state not in _MOVING
