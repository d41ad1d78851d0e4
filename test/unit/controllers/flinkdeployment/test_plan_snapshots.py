"""Savepoints and checkpoints of a running job: asked for, taken by the clock, tidied up."""

import datetime as dt
from typing import Any

import pytest
from attrs import evolve
from fakes.deployments import (
    NOW,
    NOW_MS,
    answered,
    application,
    job,
    job_manager,
    situation,
    status_of,
    up,
)
from fakes.plans import names, planned, recorded_job, step

from flinkop.api.flinkstatesnapshot import SnapshotState, SnapshotType
from flinkop.api.status import (
    FlinkJobState,
    Savepoint,
    SavepointInfo,
    SnapshotTriggerType,
)
from flinkop.controllers.flinkdeployment import progress
from flinkop.controllers.flinkdeployment.assessed import Subject
from flinkop.controllers.flinkdeployment.observation import Observation
from flinkop.controllers.flinkdeployment.planning import steps
from flinkop.flink.interpret import PENDING, Done, Failed
from flinkop.flink.states import JobState as FlinkState
from flinkop.lifecycle import record
from flinkop.lifecycle.snapshot_facts import SnapshotFacts
from flinkop.lifecycle.snapshot_history import Limits

SAVEPOINT, CHECKPOINT = SnapshotType.SAVEPOINT, SnapshotType.CHECKPOINT
MANUAL, PERIODIC = SnapshotTriggerType.MANUAL, SnapshotTriggerType.PERIODIC
RESOURCES: dict[str, Any] = {"snapshot_resources": True}
APP = application(savepoint_trigger_nonce=1, checkpoint_trigger_nonce=1)
WISH = application(savepoint_trigger_nonce=2, checkpoint_trigger_nonce=1)
CHECK = application(savepoint_trigger_nonce=1, checkpoint_trigger_nonce=2)
HOUR = dt.timedelta(hours=1)


def info_of(status):
    """What the status says of savepoints, which must be there."""
    assert status.job_status.savepoint_info is not None
    return status.job_status.savepoint_info


def seen(*snapshots, **rest):
    """The facts of a running job with FlinkStateSnapshots."""
    return Observation(
        job_manager=job_manager(), rest=answered(job(), **rest), snapshots=snapshots or ()
    )


def snapshot(name="s", **more):
    """A FlinkStateSnapshot of the job."""
    fields = {
        "type": SAVEPOINT,
        "trigger": PERIODIC,
        "state": SnapshotState.COMPLETED,
        "created": NOW - HOUR,
        **more,
    }
    return SnapshotFacts(name=name, **fields)


def in_flight(status, kind=MANUAL, since=NOW_MS):
    """Return `status` with a savepoint under way."""
    info = SavepointInfo(trigger_id="t", trigger_timestamp=since, trigger_type=kind)
    return evolve(status, job_status=evolve(status.job_status, savepoint_info=info))


# --- asked for


def test_a_new_nonce_is_written_ahead_and_asked_for():
    """R-90: the trigger id is in the status before Flink hears of it; the nonce is not handled yet."""
    made = planned(situation(WISH, status_of(APP), up(), generation=2))
    assert names(made) == ["WriteAhead", "TriggerSavepoint"]
    ahead = step(made, steps.WriteAhead).status
    info = info_of(ahead)
    assert (info.trigger_id, info.trigger_type) == ("trigger-1", MANUAL)
    assert step(made, steps.TriggerSavepoint).trigger_id == "trigger-1"
    assert recorded_job(ahead).savepoint_trigger_nonce == 1
    assert made.wait == steps.Wait.PROBE


def test_a_new_checkpoint_nonce():
    """Likewise, where Flink can (1.17)."""
    made = planned(situation(CHECK, status_of(APP), up(), generation=2))
    assert names(made) == ["WriteAhead", "TriggerCheckpoint"]


def test_a_nonce_with_snapshots_as_resources_is_handled_at_once():
    """R-90, T-11: the resource carries the nonce, so that nobody makes a second one."""
    at = situation(WISH, status_of(APP), seen(), generation=2, **RESOURCES)
    made = planned(at)
    assert names(made) == ["CreateSnapshot"]
    body = step(made, steps.CreateSnapshot).body
    assert body["metadata"]["name"].startswith("basic-savepoint-manual-")
    assert body["metadata"]["annotations"] == {"snapshot.trigger-nonce": "2"}
    assert body["spec"]["savepoint"]["path"] == "s3://savepoints"
    assert recorded_job(made.status).savepoint_trigger_nonce == 2
    assert record.is_stable(made.status)
    there = evolve(at, observation=seen(snapshot(trigger=MANUAL, nonce=2)))
    assert names(planned(there)) == []
    assert recorded_job(planned(there).status).savepoint_trigger_nonce == 2


