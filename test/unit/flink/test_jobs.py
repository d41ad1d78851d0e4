"""Several calls as one act: polled at growing distances, inside one budget, tidy afterwards."""

import asyncio

import pytest
from fakes.scripted_transport import ScriptedTransport, ok, refused

from flinkop.flink import errors, jobs
from flinkop.flink.interpret import CancelOutcome, Done, Failed
from flinkop.flink.rest import FlinkClient

pytestmark = pytest.mark.virtual_time

TRIGGERED = ok({"request-id": "t1"}, 202)
GOING = ok({"status": {"id": "IN_PROGRESS"}})
STOPPED = ok({"status": {"id": "COMPLETED"}, "operation": {"location": "file:/sp"}})
FAILED = ok(
    {
        "status": {"id": "COMPLETED"},
        "operation": {"failure-cause": {"class": "E", "stack-trace": "E: no"}},
    }
)


def client(*steps):
    transport = ScriptedTransport(list(steps))
    return FlinkClient(transport), transport


async def test_stop_waits_for_the_savepoint():
    """The stop is polled after 10, 20, 40 ms until the savepoint is there (S-5)."""
    flink, transport = client(TRIGGERED, GOING, GOING, GOING, STOPPED)
    assert await jobs.stop_with_savepoint(flink, "j", target=None, timeout=60) == Done("file:/sp")
    assert len(transport.asked) == 5
    assert asyncio.get_running_loop().time() == pytest.approx(0.07)


async def test_stop_that_fails():
    """A failed savepoint is told, not raised."""
    flink, _ = client(TRIGGERED, FAILED)
    assert await jobs.stop_with_savepoint(flink, "j", target=None, timeout=60) == Failed(
        "E: no", "E: no"
    )


async def test_stop_has_one_budget():
    """A stop that never ends is a Timeout when its time is up, with few polls on the way."""
    flink, transport = client(TRIGGERED, GOING)
    with pytest.raises(errors.Timeout, match="did not stop within 60 s"):
        await jobs.stop_with_savepoint(flink, "j", target=None, timeout=60)
    assert asyncio.get_running_loop().time() == pytest.approx(60, abs=2.1)
    assert len(transport.asked) < 45


async def test_refused_stop():
    """A stop that is refused raises."""
    flink, _ = client(refused(404, "Job j not found"))
    with pytest.raises(errors.JobNotFound):
        await jobs.stop_with_savepoint(flink, "j", target=None, timeout=60)


@pytest.mark.parametrize(
    ("step", "outcome"),
    [
        (ok(status=202), CancelOutcome.ACCEPTED),
        (refused(404, "Job could not be found."), CancelOutcome.MISSING),
    ],
)
async def test_cancel(step, outcome):
    """A cancel tells its outcome and raises nothing."""
    flink, transport = client(step)
    assert await jobs.cancel(flink.once(5), "j") is outcome
    assert transport.asked[0].timeout == 5


async def test_result():
    """The result is waited for."""
    done = ok(
        {
            "status": {"id": "COMPLETED"},
            "job-execution-result": {"id": "j", "application-status": "FAILED"},
        }
    )
    flink, _ = client(GOING, done)
    result = await jobs.result(flink, "j")
    assert result is not None
    assert result.application_status == "FAILED"


async def test_result_of_a_running_job():
    """A job that goes on has no result within the client's time."""
    flink, _ = client(GOING)
    with pytest.raises(errors.Timeout):
        await jobs.result(flink, "j")


UPLOADED = ok({"filename": "/up/1_a.jar", "status": "success"})


async def test_submit(tmp_path):
    """A jar is uploaded, run and deleted again (S-21 to S-24)."""
    jar = tmp_path / "a.jar"
    jar.write_bytes(b"PK")
    flink, transport = client(UPLOADED, ok({"jobid": "j"}), ok({}))
    assert await jobs.submit(flink, jar, jobs.JarJob("j")) == "j"
    calls = [(asked.method, asked.path) for asked in transport.asked]
    assert calls == [
        ("POST", "/v1/jars/upload"),
        ("POST", "/v1/jars/1_a.jar/run"),
        ("DELETE", "/v1/jars/1_a.jar"),
    ]


async def test_failed_run_deletes_the_jar(tmp_path):
    """A run that fails is raised, after its jar was deleted; a failed deletion hides nothing."""
    jar = tmp_path / "a.jar"
    jar.write_bytes(b"PK")
    flink, transport = client(UPLOADED, refused(500, "no main"), refused(400, "not there"))
    with pytest.raises(errors.HttpError, match="no main"):
        await jobs.submit(flink, jar, jobs.JarJob("j"))
    assert transport.asked[-1].method == "DELETE"
