"""A job with state goes down and comes up with it: stops, cancellations, restores, recoveries."""

import datetime as dt

import msgspec
import pytest
from attrs import evolve
from fakes.deployments import (
    GONE,
    NOW,
    NOW_MS,
    OLD_ID,
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
    SESSION,
    SUSPENDED,
    lost,
    names,
    planned,
    recon,
    recorded,
    recorded_job,
    step,
    suspended,
)

from flinkop.api.common import JobState, UpgradeMode
from flinkop.api.status import (
    FlinkJobState,
    JobManagerDeploymentStatus as JobManager,
    LifecycleState,
    ReconciliationState,
    Savepoint,
    SavepointInfo,
    SnapshotTriggerType,
)
from flinkop.controllers.flinkdeployment.observation import (
    Observation,
)
from flinkop.controllers.flinkdeployment.planning import steps
from flinkop.controllers.jobs.facts import (
    CheckpointError,
    CheckpointFacts,
    Rest,
    RestFacts,
)
from flinkop.flink.interpret import PENDING, Done, Failed
from flinkop.flink.states import JobState as FlinkState
from flinkop.lifecycle import cluster_health, record, state
from flinkop.lifecycle.cluster_health import Health, HealthRules, Observed
from flinkop.lifecycle.ha_metadata import HaFacts
from flinkop.lifecycle.upgrade import LAST_STATE_PATH

SAVEPOINT, LAST_STATE = UpgradeMode.SAVEPOINT, UpgradeMode.LAST_STATE
NO_METADATA = HaFacts(available=False)
EMPTY_METADATA = HaFacts(available=True, has_checkpoint=False)
PATH = "s3://savepoints/savepoint-1"


def wants(spec, mode):
    """Return `spec` with an upgradeMode."""
    return with_job(spec, upgrade_mode=mode)


def stopping(status, *, since=NOW_MS, job_state=FlinkJobState.RUNNING):
    """Return `status` with a stop under way."""
    info = SavepointInfo(
        trigger_id="trigger-0",
        trigger_timestamp=since,
        trigger_type=SnapshotTriggerType.UPGRADE,
    )
    changed = evolve(status.job_status, savepoint_info=info, state=job_state)
    return evolve(status, job_status=changed)


def seen(outcome, *jobs):
    """Return the facts of a cluster whose savepoint has come to `outcome`."""
    rest = answered(*(jobs or (job(),)), savepoint=outcome)
    return Observation(job_manager=job_manager(), rest=rest)


# --- stop with savepoint


def test_a_stop_is_written_ahead_under_an_id_of_ours():
    """The recorded spec stays the old one: whoever finds the status sees a job that runs."""
    spec = wants(NEW, SAVEPOINT)
    made = planned(situation(spec, status_of(APP), up(), generation=2))
    assert names(made) == ["SpecChanged", "CheckObjects", "Suspended", "WriteAhead", "StopJob"]
    ahead = step(made, steps.WriteAhead).status
    assert ahead == made.status
    assert recorded(ahead) == recorded(status_of(APP))
    info = ahead.job_status.savepoint_info
    assert info is not None
    assert (info.trigger_id, info.trigger_timestamp) == ("trigger-1", NOW_MS)
    stop = step(made, steps.StopJob)
    assert (stop.job_id, stop.trigger_id, stop.directory) == (
        OLD_ID,
        "trigger-1",
        "s3://savepoints",
    )
    assert made.wait == steps.Wait.PROBE
    assert state.lifecycle_state(made.status) is LifecycleState.UPGRADING


@pytest.mark.parametrize("outcome", [PENDING, None])
def test_a_stop_is_waited_for(outcome):
    """Nothing is touched meanwhile, whatever else is asked for."""
    at = situation(wants(NEW, LAST_STATE), stopping(status_of(APP)), seen(outcome), generation=3)
    made = planned(at)
    assert (made.steps, made.wait) == ((), steps.Wait.PROBE)


