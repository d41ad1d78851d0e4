"""How a session job goes from one spec to the next, with its state."""

import pytest
from attrs import evolve
from fakes.deployments import OLD_ID, job
from fakes.sessionjobs import (
    JOB,
    LAST_STATE,
    STATEFUL,
    assess,
    changed,
    down,
    looked,
    names,
    note,
    planned,
    recorded_job,
    session_job,
    situation,
    stall,
    status_of,
    suspended,
    up,
    without_job,
)

from flinkop.api.common import JobState, UpgradeMode
from flinkop.api.status import (
    FlinkJobState,
    ReconciliationState,
    SavepointInfo,
    SnapshotTriggerType,
)
from flinkop.controllers.flinksessionjob import progress
from flinkop.controllers.flinksessionjob.observation import Observation
from flinkop.controllers.flinksessionjob.planning.steps import SubmitJob
from flinkop.controllers.jobs.facts import CheckpointFacts
from flinkop.controllers.jobs.steps import CancelJob, CreateSnapshot, StopJob
from flinkop.flink.interpret import Done
from flinkop.flink.states import JobState as FlinkState
from flinkop.lifecycle import record
from flinkop.stages.cluster_options import ClusterOptions

WIDER = {"parallelism": 4}


def submission(made):
    """The only submission of a plan."""
    (found,) = (one for one in made.steps if isinstance(one, SubmitJob))
    return found


def stopping(spec=STATEFUL, **more):
    """The status of a job that is being stopped with a savepoint."""
    status = status_of(spec, **more)
    info = SavepointInfo(
        trigger_id="t", trigger_timestamp=1767225590000, trigger_type=SnapshotTriggerType.UPGRADE
    )
    return evolve(status, job_status=evolve(status.job_status, savepoint_info=info))


def cancelling(spec, mode, **more):
    """The status of a job that was told to cancel."""
    return status_of(
        spec, state=ReconciliationState.UPGRADING, mode=mode, job=FlinkJobState.CANCELLING, **more
    )


def test_nothing_new_does_nothing():
    """The generation is recorded (P-2)."""
    made = planned(situation(JOB, status_of(), generation=2))
    assert (names(made), made.reason) == ([], "Resource fully reconciled, nothing to do...")
    assert made.status == evolve(status_of(), observed_generation=2)


def test_a_stateful_change_stops_the_job_with_a_savepoint():
    """The trigger id is written ahead; the recorded spec stays the old one."""
    status = status_of(STATEFUL)
    made = planned(situation(changed(STATEFUL, **WIDER), status, generation=2))
    assert names(made) == ["SpecChanged", "Suspended", "WriteAhead", "StopJob"]
    assert record.is_stopping(made.status)
    [stop] = (one for one in made.steps if isinstance(one, StopJob))
    assert (stop.job_id, stop.directory) == (OLD_ID, "s3://savepoints")


def test_a_stopped_job_starts_again_from_its_savepoint():
    """Under a new id, all of it written ahead."""
    facts = up(job(FlinkState.FINISHED), savepoint=Done("s3://s/1"))
    made = planned(looked(situation(changed(STATEFUL, **WIDER), stopping(), facts, generation=2)))
    assert names(made)[-3:] == ["WriteAhead", "Submit", "SubmitJob"]
    assert submission(made).savepoint_path == "s3://s/1"
    assert submission(made).job_id == "new-1"
    assert made.status.job_status.upgrade_savepoint_path == "s3://s/1"
    assert recorded_job(made.status).parallelism == 4
    assert recorded_job(made.status).upgrade_mode is UpgradeMode.SAVEPOINT


def test_a_job_is_suspended_with_a_savepoint():
    """Its id is gone then, and it may be resumed from the savepoint."""
    facts = up(job(FlinkState.FINISHED), savepoint=Done("s3://s/1"))
    made = planned(looked(situation(suspended(STATEFUL), stopping(), facts, generation=2)))
    assert "SubmitJob" not in names(made)
    assert made.status.job_status.job_id is None
    assert made.status.job_status.state is FlinkJobState.FINISHED
    assert recorded_job(made.status).state is JobState.SUSPENDED
    assert record.is_stable(made.status)
    resumed = situation(STATEFUL, made.status, without_job(), generation=3)
    assert submission(planned(resumed)).savepoint_path == "s3://s/1"


def test_a_suspended_job_needs_no_cluster():
    """Nothing is waited for, and nothing done."""
    status = status_of(
        STATEFUL, recorded_state=JobState.SUSPENDED, job=FlinkJobState.FINISHED, job_id=None,
        mode=UpgradeMode.SAVEPOINT,
    )  # fmt: skip
    for facts in (Observation(), down(), without_job()):
        made = planned(situation(suspended(STATEFUL), status, facts))
        assert (names(made), made.note, made.stall) == ([], None, None)


