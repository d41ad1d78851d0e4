"""When the jobs of a cluster are looked at again: all together."""

import datetime as dt

import pytest

from flinkop.controllers.flinksessionjob.controller import beat

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize("second", [0.0, 7.3, 20.0, 59.9])
def test_the_jobs_of_a_cluster_meet(second):
    """Whenever the last look was, so that one list of jobs serves all."""
    seconds = dt.timedelta(seconds=second)
    one = NOW.timestamp() + beat("flink", "c", NOW, 60.0)
    other = (NOW + seconds).timestamp() + beat("flink", "c", NOW + seconds, 60.0)
    assert (other - one) % 60.0 == pytest.approx(0.0, abs=1e-3) or (
        one - other
    ) % 60.0 == pytest.approx(0.0, abs=1e-3)


def test_clusters_are_spread():
    """So that not all are asked in the same second."""
    assert len({round(beat("flink", f"c{number}", NOW, 60.0)) for number in range(50)}) > 20


@pytest.mark.parametrize("second", range(60))
def test_it_is_never_at_once_and_never_much_later(second):
    """Somebody who was just looked at is not looked at again in the same second."""
    found = beat("flink", "c", NOW + dt.timedelta(seconds=second), 60.0)
    assert 1.0 < found <= 61.0


def test_without_an_interval_there_is_nothing_to_align():
    """Rescheduling at once is somebody's wish."""
    assert beat("flink", "c", NOW, 0.0) == 0.0
