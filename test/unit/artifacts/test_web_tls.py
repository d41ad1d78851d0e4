"""Jars by https."""

import ssl
from contextlib import asynccontextmanager

import pytest
import trustme
from fakes.jars import jar
from fakes.jarserver import raw, redirect, serving, static

from flinkop.artifacts import errors
from flinkop.artifacts.store import open_store
from flinkop.artifacts.terms import Bounds
from flinkop.artifacts.web import WebFetcher

JAR = jar()


@pytest.fixture(scope="module")
def authority():
    """Who signs the certificates of this module's servers."""
    return trustme.CA()


@pytest.fixture
async def secure(authority):
    """A server for `jars.example` that speaks TLS."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("jars.example").configure_cert(tls)
    async with serving(tls) as server:
        server.handlers["/a.jar"] = static(JAR)
        yield server


@asynccontextmanager
async def trusting(world, tmp_path, authority=None):
    """The same world with a store that trusts an authority, or only the system's."""
    trust = ssl.create_default_context()
    if authority is not None:
        authority.configure_trust(trust)
    fetchers = {"https": lambda: WebFetcher(world.look_up, trust)}
    async with open_store(Bounds(directory=tmp_path), fetchers) as store:
        world.store = store
        yield world


async def test_a_trusted_server(world, secure, authority, tmp_path):
    """Its jar comes, by the name that its certificate has."""
    async with trusting(world, tmp_path, authority):
        assert await world.content(secure.url(scheme="https")) == JAR


async def test_an_unknown_authority(world, secure, tmp_path):
    """A certificate that nobody vouches for is told as that."""
    async with trusting(world, tmp_path):
        with pytest.raises(errors.Unreachable, match=r"its certificate is not trusted: .*verify"):
            await world.content(secure.url(scheme="https"))


async def test_an_authority_from_the_environment(world, secure, authority, tmp_path, monkeypatch):
    """A private authority is trusted when the operator's environment names its file."""
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(bundle)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    fetchers = {"https": lambda: WebFetcher(world.look_up)}
    async with open_store(Bounds(directory=tmp_path / "store"), fetchers) as store:
        world.store = store
        assert await world.content(secure.url(scheme="https")) == JAR


async def test_another_name(world, secure, authority, tmp_path):
    """A certificate for another name does not count."""
    async with trusting(world, tmp_path, authority):
        with pytest.raises(errors.Unreachable, match=r"not trusted: .*other\.example"):
            await world.content(secure.url(scheme="https", host="other.example"))


async def test_no_tls(world, authority, tmp_path):
    """A server that speaks plain HTTP where TLS is expected is told as that."""
    async with trusting(world, tmp_path, authority):
        with pytest.raises(errors.Unreachable, match="does not speak TLS"):
            await world.content(world.server.url(scheme="https"))


async def test_no_way_down(world, secure, authority, tmp_path):
    """A redirect to http needs http to be allowed, and takes no credentials along."""
    secure.handlers["/a.jar"] = redirect(world.server.url())
    world.serve(static(JAR))
    async with trusting(world, tmp_path, authority):
        with pytest.raises(errors.RefusedScheme, match="redirects to the scheme 'http'"):
            await world.content(secure.url(scheme="https"), allowed_schemes=frozenset({"https"}))
        assert world.server.asked == []
        headers = (("X-Key", "k"),)
        assert await world.content(secure.url(scheme="https"), headers=headers) == JAR
    assert "X-Key" in secure.asked[-1].headers
    assert "X-Key" not in world.server.asked[0].headers


async def test_a_server_that_does_not_shake_hands(world, authority, tmp_path):
    """A connection that is never made is given up."""

    async def answer(*_):
        """Say nothing; the request's head never comes."""

    async with raw(answer) as port, trusting(world, tmp_path, authority):
        with pytest.raises(errors.Unreachable, match=r"no connection within 0\.05 s"):
            await world.content(f"https://jars.example:{port}/a.jar", connect_timeout=0.05)
