"""The composition root: builds each part once, in the order of the rooms, and says how they run.

Nothing here decides anything about a resource; to find out what happens to a FlinkDeployment, read
`controllers/flinkdeployment/controller.py`.
"""

import functools
from collections.abc import Collection, Mapping
from typing import Final, TypeVar

import structlog
from attrs import define, field, frozen

from flinkop.clock import Clock, SystemClock, process_zone
from flinkop.config.operator_config import OperatorConfig, WatchScope
from flinkop.config.snapshot import ConfigSnapshot
from flinkop.controllers.flinkdeployment import signals, watches
from flinkop.controllers.flinkdeployment.acting.making import Maker
from flinkop.controllers.flinkdeployment.acting.removing import Remover
from flinkop.controllers.flinkdeployment.controller import FlinkDeploymentReconciler
from flinkop.controllers.flinkdeployment.observer import Observer
from flinkop.controllers.flinkdeployment.reconciler import Reconciler
from flinkop.controllers.flinkdeployment.status_writer import StatusWriter
from flinkop.controllers.flinksessionjob import watches as session_watches
from flinkop.controllers.flinksessionjob.controller import FlinkSessionJobReconciler
from flinkop.controllers.flinksessionjob.observer import Observer as SessionJobObserver
from flinkop.controllers.flinksessionjob.reconciler import Jars, Reconciler as SessionJobCarrier
from flinkop.controllers.flinksessionjob.status_writer import StatusWriter as SessionJobWriter
from flinkop.controllers.flinksessionjob.submissions import Submissions
from flinkop.controllers.flinkstatesnapshot import (
    controller as snapshot_controller,
    signals as snapshot_signals,
    watches as snapshot_watches,
)
from flinkop.controllers.jobs.asking import Asker
from flinkop.controllers.jobs.recording import SnapshotRecorder
from flinkop.events.recorder import Recorder
from flinkop.flink.address import Cluster
from flinkop.flink.rest import FlinkClient
from flinkop.flink.transport import TransportFactory
from flinkop.kube import meta
from flinkop.kube.client import KubeClient
from flinkop.kube.objects import CustomObject, DeploymentView, HasMeta, IngressView, PodView
from flinkop.metrics.metrics import Metrics
from flinkop.runtime.controller import Controller
from flinkop.runtime.informer import Informer
from flinkop.runtime.ratelimiter import RetryLimiter, RetrySchedule, TokenBucket, Window
from flinkop.runtime.reflector import Timing
from flinkop.runtime.result import Request
from flinkop.runtime.scope import ALL, ListedScope, Scope, SelectedScope
from flinkop.runtime.workqueue import WorkQueue
from flinkop.stages import ha_metadata, references
from flinkop.stages.exception_history import ExceptionHistory
from flinkop.stages.job_lists import JobLists
from flinkop.stages.remains import Remains
from flinkop.stages.session_clusters import SessionClusters
from flinkop.stages.settings import Settings
from flinkop.stages.snapshots import Snapshots
from flinkop.stages.targets import Targets

_log = structlog.get_logger(__name__)

T = TypeVar("T", bound=HasMeta)

_DEPLOYMENTS: Final = "component in (jobmanager,taskmanager)"
_JOB_MANAGER_PODS: Final = (
    "component=jobmanager,type in (flink-native-kubernetes,flink-standalone-kubernetes)"
)
_INGRESSES: Final = "component=ingress"
_RECONCILE_SECONDS: Final = 120.0  # no step waits for anything long, so this is a safety net


@frozen(kw_only=True)
class Parts:
    """What the operator is built from; made by whoever runs it.

    Attributes:
        kube: client with the write fence.
        transports: makes the way to a Flink cluster.
        settings: configuration in force.
        metrics: all metrics of the process.
        jars: fetches jars of session jobs.
        scope: namespaces to look at.
        clock: tells the time.
        timing: waits of the watches; None for the usual ones.
    """

    kube: KubeClient
    transports: TransportFactory
    settings: Settings
    metrics: Metrics
    jars: Jars
    scope: Scope = ALL
    clock: Clock = field(factory=SystemClock)
    timing: Timing | None = None


