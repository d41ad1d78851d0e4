"""The reference's KubeClient series, from the exchanges our client reports (operations.md 2.6)."""

from typing import Final

from flinkop.clock import Clock
from flinkop.metrics.scope import Scope
from flinkop.metrics.series import SeriesRegistry
from flinkop.metrics.window import Meter

_METHODS: Final = {
    "get": "GET",
    "list": "GET",
    "watch": "GET",
    "create": "POST",
    "replace": "PUT",
    "patch": "PATCH",
    "apply": "PATCH",
    "delete": "DELETE",
}
"""The HTTP method of each verb; through the service proxy and for raw calls any is possible."""

_GROUPS: Final = ("1xx", "2xx", "3xx", "4xx", "5xx")


class KubeClientSeries:
    """Counts requests and responses.

    Args:
        registry: Where the series live.
        clock: Tells monotonic time, for rates.
        slow: From which latency in seconds on a request counts as slow.
        code_groups: Whether to count by groups of codes (`2xx`) too.
        sample_size: Window of the latency histogram.
    """

    def __init__(
        self,
        registry: SeriesRegistry,
        clock: Clock,
        *,
        slow: float = 5.0,
        code_groups: bool = False,
        sample_size: int = 1000,
    ) -> None:
        self._registry = registry
        self._clock = clock
        self._slow = slow
        self._code_groups = code_groups
        self._meters: dict[str, Meter] = {}
        self._time = registry.histogram(
            Scope.SYSTEM, "KubeClient.HttpResponse.TimeNanos", size=sample_size
        )
        self._slow_count = registry.gauge(Scope.SYSTEM, "KubeClient.HttpRequest.Slow.Count")
        for what in ("HttpRequest", "HttpRequest.Failed", "HttpResponse"):
            self._meter(what)
        for group in _GROUPS if code_groups else ():
            self._meter(f"HttpResponse.{group}")

    def request(self, verb: str, code: str, seconds: float) -> None:
        """Count one exchange; `code` is the HTTP status, or a word when there was no response."""
        now = self._clock.monotonic()
        answered = code.isdigit()
        self._meter("HttpRequest").mark(now)
        if method := _METHODS.get(verb):
            path = f"KubeClient.HttpRequest.{method}.Count"
            self._registry.gauge(Scope.SYSTEM, path).units += 1
        # Any answer but 2xx counts as failed, 404 included (operations.md trap 3).
        if not answered or code[0] != "2":
            self._meter("HttpRequest.Failed").mark(now)
        if seconds >= self._slow:
            self._slow_count.units += 1
        self._time.update(seconds * 1e9)
        if answered:
            self._meter("HttpResponse").mark(now)
            self._meter(f"HttpResponse.{code}").mark(now)
            if self._code_groups:
                self._meter(f"HttpResponse.{code[0]}xx").mark(now)

    def _meter(self, what: str) -> Meter:
        """Return the meter at `what`, published as its count and its rate."""
        found = self._meters.get(what)
        if found is None:
            clock = self._clock
            meter = found = self._meters[what] = Meter(clock.monotonic())
            path = f"KubeClient.{what}"
            self._registry.reading(Scope.SYSTEM, f"{path}.Count", lambda: meter.count)
            self._registry.reading(
                Scope.SYSTEM, f"{path}.NumPerSecond", lambda: meter.rate(clock.monotonic())
            )
        return found
