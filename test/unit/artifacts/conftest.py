"""A web server on loopback, under names of the test's choice."""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable

import pytest
from attrs import define, evolve, field
from fakes.jarserver import JarServer, serving

from flinkop.artifacts.partfile import PartFile
from flinkop.artifacts.store import ArtifactStore, open_store
from flinkop.artifacts.terms import Bounds, Terms
from flinkop.artifacts.web import WebFetcher

NOBODY = ssl.create_default_context()  # made once: it reads all the system's authorities
HOME = ipaddress.ip_network("127.0.0.1/32")
TERMS = Terms(
    allowed_schemes=frozenset({"http", "https"}),
    allowed_networks=(HOME,),
    connect_timeout=5,
    idle_timeout=5,
    download_timeout=20,
)


@define(eq=False, slots=False)
class World:
    """A store whose web fetcher looks hosts up here.

    Attributes:
        server: where jars come from.
        store: to fetch with.
        addresses: by host; a function is asked each time.
        looked_up: the hosts, in order.
        terms: unless a fetch brings its own.
    """

    server: JarServer
    store: ArtifactStore
    addresses: dict[str, list[str] | Callable[[], list[str]]] = field(
        factory=lambda: {"jars.example": ["127.0.0.1"], "other.example": ["127.0.0.1"]}
    )
    looked_up: list[str] = field(factory=list)
    terms: Terms = TERMS

    async def look_up(self, host, _port):
        """Find the addresses of a host."""
        self.looked_up.append(host)
        found = self.addresses.get(host)
        if found is None:
            raise socket.gaierror(-2, "Name or service not known")
        return found() if callable(found) else found

    async def content(self, uri=None, **terms):
        """Fetch and return what came."""
        uri = self.server.url() if uri is None else uri
        async with self.store.fetched(uri, evolve(self.terms, **terms)) as artifact:
            return await asyncio.to_thread(artifact.path.read_bytes)

    def serve(self, handler, path="/a.jar"):
        """Answer a path from now on."""
        self.server.handlers[path] = handler


@pytest.fixture
async def world(tmp_path, monkeypatch):
    """A world with one server, `jars.example` and `other.example`."""
    monkeypatch.setattr("flinkop.artifacts.web._FIRST_PAUSE", 0.001)
    fetchers = {"http": lambda: WebFetcher(made.look_up, NOBODY)}
    bounds = Bounds(directory=tmp_path, disk=64 << 20)
    async with serving() as server, open_store(bounds, fetchers) as store:
        made: World = World(server, store)
        note_progress(monkeypatch, server)
        yield made


def note_progress(monkeypatch, server):
    """Tell the server what has been taken, so that it knows when to cut."""
    write = PartFile.write

    async def noted(part, chunk):
        await write(part, chunk)
        server.note(part.received)

    monkeypatch.setattr(PartFile, "write", noted)
