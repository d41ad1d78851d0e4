"""Keeps the garbage collector from pausing the process for what lives as long as the process.

A full collection looks at every tracked container. With full caches that takes hundreds of milliseconds
(client-pitfalls.md 6: 663 ms for 10,000 objects kept as dicts), long enough to endanger a Lease. So:

- after the caches are synced everything alive is frozen: later collections pass over it;
- the youngest generation is collected less often: a burst of events allocates much and leaves no cycles.

Frozen objects are still freed when nothing refers to them; only cycles among them would stay for ever.
"""

import contextlib
import gc
import time
from collections.abc import Callable, Iterator
from typing import Any

from flinkop.runtime import queue_instruments

THRESHOLDS = (20_000, 20, 50)
"""Allocations before a collection of the youngest generation, and how many of those before the next ones."""


def set_thresholds() -> None:
    """Collect less often than by default; to be called once at start."""
    gc.set_threshold(*THRESHOLDS)


def freeze() -> int:
    """Collect once and exempt all that is alive; return how many objects are exempt now."""
    gc.collect()
    gc.freeze()
    return gc.get_freeze_count()


@contextlib.contextmanager
def measured(
    instruments: queue_instruments.LoopInstruments,
    monotonic: Callable[[], float] = time.perf_counter,
) -> Iterator[None]:
    """Report the length of every collection while the context lasts."""
    started = 0.0

    def on_collection(phase: str, info: dict[str, Any]) -> None:
        nonlocal started
        if phase == "start":
            started = monotonic()
        else:
            instruments.collected(info["generation"], monotonic() - started)

    gc.callbacks.append(on_collection)
    try:
        yield
    finally:
        gc.callbacks.remove(on_collection)
