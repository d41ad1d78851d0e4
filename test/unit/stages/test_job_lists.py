"""Lists of jobs: asked for once for all."""

import asyncio

import pytest
from fakes.deployments import OLD_ID, job

from flinkop.flink.address import Cluster
from flinkop.flink.errors import Unreachable
from flinkop.stages.job_lists import JobLists

pytestmark = pytest.mark.virtual_time

HERE, THERE = Cluster("ns", "here"), Cluster("ns", "there")


class Flink:
    """A cluster that takes a second to answer, and counts how often it was asked."""

    def __init__(self, error=None):
        self.asked = 0
        self.error = error

    async def jobs(self):
        self.asked += 1
        await asyncio.sleep(1)
        if self.error is not None:
            raise self.error
        return (job(),)


async def test_all_who_ask_at_once_share_an_answer():
    """One call, whatever the number of jobs."""
    lists, flink = JobLists(), Flink()
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(lists.read(HERE, flink.jobs, max_age=0.5)) for _ in range(100)]
    assert all(list(one.result()) == [OLD_ID] for one in asked)
    assert flink.asked == 1


async def test_an_answer_serves_for_as_long_as_the_caller_allows():
    """Its age counts from when it was asked for."""
    lists, flink = JobLists(), Flink()
    await lists.read(HERE, flink.jobs, max_age=5)
    await asyncio.sleep(3)
    await lists.read(HERE, flink.jobs, max_age=5)
    assert flink.asked == 1
    await lists.read(HERE, flink.jobs, max_age=3)
    assert flink.asked == 2
    await lists.read(THERE, flink.jobs, max_age=5)
    assert flink.asked == 3


async def test_who_needs_it_new_asks_anew():
    """An answer that is on its way may be too old already."""
    lists, flink = JobLists(), Flink()
    async with asyncio.TaskGroup() as group:
        group.create_task(lists.read(HERE, flink.jobs, max_age=5))
        await asyncio.sleep(0.5)
        group.create_task(lists.read(HERE, flink.jobs, max_age=0))
    assert flink.asked == 2


async def test_a_failure_is_shared_too():
    """A JobManager that hangs is not asked by each of its jobs."""
    lists, flink = JobLists(), Flink(Unreachable("refused", sent=False))

    async def read():
        with pytest.raises(Unreachable):
            await lists.read(HERE, flink.jobs, max_age=5)

    async with asyncio.TaskGroup() as group:
        for _ in range(10):
            group.create_task(read())
    assert flink.asked == 1


async def test_one_who_gives_up_does_not_take_the_others_along():
    """The next of them asks in his place."""
    lists, flink = JobLists(), Flink()
    first = asyncio.get_running_loop().create_task(lists.read(HERE, flink.jobs, max_age=5))
    await asyncio.sleep(0.5)
    async with asyncio.TaskGroup() as group:
        second = group.create_task(lists.read(HERE, flink.jobs, max_age=5))
        third = group.create_task(lists.read(HERE, flink.jobs, max_age=5))
        await asyncio.sleep(0.1)
        third.cancel()
        await asyncio.sleep(0.1)
        first.cancel()
    assert list(second.result()) == [OLD_ID]
    assert flink.asked == 2


async def test_old_lists_are_dropped():
    """Of clusters that nobody asks for any more nothing is kept."""
    lists, flink = JobLists(), Flink()
    await lists.read(HERE, flink.jobs, max_age=5)
    await asyncio.sleep(200)
    await lists.read(THERE, flink.jobs, max_age=5)
    assert list(lists._looks) == [THERE]
