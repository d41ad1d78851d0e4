"""A simulated world behind its REST server on a local port, and clients for it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp.test_utils import TestServer
from attrs import define
from fakes.simworld import NS, SimWorld
from flinksim import control

from flinkop.flink.address import Cluster, Template
from flinkop.flink.features import NEWEST, Version
from flinkop.flink.rest import FlinkClient
from flinkop.flink.transport import TransportFactory, direct_transports


@define
class SimServer:
    sim: SimWorld
    base: str
    transports: TransportFactory
    http: aiohttp.ClientSession

    def client(self, name: str, version: Version = NEWEST) -> FlinkClient:
        """A client that makes single attempts, within two seconds."""
        return FlinkClient(self.transports(Cluster(NS, name)), version=version).once(2.0)

    async def get(self, path: str) -> Any:
        async with self.http.get(self.base + path) as response:
            return await response.json()

    async def send(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        async with self.http.request(method, self.base + path, json=body) as response:
            text = await response.text()
            return (
                response.status,
                await response.json() if "json" in response.content_type else text,
            )


@asynccontextmanager
async def serving(sim: SimWorld) -> AsyncIterator[SimServer]:
    """Serve the world until the end of the block."""
    server = TestServer(control.application(sim.world))
    async with server, aiohttp.ClientSession() as http:
        base = f"http://127.0.0.1:{server.port}"
        async with direct_transports(Template(base + "/{namespace}/{name}")) as transports:
            yield SimServer(sim, base, transports, http)
