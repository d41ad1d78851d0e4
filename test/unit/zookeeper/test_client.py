"""How work gets its session: in a thread, in time, or not at all."""

import builtins
import contextlib
import sys
import threading

import pytest
from fakes.nodes import FakeNodes

from flinkop.zookeeper.client import ZooKeeperClient
from flinkop.zookeeper.ensemble import Ensemble
from flinkop.zookeeper.errors import LibraryMissing, Unavailable, ZooKeeperError

ENSEMBLE = Ensemble(("zk:2181",), (("digest", "flink:secret"),))


def opening(nodes):
    return ZooKeeperClient(lambda _ensemble: contextlib.nullcontext(nodes))


async def test_work_is_done_in_a_thread():
    """Its result comes back, and so do its errors."""
    client = opening(FakeNodes("/flink"))

    def where(nodes):
        return threading.current_thread().name, nodes.children("/flink")

    name, found = await client.run(ENSEMBLE, where)
    assert name.startswith("zookeeper")
    assert found == ()

    def broken(_nodes):
        raise ZooKeeperError("boom")

    with pytest.raises(ZooKeeperError, match="boom"):
        await client.run(ENSEMBLE, broken)


@pytest.mark.virtual_time
async def test_nobody_waits_for_ever():
    """The thread may go on; whoever asked is told."""
    goes_on = threading.Event()
    with pytest.raises(Unavailable, match="ZooKeeper at zk:2181 does not answer"):
        await opening(FakeNodes()).run(ENSEMBLE, lambda _nodes: goes_on.wait(10))
    goes_on.set()


async def test_without_the_package(monkeypatch):
    """What to do is said, and asked again only now and then."""
    kept = builtins.__import__

    def without(name, *arguments, **named):
        if name.startswith("kazoo"):
            raise ImportError(name)
        return kept(name, *arguments, **named)

    monkeypatch.delitem(sys.modules, "flinkop.zookeeper.session", raising=False)
    monkeypatch.delattr("flinkop.zookeeper.session", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(LibraryMissing, match="Install flinkop\\[zookeeper\\]") as caught:
        await ZooKeeperClient().run(ENSEMBLE, lambda _nodes: None)
    assert caught.value.retry_after == 60


def test_secrets_are_not_shown():
    """Neither in messages nor in logs of values."""
    assert "secret" not in f"{ENSEMBLE} {ENSEMBLE!r}"
