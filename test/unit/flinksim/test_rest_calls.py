"""The client against the simulator, over HTTP: every call, and what differs between versions."""

import pytest
from fakes.flinkcluster import APPLICATION, HA, SESSION, job_id
from fakes.simrest import serving
from fakes.simworld import SimWorld, only_job, some

from flinkop.flink import errors, interpret, models
from flinkop.flink.features import NEWEST, Version
from flinkop.flink.interpret import CancelOutcome, Done, Failed, Triggered
from flinkop.flink.states import CheckpointType, JobState, OperationStatus

ID = job_id(1)
APP = {**APPLICATION, "$internal.pipeline.job-id": ID}
VERSIONS = [
    Version(1, 13),
    Version(1, 14),
    Version(1, 15),
    Version(1, 16),
    Version(1, 17),
    Version(1, 18),
    Version(1, 20),
    Version(2, 2),
]


def conf(version, **more):
    return {**APP, "$internal.flink.version": f"v{version.major}_{version.minor}", **more}


@pytest.fixture
def sim():
    return SimWorld()


@pytest.fixture
async def server(sim):
    async with serving(sim) as made:
        yield made


@pytest.fixture
def flink(server):
    return server.client("a")


@pytest.mark.parametrize("version", VERSIONS, ids=str)
async def test_every_read(sim, server, version):
    """All answers of every version are decoded by the client."""
    sim.up("a", conf(version, **HA), seconds=3)
    sim.order("a", job="restart")
    sim.time.advance(1)
    flink = server.client("a", version)
    assert (await flink.config()).flink_version.startswith(f"{version}.")
    assert (await flink.overview()).jobs_running == 1
    assert len(await flink.taskmanagers()) == 1
    (job,) = await flink.jobs_overview()
    assert (job.jid, interpret.running_state(job)) == (ID, JobState.RUNNING)
    assert [one.id for one in await flink.jobs()] == [ID]
    assert len((await flink.job(ID)).vertices) == 2
    (entry,) = (await flink.exceptions(ID)).entries
    assert entry.where == "10.244.0.14:6122"
    assert interpret.last_checkpoint(await flink.checkpoint_stats(ID)) is not None
    assert (await flink.checkpoint_config(ID)).interval == 200
    assert (await flink.execution_result(ID)).status.id is OperationStatus.IN_PROGRESS
    assert await flink.job_metrics(ID, ["numRestarts", "unknown"]) == {"numRestarts": "1"}


@pytest.mark.parametrize("version", VERSIONS, ids=str)
async def test_savepoints_of_every_version(sim, server, version):
    """Savepoint and stop work with each version's fields; the stop's path can be restored."""
    sim.up("a", conf(version))
    flink = server.client("a", version)
    request = await flink.trigger_savepoint(ID, target=None, trigger_id="a" * 32)
    assert (
        interpret.savepoint_outcome(await flink.savepoint_status(ID, request)) == interpret.PENDING
    )
    sim.time.advance(1)
    first = interpret.savepoint_outcome(await flink.savepoint_status(ID, request))
    assert isinstance(first, Done)
    assert first.path.startswith(f"file:/data/savepoints/savepoint-{ID[:6]}-")
    request = await flink.stop_with_savepoint(ID, target="file:///elsewhere", drain=True)
    sim.time.advance(1)
    stopped = interpret.stop_outcome(await flink.savepoint_status(ID, request))
    assert isinstance(stopped, Done)
    assert stopped.path.startswith("file:/elsewhere/")
    assert (await flink.jobs_overview())[0].state is JobState.FINISHED
    assert some(interpret.last_checkpoint(await flink.checkpoint_stats(ID))).path == stopped.path


async def test_old_flink_refuses_new_fields(sim, server):
    """A field that a version does not know is refused, so that a client must leave it out."""
    sim.up("a", conf(Version(1, 14)))
    with pytest.raises(
        errors.HttpError, match="did not match expected format SavepointTriggerRequestBody"
    ) as caught:
        await server.client("a", NEWEST).trigger_savepoint(ID, target=None)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("version", "known"), [(Version(1, 16), False), (Version(1, 17), True)], ids=str
)
async def test_checkpoint_trigger(sim, server, version, known):
    """Checkpoints can be triggered since 1.17; the details lead to the path."""
    sim.up("a", conf(version, **{"state.checkpoints.dir": "file:///cp"}))
    flink = server.client("a", version)
    if not known:
        with pytest.raises(errors.NotFound):
            await flink.trigger_checkpoint(ID)
        return
    request = await flink.trigger_checkpoint(ID, checkpoint_type=CheckpointType.INCREMENTAL)
    sim.time.advance(1)
    outcome = interpret.checkpoint_outcome(await flink.checkpoint_status(ID, request))
    assert isinstance(outcome, Triggered)
    details = await flink.checkpoint_details(ID, outcome.checkpoint_id)
    assert interpret.checkpoint_details_outcome(details) == Done(
        f"file:/cp/{ID}/chk-{outcome.checkpoint_id}"
    )