def test_a_savepoint_that_is_there_is_written_before_the_cluster_goes():
    """Design decision 4: its path first, then the deletion."""
    at = situation(
        wants(NEW, SAVEPOINT),
        stopping(status_of(APP), job_state=FlinkJobState.FINISHED),
        seen(Done(PATH), job(FlinkState.FINISHED)),
        generation=2,
    )
    made = planned(at)
    assert names(made)[-2:] == ["WriteAhead", "DeleteCluster"]
    ahead = step(made, steps.WriteAhead).status
    assert ahead.job_status.upgrade_savepoint_path == PATH
    assert recon(ahead) is ReconciliationState.UPGRADING
    assert recorded_job(ahead).upgrade_mode is SAVEPOINT
    info = ahead.job_status.savepoint_info
    assert info is not None
    assert info.trigger_id is None
    assert [one.location for one in info.savepoint_history] == [PATH]
    gone = planned(situation(wants(NEW, SAVEPOINT), ahead, GONE, generation=2))
    assert step(gone, steps.Submit).savepoint_path == PATH


def test_a_spec_that_is_taken_back_meanwhile_is_started_again():
    """The job was stopped, so it has to be started, changed or not."""
    at = situation(wants(APP, SAVEPOINT), stopping(status_of(APP)), seen(Done(PATH)))
    made = planned(at)
    assert "WriteAhead" in names(made)
    assert made.status.job_status.upgrade_savepoint_path == PATH


@pytest.mark.parametrize("ha", [True, False])
def test_a_suspension_by_savepoint(ha):
    """The JobManager stays to be asked, but only where a restart would not run the job again."""
    spec = wants(SUSPENDED, SAVEPOINT)
    ended = stopping(status_of(APP), job_state=FlinkJobState.FINISHED)
    facts = seen(Done(PATH), job(FlinkState.FINISHED))
    at = situation(spec, ended, facts, generation=2, high_availability=ha)
    made = planned(at)
    assert ("DeleteCluster" in names(made)) is not ha
    if ha:
        assert state.lifecycle_state(made.status) is LifecycleState.SUSPENDED
    else:
        assert record.is_suspending(made.status)
    assert made.status.job_status.upgrade_savepoint_path == PATH


def test_a_failed_stop_is_told_and_tried_again():
    """SavepointError; the job goes on, the next attempt gets a new id."""
    outcome = Failed("declined", "declined")
    at = situation(wants(NEW, SAVEPOINT), stopping(status_of(APP)), seen(outcome), generation=2)
    made = planned(at)
    assert names(made) == ["SavepointError"]
    assert "declined" in (made.status.error or "")
    assert not record.is_stopping(made.status)
    assert recon(made.status) is ReconciliationState.DEPLOYED


def test_a_stop_that_flink_never_heard_of_is_asked_again_under_its_id():
    """A crash lay between the word and the deed."""
    outcome = Failed("HTTP 404", "HTTP 404", unknown=True)
    at = situation(wants(NEW, SAVEPOINT), stopping(status_of(APP)), seen(outcome), generation=2)
    made = planned(at)
    assert names(made) == ["StopJob"]
    assert step(made, steps.StopJob).trigger_id == "trigger-0"


def test_a_job_that_ended_unheard_starts_from_what_was_seen_of_its_end():
    """Flink forgets triggers after minutes; the checkpoint statistics keep the savepoint."""
    status = stopping(status_of(APP, path=PATH), job_state=FlinkJobState.FINISHED)
    facts = seen(Failed("HTTP 404", "", unknown=True), job(FlinkState.FINISHED))
    made = planned(situation(wants(APP, SAVEPOINT), status, facts))
    assert made.status.job_status.upgrade_savepoint_path == PATH
    assert recon(made.status) is ReconciliationState.UPGRADING


def test_a_stop_that_takes_too_long_is_told():
    """The option to change is named (4.3)."""
    status = stopping(status_of(APP), since=NOW_MS - 601_000)
    made = planned(situation(wants(NEW, SAVEPOINT), status, seen(PENDING), generation=2))
    assert names(made) == ["SavepointError"]
    assert "execution.checkpointing.timeout" in (made.status.error or "")


def test_a_cluster_lost_while_its_job_is_stopped_falls_back_to_its_metadata():
    """U-20: nothing else knows how far it got."""
    status = evolve(
        stopping(status_of(APP), job_state=FlinkJobState.RECONCILING),
        job_manager_deployment_status=JobManager.MISSING,
    )
    at = situation(wants(NEW, SAVEPOINT), status, GONE, generation=2, high_availability=True)
    made = planned(at)
    assert step(made, steps.Submit).savepoint_path == LAST_STATE_PATH
    none = planned(at, ha=NO_METADATA)
    assert none.stall is not None
    assert "Manual restore required." in none.stall.message


