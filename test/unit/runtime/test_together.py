"""Manager, election, queue and controller as one process has them."""

import asyncio

import pytest
from fakes.leases import LeaseServer, LoopClock, Network

from flinkop.kube.errors import FencedError
from flinkop.runtime.controller import Controller
from flinkop.runtime.leaderelection import LeaseElector
from flinkop.runtime.manager import Manager, Runnable
from flinkop.runtime.result import Request, Result
from flinkop.runtime.workqueue import WorkQueue

pytestmark = pytest.mark.virtual_time


class Process:
    """A replica whose reconcile writes once a second for `steps` seconds, through the fence."""

    def __init__(self, server, identity, writes, steps=3, **kwargs):
        self.identity = identity
        self.network = Network(server)
        self.elector = LeaseElector(self.network, identity, LoopClock(), **kwargs)
        self.queue = WorkQueue(jitter=0)
        self.controller = Controller("job", self.queue, self.reconcile)
        self.writes = writes
        self.steps = steps
        self.exit_code = None
        self.manager = Manager(signals=())
        self.manager.add(
            "election",
            Runnable("lease", self.elector.run, ready=self.elector.wait_leading),
        )
        self.manager.add(
            "controllers", Runnable("job", self.controller.run, stop=self.controller.stop)
        )

    async def reconcile(self, request):
        for step in range(self.steps):
            self.elector.check()
            self.writes.append((now(), self.identity, request.name, step))
            await asyncio.sleep(1)
        return Result(requeue_after=1)

    async def run(self):
        for n in range(5):
            self.queue.add(Request("ns", str(n)))
        self.exit_code = await self.manager.run()


def now():
    return asyncio.get_running_loop().time()


def by(writes, identity):
    return [moment for moment, who, _, _ in writes if who == identity]


async def test_a_standby_queues_and_works_when_its_turn_comes():
    """A standby's requests wait in its queue; after the leader's graceful stop it works at once."""
    server, writes = LeaseServer(), []
    first, second = Process(server, "first", writes), Process(server, "second", writes)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(first.run())
        await asyncio.sleep(0.1)
        tasks.create_task(second.run())
        await asyncio.sleep(20)
        assert by(writes, "first")
        assert not by(writes, "second")
        stopped = now()
        first.manager.stop("rolling update")
        await asyncio.sleep(20)
        second.manager.stop("end")
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert max(by(writes, "first")) < min(by(writes, "second"))
    assert min(by(writes, "second")) - stopped < 3 + 2 * 2.2  # its longest run, then one look


async def test_a_lease_lost_in_the_middle_of_a_run_ends_the_process():
    """The run is cancelled, nothing is written afterwards, the exit code is 1 (L-12)."""
    server, writes = LeaseServer(), []
    first = Process(server, "first", writes, steps=10_000)
    second = Process(server, "second", writes)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(first.run())
        await asyncio.sleep(0.1)
        tasks.create_task(second.run())
        await asyncio.sleep(10)
        cut = now()
        first.network.lose = "request"
        await asyncio.sleep(40)
        assert first.exit_code == 1
        second.manager.stop("end")
    assert max(by(writes, "first")) <= cut + 10
    assert min(by(writes, "second")) > max(by(writes, "first")) + 3
    assert first.queue.statistics().processing == 0


async def test_a_fenced_run_is_not_an_error_of_the_object():
    """A FencedError reaches no error hook, since that would write too."""
    told = []

    async def hook(request, error):
        told.append(error)

    async def reconcile(request):
        raise FencedError("not leading")

    queue = WorkQueue(jitter=0)
    controller = Controller("job", queue, reconcile, on_error=hook)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(controller.run())
        queue.add(Request("ns", "a"))
        await asyncio.sleep(1)
        await controller.stop()
    assert told == []
    assert queue.statistics().failing == 0
