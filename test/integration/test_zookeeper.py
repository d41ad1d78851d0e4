"""HA metadata in a real ZooKeeper server, laid out as Flink does it."""

import asyncio
import secrets
import threading

import pytest
from fakes.zookeeper import make, tree
from kazoo.exceptions import NoNodeError
from kazoo.security import make_digest_acl

from flinkop.kube.errors import FencedError
from flinkop.lifecycle.ha_metadata import HaFacts
from flinkop.lifecycle.ha_zookeeper import ZooKeeper
from flinkop.stages.ha_zookeeper import HaZooKeeper
from flinkop.zookeeper.client import ZooKeeperClient
from flinkop.zookeeper.ensemble import Ensemble
from flinkop.zookeeper.errors import Denied

pytestmark = pytest.mark.integration

JOB = "01e3d26e22e5aa57ee7a06aab0bb1e28"
LOCK = "86119eea-a389-42dd-be68-194c90c268c5"
JOBS = (
    f"jobs/{JOB}/checkpoint_id_counter",
    f"jobs/{JOB}/checkpoints/0000000000000000001/locks/{LOCK}",
)
LEADERS = (
    "leader/dispatcher/connection_info",
    f"leader/job-{JOB}/connection_info",
    "leader/latch/_c_69197e78-528c-4c66-a79a-9f0074a9fa5d-latch-0000000000",
)
GRAPHS = (f"jobgraphs/{JOB}/locks/{LOCK}",)
PLANS = (f"execution-plans/{JOB}/locks/{LOCK}",)


@pytest.fixture
def where(zookeeper, keeper):
    """A place of the test's own; nothing is there."""
    path = f"/flink/{secrets.token_hex(4)}"
    graphs = (f"{path}/execution-plans", f"{path}/jobgraphs")
    yield ZooKeeper(Ensemble((zookeeper.address,)), path, graphs)
    keeper.delete(path, recursive=True)


@pytest.fixture
def metadata():
    """What deals with it, allowed to write."""
    return HaZooKeeper(ZooKeeperClient(), lambda: None)


def flink(keeper, where, *nodes):
    """Make the nodes of a Flink cluster."""
    make(keeper, *(f"{where.path}/{node}" for node in nodes))


async def test_no_metadata(keeper, where, metadata):
    """No node of the cluster, none of a job, none of it Flink's, or only job graphs and leaders."""
    nothing = HaFacts(available=False)
    assert await metadata.look(where) == nothing
    flink(keeper, where, "jobs", *GRAPHS, *LEADERS)
    assert await metadata.look(where) == nothing
    flink(keeper, where, "jobs/something")
    assert await metadata.look(where) == nothing


async def test_metadata_of_a_job(keeper, where, metadata):
    """There from its start, and with a checkpoint once it has completed one."""
    flink(keeper, where, f"jobs/{JOB}/checkpoints")
    assert await metadata.look(where) == HaFacts(available=True, has_checkpoint=False)
    flink(keeper, where, *JOBS)
    assert await metadata.look(where) == HaFacts(available=True, has_checkpoint=True)


@pytest.mark.parametrize("graphs", [GRAPHS, PLANS], ids=["Flink 1", "Flink 2"])
async def test_job_graphs_are_dropped(keeper, where, metadata, graphs):
    """Nothing else is; and with none there it is no error."""
    await metadata.drop_job_graphs(where)
    flink(keeper, where, *JOBS, *LEADERS)
    before = tree(keeper, where.path)
    flink(keeper, where, *graphs)
    await metadata.drop_job_graphs(where)
    node = graphs[0].partition("/")[0]
    assert tree(keeper, where.path) == sorted([*before, node])


async def test_all_of_it_is_deleted(keeper, where, metadata):
    """With the cluster's own node; again it is no error."""
    flink(keeper, where, *JOBS, *GRAPHS, *PLANS, *LEADERS)
    await metadata.delete(where)
    assert keeper.exists(where.path) is None
    assert keeper.exists("/flink") is not None
    await metadata.delete(where)


async def test_what_is_not_flinks_stays(keeper, where, metadata):
    """A user may name any node; the operator does not delete it for them."""
    strangers = ("ids/0", "topics/orders/partitions", "jobgraphs/mine")
    flink(keeper, where, *strangers, *JOBS)
    odd = ZooKeeper(where.ensemble, where.path, (f"{where.path}/ids", f"{where.path}/topics"))
    await metadata.drop_job_graphs(odd)
    await metadata.delete(ZooKeeper(where.ensemble, f"{where.path}/topics", ()))
    assert "ids/0" in tree(keeper, where.path)
    assert "topics/orders/partitions" in tree(keeper, where.path)


async def test_nothing_is_deleted_by_a_process_that_leads_no_more(keeper, where):
    """The fence is asked before each node."""

    def closed():
        raise FencedError("not leading")

    flink(keeper, where, *JOBS)
    before = tree(keeper, where.path)
    with pytest.raises(FencedError):
        await HaZooKeeper(ZooKeeperClient(), closed).delete(where)
    assert tree(keeper, where.path) == before


async def test_nodes_that_only_some_may_see(keeper, where, metadata, zookeeper):
    """An access control list keeps the operator out, until it is given the credentials."""
    owner = make_digest_acl("flink", "secret", all=True)
    make(keeper, where.path)
    keeper.create(f"{where.path}/jobs", acl=[owner])
    with pytest.raises(Denied, match="does not let the operator"):
        await metadata.look(where)
    ensemble = Ensemble((zookeeper.address,), (("digest", "flink:secret"),))
    known = ZooKeeper(ensemble, where.path, where.job_graphs)
    assert await metadata.look(known) == HaFacts(available=False)
    await metadata.delete(known)
    with pytest.raises(NoNodeError):
        keeper.get_children(where.path)


async def test_many_questions_at_once(keeper, where, metadata):
    """They take turns, and leave neither threads nor sessions behind."""
    flink(keeper, where, *JOBS)
    before = threads()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(metadata.look(where)) for _ in range(30)]
    assert {task.result() for task in tasks} == {HaFacts(available=True, has_checkpoint=True)}
    left = threads() - before
    for one in left:
        one.join(2)
    assert not [one for one in left if one.is_alive()]


def threads():
    """Threads of sessions; those that sessions run in are kept for the next."""
    return {one for one in threading.enumerate() if not one.name.startswith("zookeeper")}


async def test_a_server_that_is_down_beside_one_that_is_up(keeper, where, metadata, zookeeper):
    """The other one is asked."""
    flink(keeper, where, *JOBS)
    ensemble = Ensemble(("127.0.0.1:1", zookeeper.address))
    found = await metadata.look(ZooKeeper(ensemble, where.path, where.job_graphs))
    assert found.available
