"""All metrics of a process, built once and handed out by the operator's composition root."""

import platform

from attrs import frozen

import flinkop
from flinkop.clock import Clock
from flinkop.metrics import instruments, names
from flinkop.metrics.apiclient import KubeClientSeries
from flinkop.metrics.lifecycle import LifecycleTimes
from flinkop.metrics.process import ProcessSeries
from flinkop.metrics.reconciles import ReconcileTimes
from flinkop.metrics.registry import Registry
from flinkop.metrics.resources import ResourceMetrics
from flinkop.metrics.scope import Variables
from flinkop.metrics.series import SeriesRegistry


@frozen(kw_only=True)
class MetricSettings:
    """Which series there are (operations.md 1.9).

    Attributes:
        resources: Counts of resources.
        lifecycle: Lifecycle states and times; needs `resources`.
        namespace_histograms: Lifecycle times per namespace too.
        reconciles: The reference's times of reconciles.
        client: The reference's KubeClient series.
        client_code_groups: Among them, groups of codes.
        client_slow: Latency in seconds from which a request counts as slow.
        process: The reference's process series.
        sample_size: Window of the reference's histograms.
        sanitise_values: Whether label values in the reference's naming are rewritten.
    """

    resources: bool = True
    lifecycle: bool = True
    namespace_histograms: bool = True
    reconciles: bool = True
    client: bool = True
    client_code_groups: bool = False
    client_slow: float = 5.0
    process: bool = True
    sample_size: int = 1000
    sanitise_values: bool = True


class Metrics:
    """One of these per process; each attribute goes to the part that reports through it.

    Args:
        clock: Tells the time.
        variables: Labels of the series in the reference's naming.
        settings: Which series there are.
        lease: The leader election's Lease as namespace/name, empty without election.

    Attributes:
        client: For `kube.client`.
        flink: For the way to Flink clusters.
        informers: For informers.
        queues: `queue(name)` makes the instruments of a workqueue, `watch(name, statistics)` reads its depth.
        controllers: For controllers.
        election: For the leader election.
        loop: For the watch over the event loop and the garbage collector.
        resources: Told about resources by their controllers; None when switched off.
    """

    def __init__(
        self,
        clock: Clock,
        variables: Variables | None = None,
        settings: MetricSettings | None = None,
        lease: str = "",
    ) -> None:
        chosen = settings or MetricSettings()
        series = SeriesRegistry(variables or Variables(), sanitise_values=chosen.sanitise_values)
        self._registry = Registry(series)
        self.client = instruments.ClientMetrics(self._registry, _client(series, clock, chosen))
        self.flink = instruments.FlinkMetrics(self._registry)
        self.informers = instruments.InformerMetrics(self._registry)
        self.queues = instruments.QueueMetrics(self._registry)
        times = (
            ReconcileTimes(series, sample_size=chosen.sample_size) if chosen.reconciles else None
        )
        self.controllers = instruments.ControllerMetrics(self._registry, times)
        self.election = instruments.ElectionMetrics(self._registry, lease)
        self.loop = instruments.LoopMetrics(self._registry)
        self.resources = _resources(series, clock, chosen)
        if chosen.process:
            ProcessSeries(series, clock)
        info = self._registry.gauge(names.BUILD_INFO)
        info.labels(flinkop.__version__, platform.python_version()).set(1)

    def text(self) -> bytes:
        """Return all series in Prometheus' text format."""
        return self._registry.text()

    async def scrape(self) -> bytes:
        """Return all series in Prometheus' text format, written outside the event loop's thread."""
        return await self._registry.scrape()


def _client(
    series: SeriesRegistry, clock: Clock, settings: MetricSettings
) -> KubeClientSeries | None:
    if not settings.client:
        return None
    return KubeClientSeries(
        series,
        clock,
        slow=settings.client_slow,
        code_groups=settings.client_code_groups,
        sample_size=settings.sample_size,
    )


def _resources(
    series: SeriesRegistry, clock: Clock, settings: MetricSettings
) -> ResourceMetrics | None:
    if not settings.resources:
        return None
    if not settings.lifecycle:
        return ResourceMetrics(series)
    times = LifecycleTimes(
        series,
        clock,
        sample_size=settings.sample_size,
        namespace_histograms=settings.namespace_histograms,
    )
    return ResourceMetrics(series, times)