# --- last state


def test_a_last_state_upgrade_keeps_the_metadata_and_the_id():
    """The job is not cancelled: that would remove what it is restored from."""
    at = situation(
        wants(NEW, LAST_STATE), status_of(APP), up(), generation=2, high_availability=True
    )
    made = planned(at)
    assert names(made)[-2:] == ["WriteAhead", "DeleteCluster"]
    assert made.status.job_status.job_id == OLD_ID
    assert recorded_job(made.status).upgrade_mode is LAST_STATE
    gone = situation(
        wants(NEW, LAST_STATE), made.status, GONE, generation=2, high_availability=True
    )
    done = planned(gone)
    assert names(done) == ["DropJobGraphs", "Submit", "Submit"]
    submit = step(done, steps.Submit)
    assert (submit.job_id, submit.savepoint_path) == (OLD_ID, LAST_STATE_PATH)
    assert done.status.job_status.upgrade_savepoint_path == LAST_STATE_PATH


def test_metadata_that_is_gone_is_no_start_from_nothing():
    """R-67: told with the words that clients know."""
    status = upgrading(NEW, 2, mode=LAST_STATE)
    at = situation(wants(NEW, LAST_STATE), status, GONE, generation=2, high_availability=True)
    made = planned(at, ha=NO_METADATA)
    assert names(made) == ["RestoreFailed"]
    assert "HA metadata is not available" in (made.status.error or "")
    assert made.stall is not None


@pytest.mark.parametrize(
    ("before", "path"), [(SAVEPOINT, PATH), (UpgradeMode.STATELESS, None), (LAST_STATE, PATH)]
)
def test_metadata_without_a_checkpoint_starts_where_the_present_run_started(before, path):
    """What a run that has taken no checkpoint started from is as new as its state gets."""
    at = situation(
        wants(NEW, LAST_STATE),
        status_of(APP, mode=before, path=PATH),
        up(),
        generation=2,
        high_availability=True,
    )
    ahead = planned(at, ha=EMPTY_METADATA).status
    gone = evolve(at, status=ahead, observation=GONE)
    assert step(planned(gone, ha=EMPTY_METADATA), steps.Submit).savepoint_path == path


def test_ha_that_is_switched_off_is_not_restored_from():
    """The new cluster could not read the metadata: the job is cancelled instead."""
    at = situation(
        wants(NEW, LAST_STATE),
        status_of(APP),
        up(),
        generation=2,
        high_availability=True,
        wants_ha=False,
    )
    assert names(planned(at))[-1] == "CancelJob"


# --- cancel


def test_a_cancellation_is_written_ahead_with_the_newest_checkpoint():
    """R-23: the old spec stays recorded; what is known to be there is acknowledged first."""
    made = planned(situation(wants(NEW, LAST_STATE), status_of(APP), up(), generation=2))
    assert names(made)[-2:] == ["WriteAhead", "CancelJob"]
    ahead = step(made, steps.WriteAhead).status
    assert recon(ahead) is ReconciliationState.UPGRADING
    assert recorded_job(ahead).state is JobState.RUNNING
    assert recorded_job(ahead).upgrade_mode is SAVEPOINT
    assert recorded(ahead).spec.image == APP.image
    assert ahead.job_status.state is FlinkJobState.CANCELLING
    assert ahead.job_status.upgrade_savepoint_path == "s3://checkpoints/chk-5"
    assert step(made, steps.CancelJob).required


def test_checkpoints_that_cannot_be_asked_for_stop_a_cancellation():
    """Nothing is cancelled whose restore point is not known."""
    facts = CheckpointFacts(error=CheckpointError("CheckpointNotFound", "not addressable"))
    at = situation(wants(NEW, LAST_STATE), status_of(APP), up(), generation=2)
    made = planned(at, checkpoints=facts)
    assert names(made) == ["CheckpointNotFound"]
    assert recon(made.status) is ReconciliationState.DEPLOYED


