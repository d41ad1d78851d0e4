"""Watch streams through the fault proxy."""

import asyncio

import aiohttp
import pytest
from fakes.faultrules import (
    WATCHES,
    CutLine,
    Inject,
    Match,
    Silence,
    gone,
    gone_event,
    internal_error,
)

PODS = "/api/v1/pods?watch=1"


async def test_lines_arrive_at_once(proxy, client, api):
    """The hand-shake is answered before the first event, and each event arrives as it happens."""
    async with client.get(PODS) as watch:
        assert watch.status == 200
        assert len(proxy.log.open(WATCHES)) == 1
        for line in (b"one\n", b"x" * 900_000 + b"\n"):
            api.events.put_nowait(line)
            assert await watch.content.readline(max_line_length=2**20) == line
        api.events.put_nowait(None)
        assert await watch.read() == b""
    (exchange,) = await proxy.log.wait_count(WATCHES)
    assert exchange.lines == 2


async def test_client_leaves(proxy, client, api):
    """A client that goes away ends the upstream watch too."""
    async with client.get(PODS):
        assert api.watches == 1
    await api.watches_closed.wait()
    await proxy.log.wait_for(lambda log: not log.open(WATCHES))


@pytest.mark.parametrize("live", [True, False])
async def test_cut(proxy, client, api, live):
    """The next line arrives half, then the connection closes."""
    rules = [] if live else [proxy.add(WATCHES, CutLine())]
    async with client.get(PODS) as watch:
        if live:
            rules.append(proxy.add(WATCHES, CutLine()))
        api.events.put_nowait(b"0123456789\n")
        assert await watch.content.readexactly(5) == b"01234"
        with pytest.raises(aiohttp.ClientPayloadError):
            await watch.content.read()
    assert rules[0].applied == 1


@pytest.mark.parametrize("live", [True, False])
async def test_silence(proxy, client, api, live):
    """The stream stays open and says nothing more, even when the rule is gone; a new one speaks."""
    rule = None if live else proxy.add(WATCHES, Silence())
    async with client.get(PODS) as watch:
        rule = rule or proxy.add(WATCHES, Silence())
        proxy.remove(rule)
        for line in (b"lost\n", b"lost too\n", None):
            api.events.put_nowait(line)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await watch.content.readany()
        async with client.get(PODS) as other:
            api.events.put_nowait(b"heard\n")
            assert await other.content.readline() == b"heard\n"


async def test_gone_inside_the_stream(proxy, client):
    """An ERROR event comes through at once and the stream ends in good order."""
    async with client.get(PODS) as watch:
        proxy.add(WATCHES, gone_event())
        event = await watch.content.read()
        assert b'"code": 410' in event
        assert event.endswith(b"\n")


async def test_injected_line_then_more(proxy, client, api):
    """A line may be injected without ending the stream."""
    async with client.get(PODS) as watch:
        proxy.add(WATCHES, Inject(b"not json\n", end=False))
        assert await watch.content.readline() == b"not json\n"
        api.events.put_nowait(b"next\n")
        assert await watch.content.readline() == b"next\n"


async def test_refused_watch(proxy, client, api):
    """A watch can be answered with an error, invented or the API server's own."""
    for fault in (gone(), internal_error()):
        with proxy.fault(WATCHES, fault):
            async with client.get(PODS) as answer:
                assert answer.status == fault.status
                assert (await answer.json())["code"] == fault.status
    assert api.watches == 0


async def test_only_the_match_is_disturbed(proxy, client, api):
    """A rule for one resource leaves the other's open stream alone."""
    async with client.get("/api/v1/services?watch=1") as watch:
        rule = proxy.add(Match(resource="pods", watch=True), Silence())
        api.events.put_nowait(b"line\n")
        assert await watch.content.readline() == b"line\n"
    assert rule.seen == 0


async def test_drop_connections(proxy, client, api):
    """Dropping connections ends idle watches."""
    async with client.get(PODS) as watch:
        proxy.drop_connections()
        with pytest.raises(aiohttp.ClientPayloadError):
            await watch.content.read()


async def test_upstream_dies(proxy, client, server):
    """When the API server's connection breaks, so does the client's."""
    async with client.get(PODS) as watch:
        for connection in server.runner.server.connections:
            connection.transport.abort()
        with pytest.raises(aiohttp.ClientPayloadError):
            await watch.content.read()
