"""Full-jitter exponential backoff."""

import random


class Backoff:
    """Waits that grow while nothing works.

    Each wait is uniform between 0 and a bound that starts at `base`, doubles, and stops at `cap`
    (seconds): many clients that failed together come back apart.
    """

    def __init__(self, base: float, cap: float, rng: random.Random) -> None:
        self._base = base
        self._cap = cap
        self._rng = rng
        self._failures = 0

    def __repr__(self) -> str:
        return f"<Backoff after {self._failures} failures, at most {self.bound:g} s>"

    @property
    def failures(self) -> int:
        """Return how many waits were handed out since the last reset."""
        return self._failures

    @property
    def bound(self) -> float:
        """Return the longest that the next wait can be."""
        return min(self._cap, self._base * 2.0 ** min(self._failures, 32))

    def next(self, at_most: float | None = None) -> float:
        """Return the next wait in seconds, never longer than `at_most`."""
        bound = self.bound if at_most is None else min(self.bound, at_most)
        self._failures += 1
        return self._rng.uniform(0, bound)

    def reset(self) -> None:
        """Start again at the shortest wait."""
        self._failures = 0
