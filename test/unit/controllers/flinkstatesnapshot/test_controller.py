"""A whole reconcile, stage after stage, over a world in memory."""

import json

import pytest
from fakes.snapshotworld import REQUEST, Process, World

from flinkop.api.flink_version import FlinkVersion
from flinkop.api.status import FlinkJobState
from flinkop.runtime.result import Result, RetryError

FINALIZER = "flinkstatesnapshots.flink.apache.org/finalizer"
REFERENCE = {"kind": "FlinkDeployment", "name": "basic"}
SAVEPOINT = {"jobReference": REFERENCE, "savepoint": {}}
CHECKPOINT = {"jobReference": REFERENCE, "checkpoint": {}}


@pytest.fixture
def world():
    """A running job, and nothing else."""
    made = World()
    made.set_job()
    return made


@pytest.fixture
def process(world):
    """The operator."""
    return Process(world)


async def taken(process, spec=None):
    """Have a savepoint taken."""
    process.world.create(spec or SAVEPOINT)
    await process.go_on()
    process.drafts()
    return process.world


async def test_a_savepoint_costs_six_writes(world, process):
    """Finalizer with labels, status, trigger, label, status, label; nothing afterwards."""
    world.create(SAVEPOINT)
    assert await process.go_on() == Result()
    assert world.writes == [
        "patch metadata",
        "patch status",
        "POST",
        "patch metadata",
        "patch status",
        "patch metadata",
    ]
    assert world.status["state"] == "COMPLETED"
    assert world.status["path"] == "s3://dir/savepoint-1"
    assert world.document["metadata"]["finalizers"] == [FINALIZER]
    assert world.document["metadata"]["labels"]["snapshot.state"] == "COMPLETED"
    assert process.drafts() == []
    await process.look()
    assert len(world.writes) == 6


async def test_a_checkpoint_has_the_place_that_flink_tells(world, process):
    """Of the checkpoint that was triggered."""
    world.create(CHECKPOINT)
    await process.go_on()
    assert (world.status["state"], world.status["path"]) == ("COMPLETED", "chk-1")


async def test_old_flink(world, process):
    """The id is Flink's own."""
    world.set_job(version=FlinkVersion.V1_14)
    await taken(process)
    assert world.status["state"] == "COMPLETED"
    assert world.status["triggerId"] == "0" * 32
    assert world.flink.taken == 1


async def test_an_attempt_that_fails_is_repeated_after_its_wait(world, process):
    """Pending with an error meanwhile; the wait is what the next look is due after."""
    world.flink.outcomes = ["fail"]
    world.create(SAVEPOINT)
    await process.look()
    assert (await process.look()).requeue_after == 10
    assert world.status["state"] == "TRIGGER_PENDING"
    assert "disk full" in world.status["error"]
    assert process.drafts() == ["SavepointError"]
    await process.go_on()
    assert world.status["state"] == "COMPLETED"
    assert "error" not in world.status
    assert world.status["failures"] == 1


@pytest.mark.parametrize("status", [400, 404, 409])
async def test_a_trigger_that_is_refused_has_failed(world, process, status):
    """With Flink's answer in the error."""
    world.flink.refusals = [status]
    world.create({**SAVEPOINT, "backoffLimit": 0})
    await process.go_on()
    assert world.status["state"] == "FAILED"
    error = json.loads(world.status["error"])
    assert error["additionalMetadata"] == {"httpResponseCode": status}
    assert world.document["metadata"]["labels"]["snapshot.state"] == "FAILED"
    assert process.drafts() == ["SavepointError"]
    assert world.flink.taken == 0


async def test_a_trigger_whose_answer_is_lost_is_not_doubled(world, process):
    """The next look finds out that Flink knows it."""
    world.flink.lost_answers = 1
    await taken(process)
    assert world.status["state"] == "COMPLETED"
    assert (world.flink.taken, world.status["failures"]) == (1, 0)


async def test_a_trigger_that_flink_cannot_take_now_is_sent_again(world, process):
    """Under its id; an internal error is no refusal."""
    world.flink.refusals = [500, 503]
    await taken(process)
    assert (world.flink.taken, world.status["failures"]) == (1, 0)


async def test_a_trigger_that_flink_never_takes_fails_in_the_end(world, process):
    """After the grace period."""
    world.flink.refusals = [500] * 1000
    world.create({**SAVEPOINT, "backoffLimit": 0})
    await process.go_on(looks=100)
    assert world.status["state"] == "FAILED"
    assert "no sign of savepoint trigger" in world.status["error"]


async def test_a_job_manager_that_does_not_answer_for_a_while(world, process):
    """Nothing is concluded, and the savepoint is found afterwards."""
    world.create(SAVEPOINT)
    await process.look()
    world.flink.down = True
    for _ in range(5):
        result = await process.look()
        assert 0 < result.requeue_after <= 10
    world.flink.down = False
    await process.go_on()
    assert (world.flink.taken, world.status["failures"]) == (1, 0)


