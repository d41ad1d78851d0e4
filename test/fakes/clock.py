"""A clock that a test moves by hand."""

import datetime as dt


class FakeClock:
    """Starts at 2026-01-01T00:00:00Z and monotonic 0; moves only by `advance` and `step`."""

    def __init__(self, start: dt.datetime | None = None) -> None:
        self._now = start or dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
        self._monotonic = 0.0

    def now(self) -> dt.datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        self._now += dt.timedelta(seconds=seconds)
        self._monotonic += seconds

    def step(self, seconds: float) -> None:
        """Set the wall clock forward or back, as a time server does; monotonic time is not touched."""
        self._now += dt.timedelta(seconds=seconds)
