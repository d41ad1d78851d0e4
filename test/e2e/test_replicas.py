"""Two operators and one lease, as processes: the leader is killed, and the other takes over where it was."""

import asyncio
import signal

import pytest
from fakes.flinkuser import stateful
from fakes.operators import Setup, apart

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

OWN = {"e2e/counted": "true"}
OPTIONS = {
    "kubernetes.operator.label.selector": "e2e/counted",
    "kubernetes.operator.leader-election.lease-duration": "4 s",
    "kubernetes.operator.leader-election.renew-deadline": "3 s",
    "kubernetes.operator.leader-election.retry-period": "500 ms",
}
LEASE = "flink-operator-lease"


def replica(stage, place, folder, identity):
    """One of the two."""
    return Setup(
        kubeconfig=stage.plane.kubeconfig,
        rest_template=stage.rest_template,
        conf_dir=folder / identity,
        namespaces=[place.namespace],
        conf=OPTIONS,
        lease=LEASE,
        lease_namespace=place.namespace,
        identity=identity,
    )


def holder(place):
    """Who holds the lease."""
    leases = f"/apis/coordination.k8s.io/v1/namespaces/{place.namespace}/leases"
    return place.api.get(f"{leases}/{LEASE}")["spec"]["holderIdentity"]


async def test_the_leader_is_killed(stage, place, tmp_path):
    """The other one looks after the job that is there, and restarts nothing."""
    cluster = place.flink()
    idle = f"[{place.namespace}/{cluster.name}] Resource fully reconciled, nothing to do"
    async with apart(replica(stage, place, tmp_path, "first")) as first:
        await first.until_said("Up: controllers")
        async with apart(replica(stage, place, tmp_path, "second")) as second:
            await second.until_said("Up: caches")
            await asyncio.to_thread(cluster.create, stateful("last-state"), labels=OWN)
            await asyncio.to_thread(cluster.wait_stable)
            await first.until_said(idle)
            assert await asyncio.to_thread(holder, place) == "first"
            former = await asyncio.to_thread(lambda: cluster.uid)
            first.signal(signal.SIGKILL)
            await second.until_said(idle)
            assert await asyncio.to_thread(holder, place) == "second"
            generation = await asyncio.to_thread(cluster.change, restartNonce=1)
            await asyncio.to_thread(cluster.wait_stable, generation)
            assert await asyncio.to_thread(lambda: cluster.uid) != former
            runs = await asyncio.to_thread(cluster.runs)
            assert [run["lost"] for run in runs] == [0, 0]
            await asyncio.to_thread(cluster.delete)
            await asyncio.to_thread(cluster.wait_nothing_left)
