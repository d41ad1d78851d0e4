"""Requests that are no watches, through the fault proxy."""

import asyncio
import io

import aiohttp
import pytest
from fakes.faultproxy import DropConnection
from fakes.faultrules import (
    ANY,
    WRITES,
    CloseAfter,
    CloseBefore,
    Delay,
    Hold,
    Match,
    Truncate,
    conflict,
    gone,
    too_many_requests,
    unavailable,
)
from yarl import URL

PODS = "/api/v1/namespaces/a/pods"
STATUS = "/apis/flink.apache.org/v1beta1/namespaces/a/flinkdeployments/b/status"
LOST = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)


async def test_undisturbed(proxy, client, api):
    """Path, query, body, status and answer pass unchanged; the credentials are the proxy's."""
    target = f"{PODS}?dryRun=All&x=a%2Fb"
    url = URL(proxy.url + target, encoded=True)
    async with aiohttp.request("POST", url, data=b"12345") as answer:
        assert await answer.json() == {"path": target, "size": 5}
    async with client.get(f"{PODS}/missing") as answer:
        assert answer.status == 404
    assert api.headers[0]["Authorization"] == "Bearer t"
    assert proxy.log.counts() == {("create", "pods"): 1, ("get", "pods"): 1}
    assert proxy.log.statuses() == {200: 1, 404: 1}


async def test_large_bodies_pass(client):
    """An object of several MB passes, in spite of aiohttp's default limit."""
    async with client.post(PODS, data=io.BytesIO(b"x" * 3_000_000)) as answer:
        assert (await answer.json())["size"] == 3_000_000


async def test_answers(proxy, client, api):
    """An invented answer carries status, headers and Status body, and the API server sees nothing."""
    with proxy.fault(Match(verb="list"), too_many_requests(retry_after=7), times=1):
        async with client.get(PODS) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
            assert (await answer.json())["details"] == {"retryAfterSeconds": 7}
        async with client.get(PODS) as answer:
            assert answer.status == 200
    with proxy.fault(ANY, unavailable()):
        async with client.get(PODS) as answer:
            assert (answer.status, answer.content_type) == (503, "text/plain")
    with proxy.fault(ANY, gone()):
        async with client.get(PODS) as answer:
            assert (await answer.json())["reason"] == "Expired"
    assert api.seen["GET"] == 1


async def test_nth_and_body(proxy, client):
    """Only the second patch of a status that reports DEPLOYED meets a conflict."""
    wanted = Match(
        verb="patch",
        resource="flinkdeployments",
        subresource="status",
        body=lambda body: body["status"]["state"] == "DEPLOYED",
    )
    statuses = []
    with proxy.fault(wanted, conflict(), nth=2) as rule:
        for state in ("DEPLOYED", "DEPLOYING", "DEPLOYED", "DEPLOYED"):
            async with client.patch(STATUS, json={"status": {"state": state}}) as answer:
                statuses.append(answer.status)
    assert statuses == [200, 200, 409, 200]
    assert (rule.seen, rule.applied) == (2, 1)


async def test_close_before(proxy, client, api):
    """The connection closes and the API server never saw the write."""
    with proxy.fault(WRITES, CloseBefore()), pytest.raises(LOST):
        await client.post(PODS, data=b"x")
    assert api.seen["POST"] == 0
    assert [e.forwarded for e in proxy.log.exchanges] == [False]


async def test_close_after(proxy, client, api):
    """The API server acted, and the client does not learn of it."""
    with proxy.fault(WRITES, CloseAfter()), pytest.raises(LOST):
        await client.post(PODS, data=b"x")
    assert api.seen["POST"] == 1
    (exchange,) = proxy.log.exchanges
    assert (exchange.status, exchange.upstream_status) == (None, 200)


async def test_truncate(proxy, client):
    """The body ends in the middle although Content-Length promised more."""
    with proxy.fault(ANY, Truncate()):
        async with client.get(PODS) as answer:
            with pytest.raises(aiohttp.ClientPayloadError):
                await answer.read()


async def test_hold(proxy, client, api):
    """A held request waits for its release, before the API server sees it."""
    with proxy.fault(WRITES, Hold()) as rule:
        async with asyncio.TaskGroup() as group:
            posting = group.create_task(client.post(PODS, data=b"x").__aenter__())
            await rule.wait_applied()
            assert api.seen["POST"] == 0
            rule.release()
        assert posting.result().status == 200
        posting.result().release()


async def test_hold_after(proxy, client, api):
    """A hold after forwarding keeps the answer back; removing the rule lets it go."""
    rule = proxy.add(WRITES, Hold(after=True))
    async with asyncio.TaskGroup() as group:
        posting = group.create_task(client.post(PODS, data=b"x").__aenter__())
        await proxy.log.wait_for(lambda log: any(e.upstream_status for e in log.exchanges))
        assert api.seen["POST"] == 1
        assert not posting.done()
        proxy.remove(rule)
    posting.result().release()


async def test_forwarded_write_survives_its_client(proxy, client, api):
    """A write that is under way is carried through when its client is killed."""
    with proxy.fault(WRITES, Hold()) as rule:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await client.post(PODS, data=b"x")
        rule.release()
        (exchange,) = await proxy.log.wait_count(WRITES)
    assert api.seen["POST"] == 1
    assert exchange.upstream_status == 200


async def test_delay_then_answer(proxy, client):
    """A delay passes on to the next rule."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    with proxy.fault(ANY, Delay(0.05)), proxy.fault(ANY, unavailable()):
        async with client.get(PODS) as answer:
            assert answer.status == 503
    assert loop.time() - start >= 0.05
    assert proxy.log.exchanges[0].faults == ["Delay", "Answer"]


async def test_refuse(proxy, client):
    """While the proxy refuses, connects fail; afterwards it listens on the same port."""
    async with client.get(PODS) as answer:
        assert answer.status == 200
    port = proxy.port
    async with proxy.refusing():
        with pytest.raises(aiohttp.ClientConnectionError):
            await client.get(PODS)
    assert proxy.port == port
    async with client.get(PODS) as answer:
        assert answer.status == 200


async def test_dead_upstream(proxy, client, server):
    """An API server that is down shows as a closed connection, not as an answer."""
    await server.close()
    with pytest.raises(LOST):
        await client.get(PODS)
    assert set(proxy.log.statuses()) == {None}


async def test_write_hook(proxy, client, api):
    """The hook sees every write before and after, and may drop it on either side."""
    calls = []

    async def hook(request, moment):
        calls.append(f"{moment} {request.verb} {request.name}")
        if (request.name, moment) in {("one", "before"), ("two", "after")}:
            raise DropConnection

    proxy.on_write = hook
    async with client.get(PODS) as answer:
        assert answer.status == 200
    async with client.delete(f"{PODS}/zero") as answer:
        assert answer.status == 200
    for name in ("one", "two"):
        with pytest.raises(LOST):
            await client.patch(f"{PODS}/{name}")
    assert calls == [
        "before delete zero",
        "after delete zero",
        "before patch one",
        "before patch two",
        "after patch two",
    ]
    assert api.seen == {"GET": 1, "DELETE": 1, "PATCH": 1}


async def test_log_waits(proxy, client):
    """A waiter on the log wakes when its condition holds."""
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(proxy.log.wait_count(Match(verb="list"), 2))
        for _ in range(2):
            (await client.get(PODS)).release()
    assert [str(exchange) for exchange in waiting.result()] == ["list pods a -> 200"] * 2
    assert str(proxy.log).count("\n") == 1
    proxy.log.clear()
    assert proxy.log.writes() == []
