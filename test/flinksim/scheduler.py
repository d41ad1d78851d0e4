"""Time for the simulation: a clock and timers, real or moved by hand. No tasks, no polling."""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from typing import Protocol

from flinkop.clock import Clock, SystemClock

Action = Callable[[], None]


class Timer(Protocol):
    def cancel(self) -> None: ...


class Scheduler(Protocol):
    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    def later(self, seconds: float, action: Action) -> Timer:
        """Call `action` once, after `seconds`."""
        ...


class LoopScheduler:
    """Timers of the running event loop: its heap holds tens of thousands cheaply."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._loop = asyncio.get_running_loop()

    def now(self) -> float:
        return self._clock.now().timestamp()

    def later(self, seconds: float, action: Action) -> Timer:
        return self._loop.call_later(max(0.0, seconds), action)


class _ManualTimer:
    def __init__(self, action: Action) -> None:
        self.action: Action | None = action

    def cancel(self) -> None:
        self.action = None


class ManualScheduler:
    """Time moves only by `advance`; actions that fall due run in order, at their own moment."""

    def __init__(self, start: float = 1_767_225_600.0) -> None:
        self._now = start
        self._order = itertools.count()
        self._heap: list[tuple[float, int, _ManualTimer]] = []

    def now(self) -> float:
        return self._now

    def later(self, seconds: float, action: Action) -> Timer:
        timer = _ManualTimer(action)
        heapq.heappush(self._heap, (self._now + max(0.0, seconds), next(self._order), timer))
        return timer

    def advance(self, seconds: float) -> None:
        end = self._now + seconds
        while self._heap and self._heap[0][0] <= end:
            when, _, timer = heapq.heappop(self._heap)
            self._now = max(self._now, when)
            if timer.action is not None:
                timer.action()
        self._now = end
