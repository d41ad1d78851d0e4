"""How long the event loop was deaf: the longest pause between two looks at its sockets and timers.

A pause is the time from one return of the selector to the next call of it: in between, callbacks run and
nothing else is noticed, the Lease's renewal included. `MeasuredLoop` has a selector that measures
that exactly, for a fraction of a microsecond per turn. On any other loop the monitor falls back to seeing by
how much a timer is late, which misses pauses shorter than its interval in part or wholly.
"""

import asyncio
import selectors
import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from flinkop.runtime import queue_instruments

_log = structlog.stdlib.get_logger(__name__)

_COARSE_INTERVAL = 0.1


class PauseSelector(selectors.BaseSelector):
    """Passes everything on to a selector of the platform and remembers the longest time between two selects."""

    def __init__(self, monotonic: Callable[[], float] = time.perf_counter) -> None:
        self._real = selectors.DefaultSelector()
        self._monotonic = monotonic
        self._returned_at: float | None = None
        self._longest = 0.0

    def take_longest(self) -> float:
        """Return the longest pause in seconds since the last call, and begin anew."""
        longest, self._longest = self._longest, 0.0
        return longest

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for events, measuring what came before."""
        if self._returned_at is not None:
            pause = self._monotonic() - self._returned_at
            if pause > self._longest:  # noqa: PLR1730 - runs each turn of the loop; max() costs a call
                self._longest = pause
        ready = self._real.select(timeout)
        self._returned_at = self._monotonic()
        return ready

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Pass on."""
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        """Pass on."""
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Pass on."""
        return self._real.modify(fileobj, events, data)

    def close(self) -> None:
        """Pass on."""
        self._real.close()

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        """Pass on."""
        return self._real.get_map()


class MeasuredLoop(asyncio.SelectorEventLoop):
    """A selector loop that knows its longest pause; use it as a loop factory."""

    def __init__(self) -> None:
        self.pauses = PauseSelector()
        super().__init__(self.pauses)


class LoopMonitor:
    """Reports the longest pause once per `interval` seconds; a runnable.

    Args:
        instruments: Told the longest pause of each interval.
        interval: Seconds between reports.
        warn_above: Pauses longer than these seconds are logged: they endanger the Lease and the probes.
    """

    def __init__(
        self,
        instruments: queue_instruments.LoopInstruments = queue_instruments.NO_LOOP,
        *,
        interval: float = 5.0,
        warn_above: float = 1.0,
    ) -> None:
        self._instruments = instruments
        self._interval = interval
        self._warn_above = warn_above
        self.longest = 0.0

    async def run(self) -> None:
        """Measure until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            if isinstance(loop, MeasuredLoop):
                await asyncio.sleep(self._interval)
                pause = loop.pauses.take_longest()
            else:
                pause = await self._lateness(loop)
            self.longest = max(self.longest, pause)
            self._instruments.paused(pause)
            if pause > self._warn_above:
                _log.warning(f"The event loop was blocked for {pause:.2f} s")

    async def _lateness(self, loop: asyncio.AbstractEventLoop) -> float:
        longest, end = 0.0, loop.time() + self._interval
        while loop.time() < end:
            due = loop.time() + min(_COARSE_INTERVAL, self._interval)
            await asyncio.sleep(due - loop.time())
            longest = max(longest, loop.time() - due)
        return longest
