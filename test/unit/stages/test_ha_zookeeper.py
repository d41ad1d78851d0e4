"""What is done with the nodes of a Flink cluster, and with those that are not Flink's."""

import contextlib

import pytest
from fakes.nodes import FakeNodes

from flinkop.kube.errors import FencedError
from flinkop.lifecycle.ha_metadata import HaFacts
from flinkop.lifecycle.ha_zookeeper import ZooKeeper
from flinkop.stages.ha_zookeeper import HaZooKeeper
from flinkop.zookeeper.client import ZooKeeperClient
from flinkop.zookeeper.ensemble import Ensemble
from flinkop.zookeeper.errors import ZooKeeperError

JOB = "01e3d26e22e5aa57ee7a06aab0bb1e28"
OTHER = "ab735121ad3871d7d6a9bb747b267cfe"
WHERE = ZooKeeper(Ensemble(("zk:2181",)), "/flink/basic", ("/flink/basic/jobgraphs",))


def metadata(nodes, fence=lambda: None):
    return HaZooKeeper(ZooKeeperClient(lambda _: contextlib.nullcontext(nodes)), fence)


async def test_looking():
    """Jobs count, and nothing else."""
    nodes = FakeNodes(f"/flink/basic/jobgraphs/{JOB}", "/flink/basic/jobs/strange/checkpoints/1")
    assert await metadata(nodes).look(WHERE) == HaFacts(available=False)
    nodes = FakeNodes(f"/flink/basic/jobs/{JOB}", f"/flink/basic/jobs/{OTHER}/checkpoints/1")
    assert await metadata(nodes).look(WHERE) == HaFacts(available=True, has_checkpoint=True)


async def test_deleting():
    """All that Flink makes, from the leaves up; the cluster's node only when nothing is left in it."""
    nodes = FakeNodes(
        f"/flink/basic/jobs/{JOB}/checkpoints/1/locks/x",
        f"/flink/basic/jobgraphs/{JOB}/locks/x",
        "/flink/basic/leader/latch/x",
    )
    await metadata(nodes).delete(WHERE)
    assert nodes.paths == {"/flink"}
    nodes = FakeNodes(f"/flink/basic/jobs/{JOB}", "/flink/basic/theirs/0")
    await metadata(nodes).delete(WHERE)
    assert nodes.paths == {"/flink", "/flink/basic", "/flink/basic/theirs", "/flink/basic/theirs/0"}


async def test_dropping_job_graphs():
    """Of jobs only, wherever the configuration says that they are."""
    nodes = FakeNodes("/flink/basic/jobgraphs/theirs", f"/flink/basic/jobs/{JOB}")
    before = set(nodes.paths)
    nodes.paths |= FakeNodes(f"/flink/basic/jobgraphs/{JOB}/locks/x").paths
    await metadata(nodes).drop_job_graphs(WHERE)
    assert nodes.paths == before


async def test_what_is_too_deep_is_not_flinks():
    """It may have no end."""
    nodes = FakeNodes("/flink/basic/jobs" + "/x" * 20)
    with pytest.raises(ZooKeeperError, match="deeper than any of Flink's"):
        await metadata(nodes).delete(WHERE)


async def test_the_fence_is_asked_before_each_deletion():
    """The process may lose its lease in the middle."""
    allowed = iter([None, None])

    def fence():
        if next(allowed, "no") == "no":
            raise FencedError("not leading")

    nodes = FakeNodes(f"/flink/basic/jobs/{JOB}/checkpoints/1")
    with pytest.raises(FencedError):
        await metadata(nodes, fence).delete(WHERE)
    assert nodes.paths == set(FakeNodes(f"/flink/basic/jobs/{JOB}").paths)
