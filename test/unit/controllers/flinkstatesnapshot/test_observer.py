"""What is found out about a snapshot, from caches and from Flink (behaviour.md N-1, N-2)."""

import msgspec
import pytest
from fakes.caches import custom_object
from fakes.snapshotworld import JOB_ID, KEY, REQUEST, Process, World

from flinkop.api.flink_version import FlinkVersion
from flinkop.api.status import FlinkJobState
from flinkop.controllers.flinkstatesnapshot.observation import Answer, Disposal, Observation
from flinkop.flink.transport import RawAnswer

REFERENCE = {"kind": "FlinkDeployment", "name": "basic"}
SAVEPOINT = {"jobReference": REFERENCE, "savepoint": {}}
CHECKPOINT = {"jobReference": REFERENCE, "checkpoint": {}}
ID = "f" * 32
BEGUN = {"state": "IN_PROGRESS", "triggerId": ID, "triggerTimestamp": "2026-01-01T00:00:00Z"}
DONE = {"id": "COMPLETED"}


class Sight:
    """A snapshot with a status, and what the observer sees of it."""

    def __init__(self, spec, status=None):
        self.world = World()
        self.world.set_job()
        self.world.create(spec)
        if status is not None and self.world.document is not None:
            self.world.document["status"] = dict(status)
        self.flink = self.world.flink
        self.process = Process(self.world)

    async def look(self) -> Observation:
        self.process.see()
        obj = self.world.object()
        assert obj is not None
        return await self.process.made.observer.observe(self.process.made._context(REQUEST, obj))


async def test_a_snapshot_that_names_no_job():
    """Nothing is looked for, nothing is asked."""
    for spec in ({"savepoint": {}}, {"savepoint": {}, "jobReference": {"name": "basic"}}):
        assert await Sight(spec, BEGUN).look() == Observation()


async def test_a_job_that_does_not_run_is_not_asked():
    """There may be nobody to ask."""
    sight = Sight(SAVEPOINT, BEGUN)
    sight.world.set_job(FlinkJobState.FINISHED)
    seen = await sight.look()
    assert seen.target is not None
    assert (seen.access, seen.job_runs) == (None, False)
    assert seen.trigger.answer is Answer.NOT_ASKED


async def test_a_job_that_cannot_be_seen_is_not_absent():
    """The cache is not complete."""
    sight = Sight(SAVEPOINT)
    sight.world.job = None
    sight.process.deployments.synced = False
    assert not (await sight.look()).target_known
    sight.world.set_job()
    assert (await sight.look()).target_known


async def test_the_way_to_flink_is_that_of_its_version():
    """What requests may contain depends on it."""
    sight = Sight(SAVEPOINT)
    sight.world.set_job(version=FlinkVersion.V1_17)
    seen = await sight.look()
    assert seen.access is not None
    assert seen.access.flink == (1, 17)
    assert seen.access.savepoint_directory == "s3://dir"


@pytest.mark.parametrize(
    ("known", "answer", "path"),
    [
        ({"status": {"id": "IN_PROGRESS"}}, Answer.PENDING, ""),
        ({"status": DONE, "operation": {"location": "s3://p"}}, Answer.DONE, "s3://p"),
        (
            {"status": DONE, "operation": {"failure-cause": {"stack-trace": "a.B: c"}}},
            Answer.FAILED,
            "",
        ),
        (None, Answer.UNKNOWN, ""),
    ],
)
async def test_what_flink_says_of_a_savepoint(known, answer, path):
    """Under way, done, failed, or never heard of."""
    sight = Sight(SAVEPOINT, BEGUN)
    if known is not None:
        sight.flink.known[ID] = known
    facts = (await sight.look()).trigger
    assert (facts.answer, facts.path) == (answer, path)
    assert [cause.message for cause in facts.causes] == (["c"] if answer is Answer.FAILED else [])


async def test_what_it_knew_before_and_knows_no_more():
    """Its JobManager is another."""
    sight = Sight(SAVEPOINT, BEGUN)
    sight.flink.known[ID] = {"status": {"id": "IN_PROGRESS"}}
    assert (await sight.look()).trigger.answer is Answer.PENDING
    sight.flink.restart()
    assert (await sight.look()).trigger.answer is Answer.FORGOTTEN


@pytest.mark.parametrize("status", [500, 503, 400])
async def test_an_answer_that_cannot_be_used_is_silence(status):
    """Counted in seconds."""
    sight = Sight(SAVEPOINT, BEGUN)
    sight.flink.broken = {ID: status}
    assert (await sight.look()).trigger.answer is Answer.SILENT
    sight.world.clock.advance(7)
    facts = (await sight.look()).trigger
    assert (facts.answer, facts.silent_for) == (Answer.SILENT, 7)
    assert str(status) in facts.detail


@pytest.mark.parametrize("missing", ["triggerId", None])
async def test_an_attempt_without_an_id_is_lost(missing):
    """Nobody can ask for it."""
    status = {**BEGUN, "triggerId": None if missing else ""}
    assert (await Sight(SAVEPOINT, status).look()).trigger.answer is Answer.FORGOTTEN


@pytest.mark.parametrize(
    ("operation", "answer"),
    [
        (None, Answer.PENDING),
        ({"failureCause": {"stack-trace": "a.B: c"}}, Answer.FAILED),
        ({"checkpointId": 5}, Answer.DONE),
    ],
)
async def test_what_flink_says_of_a_checkpoint(operation, answer):
    """Its place is asked for once it was taken."""
    sight = Sight(CHECKPOINT, BEGUN)
    state = {"id": "IN_PROGRESS"} if operation is None else DONE
    sight.flink.known[ID] = {"status": state, "operation": operation or {}}
    facts = (await sight.look()).trigger
    assert facts.answer is answer
    assert facts.path == ("chk-5" if answer is Answer.DONE else "")


