"""Jars from object stores, against a server on loopback that has their shape."""

import base64
import builtins
import json

import pytest
from aiohttp import web
from attrs import evolve
from fakes.jars import jar
from fakes.jarserver import answering, static

from flinkop.artifacts import errors, objectstores
from flinkop.artifacts.objectstores import ObjectStores
from flinkop.artifacts.schemes import Fetchers
from flinkop.artifacts.store import open_store
from flinkop.artifacts.terms import Bounds

JAR = jar(700_000)
OLD = "Wed, 01 Jan 2020 00:00:00 GMT"
SECRET_KEY = "hunter2"  # noqa: S105 - what must not be seen
AZURE = "abfss://jars@acc.dfs.core.windows.net/dir/a.jar"


def stored(content=JAR, **options):
    """A handler that serves an object as these stores do."""
    return static(content, modified=OLD, **options)


@pytest.fixture
async def stores(world, tmp_path, monkeypatch):
    """The world, its fetchers for object stores, their endpoints set to its server."""
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    endpoint = f"http://127.0.0.1:{world.server.port}"
    monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", endpoint)
    keyfile = tmp_path / "gcs.json"
    keyfile.write_text(
        json.dumps(
            {"gcs_base_url": endpoint, "disable_oauth": True}
            | dict.fromkeys(("client_email", "private_key", "private_key_id"), "")
        )
    )
    world.terms = evolve(
        world.terms,
        allowed_schemes=frozenset(objectstores.SCHEMES),
        stores=(
            ("s3.endpoint", endpoint),
            ("s3.access-key", "AK"),
            ("s3.secret-key", SECRET_KEY),
            ("gs.auth.service.account.json.keyfile", str(keyfile)),
            (
                "fs.azure.account.key.acc.dfs.core.windows.net",
                base64.b64encode(SECRET_KEY.encode()).decode(),
            ),
        ),
    )
    made = ObjectStores()
    fetchers = dict.fromkeys(objectstores.SCHEMES, lambda: made)
    async with open_store(Bounds(directory=tmp_path / "store"), fetchers) as store:
        world.store = store
        yield world


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("s3://jars/dir/a.jar", "/jars/dir/a.jar"),
        ("s3a://jars/dir/a%20b.jar", "/jars/dir/a b.jar"),
        ("gs://jars/dir/a.jar", "/jars/dir/a.jar"),
        (AZURE, "/jars/dir/a.jar"),
        ("abfs://jars@acc.dfs.core.windows.net/a.jar", "/jars/a.jar"),
    ],
)
async def test_an_object(stores, uri, path):
    """It comes whole, and is asked for by its tag afterwards."""
    stores.serve(stored(), path)
    assert await stores.content(uri) == await stores.content(uri) == JAR
    tags = [asked.headers.get("If-None-Match") for asked in stores.server.asked]
    assert tags == [None, '"v1"']


async def test_a_new_version(stores):
    """A changed object is fetched again."""
    version = ["1"]
    stores.serve(
        stored(lambda: jar(seed=int(version[0])), etag=lambda: f'"{version[0]}"'), "/jars/a.jar"
    )
    assert await stores.content("s3://jars/a.jar") == jar(seed=1)
    version[0] = "2"
    assert await stores.content("s3://jars/a.jar") == jar(seed=2)


