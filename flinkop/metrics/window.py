"""Values over a window, with the reference's arithmetic: histograms and meters (operations.md 2.9). Pure."""

import itertools
import math
from collections import deque
from collections.abc import Sequence
from typing import Final

QUANTILES: Final = (0.5, 0.75, 0.95, 0.98, 0.99, 0.999)

_METER_STEP: Final = 5.0
_METER_WINDOW: Final = 60.0


class Histogram:
    """The last `size` values, and how many there ever were."""

    __slots__ = ("_quantiles", "_ring", "count")

    def __init__(self, size: int = 1000) -> None:
        self._ring: deque[float] = deque(maxlen=max(1, size))
        self._quantiles: tuple[float, ...] | None = None
        self.count = 0

    def update(self, value: float) -> None:
        """Add a value."""
        self._ring.append(value)
        self._quantiles = None
        self.count += 1

    def quantiles(self) -> tuple[float, ...]:
        """Return the values at `QUANTILES`; NaN when there is none. Sorted once per change."""
        found = self._quantiles
        if found is None:
            ranked = sorted(self._ring.copy())
            found = self._quantiles = tuple(percentile(ranked, q * 100) for q in QUANTILES)
        return found


def percentile(ranked: Sequence[float], p: float) -> float:
    """Return the `p`-th percentile (0 to 100) of sorted values, between ranks by linear interpolation."""
    if not ranked:
        return math.nan
    position = p * (len(ranked) + 1) / 100
    if position < 1:
        return ranked[0]
    if position >= len(ranked):
        return ranked[-1]
    rank = math.floor(position)
    below, above = ranked[rank - 1], ranked[rank]
    return below + (position - rank) * (above - below)


class Meter:
    """Events per second over the last minute, sampled every five seconds.

    It needs no timer: samples that are due are taken when it is next marked or read.

    Args:
        now: The monotonic time at the start, in seconds.
    """

    __slots__ = ("_due", "_samples", "count")

    def __init__(self, now: float) -> None:
        self.count = 0
        self._due = now + _METER_STEP
        steps = int(_METER_WINDOW / _METER_STEP)
        self._samples: deque[int] = deque(itertools.repeat(0, steps + 1), maxlen=steps + 1)

    def mark(self, now: float, events: int = 1) -> None:
        """Count events that happen at `now`."""
        self._sample(now)
        self.count += events

    def rate(self, now: float) -> float:
        """Return events per second."""
        self._sample(now)
        return (self._samples[-1] - self._samples[0]) / _METER_WINDOW

    def _sample(self, now: float) -> None:
        if now < self._due:
            return
        missed = int((now - self._due) / _METER_STEP) + 1
        self._due += missed * _METER_STEP
        self._samples.extend(itertools.repeat(self.count, min(missed, self._samples.maxlen or 1)))