@pytest.mark.parametrize(
    ("details", "answer"),
    [
        ({"className": "in_progress"}, Answer.PENDING),
        ({"className": "failed", "failure_message": "full"}, Answer.DONE),
        (404, Answer.DONE),
        (503, Answer.SILENT),
    ],
)
async def test_the_place_of_a_checkpoint_may_not_be_known(details, answer, monkeypatch):
    """Taken all the same, if Flink has dropped it from its history; asked again, if it cannot say now."""
    sight = Sight(CHECKPOINT, BEGUN)
    sight.flink.known[ID] = {"status": DONE, "operation": {"checkpointId": 5}}
    if isinstance(details, int):
        sight.flink.broken = {"details": details}
    else:
        body = RawAnswer(200, msgspec.json.encode(details))
        monkeypatch.setattr(type(sight.flink), "_details", lambda *_: body)
    facts = (await sight.look()).trigger
    assert (facts.answer, facts.path) == (answer, "")
    assert bool(facts.detail) == (answer is not Answer.PENDING)


class LostResult(Sight):
    """A savepoint that was taken long ago, and whose result Flink has forgotten."""

    def __init__(self, **members):
        super().__init__(SAVEPOINT, BEGUN)
        entry = {
            "id": 1,
            "status": "COMPLETED",
            "is_savepoint": True,
            "trigger_timestamp": 1767225601000,
            "external_path": "s3://dir/savepoint-1",
        }
        self.flink.history.append({**entry, **members})
        self.world.clock.advance(300)


async def test_a_lost_result_is_found_in_the_history():
    """It was triggered when the status says so."""
    facts = (await LostResult().look()).trigger
    assert (facts.answer, facts.path) == (Answer.DONE, "s3://dir/savepoint-1")


@pytest.mark.parametrize(
    "members",
    [
        {"trigger_timestamp": 1767225600000 + 31_000},
        {"is_savepoint": False},
        {"status": "FAILED"},
    ],
)
async def test_what_is_not_ours_is_not_taken_for_it(members):
    """Another moment, no savepoint, not completed."""
    assert (await LostResult(**members).look()).trigger.answer is Answer.UNKNOWN


async def test_two_savepoints_of_the_moment_are_not_chosen_between():
    """One of them is somebody else's, and would be disposed of with ours."""
    sight = LostResult()
    sight.flink.history.append({**sight.flink.history[0], "external_path": "s3://dir/savepoint-2"})
    assert (await sight.look()).trigger.answer is Answer.UNKNOWN
    other = {"state": "COMPLETED", "path": "s3://dir/savepoint-2"}
    sight.process.cache.put(custom_object("other", spec=SAVEPOINT, status=other))
    facts = (await sight.look()).trigger
    assert (facts.answer, facts.path) == (Answer.DONE, "s3://dir/savepoint-1")


async def test_a_history_that_cannot_be_read_has_nothing():
    """Then it is asked for again."""
    sight = LostResult()
    sight.flink.known.clear()
    sight.flink.broken = {f"/{JOB_ID}/checkpoints": 500}
    assert (await sight.look()).trigger.answer is Answer.UNKNOWN


async def test_shortly_after_the_trigger_the_history_is_not_asked():
    """Flink would know the result."""
    sight = LostResult()
    sight.world.clock.advance(-200)
    assert (await sight.look()).trigger.answer is Answer.UNKNOWN


class Deleted(Sight):
    """A savepoint whose resource is being deleted."""

    def __init__(self):
        super().__init__(SAVEPOINT, {**BEGUN, "state": "COMPLETED", "path": "s3://dir/savepoint-1"})
        self.world.delete()


async def test_who_needs_a_savepoint_that_is_to_go():
    """By what their specs and statuses name."""
    sight = Deleted()
    spec = {"job": {"initialSavepointPath": "s3://dir/savepoint-1"}}
    sight.process.deployments.put(custom_object("other", spec=spec))
    sight.process.session_jobs.put(custom_object("job", spec=spec))
    sight.process.session_jobs.put(custom_object("far", namespace="elsewhere", spec=spec))
    seen = await sight.look()
    assert seen.cleanup.users == ("job", "other")
    assert seen.cleanup.disposal is Disposal.NOT_ASKED


@pytest.mark.parametrize(("ends", "seen"), [(True, True), (False, False), (None, False)])
async def test_whether_the_namespace_ends(ends, seen):
    """Asked only when nothing can be disposed of; who may not ask goes on as if it did not."""
    sight = Deleted()
    sight.world.namespace_ends = ends
    assert not (await sight.look()).cleanup.namespace_ends
    sight.world.set_job(FlinkJobState.FINISHED)
    assert (await sight.look()).cleanup.namespace_ends is seen


@pytest.mark.parametrize(
    ("operation", "status", "disposal"),
    [
        ({}, "IN_PROGRESS", Disposal.PENDING),
        ({}, "COMPLETED", Disposal.DONE),
        ({"failure-cause": {"stack-trace": "x.Y: denied"}}, "COMPLETED", Disposal.FAILED),
    ],
)
async def test_how_far_a_disposal_is(operation, status, disposal):
    """By the request that this process made; one that failed is not asked about again."""
    sight = Deleted()
    contact = sight.process.made.observer.contact
    contact.disposing(KEY, "u", "d0")
    sight.flink.known["d0"] = {"status": {"id": status}, "operation": operation}
    facts = (await sight.look()).cleanup
    assert facts.disposal is disposal
    assert (contact.disposal(KEY, "u") is None) == (disposal is Disposal.FAILED)
    assert facts.detail == ("x.Y: denied" if disposal is Disposal.FAILED else "")
