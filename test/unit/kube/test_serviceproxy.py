import pytest
from fakes import scriptedapi as script
from fakes.scriptedapi import ScriptedApi

from flinkop.kube import errors
from flinkop.kube.request import Streamed
from flinkop.kube.serviceproxy import ServiceProxy


async def test_passes_everything():
    """Method, path, query and body arrive; status and body come back, errors of the server behind too."""
    async with ScriptedApi(script.plain(202, "ok"), script.plain(500, '{"errors":["no"]}')) as api:
        proxy = ServiceProxy(await api.client(), "ns", "c-rest", 8081)
        answer = await proxy.request(
            "POST", "/jobs/1/savepoints", query=[("a", "b")], body=b"x", content_type="a/b"
        )
        assert answer == (202, b"ok")
        assert await proxy.request("GET", "jobs") == (500, b'{"errors":["no"]}')
    first, second = api.requests
    assert first.path == "/api/v1/namespaces/ns/services/c-rest:8081/proxy/jobs/1/savepoints"
    assert (first.query, first.body, first.headers["Content-Type"]) == ({"a": "b"}, b"x", "a/b")
    assert second.path.endswith("/proxy/jobs")


async def test_streams_a_large_body():
    """A body is made anew for each attempt, and its size announced."""
    made = 0

    async def chunks():
        nonlocal made
        made += 1
        for _ in range(3):
            yield b"abc"

    throttled = script.status(429, "TooManyRequests", retry_after=0)
    async with ScriptedApi(throttled, script.plain(200, "ok")) as api:
        proxy = ServiceProxy(await api.client(), "ns", "c-rest", 8081)
        answer = await proxy.request("POST", "/jars/upload", body=Streamed(9, chunks))
        assert answer == (200, b"ok")
    assert [seen.body for seen in api.requests] == [b"abcabcabc"] * 2
    assert api.requests[0].headers["Content-Length"] == "9"
    assert made == 2


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        (404, "NotFound", errors.NotFound),
        (403, "Forbidden", errors.Forbidden),
        (503, "ServiceUnavailable", errors.ServerError),
    ],
)
async def test_own_errors(code, reason, kind):
    """What the API server itself says is raised."""
    async with ScriptedApi(script.status(code, reason, name="c-rest")) as api:
        with pytest.raises(kind):
            await ServiceProxy(await api.client(), "ns", "c-rest", 8081).request("GET", "/jobs")
