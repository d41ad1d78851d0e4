"""Snapshots: whatever happens and whenever the operator is killed, nothing is taken twice and nothing is lost."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from fakes.snapshots import (
    ABSENT,
    NOW,
    STAMP,
    UNSEEN,
    checkpoint,
    names,
    running,
    savepoint,
    stopped,
    target,
)
from fakes.snapshotworld import CrashError, Process, World, to_the_end
from hypothesis import given, strategies as st

from flinkop.api.flinkstatesnapshot import (
    CheckpointSpec,
    FlinkStateSnapshotSpec,
    FlinkStateSnapshotStatus,
    SnapshotState,
)
from flinkop.api.status import FlinkJobState, SavepointFormatType
from flinkop.controllers.flinkstatesnapshot import plan, progress
from flinkop.controllers.flinkstatesnapshot.observation import Answer, CleanupFacts, Disposal
from flinkop.flink import features
from flinkop.flink.interpret import FailureCause
from flinkop.lifecycle import snapshot_states
from flinkop.lifecycle.failure import Limits
from flinkop.runtime.result import RetryError

REFERENCE = {"kind": "FlinkDeployment", "name": "basic"}
SAVEPOINT = {"jobReference": REFERENCE, "savepoint": {}, "backoffLimit": 2}
STEPS = {(one.before, one.after) for one in snapshot_states.TRANSITIONS}

# --- any situation at all

specs = st.builds(
    savepoint,
    limit=st.integers(-2, 2),
    job=st.sampled_from([None, savepoint().job_reference]),
    path=st.sampled_from([None, "", "s3://p"]),
    format_type=st.sampled_from(SavepointFormatType),
    dispose_on_delete=st.booleans(),
    already_exists=st.booleans(),
) | st.sampled_from(
    [
        checkpoint(),
        checkpoint(limit=0),
        FlinkStateSnapshotSpec(),
        FlinkStateSnapshotSpec(checkpoint=CheckpointSpec(), savepoint=savepoint().savepoint),
    ]
)
statuses = st.builds(
    FlinkStateSnapshotStatus,
    state=st.sampled_from(SnapshotState),
    trigger_id=st.sampled_from([None, "", "f" * 32]),
    trigger_timestamp=st.sampled_from([None, STAMP]),
    result_timestamp=st.sampled_from([None, STAMP, "odd"]),
    path=st.sampled_from([None, "", "s3://p"]),
    error=st.sampled_from([None, "{}"]),
    failures=st.integers(0, 3),
)
cleanups = st.builds(
    CleanupFacts,
    disposal=st.sampled_from(Disposal),
    detail=st.just("why"),
    users=st.sampled_from([(), ("a",)]),
    namespace_ends=st.booleans(),
)
observations = (
    st.builds(
        running,
        st.sampled_from(Answer),
        path=st.sampled_from(["", "s3://p"]),
        causes=st.sampled_from([(), (FailureCause("a.B: b", "b"),)]),
        silent_for=st.sampled_from([0.0, 1e6]),
        target=st.sampled_from([target(), target(FlinkJobState.RECONCILING)]),
        cleanup=cleanups,
    )
    | st.builds(
        stopped,
        st.sampled_from([None, *FlinkJobState]).filter(lambda s: s is not FlinkJobState.RUNNING),
        deleting=st.booleans(),
        starting=st.booleans(),
        cleanup=cleanups,
    )
    | st.sampled_from([ABSENT, UNSEEN])
)


def situation(spec, status, seen):
    """The situation as the plan gets it: after what was seen is judged."""
    subject = progress.Subject("s", spec, status, seen, NOW, Limits())
    assessed = progress.assess(subject)
    return assessed.status, plan.Situation(
        "s", spec, assessed.status, seen, NOW, Limits(), lambda: "e" * 32
    )


def is_step(before, after):
    """Whether a snapshot may go from one status to the other."""
    return before == after or (before.state, after.state) in STEPS


@given(specs, statuses, observations)
def test_plans_are_total_and_take_only_steps_of_the_table(spec, status, seen):
    """No situation is an error; final states stay; whatever waits is looked at again."""
    assessed, at = situation(spec, status, seen)
    assert is_step(status, assessed)
    made = plan.plan(at)
    if made.status is None:
        assert names(made) == ["TriggerUnnamed"]
        return
    assert is_step(assessed, made.status)
    ended = snapshot_states.is_final(made.status)
    assert ended == (made.wait is plan.Wait.NOTHING)
    if snapshot_states.is_final(status):
        assert made.status == status
        assert made.steps == ()


@given(specs, statuses, observations)
def test_flink_is_asked_only_for_what_is_written(spec, status, seen):
    """The id of each trigger is in the status that is acknowledged by then, and its job runs."""
    _, at = situation(spec, status, seen)
    made = plan.plan(at)
    for number, step in enumerate(made.steps):
        if isinstance(step, plan.Trigger):
            written = at.status
            for earlier in made.steps[:number]:
                if isinstance(earlier, plan.WriteAhead):
                    written = earlier.status
            assert written.state is SnapshotState.IN_PROGRESS
            assert step.order.trigger_id == written.trigger_id
            assert seen.job_runs
            assert seen.access is not None
            assert seen.access.flink >= features.SAVEPOINT_FORMAT


@given(specs, statuses, observations)
def test_deletions_are_total_and_dispose_only_of_what_may_go(spec, status, seen):
    """Nothing is triggered; files go only on the user's wish, by a running job, and when nobody needs them."""
    _, at = situation(spec, status, seen)
    made = plan.cleanup(at)
    assert "Trigger" not in names(made)
    released = "ReleaseFinalizer" in names(made)
    assert released == (made.wait is plan.Wait.NOTHING)
    for step in made.steps:
        if isinstance(step, plan.Dispose):
            assert spec.savepoint.dispose_on_delete
            assert at.status.state is SnapshotState.COMPLETED
            assert step.path == at.status.path
            assert seen.job_runs
            assert not seen.cleanup.users or seen.cleanup.namespace_ends


