"""Waits of failing requests."""

import pytest

from flinkop.runtime.ratelimiter import RetryLimiter, RetrySchedule, TokenBucket, Window
from flinkop.runtime.result import (
    Request,
    RetryError,
    TerminalError,
    is_terminal,
    leaves,
    retry_after_of,
)

A = Request("ns", "a")


def test_backoff_follows_the_reference():
    """5, 5, 7.5, 11.25 … s, fifteen times (L-7)."""
    waits = [RetrySchedule().delay(attempt) for attempt in range(1, 17)]
    assert waits[:4] == [5, 5, 7.5, 11.25]
    assert waits[14] == pytest.approx(5 * 1.5**13)
    assert waits[15] is None


def test_backoff_options():
    """Cap, no limit, none at all."""
    assert RetrySchedule(cap=6).delay(10) == 6
    assert RetrySchedule(max_attempts=-1).delay(10_000) == 36_000
    assert RetrySchedule(max_attempts=0).delay(1) is None
    with pytest.raises(ValueError, match="factor"):
        RetrySchedule(factor=0.5)


def test_the_bucket_refills():
    """The burst passes at once, then the rate; unused time refills up to the burst."""
    bucket = TokenBucket(rate=2, burst=2)
    assert [bucket.reserve(0) for _ in range(4)] == [0, 0, 0.5, 1]
    assert [bucket.reserve(100) for _ in range(3)] == [0, 0, 0.5]
    with pytest.raises(ValueError, match="rate > 0"):
        TokenBucket(rate=0)


def test_the_window_may_be_off():
    """`limit <= 0` disables it (L-8)."""
    limiter = RetryLimiter(window=Window(limit=0))
    for _ in range(100):
        limiter.failed_for_free(A, 0)
    assert limiter.held_until(A, 0) == 0


def test_the_window_holds_back_and_lets_go():
    """The sixth run waits until the first failure is 15 s old; forgetting ends it."""
    limiter = RetryLimiter()
    for moment in range(5):
        limiter.failed_for_free(A, float(moment))
    assert limiter.held_until(A, 5) == 15
    assert limiter.failing == 1
    limiter.forget(A)
    assert limiter.held_until(A, 5) == 5
    assert limiter.failing == 0


def test_retry_after_is_read_from_any_error():
    """An attribute is enough; a group needs one from each part; nonsense counts as none."""
    odd = ValueError()
    odd.retry_after = float("nan")  # type: ignore[attr-defined]
    assert retry_after_of(RetryError("x", 3)) == 3
    assert retry_after_of(ValueError()) is None
    assert retry_after_of(odd) is None
    assert retry_after_of(RetryError("x", -1)) == 0
    assert retry_after_of(ExceptionGroup("g", [RetryError("x", 3), RetryError("y", 4)])) == 4
    assert retry_after_of(ExceptionGroup("g", [RetryError("x", 3), odd])) is None


def test_groups_come_apart():
    """Nested groups are flattened; terminal only when every part is."""
    nested = ExceptionGroup("g", [TerminalError("x"), ExceptionGroup("h", [ValueError("y")])])
    assert [str(leaf) for leaf in leaves(nested)] == ["x", "y"]
    assert not is_terminal(nested)
    assert is_terminal(ExceptionGroup("g", [TerminalError("x")]))


def test_requests_read_well():
    """`str` gives namespace/name, or the name alone."""
    assert str(A) == "ns/a"
    assert str(Request("", "node")) == "node"
