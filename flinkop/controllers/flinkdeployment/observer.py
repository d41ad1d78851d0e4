"""Stage 1: look at the caches and at Flink, and write down what is there (behaviour.md section 2)."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import structlog
from attrs import define, evolve, field, frozen

from flinkop import clock
from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.flinkstatesnapshot import JobKind
from flinkop.api.status import FlinkDeploymentStatus, JobManagerDeploymentStatus as JobManager
from flinkop.builders.identity import GENERATION_ANNOTATION, taskmanager_deployment
from flinkop.controllers.flinkdeployment import ownership, signals
from flinkop.controllers.flinkdeployment.observation import (
    JobManagerFacts,
    Observation,
    PodFailure,
    TaskManagerFacts,
)
from flinkop.controllers.jobs import looking
from flinkop.controllers.jobs.facts import Rest, RestFacts
from flinkop.events import reasons
from flinkop.flink import errors as flink_errors, interpret
from flinkop.flink.address import Cluster
from flinkop.flink.rest import FlinkClient
from flinkop.flink.states import JobState, JobState as FlinkState
from flinkop.kube import errors as kube_errors, meta
from flinkop.kube.client import KubeClient
from flinkop.kube.objects import CustomObject, DeploymentView, IngressView, PodView
from flinkop.lifecycle import record
from flinkop.lifecycle.cluster_health import Observed
from flinkop.lifecycle.exception_looks import Known
from flinkop.lifecycle.inplace_scaling import Bounds, Requirements
from flinkop.lifecycle.snapshot_facts import SnapshotFacts
from flinkop.lifecycle.upgrade import Question
from flinkop.runtime.lister import Lister
from flinkop.runtime.result import RetryError
from flinkop.stages import remains
from flinkop.stages.cluster_options import ClusterOptions
from flinkop.stages.context import ReconcileContext
from flinkop.stages.exception_history import ExceptionHistory
from flinkop.stages.ha_metadata import HaMetadata
from flinkop.stages.remains import Remains
from flinkop.stages.snapshots import Snapshots

_log = structlog.get_logger(__name__)

Context = ReconcileContext[FlinkDeploymentSpec, FlinkDeploymentStatus]

_BEHIND_SECONDS: Final = 0.1
_PROBE_SECONDS: Final = (
    3.0  # a JobManager that just started and hangs is asked again, not waited for
)
_STARTING: Final = (JobState.INITIALIZING, JobState.CREATED)
_HEALTH_METRICS: Final = ("numRestarts", "fullRestarts", "numberOfCompletedCheckpoints")
_INFO_SECONDS: Final = 300.0  # how old cluster info may get in a steady cluster
_MOUNT_SECONDS: Final = (
    20.0  # a volume's ConfigMap is made right after the Deployment that mounts it
)


@frozen
class _InfoRead:
    """When cluster info was last read, and which jobs ran then."""

    at: dt.datetime
    running: frozenset[str]


@define
class Observer:
    """Gathers an `Observation`; reads caches, asks Flink, writes nothing.

    Attributes:
        deployments: Deployments of JobManagers and of standalone clusters' TaskManagers.
        pods: JobManager pods, indexed by `signals.BY_CLUSTER`.
        ingresses: Ingresses of clusters; None when Ingresses are not managed.
        session_jobs: FlinkSessionJobs, indexed by `signals.BY_CLUSTER`.
        flink: makes the client for a cluster.
        kube: reads the Events of a pod that cannot mount its volumes.
        metadata: looks for HA metadata.
        exceptions: reads the exceptions of jobs.
        snapshots: the FlinkStateSnapshots of all jobs.
        deployment_found: is told of a Deployment that the cache does not have yet.
        remains: looks for what is left of a deleted cluster.
    """

    deployments: Lister[DeploymentView]
    pods: Lister[PodView]
    ingresses: Lister[IngressView] | None
    session_jobs: Lister[CustomObject]
    flink: Callable[[Cluster], FlinkClient]
    kube: KubeClient
    metadata: HaMetadata
    exceptions: ExceptionHistory
    snapshots: Snapshots
    deployment_found: Callable[[DeploymentView], None]
    remains: Remains
    _info: dict[meta.ObjectKey, _InfoRead] = field(factory=dict)

    async def observe(
        self, ctx: Context, options: ClusterOptions, known: Known | None = None
    ) -> Observation:
        """Return the facts about `ctx`; errors of Flink are facts, too.

        Args:
            ctx: the resource.
            options: its cluster's.
            known: which exceptions of its job were told.
        """
        job_manager = self._job_manager(ctx)
        pod_failure = None
        rest = RestFacts()
        if job_manager is not None and job_manager.ours and not job_manager.deleting:
            if job_manager.available:
                rest = await self._ask_flink(ctx, options, known)
            else:
                pod_failure = await self._pod_failure(ctx, job_manager)
        return Observation(
            job_manager=job_manager,
            task_managers=self._task_managers(ctx),
            pods=bool(self._pods(ctx)),
            pod_failure=pod_failure,
            rest=rest,
            session_jobs=self._session_jobs(ctx) if ctx.deleting else (),
            has_ingress=self._has_ingress(ctx),
            snapshots=self._of_job(ctx),
        )

    async def look_up(
        self, ctx: Context, options: ClusterOptions, known: Observation, question: Question
    ) -> Observation:
        """Return `known` with the answer to `question` in it.

        Raises:
            RetryError: the cache was behind, and all has to be looked at anew.
            kube.errors.ApiError: the API server could not be asked.
            ZooKeeperError: ZooKeeper could not be asked.
        """
        match question:
            case Question.JOB_MANAGER:
                await self._confirm_absence(ctx)
                return evolve(known, confirmed=True)
            case Question.HA_METADATA:
                metadata = await self.metadata.look(ctx.key, options.zookeeper, _own_job(ctx))
                return evolve(known, ha=metadata)
            case Question.CHECKPOINTS:
                job_id = ctx.status.job_status.job_id or ""
                found = await looking.checkpoints(self._client(ctx, options), job_id)
                return evolve(known, rest=evolve(known.rest, checkpoints=found))
            case Question.REQUIREMENTS:
                job_id = ctx.status.job_status.job_id or ""
                bounds = await _requirements(self._client(ctx, options), job_id)
                return evolve(known, rest=evolve(known.rest, requirements=bounds))
            case Question.REMAINS:
                return evolve(known, remains=await self._remains(ctx, known))

    async def _remains(self, ctx: Context, known: Observation) -> bool:
        """Look for what runs, and before another start also for what the next pods would start with."""
        if known.task_managers is not None:  # they are there, and go when the JobManager has
            return await self.remains.runs(ctx.key, remains.JOB_MANAGER)
        if await self.remains.runs(ctx.key, remains.JOB_MANAGER, remains.TASK_MANAGER):
            return True
        return not ctx.deleting and await self.remains.is_configured(ctx.key)

    async def _confirm_absence(self, ctx: Context) -> None:
        """Ask the API server itself: a standby that takes over may know a status before its Deployment (T-42)."""
        try:
            found = await self.kube.get(meta.DEPLOYMENTS, ctx.key, into=DeploymentView)
        except kube_errors.NotFound:
            return
        if not _is_ours(found.metadata, ctx):
            return  # found in the way when ours is made
        self.deployment_found(found)
        raise RetryError(f"Deployment {ctx.key} is there, the cache was behind", _BEHIND_SECONDS)

    def forget(self, key: meta.ObjectKey) -> None:
        """Drop what is remembered about a resource that is gone."""
        self._info.pop(key, None)

    def _job_manager(self, ctx: Context) -> JobManagerFacts | None:
        found = self.deployments.get(ctx.key)
        if found is None:
            return None
        metadata = found.metadata
        created = metadata.creation_timestamp or ctx.now
        return JobManagerFacts(
            uid=metadata.uid,
            ours=_is_ours(metadata, ctx),
            generation=signals.number(metadata.annotations.get(GENERATION_ANNOTATION)),
            deleting=metadata.deletion_timestamp is not None,
            available=found.status.available_replicas > 0,
            age=(ctx.now - created).total_seconds(),
            replica_failure=signals.replica_failure(found),
            available_for=_seconds_since(signals.available_since(found), ctx.now),
            never_available=signals.was_never_available(found, self._pods(ctx)),
        )

    def _task_managers(self, ctx: Context) -> TaskManagerFacts | None:
        name = taskmanager_deployment(ctx.key.name)
        found = self.deployments.get(meta.ObjectKey(ctx.key.namespace, name))
        if found is None:
            return None
        return TaskManagerFacts(
            uid=found.metadata.uid,
            ours=_is_ours(found.metadata, ctx),
            deleting=found.metadata.deletion_timestamp is not None,
            replicas=found.spec.replicas,
        )

    def _has_ingress(self, ctx: Context) -> bool:
        return self.ingresses is not None and self.ingresses.get(ctx.key) is not None

    def _of_job(self, ctx: Context) -> tuple[SnapshotFacts, ...] | None:
        if ctx.spec.job is None or not self.snapshots.are_available(ctx.key.namespace):
            return None
        return self.snapshots.of_job(JobKind.FLINK_DEPLOYMENT, ctx.key)

    def _session_jobs(self, ctx: Context) -> tuple[str, ...]:
        found = self.session_jobs.by_index(signals.BY_CLUSTER, str(ctx.key))
        return tuple(sorted(job.metadata.name for job in found))

    # --- pods

    def _pods(self, ctx: Context) -> Sequence[PodView]:
        return self.pods.by_index(signals.BY_CLUSTER, str(ctx.key))

    async def _pod_failure(self, ctx: Context, facts: JobManagerFacts) -> PodFailure | None:
        for pod in self._pods(ctx):
            if pod.metadata.deletion_timestamp is not None:
                continue
            failure = signals.pod_failure(pod)
            if failure is None and facts.age > _MOUNT_SECONDS and signals.is_unstarted(pod):
                failure = await self._mount_failure(pod)
            if failure is not None:
                return failure
        return None

    async def _mount_failure(self, pod: PodView) -> PodFailure | None:
        """O-23: only Events tell of volumes that cannot be mounted."""
        selector = f"involvedObject.uid={pod.metadata.uid},reason={reasons.FAILED_MOUNT}"
        try:
            page = await self.kube.list_page(
                meta.EVENTS, pod.metadata.namespace, field_selector=selector, limit=1
            )
        except kube_errors.ApiError as error:
            _log.info("events of the JobManager's pod cannot be read", error=str(error))
            return None
        if not page.items:
            return None
        return PodFailure(reasons.FAILED_MOUNT, str(page.items[0].get("message", "")))

    # --- Flink

    async def _ask_flink(
        self, ctx: Context, options: ClusterOptions, known: Known | None
    ) -> RestFacts:
        client = self._client(ctx, options)
        try:
            jobs = await client.jobs_overview()
        except flink_errors.FlinkError as error:
            absent = flink_errors.is_absent(error)
            return RestFacts(Rest.ABSENT if absent else Rest.FAILED, detail=str(error))
        facts = RestFacts(Rest.ANSWERED, jobs=jobs)
        facts = await looking.look(client, ctx.status, facts)
        if options.health is not None:
            facts = evolve(facts, health=await self._health(ctx, client, facts))
        if not ctx.deleting:
            found = await looking.exceptions(self.exceptions, client, ctx, facts, known)
            facts = evolve(facts, exceptions=found)
        if self._info_is_due(ctx, facts):
            info = await self._cluster_info(ctx, client, options, facts)
            facts = evolve(facts, cluster_info=info)
        return facts

    def _client(self, ctx: Context, options: ClusterOptions) -> FlinkClient:
        """A cluster known to be ready gets time and retries; one that is starting is probed."""
        client = options.client(self.flink, ctx.key)
        if ctx.status.job_manager_deployment_status is JobManager.READY:
            return client.within(options.flink_timeout)
        return client.once(min(_PROBE_SECONDS, options.flink_timeout))

    async def _health(self, ctx: Context, client: FlinkClient, facts: RestFacts) -> Observed | None:
        """2.9: counts of restarts and checkpoints; what cannot be read leaves the job as healthy as it was."""
        job = facts.job(ctx.status.job_status.job_id)
        if job is None or job.state.is_terminal:
            return None
        try:
            metrics = await client.job_metrics(job.jid, _HEALTH_METRICS)
            return _observed(metrics, clock.epoch_ms(ctx.now))
        except (flink_errors.FlinkError, ValueError) as error:
            _log.info("the job's health cannot be read", error=str(error))
            return None

    def _info_is_due(self, ctx: Context, facts: RestFacts) -> bool:
        """Whether cluster info is unknown, old, or from before a job started or ended.

        TaskManagers come with the job: what is read as soon as the JobManager answers counts none, so
        nothing is asked while an application's job starts.
        """
        own = facts.job(ctx.status.job_status.job_id)
        if ctx.spec.job is not None and (own is None or interpret.running_state(own) in _STARTING):
            return False
        read = self._info.get(ctx.key)
        if read is None or ctx.status.job_manager_deployment_status is not JobManager.READY:
            return True
        old = (ctx.now - read.at).total_seconds() >= _INFO_SECONDS
        return old or read.running != _running(facts)

    async def _cluster_info(
        self, ctx: Context, client: FlinkClient, options: ClusterOptions, facts: RestFacts
    ) -> dict[str, str] | None:
        """2.10: version, cpu, memory, size of state; errors only leave it for next time."""
        job_id = ctx.status.job_status.job_id
        running = _running(facts)
        try:
            config = await client.config()
            task_managers = len(await client.taskmanagers())
            size = None
            if job_id is not None and job_id in running:
                size = interpret.state_size(await client.checkpoint_stats(job_id))
        except flink_errors.FlinkError as error:
            _log.debug("cluster info cannot be read", error=str(error))
            return None
        self._info[ctx.key] = _InfoRead(ctx.now, running)
        info = {
            "flink-version": config.flink_version,
            "flink-revision": config.flink_revision,
            "total-cpu": options.total_cpu(task_managers),
            "total-memory": options.total_memory(task_managers),
        }
        return info if size is None else {**info, "state-size": str(size)}


async def _requirements(client: FlinkClient, job_id: str) -> Requirements:
    """Ask for the bounds of the job's vertices; nothing when they cannot be read (R-113)."""
    try:
        found = await client.resource_requirements(job_id)
    except flink_errors.FlinkError as error:
        _log.info("the job's resource requirements cannot be read", error=str(error))
        return {}
    return {
        vertex: Bounds(one.parallelism.lower, one.parallelism.upper)
        for vertex, one in found.items()
    }


