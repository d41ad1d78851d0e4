"""Metric reporters that a configuration of the reference names (`operations.md` 2.10).

Prometheus's is there: a port that is scraped. Of the others nothing is left but a word to whoever set
them. Pure; who listens is `health.scrape_server`.
"""

import re
from collections.abc import Iterator
from typing import Final

import attrs

from flinkop.config import errors, values
from flinkop.config.flink_conf import FlinkConf
from flinkop.config.options import PREFIX

PROMETHEUS: Final = "org.apache.flink.metrics.prometheus.PrometheusReporterFactory"

_METRICS: Final = PREFIX + "metrics."
_REPORTER: Final = _METRICS + "reporter."
_FACTORY: Final = ".factory.class"
_DEFAULT_PORT: Final = "9249"
_PORTS: Final = re.compile(r"\s*(\d{1,5})\s*(?:-\s*(\d{1,5})\s*)?", re.ASCII)
_LARGEST: Final = 65535


@attrs.frozen
class PrometheusReporter:
    """One port to be scraped.

    Attributes:
        name: What the configuration calls it.
        ports: The first of these that is free is taken.
        filter_values: Whether odd characters in label values become `_`.
    """

    name: str
    ports: tuple[int, ...]
    filter_values: bool


def prometheus(conf: FlinkConf) -> tuple[PrometheusReporter, ...]:
    """Return the reporters for Prometheus, by name.

    Raises:
        ConfigError: a port or a switch of one cannot be read.
    """
    return tuple(
        _read(conf, name) for name, factory in sorted(_named(conf)) if factory == PROMETHEUS
    )


def ignored(conf: FlinkConf) -> Iterator[tuple[str, str]]:
    """Yield key and factory of each reporter that is not there."""
    for name, factory in sorted(_named(conf)):
        if factory != PROMETHEUS:
            yield f"{_REPORTER}{name}{_FACTORY}", factory


def _named(conf: FlinkConf) -> Iterator[tuple[str, str]]:
    """Yield name and factory of all that `metrics.reporters` lists, or of all without such a list."""
    listed = conf.text(_METRICS + "reporters")
    chosen = None if listed is None else {name.strip() for name in re.split("[,;]", listed)}
    for rest, factory in conf.prefix(_REPORTER).items():
        name = rest.removesuffix(_FACTORY)
        if rest.endswith(_FACTORY) and "." not in name and (chosen is None or name in chosen):
            yield name, factory.strip()


def _read(conf: FlinkConf, name: str) -> PrometheusReporter:
    port = f"{_REPORTER}{name}.port"
    switch = f"{_REPORTER}{name}.filterLabelValueCharacters"
    text = conf.text(switch, "true") or "true"
    try:
        filtered = values.parse_boolean(text)
    except ValueError as error:
        raise errors.ConfigValueError(switch, text, str(error)) from None
    return PrometheusReporter(name, _ports(port, conf.text(port) or _DEFAULT_PORT), filtered)


def _ports(key: str, text: str) -> tuple[int, ...]:
    found: list[int] = []
    for part in text.split(","):
        match = _PORTS.fullmatch(part)
        first = int(match[1]) if match else 0
        last = int(match[2] or match[1]) if match else 0
        if not 0 < first <= last <= _LARGEST:
            raise errors.ConfigValueError(
                key, text, "not a port; write one such as 9249, or a range such as 9250-9260"
            )
        found += range(first, last + 1)
    return tuple(found)
