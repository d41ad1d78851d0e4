"""The composition root: builds each part once, in the order of the rooms, and says how they run.

Nothing here decides anything about a resource; to find out what happens to a FlinkDeployment, read
`controllers/flinkdeployment/controller.py`.
"""

import functools
from collections.abc import Mapping
from typing import Final, TypeVar

import structlog
from attrs import define, field, frozen

from flinkop.clock import Clock, SystemClock
from flinkop.config.snapshot import ConfigSnapshot
from flinkop.controllers.flinkdeployment import signals, watches
from flinkop.controllers.flinkdeployment.controller import FlinkDeploymentReconciler
from flinkop.controllers.flinkdeployment.observer import Observer
from flinkop.controllers.flinkdeployment.reconciler import Reconciler
from flinkop.controllers.flinkdeployment.status_writer import StatusWriter
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
from flinkop.runtime.scope import ALL, FixedScope, Scope, SelectedScope
from flinkop.runtime.workqueue import WorkQueue
from flinkop.stages.settings import Settings

_log = structlog.get_logger(__name__)

T = TypeVar("T", bound=HasMeta)

_JOB_MANAGERS: Final = "component=jobmanager"
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
        scope: namespaces to look at.
        clock: tells the time.
        timing: waits of the watches; None for the usual ones.
    """

    kube: KubeClient
    transports: TransportFactory
    settings: Settings
    metrics: Metrics
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
    watch = snapshot.operator.watch
    if watch.all_namespaces:
        return ALL
    return FixedScope([own] if watch.current_namespace else watch.namespaces)


def build(parts: Parts) -> Operator:
    """Build informers and controllers for all kinds."""
    config = parts.settings.current.operator
    informer = functools.partial(_informer, parts)
    resources = informer(meta.FLINKDEPLOYMENTS, CustomObject, label_selector=config.label_selector)
    session_jobs = informer(
        meta.FLINKSESSIONJOBS,
        CustomObject,
        label_selector=config.label_selector,
        indexers={signals.BY_CLUSTER: watches.cluster_of_session_job},
    )
    deployments = informer(meta.DEPLOYMENTS, DeploymentView, label_selector=_JOB_MANAGERS)
    pods = informer(
        meta.PODS,
        PodView,
        label_selector=_JOB_MANAGER_PODS,
        indexers={signals.BY_CLUSTER: watches.cluster_of_pod},
    )
    ingresses = (
        informer(meta.INGRESSES, IngressView, label_selector=_INGRESSES)
        if config.ingress_manage
        else None
    )
    recorder = Recorder(parts.kube, parts.clock)
    queue = _queue(parts, "flinkdeployment")
    handlers = watches.Watches(queue.add, deployments.lister)
    resources.add_handler(handlers.on_resource)
    deployments.add_handler(handlers.on_job_manager)
    pods.add_handler(handlers.on_pod)
    session_jobs.add_handler(handlers.on_session_job)
    flink = functools.partial(_flink_client, parts.transports)
    writer = StatusWriter(parts.kube, parts.metrics.resources)
    reconciler = FlinkDeploymentReconciler(
        resources=resources,
        observer=Observer(
            deployments=deployments.lister,
            pods=pods.lister,
            ingresses=ingresses.lister if ingresses else None,
            session_jobs=session_jobs.lister,
            flink=flink,
            kube=parts.kube,
        ),
        reconciler=Reconciler(
            kube=parts.kube,
            flink=flink,
            deployment_written=deployments.note_write,
            write_status=writer.write_ahead,
        ),
        writer=writer,
        kube=parts.kube,
        recorder=recorder,
        settings=parts.settings,
        clock=parts.clock,
    )
    controller = Controller(
        "flinkdeployment",
        queue,
        reconciler.reconcile,
        workers=config.reconcile_parallelism,
        deadline=_RECONCILE_SECONDS,
        kind=meta.FLINKDEPLOYMENTS.kind,
        on_error=reconciler.on_error,
        instruments=parts.metrics.controllers,
    )
    optional = (ingresses,) if ingresses else ()
    return Operator(
        informers=(resources, session_jobs, deployments, pods, *optional),
        controllers=(controller,),
        recorder=recorder,
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
