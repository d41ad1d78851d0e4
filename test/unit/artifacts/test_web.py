"""Jars from web servers that behave, and from some that do not."""

import asyncio
import base64
import hashlib

import pytest
from aiohttp import web
from aiohttp.test_utils import unused_port
from fakes.jars import jar
from fakes.jarserver import answering, raw, static

from flinkop.artifacts import errors

JAR = jar(300_000)
OLD = "Wed, 01 Jan 2020 00:00:00 GMT"


async def test_a_jar(world):
    """It comes whole, and the server is told who asks and that bytes are wanted as they are."""
    world.serve(static(JAR))
    assert await world.content() == JAR
    (asked,) = world.server.asked
    assert asked.headers["User-Agent"] == "flinkop"
    assert asked.headers["Accept-Encoding"] == "identity"
    assert asked.headers["Host"] == f"jars.example:{world.server.port}"


async def test_chunked(world):
    """A server need not say how long the jar is."""
    world.serve(static(JAR, chunked=True))
    assert await world.content() == JAR


async def test_headers_and_login(world):
    """Configured headers and the URI's login are sent; what the fetcher needs is not overridden."""
    world.serve(static(JAR))
    headers = (("PRIVATE-TOKEN", "t0ken"), ("accept-encoding", "gzip"))
    uri = world.server.url(host="user:p%40ss@jars.example", path="/a.jar?sig=a%2Fb%20c")
    assert await world.content(uri, headers=headers) == JAR
    (asked,) = world.server.asked
    assert asked.headers["PRIVATE-TOKEN"] == "t0ken"
    assert asked.headers["Accept-Encoding"] == "identity"
    login = base64.b64encode(b"user:p@ss").decode()
    assert asked.headers["Authorization"] == f"Basic {login}"
    assert asked.path == "/a.jar?sig=a%2Fb%20c"


async def test_a_configured_authorization_wins(world):
    """It says more than the URI's login."""
    world.serve(static(JAR))
    uri = world.server.url(host="user:pass@jars.example")
    await world.content(uri, headers=(("authorization", "Bearer x"),))
    assert world.server.asked[0].headers["Authorization"] == "Bearer x"


async def test_asking_whether_it_changed(world):
    """A jar that is on disk is asked for by its tag, and fetched again when that changed."""
    version = ["1"]
    world.serve(static(lambda: jar(seed=int(version[0])), etag=lambda: f'"{version[0]}"'))
    assert await world.content() == await world.content() == jar(seed=1)
    assert [one.headers.get("If-None-Match") for one in world.server.asked] == [None, '"1"']
    version[0] = "2"
    assert await world.content() == jar(seed=2)
    assert world.server.asked[-1].headers["If-None-Match"] == '"1"'


async def test_asking_by_date(world):
    """Without a tag the date of change has to do, if it is old enough to mean something."""
    world.serve(static(JAR, etag=None, modified=OLD))
    assert await world.content() == await world.content() == JAR
    assert world.server.asked[1].headers["If-Modified-Since"] == OLD
    for modified in ("Fri, 01 Jan 2100 00:00:00 GMT", "yesterday", "Wed, 01 Jan 2020 00:00:00"):
        world.server.asked.clear()
        world.serve(static(JAR, etag=None, modified=modified), "/b.jar")
        for _ in range(2):
            assert await world.content(world.server.url("/b.jar")) == JAR
        assert "If-Modified-Since" not in world.server.asked[1].headers


async def test_many_jobs_one_download(world):
    """Fifty jobs at once cost one download and at most one more question."""
    world.serve(static(JAR))
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(world.content()) for _ in range(50)]
    assert {task.result() for task in tasks} == {JAR}
    assert len(world.server.asked) <= 2
    assert sum("If-None-Match" not in one.headers for one in world.server.asked) == 1


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (401, errors.Denied, r"401 Unauthorized.*artifacts\.http\.header"),
        (403, errors.Denied, "403 Forbidden"),
        (404, errors.Missing, "404 Not Found.*mend jarURI"),
        (410, errors.Missing, "410 Gone"),
        (204, errors.BadAnswer, "204 No Content"),
        (206, errors.BadAnswer, "206 Partial Content"),
        (304, errors.BadAnswer, "304 Not Modified"),
        (429, errors.BadAnswer, "429 Too Many Requests"),
        (500, errors.BadAnswer, "500 Internal Server Error"),
        (503, errors.BadAnswer, "503 Service Unavailable"),
        (599, errors.BadAnswer, "answered 599[.]"),
    ],
)
async def test_refusals(world, status, kind, words):
    """Each is told by its status, once, and may pass."""
    world.serve(answering(status, b"secret detail"))
    with pytest.raises(kind, match=words) as caught:
        await world.content()
    assert len(world.server.asked) == 1
    assert caught.value.retryable
    assert "secret" not in str(caught.value)
    assert f"http://jars.example:{world.server.port}/a.jar" in str(caught.value)


