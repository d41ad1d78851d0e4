"""Makes prometheus_client's objects from the table in `names`, and the text that Prometheus scrapes."""

import asyncio
from collections.abc import Callable

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from flinkop.metrics.names import Definition, Type
from flinkop.metrics.series import SeriesRegistry


class Registry:
    """All series of the process: our own, and those in the reference's naming.

    Args:
        series: The series in the reference's naming.
    """

    def __init__(self, series: SeriesRegistry) -> None:
        # Otherwise every counter brings a second series with the time of its creation.
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
        self.series = series
        self._refreshers: list[Callable[[], None]] = [series.refresh]
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(series)
        prometheus_client.ProcessCollector(namespace="flinkop", registry=self._registry)

    def counter(self, definition: Definition) -> Counter:
        """Return a new counter."""
        _check(definition, Type.COUNTER)
        return Counter(
            definition.name, definition.meaning, definition.labels, registry=self._registry
        )

    def gauge(self, definition: Definition) -> Gauge:
        """Return a new gauge."""
        _check(definition, Type.GAUGE)
        return Gauge(
            definition.name, definition.meaning, definition.labels, registry=self._registry
        )

    def histogram(self, definition: Definition) -> Histogram:
        """Return a new histogram."""
        _check(definition, Type.HISTOGRAM)
        return Histogram(
            definition.name,
            definition.meaning,
            definition.labels,
            buckets=definition.buckets,
            registry=self._registry,
        )

    def before_scrape(self, refresh: Callable[[], None]) -> None:
        """Have `refresh` called on the event loop when a scrape begins: for numbers that are looked up."""
        self._refreshers.append(refresh)

    def text(self) -> bytes:
        """Return all series in Prometheus' text format 0.0.4."""
        for refresh in self._refreshers:
            refresh()
        return prometheus_client.generate_latest(self._registry)

    async def scrape(self) -> bytes:
        """Return the same as `text`, written in a thread: with many namespaces it takes a while."""
        for refresh in self._refreshers:
            refresh()
        return await asyncio.to_thread(prometheus_client.generate_latest, self._registry)


def _check(definition: Definition, wanted: Type) -> None:
    if definition.type is not wanted:
        msg = f"{definition.name} is a {definition.type.value} in the table, not a {wanted.value}."
        raise ValueError(msg)
