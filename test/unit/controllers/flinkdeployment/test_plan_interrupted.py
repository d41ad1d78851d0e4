"""What a crash, a user or Flink does between two looks: found by the state model, kept here one by one."""

import pytest
from attrs import evolve
from fakes.deployments import (
    GONE,
    answered,
    job,
    job_manager,
    situation,
    status_of,
    up,
    upgrading,
    with_job,
)
from fakes.plans import (
    APP,
    NEW,
    SUSPENDED,
    names,
    planned,
    recon,
    recorded_job,
    step,
)

from flinkop.api.common import JobState, UpgradeMode
from flinkop.api.status import (
    FlinkJobState,
    JobManagerDeploymentStatus as JobManager,
    JobStatus,
    ReconciliationState,
    SavepointInfo,
    SnapshotTriggerType,
)
from flinkop.controllers.flinkdeployment.observation import CheckpointFacts, Observation
from flinkop.controllers.flinkdeployment.planning import steps
from flinkop.controllers.flinkdeployment.progress import JOB_NOT_FOUND
from flinkop.flink.interpret import Done
from flinkop.flink.states import JobState as FlinkState
from flinkop.lifecycle.ha_metadata import HaFacts

SAVEPOINT, LAST_STATE = UpgradeMode.SAVEPOINT, UpgradeMode.LAST_STATE
STATELESS = UpgradeMode.STATELESS
NO_METADATA = HaFacts(available=False)
PATH = "s3://savepoints/savepoint-1"
GIVEN = "s3://savepoints/of-the-user"


def wants(spec, mode):
    """Return `spec` with an upgradeMode."""
    return with_job(spec, upgrade_mode=mode)


# --- suspensions


def test_a_lost_job_that_is_suspended_keeps_the_metadata_it_is_resumed_from():
    """Its state is nowhere else."""
    status = status_of(APP, job_manager=JobManager.MISSING, job=FlinkJobState.RECONCILING)
    at = situation(wants(SUSPENDED, SAVEPOINT), status, GONE, generation=2, high_availability=True)
    made = planned(at)
    assert recorded_job(made.status).upgrade_mode is LAST_STATE
    assert "DeleteHaMetadata" not in names(made)


def test_a_job_that_never_started_is_suspended_by_deleting_its_cluster():
    """Its JobManager would start it after all."""
    status = status_of(
        APP,
        mode=SAVEPOINT,
        path=PATH,
        job=FlinkJobState.RECONCILING,
        job_manager=JobManager.DEPLOYING,
        stable=False,
    )
    never = evolve(job_manager(available=False), never_available=True)
    at = situation(
        wants(SUSPENDED, SAVEPOINT),
        status,
        Observation(job_manager=never),
        generation=2,
        high_availability=True,
    )
    made = planned(at, ha=NO_METADATA)
    assert names(made)[-2:] == ["WriteAhead", "DeleteCluster"]
    assert made.status.job_status.upgrade_savepoint_path == PATH


def test_a_job_that_goes_on_after_its_savepoint_is_suspended_by_deleting_its_cluster():
    """Flink names the savepoint of a stop that failed, and restarts the job (behaviour.md 4.3)."""
    info = SavepointInfo(trigger_id="t", trigger_type=SnapshotTriggerType.UPGRADE)
    status = status_of(APP)
    status = evolve(status, job_status=evolve(status.job_status, savepoint_info=info))
    rest = answered(job(FlinkState.RUNNING), savepoint=Done(PATH))
    facts = Observation(job_manager=job_manager(), rest=rest)
    at = situation(wants(SUSPENDED, SAVEPOINT), status, facts, generation=2, high_availability=True)
    made = planned(at)
    assert names(made)[-3:] == ["WriteAhead", "CancelJob", "DeleteCluster"]
    assert made.status.job_status.upgrade_savepoint_path == PATH


def test_a_redeployment_that_comes_while_the_old_cluster_goes_is_where_the_resume_starts():
    """R-20: the nonce is recorded, so the path that it is about has to be, too."""
    spec = with_job(SUSPENDED, savepoint_redeploy_nonce=1, initial_savepoint_path=GIVEN)
    status = evolve(upgrading(SUSPENDED, 2), job_status=JobStatus(upgrade_savepoint_path=PATH))
    made = planned(situation(wants(spec, SAVEPOINT), status, GONE, generation=3))
    assert made.status.reconciliation_status.state is ReconciliationState.DEPLOYED
    assert recorded_job(made.status).upgrade_mode is SAVEPOINT
    assert made.status.job_status.upgrade_savepoint_path == GIVEN