async def test_failed_snapshots(sim, server, flink):
    """Failures of savepoints and checkpoints arrive with their reason."""
    sim.up("a", APP)
    sim.order("a", next_savepoint="fail", next_checkpoint="fail", message="disk full")
    savepoint = await flink.trigger_savepoint(ID, target=None)
    checkpoint = await flink.trigger_checkpoint(ID)
    sim.time.advance(1)
    assert "disk full" in _reason(
        interpret.savepoint_outcome(await flink.savepoint_status(ID, savepoint))
    )
    assert "disk full" in _reason(
        interpret.checkpoint_outcome(await flink.checkpoint_status(ID, checkpoint))
    )


def _reason(outcome):
    assert isinstance(outcome, Failed)
    return outcome.reason


async def test_stop_that_failed_late(sim, flink):
    """A stop whose job failed after its savepoint is read as a success."""
    sim.up("a", APP)
    sim.order("a", next_savepoint="stopping")
    request = await flink.stop_with_savepoint(ID, target="s3://bucket/sp")
    sim.time.advance(1)
    outcome = interpret.stop_outcome(await flink.savepoint_status(ID, request))
    assert isinstance(outcome, Done)
    assert sim.world.storage.get(outcome.path) is not None


async def test_same_trigger_id(sim, flink):
    """Asked twice with the same id, Flink starts one savepoint."""
    sim.up("a", APP)
    first = await flink.trigger_savepoint(ID, target=None, trigger_id="b" * 32)
    assert await flink.trigger_savepoint(ID, target=None, trigger_id="b" * 32) == first == "b" * 32
    sim.time.advance(1)
    assert len(sim.world.storage.all()) == 1


async def test_cancel(sim, flink):
    """A cancel is accepted while the job goes, and again when it was cancelled; not after another end."""
    manager = sim.up("a", APP)
    await flink.cancel(ID)
    assert (await flink.jobs_overview())[0].state is JobState.CANCELLING
    sim.time.advance(1)
    await flink.cancel(ID)
    result = (await flink.execution_result(ID)).result
    assert result is not None
    assert result.application_status == "CANCELED"
    only_job(manager).state = "FAILED"
    with pytest.raises(errors.Conflict) as terminated:
        await flink.cancel(ID)
    assert interpret.cancel_outcome(terminated.value) is CancelOutcome.TERMINATED
    with pytest.raises(errors.JobNotFound) as missing:
        await flink.cancel(job_id(9))
    assert interpret.cancel_outcome(missing.value) is CancelOutcome.MISSING


async def test_result_of_a_failure(sim, flink):
    """A failed job tells its exception as result and as history."""
    sim.up("a", APP)
    sim.order("a", job="fail", message="bad record")
    sim.time.advance(1)
    result = (await flink.execution_result(ID)).result
    assert result is not None
    assert result.failure_cause is not None
    assert [c.message for c in interpret.failure_chain(result.failure_cause)] == ["bad record"]
    assert "bad record" in interpret.newest_first(await flink.exceptions(ID))[0].stacktrace


@pytest.mark.parametrize(
    "ask",
    [
        lambda flink: flink.job(job_id(9)),
        lambda flink: flink.checkpoint_stats(job_id(9)),
    ],
    ids=["job", "checkpoints"],
)
async def test_unknown_job(sim, flink, ask):
    """Whatever is asked about an unknown job is JobNotFound."""
    sim.up("a", APP)
    with pytest.raises(errors.JobNotFound):
        await ask(flink)


async def test_a_stop_of_an_unknown_job(sim, flink):
    """Flink takes it on, and finds out when it is to be done."""
    sim.up("a", APP)
    asked = await flink.stop_with_savepoint(job_id(9), target=None)
    outcome = interpret.savepoint_outcome(await flink.savepoint_status(job_id(9), asked))
    assert isinstance(outcome, Failed)
    assert "Could not find Flink job" in str(outcome)