def test_a_resume_as_stateless_starts_empty():
    """Who suspended with a savepoint may choose so (R-26)."""
    status = status_of(
        STATEFUL, recorded_state=JobState.SUSPENDED, job=FlinkJobState.FINISHED, job_id=None,
        mode=UpgradeMode.SAVEPOINT, path="s3://s",
    )  # fmt: skip
    made = planned(situation(JOB, status, without_job(), generation=2))
    assert submission(made).savepoint_path is None


@pytest.mark.parametrize(
    ("spec", "mode", "path"),
    [
        (LAST_STATE, UpgradeMode.SAVEPOINT, "s3://checkpoints/chk-5"),
        (JOB, UpgradeMode.STATELESS, None),
    ],
)
def test_a_job_is_cancelled(spec, mode, path):
    """CANCELLING is written before Flink is told; last-state notes the newest checkpoint first."""
    made = planned(situation(changed(spec, **WIDER), status_of(spec), generation=2))
    assert names(made) == ["SpecChanged", "Suspended", "WriteAhead", "CancelJob"]
    assert made.status.job_status.state is FlinkJobState.CANCELLING
    assert made.status.job_status.upgrade_savepoint_path == path
    assert recorded_job(made.status).upgrade_mode is mode
    assert made.status.observed_generation == 1


@pytest.mark.parametrize(
    ("spec", "mode", "path"),
    [(LAST_STATE, UpgradeMode.SAVEPOINT, "s3://chk-6"), (JOB, UpgradeMode.STATELESS, None)],
)
def test_a_cancelled_job_starts_again(spec, mode, path):
    """From the last checkpoint that was observed with its end."""
    facts = up(job(FlinkState.CANCELED), checkpoints=CheckpointFacts("s3://chk-6"))
    wanted = changed(spec, **WIDER)
    made = planned(looked(situation(wanted, cancelling(spec, mode), facts, generation=2)))
    assert submission(made).savepoint_path == path
    assert recorded_job(made.status).parallelism == 4


def test_a_cancellation_is_waited_for():
    """Flink takes its time."""
    facts = up(job(FlinkState.CANCELLING))
    status = cancelling(LAST_STATE, UpgradeMode.SAVEPOINT)
    made = planned(looked(situation(changed(LAST_STATE, **WIDER), status, facts, generation=2)))
    assert (names(made), note(made)) == ([], "CancellingJob")


def test_a_cancellation_that_was_not_heard_is_repeated():
    """A crash lay between the word and the deed."""
    status = cancelling(LAST_STATE, UpgradeMode.SAVEPOINT)
    made = planned(looked(situation(changed(LAST_STATE, **WIDER), status, up(), generation=2)))
    assert [one for one in made.steps if isinstance(one, CancelJob)] == [
        CancelJob(OLD_ID, required=True)
    ]


def test_a_redeployment_waits_for_the_end_of_the_old_job():
    """Q-6: two jobs of one resource never run side by side."""
    wanted = changed(STATEFUL, savepoint_redeploy_nonce=1, initial_savepoint_path="s3://chosen")
    first = planned(situation(wanted, status_of(STATEFUL), generation=2))
    assert names(first)[-2:] == ["WriteAhead", "CancelJob"]
    facts = up(job(FlinkState.CANCELED), checkpoints=CheckpointFacts("s3://chk-6"))
    then = planned(looked(situation(wanted, first.status, facts, generation=2)))
    assert submission(then).savepoint_path == "s3://chosen"


def test_a_failed_job_is_restarted_if_that_is_wanted():
    """From its last checkpoint (R-80); else it only stalls."""
    status = status_of(
        STATEFUL, job=FlinkJobState.FAILED, path="s3://chk-6", mode=UpgradeMode.SAVEPOINT
    )
    failed = up(job(FlinkState.FAILED))
    made = planned(situation(STATEFUL, status, failed, restart_failed=True))
    assert submission(made).savepoint_path == "s3://chk-6"
    idle = planned(situation(STATEFUL, status, failed))
    assert (names(idle), stall(idle).split(":")[0]) == ([], "JobFailed")


def test_a_job_without_state_that_is_lost_starts_anew():
    """O-36, under a new id."""
    at = looked(situation(JOB, status_of(), without_job()))
    assert at.status.job_status.job_id is None
    made = planned(at)
    assert submission(made).job_id == "new-1"
    assert submission(made).savepoint_path is None


def test_a_job_with_state_that_is_lost_waits_for_a_person():
    """Q-8: it is said, with what helps, and nothing starts empty."""
    found = assess(status_of(STATEFUL), without_job(), STATEFUL)
    assert [draft.reason for draft in found.drafts] == ["Missing"]
    assert found.status.error == "Job Not Found"
    made = planned(situation(STATEFUL, found.status, without_job()))
    assert (names(made), stall(made).split(":")[0]) == ([], "JobNotFound")
    wanted = changed(STATEFUL, **WIDER)
    refused = planned(situation(wanted, found.status, without_job(), generation=2))
    assert stall(refused).startswith("UpgradeFailed")
    assert "SubmitJob" not in names(refused)
    chosen = changed(STATEFUL, savepoint_redeploy_nonce=1, initial_savepoint_path="s3://chosen")
    made = planned(situation(chosen, found.status, without_job(), generation=3))
    assert submission(made).savepoint_path == "s3://chosen"


