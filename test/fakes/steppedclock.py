"""A clock that runs as the system's does, until a test steps its wall time."""

import datetime as dt

from flinkop.clock import SystemClock


class SteppedClock:
    """Real time, with a wall that a test sets forward or back as a time server does."""

    def __init__(self) -> None:
        self._system = SystemClock()
        self._offset = dt.timedelta()

    def now(self) -> dt.datetime:
        return self._system.now() + self._offset

    def monotonic(self) -> float:
        return self._system.monotonic()

    def step(self, seconds: float) -> None:
        """Set the wall clock forward or back; monotonic time is not touched."""
        self._offset += dt.timedelta(seconds=seconds)