def cancelling(job_state, **more):
    """Return the status of a job that was told to cancel."""
    return status_of(
        APP, state=ReconciliationState.UPGRADING, mode=SAVEPOINT, job=job_state, path=PATH, **more
    )


def test_a_cancelled_job_starts_from_its_last_checkpoint():
    """What was observed with its end is in the status."""
    at = situation(
        wants(NEW, LAST_STATE),
        cancelling(FlinkJobState.CANCELED),
        up(job(FlinkState.CANCELED)),
        generation=2,
    )
    made = planned(at)
    assert names(made)[-2:] == ["WriteAhead", "DeleteCluster"]
    gone = planned(evolve(at, status=made.status, observation=GONE))
    assert step(gone, steps.Submit).savepoint_path == PATH


def test_a_job_that_is_still_being_cancelled_is_waited_for():
    """Probed, as no watch tells."""
    facts = up(job(FlinkState.CANCELLING))
    made = planned(
        situation(wants(NEW, LAST_STATE), cancelling(FlinkJobState.CANCELLING), facts, generation=2)
    )
    assert (made.steps, made.wait) == ((), steps.Wait.PROBE)


def test_a_job_that_was_never_told_to_cancel_is_told_again():
    """A crash lay between; it runs, and all is decided anew."""
    at = situation(wants(NEW, LAST_STATE), cancelling(FlinkJobState.RUNNING), up(), generation=2)
    assert names(planned(at))[-2:] == ["WriteAhead", "CancelJob"]
    back = planned(situation(wants(APP, LAST_STATE), cancelling(FlinkJobState.RUNNING), up()))
    assert recon(back.status) is ReconciliationState.DEPLOYED
    assert back.steps == ()


def test_a_cluster_lost_while_its_job_is_cancelled():
    """The word may not have reached the job, which then took newer checkpoints: only HA metadata is proof."""
    status = cancelling(FlinkJobState.RECONCILING, job_manager=JobManager.MISSING)
    at = situation(wants(NEW, LAST_STATE), status, GONE, generation=2)
    made = planned(at)
    assert names(made)[-1] == "UpgradeFailed"
    assert made.stall is not None
    assert PATH in made.stall.message  # the person who decides is told what is known
    kept = planned(evolve(at, options=evolve(at.options, high_availability=True), wants_ha=True))
    assert step(kept, steps.Submit).savepoint_path == LAST_STATE_PATH


# --- resumed


def test_a_resumption_from_a_savepoint():
    """R-26: as it was suspended; also from a status of before 1.10, which has no path of its own."""
    for status in (
        suspended(mode=SAVEPOINT, path=PATH),
        _with_last(suspended(mode=SAVEPOINT), PATH),
    ):
        made = planned(situation(wants(APP, SAVEPOINT), status, GONE, generation=2))
        assert step(made, steps.Submit).savepoint_path == PATH


def _with_last(status, path):
    info = SavepointInfo(last_savepoint=Savepoint(location=path))
    return evolve(status, job_status=evolve(status.job_status, savepoint_info=info))


def test_what_was_suspended_with_last_state_is_not_resumed_empty():
    """Q-5: the switch to stateless does not undo how it was suspended; with a savepoint it does."""
    status = suspended(mode=LAST_STATE)
    at = situation(APP, status, GONE, generation=2, high_availability=True)
    assert step(planned(at), steps.Submit).savepoint_path == LAST_STATE_PATH
    assert names(planned(at, ha=NO_METADATA))[-1] == "RestoreFailed"
    made = planned(situation(APP, suspended(mode=SAVEPOINT, path=PATH), GONE, generation=2))
    assert step(made, steps.Submit).savepoint_path is None


def test_a_running_job_may_become_stateless():
    """The recorded mode tells how it was started, not what is wanted (Q-32)."""
    status = status_of(APP, mode=SAVEPOINT)
    made = planned(situation(NEW, status, up(), generation=2))
    assert "DeleteCluster" in names(made)
    assert recorded_job(made.status).upgrade_mode is UpgradeMode.STATELESS


