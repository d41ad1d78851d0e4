"""KubeClient against a scripted server: what every call promises."""

import asyncio
import contextlib

import msgspec
import pytest
from aiohttp import web
from fakes import scriptedapi as script
from fakes.scriptedapi import ScriptedApi, StaticSource

from flinkop import __version__
from flinkop.kube import errors, meta, objects, stream
from flinkop.kube.meta import ObjectKey
from flinkop.kube.retry import RetryPolicy

KEY = ObjectKey("ns", "a")
POD = {"metadata": {"name": "a", "namespace": "ns", "resourceVersion": "1"}}
FAST = RetryPolicy(base=0.001, cap=0.002)


class Counts:
    """Records what the client reports."""

    def __init__(self):
        self.requests = []
        self.retries = []
        self.flight = {}

    def request(self, verb, resource, code, seconds):
        assert seconds >= 0
        self.requests.append((verb, resource, code))

    def retry(self, verb, resource, reason):
        self.retries.append(reason)

    def in_flight(self, pool, count):
        self.flight[pool] = max(count, self.flight.get(pool, 0))


async def test_get():
    """A read gives a dict, or the type that is asked for, and identifies the operator."""
    async with ScriptedApi(script.json(POD)) as api:
        client = await api.client()
        assert await client.get(meta.PODS, KEY) == POD
        found = await client.get(meta.PODS, KEY, into=objects.PodView)
        assert found.metadata.key == KEY
    seen = api.requests[0]
    assert seen.path == "/api/v1/namespaces/ns/pods/a"
    assert seen.headers["Authorization"] == "Bearer one"
    assert seen.headers["User-Agent"] == f"flinkop/{__version__}"
    assert seen.headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (script.status(404, "NotFound", name="a"), errors.NotFound),
        (script.plain(503, "no healthy upstream"), errors.ServerError),
        (script.plain(500, ""), errors.ServerError),
        (script.plain(302, "", Location="http://example.invalid/"), errors.ApiError),
        (script.plain(200, "<html>login</html>"), errors.BadAnswer),
    ],
    ids=["status", "text", "empty", "redirect", "not-json"],
)
async def test_errors(answer, kind):
    """Whatever the answer's body is, the error is typed."""
    async with ScriptedApi(answer) as api:
        client = await api.client()
        with pytest.raises(kind):
            await client.get(meta.PODS, KEY)
    assert len(api.requests) == 1


async def test_writes():
    """Bodies, content types and field managers are sent as Kubernetes wants them."""
    async with ScriptedApi(script.json(POD)) as api:
        client = await api.client()
        await client.create(meta.PODS, "ns", POD)
        await client.replace(meta.PODS, KEY, POD)
        await client.merge_patch(meta.PODS, KEY, {"status": {"a": None}}, subresource="status")
        await client.apply(meta.PODS, KEY, POD, field_manager="me")
        await client.delete(meta.PODS, KEY, propagation="Foreground", uid="u", grace=0)
    assert [(r.method, r.headers["Content-Type"]) for r in api.requests] == [
        ("POST", "application/json"),
        ("PUT", "application/json"),
        ("PATCH", "application/merge-patch+json"),
        ("PATCH", "application/apply-patch+yaml"),
        ("DELETE", "application/json"),
    ]
    assert [r.query.get("fieldManager") for r in api.requests] == ["flinkop"] * 3 + ["me", None]
    assert msgspec.json.decode(api.requests[2].body) == {"status": {"a": None}}
    assert msgspec.json.decode(api.requests[4].body)["preconditions"] == {"uid": "u"}


async def test_list_pages():
    """All pages are read as one list; objects of a wrong type are put aside."""
    first = {"metadata": {"resourceVersion": "9", "continue": "next"}, "items": [POD]}
    bad = {"metadata": {"name": "bad", "namespace": "ns"}, "status": {"phase": 3}}
    last = {"metadata": {"resourceVersion": "9"}, "items": [POD, bad]}
    async with ScriptedApi(script.json(first), script.json(last)) as api:
        client = await api.client()
        page = await client.list_all(meta.PODS, "ns", label_selector="a=b", into=objects.PodView)
    assert (len(page.items), page.resource_version) == (2, "9")
    assert [found.key.name for found in page.undecodable] == ["bad"]
    assert [r.query.get("continue") for r in api.requests] == [None, "next"]
    assert all(
        r.query["limit"] == "500" and r.query["labelSelector"] == "a=b" for r in api.requests
    )


