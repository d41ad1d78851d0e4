"""What keeps a session with a ZooKeeper server short and small, whatever the server does.

The address comes from a user's spec, so the server may be anybody: slow, endless, or none at all. kazoo keeps
no limit of its own on how much it reads, and waits for its threads for ever.
"""

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Any, Final

from kazoo.handlers.threading import SequentialThreadingHandler

_AT_A_TIME: Final = 64 * 1024


class TooMuchError(OSError):
    """The server sends more than it may."""


class _LimitedSocket(socket.socket):
    """A connection that gives up when the session has received too much."""

    spend: Callable[[int], None]

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """Receive a piece; never makes room for what a server only announces."""
        chunk = super().recv(min(size, _AT_A_TIME), flags)
        self.spend(len(chunk))
        return chunk


class Guard(SequentialThreadingHandler):  # type: ignore[misc]
    """kazoo's threads and connections for one session, which ends them after `seconds`.

    Until `release` it counts what is received, at most `most_bytes`. Errors in the threads end the
    session and are told by that alone: a broken answer must not fill the log.
    """

    def __init__(self, seconds: float, most_bytes: int) -> None:
        super().__init__()
        self._left = most_bytes
        self._over = False
        self._open: list[socket.socket] = []
        self._alarm = threading.Timer(seconds, self.cut)
        self._alarm.daemon = True
        self._alarm.start()

    def spawn(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Start one of kazoo's threads."""
        return super().spawn(_silenced(func), *args, **kwargs)

    def create_connection(self, *args: Any, **kwargs: Any) -> socket.socket:
        """Connect, unless the time is over."""
        made = super().create_connection(*args, **kwargs)
        limited = _LimitedSocket(made.family, made.type, made.proto, fileno=made.detach())
        limited.spend = self._spend
        self._open.append(limited)
        if self._over:
            limited.close()
            raise TooMuchError("the session is over")
        return limited

    def cut(self) -> None:
        """End all connections, so that every thread that waits for one goes on."""
        self._over = True
        for one in list(self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def release(self) -> None:
        """The session has ended by itself."""
        self._alarm.cancel()

    def _spend(self, received: int) -> None:
        self._left -= received
        if self._left < 0:
            self._over = True
            raise TooMuchError("the server sends more than an answer may have")


def _silenced(func: Callable[..., Any]) -> Callable[..., None]:
    def run(*args: Any, **kwargs: Any) -> None:
        with contextlib.suppress(Exception):
            func(*args, **kwargs)

    return run