# --- a deployment that is there, and was not recorded


@pytest.mark.parametrize("mode", [SAVEPOINT, LAST_STATE])
def test_the_metadata_of_a_jobmanager_that_is_there_is_left_alone(mode):
    """What comes before its Deployment was done; what is there now may be what its own job needs."""
    status = upgrading(NEW, 2, mode=mode, path=PATH, job_id="ahead")
    seen = Observation(job_manager=evolve(job_manager(available=False), generation=2))
    at = situation(wants(NEW, mode), status, seen, generation=2, high_availability=True)
    made = planned(at, ha=HaFacts(available=True, has_checkpoint=True))
    assert names(made) == ["Submit", "Submit"]


def test_a_job_that_ended_before_its_start_was_recorded_is_taken_as_it_is():
    """Its HA metadata went with it, and that they were there is proven by its start."""
    status = upgrading(NEW, 2, mode=LAST_STATE, job_id="ahead")
    seen = Observation(job_manager=evolve(job_manager(), generation=2))
    at = situation(wants(NEW, LAST_STATE), status, seen, generation=2, high_availability=True)
    made = planned(at, ha=NO_METADATA)
    assert names(made) == ["Submit", "Submit"]
    never = evolve(
        seen, job_manager=evolve(job_manager(available=False), generation=2, never_available=True)
    )
    assert planned(evolve(at, observation=never), ha=NO_METADATA).stall is not None


def test_a_recovery_is_finished_when_its_deployment_is_there():
    """Without its ConfigMap and Services the JobManager would never start."""
    status = status_of(APP, job_manager=JobManager.MISSING, job=FlinkJobState.RECONCILING)
    never = evolve(job_manager(available=False), never_available=True)
    at = situation(APP, status, Observation(job_manager=never))
    seen = at.having(evolve(status, job_manager_deployment_status=JobManager.DEPLOYING))
    made = planned(seen)
    assert names(made) == ["Submit"]
    assert made.status.job_manager_deployment_status is JobManager.DEPLOYING
    told = evolve(seen, last_job_manager=JobManager.DEPLOYING)
    assert names(planned(told)) == []


def test_a_rollback_that_is_finished_keeps_what_it_restored_from():
    """The HA metadata that are there by now are those of the job that it started."""
    status = status_of(
        NEW,
        generation=2,
        mode=SAVEPOINT,
        path=PATH,
        job_manager=JobManager.MISSING,
        job=FlinkJobState.FINISHED,
        recorded_state=JobState.RUNNING,
        state=ReconciliationState.ROLLING_BACK,
    )
    seen = Observation(job_manager=job_manager(generation=2))
    at = situation(NEW, status, seen, generation=2, high_availability=True)
    made = planned(at, ha=HaFacts(available=True, has_checkpoint=True))
    assert recorded_job(made.status).upgrade_mode is SAVEPOINT
    assert made.status.job_status.upgrade_savepoint_path == PATH


# --- a job that the JobManager does not know


UNKNOWN = Observation(job_manager=job_manager(), rest=answered())


def unknown():
    """Return the status of a job that its JobManager does not know."""
    return status_of(APP, job=FlinkJobState.RECONCILING, error=JOB_NOT_FOUND)


def test_a_job_that_is_not_known_is_told_to_need_somebody():
    """With HA a job that has ended is not listed by a JobManager that restarts: nothing brings it back."""
    made = planned(situation(wants(APP, SAVEPOINT), unknown(), UNKNOWN, high_availability=True))
    assert made.steps == ()
    assert made.stall is not None
    assert made.stall.reason == "JobNotFound"
    assert "savepointRedeployNonce" in made.stall.message


