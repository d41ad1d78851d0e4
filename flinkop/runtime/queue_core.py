"""The workqueue's rules without any waiting: a state machine that is told the time.

Where a request can be, and how it moves (`user` and `resync` are the two lanes of `ready`):

    absent ──add──▶ ready ──get──▶ processing ──done──▶ absent
       │              ▲  ▲             │  add, or a delay that ends
       └─add_after─▶ delayed           └──▶ processing + rerun ──done──▶ ready

- A request is in at most one of ready and delayed; while it is processing, in neither ready nor
  with another worker, but it may have a rerun or a delay noted for afterwards.
- ready beats delayed: an event drops the pending delay, and a delay asked for while a rerun is noted
  is ignored (behaviour.md L-2).
- A run makes earlier timers void: it looks at everything and asks for the next look itself. This
  differs from client-go, where a delay survives a run that happened meanwhile.
- Of two delays the earlier one wins; of two lanes, `user`.
"""

import heapq
import random
from collections import OrderedDict

import attrs

from flinkop.runtime import queue_instruments
from flinkop.runtime.ratelimiter import RetryLimiter
from flinkop.runtime.result import Lane, Request

EVENT_IS_FREE = 5.0
"""An event that shortens a retry's wait by more than these seconds uses no attempt (L-7)."""


@attrs.define
class _Delay:
    due: float
    lane: Lane
    retry: bool


@attrs.frozen
class QueueStatistics:
    """A snapshot: how many requests are where, and the oldest ages in seconds."""

    ready_user: int
    ready_resync: int
    delayed: int
    processing: int
    failing: int
    longest_wait: float
    longest_run: float


