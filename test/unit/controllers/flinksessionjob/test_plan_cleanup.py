"""How a session job goes with its resource, and what keeps it."""

import datetime as dt

import pytest
from attrs import evolve
from fakes.deployments import NOW, OLD_ID, job
from fakes.sessionjobs import (
    CLUSTER,
    JOB,
    STATEFUL,
    attempted,
    down,
    names,
    note,
    situation,
    stall,
    status_of,
    up,
    without_job,
)

from flinkop.api.common import JobState
from flinkop.api.status import (
    FlinkJobState,
    FlinkSessionJobStatus,
    LifecycleState,
    SavepointInfo,
    SnapshotTriggerType,
)
from flinkop.controllers.flinksessionjob.observation import Handover, Observation, Submitted
from flinkop.controllers.flinksessionjob.planning import cleanup
from flinkop.controllers.jobs.facts import Rest, RestFacts
from flinkop.controllers.jobs.steps import CancelJob
from flinkop.flink.interpret import Done
from flinkop.flink.states import JobState as FlinkState

RELEASED = ["Cleanup", "ReleaseFinalizer"]
GOING = evolve(CLUSTER, deleting=True)


def cleaned(status=None, facts=None, spec=JOB, **more):
    """The plan of a deletion."""
    return cleanup.cleanup(situation(spec, status or status_of(), facts or up(), **more))


@pytest.mark.parametrize(
    ("status", "facts"),
    [
        (FlinkSessionJobStatus(), up()),
        (status_of(job=FlinkJobState.FINISHED), up(job(FlinkState.FINISHED))),
        (status_of(job_id=None), up()),
        (status_of(recorded_state=JobState.SUSPENDED, job=FlinkJobState.FINISHED), up()),
        (status_of(), Observation()),
        (status_of(), down()),
        (status_of(), down(deleting=True)),
        (status_of(), without_job()),
        (status_of(error="Job Not Found", job=FlinkJobState.RECONCILING), without_job()),
        (status_of(), up(job(FlinkState.CANCELED))),
    ],
    ids=str,
)
def test_where_nothing_is_left_the_resource_goes(status, facts):
    """R-92, R-124 to R-126: never deployed, ended, down, or without a cluster that could have it."""
    assert names(cleaned(status, facts)) == RELEASED


def test_a_running_job_is_cancelled():
    """And its end waited for (R-128)."""
    made = cleaned()
    assert names(made) == ["Cleanup", "CancelJob"]
    assert CancelJob(OLD_ID, required=True) in made.steps
    assert made.status.lifecycle_state is LifecycleState.DELETING
    waits = cleaned(made.status, up(job(FlinkState.CANCELLING)))
    assert (names(waits), note(waits)) == ([], "CancellingJob")
    assert names(cleaned(waits.status, up(job(FlinkState.CANCELED)))) == ["ReleaseFinalizer"]


def test_a_cluster_that_is_deleted_takes_its_jobs_with_it_where_that_is_wanted():
    """R-125."""
    going = up(cluster=GOING)
    assert names(cleaned(None, going, block_on_session_jobs=False)) == RELEASED
    assert names(cleaned(None, going)) == ["Cleanup", "CancelJob"]


def test_a_cluster_with_ha_metadata_would_bring_the_job_back():
    """R-126: so it is waited for, in words that name it."""
    made = cleaned(None, down(), high_availability=True)
    assert names(made) == ["Cleanup", "CleanupFailed"]
    assert stall(made).startswith("DeletionBlocked")
    assert "session cluster cluster is not ready" in stall(made)


def test_a_silent_job_manager_keeps_the_resource():
    """Nobody could be told to cancel."""
    silent = Observation(CLUSTER, rest=RestFacts(Rest.ABSENT, detail="refused"))
    made = cleaned(None, silent)
    assert names(made) == ["Cleanup", "CleanupFailed"]
    assert "refused" in stall(made)


def test_a_deadline_ends_what_blocks():
    """And what may be left is said."""
    options = {"high_availability": True, "deletion_deadline": dt.timedelta(minutes=5)}
    early = cleaned(None, down(), deleted_at=NOW - dt.timedelta(minutes=4), **options)
    assert "ReleaseFinalizer" not in names(early)
    assert early.due == NOW + dt.timedelta(minutes=1)
    late = cleaned(None, down(), deleted_at=NOW - dt.timedelta(minutes=5), **options)
    assert names(late) == ["Cleanup", "CleanupFailed", "ReleaseFinalizer"]
    assert f"job {OLD_ID} may be left" in late.steps[1].draft.message


def test_a_savepoint_is_taken_first_where_that_is_wanted():
    """And stands in the history."""
    made = cleaned(status_of(STATEFUL), up(), STATEFUL, savepoint_on_deletion=True)
    assert names(made) == ["Cleanup", "WriteAhead", "StopJob"]
    facts = up(job(FlinkState.FINISHED), savepoint=Done("s3://s"))
    done = cleaned(made.status, facts, STATEFUL, savepoint_on_deletion=True)
    ended = evolve(
        made.status, job_status=evolve(made.status.job_status, state=FlinkJobState.FINISHED)
    )
    recorded = cleaned(ended, evolve(facts, snapshots=()), STATEFUL, snapshot_resources=True)
    assert names(recorded) == ["CreateSnapshot", "ReleaseFinalizer"]
    assert names(done) == ["ReleaseFinalizer"]
    assert done.status.job_status.savepoint_info.last_savepoint.location == "s3://s"


def test_a_savepoint_that_is_not_possible_is_waited_for():
    """Q-31."""
    status = status_of(STATEFUL, job=FlinkJobState.RESTARTING)
    facts = up(job(FlinkState.RESTARTING))
    made = cleaned(status, facts, STATEFUL, savepoint_on_deletion=True)
    assert "needs a running job" in stall(made)


def test_a_stop_that_is_under_way_is_followed():
    """Whatever the option says by now."""
    info = SavepointInfo(
        trigger_id="t", trigger_timestamp=1767225599000, trigger_type=SnapshotTriggerType.UPGRADE
    )
    status = status_of(STATEFUL)
    status = evolve(status, job_status=evolve(status.job_status, savepoint_info=info))
    assert note(cleaned(status, up())) == "TakingSavepoint"


def test_a_submission_under_way_ends_first():
    """So that no job comes after its resource has gone."""
    facts = without_job(submitted=Submitted(Handover.UNDER_WAY))
    made = cleaned(attempted(), facts)
    assert names(made) == ["Cleanup", "AbandonSubmission"]


def test_a_job_of_an_interrupted_submission_may_be_listed_late():
    """Its main method may still run; after half a minute it does not."""
    young = attempted(timestamp=1767225590000)
    assert note(cleaned(young, without_job())) == "JobNotListed"
    assert names(cleaned(young, up())) == ["Cleanup", "CancelJob"]
    assert names(cleaned(attempted(), without_job())) == RELEASED
    never = without_job(submitted=Submitted(Handover.REFUSED))
    assert names(cleaned(young, never)) == RELEASED
