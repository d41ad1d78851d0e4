"""What is done about HA metadata that cannot be deleted."""

from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from flinkop.controllers.flinkdeployment.acting.removing import Remover
from flinkop.controllers.flinkdeployment.planning import steps
from flinkop.kube.meta import ObjectKey
from flinkop.lifecycle.ha_zookeeper import ZooKeeper
from flinkop.zookeeper.ensemble import Ensemble
from flinkop.zookeeper.errors import Unavailable

KEY = ObjectKey("ns", "basic")
WHERE = ZooKeeper(Ensemble(("zk:2181",)), "/flink/basic", ())
CTX: Any = SimpleNamespace(key=KEY)


class Metadata:
    """Remembers what it was asked to remove; fails with `error`."""

    def __init__(self, error=None):
        self.error = error
        self.asked: list[Any] = []

    async def _do(self, *what):
        self.asked.append(what)
        if self.error is not None:
            raise self.error

    async def delete(self, cluster, where):
        await self._do("delete", cluster, where)

    async def drop_job_graphs(self, cluster, where):
        await self._do("graphs", cluster, where)


def remover(metadata):
    none: Any = None
    return Remover(none, metadata)


async def test_the_place_is_the_steps():
    """The plan knows which cluster is meant."""
    metadata = Metadata()
    for step in (steps.DeleteHaMetadata(WHERE), steps.DropJobGraphs(WHERE), steps.DropJobGraphs()):
        await remover(metadata).remove(CTX, step)
    assert metadata.asked == [("delete", KEY, WHERE), ("graphs", KEY, WHERE), ("graphs", KEY, None)]


async def test_a_start_waits_for_metadata_to_be_gone():
    """Flink would restore from it."""
    gone = Metadata(Unavailable("ZooKeeper at zk:2181 does not answer"))
    for step in (steps.DeleteHaMetadata(WHERE), steps.DropJobGraphs(WHERE)):
        with pytest.raises(Unavailable):
            await remover(gone).remove(CTX, step)


async def test_a_resource_that_goes_does_not():
    """What is left is told in the log."""
    gone = Metadata(Unavailable("ZooKeeper at zk:2181 does not answer"))
    with capture_logs() as logs:
        await remover(gone).remove(CTX, steps.DeleteHaMetadata(WHERE, may_stay=True))
    [entry] = logs
    assert (entry["log_level"], entry["path"]) == ("warning", "/flink/basic")
    assert "left behind" in entry["event"]
