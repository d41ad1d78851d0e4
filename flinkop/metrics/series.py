"""Our own registry of series in the reference's naming, read by Prometheus as one collector.

prometheus_client's Counter and Summary are not used for these: they would add `_total`, `_created` and
`_sum`, which the reference does not have (operations.md 2.2, traps 28 and 29).

Series are made, changed and refreshed on the event loop; `collect` may run in another thread.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from prometheus_client import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from flinkop.metrics.scope import Scope, Variables, sanitise, series_help, series_name
from flinkop.metrics.window import QUANTILES, Histogram

_QUANTILE_LABELS: Final = tuple(f"{quantile:g}" for quantile in QUANTILES)


class Gauge:
    """A number, in whole units of `1/parts`: sums of fractions end at exactly zero again."""

    __slots__ = ("_parts", "units")

    def __init__(self, parts: int = 1) -> None:
        self._parts = parts
        self.units = 0

    def read(self) -> float:
        """Return the number."""
        return self.units / self._parts


class Reading:
    """A number that is looked up, on the event loop, when a scrape begins."""

    __slots__ = ("look_up", "value")

    def __init__(self, look_up: Callable[[], float]) -> None:
        self.look_up = look_up
        self.value = 0.0


Source = Gauge | Histogram | Reading


class _Family:
    """The series of one name."""

    __slots__ = ("kind", "name", "series", "text")

    def __init__(self, name: str, text: str, kind: str) -> None:
        self.name = name
        self.text = text
        self.kind = kind
        self.series: dict[tuple[tuple[str, str], ...], tuple[dict[str, str], Source]] = {}


class SeriesRegistry(Collector):
    """Finds or makes series by scope, path and labels.

    Args:
        variables: Labels that every series carries.
        sanitise_values: Whether odd characters in label values become `_` too, as by default in the
            reference (`filterLabelValueCharacters`).
    """

    def __init__(self, variables: Variables, *, sanitise_values: bool = True) -> None:
        self._clean = sanitise if sanitise_values else str
        own = {"host": variables.host, "namespace": variables.namespace, "name": variables.name}
        self._variables = {label: self._clean(value) for label, value in own.items()}
        self._families: dict[str, _Family] = {}
        self._readings: list[Reading] = []

    def gauge(
        self, scope: Scope, path: str, labels: Mapping[str, str] | None = None, *, parts: int = 1
    ) -> Gauge:
        """Return the gauge at `path`; a new one reads 0. See `Gauge` for `parts`."""
        found = self._find(scope, path, "gauge", labels, lambda: Gauge(parts))
        assert isinstance(found, Gauge)  # noqa: S101 - one path, one kind
        return found

    def histogram(
        self, scope: Scope, path: str, labels: Mapping[str, str] | None = None, *, size: int = 1000
    ) -> Histogram:
        """Return the histogram at `path`."""
        found = self._find(scope, path, "summary", labels, lambda: Histogram(size))
        assert isinstance(found, Histogram)  # noqa: S101 - one path, one kind
        return found

    def reading(
        self,
        scope: Scope,
        path: str,
        look_up: Callable[[], float],
        labels: Mapping[str, str] | None = None,
    ) -> None:
        """Publish what `look_up` returns when a scrape begins."""
        found = self._find(scope, path, "gauge", labels, lambda: Reading(look_up))
        if isinstance(found, Reading) and found not in self._readings:
            self._readings.append(found)

    def refresh(self) -> None:
        """Look up every reading; call it on the event loop before `collect`."""
        for reading in self._readings:
            reading.value = reading.look_up()

    def collect(self) -> Iterable[Metric]:
        """Yield every family with its samples."""
        for family in list(self._families.values()):
            metric = Metric(family.name, family.text, family.kind)
            for labels, source in list(family.series.values()):
                _add_samples(metric, labels, source)
            yield metric

    def _find(
        self,
        scope: Scope,
        path: str,
        kind: str,
        labels: Mapping[str, str] | None,
        make: Callable[[], Source],
    ) -> Source:
        name = series_name(scope, path)
        family = self._families.get(name)
        if family is None:
            family = self._families[name] = _Family(name, series_help(scope, path), kind)
        key = tuple(sorted((labels or {}).items()))
        found = family.series.get(key)
        if found is None:
            cleaned = {sanitise(label): self._clean(value) for label, value in key}
            found = family.series[key] = (self._variables | cleaned, make())
        return found[1]


def _add_samples(metric: Metric, labels: dict[str, str], source: Source) -> None:
    if isinstance(source, Histogram):
        for label, value in zip(_QUANTILE_LABELS, source.quantiles(), strict=True):
            metric.samples.append(Sample(metric.name, labels | {"quantile": label}, value))
        metric.samples.append(Sample(f"{metric.name}_count", labels, source.count))
    else:
        value = source.read() if isinstance(source, Gauge) else source.value
        metric.samples.append(Sample(metric.name, labels, value))
