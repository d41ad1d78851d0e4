"""Virtual time."""

import asyncio
import time

import pytest
from fakes import virtualtime


@pytest.mark.virtual_time
async def test_an_hour_passes_at_once():
    """A long sleep moves the loop's time by exactly its length and takes no real time."""
    real = time.monotonic()
    loop = asyncio.get_running_loop()
    before = loop.time()
    await asyncio.sleep(3600)
    assert loop.time() - before == pytest.approx(3600)
    assert time.monotonic() - real < 5


@pytest.mark.virtual_time
async def test_timers_fire_in_order():
    """Timers set in any order fire by their moments."""
    fired = []

    async def fire(after):
        await asyncio.sleep(after)
        fired.append(after)

    async with asyncio.TaskGroup() as tasks:
        for after in (3, 1, 2, 0.5):
            tasks.create_task(fire(after))
    assert fired == [0.5, 1, 2, 3]


async def test_other_tests_keep_real_time():
    """A test without the marker runs on the usual loop."""
    assert not isinstance(asyncio.get_running_loop(), virtualtime.VirtualTimeLoop)


@pytest.mark.virtual_time
async def test_threads_are_waited_for():
    """A thread's answer arrives although no timer is set."""
    assert await asyncio.to_thread(lambda: 42) == 42


def test_a_deadlock_is_named(monkeypatch):
    """A wait that nothing can end raises instead of hanging."""
    monkeypatch.setattr(virtualtime.VirtualTimeLoop, "PATIENCE", 0.01)

    async def forever():
        await asyncio.Event().wait()

    loop = virtualtime.VirtualTimeLoop()
    task = loop.create_task(forever())
    with pytest.raises(virtualtime.DeadlockError):
        loop.run_until_complete(task)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(task)
    loop.close()


def test_run_returns_the_result():
    """`run` serves synchronous tests."""

    async def main():
        await asyncio.sleep(10)
        return asyncio.get_running_loop().time()

    assert virtualtime.run(main()) == pytest.approx(10)
