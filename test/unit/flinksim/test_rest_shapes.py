"""The simulator's answers have the shape of real JobManagers' answers, key for key."""

import json
from pathlib import Path

import pytest
from fakes.flinkcluster import APPLICATION, HA, SESSION, job_id
from fakes.shapes import only_completed, shape
from fakes.simrest import serving
from fakes.simworld import SimWorld, only_job

GOLDEN = Path(__file__).parents[2] / "golden" / "flink-rest"
ID = job_id(1)
APP = {
    **APPLICATION,
    **HA,
    "$internal.pipeline.job-id": ID,
    "execution.checkpointing.interval": "1 s",
}
PATHS = {
    "config": "/config",
    "overview": "/overview",
    "taskmanagers": "/taskmanagers",
    "jobs": "/jobs",
    "jobs-overview": "/jobs/overview",
    "job": f"/jobs/{ID}",
    "job-config": f"/jobs/{ID}/config",
    "job-exceptions": f"/jobs/{ID}/exceptions",
    "job-plan": f"/jobs/{ID}/plan",
    "job-checkpoints": f"/jobs/{ID}/checkpoints",
    "job-checkpoints-config": f"/jobs/{ID}/checkpoints/config",
}


def application(sim):
    return sim.up("a", APP, seconds=5.5)


def session(sim):
    manager = sim.up("a", SESSION)
    manager.run_jar({"jobId": ID, "parallelism": 1})
    sim.time.advance(2)
    return manager


def restored(sim):
    sim.down(application(sim))
    application(sim)


def with_savepoint(sim):
    job = only_job(application(sim))
    job.trigger_savepoint("file:///sp", "CANONICAL")
    sim.time.advance(2)


CASES = {
    "1.20-application": application,
    "1.20-restored-checkpoint": restored,
    "1.20-savepoint": with_savepoint,
    "2.2-session": session,
}


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize("case", CASES)
async def test_same_shape_as_a_real_one(case, name):
    """Same keys, same kinds of values, in the same situation."""
    sim = SimWorld()
    CASES[case](sim)
    real = json.loads((GOLDEN / case / f"{name}.json").read_text())
    async with serving(sim) as server:
        ours = await server.get(f"/ns/a/v1{PATHS[name]}")
    assert shape(only_completed(ours)) == shape(only_completed(real))
