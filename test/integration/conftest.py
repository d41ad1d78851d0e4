"""Ways to the API server: straight, and through a proxy that a test may tell to misbehave; and ZooKeeper."""

import random

import pytest_asyncio
from fakes import kubeconfigs
from fakes.faultproxy import FaultProxy
from fakes.zookeeper import keeper, zookeeper

from flinkop.kube import config
from flinkop.kube.client import KubeClient
from flinkop.kube.retry import RetryPolicy

__all__ = ["client", "keeper", "proxied", "proxy", "zookeeper"]


@pytest_asyncio.fixture
async def client(control_plane):
    """A client with the rights of an administrator."""
    async with KubeClient(await config.load(str(control_plane.kubeconfig))) as made:
        yield made


@pytest_asyncio.fixture
async def proxy(control_plane):
    """A fault proxy in front of the API server."""
    async with FaultProxy(kubeconfigs.load(control_plane.kubeconfig)) as made:
        yield made


@pytest_asyncio.fixture
async def proxied(proxy, tmp_path):
    """A client that goes through the fault proxy, and does not wait long before it tries again."""
    path = proxy.write_kubeconfig(tmp_path / "kubeconfig")
    async with KubeClient(
        await config.load(str(path)),
        retry=RetryPolicy(base=0.01, cap=0.05),
        rng=random.Random(1),  # noqa: S311
    ) as made:
        yield made
