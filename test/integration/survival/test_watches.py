"""Watches that fall silent, are cut, or are too old: nothing that happened meanwhile is lost."""

import pytest
from fakes.faultrules import CloseBefore, CutLine, Match, Silence, gone, gone_event
from fakes.operators import inside

from flinkop.kube.meta import DEPLOYMENTS
from flinkop.runtime.reflector import Timing

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

WATCH = Match(watch=True, resource="flinkdeployments")
LIST = Match(resource="flinkdeployments", where=lambda r: "sendInitialEvents" in r.query)


def starts_over(exchange):
    """Whether a watch lists anew."""
    return "sendInitialEvents" in exchange.request.query


async def test_a_silent_watch_is_replaced(stage):
    """The watchdog opens another watch where the silent one stopped, and a change in between arrives."""
    async with inside(stage.setup, timing=Timing(silence=3.0)):
        await stage.create()
        await stage.stable()
        (old,) = stage.watches()
        with stage.proxy.fault(WATCH, Silence(), times=1):
            await stage.change(restartNonce=1)
            await stage.stable(generation=2)
        new = next(e for e in stage.proxy.log.select(WATCH) if e.started > old.started)
        assert "Silence" in old.faults
        assert not starts_over(new)
        assert len(stage.uids()) == 2


async def test_a_watch_cut_within_a_line_goes_on(stage):
    """Half a line is not taken for an object; the whole one comes with the next watch, without a list."""
    async with inside(stage.setup):
        await stage.create()
        await stage.stable()
        (old,) = stage.watches()
        with stage.proxy.fault(WATCH, CutLine(), times=1):
            await stage.change(restartNonce=1)
            await stage.stable(generation=2)
        new = next(e for e in stage.proxy.log.select(WATCH) if e.started > old.started)
        assert "CutLine" in old.faults
        assert not starts_over(new)
        assert int(new.request.query["resourceVersion"]) > 0
        assert len(stage.uids()) == 2


@pytest.mark.parametrize("expired", [gone, gone_event], ids=["status", "event"])
async def test_after_410_everything_is_listed_anew(stage, expired):
    """What vanished, changed and came while nobody watched is found by the list."""
    async with inside(stage.setup):
        for name in ("stays", "changes", "vanishes"):
            await stage.create(name)
        await stage.stable("stays", "changes", "vanishes")
        with stage.proxy.fault(Match(watch=True), CloseBefore()):
            stage.proxy.drop_connections()
            await stage.client.delete(DEPLOYMENTS, stage.key("vanishes"))
            await stage.witness.until(lambda: stage.witness.deployment("vanishes") is None)
            await stage.change("changes", restartNonce=1)
            await stage.create("comes")
            rules = [
                stage.proxy.add(Match(watch=True, resource=plural), expired(), times=1)
                for plural in ("flinkdeployments", "deployments", "pods")
            ]
        for rule in rules:
            await rule.wait_applied()
        await stage.stable("stays", "comes")
        await stage.stable("changes", generation=2)
        await stage.witness.until(lambda: len(stage.uids("vanishes")) == 2, what="made again")
        await stage.stable("vanishes")
        assert len(stage.uids("stays")) == 1
        lists = [e for e in stage.proxy.log.select(LIST) if e.status == 200]
        assert len(lists) == 2
