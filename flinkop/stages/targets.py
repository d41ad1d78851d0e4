"""The job that another resource names: how it is, and how its Flink is reached.

Read from caches alone. A FlinkDeployment has its job itself; a FlinkSessionJob has it on the cluster
of the FlinkDeployment that it names, whose configuration lies below its own.
"""

from collections.abc import Mapping
from typing import Final, Protocol

from attrs import define, frozen

from flinkop.api import codec
from flinkop.api.common import JobSpec, JobState
from flinkop.api.flink_version import FlinkVersion
from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.flinkstatesnapshot import JobKind
from flinkop.api.status import (
    FlinkDeploymentStatus,
    FlinkJobState,
    FlinkSessionJobStatus,
    LifecycleState,
)
from flinkop.api.wire import DecodeError
from flinkop.builders.errors import BuildError
from flinkop.config import errors as config_errors, flatten, flink_options, options
from flinkop.config.flink_conf import FlinkConf
from flinkop.config.snapshot import ConfigSnapshot
from flinkop.flink import features
from flinkop.flink.address import Cluster
from flinkop.kube.meta import ObjectKey
from flinkop.kube.objects import CustomObject
from flinkop.lifecycle import record
from flinkop.runtime.lister import Lister
from flinkop.stages import cluster_options, references, session_clusters

_ON_THE_WAY: Final = (
    None,
    LifecycleState.CREATED,
    LifecycleState.UPGRADING,
    LifecycleState.DEPLOYED,
)
_UNREADABLE: Final = (BuildError, config_errors.ConfigError, DecodeError)


class Cached(Protocol):
    """The part of `runtime.informer.Informer` that is read here."""

    @property
    def lister(self) -> Lister[CustomObject]:
        """Return what is cached."""
        ...

    def has_synced(self, namespace: str | None = None) -> bool:
        """Return whether absence from the cache means absence."""
        ...


@frozen
class Target:
    """A job as its resource tells of it.

    Attributes:
        kind: kind of the resource.
        key: its namespace and name.
        state: `status.jobStatus.state`; None before the first deployment.
        job_id: `status.jobStatus.jobId`.
        deleting: whether the resource is being deleted.
        starting: whether the job is on its way to run for the first time.
        version: of everything that `Targets.access` reads; it changes when the answer may.
    """

    kind: JobKind
    key: ObjectKey
    state: FlinkJobState | None = None
    job_id: str | None = None
    deleting: bool = False
    starting: bool = False
    version: str = ""

    @property
    def runs(self) -> bool:
        """Whether Flink can be asked for something about the job: exactly RUNNING, and known by id."""
        return self.state is FlinkJobState.RUNNING and bool(self.job_id)

    @property
    def may_run(self) -> bool:
        """Whether nobody can tell how the job is just now: its JobManager gave no answer, or is starting."""
        return self.state is FlinkJobState.RECONCILING and bool(self.job_id)

    def __str__(self) -> str:
        return f"{self.kind} {self.key.name}"


@frozen
class Access:
    """How a job's Flink is reached, and what its configuration says of snapshots.

    Attributes:
        cluster: the way to its REST API.
        timeout: seconds for a call.
        flink: its Flink version.
        savepoint_directory: where savepoints go by default; None when that is not configured.
        savepoint_grace: seconds that a savepoint may stay without a trace.
        checkpoint_grace: the same for checkpoints.
    """

    cluster: Cluster
    timeout: float = 10.0
    flink: features.Version = features.NEWEST
    savepoint_directory: str | None = None
    savepoint_grace: float = 60.0
    checkpoint_grace: float = 60.0


@define
class Targets:
    """Finds jobs.

    Attributes:
        deployments: FlinkDeployments.
        session_jobs: FlinkSessionJobs.
    """

    deployments: Cached
    session_jobs: Cached

    def are_known(self, kind: JobKind, namespace: str) -> bool:
        """Return whether a job that `find` does not find is not there.

        False while a cache is not complete, for lack of a CRD or of rights for example.
        """
        caches = [self.deployments]
        if kind is JobKind.FLINK_SESSION_JOB:
            caches.append(self.session_jobs)
        return all(cache.has_synced(namespace) for cache in caches)

    def exists(self, kind: JobKind, key: ObjectKey) -> bool:
        """Return whether there is such a resource, without reading it."""
        cache = self.deployments if kind is JobKind.FLINK_DEPLOYMENT else self.session_jobs
        return cache.lister.get(key) is not None

    def find(self, kind: JobKind, key: ObjectKey) -> Target | None:
        """Return the job of a resource; None when there is no such resource."""
        if kind is JobKind.FLINK_DEPLOYMENT:
            found = self.deployments.lister.get(key)
            return None if found is None else _target(kind, found, found.metadata.resource_version)
        job = self.session_jobs.lister.get(key)
        if job is None:
            return None
        cluster = self._cluster_of(job)
        seen = cluster.metadata.resource_version if cluster is not None else ""
        return _target(kind, job, f"{job.metadata.resource_version}/{seen}")

    def access(self, target: Target, settings: ConfigSnapshot) -> Access | None:
        """Return how to reach the job's Flink; None when its cluster's resource is not there.

        A configuration that cannot be read leaves the defaults: its own resource says what is wrong.
        """
        if target.kind is JobKind.FLINK_DEPLOYMENT:
            deployment = self.deployments.lister.get(target.key)
            return None if deployment is None else _access(deployment, settings)
        job = self.session_jobs.lister.get(target.key)
        cluster = self._cluster_of(job) if job is not None else None
        if job is None or cluster is None:
            return None
        return _access(cluster, settings, of_job=_own_conf(job))

    def _cluster_of(self, job: CustomObject) -> CustomObject | None:
        name = references.deployment_of(job)
        if name is None:
            return None
        return self.deployments.lister.get(ObjectKey(job.metadata.namespace, name))


