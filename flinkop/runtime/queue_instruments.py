"""What queue, controller, election and event loop report, as Protocols with defaults that do nothing.

The machinery imports no metrics library; whoever wants numbers hands in an object of these shapes.
"""

from typing import Protocol

from flinkop.runtime.result import Lane


class QueueInstruments(Protocol):
    """Counts what passes through a workqueue; depth and ages are read from `statistics()`."""

    def added(self, lane: Lane) -> None:
        """Note a request that became ready, after merging duplicates."""
        ...

    def waited(self, lane: Lane, seconds: float) -> None:
        """Note how long a request was ready before a worker took it."""
        ...

    def worked(self, seconds: float) -> None:
        """Note how long a worker held a request."""
        ...

    def retried(self) -> None:
        """Note a rate-limited retry."""
        ...


class ControllerInstruments(Protocol):
    """Counts reconciles."""

    def started(self, controller: str) -> None:
        """Note that a reconcile began."""
        ...

    def reconciled(self, controller: str, namespace: str, result: str, seconds: float) -> None:
        """Note the end of a reconcile.

        `result` is one of success, requeue, requeue_after, error, retry, terminal, fenced, timeout, cancelled.
        """
        ...


class ElectionInstruments(Protocol):
    """Tells who leads and how renewals go."""

    def leading(self, leads: bool) -> None:  # noqa: FBT001 - a gauge's value
        """Note that this process began or ceased to lead."""
        ...

    def renewed(self, seconds: float) -> None:
        """Note a renewal that succeeded and how long its request took."""
        ...

    def renewal_failed(self) -> None:
        """Note a renewal that failed."""
        ...


class LoopInstruments(Protocol):
    """Tells how long the event loop was deaf."""

    def paused(self, seconds: float) -> None:
        """Note the longest pause of the event loop since the last report."""
        ...

    def collected(self, generation: int, seconds: float) -> None:
        """Note a run of the garbage collector."""
        ...


class NoQueueInstruments:
    """Counts nothing."""

    def added(self, lane: Lane) -> None:
        """Do nothing."""

    def waited(self, lane: Lane, seconds: float) -> None:
        """Do nothing."""

    def worked(self, seconds: float) -> None:
        """Do nothing."""

    def retried(self) -> None:
        """Do nothing."""


class NoControllerInstruments:
    """Counts nothing."""

    def started(self, controller: str) -> None:
        """Do nothing."""

    def reconciled(self, controller: str, namespace: str, result: str, seconds: float) -> None:
        """Do nothing."""


class NoElectionInstruments:
    """Counts nothing."""

    def leading(self, leads: bool) -> None:  # noqa: FBT001 - a gauge's value
        """Do nothing."""

    def renewed(self, seconds: float) -> None:
        """Do nothing."""

    def renewal_failed(self) -> None:
        """Do nothing."""


class NoLoopInstruments:
    """Counts nothing."""

    def paused(self, seconds: float) -> None:
        """Do nothing."""

    def collected(self, generation: int, seconds: float) -> None:
        """Do nothing."""


NO_QUEUE: QueueInstruments = NoQueueInstruments()
NO_CONTROLLER: ControllerInstruments = NoControllerInstruments()
NO_ELECTION: ElectionInstruments = NoElectionInstruments()
NO_LOOP: LoopInstruments = NoLoopInstruments()
