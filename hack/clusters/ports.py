"""Free TCP ports for a cluster's components."""

import random
import socket
from pathlib import Path

_BELOW_EPHEMERAL = range(12_000, 32_000)
"""Where connections do not get their local ports from, on Linux and macOS: a port chosen here stays
free while the API server is down for a restart."""
_RANGE_FILE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free(count: int, taken: set[int]) -> list[int]:
    """`count` ports that nobody listens on, none of them in `taken`; all held until the last is.

    Another process may still take one before the component does: start again with others then.
    """
    chosen: list[int] = []
    sockets: list[socket.socket] = []
    try:
        for _ in range(200 * count):
            if len(chosen) == count:
                break
            port = random.choice(_candidates())  # noqa: S311 (a port, not a secret)
            held = None if port in taken or port in chosen else _hold(port)
            if held:
                sockets.append(held)
                chosen.append(port)
        while len(chosen) < count:
            held = _hold(0)
            if held:
                sockets.append(held)
                chosen.append(held.getsockname()[1])
    finally:
        for held in sockets:
            held.close()
    return chosen


def _candidates() -> range:
    try:
        low = int(_RANGE_FILE.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return _BELOW_EPHEMERAL
    if low > _BELOW_EPHEMERAL.start + 1000:
        return range(_BELOW_EPHEMERAL.start, min(low, _BELOW_EPHEMERAL.stop))
    return _BELOW_EPHEMERAL


def _hold(port: int) -> socket.socket | None:
    candidate = socket.socket()
    try:
        candidate.bind(("127.0.0.1", port))
    except OSError:
        candidate.close()
        return None
    return candidate