def test_a_redeployment_starts_from_the_path_the_user_names():
    """R-20: whatever runs now."""
    spec = wants(
        with_job(APP, savepoint_redeploy_nonce=1, initial_savepoint_path="s3://s"), SAVEPOINT
    )
    at = situation(spec, status_of(APP, path=PATH), up(), generation=2)
    made = planned(at)
    assert names(made)[-3:] == ["WriteAhead", "CancelJob", "DeleteCluster"]
    assert made.status.job_status.upgrade_savepoint_path == "s3://s"
    gone = planned(evolve(at, status=made.status, observation=GONE))
    assert step(gone, steps.Submit).savepoint_path == "s3://s"


# --- waiting


def test_an_upgrade_that_has_to_wait_says_so_and_changes_nothing():
    """R-21: no fallback allowed, and the job does not run."""
    status = status_of(APP, job=FlinkJobState.RESTARTING)
    facts = up(job(FlinkState.RESTARTING))
    at = situation(wants(NEW, SAVEPOINT), status, facts, generation=2, last_state_fallback=False)
    made = planned(at)
    assert names(made) == ["SpecChanged"]
    assert made.status == status
    assert made.note is not None
    assert made.note.reason == "UpgradeWaits"


def test_an_upgrade_waits_for_a_savepoint_that_is_being_taken():
    """R-1, unless the user does not want to wait."""
    info = SavepointInfo(trigger_id="t", trigger_type=SnapshotTriggerType.MANUAL)
    status = status_of(APP)
    status = evolve(status, job_status=evolve(status.job_status, savepoint_info=info))
    at = situation(wants(NEW, SAVEPOINT), status, up(), generation=2)
    assert planned(at).steps == ()
    at = situation(wants(NEW, SAVEPOINT), status, up(), generation=2, ignore_pending_savepoint=True)
    assert "StopJob" in names(planned(at))


# --- a status that was lost


def test_a_running_job_with_state_whose_status_is_lost_is_not_replaced():
    """Nobody knows where its state is: told what to do."""
    made = planned(situation(wants(APP, SAVEPOINT), observation=up()))
    assert made.stall is not None
    assert made.stall.reason == "StatusLost"
    assert "initialSavepointPath" in made.stall.message
    chosen = wants(with_job(APP, initial_savepoint_path="s3://s"), SAVEPOINT)
    assert "DeleteCluster" in names(planned(situation(chosen, observation=up())))


# --- lost JobManagers


def test_a_lost_jobmanager_is_deployed_again():
    """R-83: what was deployed, for its generation; the record stays as it is."""
    unchanged = with_job(APP, allow_non_restored_state=True)
    status = lost()
    made = planned(situation(unchanged, status, GONE, generation=2))
    assert names(made) == ["RecoverDeployment", "WriteAhead", "Submit"]
    submit = step(made, steps.Submit)
    assert submit == steps.Submit(recorded(status).spec, 2, "new-1")
    assert made.status.job_manager_deployment_status is JobManager.DEPLOYING
    assert made.status.reconciliation_status == status.reconciliation_status
    assert made.wait == steps.Wait.PROGRESS


@pytest.mark.parametrize("mode", [SAVEPOINT, LAST_STATE, UpgradeMode.STATELESS])
def test_a_lost_job_with_ha_metadata_comes_back_from_it(mode):
    """Under its own id; without metadata only a job that may start empty comes back."""
    at = situation(wants(APP, mode), lost(), GONE, high_availability=True)
    submit = step(planned(at), steps.Submit)
    assert (submit.job_id, submit.savepoint_path) == (OLD_ID, LAST_STATE_PATH)
    none = planned(at, ha=NO_METADATA)
    if mode is UpgradeMode.STATELESS:
        assert step(none, steps.Submit).savepoint_path is None
    else:
        assert names(none) == ["RestoreFailed"]
        assert state.lifecycle_state(none.status) is LifecycleState.FAILED


def test_a_lost_job_that_was_started_from_a_savepoint():
    """3.10, resubmit: with the recorded mode."""
    status = lost(mode=SAVEPOINT, path="s3://s")
    made = planned(situation(APP, status, GONE))
    assert step(made, steps.Submit).savepoint_path == "s3://s"