@define
class Operator:
    """All informers and controllers, wired.

    Attributes:
        informers: what is watched; run them before the controllers.
        controllers: what acts; run them while leading.
        recorder: writes Events; runs while leading.
        submissions: submits session jobs; runs while leading.
        snapshots: whether there can be snapshots as resources, and which there are.
    """

    informers: tuple[
        Informer[CustomObject]
        | Informer[DeploymentView]
        | Informer[PodView]
        | Informer[IngressView],
        ...,
    ]
    controllers: tuple[Controller, ...]
    recorder: Recorder
    submissions: Submissions
    snapshots: Snapshots


def make_scope(kube: KubeClient, snapshot: ConfigSnapshot, selector: str | None, own: str) -> Scope:
    """Return the namespaces to look at: by selector, or as `watched.namespaces` says.

    Args:
        kube: client for a selector's watch on namespaces.
        snapshot: configuration.
        selector: label selector for namespaces; None takes the configuration.
        own: the operator's own namespace.
    """
    if selector is not None:
        return SelectedScope(kube, selector)
    return ListedScope(_names(snapshot.operator.watch, own))


def follow_namespaces(scope: Scope, config: OperatorConfig, own: str) -> None:
    """Let `scope` be what `watched.namespaces` says now, where that may change (`operations.md` 1.6).

    A scope by selector never does; neither does one while `dynamic.namespaces.enabled` is off.
    """
    if not config.dynamic_namespaces_enabled or not isinstance(scope, ListedScope):
        return
    before, after = scope.namespaces(), _names(config.watch, own)
    if before == (None if after is None else frozenset(after)):
        return
    _log.info(f"Changing the watched namespaces from {_words(before)} to {_words(after)}")
    scope.change(after)


def _names(watch: WatchScope, own: str) -> tuple[str, ...] | None:
    if watch.all_namespaces:
        return None
    return (own,) if watch.current_namespace else watch.namespaces


def _words(names: Collection[str] | None) -> str:
    return "all" if names is None else ", ".join(sorted(names))


def build(parts: Parts) -> Operator:
    """Build informers and controllers for all kinds."""
    caches = _caches(parts)
    recorder = Recorder(parts.kube, parts.clock)
    snapshots = Snapshots(caches.snapshots)
    session_jobs, submissions = _session_job_controller(parts, caches, snapshots, recorder)
    controllers = [_deployment_controller(parts, caches, snapshots, recorder), session_jobs]
    if caches.snapshots is not None:
        controllers.append(_snapshot_controller(parts, caches, caches.snapshots, recorder))
    optional = (one for one in (caches.ingresses, caches.snapshots) if one is not None)
    return Operator(
        informers=(
            caches.resources,
            caches.session_jobs,
            caches.deployments,
            caches.pods,
            *optional,
        ),
        controllers=tuple(controllers),
        recorder=recorder,
        submissions=submissions,
        snapshots=snapshots,
    )


@frozen
class _Caches:
    """All that is watched; what is switched off is None."""

    resources: Informer[CustomObject]
    session_jobs: Informer[CustomObject]
    deployments: Informer[DeploymentView]
    pods: Informer[PodView]
    ingresses: Informer[IngressView] | None
    snapshots: Informer[CustomObject] | None


def _caches(parts: Parts) -> _Caches:
    config = parts.settings.current.operator
    informer = functools.partial(_informer, parts)
    ingresses = None
    if config.ingress_manage:
        ingresses = informer(meta.INGRESSES, IngressView, label_selector=_INGRESSES)
    return _Caches(
        resources=informer(
            meta.FLINKDEPLOYMENTS, CustomObject, label_selector=config.label_selector
        ),
        session_jobs=informer(
            meta.FLINKSESSIONJOBS,
            CustomObject,
            label_selector=config.label_selector,
            indexers={references.BY_CLUSTER: references.cluster_of_session_job},
        ),
        deployments=informer(meta.DEPLOYMENTS, DeploymentView, label_selector=_DEPLOYMENTS),
        pods=informer(
            meta.PODS,
            PodView,
            label_selector=_JOB_MANAGER_PODS,
            indexers={signals.BY_CLUSTER: watches.cluster_of_pod},
        ),
        ingresses=ingresses,
        snapshots=_snapshot_informer(parts),
    )