async def test_credentials(stores):
    """The operator's keys sign the requests, and do not show anywhere."""
    stores.serve(stored(), "/jars/a.jar")
    stores.serve(stored(), "/jars/dir/a.jar")
    await stores.content("s3://jars/a.jar")
    await stores.content(AZURE)
    signed = [asked.headers["Authorization"] for asked in stores.server.asked]
    assert "Credential=AK/" in signed[0]
    assert signed[1].startswith("SharedKey acc:")
    assert SECRET_KEY not in repr(stores.terms) + "".join(signed)


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (404, errors.Missing, "no such object"),
        (403, errors.Denied, "does not let the operator read it"),
        (401, errors.Denied, "does not let the operator read it"),
        (400, errors.Unreachable, "gives no answer: 400 Bad Request"),
        (503, errors.Unreachable, "gives no answer: 503 Service Unavailable"),
    ],
)
async def test_refusals(stores, status, kind, words):
    """Each is told in words of ours: the library's quote whole requests."""
    stores.serve(answering(status, b"<Error>hunter2</Error>"), "/jars/a.jar")
    with pytest.raises(kind, match=words) as caught:
        await stores.content("s3://jars/a.jar?X-Amz-Signature=hunter2")
    assert caught.value.retryable
    assert caught.value.__cause__ is None
    assert "hunter2" not in str(caught.value)
    assert "s3://jars/a.jar:" in str(caught.value)


async def test_limits(stores):
    """The store's sink bounds objects as it bounds everything."""
    stores.serve(stored(), "/jars/a.jar")
    with pytest.raises(errors.TooLarge, match=f"its {len(JAR)} bytes are more than the 1000"):
        await stores.content("s3://jars/a.jar", max_size=1000)
    stores.serve(stored(b"<Error>" * 200), "/jars/b.jar")
    with pytest.raises(errors.NotAJar):
        await stores.content("s3://jars/b.jar")


@pytest.mark.parametrize("comes_back", [True, False])
async def test_broken_off(stores, comes_back):
    """The library takes up a cut object by itself; one that is cut for good is told as that."""

    async def cut(request):
        headers = {"ETag": '"v1"', "Last-Modified": OLD, "Content-Length": str(len(JAR))}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        await response.write(JAR[:500_000])
        request.transport.close()  # after what was written
        return response

    async def handle(request):
        if len(stores.server.asked) == 1:
            return await cut(request)
        if not comes_back:
            return web.Response(status=503)
        start = int(request.headers["Range"].removeprefix("bytes=").partition("-")[0])
        shown = f"bytes {start}-{len(JAR) - 1}/{len(JAR)}"
        headers = {"ETag": '"v1"', "Last-Modified": OLD, "Content-Range": shown}
        return web.Response(status=206, body=JAR[start:], headers=headers)

    stores.serve(handle, "/jars/a.jar")
    if comes_back:
        assert await stores.content("s3://jars/a.jar") == JAR
    else:
        with pytest.raises(errors.CutOff, match=r"broke off after \d+ bytes"):
            await stores.content("s3://jars/a.jar")


@pytest.mark.parametrize(
    "authority",
    [
        "jars",
        "jars@evil.example",
        "jars@acc.dfs.core.windows.net.evil.example",
        "acc.dfs.core.windows.net",
    ],
)
async def test_azures_own_hosts(stores, authority):
    """An account of somebody else's host gets no request, and so no credential."""
    with pytest.raises(errors.InvalidUri, match=r"container@account\.dfs\.core\.windows\.net"):
        await stores.content(f"abfss://{authority}/a.jar")
    assert stores.server.asked == []


async def test_options_that_cannot_be_used(stores):
    """They are told without being quoted."""
    broken = (("gs.auth.service.account.json.keyfile", "/no/such/hunter2.json"),)
    with pytest.raises(errors.NoFetcher, match="options for this store cannot be used") as caught:
        await stores.content("gs://jars/a.jar", stores=broken)
    assert "hunter2" not in str(caught.value)


async def test_without_the_extra(monkeypatch):
    """An operator without it says how to get it."""
    really = builtins.__import__

    def without(name, *arguments):
        if name.startswith("obstore"):
            raise ModuleNotFoundError(name)
        return really(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", without)
    fetchers = Fetchers({"s3": ObjectStores})
    with pytest.raises(errors.NoFetcher, match=r"Install flinkop\[objectstores\]") as caught:
        await fetchers.get("s3", "s3://jars/a.jar")
    assert not caught.value.retryable