class QueueCore:
    """Keeps the sets; see the module's text for the promises.

    Args:
        limiter: Waits of failing requests.
        user_share: How many `user` requests may pass while a `resync` request waits; then one
            `resync` request goes first, so that neither lane starves.
        jitter: Timers are lengthened by a random part of up to this fraction, never shortened.
        rng: Source of the jitter.
        instruments: What is told about requests passing.
    """

    def __init__(
        self,
        limiter: RetryLimiter | None = None,
        *,
        user_share: int = 8,
        jitter: float = 0.1,
        rng: random.Random | None = None,
        instruments: queue_instruments.QueueInstruments = queue_instruments.NO_QUEUE,
    ) -> None:
        self._limiter = RetryLimiter() if limiter is None else limiter
        self._user_share = user_share
        self._jitter = jitter
        self._rng = rng or random.Random()  # noqa: S311 - spreads timers, guards nothing
        self._instruments = instruments
        self._ready: dict[Lane, OrderedDict[Request, float]] = {
            "user": OrderedDict(),
            "resync": OrderedDict(),
        }
        self._processing: dict[Request, float] = {}
        self._rerun: dict[Request, Lane] = {}
        self._delayed: dict[Request, _Delay] = {}
        self._heap: list[tuple[float, int, Request]] = []
        self._sequence = 0
        self._users_in_a_row = 0
        self._shut = False

    # --- coming in

    def add(self, request: Request, now: float, lane: Lane = "user") -> None:
        """Make `request` ready, or note that it must run again after the run under way."""
        if self._shut:
            return
        self._limiter.revive(request)
        delay = self._delayed.get(request)
        if delay is not None and delay.retry:
            if delay.due - now > EVENT_IS_FREE:
                self._limiter.refund(request)
            delay.retry = False
        self._offer(request, now, lane)

    def add_after(
        self, request: Request, seconds: float, now: float, lane: Lane = "resync"
    ) -> None:
        """Make `request` ready in `seconds`, lengthened by jitter; at once when not positive."""
        if seconds > 0:
            self._delay(request, now + self._spread(seconds), lane, retry=False)
        elif not self._shut:
            self._offer(request, now, lane)

    def add_rate_limited(self, request: Request, now: float, lane: Lane = "resync") -> float | None:
        """Make `request` ready after the wait its failures call for.

        Returns:
            The wait in seconds before jitter; 0 when an event makes it run at once anyway, which
            uses no attempt; None when all attempts are used up and nothing was scheduled.
        """
        if request in self._rerun or self._lane_of(request) is not None:
            self._limiter.failed_for_free(request, now)
            return 0.0
        wait = self._limiter.failed(request, now)
        if wait is None:
            return None
        self._instruments.retried()
        self._delay(request, now + self._spread(wait), lane, retry=True)
        return wait

    def forget(self, request: Request) -> None:
        """Drop the failures of `request`."""
        self._limiter.forget(request)

    def num_requeues(self, request: Request) -> int:
        """Return the attempts `request` used since it last succeeded."""
        return self._limiter.attempts(request)

    # --- going out

    def get_nowait(self, now: float) -> Request | None:
        """Hand out the next ready request, or None; it is processing until `done`."""
        self.release_due(now)
        lane = self._next_lane()
        if lane is None:
            return None
        request, since = self._ready[lane].popitem(last=False)
        self._processing[request] = now
        self._instruments.waited(lane, max(0.0, now - since))
        return request

    def done(self, request: Request, now: float) -> None:
        """End the processing of `request`; ready again when something came up meanwhile.

        Raises:
            ValueError: If `request` is not processing.
        """
        started = self._processing.pop(request, None)
        if started is None:
            msg = f"{request} is not being processed, so it cannot be done."
            raise ValueError(msg)
        self._instruments.worked(max(0.0, now - started))
        lane = self._rerun.pop(request, None)
        if lane is not None:
            self._offer(request, now, lane)

    def release_due(self, now: float) -> None:
        """Move every request whose delay is over to where it belongs now."""
        while self._heap and (self._heap[0][0] <= now or self._is_stale(self._heap[0])):
            entry = heapq.heappop(self._heap)
            if not self._is_stale(entry):
                request = entry[2]
                self._offer(request, now, self._delayed.pop(request).lane)

    def next_due(self) -> float | None:
        """Return the moment the next delay is over, or None."""
        while self._heap and self._is_stale(self._heap[0]):
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def shut_down(self) -> None:
        """Drop all that has not started and take in nothing more; runs under way may end.

        Nothing is lost: whoever starts next lists every object anyway.
        """
        self._shut = True
        for lane in self._ready.values():
            lane.clear()
        self._rerun.clear()
        self._delayed.clear()
        self._heap.clear()

    # --- looking

    @property
    def is_shut_down(self) -> bool:
        """Whether `shut_down` was called."""
        return self._shut

    @property
    def ready(self) -> int:
        """How many requests a worker could take now."""
        return len(self._ready["user"]) + len(self._ready["resync"])

    @property
    def processing(self) -> frozenset[Request]:
        """The requests that workers hold."""
        return frozenset(self._processing)

    @property
    def is_idle(self) -> bool:
        """Whether no worker holds a request."""
        return not self._processing

    def statistics(self, now: float) -> QueueStatistics:
        """Return a snapshot of the queue."""
        # Insertion order is not quite age order (a promoted request keeps its age), so look at all.
        waits = [since for lane in self._ready.values() for since in lane.values()]
        return QueueStatistics(
            ready_user=len(self._ready["user"]),
            ready_resync=len(self._ready["resync"]),
            delayed=len(self._delayed),
            processing=len(self._processing),
            failing=self._limiter.failing,
            longest_wait=max(0.0, now - min(waits, default=now)),
            longest_run=max(0.0, now - min(self._processing.values(), default=now)),
        )

    # --- inside

    def _offer(self, request: Request, now: float, lane: Lane) -> None:
        if request in self._processing:
            pending = self._delayed.pop(request, None)
            lanes = (lane, self._rerun.get(request), pending.lane if pending else None)
            self._rerun[request] = "user" if "user" in lanes else "resync"
            return
        at = self._lane_of(request)
        if at is not None:
            if at == "resync" and lane == "user":
                self._ready["user"][request] = self._ready["resync"].pop(request)
            return
        held_until = self._limiter.held_until(request, now)
        if held_until > now:
            self._delay(request, held_until, lane, retry=False)
            return
        pending = self._delayed.pop(request, None)
        if pending is not None and pending.lane == "user":
            lane = "user"
        self._ready[lane][request] = now
        self._instruments.added(lane)

    def _delay(self, request: Request, due: float, lane: Lane, *, retry: bool) -> None:
        if self._shut or request in self._rerun or self._lane_of(request) is not None:
            return
        old = self._delayed.get(request)
        if old is not None:
            if old.lane == "user":
                lane = "user"
            if old.due <= due:
                old.lane = lane
                return
        self._delayed[request] = _Delay(due, lane, retry)
        self._sequence += 1
        heapq.heappush(self._heap, (due, self._sequence, request))
        if len(self._heap) > 2 * len(self._delayed) + 64:
            # Dropped delays leave entries behind, and an idle timer would pin its own for hours.
            self._heap = [entry for entry in self._heap if not self._is_stale(entry)]
            heapq.heapify(self._heap)

    def _is_stale(self, entry: tuple[float, int, Request]) -> bool:
        delay = self._delayed.get(entry[2])
        return delay is None or delay.due != entry[0]

    def _lane_of(self, request: Request) -> Lane | None:
        if request in self._ready["user"]:
            return "user"
        return "resync" if request in self._ready["resync"] else None

    def _next_lane(self) -> Lane | None:
        users, resyncs = self._ready["user"], self._ready["resync"]
        if users and (not resyncs or self._users_in_a_row < self._user_share):
            self._users_in_a_row = self._users_in_a_row + 1 if resyncs else 0
            return "user"
        self._users_in_a_row = 0
        return "resync" if resyncs else None

    def _spread(self, seconds: float) -> float:
        return seconds * (1.0 + self._jitter * self._rng.random())