def test_an_upgrade_of_a_job_that_is_not_known_does_not_wait_for_it():
    """Its HA metadata is the proof of its state; without that, somebody has to choose."""
    at = situation(wants(NEW, LAST_STATE), unknown(), UNKNOWN, generation=2, high_availability=True)
    assert recorded_job(planned(at).status).upgrade_mode is LAST_STATE
    none = planned(at, ha=NO_METADATA)
    assert none.stall is not None
    assert "Manual restore required." in none.stall.message
    assert "initialSavepointPath" in none.stall.message
    stateless = planned(situation(NEW, unknown(), UNKNOWN, generation=2))
    assert names(stateless)[-1] == "DeleteCluster"


# --- between the word and the deed


def last_state_is_written(facts, **options):
    """Return the situation after a crash that followed the word of a last-state upgrade."""
    status = upgrading(wants(NEW, LAST_STATE), 2, mode=LAST_STATE, job_manager=JobManager.READY)
    return situation(
        wants(NEW, LAST_STATE), status, facts, generation=2, high_availability=True, **options
    )


def test_the_old_cluster_goes_while_its_metadata_is_there():
    """The crash lay between the word and the deed."""
    made = planned(last_state_is_written(up()))
    assert names(made) == ["DeleteCluster"]


def test_a_job_that_ended_meanwhile_starts_from_its_last_checkpoint():
    """Its end removed the HA metadata: its JobManager is asked before it goes, and the path is written."""
    rest = answered(job(FlinkState.FAILED), checkpoints=None)
    at = last_state_is_written(Observation(job_manager=job_manager(), rest=rest))
    made = planned(at, ha=NO_METADATA, checkpoints=CheckpointFacts(PATH))
    assert names(made) == ["WriteAhead", "DeleteCluster"]
    ahead = step(made, steps.WriteAhead).status
    assert ahead.job_status.upgrade_savepoint_path == PATH
    assert recorded_job(ahead).upgrade_mode is SAVEPOINT
    gone = planned(evolve(last_state_is_written(GONE), status=ahead))
    submit = step(gone, steps.Submit)
    assert submit.savepoint_path == PATH
    assert submit.job_id == ahead.job_status.job_id


def test_a_cluster_whose_metadata_somebody_deleted_is_left_alone():
    """As long as the job lives, all it has is in its JobManager."""
    for facts in (up(), Observation(job_manager=job_manager(available=False))):
        made = planned(last_state_is_written(facts), ha=NO_METADATA)
        assert names(made) == ["RestoreFailed"]
        assert made.stall is not None
        assert recon(made.status) is ReconciliationState.UPGRADING


def test_a_redeployment_under_way_survives_a_change_to_stateless():
    """R-20: it was asked for, whatever the mode; the next change is stateless."""
    spec = wants(with_job(NEW, savepoint_redeploy_nonce=1, initial_savepoint_path=PATH), SAVEPOINT)
    status = upgrading(spec, 2, mode=SAVEPOINT, path=PATH)
    at = situation(wants(spec, STATELESS), status, GONE, generation=3)
    assert step(planned(at), steps.Submit).savepoint_path == PATH


def test_a_redeployment_counts_also_when_the_cluster_is_lost_while_its_job_is_cancelled():
    """What the user names is what it starts from."""
    spec = wants(with_job(NEW, savepoint_redeploy_nonce=1, initial_savepoint_path=PATH), LAST_STATE)
    status = status_of(
        APP,
        state=ReconciliationState.UPGRADING,
        mode=SAVEPOINT,
        job=FlinkJobState.RECONCILING,
        job_manager=JobManager.MISSING,
        path="s3://checkpoints/chk-5",
    )
    made = planned(situation(spec, status, GONE, generation=2))
    assert step(made, steps.Submit).savepoint_path == PATH


def test_a_job_cancelled_while_it_was_stateless_starts_with_its_state_if_that_is_wanted_by_then():
    """Q-30: its last checkpoint was recorded with its end."""
    status = status_of(
        APP,
        recorded_state=JobState.SUSPENDED,
        mode=SAVEPOINT,
        path=PATH,
        job=FlinkJobState.CANCELED,
    )
    facts = up(job(FlinkState.CANCELED))
    for mode, path in ((SAVEPOINT, PATH), (STATELESS, None)):
        at = situation(wants(APP, mode), status, facts, generation=2)
        ahead = planned(at).status
        gone = planned(evolve(at, status=ahead, observation=GONE))
        assert step(gone, steps.Submit).savepoint_path == path
