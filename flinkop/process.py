"""One operator process from start to end: credentials, servers, caches, election, controllers."""

from collections.abc import Callable, Mapping
from typing import Final

import structlog
from attrs import define, field, frozen

import flinkop
from flinkop import operator
from flinkop.artifacts.store import open_store
from flinkop.artifacts.terms import Bounds
from flinkop.clock import Clock, SystemClock
from flinkop.config import checking, metric_options, reporters, source
from flinkop.config.errors import ConfigError
from flinkop.config.operator_config import OperatorConfig
from flinkop.config.snapshot import ConfigSnapshot
from flinkop.flink.counted import counted
from flinkop.health import informers as informer_health, probes
from flinkop.health.scrape_server import ScrapeServer
from flinkop.health.server import HealthServer, Probes
from flinkop.kube import config as kube_config
from flinkop.kube.client import KubeClient
from flinkop.metrics.metrics import Metrics, MetricSettings
from flinkop.metrics.scope import Variables
from flinkop.operator import Operator, Parts
from flinkop.runtime import gcpolicy, leaderelection, looplag
from flinkop.runtime.leaderelection import ElectionTimes, LeaseElector
from flinkop.runtime.leasestore import KubeLeaseStore
from flinkop.runtime.manager import Manager, Runnable
from flinkop.runtime.reflector import Timing
from flinkop.stages.flinkaccess import open_transports
from flinkop.stages.settings import Settings

_log = structlog.get_logger(__name__)

_EVENTS_SECONDS: Final = 2.0
"""How long a stop waits for Events that are not written yet."""
_GROUPS: Final = ("servers", "caches", "election", "events", "controllers")
"""Events outlive the controllers that emit them, and the lease outlives both."""
_SYNC_SECONDS: Final = 120.0
"""How long the first lists may take (operations.md 3.3)."""


@frozen(kw_only=True)
class ProcessOptions:
    """What the command line decides; everything else comes from the configuration files.

    Attributes:
        kubeconfig: path of a kubeconfig; None looks in the usual places.
        context: context of the kubeconfig.
        namespace_selector: label selector for namespaces, instead of the configured list.
        rest_template: address of Flink's REST API with {namespace} and {name}.
        health_host: where the health port listens; None for all interfaces.
        health_port: the health port; None takes the configuration's, 0 any free one.
        lease_name: elects a leader by this Lease; None as configured.
        lease_namespace: namespace of the Lease; None for the operator's own.
        identity: name of this process in the Lease; None for the pod's name.
        environ: environment variables.
    """

    kubeconfig: str | None = None
    context: str | None = None
    namespace_selector: str | None = None
    rest_template: str | None = None
    health_host: str | None = None
    health_port: int | None = None
    lease_name: str | None = None
    lease_namespace: str | None = None
    identity: str | None = None
    environ: Mapping[str, str] = field(factory=dict)

    @property
    def in_cluster(self) -> bool:
        """Whether this process runs in a pod (operations.md 1.2)."""
        return bool(self.environ.get("KUBERNETES_SERVICE_HOST", "").strip())


