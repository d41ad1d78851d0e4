"""An event loop whose time jumps to the next timer when nothing is ready.

A test of an hour's waiting takes no time, and two runs of it are equal. `loop.time()` starts at 0 and
moves only by jumps, so a test can assert that exactly 5 seconds, or none, have passed.

Meant for code that waits on timers and on other tasks. A thread or a socket that is still busy does not
stop time from jumping; tests that do real I/O use the ordinary loop.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class DeadlockError(Exception):
    """No timer is set and nothing is ready: the test would wait for ever."""


class _JumpingSelector(selectors.BaseSelector):
    """Never blocks: polls the real selector, then lets `jump` move the time."""

    def __init__(self, jump: Callable[[float | None], None]) -> None:
        self._real = selectors.DefaultSelector()
        self._jump = jump

    def register(self, fileobj, events, data=None):
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj):
        return self._real.unregister(fileobj)

    def modify(self, fileobj, events, data=None):
        return self._real.modify(fileobj, events, data)

    def select(self, timeout=None):
        ready = self._real.select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            # A thread may still call in (an executor, a subprocess watcher): real time for that.
            ready = self._real.select(VirtualTimeLoop.PATIENCE)
            if ready:
                return ready
        self._jump(timeout)
        return []

    def close(self) -> None:
        self._real.close()

    def get_map(self):
        return self._real.get_map()

    def get_key(self, fileobj):
        return self._real.get_key(fileobj)


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A selector loop with a clock of its own, in seconds from 0."""

    PATIENCE = 2.0
    """Real seconds to wait for threads before a wait without any timer counts as a deadlock."""

    def __init__(self) -> None:
        self._virtual = 0.0
        super().__init__(_JumpingSelector(self._on_jump))

    def time(self) -> float:
        """Return virtual seconds since the loop was made."""
        return self._virtual

    def _on_jump(self, timeout: float | None) -> None:
        if timeout is None:
            msg = "Nothing is ready and no timer is set: this would wait for ever."
            raise DeadlockError(msg)
        self._virtual += timeout


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` to its end in virtual time: for synchronous tests, such as hypothesis properties."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