# --- killed at every moment

Story = Callable[[World], Awaitable[Any]]


async def _create(world: World, **spec: Any) -> None:
    world.create({**SAVEPOINT, **spec})
    await to_the_end(world)


async def take(world):
    """A savepoint."""
    await _create(world)


async def take_checkpoint(world):
    """A checkpoint."""
    world.create({"jobReference": REFERENCE, "checkpoint": {}})
    await to_the_end(world)


async def register(world):
    """A savepoint that exists."""
    await _create(world, savepoint={"alreadyExists": True, "path": "s3://dir/old"})


async def fail_once(world):
    """The first attempt fails."""
    world.flink.outcomes = ["fail"]
    await _create(world)


async def fail_for_good(world):
    """All attempts fail."""
    world.flink.outcomes = ["fail"] * 5
    await _create(world)


async def be_refused(world):
    """Flink refuses each attempt."""
    world.flink.refusals = [409] * 10
    await _create(world)


async def lose_the_answer(world):
    """Flink takes it, and nobody hears of it."""
    world.flink.lost_answers = 1
    await _create(world)


async def be_abandoned(world):
    """Its job does not run."""
    world.set_job(FlinkJobState.FAILED)
    await _create(world)


async def take_and_delete(world):
    """Taken, and disposed of."""
    await _create(world)
    world.delete()
    await to_the_end(world)


async def delete_under_way(world):
    """Deleted while it is being taken."""
    world.create(SAVEPOINT)
    try:
        await Process(world).look()
    except CrashError:
        world.crash_at = None
        await Process(world).look()
    world.delete()
    await to_the_end(world)


STORIES: tuple[Story, ...] = (
    take,
    take_checkpoint,
    register,
    fail_once,
    fail_for_good,
    be_refused,
    lose_the_answer,
    be_abandoned,
    take_and_delete,
    delete_under_way,
)


def outcome(world):
    """What is left at the end, without ids and times."""
    document = world.document
    status = {} if document is None else document["status"]
    kept = ("state", "path", "failures")
    return {
        "gone": document is None,
        "status": {key: status.get(key) for key in kept},
        "labels": {} if document is None else document["metadata"]["labels"],
        "error": bool(status.get("error")),
        "files": world.flink.files,
        "taken": world.flink.taken,
    }


