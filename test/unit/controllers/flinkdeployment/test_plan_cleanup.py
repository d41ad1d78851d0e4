"""How a deleted resource is taken down, and what keeps it (behaviour.md 1.7, 3.13)."""

import datetime as dt

import pytest
from attrs import evolve
from fakes.deployments import (
    GONE,
    NOW,
    answered,
    job,
    job_manager,
    situation,
    status_of,
    up,
    upgrading,
)
from fakes.plans import (
    APP,
    NEW,
    SESSION,
    cleaned,
    names,
)

from flinkop.api.status import (
    FlinkJobState,
    LifecycleState,
)
from flinkop.controllers.flinkdeployment.observation import (
    Observation,
)
from flinkop.controllers.flinkdeployment.planning import steps
from flinkop.controllers.jobs.facts import (
    Rest,
    RestFacts,
)
from flinkop.flink.interpret import Done
from flinkop.flink.states import JobState as FlinkState
from flinkop.lifecycle import state


def clean(spec, status=None, facts=GONE, **options):
    return cleaned(situation(spec, status, facts, **options))


def test_deleting_an_application():
    """R-120: told, cancelled, deleted; while the status still is to be told nothing is written."""
    made = clean(APP, status_of(APP), up())
    assert names(made) == ["Cleanup", "CancelJob", "DeleteCluster"]
    assert made.silent
    assert made.wait == steps.Wait.PROGRESS


def test_deletion_waits_for_the_cluster():
    """The finalizer stays until the Deployment is gone; the event is not repeated."""
    facts = Observation(job_manager=job_manager(deleting=True))
    made = clean(APP, status_of(APP), facts)
    assert names(made) == ["Cleanup"]
    assert state.lifecycle_state(made.status) is LifecycleState.DELETING
    again = clean(APP, made.status, facts)
    assert again.steps == ()


@pytest.mark.parametrize("spec", [APP, SESSION])
@pytest.mark.parametrize("status", [None, "deployed"])
def test_when_nothing_is_left_the_resource_goes(spec, status):
    """Also one that was never deployed (Q-11), and one whose name somebody else's Deployment has."""
    status = status_of(spec) if status else None
    for facts in (GONE, Observation(job_manager=job_manager(ours=False))):
        made = clean(spec, status, facts)
        assert names(made) == ["Cleanup", "ReleaseFinalizer"]
        assert made.wait == steps.Wait.NONE


@pytest.mark.parametrize("spec", [APP, SESSION])
def test_metadata_goes_with_the_resource(spec):
    """R-120, R-123: after the cluster, before the finalizer; for session clusters too."""
    made = clean(spec, status_of(spec), GONE, high_availability=True)
    assert names(made) == ["Cleanup", "DeleteHaMetadata", "ReleaseFinalizer"]
    assert "DeleteHaMetadata" not in names(clean(spec, status_of(spec), up()))


def test_a_deadline_ends_what_keeps_a_cluster():
    """Then it goes with its jobs, and an Event says so once."""
    facts = evolve(up(), session_jobs=("a",))
    wait = {"deletion_deadline": dt.timedelta(minutes=5)}
    early = NOW - dt.timedelta(minutes=4)
    made = clean(SESSION, status_of(SESSION), facts, deleted_at=early, **wait)
    assert made.stall is not None
    assert made.due == NOW + dt.timedelta(minutes=1)
    late = NOW - dt.timedelta(minutes=5)
    made = clean(SESSION, status_of(SESSION), facts, deleted_at=late, **wait)
    assert names(made)[:2] == ["Cleanup", "CleanupFailed"]
    assert "DeleteCluster" in names(made)
    going = Observation(job_manager=job_manager(deleting=True), session_jobs=("a",))
    assert names(clean(SESSION, made.status, going, deleted_at=late, **wait)) == []


def test_a_deadline_ends_the_wait_for_a_last_savepoint():
    """The job is cancelled then."""
    options = {"savepoint_on_deletion": True, "deletion_deadline": dt.timedelta(minutes=5)}
    late = NOW - dt.timedelta(minutes=5)
    status = status_of(APP, job=FlinkJobState.RESTARTING)
    made = clean(APP, status, up(job(FlinkState.RESTARTING)), deleted_at=late, **options)
    assert names(made) == ["Cleanup", "CancelJob", "DeleteCluster"]


