"""Runs short sessions with ZooKeeper in threads of its own."""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol, TypeVar

from attrs import define, field

from flinkop.zookeeper.ensemble import Ensemble
from flinkop.zookeeper.errors import LibraryMissing, Unavailable

T = TypeVar("T")

_SESSIONS: Final = 8
_PATIENCE: Final = 30.0
"""Seconds: twice what one session may take, because there may be others before it."""


class Nodes(Protocol):
    """What can be done in a session; `session.Session` is one."""

    def children(self, path: str) -> tuple[str, ...] | None:
        """Return the names of the nodes below `path`; None when there is no such node."""
        ...

    def delete(self, path: str) -> bool:
        """Delete one node; False when it has nodes below it."""
        ...


Work = Callable[[Nodes], T]
Open = Callable[[Ensemble], contextlib.AbstractContextManager[Nodes]]


def open_session(ensemble: Ensemble) -> contextlib.AbstractContextManager[Nodes]:
    """Return a session with `ensemble`, connected when it is entered.

    Raises:
        LibraryMissing: the optional package is not installed.
    """
    try:
        from flinkop.zookeeper import session  # noqa: PLC0415 - only where ZooKeeper is used
    except ImportError as error:
        raise LibraryMissing from error
    return session.Session(ensemble)


@define
class ZooKeeperClient:
    """Opens a session for each piece of work: they are rare, and few.

    At most so many at a time; threads of their own, because those of the event loop's look up the names of
    everything else, and a server that does not answer must not hold that up.
    """

    open: Open = open_session
    _threads: ThreadPoolExecutor = field(
        factory=lambda: ThreadPoolExecutor(_SESSIONS, thread_name_prefix="zookeeper")
    )

    async def run(self, ensemble: Ensemble, work: Work[T]) -> T:
        """Return what `work` returns, which is called in a thread with a session.

        `work` may still be going on in its thread when this gave up.

        Raises:
            ZooKeeperError: there is no answer.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_PATIENCE):
                return await loop.run_in_executor(self._threads, self._within, ensemble, work)
        except TimeoutError:
            raise Unavailable(f"ZooKeeper at {ensemble} does not answer") from None

    def _within(self, ensemble: Ensemble, work: Work[T]) -> T:
        with self.open(ensemble) as nodes:
            return work(nodes)
