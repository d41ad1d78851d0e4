"""A simulated job: its states, its ends, its failures, in time moved by hand."""

import pytest
from fakes.flinkcluster import APPLICATION, HA, job_id
from fakes.simworld import SimWorld, only_job, some

APP = {**APPLICATION, "$internal.pipeline.job-id": job_id(1)}
CHECKPOINTED = {
    **APP,
    "execution.checkpointing.interval": "1 s",
    "state.checkpoints.dir": "file:///data/cp",
    "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
}


@pytest.fixture
def sim():
    return SimWorld()


def test_states_on_the_way_to_running(sim):
    """A job is INITIALIZING, CREATED, RUNNING, and only then do its tasks run."""
    manager = sim.up("a", APP, seconds=0)
    seen = []
    for _ in range(40):
        sim.time.advance(0.005)
        if manager.jobs:
            job = only_job(manager)
            seen.append((job.state, job.tasks_running))
    assert list(dict.fromkeys(seen)) == [
        ("INITIALIZING", False),
        ("CREATED", False),
        ("RUNNING", False),
        ("RUNNING", True),
    ]


def test_id_and_name(sim):
    """The application's job has the id it was given, and the pipeline's name."""
    job = only_job(sim.up("a", {**APP, "pipeline.name": "mine"}))
    assert (job.id, job.submission.name) == (job_id(1), "mine")


def test_delays_are_orders(sim):
    """How long a step takes can be ordered beforehand, for any cluster."""
    sim.world.order("*", "*", {"delays": {"running": "5 s"}})
    job = only_job(sim.up("a", APP))
    assert (job.state, job.tasks_running) == ("RUNNING", False)
    sim.time.advance(5)
    assert job.tasks_running


@pytest.mark.parametrize(
    ("order", "state"), [("fail", "FAILED"), ("finish", "FINISHED"), ("cancel", "CANCELED")]
)
def test_ordered_ends(sim, order, state):
    """A job ends as ordered, once."""
    job = only_job(sim.up("a", APP))
    sim.order("a", job=order)
    sim.time.advance(1)
    assert job.state == state
    assert sim.cluster("a").knobs().job is None


def test_order_waits_for_the_job(sim):
    """An order for a job that is not there yet is carried out when it runs, after `job_after`."""
    sim.order("a", job="fail", job_after="3 s", message="no space left")
    job = only_job(sim.up("a", APP, seconds=2))
    assert job.state == "RUNNING"
    sim.time.advance(2)
    assert job.state == "FAILED"
    assert some(job.failure).message == "no space left"


def test_counter_grows_while_running(sim):
    """State grows only while all tasks run."""
    job = only_job(sim.up("a", APP))
    before = job.counter()
    sim.time.advance(2)
    assert job.counter() == pytest.approx(before + 2000, abs=2)
    job.cancel()
    at_cancel = job.counter()
    sim.time.advance(2)
    assert job.counter() == at_cancel


def test_checkpoints_while_running(sim):
    """A checkpoint is taken each interval and the last one is retained."""
    job = only_job(sim.up("a", CHECKPOINTED, seconds=5.5))
    assert job.checkpoints.counts["completed"] == 5
    assert [one.path for one in job.checkpoints.retained] == [f"file:/data/cp/{job.id}/chk-5"]
    assert sim.world.storage.get(f"file:///data/cp/{job.id}/chk-4") is None


def test_restart_returns_to_the_newest_checkpoint(sim):
    """A failover goes back to the newest checkpoint and counts as a restart."""
    job = only_job(sim.up("a", CHECKPOINTED, seconds=3.5))
    newest = some(job.checkpoints.newest()).counter
    sim.order("a", job="restart")
    assert job.state == "RESTARTING"
    assert job.counter() == newest
    sim.time.advance(0.2)
    assert job.tasks_running
    assert job.restarts == 1
    assert job.exceptions[0].java_class == "java.lang.RuntimeException"


