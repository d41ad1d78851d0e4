"""The reference's series alone."""

import pytest
from fakes.clock import FakeClock
from fakes.scrape import Scrape
from prometheus_client import CollectorRegistry, generate_latest

from flinkop.metrics.scope import Variables
from flinkop.metrics.series import SeriesRegistry

VARIABLES = Variables(host="pod-1", namespace="flink-system", name="flinkop")


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def series():
    return SeriesRegistry(VARIABLES)


@pytest.fixture
def scrape(series):
    """Scrape the reference's series alone."""

    def scrape():
        registry = CollectorRegistry(auto_describe=False)
        registry.register(series)
        series.refresh()
        return Scrape(generate_latest(registry))

    return scrape