def test_session_jobs_keep_their_cluster():
    """R-121: named, told each time, and the status says so."""
    facts = evolve(up(), session_jobs=("a", "b"))
    made = clean(SESSION, status_of(SESSION), facts)
    assert names(made) == ["Cleanup", "CleanupFailed"]
    assert made.stall is not None
    assert made.stall.message == "The session jobs [a, b] should be deleted first"
    assert made.wait == steps.Wait.INTERVAL
    assert not made.silent
    unblocked = clean(SESSION, status_of(SESSION), facts, block_on_session_jobs=False)
    assert "DeleteCluster" in names(unblocked)


def test_session_jobs_do_not_keep_what_is_gone():
    """Nothing is protected by waiting."""
    made = clean(SESSION, status_of(SESSION), Observation(session_jobs=("a",)))
    assert "ReleaseFinalizer" in names(made)


@pytest.mark.parametrize(
    ("options", "blocked"),
    [
        ({}, True),
        ({"block_on_unmanaged_jobs": False}, False),
        ({"block_on_session_jobs": False}, False),
    ],
)
def test_unmanaged_jobs_keep_their_cluster(options, blocked):
    """R-122: with both flags on, jobs that have not ended."""
    facts = up(job(FlinkState.FINISHED), job(jid="b" * 32), job(FlinkState.FAILING, jid="c" * 32))
    made = clean(SESSION, status_of(SESSION), facts, **options)
    assert ("CleanupFailed" in names(made)) is blocked
    if blocked:
        assert made.stall is not None
        assert f"[{'b' * 32}, {'c' * 32}]" in made.stall.message


def test_unmanaged_jobs_that_cannot_be_listed_do_not_block():
    """R-122: listing errors count as no jobs."""
    facts = Observation(job_manager=job_manager(), rest=RestFacts(Rest.ABSENT))
    assert "DeleteCluster" in names(clean(SESSION, status_of(SESSION), facts))


def test_a_savepoint_on_deletion():
    """The job is stopped with one first; then the cluster goes."""
    made = clean(APP, status_of(APP), up(), savepoint_on_deletion=True)
    assert names(made) == ["Cleanup", "WriteAhead", "StopJob"]
    facts = Observation(
        job_manager=job_manager(),
        rest=answered(job(FlinkState.FINISHED), savepoint=Done("s3://s")),
    )
    made = clean(APP, made.status, facts, savepoint_on_deletion=True)
    assert names(made) == ["DeleteCluster"]


@pytest.mark.parametrize("job_state", ["RESTARTING", "RECONCILING"])
def test_a_savepoint_on_deletion_waits_for_a_running_job(job_state):
    """Q-31: better kept than lost; told with what to do."""
    status = status_of(APP, job=FlinkJobState(job_state))
    made = clean(APP, status, up(job(FlinkState.RESTARTING)), savepoint_on_deletion=True)
    assert names(made) == ["Cleanup", "CleanupFailed"]
    assert made.stall is not None
    assert "savepoint-on-deletion" in made.stall.message


@pytest.mark.parametrize("job_state", ["FINISHED", "CANCELED"])
def test_a_job_that_has_ended_has_nothing_to_save(job_state):
    """The cluster goes at once."""
    status = status_of(APP, job=FlinkJobState(job_state))
    made = clean(APP, status, up(job(FlinkState(job_state))), savepoint_on_deletion=True)
    assert "DeleteCluster" in names(made)


@pytest.mark.parametrize("upgrade", [GONE, Observation(job_manager=job_manager(2))])
def test_deletion_during_an_upgrade(upgrade):
    """Whatever is there goes; nothing is started first."""
    made = clean(NEW, upgrading(NEW, 2), upgrade)
    assert "Submit" not in [type(s).__name__ for s in made.steps]
    assert names(made)[-1] in ("DeleteCluster", "ReleaseFinalizer")
