"""FlinkClient: what each call sends, by version, and what it makes of the answer."""

from pathlib import Path

import pytest
from fakes.scripted_transport import ScriptedTransport, ok, refused

from flinkop.flink import errors, models
from flinkop.flink.features import Version
from flinkop.flink.rest import FlinkClient
from flinkop.flink.states import SavepointFormat

CURRENT = Version(1, 20)
TRIGGERED = ok({"request-id": "t1"}, 202)


def client(*steps, version=CURRENT, **options):
    transport = ScriptedTransport(list(steps))
    return FlinkClient(transport, version=version, **options), transport


GETS = [
    ("overview", (), "/v1/overview", {}),
    ("config", (), "/v1/config", {}),
    ("taskmanagers", (), "/v1/taskmanagers", {}),
    ("jobs_overview", (), "/v1/jobs/overview", {}),
    ("jobs", (), "/v1/jobs", {}),
    ("job", ("j",), "/v1/jobs/j", {"jid": "j", "state": "RUNNING"}),
    ("execution_result", ("j",), "/v1/jobs/j/execution-result", {"status": {"id": "IN_PROGRESS"}}),
    ("exceptions", ("j",), "/v1/jobs/j/exceptions", {}),
    ("savepoint_status", ("j", "t"), "/v1/jobs/j/savepoints/t", {"status": {"id": "IN_PROGRESS"}}),
    ("disposal_status", ("t",), "/v1/savepoint-disposal/t", {"status": {"id": "COMPLETED"}}),
    ("checkpoint_status", ("j", "t"), "/v1/jobs/j/checkpoints/t", {"status": {"id": "COMPLETED"}}),
    ("checkpoint_stats", ("j",), "/v1/jobs/j/checkpoints", {}),
    (
        "checkpoint_details",
        ("j", 7),
        "/v1/jobs/j/checkpoints/details/7",
        {"id": 7, "className": "completed"},
    ),
    ("checkpoint_config", ("j",), "/v1/jobs/j/checkpoints/config", {}),
    ("resource_requirements", ("j",), "/v1/jobs/j/resource-requirements", {}),
    ("jars", (), "/v1/jars", {}),
    ("job_metrics", ("j", ["a", "b"]), "/v1/jobs/j/metrics?get=a%2Cb", [{"id": "a", "value": "1"}]),
    ("metrics", ("/jobmanager",), "/v1/jobmanager/metrics", [{"id": "a"}]),
    (
        "aggregated_metrics",
        ("/taskmanagers", ["a"], ["max"]),
        "/v1/taskmanagers/metrics?get=a&agg=max",
        [{"id": "a", "max": 1.0}],
    ),
]


@pytest.mark.parametrize(
    ("method", "arguments", "path", "answer"), GETS, ids=[row[0] for row in GETS]
)
async def test_reads(method, arguments, path, answer):
    """Each read goes to its path, once, and its answer is decoded."""
    flink, transport = client(ok(answer))
    await getattr(flink, method)(*arguments)
    (asked,) = transport.asked
    assert (asked.method, asked.path, asked.json) == ("GET", path, None)


async def test_cancel():
    """A cancel is a PATCH with its mode."""
    flink, transport = client(ok(status=202))
    await flink.cancel("j")
    assert (transport.asked[0].method, transport.asked[0].path) == (
        "PATCH",
        "/v1/jobs/j?mode=cancel",
    )


async def test_ids_are_quoted():
    """An id from outside cannot change the path."""
    flink, transport = client(ok(status=202))
    await flink.cancel("../x?y")
    assert transport.asked[0].path == "/v1/jobs/..%2Fx%3Fy?mode=cancel"


@pytest.mark.parametrize(
    ("version", "fields"),
    [
        (Version(1, 14), {}),
        (Version(1, 15), {"formatType": "NATIVE", "triggerId": "mine"}),
        (Version(2, 2), {"formatType": "NATIVE", "triggerId": "mine"}),
    ],
)
async def test_stop_with_savepoint(version, fields):
    """Format and own trigger id are sent only to a Flink that knows them: older ones refuse the request."""
    flink, transport = client(TRIGGERED, version=version)
    request = await flink.stop_with_savepoint(
        "j", target="s3://sp", drain=True, format_type=SavepointFormat.NATIVE, trigger_id="mine"
    )
    assert request == "t1"
    assert transport.asked[0].json == {"targetDirectory": "s3://sp", "drain": True} | fields


async def test_trigger_savepoint():
    """A savepoint's keys are spelled with dashes, and it never cancels the job."""
    flink, transport = client(TRIGGERED)
    await flink.trigger_savepoint("j", target=None)
    assert transport.asked[0].json == {"cancel-job": False, "formatType": "CANONICAL"}


