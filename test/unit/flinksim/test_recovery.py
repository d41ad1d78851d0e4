"""What a new JobManager restores: HA first, then the savepoint path, then nothing."""

import base64
import json

import pytest
from fakes.flinkcluster import APPLICATION, HA, SESSION, job_id
from fakes.simworld import NS, SimWorld, only_job, some

APP = {**APPLICATION, "$internal.pipeline.job-id": job_id(1)}
HA_APP = {**APP, **HA}
VERSIONS = ["v1_13", "v1_14", "v1_15", "v1_16", "v1_17", "v1_18", "v1_19", "v1_20", "v2_0", "v2_2"]


@pytest.fixture
def sim():
    return SimWorld()


def runs(sim, name="a", lineage=""):
    return sim.world.ledger.of(NS, name)[lineage]


@pytest.mark.parametrize("version", VERSIONS)
def test_ha_restores_the_newest_checkpoint(sim, version):
    """With HA a new JobManager goes on from the newest checkpoint, in every version's layout."""
    conf = {**HA_APP, "$internal.flink.version": version}
    first = sim.up("a", conf, seconds=3.1)
    newest = some(only_job(first).checkpoints.newest())
    sim.down(first)
    job = only_job(sim.up("a", conf))
    assert some(job.checkpoints.restored).snapshot.path == newest.path
    assert some(job.submission.restore).counter == newest.counter
    assert job.checkpoints.next_number > newest.number
    assert [run["lost"] for run in runs(sim)] == [0, 0]


def test_without_ha_a_new_jobmanager_starts_again(sim):
    """Without HA the job starts from the configured path or from nothing, and that shows as lost."""
    conf = {
        **APP,
        "execution.checkpointing.interval": "200 ms",
        "state.checkpoints.dir": "file:///cp",
    }
    sim.down(sim.up("a", conf, seconds=3.1))
    sim.up("a", conf)
    assert runs(sim)[0]["lost"] == 0
    assert runs(sim)[1]["lost"] > 2000


def test_savepoint_path(sim):
    """A savepoint is restored by its path, written in either way, also by another job."""
    first = sim.up("a", APP, seconds=2)
    operation = only_job(first).operations[
        only_job(first).trigger_savepoint("file:///sp", None, stop=True)
    ]
    sim.time.advance(1)
    sim.down(first)
    path = some(operation.location).replace("file:/", "file:///")
    second = {**APP, "execution.savepoint.path": path, "$internal.pipeline.job-id": job_id(2)}
    job = only_job(sim.up("a", second))
    assert some(job.submission.restore).path == operation.location
    assert [run["lost"] for run in runs(sim)] == [0, 0]
    assert runs(sim)[0]["end"] == "FINISHED"


@pytest.mark.parametrize("path", ["file:///nothing/here", "KUBERNETES_OPERATOR_LAST_STATE"])
def test_path_that_does_not_exist(sim, path):
    """A path that is not there fails the job instead of starting it empty."""
    job = only_job(sim.up("a", {**APP, "execution.savepoint.path": path}))
    assert job.state == "FAILED"
    assert path in some(job.failure).message
    assert not job.ever_ran


def test_ha_wins_over_the_path(sim):
    """The operator's invalid path does no harm while HA metadata is there, and protects when it is gone."""
    conf = {**HA_APP, "execution.savepoint.path": "KUBERNETES_OPERATOR_LAST_STATE"}
    sim.down(sim.up("a", HA_APP, seconds=3))
    second = sim.up("a", conf)
    assert only_job(second).state == "RUNNING"
    sim.down(second)
    sim.effects.maps.clear()
    assert only_job(sim.up("a", conf)).state == "FAILED"


def test_left_over_graph_keeps_its_parallelism(sim):
    """A job graph that was not removed from HA wins over the new configuration (T-23)."""
    sim.down(sim.up("a", HA_APP, seconds=2))
    wider = {**HA_APP, "parallelism.default": "4"}
    second = sim.up("a", wider)
    assert only_job(second).width == 2
    sim.down(second)
    for data in sim.effects.maps.values():
        for key in [key for key in data if key.startswith(("jobGraph-", "executionPlan-"))]:
            del data[key]
    job = only_job(sim.up("a", wider))
    assert job.width == 4
    assert job.submission.restore is not None


def test_ended_job_leaves_no_ha_data(sim):
    """A job that ends for good removes its map and its graph; leaders stay."""
    only_job(sim.up("a", HA_APP, seconds=2)).finish()
    assert list(sim.effects.maps) == ["a-cluster-config-map"]
    assert not [
        key
        for key in sim.effects.maps["a-cluster-config-map"]
        if job_id(1) in key and "leader" not in key
    ]


