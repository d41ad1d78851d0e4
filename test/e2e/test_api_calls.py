"""How many requests to the API server a FlinkDeployment costs, counted by a proxy in front of it."""

import asyncio

import pytest
from fakes.countedoperator import OWN, counting
from fakes.flinkuser import APP
from fakes.programs import pause

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

MOST_FOR_A_START = 12
MOST_FOR_A_RESTART = 16
MOST_FOR_A_DELETION = 5


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
        cluster = place.flink("counted")
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
