"""One short session with an ensemble: what nodes there are, and away with some; blocking.

Not for the event loop: `client` runs it in a thread.
"""

import contextlib
import logging
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final, Self

from attrs import frozen
from kazoo import exceptions
from kazoo.client import KazooClient
from kazoo.handlers.threading import KazooTimeoutError

from flinkop.zookeeper.ensemble import Ensemble
from flinkop.zookeeper.errors import Denied, Unavailable, ZooKeeperError
from flinkop.zookeeper.guard import Guard

# A logger of its own: a server of somebody's choice must not fill the operator's log.
_SILENT: Final = logging.Logger("kazoo", logging.CRITICAL + 1)  # noqa: LOG001
_BROKEN: Final = (
    KazooTimeoutError,
    exceptions.ConnectionLoss,
    exceptions.OperationTimeoutError,
    exceptions.SessionExpiredError,
)


@frozen
class Limits:
    """How long a session may take, and how much it may receive.

    Attributes:
        attempt: seconds for a connection to one server; servers that are down cost as much each.
        connect: seconds until some server has to have answered.
        total: seconds for all of it.
        most_bytes: bytes for all of it.
    """

    attempt: float = 3.0
    connect: float = 5.0
    total: float = 12.0
    most_bytes: int = 8 * 1024 * 1024


LIMITS: Final = Limits()


class Session:
    """A session; use it in a `with` block.

    What it reads is not older than the start of the session: the server it is connected to catches up
    with its leader first. All methods raise ZooKeeperError when there is no answer.
    """

    def __init__(self, ensemble: Ensemble, limits: Limits = LIMITS) -> None:
        self._ensemble = ensemble
        self._until = time.monotonic() + limits.total
        self._guard = Guard(limits.total, limits.most_bytes)
        try:
            self._client = KazooClient(
                hosts=str(ensemble),
                timeout=limits.attempt,
                handler=self._guard,
                auth_data=set(ensemble.credentials),
                logger=_SILENT,
                connection_retry={"max_tries": -1, "delay": 0.1, "max_delay": 1.0},
            )
        except ValueError as error:
            self._guard.release()
            raise ZooKeeperError(
                f"{ensemble} names no ZooKeeper servers. Write host:port, separated by commas"
            ) from error
        self._connect = limits.connect

    def __enter__(self) -> Self:
        try:
            with self._known():
                self._client.start(self._connect)
                self._answer(self._client.sync_async("/"))
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def children(self, path: str) -> tuple[str, ...] | None:
        """Return the names of the nodes below `path`, sorted; None when there is no such node."""
        with self._known():
            try:
                return tuple(sorted(self._answer(self._client.get_children_async(path))))
            except exceptions.NoNodeError:
                return None

    def delete(self, path: str) -> bool:
        """Delete one node; False when it has nodes below it. One that is gone already is no error."""
        with self._known(), contextlib.suppress(exceptions.NoNodeError):
            try:
                self._answer(self._client.delete_async(path))
            except exceptions.NotEmptyError:
                return False
        return True

    def _answer(self, asked: Any) -> Any:
        return asked.get(block=True, timeout=max(self._until - time.monotonic(), 0.01))

    @contextlib.contextmanager
    def _known(self) -> Iterator[None]:
        """Turn kazoo's errors into ours."""
        try:
            yield
        except _BROKEN:
            # What exactly failed is not told: see `errors`.
            raise Unavailable(f"ZooKeeper at {self._ensemble} does not answer") from None
        except exceptions.NoAuthError:
            raise Denied(
                f"ZooKeeper at {self._ensemble} does not let the operator see or delete the job's nodes. "
                "Give it access, or set high-availability.zookeeper.client.authorization"
            ) from None
        except exceptions.KazooException as error:
            raise ZooKeeperError(
                f"ZooKeeper at {self._ensemble} refuses: {type(error).__name__}"
            ) from error

    def _close(self) -> None:
        """End the session; the answers are there already, so what goes wrong now does not matter."""
        with contextlib.suppress(Exception):
            self._client.stop()
            self._client.close()
        self._guard.cut()
        self._guard.release()