def _deployment_controller(
    parts: Parts, caches: _Caches, snapshots: Snapshots, recorder: Recorder
) -> Controller:
    """Build the controller of FlinkDeployments, woken by them and by what is made for them."""
    queue = _queue(parts, "flinkdeployment")
    handlers = watches.Watches(queue.add, caches.deployments.lister, caches.pods.lister)
    caches.resources.add_handler(handlers.on_resource)
    caches.deployments.add_handler(handlers.on_deployment)
    caches.pods.add_handler(handlers.on_pod)
    caches.session_jobs.add_handler(handlers.on_session_job)
    if caches.snapshots is not None:
        caches.snapshots.add_handler(handlers.on_snapshot)
    flink = functools.partial(_flink_client, parts.transports)
    writer = StatusWriter(parts.kube, parts.metrics.resources)
    metadata = ha_metadata.make(parts.kube)
    reconciler = FlinkDeploymentReconciler(
        resources=caches.resources,
        observer=Observer(
            deployments=caches.deployments.lister,
            pods=caches.pods.lister,
            ingresses=caches.ingresses.lister if caches.ingresses else None,
            session_jobs=caches.session_jobs.lister,
            flink=flink,
            kube=parts.kube,
            metadata=metadata,
            exceptions=ExceptionHistory(parts.kube),
            snapshots=snapshots,
            deployment_found=caches.deployments.note_write,
            remains=Remains(parts.kube),
        ),
        reconciler=Reconciler(
            maker=Maker(parts.kube, caches.deployments.note_write),
            remover=Remover(parts.kube, metadata),
            asker=Asker(flink),
            snapshots=SnapshotRecorder(parts.kube, snapshots),
            write_status=writer.write_ahead,
        ),
        writer=writer,
        kube=parts.kube,
        recorder=recorder,
        settings=parts.settings,
        clock=parts.clock,
        zone=process_zone(parts.settings.current.environ),
    )
    return Controller(
        "flinkdeployment",
        queue,
        reconciler.reconcile,
        workers=parts.settings.current.operator.reconcile_parallelism,
        deadline=_RECONCILE_SECONDS,
        kind=meta.FLINKDEPLOYMENTS.kind,
        on_error=reconciler.on_error,
        instruments=parts.metrics.controllers,
    )


def _session_job_controller(
    parts: Parts, caches: _Caches, snapshots: Snapshots, recorder: Recorder
) -> tuple[Controller, Submissions]:
    """Build the controller of FlinkSessionJobs, woken by them, by their clusters and by what it submits."""
    queue = _queue(parts, "flinksessionjob")
    handlers = session_watches.Watches(queue.add, caches.session_jobs.lister)
    caches.session_jobs.add_handler(handlers.on_resource)
    caches.resources.add_handler(handlers.on_cluster)
    if caches.snapshots is not None:
        caches.snapshots.add_handler(handlers.on_snapshot)
    flink = functools.partial(_flink_client, parts.transports)
    writer = SessionJobWriter(parts.kube, parts.metrics.resources)
    submissions = Submissions(lambda key: queue.add(Request(key.namespace, key.name), "user"))
    clusters = SessionClusters(caches.resources)
    reconciler = FlinkSessionJobReconciler(
        resources=caches.session_jobs,
        clusters=clusters,
        observer=SessionJobObserver(
            clusters=clusters,
            flink=flink,
            lists=JobLists(),
            submissions=submissions,
            exceptions=ExceptionHistory(parts.kube),
            snapshots=snapshots,
        ),
        reconciler=SessionJobCarrier(
            kube=parts.kube,
            asker=Asker(flink),
            snapshots=SnapshotRecorder(parts.kube, snapshots),
            submissions=submissions,
            jars=parts.jars,
            write_status=writer.write_ahead,
        ),
        writer=writer,
        kube=parts.kube,
        recorder=recorder,
        settings=parts.settings,
        clock=parts.clock,
        zone=process_zone(parts.settings.current.environ),
    )
    controller = Controller(
        "flinksessionjob",
        queue,
        reconciler.reconcile,
        workers=parts.settings.current.operator.reconcile_parallelism,
        deadline=_RECONCILE_SECONDS,
        kind=meta.FLINKSESSIONJOBS.kind,
        on_error=reconciler.on_error,
        instruments=parts.metrics.controllers,
    )
    return controller, submissions


