"""What the caches report, as a Protocol with a default that does nothing.

The machinery imports no metrics library; `flinkop.metrics` fills this for Prometheus. Calls are made
on the event loop, must be cheap and must not raise. Durations are seconds. The client's Protocol is in
`flinkop.kube.instruments`, those of queue, controller and election in `queue_instruments`.
"""

from typing import Protocol


class InformerInstruments(Protocol):
    """Told about lists, watches and the objects kept. `resource` is a plural, as in a path."""

    def listed(self, resource: str, seconds: float, objects: int) -> None:
        """Count a complete initial list (streamed or paged)."""
        ...

    def watch_restarted(self, resource: str, reason: str) -> None:
        """Count the end of a watch: ended, silent, cut, gone, forbidden, missing or error."""
        ...

    def event(self, resource: str, kind: str) -> None:
        """Count a watch event: ADDED, MODIFIED, DELETED or BOOKMARK."""
        ...

    def undecodable(self, resource: str) -> None:
        """Count an object version that cannot be decoded."""
        ...

    def handler_failed(self, resource: str) -> None:
        """Count an exception that a handler let out."""
        ...

    def objects(self, resource: str, count: int) -> None:
        """Tell how many objects are kept."""
        ...

    def state(self, resource: str, namespace: str, state: str) -> None:
        """Tell a part's state; `namespace` is empty for a cluster-wide part."""
        ...


class NoInformerInstruments:
    """Counts nothing."""

    def listed(self, resource: str, seconds: float, objects: int) -> None:
        """Do nothing."""

    def watch_restarted(self, resource: str, reason: str) -> None:
        """Do nothing."""

    def event(self, resource: str, kind: str) -> None:
        """Do nothing."""

    def undecodable(self, resource: str) -> None:
        """Do nothing."""

    def handler_failed(self, resource: str) -> None:
        """Do nothing."""

    def objects(self, resource: str, count: int) -> None:
        """Do nothing."""

    def state(self, resource: str, namespace: str, state: str) -> None:
        """Do nothing."""
