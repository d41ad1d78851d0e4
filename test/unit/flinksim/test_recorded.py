"""Flinksim answers as the real JobManagers did whose answers are recorded: same codes, same keys, same kinds of values."""

import json

import pytest
from fakes import recordings
from fakes.flinkcluster import APPLICATION, HA, SESSION, job_id
from fakes.flinktalk import Answer, failed, restored, running, session
from fakes.shapes import only_completed, shape
from fakes.simrest import serving
from fakes.simworld import SimWorld, only_job, some

ID = job_id(1)
JOB = {
    **APPLICATION,
    "$internal.pipeline.job-id": ID,
    "parallelism.default": "1",
    "execution.checkpointing.interval": "1 s",
}
JAR = b'--x\r\nContent-Disposition: form-data; name="jarfile"; filename="numbers.jar"\r\n\r\nPK\r\n--x--\r\n'


def runs(sim, version):
    sim.up("a", {**JOB, **HA, **version, "execution.checkpointing.interval": "1 s"}, seconds=5.5)
    return running(ID)


def goes_on(sim, version):
    manager = sim.up("a", {**JOB, **version}, seconds=5.5)
    job = only_job(manager)
    stop = job.trigger_savepoint("file:///data/savepoints", "CANONICAL", stop=True)
    sim.time.advance(2)
    path = some(job.operations[stop].location)
    sim.down(manager)
    sim.up("a", {**JOB, **version, "execution.savepoint.path": path}, seconds=5.5)
    return restored(ID)


def fails(sim, version):
    sim.order("a", job="fail")
    sim.up("a", {**JOB, **version}, seconds=5.5)
    return failed(ID)


def has_jars(sim, version):
    sim.up("a", {**SESSION, **version}, seconds=3)
    return session("Numbers")


NOT_SIMULATED = {"jobmanager-metrics", "vertex-metrics"}
"""Metrics come from a cache that is empty at first."""

SITUATIONS = {"running": runs, "restored": goes_on, "failed": fails, "session": has_jars}


async def lead(talk, sim, server):
    """Have the conversation with the simulated cluster."""
    answers = {}
    call = next(talk)
    while True:
        if call.again:
            sim.time.advance(0.5)
        data = JAR if call.jar else None if call.body is None else json.dumps(call.body)
        kind = "multipart/form-data; boundary=x" if call.jar else "application/json"
        url = f"{server.base}/ns/a{call.path}"
        headers = {"Content-Type": kind}
        async with server.http.request(call.method, url, data=data, headers=headers) as response:
            answers[call.name] = Answer(response.status, await response.json())
        try:
            call = talk.send(answers[call.name])
        except StopIteration:
            return answers


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("version", recordings.versions())
async def test_as_a_real_one(version, situation):
    """A conversation with either goes the same way."""
    sim = SimWorld()
    major, minor = version.split(".")
    talk = SITUATIONS[situation](sim, {"$internal.flink.version": f"v{major}_{minor}"})
    async with serving(sim) as server:
        ours = await lead(talk, sim, server)
    real = recordings.read(recordings.FOLDER / version / situation)
    assert real.keys() == ours.keys()
    different = [
        (name, found, expected)
        for name in real.keys() - NOT_SIMULATED
        if (found := form(ours[name])) != (expected := form(real[name]))
    ]
    assert not different


def form(answer):
    """What has to be the same. Of exceptions each one's; how they are nested is the failure's business."""
    body = answer.body
    if "exceptionHistory" in body:
        body = {**body, "exceptionHistory": None, "all-exceptions": each_exception(body)}
    return answer.status, shape(only_completed(body))


def each_exception(body):
    """An exception with a task that failed, from wherever there is one."""
    entries = body["exceptionHistory"]["entries"]
    nested = [one for entry in entries for one in entry["concurrentExceptions"]]
    found = [one for one in (*entries, *nested) if "taskName" in one]
    return [
        {key: value for key, value in one.items() if key != "concurrentExceptions"} for one in found
    ]