def test_stop_with_savepoint(sim):
    """A stop ends the job FINISHED with exactly the savepoint's state, and only the savepoint stays."""
    job = only_job(sim.up("a", CHECKPOINTED, seconds=3.5))
    operation = job.operations[job.trigger_savepoint("file:///sp", "CANONICAL", stop=True)]
    sim.time.advance(1)
    saved = some(sim.world.storage.get(some(operation.location)))
    assert job.state == "FINISHED"
    assert job.counter() == saved.counter
    assert sim.world.storage.all() == [saved]


@pytest.mark.parametrize(
    ("how", "state", "location"), [("fail", "RUNNING", None), ("stopping", "RUNNING", None)]
)
def test_stop_that_fails(sim, how, state, location):
    """A stop whose savepoint failed leaves the job running; one that failed later made the savepoint."""
    job = only_job(sim.up("a", CHECKPOINTED, seconds=2))
    sim.order("a", next_savepoint=how)
    operation = job.operations[job.trigger_savepoint("file:///sp", None, stop=True)]
    sim.time.advance(1)
    assert (job.state, operation.location) == (state, location)
    assert operation.failure is not None
    assert ("A savepoint has been created at: file:/sp/" in some(operation.failure).message) is (
        how == "stopping"
    )


def test_savepoint_that_hangs(sim):
    """A hanging savepoint stays in progress, until the job ends and it fails."""
    job = only_job(sim.up("a", CHECKPOINTED))
    sim.order("a", next_savepoint="hang")
    operation = job.operations[job.trigger_savepoint("file:///sp", None)]
    sim.time.advance(100)
    assert operation.done is None
    job.cancel()
    assert operation.failure is not None


def test_savepoint_of_a_job_that_does_not_run(sim):
    """A savepoint needs all tasks to run."""
    sim.order("a", delays={"running": 60})
    job = only_job(sim.up("a", APP))
    operation = job.operations[job.trigger_savepoint("file:///sp", None)]
    assert "not being executed" in some(operation.failure).message


def test_same_trigger_id_starts_nothing_new(sim):
    """A repeated request with the caller's id is the same savepoint."""
    job = only_job(sim.up("a", APP))
    for _ in range(2):
        job.trigger_savepoint("file:///sp", None, trigger_id="mine")
    sim.time.advance(1)
    assert len(sim.world.storage.all()) == 1


def test_failed_submission(sim):
    """A main method that fails gives a FAILED job with that id."""
    sim.order("a", submit="fail", message="no such class")
    job = only_job(sim.up("a", APP))
    assert (job.id, job.state, some(job.failure).message) == (job_id(1), "FAILED", "no such class")


def test_application_that_shuts_down(sim):
    """Without the option to stay, the cluster deletes itself when its job has ended."""
    conf = {**APP, "execution.shutdown-on-application-finish": "true"}
    only_job(sim.up("a", conf)).finish()
    assert sim.effects.noted == ["delete deployment a"]


RETENTION = [
    ("finish", "RETAIN_ON_CANCELLATION", False),
    ("cancel", "RETAIN_ON_CANCELLATION", True),
    ("fail", "RETAIN_ON_CANCELLATION", True),
    ("cancel", "DELETE_ON_CANCELLATION", False),
    ("fail", "DELETE_ON_CANCELLATION", True),
    ("cancel", "", False),
    ("fail", "", False),
]


@pytest.mark.parametrize(("order", "retention", "kept"), RETENTION)
def test_retention(sim, order, retention, kept):
    """What is left of the checkpoints depends on the end and on the option."""
    key = "execution.checkpointing.externalized-checkpoint-retention"
    sim.up("a", {**CHECKPOINTED, key: retention}, seconds=2.5)
    sim.order("a", job=order)
    sim.time.advance(1)
    assert bool(sim.world.storage.all()) is kept


def test_ha_is_not_needed_for_checkpoint_paths(sim):
    """The paths are those of Flink: job id and number below the directory."""
    job = only_job(sim.up("a", {**APP, **HA}))
    assert some(job.checkpoints.newest()).path.startswith(f"file:/data/checkpoints/{job.id}/chk-")