def _snapshot_informer(parts: Parts) -> Informer[CustomObject] | None:
    """Return the cache of FlinkStateSnapshots; None when the operator's option switches them off.

    It is there also while their CRD is not installed: it waits for that, and nothing waits for it.
    """
    config = parts.settings.current.operator
    if not config.snapshot_resource_enabled:
        return None
    return _informer(
        parts,
        meta.FLINKSTATESNAPSHOTS,
        CustomObject,
        label_selector=config.label_selector,
        indexers={
            references.BY_JOB: references.job_of_snapshot,
            snapshot_signals.WAITING: snapshot_signals.waiting_for_job,
        },
    )


def _snapshot_controller(
    parts: Parts, caches: _Caches, snapshots: Informer[CustomObject], recorder: Recorder
) -> Controller:
    """Build the controller of FlinkStateSnapshots, woken by them and by the jobs they name."""
    deployments, session_jobs = caches.resources, caches.session_jobs
    queue = _queue(parts, "flinkstatesnapshot")
    handlers = snapshot_watches.Watches(queue.add, snapshots.lister, session_jobs.lister)
    snapshots.add_handler(handlers.on_snapshot)
    deployments.add_handler(handlers.on_deployment)
    session_jobs.add_handler(handlers.on_session_job)
    reconciler = snapshot_controller.assemble(
        snapshots,
        targets=Targets(deployments, session_jobs),
        flink=functools.partial(_flink_client, parts.transports),
        kube=parts.kube,
        counts=parts.metrics.resources,
        recorder=recorder,
        settings=parts.settings,
        clock=parts.clock,
    )
    return Controller(
        "flinkstatesnapshot",
        queue,
        reconciler.reconcile,
        workers=parts.settings.current.operator.reconcile_parallelism,
        deadline=_RECONCILE_SECONDS,
        kind=meta.FLINKSTATESNAPSHOTS.kind,
        on_error=reconciler.on_error,
        instruments=parts.metrics.controllers,
    )


def _informer(
    parts: Parts,
    rt: meta.ResourceType,
    into: type[T],
    *,
    label_selector: str | None = None,
    indexers: Mapping[str, object] | None = None,
) -> Informer[T]:
    return Informer(
        parts.kube,
        rt,
        into,
        scope=parts.scope,
        label_selector=label_selector,
        indexers=indexers,  # type: ignore[arg-type]
        instruments=parts.metrics.informers,
        timing=parts.timing,
    )


def _queue(parts: Parts, name: str) -> WorkQueue:
    config = parts.settings.current.operator
    retry = config.retry
    cap = retry.max_interval.total_seconds() if retry.max_interval else None
    limiter = RetryLimiter(
        RetrySchedule(
            retry.initial_interval.total_seconds(), retry.multiplier, cap, retry.max_attempts
        ),
        TokenBucket(),
        Window(config.rate_limiter_limit, config.rate_limiter_period.total_seconds()),
    )
    queue = WorkQueue(name, limiter, instruments=parts.metrics.queues.queue(name))
    parts.metrics.queues.watch(name, queue.statistics)
    return queue


def _flink_client(transports: TransportFactory, cluster: Cluster) -> FlinkClient:
    return FlinkClient(transports(cluster))
