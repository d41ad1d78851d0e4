"""What is asked of Flink, and what its refusals mean."""

import pytest
from fakes.scripted_transport import ScriptedTransport, ok, refused

from flinkop.api.status import CheckpointType, Savepoint, SavepointFormatType
from flinkop.controllers.jobs import steps
from flinkop.controllers.jobs.asking import Asker
from flinkop.controllers.jobs.refusals import ScalingRefused, StepFailed
from flinkop.flink import errors
from flinkop.flink.features import Version
from flinkop.flink.rest import FlinkClient
from flinkop.kube.meta import ObjectKey
from flinkop.lifecycle.inplace_scaling import Bounds
from flinkop.lifecycle.snapshot_history import Removal
from flinkop.stages.cluster_options import ClusterOptions

pytestmark = pytest.mark.virtual_time

CLUSTER = ObjectKey("ns", "basic")
STOP = steps.StopJob("j", "t", "s3://s", SavepointFormatType.NATIVE, drain=True)


def asker(*script):
    """An asker whose JobManager answers from a script."""
    transport = ScriptedTransport(list(script))
    return Asker(lambda _cluster: FlinkClient(transport)), transport


async def test_a_stop_names_our_trigger_id():
    """Directory, format and drain go with it."""
    it, transport = asker(ok({"request-id": "t"}, 202))
    assert await it.stop(CLUSTER, STOP, ClusterOptions()) == "t"
    [asked] = transport.asked
    assert (asked.method, asked.path) == ("POST", "/v1/jobs/j/stop")
    assert asked.json == {
        "targetDirectory": "s3://s",
        "drain": True,
        "formatType": "NATIVE",
        "triggerId": "t",
    }


async def test_an_old_flink_has_trigger_ids_of_its_own():
    """Before 1.15; neither is the format said, which it would refuse."""
    it, transport = asker(ok({"request-id": "theirs"}, 202))
    old = ClusterOptions(flink_version=Version(1, 14))
    assert await it.stop(CLUSTER, STOP, old) == "theirs"
    assert transport.asked[0].json == {"targetDirectory": "s3://s", "drain": True}


async def test_a_stop_that_is_refused_fails_the_step():
    """Nothing else of the plan may happen."""
    it, _ = asker(refused(409, "not running"))
    with pytest.raises(StepFailed, match="Savepoint Error") as caught:
        await it.stop(CLUSTER, STOP, ClusterOptions())
    assert caught.value.reason == "SavepointError"


async def test_a_stop_that_nobody_answers_is_looked_for_later():
    """It may have been heard."""
    it, _ = asker(errors.Unreachable("cut", sent=True))
    assert await it.stop(CLUSTER, STOP, ClusterOptions(flink_timeout=0.1)) == "t"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (refused(404, "Job j not found"), "Cannot find job"),
        (refused(500, "x"), "Cancellation Error"),
    ],
)
async def test_a_cancellation_that_matters(answer, words):
    """What has to be cancelled and is not fails the step; where the cluster goes anyway it does not."""
    it, _ = asker(answer)
    with pytest.raises(StepFailed, match=words):
        await it.cancel(CLUSTER, steps.CancelJob("j", required=True), ClusterOptions())
    await it.cancel(CLUSTER, steps.CancelJob("j"), ClusterOptions())


@pytest.mark.parametrize("answer", [ok({}, 202), refused(409, "done")])
async def test_a_cancellation_that_is_taken_or_not_needed(answer):
    """Accepted, or ended already."""
    it, _ = asker(answer)
    await it.cancel(CLUSTER, steps.CancelJob("j", required=True), ClusterOptions())


async def test_snapshots_that_are_refused_are_found_unknown_later():
    """The status has their trigger ids: the next look tells."""
    it, _ = asker(refused(400, "no directory"))
    savepoint = steps.TriggerSavepoint("j", "t", None, SavepointFormatType.CANONICAL)
    assert await it.savepoint(CLUSTER, savepoint, ClusterOptions()) == "t"
    checkpoint = steps.TriggerCheckpoint("j", "t", CheckpointType.FULL)
    await it.checkpoint(CLUSTER, checkpoint, ClusterOptions())


def removal(path, *, dispose=True, needs_success=True):
    """A savepoint that is to go."""
    return Removal(Savepoint(location=path), dispose, needs_success)


async def test_disposals_stop_at_the_first_failure_unless_for_their_age():
    """O-72."""
    it, transport = asker(
        ok({"request-id": "d"}, 202), refused(500, "x"), ok({"request-id": "d"}, 202)
    )
    removals = [
        removal("a"),
        removal("b"),
        removal("c"),
        removal("d", needs_success=False),
        removal("e", dispose=False, needs_success=False),
    ]
    gone = await it.dispose(CLUSTER, removals, ClusterOptions())
    assert {one.location for one in gone} == {"a", "d", "e"}
    assert len(transport.asked) == 3


async def test_bounds_of_a_running_job():
    """All vertices go in one request; a refusal leads to an upgrade (R-113)."""
    it, transport = asker(ok({}, 200))
    scale = steps.ScaleJob("j", {"v": Bounds(1, 4)})
    await it.scale(CLUSTER, scale, ClusterOptions())
    assert transport.asked[0].method == "PUT"
    it, _ = asker(refused(400, "no"))
    with pytest.raises(ScalingRefused):
        await it.scale(CLUSTER, scale, ClusterOptions())