async def test_a_web_page(world):
    """A login page in the place of the jar is told as one."""
    world.serve(answering(200, b"<!DOCTYPE html><html>Sign in</html>", Content_Type="text/html"))
    with pytest.raises(errors.NotAJar, match=r"a web page \(HTML\).*download without login"):
        await world.content()


async def test_a_jar_with_the_wrong_type(world):
    """Bytes count, not what the server calls them."""
    world.serve(answering(200, JAR, Content_Type="text/html"))
    assert await world.content() == JAR


async def test_a_compressed_answer(world):
    """A server that compresses although it was asked not to is told as what it gives."""
    world.serve(answering(200, b"\x1f\x8b\x08" + bytes(600), Content_Encoding="gzip"))
    with pytest.raises(errors.NotAJar, match="gzip data"):
        await world.content()


# --- cut connections


@pytest.mark.parametrize("chunked", [True, False])
async def test_taken_up_where_it_was_cut(world, chunked):
    """Each connection gives a part; together they are the jar."""
    world.serve(static(JAR, cut_at=120_000, chunked=chunked))
    assert await world.content() == JAR
    asked = world.server.asked
    assert [one.range for one in asked] == [None, "bytes=120000-", "bytes=240000-"]
    assert {one.headers.get("If-Range") for one in asked[1:]} == {'"v1"'}


async def test_taken_up_by_date(world):
    """A weak tag does not tell bytes from others; a date does."""
    world.serve(static(JAR, etag='W/"1"', modified=OLD, cut_at=200_000))
    assert await world.content() == JAR
    assert world.server.asked[1].headers["If-Range"] == OLD


@pytest.mark.parametrize("how", [{"ranges": False}, {"etag": None}, {"etag": 'W/"1"'}])
async def test_begun_anew(world, how):
    """Without parts, or without anything to tell that they belong together, it begins anew."""
    cuts = [150_000, None]

    async def handle(request):
        return await static(JAR, cut_at=cuts.pop(0), **how)(request)

    world.serve(handle)
    assert await world.content() == JAR
    assert len(world.server.asked) == 2
    assert world.server.asked[1].range == (None if "etag" in how else "bytes=150000-")


@pytest.mark.parametrize("honours", [True, False])
async def test_changed_in_between(world, honours):
    """Parts of two versions are never put together, whether or not the server minds If-Range."""
    old, new = jar(300_000, seed=1), jar(300_000, seed=2)

    async def handle(request):
        if len(world.server.asked) == 1:
            return await static(old, etag='"old"', cut_at=100_000)(request)
        if honours or not request.headers.get("Range"):
            return await static(new, etag='"new"')(request)
        return web.Response(
            status=206,
            body=new[100_000:],
            headers={"ETag": '"new"', "Content-Range": f"bytes 100000-{len(new) - 1}/{len(new)}"},
        )

    world.serve(handle)
    assert await world.content() == new


@pytest.mark.parametrize(
    ("status", "part"),
    [
        (206, "bytes 0-10/300124"),
        (206, "bytes 100000-300000/999999"),
        (206, "bytes 100000-"),
        (206, None),
        (416, "bytes */50"),
    ],
)
async def test_wrong_parts(world, status, part):
    """A part that does not fit is not used: the jar is fetched from its beginning."""

    async def handle(request):
        if len(world.server.asked) == 1:
            return await static(JAR, cut_at=100_000)(request)
        if request.headers.get("Range"):
            headers = {} if part is None else {"Content-Range": part}
            return web.Response(status=status, body=JAR[100_000:], headers=headers)
        return await static(JAR)(request)

    world.serve(handle)
    assert await world.content() == JAR
    assert len(world.server.asked) == 3


