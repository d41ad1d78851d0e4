"""Sharing out the disk."""

import asyncio

import pytest

from flinkop.artifacts.budget import Budget

pytestmark = pytest.mark.virtual_time


async def nothing():
    """No room to be made."""
    return False


async def test_waiting_in_line():
    """Who comes first is served first, a small wish behind a large one too."""
    budget = Budget(10, nothing)
    served = []

    async def want(count):
        await budget.take(count)
        served.append(count)

    await budget.take(6)
    async with asyncio.TaskGroup() as group:
        for count in (8, 1):
            group.create_task(want(count))
        await asyncio.sleep(1)
        assert served == []
        budget.give_back(6)
        await asyncio.sleep(1)
        assert served == [8, 1]
    assert budget.free == 1


async def test_making_room():
    """What nobody uses goes before anybody waits, as much as is needed and no more."""
    held = [3, 3, 3]

    async def evict():
        if not held:
            return False
        budget.give_back(held.pop())
        return True

    budget = Budget(10, evict)
    await budget.take(9)
    await budget.take(4)
    assert held == [3, 3][:2]
    assert budget.free == 0


async def test_a_cancelled_wish():
    """Who gives up lets the next one come."""
    budget = Budget(10, nothing)
    await budget.take(10)
    async with asyncio.TaskGroup() as group:
        first = group.create_task(budget.take(10))
        second = group.create_task(budget.take(2))
        await asyncio.sleep(1)
        first.cancel()
        budget.give_back(5)
        await asyncio.sleep(1)
        assert second.done()
    assert budget.free == 3


async def test_looking_again():
    """Who waits hears of something that is not used any more."""
    idle = []

    async def evict():
        if not idle:
            return False
        budget.give_back(idle.pop())
        return True

    budget = Budget(5, evict)
    await budget.take(5)
    async with asyncio.TaskGroup() as group:
        waits = group.create_task(budget.take(5))
        await asyncio.sleep(1)
        assert not waits.done()
        idle.append(5)
        budget.look_again()