@pytest.mark.parametrize("state", [FlinkJobState.RESTARTING, FlinkJobState.FINISHED])
def test_only_a_running_job_is_asked(state):
    """R-86."""
    facts = up(job(FlinkState(state.value)))
    made = planned(situation(WISH, status_of(APP, job=state), facts, generation=2))
    assert "TriggerSavepoint" not in names(made)


def test_one_that_flink_never_heard_of_is_asked_for_again_under_its_id():
    """A crash lay between the word and the deed."""
    unheard = seen(savepoint=Failed("404", "404", unknown=True))
    made = planned(situation(WISH, in_flight(status_of(APP)), unheard, generation=2))
    assert names(made) == ["TriggerSavepoint"]
    assert step(made, steps.TriggerSavepoint).trigger_id == "t"


def test_one_that_failed_is_not_asked_for_at_once_again():
    """The next look does (O-62)."""
    failed = seen(savepoint=Failed("no", "no"))
    assert planned(situation(WISH, status_of(APP), failed, generation=2)).steps == ()


# --- by the clock


def test_a_periodic_savepoint():
    """Due since the resource was created; the next is due a period after that."""
    at = situation(APP, status_of(APP), up(), periodic_savepoints="1 h")
    made = planned(at)
    assert names(made) == ["WriteAhead", "TriggerSavepoint"]
    assert made.periodic is SAVEPOINT
    later = evolve(at, remembered={SAVEPOINT: NOW - HOUR / 4})
    made = planned(later)
    assert made.steps == ()
    assert made.due == NOW + HOUR * 3 / 4


def test_a_periodic_checkpoint_as_a_resource():
    """Those on their way count, so that a restarted operator makes no second one."""
    at = situation(APP, status_of(APP), seen(), periodic_checkpoints="10 min", **RESOURCES)
    made = planned(at)
    assert names(made) == ["CreateSnapshot"]
    assert step(made, steps.CreateSnapshot).body["spec"]["checkpoint"] == {}
    going = snapshot(type=CHECKPOINT, state=SnapshotState.IN_PROGRESS, created=NOW)
    assert planned(evolve(at, observation=seen(going))).steps == ()


def test_an_expression_that_cannot_be_read_is_told_once():
    """Q-25: it does not keep the job from running."""
    made = planned(situation(APP, status_of(APP), up(), periodic_savepoints="sometimes"))
    assert names(made) == ["ConfigurationWarning"]
    said = made.steps[0]
    assert isinstance(said, steps.Say)
    assert said.draft.once
    assert "sometimes" in said.draft.message


# --- how it ends (O-60 to O-65)


def assessed(status, facts, spec=WISH, **options):
    """Assess a look at the running job."""
    at = situation(spec, status, facts, **options)
    return progress.assess(Subject(status, facts, spec, NOW, options=at.options))


def test_a_savepoint_that_is_there():
    """O-61: it is the last, part of the history, and its nonce is handled."""
    found = assessed(in_flight(status_of(APP)), seen(savepoint=Done("s3://s/1")))
    info = found.status.job_status.savepoint_info
    assert info.trigger_id is None
    assert info.last_savepoint == Savepoint(
        time_stamp=NOW_MS, location="s3://s/1", trigger_type=MANUAL, trigger_nonce=2
    )
    assert info.savepoint_history == (info.last_savepoint,)
    assert recorded_job(found.status).savepoint_trigger_nonce == 2
    assert record.is_stable(found.status)


def test_a_periodic_one_says_when():
    """lastPeriodicSavepointTimestamp; no nonce is handled."""
    found = assessed(in_flight(status_of(APP), PERIODIC), seen(savepoint=Done("s3://s/1")))
    info = found.status.job_status.savepoint_info
    assert info.last_periodic_savepoint_timestamp == NOW_MS
    assert recorded_job(found.status).savepoint_trigger_nonce == 1


@pytest.mark.parametrize("outcome", [PENDING, None])
def test_one_under_way_changes_nothing(outcome):
    """O-60."""
    status = in_flight(status_of(APP))
    assert assessed(status, seen(savepoint=outcome)).status.job_status.savepoint_info == (
        status.job_status.savepoint_info
    )