async def run(
    options: ProcessOptions,
    loaded: source.Loaded,
    snapshot: ConfigSnapshot,
    *,
    clock: Clock | None = None,
    timing: Timing | None = None,
) -> int:
    """Run until told to stop; return the exit code.

    Args:
        options: the command line.
        loaded: the configuration's files, to tell later whether they changed.
        snapshot: what they say.
        clock: tells the time; None for the system's.
        timing: waits of the watches; None for the usual ones.

    Raises:
        kube.errors.ConfigError: there are no usable credentials.
        config.errors.ConfigError: the configuration asks for something impossible.
        ValueError: `options.rest_template` is not usable.
    """
    clock = clock or SystemClock()
    for sentence in loaded.warnings:
        _log.warning(sentence)
    _tell(snapshot)
    credentials = await kube_config.load(
        options.kubeconfig, options.context, environ=options.environ, clock=clock
    )
    own_namespace = credentials.endpoint.namespace
    _log.info(f"Starting flinkop {flinkop.__version__}", server=credentials.endpoint.server)
    metrics = _metrics(options, snapshot, clock, own_namespace)
    async with (
        KubeClient(credentials, instruments=metrics.client) as kube,
        open_transports(
            kube, template=options.rest_template, in_cluster=options.in_cluster
        ) as transports,
        open_store(Bounds.read(snapshot.default)) as jars,
    ):
        settings = Settings(snapshot)
        scope = operator.make_scope(kube, snapshot, options.namespace_selector, own_namespace)
        parts = Parts(
            kube=kube,
            transports=counted(transports, metrics.flink, clock),
            settings=settings,
            metrics=metrics,
            jars=jars,
            scope=scope,
            clock=clock,
            timing=timing,
        )
        elector = _elector(options, snapshot.operator, parts, own_namespace)
        process = _Process(options, loaded, parts, operator.build(parts), elector, own_namespace)
        with gcpolicy.measured(metrics.loop):
            return await process.run()


def loop_factory() -> looplag.MeasuredLoop:
    """Return the event loop to run in: one that knows its longest pause."""
    gcpolicy.set_thresholds()
    return looplag.MeasuredLoop()


@define
class _Process:
    """Everything that runs, put into the manager's groups."""

    options: ProcessOptions
    loaded: source.Loaded
    parts: Parts
    made: Operator
    elector: LeaseElector | None
    own_namespace: str
    _started: bool = False

    async def run(self) -> int:
        config = self.parts.settings.current.operator
        manager = Manager(_GROUPS, termination_timeout=config.termination_timeout.total_seconds())
        regression = probes.Regression(self._informer_states)
        self._add_servers(manager, config, regression)
        self._add_reporters(manager)
        self._add_caches(manager)
        self._add_configuration(manager)
        if self.elector is not None:
            self.parts.kube.set_fence(self.elector.check)
            manager.add(
                "election",
                Runnable("leader election", self.elector.run, ready=self.elector.wait_leading),
            )
        self._add_controllers(manager, regression.start_watching)
        return await manager.run()

    def _informer_states(self) -> list[probes.InformerState]:
        return informer_health.states(self.made.informers)

    def _add_servers(
        self, manager: Manager, config: OperatorConfig, regression: probes.Regression
    ) -> None:
        manager.add(
            "servers",
            Runnable("event loop monitor", looplag.LoopMonitor(self.parts.metrics.loop).run),
        )
        if not config.health_probe_enabled:
            return
        port = self.options.health_port
        server = HealthServer(
            Probes(
                alive=(regression.check(),),
                ready=(
                    probes.synced(self._informer_states),
                    probes.limited(self._informer_states),
                    probes.leading(self._is_leading),
                ),
                started=(probes.started(lambda: self._started),),
            ),
            self.parts.metrics.scrape,
            host=self.options.health_host,
            port=config.health_probe_port if port is None else port,
        )
        manager.add("servers", Runnable("health server", server.run))

    def _add_reporters(self, manager: Manager) -> None:
        for reporter in reporters.prometheus(self.parts.settings.current.default):
            server = ScrapeServer(
                reporter.name,
                self.parts.metrics.scrape,
                reporter.ports,
                host=self.options.health_host,
            )
            manager.add("servers", Runnable(f"metric reporter {reporter.name}", server.run))

    def _add_caches(self, manager: Manager) -> None:
        manager.add("caches", Runnable("namespace scope", self.parts.scope.run, may_end=True))
        for informer in self.made.informers:
            manager.add(
                "caches",
                Runnable(
                    f"informer {informer.rt}",
                    informer.run,
                    ready=informer.wait_synced,
                    ready_within=_SYNC_SECONDS,
                ),
            )

    def _add_configuration(self, manager: Manager) -> None:
        """Follow the files, while standing by, too: a new leader knows what the old one did."""
        config = self.parts.settings.current.operator
        if not config.dynamic_config_enabled:
            return

        def replace(snapshot: ConfigSnapshot) -> None:
            _tell(snapshot)
            self.parts.settings.replace(snapshot)
            operator.follow_namespaces(self.parts.scope, snapshot.operator, self.own_namespace)

        async def follow() -> None:
            interval = config.dynamic_config_interval.total_seconds()
            await source.follow(self.options.environ, self.loaded, interval, replace)

        manager.add("caches", Runnable("configuration", follow))

    def _add_controllers(self, manager: Manager, start_watching: Callable[[], None]) -> None:
        async def settle() -> None:
            """The start is over: what lives now lives long, and informers may not get worse."""
            gcpolicy.freeze()
            start_watching()
            self.made.snapshots.are_available()  # it says so when they are not
            self._started = True

        async def stop_events() -> None:
            await self.made.recorder.stop(_EVENTS_SECONDS)

        manager.add("controllers", Runnable("start", settle, may_end=True))
        manager.add("events", Runnable("event recorder", self.made.recorder.run, stop=stop_events))
        submissions = self.made.submissions
        manager.add("events", Runnable("submissions", submissions.run, stop=submissions.stop))
        for controller in self.made.controllers:
            manager.add(
                "controllers",
                Runnable(f"controller {controller.name}", controller.run, stop=controller.stop),
            )

    def _is_leading(self) -> bool:
        return self.elector is None or self.elector.is_leader


