import random

from flinkop.runtime.backoff import Backoff

RNG = random.Random(1)  # noqa: S311 - jitter


def test_grows_and_stops_growing():
    """Waits are spread below a bound that doubles up to the cap."""
    backoff = Backoff(0.2, 30, RNG)
    bounds = []
    for _ in range(12):
        bounds.append(backoff.bound)
        assert 0 <= backoff.next() <= bounds[-1]
    assert bounds[:4] == [0.2, 0.4, 0.8, 1.6]
    assert bounds[-1] == 30
    assert backoff.failures == 12


def test_reset():
    """After a success the first wait is short again."""
    backoff = Backoff(0.2, 30, RNG)
    for _ in range(9):
        backoff.next()
    backoff.reset()
    assert backoff.next() <= 0.2


def test_at_most():
    """A caller may ask for less than the backoff's own bound."""
    backoff = Backoff(10, 30, RNG)
    assert all(backoff.next(at_most=1) <= 1 for _ in range(20))


def test_never_overflows():
    """Years of failures are no problem."""
    backoff = Backoff(0.2, 30, RNG)
    for _ in range(5000):
        assert backoff.next() <= 30


def test_repr():
    """It shows where it stands."""
    assert repr(Backoff(0.2, 30, RNG)) == "<Backoff after 0 failures, at most 0.2 s>"