async def test_list_without_items():
    """Null items are an empty list."""
    async with ScriptedApi(
        script.json({"metadata": {"resourceVersion": "9"}, "items": None})
    ) as api:
        page = await (await api.client()).list_all(meta.PODS)
    assert page.items == []


async def test_list_forgotten():
    """When the server forgets the version between pages, the list is read again in one piece."""
    first = {"metadata": {"resourceVersion": "9", "continue": "next"}, "items": [POD]}
    whole = {"metadata": {"resourceVersion": "12"}, "items": [POD, POD]}
    async with ScriptedApi(
        script.json(first), script.status(410, "Expired"), script.json(whole)
    ) as api:
        page = await (await api.client()).list_all(meta.PODS)
    assert (len(page.items), page.resource_version) == (2, "12")
    assert "limit" not in api.requests[-1].query


async def test_throttled():
    """A 429 is waited out as the server asks, for a create too."""
    counts = Counts()
    async with ScriptedApi(
        script.status(429, "TooManyRequests", retry_after=0), script.json(POD)
    ) as api:
        client = await api.client(instruments=counts, retry=FAST)
        assert await client.create(meta.PODS, "ns", POD) == POD
    assert counts.requests == [("create", "pods", "429"), ("create", "pods", "200")]
    assert counts.retries == ["throttled"]


async def test_throttled_beyond_the_deadline():
    """When Retry-After lies behind the deadline, the error comes at once and says when to come back."""
    async with ScriptedApi(script.status(429, "TooManyRequests", retry_after=60)) as api:
        client = await api.client()
        with pytest.raises(errors.TooManyRequests) as caught:
            await client.get(meta.PODS, KEY, deadline=5)
    assert caught.value.retry_after == 60


async def test_unavailable():
    """A plain-text 503 with Retry-After is retried for a read, not for a create."""
    sorry = script.plain(503, "starting", Retry_After="0")
    async with ScriptedApi(sorry, script.json(POD), sorry) as api:
        client = await api.client(retry=FAST)
        assert await client.get(meta.PODS, KEY) == POD
        with pytest.raises(errors.ServerError, match="starting"):
            await client.create(meta.PODS, "ns", POD)
    assert len(api.requests) == 3


async def test_deadline():
    """A server that never answers costs the deadline, no more."""
    async with ScriptedApi(script.hang()) as api:
        client = await api.client()
        with pytest.raises(errors.Unreachable, match=r"within 0\.05 s") as caught:
            await client.get(meta.PODS, KEY, deadline=0.05)
    assert caught.value.reason == "DeadlineExceeded"


async def test_refused():
    """A server that is not there is Unreachable, not an aiohttp error."""
    async with ScriptedApi(script.json(POD)) as api:
        source = StaticSource(api.snapshot())
    client = await ScriptedApi().client(source)
    with pytest.raises(errors.Unreachable, match="cannot be reached"):
        await client.get(meta.PODS, KEY)
    with pytest.raises(errors.Unreachable):
        await anext(client.watch(meta.PODS))
    await client.close()


async def test_unauthorized_once():
    """After a 401 the credentials are fetched anew and the call is sent once more."""
    async with ScriptedApi(script.status(401, "Unauthorized"), script.json(POD)) as api:
        source = StaticSource(api.snapshot(), [api.snapshot("Bearer two")])
        counts = Counts()
        client = await api.client(source, instruments=counts)
        assert await client.create(meta.PODS, "ns", POD) == POD
    assert [r.headers["Authorization"] for r in api.requests] == ["Bearer one", "Bearer two"]
    assert counts.retries == ["unauthorized"]


async def test_unauthorized_without_news():
    """When the credentials are the same as before, the 401 is the answer."""
    async with ScriptedApi(script.status(401, "Unauthorized")) as api:
        with pytest.raises(errors.Unauthorized):
            await (await api.client()).get(meta.PODS, KEY)
    assert len(api.requests) == 1


async def test_unauthorized_twice():
    """New credentials that are refused too are not tried for ever."""
    async with ScriptedApi(script.status(401, "Unauthorized")) as api:
        source = StaticSource(
            api.snapshot(), [api.snapshot("Bearer two"), api.snapshot("Bearer three")]
        )
        with pytest.raises(errors.Unauthorized):
            await (await api.client(source)).get(meta.PODS, KEY)
    assert len(api.requests) == 2


