import random

import pytest

from flinkop.kube import errors
from flinkop.kube.retry import RetryPolicy

RNG = random.Random(1)  # noqa: S311


def _wait(error, attempt=0, *, idempotent=True):
    return RetryPolicy().wait(error, attempt, idempotent=idempotent, rng=RNG)


def test_throttled():
    """429 is retried for every verb, never sooner than asked, spread above it."""
    waits = [
        _wait(errors.TooManyRequests("x", retry_after=3), n, idempotent=False) for n in range(30)
    ]
    assert all(wait is not None and 3 <= wait <= 13 for wait in waits)
    assert len(set(waits)) == 30


def test_throttled_without_hint():
    """429 without Retry-After waits for a second at least."""
    wait = _wait(errors.TooManyRequests("x"))
    assert wait is not None
    assert wait >= 1


@pytest.mark.parametrize(("idempotent", "retried"), [(True, True), (False, False)])
def test_unavailable(idempotent, retried):
    """5xx with Retry-After is retried where sending twice does no harm."""
    wait = _wait(errors.ServerError("x", retry_after=1), idempotent=idempotent)
    assert (wait is not None) is retried


@pytest.mark.parametrize(
    "error", [errors.ServerError("x"), errors.Conflict("x"), errors.Unreachable("x")]
)
def test_left_to_the_caller(error):
    """What the server does not ask to retry is left to the caller's backoff."""
    assert _wait(error) is None