async def test_a_job_manager_that_was_restarted_forgot_the_trigger(world, process):
    """That is a failure, not a reason to ask for the same again."""
    world.flink.outcomes = ["hang"]
    world.create({**SAVEPOINT, "backoffLimit": 0})
    await process.look()
    await process.look()
    world.flink.restart()
    await process.go_on()
    assert world.status["state"] == "FAILED"
    assert world.flink.taken == 1


async def test_a_result_that_was_lost_while_nobody_asked_is_found_again(world, process):
    """The next operator comes after Flink has forgotten it: the job's history has it."""
    world.create(SAVEPOINT)
    await process.look()
    world.flink.forget_results()
    world.clock.advance(600)
    await Process(world).go_on()
    assert (world.status["state"], world.status["path"]) == ("COMPLETED", "s3://dir/savepoint-1")
    assert world.flink.taken == 1


async def test_a_savepoint_of_another_moment_is_not_taken_for_ours(world, process):
    """It may be somebody else's: ours is taken, under the id that is in the status."""
    world.flink.lost_answers = 1
    world.create(SAVEPOINT)
    await process.look()
    world.flink.forget_results()
    world.flink.history[0]["trigger_timestamp"] += 60_000
    world.clock.advance(600)
    await Process(world).go_on()
    assert world.status["path"] == "s3://dir/savepoint-2"


async def test_a_spec_that_is_refused_is_told_and_changes_nothing(world, process):
    """No status is written; the correction is acted on."""
    world.create({"jobReference": REFERENCE})
    result = await process.look()
    assert result.requeue_after == 60
    assert "status" not in world.document
    assert process.drafts() == ["ValidationError"]
    world.change(savepoint={})
    await process.go_on()
    assert world.status["state"] == "COMPLETED"


async def test_a_spec_that_cannot_be_read_is_refused_too(world, process):
    """An older CRD lets it through."""
    world.create({**SAVEPOINT, "backoffLimit": "many"})
    await process.look()
    assert process.drafts() == ["ValidationError"]
    assert world.flink.taken == 0


async def test_a_spec_that_becomes_wrong_does_not_stop_what_is_under_way(world, process):
    """What was triggered comes to its end; somebody is told."""
    world.flink.outcomes = ["hang"]
    world.create(SAVEPOINT)
    await process.look()
    world.change(checkpoint={})
    await process.look()
    assert process.drafts() == ["ValidationError"]
    world.flink.known[world.status["triggerId"]] = {
        "status": {"id": "COMPLETED"},
        "operation": {"location": "s3://p"},
    }
    await process.go_on()
    assert world.status["state"] == "COMPLETED"


async def test_what_has_ended_asks_flink_nothing(world, process):
    """However its job is now; labels that somebody changed are mended."""
    await taken(process)
    world.flink.down = True
    world.set_job(FlinkJobState.FAILED)
    world.document["metadata"]["labels"]["snapshot.state"] = "odd"
    world._touch()
    assert await process.look() == Result()
    assert world.document["metadata"]["labels"]["snapshot.state"] == "COMPLETED"
    assert world.status["state"] == "COMPLETED"


async def test_a_job_that_stops_meanwhile(world, process):
    """Abandoned, and said so."""
    world.flink.outcomes = ["hang"]
    world.create(SAVEPOINT)
    await process.look()
    world.set_job(FlinkJobState.FINISHED)
    assert await process.look() == Result()
    assert world.status["state"] == "ABANDONED"
    assert process.drafts() == ["SnapshotAbandoned"]


async def test_a_job_manager_that_is_slow_for_others_may_still_take_it(world, process):
    """The job's own status says RECONCILING for a while; the savepoint is not given up for that."""
    world.flink.outcomes = ["hang"]
    world.create(SAVEPOINT)
    await process.look()
    world.set_job(FlinkJobState.RECONCILING)
    world.flink.down = True
    assert (await process.look()).requeue_after < 10
    world.flink.down = False
    world.flink.known[world.status["triggerId"]] = {
        "status": {"id": "COMPLETED"},
        "operation": {"location": "s3://p"},
    }
    await process.look()
    assert (world.status["state"], world.status["path"]) == ("COMPLETED", "s3://p")


async def test_another_writer_of_the_status_is_noticed(world, process):
    """The reconcile starts again from what is stored."""
    world.create(SAVEPOINT)
    world.conflicts = 1
    with pytest.raises(RetryError):
        await process.look()
    await process.go_on()
    assert world.status["state"] == "COMPLETED"
    assert world.flink.taken == 1