async def test_unauthorized_watch():
    """A watch refreshes its credentials as well."""
    lines = script.watch(script.event("ADDED", POD))
    async with ScriptedApi(script.status(401, "Unauthorized"), lines) as api:
        client = await api.client(StaticSource(api.snapshot(), [api.snapshot("Bearer two")]))
        async with contextlib.aclosing(client.watch(meta.PODS)) as events:
            assert [e.type async for e in events] == ["ADDED"]


def _lost():
    raise errors.FencedError("the lease is lost")


async def test_fence():
    """No write leaves once the lease is lost; reads and Leases do."""
    async with ScriptedApi(script.json(POD)) as api:
        client = await api.client(fence=_lost)
        for write in (
            client.create(meta.PODS, "ns", POD),
            client.replace(meta.PODS, KEY, POD),
            client.merge_patch(meta.PODS, KEY, {}),
            client.apply(meta.PODS, KEY, POD),
            client.delete(meta.PODS, KEY),
            client.raw("POST", "/x"),
        ):
            with pytest.raises(errors.FencedError):
                await write
        assert api.requests == []
        await client.get(meta.PODS, KEY)
        await client.replace(meta.LEASES, KEY, POD)
        client.set_fence(None)
        await client.create(meta.PODS, "ns", POD)
    assert [r.method for r in api.requests] == ["GET", "PUT", "POST"]


async def test_fence_for_writes_that_go_elsewhere():
    """Whoever writes past the client asks it first."""
    async with ScriptedApi(script.json(POD)) as api:
        client = await api.client(fence=_lost)
        with pytest.raises(errors.FencedError):
            client.check_fence()
        client.set_fence(None)
        client.check_fence()


async def test_fence_between_retries():
    """A lease lost while a call waits for its retry stops the retry."""
    open_for = iter([None])

    def fence():
        if next(open_for, "lost"):
            _lost()

    async with ScriptedApi(script.status(429, "TooManyRequests", retry_after=0)) as api:
        client = await api.client(fence=fence, retry=FAST)
        with pytest.raises(errors.FencedError):
            await client.delete(meta.PODS, KEY)
    assert len(api.requests) == 1


async def test_pools():
    """Requests are bounded; watches and Leases get through when all slots are taken."""
    counts = Counts()
    waiting = asyncio.Event()

    async def answer(request):
        if "/pods/" in request.path:
            waiting.set()
            await asyncio.Event().wait()
        if request.query.get("watch"):
            return await script.watch(script.event("ADDED", POD))(request)
        return await script.json(POD)(request)

    async with ScriptedApi(answer) as api:
        client = await api.client(max_in_flight=1, instruments=counts)
        async with asyncio.TaskGroup() as group:
            stuck = group.create_task(client.get(meta.PODS, KEY))
            await waiting.wait()
            with pytest.raises(errors.Unreachable):
                await client.get(meta.SERVICES, KEY, deadline=0.05)
            await client.get(meta.LEASES, KEY)
            assert [e.type async for e in client.watch(meta.PODS)] == ["ADDED"]
            stuck.cancel()
        await client.get(meta.SERVICES, KEY)
    assert counts.flight == {"requests": 1, "lease": 1, "watches": 1}


async def test_watch():
    """A watch yields its events, whatever the chunks, and tells when it was accepted."""
    line = script.event("ADDED", POD)
    opened = []
    async with ScriptedApi(script.watch(line[:10], line[10:] + line, line)) as api:
        client = await api.client()
        events = client.watch(
            meta.PODS,
            "ns",
            resource_version="5",
            timeout_seconds=300,
            on_open=lambda: opened.append(1),
        )
        assert [e.type async for e in events] == ["ADDED"] * 3
    assert opened == [1]
    assert api.requests[0].query["resourceVersion"] == "5"


