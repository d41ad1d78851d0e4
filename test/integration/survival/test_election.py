"""Two replicas: one dies or loses its lease, the other takes over, and nothing is done twice."""

import asyncio
import signal

import pytest
from fakes.faultrules import CloseBefore, Hold, Match
from fakes.survivalstage import LEASE_SECONDS, RENEW_SECONDS, USUAL_ELECTION, two_replicas

from flinkop.kube.meta import LEASES

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

LEASE = Match(resource="leases")
RENEWAL = Match(verb="update", resource="leases")
OWN_WRITES = Match(where=lambda r: r.write and r.resource != "leases")


def now():
    """Of the loop, as in the proxies' logs."""
    return asyncio.get_running_loop().time()


async def test_a_standby_takes_over_from_a_killed_leader(stage, tmp_path):
    """Its first write comes within the lease's duration and a second after the leader was killed."""
    async with two_replicas(stage, tmp_path) as (first, _, other):
        await stage.create("before")
        await stage.stable("before")
        first.signal(signal.SIGKILL)
        killed = now()
        await stage.create("after")
        (write, *_) = await other.log.wait_count(OWN_WRITES)
        assert write.started - killed < LEASE_SECONDS + 1
        await stage.stable("after")
        assert len(stage.uids("before")) == len(stage.uids("after")) == 1
        lease = await stage.client.get(LEASES, stage.key("lease"))
        assert lease["spec"]["holderIdentity"] == "second"


async def test_a_graceful_stop_hands_over_at_once(stage, tmp_path):
    """With the usual times of the election, the next leader's first write comes within a second."""
    async with two_replicas(stage, tmp_path, **USUAL_ELECTION) as (first, _, other):
        await stage.create("before")
        await stage.stable("before")
        first.signal(signal.SIGTERM)
        await first.until_said("Stopping")
        await stage.create("after")
        assert await first.until_ended() == 0
        released = stage.proxy.log.select(RENEWAL)[-1]
        assert released.request.json()["spec"]["holderIdentity"] == ""
        (write, *_) = await other.log.wait_count(OWN_WRITES)
        assert write.started - released.ended < 1
        await stage.stable("after")
        assert len(stage.uids("before")) == len(stage.uids("after")) == 1


@pytest.mark.parametrize(
    "held",
    [
        Match(verb="patch", resource="flinkdeployments", subresource="status"),
        Match(verb="create", resource="deployments"),
        Match(verb="create", resource="configmaps"),
    ],
    ids=["status", "deployment", "configmap"],
)
async def test_a_leader_loses_its_lease_in_the_middle_of_a_reconcile(stage, tmp_path, held):
    """It writes nothing more and ends; what it had sent arrives late and spoils nothing."""
    log = stage.proxy.log
    names = [f"n{number}" for number in range(5)]
    async with two_replicas(stage, tmp_path) as (first, second, _):
        rule = stage.proxy.add(held, Hold(), times=2)
        await stage.create(names[0])
        await stage.create(names[1])
        await rule.wait_applied(2)
        with stage.proxy.fault(LEASE, CloseBefore()):
            renewed = max(e.started for e in log.select(RENEWAL) if e.status == 200)
            for name in names[2:]:
                await stage.create(name)
            assert await first.until_ended() == 1
            await stage.stable(*names)
        late = [e for e in log.select(held) if "Hold" in e.faults]
        stage.proxy.remove(rule)
        await log.wait_for(lambda _: all(e.ended is not None for e in late))
        assert {e.upstream_status for e in late} == {409}
        assert all(e.started < renewed + RENEW_SECONDS + 0.2 for e in log.select(OWN_WRITES))
        assert second.code is None
        for name in names:
            assert len(stage.uids(name)) == 1
            assert [run["job_id"] for run in stage.runs(name)] == [
                stage.witness.status(name)["jobStatus"]["jobId"]
            ]
        assert stage.sim.world.summary()["doubled"] == 0