async def test_deletion_disposes_of_the_savepoint(world, process):
    """Asked, waited for, released."""
    await taken(process)
    world.delete()
    assert await process.look() != Result()
    assert world.document is not None
    await process.look()
    assert world.document is None
    assert world.flink.files == []
    assert await process.look() == Result(gone=True)


async def test_deletion_waits_for_an_attempt_under_way(world, process):
    """Its path is written down before its files are disposed of."""
    world.flink.outcomes = ["hang"]
    world.create(SAVEPOINT)
    await process.look()
    world.delete()
    assert (await process.look()).requeue_after < 1
    world.flink.files.append("s3://p")
    world.flink.known[world.status["triggerId"]] = {
        "status": {"id": "COMPLETED"},
        "operation": {"location": "s3://p"},
    }
    await process.look()
    assert (world.status["state"], world.status["path"]) == ("COMPLETED", "s3://p")
    await process.go_on()
    assert world.document is None
    assert world.flink.files == []


async def test_deletion_of_an_attempt_that_fails(world, process):
    """There is nothing to dispose of, and no next attempt."""
    world.flink.outcomes = ["hang"]
    world.create(SAVEPOINT)
    await process.look()
    world.delete()
    world.flink.restart()
    await process.go_on()
    assert world.document is None
    assert world.flink.taken == 1


async def test_deletion_of_an_attempt_that_was_never_begun(world, process):
    """Killed in between: the next process does not begin it any more."""
    world.create(SAVEPOINT)
    await process.look()
    world.flink.restart()
    world.delete()
    await Process(world).look()
    assert world.document is None
    assert world.flink.taken == 1


async def test_a_disposal_that_flink_refuses_is_told_and_tried_again(world, process):
    """N-24."""
    await taken(process)
    world.delete()
    world.flink.down = True
    assert (await process.look()).requeue_after == 60
    assert process.drafts() == ["CleanupFailed"]
    world.flink.down = False
    await process.go_on()
    assert world.document is None


async def test_a_disposal_that_fails_is_told_and_tried_again(world, process):
    """The files stay until it succeeds."""
    await taken(process)
    world.delete()
    await process.look()
    cause = {"class": "E", "stack-trace": "java.io.IOException: denied"}
    world.flink.known["d0"]["operation"] = {"failure-cause": cause}
    assert (await process.look()).requeue_after == 60
    assert process.drafts() == ["CleanupFailed"]
    await process.look()
    await process.look()
    assert world.document is None
    assert len(world.flink.disposals) == 2


async def test_a_disposal_that_the_job_manager_forgot_is_asked_for_again(world, process):
    """Files that are gone by then are no failure; one that cannot be asked about is waited for."""
    await taken(process)
    world.delete()
    await process.look()
    world.flink.down = True
    assert (await process.look()).requeue_after < 10
    world.flink.down = False
    world.flink.restart()
    await process.look()
    await process.look()
    assert world.document is None
    assert len(world.flink.disposals) == 2
    assert process.drafts() == []


async def test_a_blocked_deletion_says_so_and_waits(world, process):
    """Until the job runs again."""
    await taken(process)
    world.set_job(FlinkJobState.FINISHED)
    world.delete()
    assert (await process.look()).requeue_after == 60
    assert process.drafts() == ["CleanupFailed"]
    world.set_job()
    await process.go_on()
    assert world.document is None
    assert world.flink.files == []


async def test_a_namespace_that_ends_lets_go(world, process):
    """The files stay, and somebody is told."""
    await taken(process)
    world.job = None
    world.namespace_ends = True
    world.delete()
    await process.look()
    assert world.document is None
    assert process.drafts() == ["CleanupFailed"]
    assert len(world.flink.files) == 1


async def test_a_resource_without_our_finalizer_is_not_held(world, process):
    """Somebody else's still is on it."""
    world.create(SAVEPOINT, finalizers=["example.com/x"])
    world.delete()
    assert await process.look() == Result()
    assert world.writes == []


async def test_one_that_is_gone_before_anything_was_made(world, process):
    """The cache is a little late."""
    world.create(SAVEPOINT)
    process.see()
    world.document = None
    assert await process.made.reconcile(REQUEST) == Result()


async def test_an_error_of_the_operator_itself_is_told(world, process):
    """It is no failure of the snapshot; passing ones are nobody's business."""
    world.create(SAVEPOINT)
    process.see()
    await process.made.on_error(REQUEST, ValueError("bug"))
    assert process.drafts() == ["Error"]
    await process.made.on_error(REQUEST, RetryError("later", 1))
    assert process.drafts() == []
    world.document = None
    process.see()
    await process.made.on_error(REQUEST, ValueError("bug"))
    assert process.drafts() == []
    assert "status" not in (world.document or {})
