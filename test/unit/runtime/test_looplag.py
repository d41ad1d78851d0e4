"""The monitor of the event loop's pauses, and what is done against the collector's."""

import asyncio
import gc
import time

import pytest
import structlog

from flinkop.runtime import gcpolicy, looplag


class Seen:
    def __init__(self):
        self.pauses = []
        self.collections = []

    def paused(self, seconds):
        self.pauses.append(seconds)

    def collected(self, generation, seconds):
        self.collections.append((generation, seconds))


def block(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


async def watch(monitor):
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(monitor.run())
        await asyncio.sleep(0.02)
        block(0.05)
        await asyncio.sleep(0.25)
        task.cancel()


@pytest.mark.parametrize("factory", [looplag.MeasuredLoop, asyncio.SelectorEventLoop])
def test_a_blocked_loop_is_seen(factory):
    """A callback that blocks shows up as a pause, exactly on a measured loop and roughly on any other."""
    seen = Seen()
    monitor = looplag.LoopMonitor(seen, interval=0.1, warn_above=0.01)
    with structlog.testing.capture_logs() as logs, asyncio.Runner(loop_factory=factory) as runner:
        runner.run(watch(monitor))
    if factory is looplag.MeasuredLoop:
        assert monitor.longest >= 0.05
        assert any("blocked" in line["event"] for line in logs)
    assert max(seen.pauses) == monitor.longest


def test_the_longest_pause_is_taken_once():
    """Taking the pause begins a new interval."""
    times = iter([0.0, 3.0, 3.0, 4.0, 4.0])
    selector = looplag.PauseSelector(lambda: next(times))
    for _ in range(3):
        selector.select(0)
    selector.close()
    assert selector.take_longest() == 3.0
    assert selector.take_longest() == 0.0


@pytest.fixture
def collector():
    """Leave the collector as it was."""
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


def test_freezing(collector):
    """What is alive is exempt afterwards, and counted."""
    assert gcpolicy.freeze() == gc.get_freeze_count() > 1000


def test_thresholds_and_measuring(collector):
    """Collections become rarer and are reported."""
    gcpolicy.set_thresholds()
    assert gc.get_threshold()[0] == 20_000
    seen = Seen()
    with gcpolicy.measured(seen):
        gc.collect()
    gc.collect()
    assert [generation for generation, _ in seen.collections] == [2]