async def test_unknown_triggers_and_paths(sim, server, flink):
    """Unknown triggers, checkpoints and paths are 404, and not a missing job."""
    sim.up("a", APP)
    for ask in (
        flink.savepoint_status(ID, "c" * 32),
        flink.checkpoint_details(ID, 99),
        flink.disposal_status("x"),
    ):
        with pytest.raises(errors.NotFound) as caught:
            await ask
        assert type(caught.value) is errors.NotFound
    assert (await server.send("GET", "/ns/a/v1/nonsense"))[0] == 404
    assert (await server.send("GET", "/ns/a/jobs/not-an-id"))[0] == 400


async def test_without_savepoint_directory(sim, flink):
    """Neither request nor configuration names a directory: 400 that says which key to set."""
    sim.up("a", {key: value for key, value in APP.items() if key != "state.savepoints.dir"})
    with pytest.raises(errors.HttpError, match="savepoint-dir"):
        await flink.trigger_savepoint(ID, target=None)


async def test_job_without_checkpoints_yet(sim, flink):
    """A job that failed at its start has no statistics; that is read as no checkpoint."""
    sim.up("a", {**APP, "execution.savepoint.path": "file:///none"})
    with pytest.raises(errors.NotFound) as caught:
        await flink.checkpoint_stats(ID)
    assert interpret.last_checkpoint(caught.value) is None
    (job,) = await flink.jobs_overview()
    assert (job.state, job.tasks.total) == (JobState.FAILED, 0)


async def test_disposal(sim, flink):
    """A disposed savepoint is gone; disposing it twice fails."""
    sim.up("a", APP)
    request = await flink.trigger_savepoint(ID, target=None)
    sim.time.advance(1)
    outcome = interpret.savepoint_outcome(await flink.savepoint_status(ID, request))
    assert isinstance(outcome, Done)
    for failure in (False, True):
        disposal = await flink.dispose_savepoint(outcome.path)
        sim.time.advance(1)
        operation = (await flink.disposal_status(disposal)).operation
        assert operation is not None
        assert (operation.failure_cause is not None) is failure
    assert not sim.world.storage.all()


async def test_rescale(sim, flink):
    """The adaptive scheduler takes new bounds and restarts the job with them."""
    manager = sim.up("a", {**APP, "jobmanager.scheduler": "adaptive"})
    requirements = await flink.resource_requirements(ID)
    assert {one.parallelism.upper for one in requirements.values()} == {2}
    wider = models.VertexRequirements(parallelism=models.Bounds(lower=1, upper=6))
    await flink.put_resource_requirements(ID, dict.fromkeys(requirements, wider))
    sim.time.advance(1)
    assert only_job(manager).width == 6
    assert {vertex.parallelism for vertex in (await flink.job(ID)).vertices} == {6}
    assert len(await flink.taskmanagers()) == 3


async def test_rescale_needs_the_adaptive_scheduler(sim, server):
    """The default scheduler refuses, and before 1.18 there is no such path."""
    sim.up("a", APP)
    with pytest.raises(errors.HttpError, match="DefaultScheduler"):
        await server.client("a").resource_requirements(ID)
    sim.up("b", conf(Version(1, 17)))
    with pytest.raises(errors.NotFound):
        await server.client("b").resource_requirements(ID)


async def test_jars(sim, flink, tmp_path):
    """A session cluster runs uploaded jars; the same id is refused the second time."""
    sim.up("a", SESSION)
    path = tmp_path / "job.jar"
    path.write_bytes(b"PK\x03\x04" * 10)
    jar = (await flink.upload_jar(path)).jar_id
    assert [one.name for one in await flink.jars()] == ["job.jar"]
    options = {"job_id": ID, "parallelism": 1, "configuration": {"pipeline.name": "mine"}}
    assert await flink.run_jar(jar, **options) == ID
    with pytest.raises(errors.HttpError, match="DuplicateJobSubmissionException"):
        await flink.run_jar(jar, **options)
    await flink.delete_jar(jar)
    with pytest.raises(errors.HttpError):
        await flink.delete_jar(jar)
    sim.time.advance(2)
    (job,) = await flink.jobs_overview()
    assert (job.jid, job.name, job.state) == (ID, "mine", JobState.RUNNING)


async def test_applications_take_no_jars(sim, flink):
    """An application cluster has no such paths."""
    sim.up("a", APP)
    with pytest.raises(errors.NotFound):
        await flink.jars()
