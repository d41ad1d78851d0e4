"""A job whose HA metadata is in ZooKeeper: flinksim runs it, and the tests make the nodes that Flink would."""

import pytest
from fakes.flinkuser import stateful
from fakes.zookeeper import make, tree

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

GRAPH = "jobgraphs/01e3d26e22e5aa57ee7a06aab0bb1e28/locks/x"


def spec(zookeeper, mode):
    """The spec of a job with state, whose cluster keeps its metadata in that server."""
    options = {
        "high-availability.type": "zookeeper",
        "high-availability.zookeeper.quorum": zookeeper.address,
        "high-availability.zookeeper.path.root": "/flink/e2e",
        "high-availability.storageDir": "file:///data/ha",
    }
    return stateful(mode, ha=False, flinkConfiguration=options)


def node(cluster):
    """The node of a cluster."""
    return f"/flink/e2e/{cluster.name}"


def checkpointed(keeper, cluster):
    """Make the nodes of a job that runs and has completed a checkpoint."""
    job = cluster.status["jobStatus"]["jobId"]
    make(keeper, f"{node(cluster)}/jobs/{job}/checkpoints/1", f"{node(cluster)}/leader/dispatcher")


def test_the_life_of_a_job(place, zookeeper, keeper):
    """No graph of another life runs, no metadata of the last run wins over its savepoint, nothing is left."""
    cluster = place.flink()
    make(keeper, f"{node(cluster)}/{GRAPH}")
    cluster.create(spec(zookeeper, "savepoint")).wait_stable().wait_checkpoint()
    assert tree(keeper, node(cluster)) == ["jobgraphs"]
    checkpointed(keeper, cluster)
    cluster.wait_stable(cluster.change(restartNonce=1))
    assert [run["lost"] for run in cluster.runs()] == [0, 0]
    assert tree(keeper, node(cluster)) == []
    checkpointed(keeper, cluster)
    cluster.delete()
    cluster.wait_nothing_left()
    assert keeper.exists(node(cluster)) is None


def test_a_lost_job_is_brought_back_when_zookeeper_answers(place, zookeeper, keeper):
    """Until then nothing is known: nothing is started, and the resource says why."""
    cluster = place.flink()
    cluster.order(unknown_savepoint="accept")
    cluster.create(spec(zookeeper, "last-state")).wait_stable()
    checkpointed(keeper, cluster)
    former = cluster.uid
    zookeeper.stop()
    try:
        place.api.delete(f"{place.apps('deployments')}/{cluster.name}")
        cluster.wait_error(f"ZooKeeper at {zookeeper.address} does not answer")
        assert cluster.status["jobManagerDeploymentStatus"] == "MISSING"
        assert cluster.job_manager is None
    finally:
        zookeeper.start()
    cluster.look()
    cluster.wait_new_job_manager(former).wait_job("RUNNING")
    restored = cluster.status["jobStatus"]["upgradeSavepointPath"]
    assert restored == "KUBERNETES_OPERATOR_LAST_STATE"
    cluster.until(lambda obj: "error" not in obj["status"], what="without error")


def test_a_lost_job_without_metadata_is_not_started_empty(place, zookeeper):
    """The reference's words, and a person has to decide."""
    cluster = place.stable(spec(zookeeper, "last-state"))
    place.api.delete(f"{place.apps('deployments')}/{cluster.name}")
    cluster.wait_error("HA metadata is not available to restore from last state")
    assert cluster.job_manager is None
