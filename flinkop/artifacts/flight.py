"""One piece of work whose result many wait for; it is given up when nobody waits any more."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")


class Flight(Generic[T]):
    """A fetch for all who board before it leaves: what it brings is not older than their wish for it.

    Each of those who wait gets a share of its own at the moment of landing.
    """

    def __init__(self, share: Callable[[T], None], unshare: Callable[[T], None]) -> None:
        """Make a flight.

        Args:
            share: notes one more user of the result.
            unshare: notes one less, for somebody who was cancelled at the moment of landing.
        """
        self._share = share
        self._unshare = unshare
        self._boarding = True
        self._done = asyncio.Event()
        self._result: T | None = None
        self._error: Exception | None = None
        self._origin: TracebackType | None = None
        self._waiting = 0
        self._task: asyncio.Task[None] | None = None

    @property
    def is_boarding(self) -> bool:
        """Whether one more may wait for it."""
        return self._boarding

    def start(self, task: "asyncio.Task[None]") -> None:
        """Note who does the work; a task that ends in any other way than `land` or `fail` is a failure."""
        self._task = task
        task.add_done_callback(self._ended)

    def leave(self) -> None:
        """Take nobody else along."""
        self._boarding = False

    def land(self, result: T) -> None:
        """End well."""
        for _ in range(self._waiting):
            self._share(result)
        self._result = result
        self._done.set()

    def fail(self, error: Exception) -> None:
        """End badly, for all who wait."""
        self._error = error
        self._origin = error.__traceback__
        self._done.set()

    async def wait(self) -> T:
        """Return the result, of which the caller holds a share.

        Raises:
            Exception: what the work failed with.
        """
        self._waiting += 1
        try:
            await self._done.wait()
        except asyncio.CancelledError:
            self._get_off()
            raise
        finally:
            self._waiting -= 1
        if self._error is not None:
            raise self._error.with_traceback(self._origin)  # others raise it too
        assert self._result is not None  # noqa: S101 - landed
        return self._result

    def _get_off(self) -> None:
        if self._result is not None:
            self._unshare(self._result)
        elif self._waiting == 1 and self._task is not None:
            self._boarding = False  # nobody may join what is being given up
            self._task.cancel()

    def _ended(self, _task: "asyncio.Task[None]") -> None:
        self._boarding = False
        if not self._done.is_set():
            self.fail(RuntimeError("the store of jars is closed"))
