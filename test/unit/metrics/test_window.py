"""Histograms and meters count as the reference's do (operations.md 2.9)."""

import math

import pytest

from flinkop.metrics.window import QUANTILES, Histogram, Meter, percentile


@pytest.mark.parametrize(
    ("p", "expected"), [(0, 1), (1, 1), (20, 1.2), (50, 3), (75, 4.5), (95, 5), (100, 5)]
)
def test_percentile(p, expected):
    """Between ranks the value is interpolated; below the first and above the last it is theirs."""
    assert percentile([1, 2, 3, 4, 5], p) == pytest.approx(expected)


def test_empty_histogram():
    """Without values every quantile is NaN."""
    assert all(map(math.isnan, Histogram().quantiles()))


def test_ring():
    """Only the last values count for quantiles; the count goes on."""
    histogram = Histogram(size=2)
    for value in (100, 1, 1):
        histogram.update(value)
        histogram.quantiles()
    assert histogram.quantiles() == (1,) * len(QUANTILES)
    assert histogram.count == 3


def test_meter():
    """The rate is the growth over the last minute, sampled every five seconds."""
    meter = Meter(now=100.0)
    meter.mark(100.1, 120)
    assert meter.rate(104.9) == 0
    assert meter.rate(105.0) == 2
    assert meter.rate(164.0) == 2
    assert meter.rate(166.0) == 0
    assert meter.count == 120


def test_meter_after_a_long_silence():
    """Samples that nobody took are made up for at once."""
    meter = Meter(now=0.0)
    meter.mark(1.0, 60)
    assert meter.rate(100_000.0) == 0
    meter.mark(100_001.0, 60)
    assert meter.rate(100_006.0) == 1
