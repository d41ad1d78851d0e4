"""How many requests to the API server a FlinkDeployment costs, counted by a proxy in front of it."""

import asyncio
from contextlib import asynccontextmanager

import attrs
import pytest
from fakes import kubeconfigs
from fakes.faultproxy import FaultProxy
from fakes.flinkuser import APP, FlinkDeployment
from fakes.programs import pause
from fakes.scene import Scene

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

MOST_FOR_A_START = 12
MOST_FOR_A_RESTART = 16
MOST_FOR_A_DELETION = 5
OWN = {"e2e/counted": "true"}


@attrs.frozen
class Counter:
    """An operator of its own, whose every request is seen."""

    proxy: FaultProxy
    cluster: FlinkDeployment

    def since_now(self):
        """Forget what was asked so far."""
        self.proxy.log.clear()

    def requests(self):
        """What was asked since, without the watches."""
        return [str(e) for e in self.proxy.log.exchanges if not e.request.watch]


@asynccontextmanager
async def counting(stage, place, folder):
    """Run an operator behind a counting proxy, for the resource that it yields alone."""
    async with FaultProxy(kubeconfigs.load(stage.plane.kubeconfig)) as proxy:
        scene = Scene(stage.plane, folder, sim_port=stage.sim_port)
        options = {
            "kubernetes.operator.label.selector": "e2e/counted",
            "kubernetes.operator.reconcile.interval": "1 s",
        }
        through = proxy.write_kubeconfig(folder / "kubeconfig")
        try:
            await asyncio.to_thread(
                scene.start_operator,
                "--namespace",
                place.namespace,
                kubeconfig=through,
                options=options,
            )
            yield Counter(proxy, place.flink("counted"))
        finally:
            await asyncio.to_thread(scene.stop_operator)


def wait_looks(cluster, more):
    """Wait until the operator has looked at Flink so many times more."""
    before = looks(cluster)
    while looks(cluster) < before + more:
        pause(0.1)


def looks(cluster):
    """How often Flink was asked for its jobs."""
    return cluster.sim()["calls"].get("GET /jobs/overview", 0)


async def test_few_requests_and_none_without_a_reason(stage, place, tmp_path):
    """Creation, steady state, restart, suspension and deletion, each within its budget."""
    async with counting(stage, place, tmp_path) as counted:
        cluster = counted.cluster
        # Each state seen on the way costs an Event and a status: here the job is there at once.
        no_delays = dict.fromkeys(("initializing", "created", "taskmanagers", "running"), 0)
        await asyncio.to_thread(cluster.order, delays=no_delays)
        counted.since_now()
        await asyncio.to_thread(cluster.create, APP, labels=OWN)
        await asyncio.to_thread(cluster.wait_stable)
        await asyncio.to_thread(cluster.wait_event, "JobStatusChanged", words="to RUNNING")
        created = counted.requests()
        assert len(created) <= MOST_FOR_A_START, "\n".join(created)

        counted.since_now()
        await asyncio.to_thread(wait_looks, cluster, 4)
        assert counted.requests() == []

        counted.since_now()
        generation = await asyncio.to_thread(cluster.change, restartNonce=1)
        await asyncio.to_thread(cluster.wait_stable, generation)
        await asyncio.to_thread(cluster.wait_event, "SpecChanged")
        restarted = counted.requests()
        assert len(restarted) <= MOST_FOR_A_RESTART, "\n".join(restarted)

        counted.since_now()
        await asyncio.to_thread(cluster.delete)
        await asyncio.to_thread(cluster.wait_nothing_left)
        deleted = counted.requests()
        assert len(deleted) <= MOST_FOR_A_DELETION, "\n".join(deleted)
