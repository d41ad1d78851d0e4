"""The queue between event handlers and workers: merged, delayed, in two lanes, one worker per key.

Promises, in the words of client-go's workqueue where they agree:

- Fair within a lane: requests come out in the order they went in.
- Stingy: a request is never with two workers, and added many times before a worker takes it, it
  comes out once.
- Nothing is lost: a request added while it is being processed comes out again after `done`.
- Two lanes: `user` passes `resync`, which still gets its turn; a `user` add promotes.
- Drains: after `shut_down` nothing new comes out, and `drain` waits for what is under way.

Not promised: any order between lanes, and thread safety. All calls belong on the event loop's thread.
The rules live in `queue_core`, without waiting; this is the part that waits.
"""

import asyncio
import random
from collections import deque

from flinkop.runtime import queue_core, queue_instruments
from flinkop.runtime.ratelimiter import RetryLimiter, TokenBucket
from flinkop.runtime.result import Lane, Request


class QueueShutDownError(Exception):
    """The queue was shut down; there is nothing more to get."""


class WorkQueue:
    """A rate-limited queue of requests for the workers of one controller.

    Args:
        name: Names the queue in `repr`.
        limiter: Waits of failing requests; behaviour.md L-7's and an overall bucket by default.
        user_share: See `queue_core.QueueCore`.
        jitter: See `queue_core.QueueCore`.
        rng: See `queue_core.QueueCore`.
        instruments: What is told about requests passing.
    """

    def __init__(
        self,
        name: str = "",
        limiter: RetryLimiter | None = None,
        *,
        user_share: int = 8,
        jitter: float = 0.1,
        rng: random.Random | None = None,
        instruments: queue_instruments.QueueInstruments = queue_instruments.NO_QUEUE,
    ) -> None:
        self.name = name
        limiter = RetryLimiter(bucket=TokenBucket()) if limiter is None else limiter
        self._core = queue_core.QueueCore(
            limiter, user_share=user_share, jitter=jitter, rng=rng, instruments=instruments
        )
        self._getters: deque[asyncio.Future[None]] = deque()
        self._idle_waiters: list[asyncio.Future[None]] = []
        self._timer: asyncio.TimerHandle | None = None

    def add(self, request: Request, lane: Lane = "user") -> None:
        """Make `request` ready at once; see `queue_core` for what happens to delays and runs."""
        self._core.add(request, self._now(), lane)
        self._settle()

    def add_after(self, request: Request, seconds: float, lane: Lane = "resync") -> None:
        """Make `request` ready in `seconds`, a little later by jitter; the earliest delay wins."""
        self._core.add_after(request, seconds, self._now(), lane)
        self._settle()

    def add_rate_limited(self, request: Request, lane: Lane = "resync") -> float | None:
        """Count a failure and retry after its backoff.

        Returns:
            The wait in seconds, 0 when a new event makes it run at once anyway, None when all
            attempts are used up and nothing was scheduled.
        """
        wait = self._core.add_rate_limited(request, self._now(), lane)
        self._settle()
        return wait

    def forget(self, request: Request) -> None:
        """Drop the failures of `request`: it succeeded, or is gone."""
        self._core.forget(request)

    def num_requeues(self, request: Request) -> int:
        """Return the attempts `request` used since it last succeeded."""
        return self._core.num_requeues(request)

    def get_nowait(self) -> Request | None:
        """Hand out a ready request, or None; the taker owes a `done`."""
        request = self._core.get_nowait(self._now())
        self._settle()
        return request

    async def get(self) -> Request:
        """Wait for a request and hand it out; the taker owes a `done`.

        Raises:
            QueueShutDownError: After `shut_down`.
        """
        while True:
            if self._core.is_shut_down:
                msg = f"The queue {self.name!r} was shut down."
                raise QueueShutDownError(msg)
            request = self.get_nowait()
            if request is not None:
                return request
            await self._wait_ready()

    def done(self, request: Request) -> None:
        """End the processing of `request`.

        Raises:
            ValueError: If `request` is not being processed.
        """
        self._core.done(request, self._now())
        self._settle()

    def shut_down(self) -> None:
        """Drop all that has not started; `get` raises from now on; adds are ignored."""
        self._core.shut_down()
        self._settle()
        for getter in self._getters:
            _release(getter)

    async def wait_idle(self) -> None:
        """Wait until no worker holds a request."""
        while not self._core.is_idle:
            waiter = asyncio.get_running_loop().create_future()
            self._idle_waiters.append(waiter)
            await waiter

    async def drain(self, seconds: float | None) -> bool:
        """Shut down and wait for the runs under way; tell whether all ended within `seconds`."""
        self.shut_down()
        try:
            async with asyncio.timeout(seconds):
                await self.wait_idle()
        except TimeoutError:
            return False
        return True

    @property
    def is_shut_down(self) -> bool:
        """Whether `shut_down` was called."""
        return self._core.is_shut_down

    def statistics(self) -> queue_core.QueueStatistics:
        """Return a snapshot of the queue."""
        return self._core.statistics(self._now())

    def __repr__(self) -> str:
        return f"<WorkQueue {self.name!r} ready={self._core.ready} processing={len(self._core.processing)}>"

    async def _wait_ready(self) -> None:
        getter = asyncio.get_running_loop().create_future()
        self._getters.append(getter)
        try:
            await getter
        except asyncio.CancelledError:
            if getter in self._getters:
                self._getters.remove(getter)
            # This getter may have been chosen for a request it will not take: choose another.
            self._wake()
            raise

    def _settle(self) -> None:
        """After any change: wake takers, tell those who wait for idleness, set the timer."""
        self._wake()
        if self._core.is_idle:
            for waiter in self._idle_waiters:
                _release(waiter)
            self._idle_waiters.clear()
        self._arm()

    def _wake(self) -> None:
        # As many takers as there are requests. One too many finds nothing and waits again.
        for _ in range(min(self._core.ready, len(self._getters))):
            _release(self._getters.popleft())

    def _arm(self) -> None:
        due = self._core.next_due()
        if self._timer is not None:
            if due is not None and self._timer.when() == due:
                return
            self._timer.cancel()
            self._timer = None
        if due is not None:
            self._timer = asyncio.get_running_loop().call_at(due, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._core.release_due(self._now())
        self._settle()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


def _release(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