def _observed(metrics: Mapping[str, str], now_ms: int) -> Observed:
    """Read the counts (2.9).

    Raises:
        ValueError: one of them is missing or no number.
    """
    restarts = metrics.get("numRestarts", metrics.get("fullRestarts", ""))
    completed = metrics.get("numberOfCompletedCheckpoints", "")
    return Observed(now_ms, int(float(restarts)), int(float(completed)))


def _running(facts: RestFacts) -> frozenset[str]:
    """Return the ids of the jobs all of whose tasks run (O-32)."""
    return frozenset(
        job.jid for job in facts.jobs if interpret.running_state(job) is FlinkState.RUNNING
    )


def _is_ours(metadata: meta.Meta, ctx: Context) -> bool:
    deployed = record.last_reconciled(ctx.status) is not None
    return ownership.is_ours(metadata, name=ctx.key.name, uid=ctx.about.uid, deployed=deployed)


def _seconds_since(stamp: str | None, now: dt.datetime) -> float:
    """Return the seconds from an RFC 3339 time to `now`, 0 when there is no such time."""
    return (now - dt.datetime.fromisoformat(stamp)).total_seconds() if stamp else 0.0


def _own_job(ctx: Context) -> str | None:
    """Return the id of an application's job; a session cluster has any number of jobs."""
    return ctx.status.job_status.job_id