def _tell(snapshot: ConfigSnapshot) -> None:
    """Log what differs from the defaults, and what will not do what its writer expects."""
    differing = checking.differing(snapshot.default, source.shipped().entries)
    if differing:
        _log.info("Options that differ from their defaults", options=differing)
    for finding in checking.check(snapshot.default):
        if finding.level is checking.Level.NOTE:
            _log.info(finding.message)
        else:
            _log.warning(finding.message)


def _metrics(
    options: ProcessOptions, snapshot: ConfigSnapshot, clock: Clock, own_namespace: str
) -> Metrics:
    config, conf = snapshot.operator, snapshot.default
    lease = _lease_name(options, config)
    return Metrics(
        clock,
        Variables.from_environment(options.environ),
        MetricSettings(
            resources=config.resource_metrics_enabled,
            lifecycle=config.resource_metrics_enabled and config.lifecycle_metrics_enabled,
            namespace_histograms=conf.get(metric_options.LIFECYCLE_NAMESPACE_HISTOGRAMS_ENABLED),
            reconciles=config.josdk_metrics_enabled,
            client=config.client_metrics_enabled,
            client_code_groups=conf.get(metric_options.CLIENT_CODE_GROUPS_ENABLED),
            client_slow=conf.get(metric_options.CLIENT_SLOW_THRESHOLD).total_seconds(),
            sample_size=conf.get(metric_options.HISTOGRAM_SAMPLE_SIZE),
            sanitise_values=all(one.filter_values for one in reporters.prometheus(conf)),
            process=config.jvm_metrics_enabled,
        ),
        lease=f"{options.lease_namespace or own_namespace}/{lease}" if lease else "",
    )


def _lease_name(options: ProcessOptions, config: OperatorConfig) -> str | None:
    """Return the Lease to elect by; None when there is no election."""
    if options.lease_name:
        return options.lease_name
    return config.leader_election.lease_name if config.leader_election.enabled else None


def _elector(
    options: ProcessOptions, config: OperatorConfig, parts: Parts, own_namespace: str
) -> LeaseElector | None:
    name = _lease_name(options, config)
    if name is None:
        return None
    election = config.leader_election
    try:
        times = ElectionTimes(
            election.lease_duration.total_seconds(),
            election.renew_deadline.total_seconds(),
            election.retry_period.total_seconds(),
        )
    except ValueError as error:
        raise ConfigError(f"leader election cannot work: {error}") from error
    store = KubeLeaseStore(parts.kube, options.lease_namespace or own_namespace, name)
    return LeaseElector(
        store,
        options.identity or leaderelection.identity_from(options.environ),
        parts.clock,
        times=times,
        changes=store.changes,
        instruments=parts.metrics.election,
    )
