"""An API server that throttles, fails, or is faster with somebody else's write; and a giant object."""

import asyncio
import json

import pytest
from fakes.faultrules import Hold, Match, internal_error, too_many_requests
from fakes.operators import inside

from flinkop.kube.meta import FLINKDEPLOYMENTS

pytestmark = [pytest.mark.integration, pytest.mark.timeout(150)]

STATUS = Match(verb="patch", resource="flinkdeployments", subresource="status")


async def test_429_is_waited_out(stage):
    """What is throttled, watch or write, comes again no earlier than the API server asked, and no reconcile fails."""
    throttled = (
        Match(watch=True, resource="flinkdeployments"),
        STATUS,
        Match(verb="create", resource="deployments"),
        Match(verb="create", resource="configmaps"),
    )
    rules = [
        stage.proxy.add(match, too_many_requests(retry_after=2), times=1) for match in throttled
    ]
    async with inside(stage.setup):
        await stage.create()
        await stage.stable()
    for match, rule in zip(throttled, rules, strict=True):
        assert rule.applied == 1
        first, second = stage.proxy.log.select(match)[:2]
        assert first.status == 429
        assert second.started - first.started >= 2
    assert len(stage.uids()) == 1
    # The status said before the Deployment was made is not said again: nothing started over.
    wrote = [e for e in stage.proxy.log.select(Match(verb="create")) if e.status == 201]
    assert len(wrote) == len({str(e.request) + str(e.request.body) for e in wrote})


async def test_an_outage_of_30_seconds(stage):
    """While each answer is a 500 there are few requests; afterwards all goes on by itself."""
    log = stage.proxy.log
    async with inside(stage.setup):
        await stage.create("before")
        await stage.create("during")
        await stage.stable("before", "during")
        with stage.proxy.fault(Match(), internal_error()):
            stage.proxy.drop_connections()
            begun = len(log.exchanges)
            await stage.create("new")
            await stage.change("during", restartNonce=1)
            await asyncio.sleep(30)  # an outage lasts
            asked = len(log.exchanges) - begun
        ended = asyncio.get_running_loop().time()
        await stage.stable("before", "new")
        await stage.stable("during", generation=2)
        recovered = asyncio.get_running_loop().time() - ended
    assert asked < 120
    assert recovered < 40
    assert len(stage.uids("before")) == len(stage.uids("new")) == 1
    assert len(stage.uids("during")) == 2


async def test_a_change_of_the_spec_between_read_and_write(stage):
    """The status is written again over the new version, and the new spec is not taken for the old."""
    async with inside(stage.setup):
        with stage.proxy.fault(STATUS, Hold(), nth=1) as rule:
            await stage.create()
            await rule.wait_applied()
            await stage.change(restartNonce=1)
        await stage.stable(generation=2)
    first, second = stage.proxy.log.select(STATUS)[:2]
    assert (first.status, second.status) == (409, 200)
    assert first.request.json()["status"] == second.request.json()["status"]


async def test_a_status_that_somebody_else_writes_is_not_lost(stage):
    """The write gives way, everything is read anew, and both have said what they had to say."""
    foreign = {"jobStatus": {"savepointInfo": {"lastPeriodicSavepointTimestamp": 4711}}}
    async with inside(stage.setup):
        await stage.create()
        await stage.stable()
        with stage.proxy.fault(STATUS, Hold(), nth=1) as rule:
            await stage.change(restartNonce=1)
            await rule.wait_applied()
            await stage.client.merge_patch(
                FLINKDEPLOYMENTS, stage.key("one"), {"status": foreign}, subresource="status"
            )
        held = stage.proxy.log.select(STATUS)
        await stage.stable(generation=2)
        status = stage.witness.status("one")
    assert 409 in {exchange.status for exchange in held}
    assert status["jobStatus"]["savepointInfo"]["lastPeriodicSavepointTimestamp"] == 4711
    assert len(stage.uids()) == 2
    assert stage.witness.generation("one") == "2"


async def test_an_object_of_900_kb(stage):
    """It is refused in clear words, harms nobody else, and works once it is small again."""
    giant = {"log4j-console.properties": "# quiet\n" * 112_500}
    async with inside(stage.setup):
        await stage.create("giant", logConfiguration=giant)
        await stage.create("small")
        await stage.stable("small")
        witness = stage.witness
        await witness.until(lambda: "error" in witness.status("giant"), what="refused")
        status = witness.status("giant")
        assert "bytes" in json.loads(status["error"])["message"]
        reasons = {one["type"]: one["reason"] for one in status["conditions"]}
        assert reasons["Stalled"] == "SpecTooLarge"
        assert stage.uids("giant") == []
        await stage.change("small", restartNonce=1)
        await stage.stable("small", generation=2)
        await stage.change("giant", logConfiguration=None)
        await stage.stable("giant", generation=2)
