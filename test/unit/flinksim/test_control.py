"""The control API: orders, faults of the REST side, counting, and answers about everything."""

import pytest
from fakes.flinkcluster import APPLICATION, job_id
from fakes.simrest import serving
from fakes.simworld import SimWorld

from flinkop.flink import errors

APP = {**APPLICATION, "$internal.pipeline.job-id": job_id(1)}


@pytest.fixture
def sim():
    return SimWorld()


@pytest.fixture
async def server(sim):
    async with serving(sim) as made:
        yield made


async def test_no_jobmanager(sim, server):
    """Where no JobManager runs, connections are closed: before, and after it was there."""
    flink = server.client("a")
    with pytest.raises(errors.Unreachable):
        await flink.config()
    manager = sim.up("a", APP)
    assert await flink.answers()
    sim.down(manager)
    with pytest.raises(errors.Unreachable):
        await flink.config()


async def test_starting_jobmanager(sim, server):
    """While it starts, REST answers 503."""
    sim.order("a", delays={"rest": 5})
    sim.up("a", APP)
    with pytest.raises(errors.Unavailable):
        await server.client("a").config()
    sim.time.advance(5)
    assert await server.client("a").answers()


@pytest.mark.parametrize(
    ("order", "error"),
    [
        ("down", errors.Unreachable),
        ("503", errors.Unavailable),
        ("500", errors.HttpError),
        ("garbage", errors.BadAnswer),
        ("hang", errors.Timeout),
        ("slow:5s", errors.Timeout),
    ],
)
async def test_rest_faults(sim, server, order, error):
    """Each way REST can be unwell, until the order is taken back."""
    sim.up("a", APP)
    flink = server.client("a").within(0.2)
    await server.send("PUT", "/_control/ns/a", {"rest": order})
    with pytest.raises(error):
        await flink.config()
    await server.send("PUT", "/_control/ns/a", {"rest": None})
    assert await flink.answers()


async def test_slow_answers_come(sim, server):
    """A slow answer is an answer."""
    sim.up("a", APP)
    sim.order("a", rest="slow:10ms")
    assert await server.client("a").answers()


async def test_wildcards(sim, server):
    """The more special order wins, and clusters to come obey too."""
    for path, rate in (("*/*", 1), ("ns/*", 2), ("ns/b", 3)):
        await server.send("PUT", f"/_control/{path}", {"rate": rate})
    for name, rate in (("a", 2), ("b", 3)):
        sim.up(name, APP)
        assert sim.cluster(name).knobs().rate == rate
    assert sim.world.cluster("other", "c").knobs().rate == 1
    await server.send("DELETE", "/_control/ns/b")
    assert sim.cluster("b").knobs().rate == 2


async def test_orders_in_the_configuration(sim):
    """A cluster's own configuration can hold orders; those of the API win."""
    sim.up(
        "a",
        {
            **APP,
            "flinksim.rate": "7",
            "flinksim.delays.running": "3 s",
            "flinksim.next-savepoint": "fail",
        },
    )
    knobs = sim.cluster("a").knobs()
    assert (knobs.rate, knobs.delays.running, knobs.next_savepoint) == (7, 3, "fail")
    sim.order("a", rate=8)
    assert sim.cluster("a").knobs().rate == 8
    assert sim.cluster("a").knobs().delays.running == 3


@pytest.mark.parametrize(
    "body", [{"rets": "down"}, {"delays": {"sleeping": 1}}, {"delays": {"running": "soon"}}, []]
)
async def test_wrong_orders(server, body):
    """A mistyped order is refused, with what is known."""
    status, text = await server.send("PUT", "/_control/ns/a", body)
    assert status == 400
    assert text


async def test_one_shot_orders_count_once(sim, server):
    """An order for the next savepoint holds for one, and may be given again."""
    sim.up("a", APP)
    cluster = sim.cluster("a")
    for _ in range(2):
        await server.send("PUT", "/_control/ns/a", {"next_savepoint": "fail"})
        await server.send("PUT", "/_control/ns/a", {"rate": 5})
        assert cluster.take("next_savepoint") == "fail"
        assert cluster.take("next_savepoint") is None


async def test_calls_are_counted(sim, server):
    """Calls are counted by route, refused ones too, and can be forgotten."""
    sim.up("a", APP)
    flink = server.client("a")
    await flink.config()
    await flink.job(job_id(1))
    sim.order("a", rest="down")
    with pytest.raises(errors.Unreachable):
        await flink.config()
    calls = await server.get("/_control/ns/a/calls")
    assert calls["counts"]["GET /jobs/:jobid"] == 1
    # the client's HTTP library asks once more when a kept connection was closed
    assert calls["counts"]["GET /config"] in {2, 3}
    assert [call["status"] for call in calls["latest"]][:3] == [200, 200, 0]
    await server.send("DELETE", "/_control/*/*/calls")
    assert (await server.get("/_control/ns/a/calls"))["counts"] == {}


async def test_state(sim, server):
    """The dump tells jobs, runs and snapshots."""
    manager = sim.up("a", APP)
    await server.client("a").trigger_savepoint(job_id(1), target=None)
    sim.time.advance(1)
    state = await server.get("/_control/state")
    (job,) = state["clusters"]["ns/a"]["jobmanagers"][0]["jobs"]
    assert (job["id"], job["state"]) == (job_id(1), "RUNNING")
    assert len(state["snapshots"]) == 1
    sim.down(manager)
    cluster = await server.get("/_control/ns/a")
    (run,) = cluster["runs"][""]
    assert (run["end"], run["lost"]) == ("JOBMANAGER_LOST", 0)
    assert (await server.send("GET", "/_control/ns/none"))[0] == 404


async def test_summary(sim, server):
    """The summary counts."""
    for name in ("a", "b"):
        sim.up(name, APP)
    summary = await server.get("/_control/summary")
    assert summary["clusters"] == 2
    assert summary["jobs"] == {"RUNNING": 2}
    assert (summary["lost"], summary["doubled"]) == (0, 0)
