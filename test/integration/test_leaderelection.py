"""Leader election on a real API server, through a network that fails."""

import asyncio
import contextlib

import pytest
from fakes.faultrules import CloseAfter, CloseBefore, Match

from flinkop.clock import SystemClock
from flinkop.kube import config
from flinkop.kube.client import KubeClient
from flinkop.kube.errors import FencedError
from flinkop.kube.meta import CONFIGMAPS, LEASES, ObjectKey
from flinkop.runtime.leaderelection import ElectionTimes, LeadershipLostError, LeaseElector
from flinkop.runtime.leasestore import KubeLeaseStore

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

TIMES = ElectionTimes(lease_duration=4, renew_deadline=2, retry_period=0.3)
LEASE_CALLS = Match(resource="leases")


class Replica:
    """A process as the election sees it: its own client, its own way to the API server."""

    def __init__(self, client, namespace, identity):
        self.client = client
        self.elector = LeaseElector(
            KubeLeaseStore(client, namespace, "lease"), identity, SystemClock(), times=TIMES
        )
        client.set_fence(self.elector.check)
        self.lost = False

    async def run(self):
        try:
            await self.elector.run()
        except LeadershipLostError:
            self.lost = True


@pytest.fixture
async def replicas(control_plane, proxy, namespace, tmp_path):
    """Two replicas: the first behind the proxy, the second with a way of its own."""
    path = proxy.write_kubeconfig(tmp_path / "kubeconfig")
    async with (
        KubeClient(await config.load(str(path))) as first,
        KubeClient(await config.load(str(control_plane.kubeconfig))) as second,
    ):
        yield Replica(first, namespace, "first"), Replica(second, namespace, "second")


@contextlib.asynccontextmanager
async def running(*replicas):
    """Run replicas, the first leading before the second begins, and watch that never two lead."""

    async def watch():
        while True:
            assert sum(replica.elector.is_leader for replica in replicas) <= 1
            await asyncio.sleep(0.01)

    async with asyncio.TaskGroup() as tasks:
        started = [tasks.create_task(watch())]
        for number, replica in enumerate(replicas):
            started.append(tasks.create_task(replica.run()))
            if number == 0:
                await replica.elector.wait_leading()
        yield started[1:]
        for task in started:
            task.cancel()


async def test_a_graceful_stop_hands_over(replicas, namespace):
    """The released Lease is taken within a look or two, and the transition is counted."""
    first, second = replicas
    async with running(*replicas) as tasks:
        await asyncio.sleep(1)
        tasks[0].cancel()
        async with asyncio.timeout(2):
            await second.elector.wait_leading()
    lease = await second.client.get(LEASES, ObjectKey(namespace, "lease"))
    assert lease["spec"]["leaseTransitions"] == 1
    assert lease["spec"]["holderIdentity"] in (None, "")  # released at the end
    assert not first.lost


@pytest.mark.parametrize("fault", [CloseBefore(), CloseAfter()])
async def test_a_cut_leader_stops_writing_and_is_followed(proxy, replicas, namespace, fault):
    """After a cut the leader's fence closes first; then the other leads; no write of the old one passes."""
    first, second = replicas
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    async with running(*replicas):
        await first.client.create(CONFIGMAPS, namespace, body)
        with proxy.fault(LEASE_CALLS, fault):
            async with asyncio.timeout(15):
                if isinstance(fault, CloseAfter):
                    # Its renewals arrive, so it keeps the Lease from others until it ends by itself.
                    while not first.lost:  # noqa: ASYNC110 - looks at the clock
                        await asyncio.sleep(0.01)
                await second.elector.wait_leading()
            assert first.lost
            with pytest.raises(FencedError):
                await first.client.delete(CONFIGMAPS, ObjectKey(namespace, "a"))
            await second.client.delete(CONFIGMAPS, ObjectKey(namespace, "a"))


async def test_a_short_cut_is_survived(proxy, replicas):
    """A leader that loses a few calls goes on leading."""
    first, second = replicas
    async with running(*replicas):
        for fault in (CloseBefore(), CloseAfter()):
            with proxy.fault(LEASE_CALLS, fault, times=2) as rule:
                await rule.wait_applied()
            await asyncio.sleep(1)
        assert first.elector.is_leader
        assert not second.elector.is_leader


async def test_many_candidates_one_leader(control_plane, namespace):
    """Ten that start together end up with one leader; a label set by somebody else disturbs nobody."""
    async with KubeClient(await config.load(str(control_plane.kubeconfig))) as client:
        electors = [
            LeaseElector(
                KubeLeaseStore(client, namespace, "lease"), f"r{n}", SystemClock(), times=TIMES
            )
            for n in range(10)
        ]
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(elector.run()) for elector in electors]
            await asyncio.sleep(1.5)
            key = ObjectKey(namespace, "lease")
            await client.merge_patch(LEASES, key, {"metadata": {"labels": {"a": "b"}}})
            await asyncio.sleep(1.5)
            leaders = [elector.identity for elector in electors if elector.is_leader]
            lease = await client.get(LEASES, key)
            assert leaders == [lease["spec"]["holderIdentity"]]
            assert lease["metadata"]["labels"] == {"a": "b"}
            for task in running:
                task.cancel()
