"""Calls with what belongs to them: tidy afterwards, and an outcome where others raise."""

import pytest
from fakes.scripted_transport import ScriptedTransport, ok, refused

from flinkop.flink import errors, jobs
from flinkop.flink.interpret import CancelOutcome
from flinkop.flink.rest import FlinkClient

UPLOADED = ok({"filename": "/up/1_a.jar", "status": "success"})


def client(*steps):
    transport = ScriptedTransport(list(steps))
    return FlinkClient(transport), transport


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


async def test_submit(tmp_path):
    """A jar is uploaded, run and deleted again (S-21 to S-24)."""
    jar = tmp_path / "a.jar"
    jar.write_bytes(b"PK")
    flink, transport = client(UPLOADED, ok({"jobid": "j"}), ok({}))
    async with jobs.uploaded(flink, jar) as jar_id:
        assert await jobs.run(flink, jar_id, jobs.JarJob("j")) == "j"
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
        async with jobs.uploaded(flink, jar) as jar_id:
            await jobs.run(flink, jar_id, jobs.JarJob("j"))
    assert transport.asked[-1].method == "DELETE"