def _target(kind: JobKind, obj: CustomObject, version: str) -> Target:
    status: FlinkDeploymentStatus | FlinkSessionJobStatus
    if kind is JobKind.FLINK_DEPLOYMENT:
        status, spec = codec.decode_flinkdeployment_status(obj.status), _spec(obj)
        wanted = spec.job if spec is not None else None
    else:
        status, wanted = codec.decode_flinksessionjob_status(obj.status), _job_of(obj)
    job, metadata = status.job_status, obj.metadata
    return Target(
        kind,
        metadata.key,
        state=job.state,
        job_id=job.job_id,
        deleting=metadata.deletion_timestamp is not None,
        starting=wanted is not None and wanted.state is JobState.RUNNING and _is_new(status),
        version=f"{metadata.uid}/{version}",
    )


def _is_new(status: FlinkDeploymentStatus | FlinkSessionJobStatus) -> bool:
    """Whether no job has run yet, and nothing says that none will."""
    never_stable = status.reconciliation_status.last_stable_spec is None
    return never_stable and status.lifecycle_state in _ON_THE_WAY


def _access(
    obj: CustomObject, settings: ConfigSnapshot, of_job: Mapping[str, str] | None = None
) -> Access:
    """Read the access from a FlinkDeployment, with the configuration of a session job over it."""
    key = obj.metadata.key
    wanted, deployed = _spec(obj), _deployed_spec(obj)
    deployed = deployed or wanted
    version = deployed.flink_version if deployed is not None else None
    for current in (wanted, deployed):
        if deployed is None or current is None:
            continue
        try:
            conf = session_clusters.observe_conf(obj, deployed, current, settings)
            return _read(conf, of_job or {}, key, version, settings)
        except _UNREADABLE:
            continue
    return Access(Cluster(key.namespace, key.name), flink=_version(version))


def _read(
    conf: FlinkConf,
    of_job: Mapping[str, str],
    key: ObjectKey,
    version: FlinkVersion | None,
    settings: ConfigSnapshot,
) -> Access:
    operator = settings.operator_config(key.namespace, version)
    own = _over(conf, of_job)
    return Access(
        cluster=cluster_options.cluster_of(conf, settings, key),
        timeout=operator.flink_client_timeout.total_seconds(),
        flink=_version(version),
        savepoint_directory=(own.get(flink_options.SAVEPOINT_DIR) or "").strip() or None,
        savepoint_grace=own.get(options.SAVEPOINT_GRACE_PERIOD).total_seconds(),
        checkpoint_grace=own.get(options.CHECKPOINT_GRACE_PERIOD).total_seconds(),
    )


def _over(conf: FlinkConf, of_job: Mapping[str, str]) -> FlinkConf:
    """Lay a job's configuration over its cluster's; the job's savepoint directory wins by any of its names."""
    directory = flink_options.SAVEPOINT_DIR
    if FlinkConf.owning(dict(of_job)).key_of(directory) is not None:
        conf = conf.without((directory.key, *directory.older_keys))
    return conf.with_(of_job)


def _spec(obj: CustomObject) -> FlinkDeploymentSpec | None:
    try:
        return codec.decode_flinkdeployment_spec(obj.spec)
    except DecodeError:
        return None


def _deployed_spec(obj: CustomObject) -> FlinkDeploymentSpec | None:
    try:
        recorded = record.last_reconciled(codec.decode_flinkdeployment_status(obj.status))
    except DecodeError:
        return None
    return recorded.spec if recorded is not None else None


def _job_of(job: CustomObject) -> JobSpec | None:
    try:
        return codec.decode_flinksessionjob_spec(job.spec).job
    except DecodeError:
        return None


def _own_conf(job: CustomObject) -> dict[str, str]:
    try:
        return flatten.flatten(codec.decode_flinksessionjob_spec(job.spec).flink_configuration)
    except (DecodeError, config_errors.ConfigError):
        return {}


def _version(version: FlinkVersion | None) -> features.Version:
    return features.NEWEST if version is None else features.Version(*version.number)