@pytest.mark.parametrize(("age", "handled"), [(10, 1), (61, 2)])
def test_one_that_failed(age, handled):
    """O-62: asked for again within the grace period, given up after it; told either way."""
    status = in_flight(status_of(APP), since=NOW_MS - age * 1000)
    found = assessed(status, seen(savepoint=Failed("no", "no")))
    assert [draft.reason for draft in found.drafts] == ["SavepointError"]
    assert "savepointTriggerNonce: 2" in found.drafts[0].message
    assert recorded_job(found.status).savepoint_trigger_nonce == handled
    assert found.status.job_status.savepoint_info.trigger_id is None


def test_one_whose_job_no_longer_runs():
    """O-7: given up, and told by its kind (Q-18)."""
    facts = evolve(seen(), rest=answered(job(FlinkState.RESTARTING)))
    found = assessed(in_flight(status_of(APP), PERIODIC), facts)
    assert "Periodic savepoint failed" in [draft.message for draft in found.drafts]
    assert found.status.job_status.savepoint_info.trigger_id is None


# --- tidied up


def with_history(*ages):
    """Return the status with savepoints in its history, so many hours old."""
    entries = tuple(
        Savepoint(time_stamp=NOW_MS - age * 3_600_000, location=f"s3://s/{age}") for age in ages
    )
    info = SavepointInfo(savepoint_history=entries, last_savepoint=entries[-1])
    status = status_of(APP)
    return evolve(status, job_status=evolve(status.job_status, savepoint_info=info))


def test_old_savepoints_are_disposed_of():
    """O-72: by number and by age; the newest stays."""
    at = situation(
        APP, with_history(30, 3, 2, 1), up(), savepoint_limits=Limits(2, dt.timedelta(days=1))
    )
    made = planned(at)
    [disposal] = made.steps
    assert isinstance(disposal, steps.DisposeSavepoints)
    assert [one.savepoint.location for one in disposal.removals] == ["s3://s/30", "s3://s/3"]


def test_without_cleanup_entries_go_and_files_stay():
    """O-72."""
    at = situation(
        APP, with_history(3, 2, 1), up(), savepoint_limits=Limits(1, None), cleanup=False
    )
    made = planned(at)
    assert made.steps == ()
    info = info_of(made.status)
    assert [one.location for one in info.savepoint_history] == ["s3://s/1"]


def test_what_somebody_names_is_kept():
    """A pending restore, the user's own path, the last one."""
    spec = application(initial_savepoint_path="s3://s/3")
    at = situation(spec, with_history(3, 2, 1), up(), savepoint_limits=Limits(1, None))
    [disposal] = planned(at).steps
    assert isinstance(disposal, steps.DisposeSavepoints)
    assert [one.savepoint.location for one in disposal.removals] == ["s3://s/2"]


def test_old_snapshot_resources_are_deleted():
    """O-74: their disposal is their own affair."""
    some = [snapshot(f"s{i}", path=f"s3://s/{i}", created=NOW - HOUR * (5 - i)) for i in range(3)]
    limits: dict[str, Any] = {"savepoint_limits": Limits(1, None), **RESOURCES}
    at = situation(APP, status_of(APP), seen(*some), **limits)
    assert [s.name for s in planned(at).steps if isinstance(s, steps.DeleteSnapshot)] == [
        "s0",
        "s1",
    ]
    off = situation(APP, status_of(APP), seen(*some), cleanup=False, **limits)
    assert planned(off).steps == ()


# --- upgrades


def test_the_savepoint_of_an_upgrade_is_registered_before_it_is_recorded():
    """R-30, T-25: as a resource that exists already, instead of the history; once."""
    status = in_flight(status_of(APP, job=FlinkJobState.FINISHED), SnapshotTriggerType.UPGRADE)
    facts = seen(savepoint=Done("s3://s/1"))
    at = situation(application(image="new"), status, facts, generation=2, **RESOURCES)
    made = planned(at)
    assert names(made)[0] == "CreateSnapshot"
    savepoint = step(made, steps.CreateSnapshot).body["spec"]["savepoint"]
    assert (savepoint["path"], savepoint["alreadyExists"]) == ("s3://s/1", True)
    assert info_of(made.status).savepoint_history == ()
    known = snapshot(trigger=SnapshotTriggerType.UPGRADE, path="s3://s/1")
    again = planned(evolve(at, observation=evolve(facts, snapshots=(known,))))
    assert "CreateSnapshot" not in names(again)