async def test_smaller_parts_than_asked_for(world):
    """A server may give less than the rest at a time."""

    async def handle(request):
        if len(world.server.asked) == 1:
            return await static(JAR, cut_at=100_000)(request)
        start = int(request.headers["Range"].removeprefix("bytes=").rstrip("-"))
        part = JAR[start : start + 150_000]
        shown = f"bytes {start}-{start + len(part) - 1}/{len(JAR)}"
        return web.Response(status=206, body=part, headers={"Content-Range": shown})

    world.serve(handle)
    assert await world.content() == JAR
    assert len(world.server.asked) == 3


async def test_the_server_goes_down_in_between(world):
    """An error on the way is one more cut; the part that came is kept."""
    answers = [static(JAR, cut_at=100_000), answering(503), answering(502), static(JAR)]

    async def handle(request):
        return await answers.pop(0)(request)

    world.serve(handle)
    assert await world.content() == JAR
    assert world.server.asked[3].range == "bytes=100000-"


async def test_gone_in_between(world):
    """A jar that is taken away while it is fetched is missing."""
    answers = [static(JAR, cut_at=100_000), answering(404)]

    async def handle(request):
        return await answers.pop(0)(request)

    world.serve(handle)
    with pytest.raises(errors.Missing):
        await world.content()


async def test_always_cut(world):
    """A server that cuts without end is given up after a few times, with what it announced."""
    world.serve(static(JAR, ranges=False, cut_at=5))
    with pytest.raises(
        errors.CutOff, match=rf"6 times in a row, with 5 of {len(JAR)} announced"
    ) as caught:
        await world.content()
    assert len(world.server.asked) == 6
    assert caught.value.retryable


async def test_down_for_good(world):
    """A server that breaks down for good is told by its last answer."""

    async def handle(request):
        if len(world.server.asked) == 1:
            return await static(JAR, cut_at=100_000)(request)
        return web.Response(status=503)

    world.serve(handle)
    with pytest.raises(errors.BadAnswer, match="503"):
        await world.content()
    assert len(world.server.asked) == 6


async def test_steady_progress_is_not_given_up(world, monkeypatch):
    """However often it is cut, a download that gets on goes on."""
    monkeypatch.setattr("flinkop.artifacts.web._MUCH", 10_000)
    world.serve(static(JAR, cut_at=20_000))
    assert await world.content() == JAR
    assert len(world.server.asked) > 10


# --- lies and silence


async def test_a_page_that_ends_without_a_length(world):
    """A jar whose end nobody announced is known by what every jar has at its end."""

    async def answer(_head, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + JAR[:-50])
        await writer.drain()

    async with raw(answer) as port:
        with pytest.raises(errors.CutOff, match="ends before its end"):
            await world.content(f"http://jars.example:{port}/a.jar")


async def test_announcing_too_much(world):
    """A server that announces more than it has is told with both numbers."""

    async def answer(_head, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(JAR) + 7) + JAR)
        await writer.drain()

    async with raw(answer) as port:
        with pytest.raises(errors.CutOff, match=rf"with \d+ of {len(JAR) + 7} announced"):
            await world.content(f"http://jars.example:{port}/a.jar")


async def test_announcing_too_little(world):
    """A server that sends more than it announced has sent a jar without its end, or is caught at once."""

    async def answer(_head, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + JAR)
        await writer.drain()

    async with raw(answer) as port:
        with pytest.raises(errors.ArtifactError, match=r"before its end|longer than it says"):
            await world.content(f"http://jars.example:{port}/a.jar")


async def test_announcing_more_than_allowed(world):
    """A jar that would be too large is not fetched at all."""
    world.serve(static(JAR))
    with pytest.raises(errors.TooLarge, match=f"its {len(JAR)} bytes are more than the 1000"):
        await world.content(max_size=1000)