@pytest.mark.parametrize(
    ("spec", "status", "options", "word", "remedy"),
    [
        (APP, lost(), {"recovery": False}, "recovery.enabled is false", "restartNonce"),
        (
            wants(APP, LAST_STATE),
            lost(),
            {},
            "nothing tells which checkpoint",
            "savepointRedeployNonce",
        ),
        (
            wants(APP, LAST_STATE),
            lost(),
            {"recovery": False, "high_availability": True},
            "recovery.enabled is false",
            "restartNonce",
        ),
        (SESSION, lost(SESSION), {}, "without high availability", "restartNonce"),
    ],
)
def test_a_lost_jobmanager_that_stays_lost(spec, status, options, word, remedy):
    """Told why, and how to start anew; nothing changes by itself."""
    made = planned(situation(spec, status, GONE, **options))
    assert made.steps == ()
    assert made.stall is not None
    assert made.stall.reason == "JobManagerMissing"
    assert word in made.stall.message
    assert remedy in made.stall.message


def test_a_lost_session_cluster_with_high_availability():
    """3.9: deployed again in silence; its jobs come back from HA metadata, which is kept."""
    made = planned(situation(SESSION, lost(SESSION), GONE, high_availability=True))
    assert names(made) == ["WriteAhead", "Submit"]
    assert step(made, steps.Submit).job_id is None


@pytest.mark.parametrize("ended", ["FINISHED", "FAILED", "CANCELED"])
def test_the_jobmanager_of_a_job_that_ended_is_not_missed(ended):
    """Nobody starts a finished job again."""
    status = status_of(APP, job=FlinkJobState(ended), job_manager=JobManager.MISSING)
    made = planned(situation(APP, status, GONE))
    assert made.steps == ()
    assert made.stall is None or made.stall.reason == "JobFailed"


def test_a_jobmanager_that_is_being_deleted_is_waited_for():
    """Deployed again when it is gone."""
    facts = Observation(job_manager=job_manager(deleting=True))
    made = planned(situation(APP, lost(), facts))
    assert (made.steps, made.stall) == ((), None)


# --- failed jobs


def failed(path=PATH, **more):
    """Return the status of a job that has failed."""
    return status_of(APP, job=FlinkJobState.FAILED, path=path, **more)


FAILED = up(job(FlinkState.FAILED))


def test_a_failed_job_is_restarted_where_that_is_wanted():
    """R-80: from the path that was observed with the failure."""
    at = situation(wants(APP, LAST_STATE), failed(), FAILED, restart_failed=True)
    made = planned(at)
    assert names(made)[-2:] == ["WriteAhead", "DeleteCluster"]
    assert recorded_job(made.status).upgrade_mode is SAVEPOINT
    assert made.status.error is None
    assert planned(situation(wants(APP, LAST_STATE), failed(), FAILED)).steps == ()


def test_a_failed_job_whose_checkpoint_is_unknown_is_not_restarted():
    """Q-7: not empty, and not from a path that cannot be read."""
    status = failed(LAST_STATE_PATH, mode=LAST_STATE)
    made = planned(situation(wants(APP, LAST_STATE), status, FAILED, restart_failed=True))
    assert names(made) == ["UpgradeFailed"]


# --- jobs that ended


def test_the_jobmanager_of_a_job_that_ended_goes_after_a_while():
    """R-85: nobody misses it, and it is told when to look."""
    ended = status_of(APP, job=FlinkJobState.FINISHED)
    facts = up(job(FlinkState.FINISHED))
    at = situation(APP, _ended_at(ended, 23 * 3600), facts)
    made = planned(at)
    assert made.steps == ()
    assert made.due == NOW + dt.timedelta(hours=1)
    made = planned(situation(APP, _ended_at(ended, 24 * 3600), facts))
    assert names(made) == ["WriteAhead", "DeleteCluster"]
    assert made.status.job_manager_deployment_status is JobManager.MISSING
    assert made.status.job_status.state is FlinkJobState.FINISHED


def _ended_at(status, seconds):
    updated = str(NOW_MS - seconds * 1000)
    return evolve(status, job_status=evolve(status.job_status, update_time=updated))


# --- unhealthy jobs

RULES = HealthRules(restarts_window_ms=1, restarts_threshold=1, progress_window_ms=None)


def unhealthy(mode=UpgradeMode.STATELESS):
    """Return the status of a job that restarts too often."""
    verdict = Health(healthy=False, error="Restart count hit threshold: 1")
    first = cluster_health.judge(None, Observed(1, 1, 1), RULES)
    known = msgspec.structs.replace(first, health_result=verdict).encode()
    return evolve(status_of(APP, mode=mode), cluster_info={cluster_health.KEY: known})


