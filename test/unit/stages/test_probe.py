"""How soon Flink is asked again."""

import random

import pytest

from flinkop.runtime.result import Request
from flinkop.stages.probe import ProbeBackoff

A, B = Request("ns", "a"), Request("ns", "b")


def test_looks_get_rarer():
    """From 0.2 s to 2 s, with jitter, each object for itself."""
    probe = ProbeBackoff(random=random.Random(1))  # noqa: S311 - jitter
    waits = [probe.next_delay(A, 10) for _ in range(12)]
    assert waits[0] == pytest.approx(0.2, rel=0.1)
    assert waits[1] == pytest.approx(0.3, rel=0.1)
    assert all(wait == pytest.approx(2, rel=0.1) for wait in waits[6:])
    assert probe.next_delay(B, 10) == pytest.approx(0.2, rel=0.1)


def test_an_arrival_starts_anew():
    """The next transition is as urgent as the first."""
    probe = ProbeBackoff()
    for _ in range(5):
        probe.next_delay(A, 10)
    probe.reset(A)
    probe.reset(B)
    assert probe.next_delay(A, 10) < 0.25


def test_the_option_is_an_upper_bound():
    """Jitter included; but no option leads to asking without a pause."""
    probe = ProbeBackoff()
    assert max(probe.next_delay(A, 0.5) for _ in range(200)) <= 0.5
    assert min(probe.next_delay(B, 0) for _ in range(200)) >= 0.18


def test_endless_looking_does_not_overflow():
    """A cluster may stay in between for days."""
    probe = ProbeBackoff(looks={A: 10**6})
    assert probe.next_delay(A, 10) <= 10


def test_after_a_minute_looks_get_rarer_still():
    """Hundreds of jobs that wait for slots must not be asked every two seconds for ever."""
    probe = ProbeBackoff()
    waits = [probe.next_delay(A, 10) for _ in range(50)]
    assert max(waits[:36]) <= 2.2
    assert waits[-1] == 10