async def test_without_end(world):
    """A server that never stops is stopped at the limit, and holds no more of the disk than that."""
    sent = 0

    async def handle(request):
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"PK\x03\x04")
        while sent < 100 << 20:
            await response.write(bytes(1 << 16))
            sent += 1 << 16
        return response

    world.serve(handle)
    with pytest.raises(errors.TooLarge, match=r"larger than the 1048576 bytes.*max-size"):
        await world.content(max_size=1 << 20)
    assert sent < 20 << 20


@pytest.mark.parametrize("answers", [True, False])
async def test_silence(world, answers):
    """A server that says nothing, or nothing more, is given up after the idle time."""
    never = asyncio.Event()

    async def handle(request):
        if answers:
            response = web.StreamResponse(headers={"Content-Length": str(len(JAR))})
            await response.prepare(request)
            await response.write(JAR[:1000])
        await never.wait()

    world.serve(handle)
    with pytest.raises(errors.TooSlow, match=r"sent nothing for 0\.1 s"):
        await world.content(idle_timeout=0.1)


async def test_a_trickle(world):
    """A server that sends single bytes is given up although it is never silent."""

    async def handle(request):
        response = web.StreamResponse(headers={"Content-Length": str(len(JAR))})
        await response.prepare(request)
        for byte in JAR:
            await response.write(bytes([byte]))
            await asyncio.sleep(0.005)
        return response

    world.serve(handle)
    with pytest.raises(errors.TooSlow, match="less than 10240 bytes per second"):
        await world.content(idle_timeout=0.6)


async def test_out_of_time(world):
    """The whole has a deadline, however lively the server is."""

    async def handle(request):
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(JAR[:1000])
            await asyncio.sleep(0.005)

    world.serve(handle)
    with pytest.raises(errors.TooSlow, match=r"not done after 0\.3 s, \d{4,} bytes have come"):
        await world.content(download_timeout=0.3)


async def test_no_connection(world):
    """A closed port is told with host and reason."""
    with pytest.raises(
        errors.Unreachable, match=r"jars\.example cannot be reached: .*refused|Connect call failed"
    ):
        await world.content(f"http://jars.example:{unused_port()}/a.jar")


async def test_closed_without_an_answer(world):
    """A server that hangs up is told as that."""

    async def answer(_head, _writer):
        """Say nothing."""

    async with raw(answer) as port:
        with pytest.raises(errors.Unreachable, match="closed the connection without an answer"):
            await world.content(f"http://jars.example:{port}/a.jar")


async def test_no_http(world):
    """What answers in another protocol is told as that."""

    async def answer(_head, writer):
        writer.write(b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n")
        await writer.drain()

    async with raw(answer) as port:
        with pytest.raises(errors.Unreachable, match="its answer is not proper HTTP"):
            await world.content(f"http://jars.example:{port}/a.jar")


# --- secrets


@pytest.mark.parametrize(
    "handler",
    [
        answering(403),
        answering(500),
        answering(200, b"<html>"),
        answering(302, Location="http://169.254.169.254/?X-Sig=hunter2"),
        answering(302, Location="ftp://x/hunter2"),
        answering(302, Location="http://[hunter2/"),
    ],
    ids=["denied", "broken", "page", "refused address", "refused scheme", "no address"],
)
async def test_no_secret_leaks(world, handler, caplog, capsys):
    """Neither the login, nor the query, nor a header is in an error, its causes, or a log line."""
    caplog.set_level("DEBUG")
    world.serve(handler)
    uri = world.server.url(host="hunter2:hunter2@jars.example", path="/a.jar?X-Sig=hunter2")
    with pytest.raises(errors.ArtifactError) as caught:
        await world.content(uri, headers=(("X-Key", "hunter2"),))
    error: BaseException | None = caught.value
    while error is not None:
        assert "hunter2" not in str(error) + repr(error)
        error = error.__cause__
    ours = [one.getMessage() for one in caplog.records if one.name != "aiohttp.access"]
    assert "hunter2" not in "".join(ours) + capsys.readouterr().out


async def test_a_pinned_jar(world):
    """The checksum is not sent, and what is pinned is fetched once."""
    world.serve(static(JAR))
    pinned = f"{world.server.url()}#sha256={hashlib.sha256(JAR).hexdigest()}"
    assert await world.content(pinned) == await world.content(pinned) == JAR
    assert [one.path for one in world.server.asked] == ["/a.jar"]