@pytest.mark.parametrize("mode", [SAVEPOINT, LAST_STATE, UpgradeMode.STATELESS])
def test_an_unhealthy_job_is_restarted_from_its_metadata(mode):
    """R-82: its cluster goes without a cancellation, and then it is lost and comes back (R-83)."""
    at = situation(wants(APP, mode), unhealthy(), up(), health=RULES, high_availability=True)
    made = planned(at)
    assert names(made) == ["RestartUnhealthyJob", "WriteAhead", "DeleteCluster"]
    assert cluster_health.KEY not in made.status.cluster_info
    assert made.status.job_manager_deployment_status is JobManager.MISSING
    gone = planned(evolve(at, status=made.status, observation=GONE))
    assert step(gone, steps.Submit).savepoint_path == LAST_STATE_PATH


def test_an_unhealthy_job_whose_state_would_be_lost_is_left_running():
    """Better unhealthy than empty; one without state may start anew."""
    at = situation(wants(APP, SAVEPOINT), unhealthy(), up(), health=RULES)
    assert planned(at).steps == ()
    at = situation(APP, unhealthy(), up(), health=RULES)
    assert names(planned(at))[-2:] == ["CancelJob", "DeleteCluster"]


def test_health_that_nobody_asks_for_restarts_nothing():
    """The record may be an old one."""
    assert planned(situation(APP, unhealthy(), up())).steps == ()


# --- rollback

ROLLBACK = {"rollback": True, "high_availability": True}


def unstable(**more):
    """Return the status of an upgrade to NEW that did not become stable, with APP as the stable spec."""
    good = status_of(APP)
    bad = status_of(NEW, generation=2, stable=False, job=FlinkJobState.RECONCILING, **more)
    recon = evolve(
        bad.reconciliation_status,
        last_stable_spec=good.reconciliation_status.last_reconciled_spec,
    )
    return evolve(bad, reconciliation_status=recon)


BROKEN = Observation(job_manager=job_manager(2, available=False))


def test_an_upgrade_that_is_not_stable_in_time_is_rolled_back():
    """R-95 to R-99: the failed spec stays recorded, the stable one is deployed."""
    spec = wants(NEW, LAST_STATE)
    at = situation(spec, unstable(mode=LAST_STATE), BROKEN, generation=2, **ROLLBACK)
    made = planned(at)
    assert names(made) == ["Rollback", "WriteAhead", "DeleteCluster"]
    assert recon(made.status) is ReconciliationState.ROLLING_BACK
    assert recorded(made.status).spec.image == NEW.image
    gone = planned(evolve(at, status=made.status, observation=GONE))
    assert names(gone)[0] == "WriteAhead"
    submit = step(gone, steps.Submit)
    assert submit.spec.image == APP.image
    assert submit.savepoint_path == LAST_STATE_PATH
    assert recon(gone.status) is ReconciliationState.ROLLED_BACK
    assert recorded(gone.status).spec.image == NEW.image


def test_a_rollback_that_was_interrupted_knows_which_cluster_is_there():
    """Both bear one generation: the status says MISSING before the stable one is made."""
    spec = wants(NEW, LAST_STATE)
    at = situation(spec, unstable(mode=LAST_STATE), BROKEN, generation=2, **ROLLBACK)
    ahead = planned(at).status
    again = planned(evolve(at, status=ahead))
    assert names(again) == ["DeleteCluster"]
    written = step(planned(evolve(at, status=ahead, observation=GONE)), steps.WriteAhead).status
    finished = planned(evolve(at, status=written))
    assert "Submit" in names(finished)
    assert "DeleteCluster" not in names(finished)


def test_a_rollback_needs_the_state_to_be_there():
    """Without HA metadata only the savepoint that was never read is as good."""
    at = situation(
        wants(NEW, LAST_STATE), unstable(mode=LAST_STATE), BROKEN, generation=2, **ROLLBACK
    )
    assert planned(at, ha=NO_METADATA).steps == ()
    never = Observation(job_manager=evolve(job_manager(2, available=False), never_available=True))
    at = situation(
        wants(NEW, SAVEPOINT), unstable(mode=SAVEPOINT, path=PATH), never, generation=2, **ROLLBACK
    )
    made = planned(at, ha=NO_METADATA)
    assert names(made)[0] == "Rollback"
    gone = planned(evolve(at, status=made.status, observation=GONE), ha=NO_METADATA)
    assert step(gone, steps.Submit).savepoint_path == PATH


