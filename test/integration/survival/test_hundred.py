"""The process ends while a hundred reconciles are under way, stuck at every step there is."""

import asyncio
import signal

import aiohttp
import attrs
import pytest
from fakes.faultrules import Hold, Match
from fakes.operators import apart
from fakes.scrape import Scrape
from fakes.survivalstage import USUAL_ELECTION, two_replicas

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

TERMINATION_SECONDS = 30.0
"""A few seconds are needed; a busy machine gets more."""
PARALLEL = {
    "kubernetes.operator.reconcile.parallelism": "100",
    "kubernetes.operator.termination.timeout": f"{TERMINATION_SECONDS:.0f} s",
}
BUSY_SECONDS = 2.0
"""For the handover while everything else is at work; `test_election` asks for more in quieter times."""
IN_FLIGHT = 64
"""Requests that the operator has under way at most; the rest of the hundred waits for its turn."""
RENEWAL = Match(verb="update", resource="leases")
OWN_WRITES = Match(where=lambda r: r.write and r.resource != "leases")


def names(prefix, count):
    return [f"{prefix}-{number:02}" for number in range(count)]


def about(name, **match):
    """Requests that create something for a resource; names have two digits."""
    return Match(verb="create", body=lambda body: name in body["metadata"].get("name", ""), **match)


def steps(name):
    """The writes of one resource's way, in order: each with how often it is let pass before."""
    status = Match(verb="patch", resource="flinkdeployments", subresource="status", name=name)
    made = about(name, resource="deployments", where=lambda r: "dryRun" not in r.query)
    deleted = Match(verb="delete", resource="deployments", name=name)
    ways = {
        "new": [
            (Match(verb="patch", resource="flinkdeployments", subresource="", name=name), 1),
            (status, 1),
            (made, 1),
            (about(name, resource="services"), 1),
            (about(name, resource="configmaps"), 1),
            (status, 2),
        ],
        "old": [(status, 1), (deleted, 1), (made, 1), (about(name, resource="configmaps"), 1)],
    }
    return ways[name[:3]]


def stick(proxy, resources):
    """Hold each resource at another step, every second one with the deed done but not known."""
    rules = []
    for number, name in enumerate(resources):
        way = steps(name)
        match, nth = way[number % len(way)]
        rules.append(proxy.add(match, Hold(after=number // len(way) % 2 == 1), nth=nth))
    return rules


async def until_under_way(operator, count):
    """Wait until so many reconciles have begun and not ended."""
    port = (await operator.until_said("Health and metrics are served"))["port"]
    async with asyncio.timeout(90), aiohttp.ClientSession() as session:
        while operator.code is None:
            async with session.get(f"http://127.0.0.1:{port}/metrics") as answer:
                scrape = Scrape(await answer.read())
            if scrape.value("flinkop_reconciles_active") >= count:
                return
            await asyncio.sleep(0.1)  # another process: there is nothing to be told by
    raise AssertionError(f"it ended with {operator.code}:\n{operator.tail()}")


def assert_done_once(stage, resources, generation=1):
    """One JobManager for each generation, of which the last lives; and one run of the job in each."""
    for name in resources:
        assert len(stage.uids(name)) == generation, name
        assert stage.witness.generation(name) == str(generation)
        runs = stage.runs(name)
        assert len(runs) == generation, name
        assert runs[-1]["job_id"] == stage.witness.status(name)["jobStatus"]["jobId"]
        assert len({run["job_id"] for run in runs}) == generation
    assert stage.sim.world.summary()["doubled"] == 0


async def test_killed_while_a_hundred_reconciles_are_under_way(stage):
    """The next process finds out where each one was, and brings it to its end once."""
    old, new = names("old", 30), names("new", 70)
    setup = attrs.evolve(stage.setup, conf={**stage.setup.conf, **PARALLEL})
    async with apart(setup) as operator:
        for name in old:
            await stage.create(name)
        await stage.stable(*old, seconds=90)
        rules = stick(stage.proxy, old + new)
        for name in old:
            await stage.change(name, restartNonce=1)
        for name in new:
            await stage.create(name)
        await stage.proxy.log.wait_for(lambda _: sum(r.applied for r in rules) == IN_FLIGHT)
        await until_under_way(operator, 100)
        operator.signal(signal.SIGKILL)
        await operator.until_ended()
    stage.proxy.clear()
    async with apart(setup):
        await stage.stable(*new, seconds=90)
        await stage.stable(*old, generation=2, seconds=90)
        assert_done_once(stage, new)
        assert_done_once(stage, old, generation=2)


async def test_told_to_stop_while_a_hundred_reconciles_are_under_way(stage, tmp_path):
    """All that was begun is ended in time, the lease is given back, and the standby goes on at once."""
    resources = names("new", 100)
    log = stage.proxy.log
    async with two_replicas(stage, tmp_path, **PARALLEL, **USUAL_ELECTION) as (
        first,
        second,
        other,
    ):
        rules = stick(stage.proxy, resources)
        for name in resources:
            await stage.create(name)
        await log.wait_for(lambda _: sum(rule.applied for rule in rules) == IN_FLIGHT)
        await until_under_way(first, 100)
        before = len(log.select(OWN_WRITES))
        first.signal(signal.SIGTERM)
        told = asyncio.get_running_loop().time()
        await first.until_said("Stopping")
        stage.proxy.clear()
        assert await first.until_ended() == 0
        assert asyncio.get_running_loop().time() - told < TERMINATION_SECONDS
        assert first.said("did not end within") == []
        # What was begun was ended, and nothing was cut off.
        assert len(log.select(OWN_WRITES)) > before + 100
        assert None not in {exchange.status for exchange in log.select(OWN_WRITES)}
        released = log.select(RENEWAL)[-1]
        assert released.request.json()["spec"]["holderIdentity"] == ""
        assert released.ended
        (taken, *_) = await other.log.wait_count(RENEWAL)
        assert taken.started - released.ended < BUSY_SECONDS
        await stage.stable(*resources, seconds=90)
        assert_done_once(stage, resources)
        assert second.code is None
