"""No job that has state is started empty or taken down, and lost clusters come back only if that is safe."""

import pytest
from attrs import evolve
from fakes.deployments import (
    GONE,
    OLD_ID,
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
    SESSION,
    SUSPENDED,
    lost,
    names,
    recorded,
    recorded_job,
    step,
    suspended,
)

from flinkop.api.common import UpgradeMode
from flinkop.api.status import (
    FlinkJobState,
    JobManagerDeploymentStatus as JobManager,
)
from flinkop.controllers.flinkdeployment import plan
from flinkop.controllers.flinkdeployment.observation import Observation
from flinkop.lifecycle import record

# --- the guard of state


STATEFUL = [UpgradeMode.SAVEPOINT, UpgradeMode.LAST_STATE]


@pytest.mark.parametrize("mode", STATEFUL)
@pytest.mark.parametrize(
    ("spec", "status", "facts"),
    [
        (APP, upgrading(APP, 1), GONE),
        (APP, upgrading(APP, 1), up()),
        (APP, suspended(), GONE),
        (APP, record.mark_suspended(status_of(APP, job=FlinkJobState.CANCELED)), up()),
        (NEW, status_of(APP), up()),
        (NEW, status_of(APP, job_manager=JobManager.MISSING), GONE),
        (SUSPENDED, status_of(APP), up()),
    ],
)
def test_nothing_is_done_that_would_need_state(mode, spec, status, facts):
    """Neither started empty nor taken down: told, and left as it is."""
    made = plan.plan(situation(spec, status, facts, user_mode=mode))
    assert names(made) == ["UpgradeFailed"]
    assert made.stall is not None
    assert made.stall.reason == "StatefulRestoreNotSupported"
    assert made.status == evolve(status, error=made.status.error)
    assert "Nothing was changed" in (made.status.error or "")


@pytest.mark.parametrize("mode", STATEFUL)
def test_a_first_attempt_needs_no_state(mode):
    """Its savepoint, if any, is in the status."""
    status = upgrading(APP, 1, first=True)
    made = plan.plan(situation(APP, status, GONE, user_mode=mode))
    assert "Submit" in names(made)


@pytest.mark.parametrize("mode", STATEFUL)
def test_a_job_with_state_that_is_steady_is_left_alone(mode):
    """Nothing is asked for; a lost one is not recovered empty."""
    made = plan.plan(situation(APP, status_of(APP), up(), user_mode=mode))
    assert made.steps == ()
    assert made.stall is None
    lost = status_of(APP, job_manager=JobManager.MISSING, job=FlinkJobState.RECONCILING)
    made = plan.plan(situation(APP, lost, GONE, user_mode=mode))
    assert made.steps == ()
    assert made.stall is not None
    assert made.stall.reason == "JobManagerMissing"


def test_what_was_suspended_with_last_state_is_not_resumed_empty():
    """Q-5: the switch to stateless does not undo how it was suspended; with a savepoint it does."""
    made = plan.plan(situation(APP, suspended(mode=UpgradeMode.LAST_STATE), GONE, generation=2))
    assert names(made) == ["UpgradeFailed"]
    made = plan.plan(situation(APP, suspended(mode=UpgradeMode.SAVEPOINT), GONE, generation=2))
    assert "Submit" in names(made)


def test_an_upgrade_that_another_operator_began_with_state_is_not_finished_empty():
    """T-7: its record says last-state."""
    status = upgrading(APP, 2, mode=UpgradeMode.LAST_STATE)
    made = plan.plan(situation(APP, status, GONE, generation=2))
    assert names(made) == ["UpgradeFailed"]


def test_a_running_job_may_become_stateless():
    """The recorded mode tells how it was started, not what is wanted (Q-32)."""
    status = status_of(APP, mode=UpgradeMode.SAVEPOINT)
    made = plan.plan(situation(NEW, status, up(), generation=2))
    assert "DeleteCluster" in names(made)
    assert recorded_job(made.status).upgrade_mode is UpgradeMode.STATELESS


def test_a_redeployment_from_a_savepoint_is_not_done_empty():
    """R-20 comes later; the validator refuses it first."""
    spec = with_job(APP, savepoint_redeploy_nonce=1, initial_savepoint_path="s3://s")
    made = plan.plan(situation(spec, status_of(APP), up(), generation=2))
    assert names(made) == ["UpgradeFailed"]


# --- lost JobManagers


def test_a_lost_jobmanager_is_deployed_again():
    """R-83: what was deployed, with its id and generation; the record stays as it is."""
    unchanged = with_job(APP, allow_non_restored_state=True)
    status = lost()
    made = plan.plan(situation(unchanged, status, GONE, generation=2))
    assert names(made) == ["RecoverDeployment", "WriteAhead", "Submit"]
    submit = step(made, plan.Submit)
    assert submit == plan.Submit(recorded(status).spec, 2, OLD_ID)
    assert made.status.job_manager_deployment_status is JobManager.DEPLOYING
    assert made.status.reconciliation_status == status.reconciliation_status
    assert made.wait == plan.Wait.PROGRESS


def test_a_lost_job_that_was_started_from_a_savepoint():
    """3.10, resubmit: with the recorded mode."""
    status = lost(mode=UpgradeMode.SAVEPOINT, path="s3://s")
    made = plan.plan(situation(APP, status, GONE))
    assert step(made, plan.Submit).savepoint_path == "s3://s"


def test_a_lost_job_without_an_id_gets_one():
    """A status of an early release."""
    made = plan.plan(situation(APP, lost(job_id=None), GONE))
    assert step(made, plan.Submit).job_id == "new-1"
    assert step(made, plan.WriteAhead).status.job_status.job_id == "new-1"


@pytest.mark.parametrize(
    ("spec", "status", "options", "word"),
    [
        (APP, lost(), {"recovery": False}, "recovery.enabled is false"),
        (APP, lost(), {"high_availability": True}, "cannot yet restore"),
        (SESSION, lost(SESSION), {}, "without high availability"),
    ],
)
def test_a_lost_jobmanager_that_stays_lost(spec, status, options, word):
    """Told why, and how to start anew; nothing changes by itself."""
    made = plan.plan(situation(spec, status, GONE, **options))
    assert made.steps == ()
    assert made.stall is not None
    assert made.stall.reason == "JobManagerMissing"
    assert word in made.stall.message
    assert "restartNonce" in made.stall.message


def test_a_lost_session_cluster_with_high_availability():
    """3.9: deployed again in silence; its jobs come back from HA metadata, which is kept."""
    made = plan.plan(situation(SESSION, lost(SESSION), GONE, high_availability=True))
    assert names(made) == ["WriteAhead", "Submit"]
    assert step(made, plan.Submit).job_id is None


@pytest.mark.parametrize("state", ["FINISHED", "FAILED", "CANCELED"])
def test_the_jobmanager_of_a_job_that_ended_is_not_missed(state):
    """Nobody starts a finished job again."""
    status = status_of(APP, job=FlinkJobState(state), job_manager=JobManager.MISSING)
    made = plan.plan(situation(APP, status, GONE))
    assert made.steps == ()
    assert made.stall is None or made.stall.reason == "JobFailed"


def test_a_jobmanager_that_is_being_deleted_is_waited_for():
    """Deployed again when it is gone."""
    facts = Observation(job_manager=job_manager(deleting=True))
    made = plan.plan(situation(APP, lost(), facts))
    assert (made.steps, made.stall) == ((), None)