def test_a_failure_that_is_not_rolled_back_says_why():
    """Once it is past the time at which it would have been."""
    failed = evolve(unstable(mode=LAST_STATE), job_manager_deployment_status=JobManager.ERROR)
    at = situation(wants(NEW, LAST_STATE), failed, BROKEN, generation=2, **ROLLBACK)
    made = planned(at, ha=NO_METADATA)
    assert made.stall is not None
    assert "not rolled back, because there is no HA metadata" in made.stall.message
    off = planned(evolve(at, options=evolve(at.options, rollback=False)), ha=NO_METADATA)
    assert off.stall is not None
    assert "not rolled back" not in off.stall.message


def test_when_nothing_is_rolled_back():
    """Not before its time, not without the option, not to a suspended spec or another version."""
    spec = wants(NEW, LAST_STATE)
    young = evolve(
        unstable(),
        reconciliation_status=evolve(
            unstable().reconciliation_status, reconciliation_timestamp=NOW_MS - 60_000
        ),
    )
    made = planned(situation(spec, young, BROKEN, generation=2, **ROLLBACK))
    assert "Rollback" not in names(made)
    assert made.due == NOW + dt.timedelta(minutes=4)
    off = planned(situation(spec, unstable(), BROKEN, generation=2, high_availability=True))
    assert "Rollback" not in names(off)
    suspended_before = record.mark_stable(suspended())
    stable = suspended_before.reconciliation_status.last_stable_spec
    recon_ = evolve(unstable().reconciliation_status, last_stable_spec=stable)
    at = situation(
        spec, evolve(unstable(), reconciliation_status=recon_), BROKEN, generation=2, **ROLLBACK
    )
    assert "Rollback" not in names(planned(at))


def test_a_new_spec_ends_a_rollback():
    """R-97: what the user wants by now is deployed, from where the rollback would have started."""
    spec = wants(NEW, LAST_STATE)
    at = situation(spec, unstable(mode=LAST_STATE), BROKEN, generation=2, **ROLLBACK)
    ahead = planned(at).status
    newer = wants(evolve(NEW, image="flink:3"), LAST_STATE)
    made = planned(situation(newer, ahead, GONE, generation=3, **ROLLBACK))
    assert step(made, steps.Submit).spec.image == "flink:3"
    assert step(made, steps.Submit).savepoint_path == LAST_STATE_PATH
    assert recon(made.status) is ReconciliationState.DEPLOYED


def rolled_back():
    """Return the status after a rollback, with its job running."""
    status = record.in_state(unstable(mode=LAST_STATE), ReconciliationState.ROLLED_BACK)
    return evolve(status, job_status=evolve(status.job_status, state=FlinkJobState.RUNNING))


def test_after_a_rollback_the_failed_spec_is_not_tried_again():
    """Until the user changes it; the stable one is taken over as it runs (R-6)."""
    again = situation(wants(NEW, LAST_STATE), rolled_back(), up(generation=2), generation=2)
    assert planned(again).steps == ()
    back = planned(situation(wants(APP, LAST_STATE), rolled_back(), up(generation=2), generation=3))
    assert back.steps == ()
    assert recon(back.status) is ReconciliationState.DEPLOYED
    assert back.again


def test_a_cluster_lost_after_a_rollback_comes_back_with_the_stable_spec():
    """What was deployed is the stable spec (0.2)."""
    status = evolve(rolled_back(), job_manager_deployment_status=JobManager.MISSING)
    made = planned(situation(wants(NEW, LAST_STATE), status, GONE, generation=2, **ROLLBACK))
    assert step(made, steps.Submit).spec.image == APP.image


def test_nothing_is_asked_of_a_silent_job_manager():
    """A stop is waited for while nobody answers."""
    facts = Observation(job_manager=job_manager(), rest=RestFacts(Rest.ABSENT))
    made = planned(situation(wants(NEW, SAVEPOINT), stopping(status_of(APP)), facts, generation=2))
    assert made.steps == ()
