"""What the machinery counts, as small Protocols with defaults that do nothing.

The machinery imports no metrics library; `flinkop.metrics` fills these for Prometheus. Calls are made
on the event loop, must be cheap and must not raise. Durations are seconds.
"""

from typing import Protocol

from flinkop.kube.instruments import ClientInstruments, NoClientInstruments

__all__ = [
    "ClientInstruments",
    "ControllerInstruments",
    "InformerInstruments",
    "LeaderInstruments",
    "NoClientInstruments",
    "NoControllerInstruments",
    "NoInformerInstruments",
    "NoLeaderInstruments",
    "NoQueueInstruments",
    "QueueInstruments",
]


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


class QueueInstruments(Protocol):
    """Told about a workqueue. `queue` is its name, `lane` is `user` or `resync`."""

    def depth(self, queue: str, lane: str, count: int) -> None:
        """Tell how many requests are ready."""
        ...

    def added(self, queue: str, lane: str) -> None:
        """Count a request that became ready."""
        ...

    def waited(self, queue: str, lane: str, seconds: float) -> None:
        """Observe the time from ready to taken."""
        ...

    def worked(self, queue: str, seconds: float) -> None:
        """Observe the time from taken to done."""
        ...

    def retried(self, queue: str) -> None:
        """Count a rate-limited request."""
        ...


class ControllerInstruments(Protocol):
    """Told about reconciles."""

    def reconciled(self, controller: str, result: str, seconds: float) -> None:
        """Count one reconcile: success, requeue_after, error, terminal, timeout or panic."""
        ...

    def active(self, controller: str, workers: int) -> None:
        """Tell how many workers are busy."""
        ...

    def loop_paused(self, seconds: float) -> None:
        """Observe by how much the event loop was late: one worker must not stop the others."""
        ...


class LeaderInstruments(Protocol):
    """Told about a leader election. `lease` is namespace/name of the Lease."""

    def leading(self, lease: str, *, leading: bool) -> None:
        """Tell whether this process leads."""
        ...

    def renewed(self, lease: str, seconds: float) -> None:
        """Observe a successful renewal."""
        ...

    def renewal_failed(self, lease: str, reason: str) -> None:
        """Count a failed renewal."""
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


class NoQueueInstruments:
    """Counts nothing."""

    def depth(self, queue: str, lane: str, count: int) -> None:
        """Do nothing."""

    def added(self, queue: str, lane: str) -> None:
        """Do nothing."""

    def waited(self, queue: str, lane: str, seconds: float) -> None:
        """Do nothing."""

    def worked(self, queue: str, seconds: float) -> None:
        """Do nothing."""

    def retried(self, queue: str) -> None:
        """Do nothing."""


class NoControllerInstruments:
    """Counts nothing."""

    def reconciled(self, controller: str, result: str, seconds: float) -> None:
        """Do nothing."""

    def active(self, controller: str, workers: int) -> None:
        """Do nothing."""

    def loop_paused(self, seconds: float) -> None:
        """Do nothing."""


class NoLeaderInstruments:
    """Counts nothing."""

    def leading(self, lease: str, *, leading: bool) -> None:
        """Do nothing."""

    def renewed(self, lease: str, seconds: float) -> None:
        """Do nothing."""

    def renewal_failed(self, lease: str, reason: str) -> None:
        """Do nothing."""