async def test_trigger_checkpoint():
    """A checkpoint names its type."""
    flink, transport = client(TRIGGERED)
    await flink.trigger_checkpoint("j")
    assert transport.asked[0].json == {"checkpointType": "FULL"}


async def test_dispose():
    """A disposal names the path and does not wait."""
    flink, transport = client(TRIGGERED)
    assert await flink.dispose_savepoint("s3://sp/1") == "t1"
    assert transport.asked[0].json == {"savepoint-path": "s3://sp/1"}


@pytest.mark.parametrize(
    ("version", "fields"),
    [
        (Version(1, 14), {}),
        (Version(1, 15), {"restoreMode": "NO_CLAIM"}),
        (Version(1, 17), {"restoreMode": "NO_CLAIM", "flinkConfiguration": {"a": "b"}}),
        (Version(1, 20), {"claimMode": "NO_CLAIM", "flinkConfiguration": {"a": "b"}}),
        (Version(2, 2), {"claimMode": "NO_CLAIM", "flinkConfiguration": {"a": "b"}}),
    ],
)
async def test_run_jar(version, fields):
    """A run leaves out what is not set, and what its Flink does not know (S-23)."""
    flink, transport = client(ok({"jobid": "j"}), version=version)
    assert (
        await flink.run_jar(
            "x.jar", job_id="j", args=["--a"], parallelism=0, configuration={"a": "b"}
        )
        == "j"
    )
    (asked,) = transport.asked
    assert asked.json == {"jobId": "j", "programArgsList": ["--a"]} | fields
    assert asked.timeout == pytest.approx(600, rel=0.01)


async def test_upload(tmp_path: Path):
    """A jar goes up as a multipart body of exactly the announced size."""
    jar = tmp_path / "job.jar"
    jar.write_bytes(b"PK" * 300_000)
    flink, transport = client(ok({"filename": "/up/1_job.jar", "status": "success"}))
    assert (await flink.upload_jar(jar)).jar_id == "1_job.jar"
    body = transport.asked[0].body
    sent = b"".join([chunk async for chunk in body.chunks()])
    assert len(sent) == body.size
    assert jar.read_bytes() in sent
    assert b"application/java-archive" in sent


async def test_put_requirements():
    """Bounds are sent in Flink's shape."""
    flink, transport = client(ok({}))
    await flink.put_resource_requirements(
        "j", {"v": models.VertexRequirements(parallelism=models.Bounds(lower=1, upper=4))}
    )
    requirement = transport.asked[0].json["v"]
    assert requirement == models.VertexRequirements(parallelism=models.Bounds(lower=1, upper=4))


@pytest.mark.virtual_time
async def test_retried_by_default():
    """A starting JobManager is waited for."""
    flink, transport = client(refused(503, "leader election"), ok({"flink-version": "1.20.5"}))
    assert (await flink.config()).flink_version == "1.20.5"
    assert len(transport.asked) == 2


async def test_single_shot():
    """A probe asks once and tells what it met."""
    flink, transport = client(refused(503, "leader election"))
    with pytest.raises(errors.Unavailable):
        await flink.once().config()
    assert len(transport.asked) == 1


@pytest.mark.virtual_time
@pytest.mark.parametrize(("own_id", "attempts"), [(None, 1), ("mine", 2)])
async def test_cut_trigger_is_repeated_only_with_own_id(own_id, attempts):
    """A trigger whose answer was lost is sent again only when a second one starts nothing new."""
    flink, transport = client(errors.Unreachable("cut", sent=True), TRIGGERED)
    if own_id is None:
        with pytest.raises(errors.Unreachable):
            await flink.trigger_savepoint("j", target="x")
    else:
        await flink.trigger_savepoint("j", target="x", trigger_id=own_id)
    assert len(transport.asked) == attempts


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"jobs":[{"name":"no id"}]}', b"\xff"])
async def test_unreadable_answers(body):
    """An answer that is not what was asked for is a BadAnswer that names the call."""
    transport = ScriptedTransport([ok()._replace(body=body)])
    with pytest.raises(errors.BadAnswer, match="GET /jobs/overview"):
        await FlinkClient(transport).jobs_overview()


@pytest.mark.parametrize(
    ("step", "there"),
    [
        (ok({}), True),
        (refused(500, "no"), True),
        (refused(401, "no"), True),
        (refused(503, "starting"), False),
        (refused(502, "proxy"), False),
        (errors.Unreachable("refused", sent=False), False),
        (errors.Timeout("late"), False),
    ],
)
async def test_answers(step, there):
    """Any answer of Flink's own means that it is there; a proxy's excuse does not."""
    flink, _ = client(step)
    assert await flink.once(1.0).answers() is there
