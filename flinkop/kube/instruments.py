"""What the client counts, as a Protocol: this room imports no metrics library.

`flinkop.metrics` fills it for Prometheus; the default does nothing.
"""

from typing import Protocol


class ClientInstruments(Protocol):
    """Told about each exchange with the API server. Calls must be cheap and must not raise."""

    def request(self, verb: str, resource: str, code: str, seconds: float) -> None:
        """Count one exchange: each attempt counts, so the API server's own count is equal.

        Args:
            verb: get, list, watch, create, replace, patch, apply, delete, proxy or raw.
            resource: plural, with the subresource after a slash (`flinkdeployments/status`).
            code: the HTTP status as text, or `unreachable` when there was none.
            seconds: time to the end of the answer; for a watch, to its headers.
        """
        ...

    def retry(self, verb: str, resource: str, reason: str) -> None:
        """Count a call that is tried again: throttled, unavailable, unauthorized, disconnected."""
        ...

    def in_flight(self, pool: str, count: int) -> None:
        """Tell how many exchanges a pool (`requests`, `watches`, `lease`) has under way."""
        ...


class NoClientInstruments:
    """Counts nothing."""

    def request(self, verb: str, resource: str, code: str, seconds: float) -> None:
        """Do nothing."""

    def retry(self, verb: str, resource: str, reason: str) -> None:
        """Do nothing."""

    def in_flight(self, pool: str, count: int) -> None:
        """Do nothing."""