@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        (script.status(410, "Expired"), errors.Gone, "Expired"),
        (script.plain(404, "404 page not found"), errors.NotFound, ""),
        (script.plain(503, "no healthy upstream"), errors.ServerError, ""),
        (script.plain(200, "no healthy upstream"), stream.StreamError, "NotAnEvent"),
        (script.watch(b"no healthy upstream\n"), stream.StreamError, "NotAnEvent"),
        (script.watch(b'{"type":"ADDED"', then="end"), stream.StreamError, "Cut"),
        (script.watch(b'{"type":"ADDED"', then="cut"), stream.StreamError, "Cut"),
        (script.watch(then="hold"), stream.StreamError, "Silent"),
        (script.watch(script.event("ADDED", POD)[:20], then="hold"), stream.StreamError, "Silent"),
        (script.hang(), errors.Unreachable, "Silent"),
        (
            script.watch(
                script.event("ERROR", {"kind": "Status", "code": 410, "reason": "Expired"})
            ),
            errors.Gone,
            "Expired",
        ),
    ],
    ids=[
        "410",
        "404",
        "503",
        "text-as-200",
        "text-as-json",
        "ended-in-line",
        "cut-in-line",
        "silent",
        "silent-in-line",
        "no-headers",
        "410-inside",
    ],
)
async def test_watch_faults(answer, kind, reason):
    """Each way in which a watch can fail raises, soon, and says which."""
    async with ScriptedApi(answer) as api:
        client = await api.client()
        with pytest.raises(kind) as caught:
            async for _ in client.watch(meta.PODS, silence=0.1):
                pass
    assert caught.value.reason == reason


async def test_watch_left_early():
    """A watch that is closed in the middle gives its connection back."""
    counts = Counts()
    async with ScriptedApi(script.watch(script.event("ADDED", POD), then="hold")) as api:
        client = await api.client(instruments=counts)
        for _ in range(3):
            async with contextlib.aclosing(client.watch(meta.PODS)) as events:
                assert (await anext(events)).type == "ADDED"
    assert counts.flight["watches"] == 1


async def test_version():
    """The server's version is read."""
    body = {"major": "1", "minor": "34", "gitVersion": "v1.34.4", "platform": "linux"}
    async with ScriptedApi(script.json(body)) as api:
        assert (await (await api.client()).version()).git_version == "v1.34.4"


async def test_raw():
    """A raw call returns whatever the status is."""
    async with ScriptedApi(script.plain(418, "short and stout")) as api:
        client = await api.client()
        assert await client.raw("GET", "/brew", query={"a": "b c"}) == (418, b"short and stout")
    assert api.requests[0].query == {"a": "b c"}


async def _hang_up(request):
    request.transport.close()
    return web.Response()


@pytest.mark.parametrize("verb", ["replace", "delete", "patch", "create"])
async def test_a_lost_write_is_not_sent_again(verb):
    """A write whose connection breaks goes to the caller: only it knows whether the lease still holds."""
    async with ScriptedApi(script.json(POD), _hang_up) as api:
        client = await api.client()
        await client.get(meta.PODS, KEY)
        with pytest.raises(errors.Unreachable):
            await {
                "replace": lambda: client.replace(meta.PODS, KEY, POD),
                "delete": lambda: client.delete(meta.PODS, KEY),
                "patch": lambda: client.merge_patch(meta.PODS, KEY, {}),
                "create": lambda: client.create(meta.PODS, "ns", POD),
            }[verb]()
    assert len(api.requests) == 2


async def test_a_lost_read_is_sent_again_once():
    """A read on a connection that the server was just closing is sent again, and counted."""
    counts = Counts()
    async with ScriptedApi(script.json(POD), _hang_up, script.json(POD), _hang_up) as api:
        client = await api.client(instruments=counts)
        await client.get(meta.PODS, KEY)
        assert await client.get(meta.PODS, KEY) == POD
        with pytest.raises(errors.Unreachable):
            await client.get(meta.PODS, KEY)
    assert counts.retries == ["disconnected", "disconnected"]
    assert len(api.requests) == 5


async def test_connections_are_reused():
    """Calls in a row share one connection."""
    ports = set()

    async def answer(request):
        ports.add(request.transport.get_extra_info("peername")[1])
        return await script.json(POD)(request)

    async with ScriptedApi(answer) as api:
        client = await api.client()
        for _ in range(3):
            await client.get(meta.PODS, KEY)
    assert len(ports) == 1


async def test_environment_proxy_is_ignored(monkeypatch):
    """Proxies come from the kubeconfig only."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with ScriptedApi(script.json(POD)) as api:
        assert await (await api.client()).get(meta.PODS, KEY) == POD


async def test_secrets_stay_out_of_errors():
    """The body of an answer that cannot be read is not shown."""
    async with ScriptedApi(script.plain(200, '{"data":{"password":"hunter2"')) as api:
        with pytest.raises(errors.BadAnswer) as caught:
            await (await api.client()).get(meta.SECRETS, KEY)
    assert "hunter2" not in str(caught.value)
