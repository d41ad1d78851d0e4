"""Tries a request again until it is answered or the caller's time is up (`behaviour.md` S-3)."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from flinkop.flink import errors

T = TypeVar("T")

FIRST_DELAY: Final = 0.2
MAX_DELAY: Final = 2.0


def delay(attempt: int, jitter: Callable[[], float] = random.random) -> float:
    """Return seconds to wait after the n-th failed attempt (from 1): exponential, full jitter.

    Args:
        attempt: number of attempts that failed so far.
        jitter: gives a number in [0, 1).
    """
    return jitter() * min(MAX_DELAY, FIRST_DELAY * 2.0 ** min(attempt - 1, 16))


def may_repeat(error: errors.FlinkError, *, idempotent: bool) -> bool:
    """Return whether the same request may be sent again without doing its work twice.

    503 means that the JobManager did nothing. A connection that was never made neither; one that was
    cut later may hide a savepoint that was started.
    """
    if error.retry is not errors.Retry.IN_CALL:
        return False
    return idempotent or not (isinstance(error, errors.Unreachable) and error.sent)


async def until_answered(
    attempt: Callable[[float], Awaitable[T]],
    *,
    timeout: float,  # noqa: ASYNC109 - the deadline belongs to the call
    idempotent: bool,
    jitter: Callable[[], float] = random.random,
) -> T:
    """Return the first answer of `attempt`, which is given the seconds that are left.

    Raises:
        Timeout: time ran out; its cause is the last failure.
        FlinkError: a failure that is not worth another try, or must not be tried again.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout
    failures = 0
    while True:
        try:
            return await attempt(deadline - loop.time())
        except errors.FlinkError as error:
            if not may_repeat(error, idempotent=idempotent):
                raise
            failures += 1
            pause = delay(failures, jitter)
            if loop.time() + pause >= deadline:
                raise errors.Timeout(
                    f"no usable answer within {timeout:g} s ({failures} attempts); the last: {error}"
                ) from error
        await asyncio.sleep(pause)