def told(story, crash_at):
    """Tell a story with the operator killed at a moment; returns the world."""
    world = World(crash_at=crash_at)
    world.set_job()
    asyncio.run(story(world))
    return world


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_killed_at_any_moment_the_end_is_the_same(story):
    """Before and after each write to the API server and each request that changes something in Flink."""
    undisturbed = told(story, None)
    expected = outcome(undisturbed)
    assert undisturbed.moments > 0
    for moment in range(1, undisturbed.moments + 1):
        world = told(story, moment)
        assert world.moments > undisturbed.moments or world.crash_at is None, moment
        assert outcome(world) == expected, moment


# --- whatever happens

actions = st.lists(
    st.sampled_from(
        [
            *("look", "look", "look", "look"),
            *("crash 1", "crash 2", "crash 3", "crash 4"),
            *("job is unsure", "job stops", "job runs", "job is gone"),
            *("manager restarts", "fails next", "hangs next", "refuses next", "down", "up"),
            *("wait", "wait long", "conflict", "delete"),
        ]
    ),
    max_size=25,
)


class Life:
    """A world in which things happen, and what must hold whatever does."""

    def __init__(self):
        self.world = World()
        self.world.set_job()
        self.world.create(SAVEPOINT)
        self.process = Process(self.world)
        self.lives = 1

    async def happen(self, action):
        """Let one thing happen."""
        if action == "look":
            await self.look()
        elif action.startswith("crash"):
            self.world.crash_at = self.world.moments + int(action.split()[1])
            await self.look()
            self.world.crash_at = None
        elif action.startswith("job") or action in {"wait", "wait long", "conflict", "delete"}:
            self.around(action)
        else:
            self.flink(action)

    def around(self, action):
        """In the cluster."""
        world = self.world
        match action:
            case "job is unsure":
                world.set_job(FlinkJobState.RECONCILING)
            case "job stops":
                world.set_job(FlinkJobState.FINISHED)
            case "job runs":
                world.set_job()
            case "job is gone":
                world.job = None
            case "wait":
                world.clock.advance(15)
            case "wait long":
                world.clock.advance(7200)
            case "conflict":
                world.conflicts = 1
            case "delete" if world.document is not None:
                world.delete()

    def flink(self, action):
        """In Flink."""
        flink = self.world.flink
        match action:
            case "manager restarts":
                flink.restart()
                self.lives += 1
            case "fails next":
                flink.outcomes = ["fail"]
            case "hangs next":
                flink.outcomes = ["hang"]
            case "refuses next":
                flink.refusals = [409]
            case _:
                flink.down = action == "down"

    async def look(self):
        try:
            await self.process.look()
        except RetryError:
            pass
        except CrashError:
            self.process = Process(self.world)

    def check(self):
        """What always holds."""
        world = self.world
        before = SnapshotState.TRIGGER_PENDING
        for status in world.statuses:
            after = SnapshotState(status["state"])
            assert (before, after) in STEPS, (before, after)
            before = after
            assert (after is SnapshotState.COMPLETED) == ("path" in status)
            assert ("triggerId" in status) or after is not SnapshotState.IN_PROGRESS
        ids = {status["triggerId"] for status in world.statuses if "triggerId" in status}
        # An id is begun once in the life of a JobManager, and each attempt has its own.
        assert world.flink.taken <= len(ids) * self.lives
        failures = world.statuses[-1]["failures"] if world.statuses else 0
        assert len(ids) <= failures + 1
        if before is SnapshotState.COMPLETED and world.document is not None:
            deleting = "deletionTimestamp" in world.document["metadata"]
            assert deleting or world.status["path"] in world.flink.files


@given(actions)
def test_whatever_happens_each_attempt_is_begun_once(happenings):
    """Crashes, conflicts, failures, restarts and deletions, in any order."""

    async def live():
        life = Life()
        for action in happenings:
            await life.happen(action)
            life.check()
        life.world.flink.down = False
        life.world.flink.time_out()
        life.world.flink.outcomes, life.world.flink.refusals = [], []
        life.world.set_job()
        if life.world.document is not None:
            await to_the_end(life.world)
        life.check()
        document = life.world.document
        if document is not None and "deletionTimestamp" not in document["metadata"]:
            assert life.world.status["state"] in {"COMPLETED", "ABANDONED", "FAILED"}

    asyncio.run(live())