def test_a_cluster_with_ha_metadata_gets_time_to_recover_the_job():
    """T-46."""

    ha = ClusterOptions(high_availability=True)
    early = assess(status_of(), without_job(absent_for=5.0), options=ha)
    assert (early.status.error, early.status.job_status.state) == (None, FlinkJobState.RECONCILING)
    assert early.status.job_status.job_id == OLD_ID
    late = assess(status_of(), without_job(absent_for=11.0), options=ha)
    assert late.status.error == "Job Not Found"


def test_a_job_that_was_taken_for_lost_is_not_started_beside_itself():
    """T-46: the reference records it as down, and keeps its id."""
    status = status_of(recorded_state=JobState.SUSPENDED, job=FlinkJobState.RECONCILING)
    made = planned(situation(JOB, status, up()))
    assert (names(made), made.again) == ([], True)
    assert recorded_job(made.status).state is JobState.RUNNING
    assert made.status.job_status.job_id == OLD_ID


def test_a_job_cancelled_from_outside_starts_again_with_its_state():
    """X-10, Q-30: from its last checkpoint, also when it was first started without one."""
    facts = up(job(FlinkState.CANCELED), checkpoints=CheckpointFacts("s3://chk-6"))
    made = planned(looked(situation(STATEFUL, status_of(STATEFUL), facts)))
    assert submission(made).savepoint_path == "s3://chk-6"


def test_a_job_whose_cluster_is_down_is_reconciling():
    """Nobody can tell how it is; nothing else changes."""
    found = assess(status_of(), down())
    assert found.status == evolve(
        status_of(), job_status=evolve(status_of().job_status, state=FlinkJobState.RECONCILING)
    )
    made = planned(situation(JOB, found.status, down()))
    assert (names(made), note(made)) == ([], "SessionClusterNotReady")


def test_an_error_ends_when_the_job_is_well():
    """The reference keeps it until the next deployment."""
    assert assess(status_of(error="{}"), up()).status.error is None
    assert assess(status_of(error="{}"), down()).status.error == "{}"


def test_a_job_that_only_begins_to_start_is_not_worth_a_write():
    """Other states are."""

    before = status_of(job=FlinkJobState.RECONCILING, stable=False)
    starting = assess(before, up(job(FlinkState.INITIALIZING))).status
    assert progress.is_passing(before, starting)
    assert not progress.is_passing(before, assess(before, up()).status)


def test_an_upgrade_waits_for_a_snapshot_in_the_status():
    """R-1."""
    info = SavepointInfo(trigger_id="t", trigger_type=SnapshotTriggerType.MANUAL)
    status = status_of(STATEFUL)
    status = evolve(status, job_status=evolve(status.job_status, savepoint_info=info))
    made = planned(situation(changed(STATEFUL, **WIDER), status, generation=2))
    assert (names(made), note(made)) == ([], "UpgradeWaits")


def test_a_savepoint_nonce_triggers():
    """R-87, as for applications: here without a resource for it."""
    wanted = session_job(upgrade_mode=UpgradeMode.SAVEPOINT, savepoint_trigger_nonce=5)
    made = planned(situation(wanted, status_of(STATEFUL), generation=2))
    assert names(made) == ["WriteAhead", "TriggerSavepoint"]
    resources = evolve(up(), snapshots=())
    made = planned(
        situation(wanted, status_of(STATEFUL), resources, generation=2, snapshot_resources=True)
    )
    [create] = (one for one in made.steps if isinstance(one, CreateSnapshot))
    reference = create.body["spec"]["jobReference"]
    assert reference == {"kind": "FlinkSessionJob", "name": "example"}
    assert recorded_job(made.status).savepoint_trigger_nonce == 5


def test_a_stopped_job_that_goes_on_is_cancelled_first():
    """It failed while it stopped, and Flink restarted it; no cluster is deleted that would take it along."""
    wanted = changed(STATEFUL, **WIDER)
    done = {"savepoint": Done("s3://s/1")}
    late = planned(looked(situation(wanted, stopping(), up(**done), generation=2)))
    assert names(late) == []
    again = up(job(FlinkState.RESTARTING), checkpoints=CheckpointFacts("s3://s/1"), **done)
    made = planned(looked(situation(wanted, stopping(), again, generation=2)))
    assert names(made) == ["WriteAhead", "CancelJob"]
    assert made.status.job_status.upgrade_savepoint_path == "s3://s/1"
    assert not record.is_stopping(made.status)
