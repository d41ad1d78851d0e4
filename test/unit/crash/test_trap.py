"""The trap in an operator's way: what it lets pass, and where it stops."""

import asyncio
import contextlib

from crash.trap import Trap
from crash.writes import Point, Relay, Write
from fakes.apirequest import parse

CREATE = "/apis/apps/v1/namespaces/n/deployments"
STATUS = "/apis/flink.apache.org/v1beta1/namespaces/n/flinkdeployments/one/status"
PATCH = Write(0, "patch flinkdeployments/status one", 1)
SECOND = Write(0, "patch flinkdeployments/status one", 2)


async def passes(trap, method, path):
    """Whether a write gets through: to the server, and its answer back; (False, False) is a kill before."""
    request, hook = parse(method, path), trap.hook("api")
    reached = []
    for moment in ("before", "after"):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.01):
                await hook(request, moment)
                reached.append(moment)
                continue
        break
    return ("before" in reached, "after" in reached)


async def test_writes_are_counted_by_kind_while_a_deed_is_done():
    """What is written before the first deed does not count."""
    trap = Trap()
    assert await passes(trap, "PATCH", STATUS) == (True, True)
    trap.step = 0
    for method, path in (("PATCH", STATUS), ("POST", CREATE), ("PATCH", STATUS)):
        assert await passes(trap, method, path) == (True, True)
    trap.step = 1
    assert await passes(trap, "PATCH", STATUS) == (True, True)
    third = Write(1, "patch flinkdeployments/status one", 1)
    assert trap.writes == [PATCH, Write(0, "create deployments", 1), SECOND, third]
    assert not trap.sprung.is_set()


async def test_before_means_that_the_server_never_sees_the_write():
    """The occurrence counts: the first of its kind passes."""
    trap = Trap(Point("s", SECOND, "before"))
    trap.step = 0
    assert await passes(trap, "PATCH", STATUS) == (True, True)
    assert await passes(trap, "PATCH", STATUS) == (False, False)
    assert trap.caught == SECOND
    assert "patch flinkdeployments/status n/one" in trap.told


async def test_after_means_that_the_operator_never_hears_of_it():
    """The server has acted."""
    trap = Trap(Point("s", PATCH, "after"))
    trap.step = 0
    assert await passes(trap, "PATCH", STATUS) == (True, False)
    assert trap.sprung.is_set()


async def test_once_sprung_nothing_passes_any_more():
    """Neither further writes nor answers to those under way: the kill falls on one moment."""
    trap = Trap(Point("s", PATCH, "after"))
    trap.step = 0
    under_way, hook = parse("POST", CREATE), trap.hook("flink")
    await trap.hook("api")(under_way, "before")
    await passes(trap, "PATCH", STATUS)
    assert await passes(trap, "POST", CREATE) == (False, False)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.01):
            await hook(under_way, "after")
            raise AssertionError


async def test_a_relay_stops_at_the_first_write_that_stopped_nobody_yet():
    """Each operator gets one write further than the one before it, at least."""
    for spared, passed in (((), 0), ((PATCH,), 1), ((PATCH, SECOND), 2)):
        trap = Trap(Relay("s", "before"), spared)
        trap.step = 0
        for _ in range(passed):
            assert await passes(trap, "PATCH", STATUS) == (True, True)
        assert await passes(trap, "PATCH", STATUS) == (False, False)
        assert trap.sprung.is_set()
