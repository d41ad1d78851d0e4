"""One operator process from start to end: credentials, servers, caches, election, controllers."""

import asyncio
from collections.abc import Mapping

import structlog
from attrs import field, frozen

from flinkop import operator
from flinkop.clock import SystemClock
from flinkop.config import source
from flinkop.config.snapshot import ConfigSnapshot
from flinkop.health import probes
from flinkop.health.server import HealthServer, Probes
from flinkop.kube import config as kube_config
from flinkop.kube.client import KubeClient
from flinkop.metrics.metrics import Metrics
from flinkop.metrics.scope import Variables
from flinkop.stages.flinkaccess import open_transports
from flinkop.stages.settings import Settings

_log = structlog.get_logger(__name__)


@frozen(kw_only=True)
class ProcessOptions:
    """What the command line decides; everything else comes from the configuration files.

    Attributes:
        kubeconfig: path of a kubeconfig; None looks in the usual places.
        context: context of the kubeconfig.
        namespaces: namespaces to look at, instead of those of the configuration.
        namespace_selector: label selector for namespaces, instead of a list.
        rest_template: address of Flink's REST API with {namespace} and {name}.
        health_host: where the health port listens; None for all interfaces.
        health_port: the health port; None takes the configuration's, 0 any free one.
        environ: environment variables.
    """

    kubeconfig: str | None = None
    context: str | None = None
    namespaces: tuple[str, ...] = ()
    namespace_selector: str | None = None
    rest_template: str | None = None
    health_host: str | None = None
    health_port: int | None = None
    lease_name: str | None = None
    lease_namespace: str | None = None
    environ: Mapping[str, str] = field(factory=dict)


async def run(options: ProcessOptions, loaded: source.Loaded, snapshot: ConfigSnapshot) -> int:
    """Run until told to stop; return the exit code."""
    clock = SystemClock()
    environ = options.environ
    credentials = await kube_config.load(
        options.kubeconfig, options.context, environ=environ, clock=clock
    )
    metrics = Metrics(clock, Variables())
    settings = Settings(snapshot)
    async with (
        KubeClient(credentials, instruments=metrics.client) as kube,
        open_transports(
            kube,
            template=options.rest_template,
            in_cluster=bool(environ.get("KUBERNETES_SERVICE_HOST", "").strip()),
        ) as transports,
    ):
        scope = operator.make_scope(kube, snapshot, options.namespace_selector, "default")
        made = operator.build(
            operator.Parts(
                kube=kube,
                transports=transports,
                settings=settings,
                metrics=metrics,
                scope=scope,
                clock=clock,
            )
        )
        health = HealthServer(
            Probes(ready=(probes.synced(made.informer_states),)),
            metrics.scrape,
            host=options.health_host,
            port=options.health_port if options.health_port is not None else 8085,
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(health.run())
            group.create_task(scope.run())
            for informer in made.informers:
                group.create_task(informer.run())
            for informer in made.informers:
                await informer.wait_synced()
            _log.info("caches are in step")
            group.create_task(made.recorder.run())
            for controller in made.controllers:
                group.create_task(controller.run())
    return 0
