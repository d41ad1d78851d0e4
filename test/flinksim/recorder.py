"""Counts REST calls, for tests that say how many there may be."""

from collections import Counter, deque
from typing import Any

_KEPT = 200


class Recorder:
    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._latest: deque[dict[str, Any]] = deque(maxlen=_KEPT)

    def note(self, call: str, path: str, status: int, at: float) -> None:
        """`call` is method and route, such as `GET /jobs/:jobid`; status 0 is a connection that was closed."""
        self._counts[call] += 1
        self._latest.append({"call": call, "path": path, "status": status, "at": at})

    def counts(self) -> dict[str, int]:
        return dict(self._counts)

    def latest(self) -> list[dict[str, Any]]:
        return list(self._latest)

    def reset(self) -> None:
        self._counts.clear()
        self._latest.clear()
