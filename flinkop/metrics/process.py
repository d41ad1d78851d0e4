"""The reference's process series as far as their meaning carries over to Python (operations.md 2.7)."""

import functools
import gc
import os
import threading
import time
from pathlib import Path
from typing import Final

from flinkop.clock import Clock
from flinkop.metrics.scope import Scope
from flinkop.metrics.series import SeriesRegistry

_STATM: Final = Path("/proc/self/statm")
_CGROUP_LIMITS: Final = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
_UNLIMITED: Final = 1 << 60
"""Limits from here on mean "no limit": cgroup v1 has no word for it."""


class ProcessSeries:
    """Publishes memory, CPU, threads and garbage collections, read at each scrape.

    Args:
        registry: Where the series live.
        clock: Tells monotonic time, for the CPU load.
    """

    def __init__(self, registry: SeriesRegistry, clock: Clock) -> None:
        self._clock = clock
        self._last = (clock.monotonic(), time.process_time())
        self._load = 0.0
        self._cpus = os.cpu_count() or 1
        limit = memory_limit()
        for name, read in (
            ("CPU.Load", self._cpu_load),
            ("CPU.Time", lambda: float(time.process_time_ns())),
            ("Threads.Count", lambda: float(threading.active_count())),
            ("Memory.Heap.Used", resident_bytes),
            ("Memory.Heap.Committed", resident_bytes),
            ("Memory.Heap.Max", lambda: limit),
            ("GarbageCollector.All.Count", lambda: sum(map(collections, range(3)))),
        ):
            registry.reading(Scope.SYSTEM, f"Status.JVM.{name}", read)
        for generation in range(3):
            path = f"Status.JVM.GarbageCollector.gen{generation}.Count"
            registry.reading(Scope.SYSTEM, path, functools.partial(collections, generation))

    def _cpu_load(self) -> float:
        """Return this process's share of all CPUs since the last scrape, from 0 to 1."""
        now, used = self._clock.monotonic(), time.process_time()
        then, used_then = self._last
        if now > then:
            self._last = (now, used)
            self._load = min(1.0, (used - used_then) / ((now - then) * self._cpus))
        return self._load


def resident_bytes() -> float:
    """Return the resident memory of this process, 0 where /proc does not tell."""
    try:
        pages = int(_STATM.read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0.0
    return float(pages * os.sysconf("SC_PAGE_SIZE"))


def memory_limit() -> float:
    """Return the container's memory limit in bytes, -1 when there is none."""
    for path in _CGROUP_LIMITS:
        try:
            limit = int(path.read_text())
        except (OSError, ValueError):
            continue
        return float(limit) if limit < _UNLIMITED else -1.0
    return -1.0


def collections(generation: int) -> float:
    """Return how often the garbage collector ran for `generation`."""
    return float(gc.get_stats()[generation]["collections"])
