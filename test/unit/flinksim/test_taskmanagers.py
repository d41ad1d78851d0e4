"""Task managers as pods: asked for, counted, lost and released."""

import pytest
from fakes.flinkcluster import APPLICATION, HA, job_id
from fakes.simworld import SimWorld, only_job

APP = {**APPLICATION, "$internal.pipeline.job-id": job_id(1), "parallelism.default": "3"}


@pytest.fixture
def sim():
    return SimWorld(taskmanagers="pods")


def test_job_waits_for_its_task_managers(sim):
    """Tasks run when the pods that hold their slots are ready."""
    job = only_job(sim.up("a", APP))
    assert sim.effects.created == ["a-taskmanager-1-1", "a-taskmanager-1-2"]
    sim.cluster("a").taskmanagers_seen(1, 2)
    sim.time.advance(1)
    assert not job.tasks_running
    sim.cluster("a").taskmanagers_seen(2, 2)
    sim.time.advance(1)
    assert job.tasks_running


def test_lost_task_manager(sim):
    """A pod that goes makes the job restart, and is replaced under the next number."""
    job = only_job(sim.up("a", APP))
    sim.cluster("a").taskmanagers_seen(2, 2)
    sim.time.advance(1)
    sim.cluster("a").taskmanagers_seen(1, 1)
    assert job.state == "RESTARTING"
    assert sim.effects.created[-1] == "a-taskmanager-1-3"
    sim.cluster("a").taskmanagers_seen(2, 2)
    sim.time.advance(1)
    assert job.tasks_running


def test_released_after_the_job(sim):
    """Some time after the last job ended the pods are released."""
    job = only_job(sim.up("a", APP))
    sim.cluster("a").taskmanagers_seen(2, 2)
    sim.time.advance(1)
    job.finish()
    sim.time.advance(29)
    assert not sim.effects.noted
    sim.time.advance(2)
    assert sim.effects.noted == ["delete task managers of a"]


def test_new_jobmanager_uses_what_is_there(sim):
    """After a JobManager's end its task managers serve the next one; new ones get a new attempt."""
    conf = {**APP, **HA}
    first = sim.up("a", conf)
    sim.cluster("a").taskmanagers_seen(2, 2)
    sim.time.advance(1)
    sim.down(first)
    manager = sim.cluster("a").jobmanager_up(
        "again", first.settings, ha=sim.effects.maps, attempt=1, existing=2
    )
    sim.time.advance(1)
    assert only_job(manager).tasks_running
    assert len(sim.effects.created) == 2
    sim.cluster("a").taskmanagers_seen(1, 1)
    assert sim.effects.created[-1] == "a-taskmanager-2-1"


def test_standalone_brings_its_own(sim):
    """A standalone cluster's JobManager makes no pods, and waits for those of a Deployment."""
    job = only_job(sim.up("a", APP, application=True))
    assert sim.effects.created == []
    assert job.state == "RUNNING"
    sim.cluster("a").taskmanagers_seen(2, 2)
    sim.time.advance(1)
    assert (job.tasks_running, job.width) == (True, 3)


@pytest.mark.parametrize("mode", ["none", "pods"])
def test_standalone_pods_always_count(mode):
    """Whether or not the simulation makes pods for native clusters."""
    sim = SimWorld(taskmanagers=mode)
    job = only_job(sim.up("a", APP, application=True))
    assert sim.cluster("a").free_slots() == 0
    sim.cluster("a").taskmanagers_seen(2, 2)
    sim.time.advance(1)
    assert job.tasks_running


def test_a_reactive_job_takes_what_there_is(sim):
    """It starts with the first slots, rescales as task managers come and go, and waits when there are none."""
    manager = sim.up("a", {**APP, **HA, "scheduler-mode": "reactive"}, application=True)
    job = only_job(manager)
    for pods, width in ((1, 2), (3, 6), (2, 4)):
        sim.cluster("a").taskmanagers_seen(pods, pods)
        sim.time.advance(2)
        assert (job.tasks_running, job.width) == (True, width)
    counted = job.counter()
    sim.cluster("a").taskmanagers_seen(0, 0)
    sim.time.advance(1)
    assert not job.tasks_running
    sim.cluster("a").taskmanagers_seen(1, 1)
    sim.time.advance(1)
    assert (job.tasks_running, job.width) == (True, 2)
    assert job.counter() >= counted - 10  # from its newest checkpoint
    assert sim.world.ledger.doubled == []


def test_a_standalone_application_that_ends_stays_in_kubernetes(sim):
    """Its process may end, but it deletes no Deployment."""
    job = only_job(
        sim.up("a", {**APP, "execution.shutdown-on-application-finish": "true"}, application=True)
    )
    sim.cluster("a").taskmanagers_seen(2, 2)
    sim.time.advance(1)
    job.finish()
    assert sim.effects.noted == []
