"""How long a fetch may go on: a deadline that each byte moves.

A byte buys the time that it takes at the least speed, and never more than the idle time ahead. So a
server that stalls is given up after the idle time, one that trickles somewhat later, and one that keeps
up never, before the time for the whole is over. What the operator itself waits for, its own disk, counts
against nobody but the whole.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from flinkop.artifacts import errors
from flinkop.artifacts.terms import Terms
from flinkop.config import artifact_options


class Pace:
    """The deadline of one fetch; times are those of the event loop."""

    def __init__(self, terms: Terms, where: str, now: float) -> None:
        self._terms = terms
        self._where = where
        self._end = now + terms.download_timeout
        self._credit = now + terms.idle_timeout
        self._last = now
        self._received = 0
        self._waits_for: str | None = None

    @property
    def deadline(self) -> float:
        """When to give up."""
        return min(self._end, self._credit)

    @property
    def end(self) -> float:
        """When to give up although bytes keep coming."""
        return self._end

    def received(self, count: int, now: float) -> None:
        """Note that `count` bytes came."""
        self._received += count
        self._last = now
        latest = now + self._terms.idle_timeout
        speed = self._terms.min_speed
        self._credit = min(self._credit + count / speed, latest) if speed else latest

    def rest(self, reason: str) -> None:
        """Note that the operator waits for something of its own now."""
        self._waits_for = reason

    def rested(self, seconds: float) -> None:
        """Note that it did so for `seconds`."""
        self._waits_for = None
        self._credit += seconds
        self._last += seconds

    def verdict(self, now: float) -> errors.TooSlow:
        """Return why the time is over."""
        terms = self._terms
        if now >= self._end:
            waits = f", it waits for {self._waits_for}" if self._waits_for else ""
            return self._too_slow(
                f"not done after {terms.download_timeout:g} s, {self._received} bytes have come{waits}",
                artifact_options.DOWNLOAD_TIMEOUT.key,
            )
        if now - self._last >= terms.idle_timeout:
            return self._too_slow(
                f"the server sent nothing for {terms.idle_timeout:g} s, "
                f"{self._received} bytes had come before",
                artifact_options.IDLE_TIMEOUT.key,
            )
        return self._too_slow(
            f"the server sends less than {terms.min_speed} bytes per second, "
            f"{self._received} bytes have come",
            artifact_options.MIN_SPEED.key,
        )

    def _too_slow(self, cause: str, key: str) -> errors.TooSlow:
        return errors.TooSlow(
            self._where,
            cause,
            f"It is tried again; mend the server, or change the operator's {key}.",
        )


class Timer:
    """Keeps a running timeout in step with its pace."""

    def __init__(self, pace: Pace, timeout: asyncio.Timeout) -> None:
        self._pace = pace
        self._timeout = timeout
        self._loop = asyncio.get_running_loop()

    def received(self, count: int) -> None:
        """Note that `count` bytes came now."""
        self._pace.received(count, self._loop.time())
        self._timeout.reschedule(self._pace.deadline)

    @contextmanager
    def resting(self, reason: str) -> Iterator[None]:
        """Let time pass that is not the server's.

        Args:
            reason: what is waited for.
        """
        begun = self._loop.time()
        self._pace.rest(reason)
        self._timeout.reschedule(self._pace.end)
        yield
        self._pace.rested(self._loop.time() - begun)
        self._timeout.reschedule(self._pace.deadline)


@asynccontextmanager
async def paced(terms: Terms, where: str) -> AsyncIterator[Timer]:
    """Bound what is done inside.

    Args:
        terms: how long, how slow.
        where: the jar's place, for the message.

    Raises:
        TooSlow: the time is over.
    """
    loop = asyncio.get_running_loop()
    pace = Pace(terms, where, loop.time())
    timeout = asyncio.timeout_at(pace.deadline)
    try:
        async with timeout:
            yield Timer(pace, timeout)
    except TimeoutError:
        if not timeout.expired():
            raise
        raise pace.verdict(loop.time()) from None