def test_ended_job_is_not_run_again(sim):
    """The job result store keeps a restarted JobManager from running an ended job again."""
    conf = {**HA_APP, "job-result-store.storage-path": "file:///jrs/1"}
    first = sim.up("a", conf, seconds=2)
    only_job(first).finish()
    sim.down(first)
    assert not sim.up("a", conf).jobs
    assert sim.up("b", {**conf, "job-result-store.storage-path": "file:///jrs/2"}).jobs


def test_killed_process(sim):
    """`kill` restarts the process in its pod: same uid, the job recovers."""
    first = sim.up("a", HA_APP, seconds=3)
    newest = some(only_job(first).checkpoints.newest()).path
    sim.order("a", jobmanager="kill")
    sim.time.advance(1)
    leader = sim.cluster("a").leader
    assert leader is not first
    assert leader.uid == first.uid
    assert some(only_job(leader).submission.restore).path == newest
    assert sim.effects.noted == [f"restart pod {first.uid}"]


def test_standby(sim):
    """With HA a second JobManager waits, and takes over when the first is gone."""
    first, second = sim.up("a", HA_APP, seconds=2), sim.up("a", HA_APP)
    assert sim.cluster("a").leader is first
    assert not second.jobs
    sim.down(first)
    sim.time.advance(1)
    assert sim.cluster("a").leader is second
    assert only_job(second).submission.restore is not None
    assert not sim.world.ledger.doubled


def test_two_jobmanagers_without_ha_double_the_job(sim):
    """Without HA two pods both run the job: that is what `doubled` is for."""
    sim.up("a", APP)
    sim.up("a", APP)
    assert len(sim.world.ledger.doubled) == 1


LAYOUTS = [
    (
        "v1_14",
        {
            "a-dispatcher-leader",
            "a-resourcemanager-leader",
            "a-restserver-leader",
            f"a-{job_id(1)}-jobmanager-leader",
        },
    ),
    ("v1_15", {"a-cluster-config-map", f"a-{job_id(1)}-config-map"}),
    ("v2_2", {"a-cluster-config-map", f"a-{job_id(1)}-config-map"}),
]


@pytest.mark.parametrize(("version", "names"), LAYOUTS)
def test_names_of_ha_maps(sim, version, names):
    """The maps are named as each version names them."""
    sim.up("a", {**HA_APP, "$internal.flink.version": version}, seconds=2)
    assert set(sim.effects.maps) == names


@pytest.mark.parametrize(
    ("version", "graph", "leader"),
    [
        ("v1_18", "jobGraph-", ""),
        ("v1_19", "jobGraph-", "job-"),
        ("v2_0", "executionPlan-", "job-"),
    ],
)
def test_keys_of_the_cluster_map(sim, version, graph, leader):
    """Graph and leader keys are spelled as each version spells them."""
    sim.up("a", {**HA_APP, "$internal.flink.version": version})
    data = sim.effects.maps["a-cluster-config-map"]
    assert {f"{graph}{job_id(1)}", f"org.apache.flink.k8s.leader.{leader}{job_id(1)}"} <= set(data)


def test_checkpoint_keys(sim):
    """Checkpoint keys have nineteen digits, and the counter is the next number."""
    sim.up("a", HA_APP, seconds=3.1)
    data = sim.effects.maps[f"a-{job_id(1)}-config-map"]
    (key,) = (key for key in data if key.startswith("checkpointID-"))
    assert len(key) == len("checkpointID-") + 19
    assert int(data["counter"]) == int(key.removeprefix("checkpointID-")) + 1
    assert json.loads(base64.b64decode(data[key]))["job_id"] == job_id(1)


def test_session_jobs_survive_with_ha(sim):
    """A session cluster's new JobManager recovers its jobs with HA, and forgets them without."""
    for conf, survivors in (({**SESSION, **HA}, 1), (SESSION, 0)):
        name = f"s{survivors}"
        first = sim.up(name, conf)
        job = first.run_jar(
            {"jobId": job_id(7), "parallelism": 1, "flinkConfiguration": {"pipeline.name": "x"}}
        )
        sim.time.advance(2)
        sim.down(first)
        second = sim.up(name, conf)
        assert len(second.jobs) == survivors
        if survivors:
            assert second.jobs[job.id].submission.name == "x"
