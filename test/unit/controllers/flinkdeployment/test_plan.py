"""What a plan is when nothing is under way: first deployment, steady, changed, suspended."""

import pytest
from attrs import evolve
from fakes.deployments import (
    GONE,
    OLD_ID,
    answered,
    application,
    job,
    job_manager,
    session,
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

from flinkop.api.common import IngressSpec, JobState, UpgradeMode
from flinkop.api.status import (
    FlinkDeploymentStatus,
    FlinkJobState,
    JobManagerDeploymentStatus as JobManager,
    LifecycleState,
    ReconciliationState,
)
from flinkop.controllers.flinkdeployment.observation import Observation, Rest, RestFacts
from flinkop.controllers.flinkdeployment.planning import steps
from flinkop.flink.states import JobState as FlinkState
from flinkop.lifecycle import record, state

# --- first deployment


def test_first_deployment():
    """Write ahead with the job's id, submit, record; the next look is bounded, events come first."""
    made = planned(situation(APP, generation=3))
    assert names(made) == ["WriteAhead", "Submit", "Submit"]
    ahead = step(made, steps.WriteAhead).status
    assert recon(ahead) is ReconciliationState.UPGRADING
    assert recorded_job(ahead).state is JobState.SUSPENDED
    assert recorded(ahead).first_deployment is True
    assert (ahead.observed_generation, ahead.job_status.job_id) == (3, "new-1")
    submit = step(made, steps.Submit)
    assert (submit.generation, submit.job_id, submit.savepoint_path) == (3, "new-1", None)
    assert submit.spec == APP
    assert recon(made.status) is ReconciliationState.DEPLOYED
    assert made.status.job_manager_deployment_status is JobManager.DEPLOYING
    assert made.status.job_status.state is FlinkJobState.RECONCILING
    assert made.status.job_status.job_id == "new-1"
    assert recorded_job(made.status).state is JobState.RUNNING
    assert made.wait == steps.Wait.PROGRESS
    assert made.stall is None


def test_first_deployment_from_a_savepoint():
    """Its path is written ahead, so that a crash does not lose it."""
    made = planned(situation(with_job(APP, initial_savepoint_path="s3://s")))
    ahead = step(made, steps.WriteAhead).status
    assert ahead.job_status.upgrade_savepoint_path == "s3://s"
    assert recorded_job(ahead).upgrade_mode is UpgradeMode.SAVEPOINT
    assert step(made, steps.Submit).savepoint_path == "s3://s"


def test_an_empty_initial_path_is_none():
    """An empty text asks for nothing."""
    made = planned(situation(with_job(APP, initial_savepoint_path="")))
    assert step(made, steps.Submit).savepoint_path is None
    assert recorded_job(made.status).upgrade_mode is UpgradeMode.STATELESS


def test_first_deployment_of_a_session_cluster():
    """No job, no job id, no Submit event (Q-9)."""
    made = planned(situation(SESSION))
    assert names(made) == ["WriteAhead", "Submit"]
    assert step(made, steps.Submit).job_id is None
    assert made.status.job_status.job_id is None
    assert made.status.job_status.state is None


def test_a_job_that_is_suspended_from_the_start_is_not_touched():
    """R-2: it must run first; nothing is recorded."""
    made = planned(situation(SUSPENDED))
    assert (made.steps, made.status) == ((), FlinkDeploymentStatus())


def test_a_first_spec_that_was_refused_is_mended_and_suspended():
    """Its error goes: what was wrong is no more, and nothing is left to be done."""
    made = planned(situation(SUSPENDED, FlinkDeploymentStatus(error="refused")))
    assert made.steps == ()
    assert made.status.error is None


def test_a_first_start_removes_old_job_graphs_and_no_checkpoints():
    """With HA, a job graph of a namesake would run beside the new job; a session cluster keeps it."""
    made = planned(situation(APP, high_availability=True))
    assert names(made) == ["WriteAhead", "DropJobGraphs", "Submit", "Submit"]
    made = planned(situation(SESSION, high_availability=True))
    assert names(made) == ["WriteAhead", "Submit"]


@pytest.mark.parametrize("deleting", [False, True])
def test_a_cluster_without_a_record_goes_first(deleting):
    """The status was lost: nothing is submitted over a cluster that nobody knows."""
    facts = Observation(job_manager=job_manager(deleting=deleting))
    made = planned(situation(APP, observation=facts))
    assert names(made) == ([] if deleting else ["DeleteCluster"])
    assert made.status == FlinkDeploymentStatus()
    assert made.wait == steps.Wait.PROGRESS


# --- what is not ours


@pytest.mark.parametrize("status", [None, status_of(APP), upgrading(APP, 2)])
def test_a_deployment_of_somebody_else_is_not_touched(status):
    """Told with what to do, and nothing more happens by itself."""
    facts = Observation(job_manager=job_manager(ours=False))
    made = planned(situation(APP, status, facts))
    assert names(made) == ["Error"]
    assert made.stall is not None
    assert made.stall.reason == "NameTaken"
    assert "does not belong to this FlinkDeployment" in (made.status.error or "")


def test_a_steady_resource_needs_nothing():
    """The line that users of the reference search for; one look per interval."""
    status = status_of(APP)
    made = planned(situation(APP, status, up()))
    assert made == steps.Plan("Resource fully reconciled, nothing to do...", status)
    assert made.wait == steps.Wait.INTERVAL


def test_a_change_that_needs_no_restart_is_noted():
    """P-2: only observedGeneration moves."""
    changed = with_job(APP, upgrade_mode=UpgradeMode.STATELESS, allow_non_restored_state=True)
    status = status_of(APP)
    made = planned(situation(changed, status, up(), generation=2))
    assert made.steps == ()
    assert made.status == evolve(status, observed_generation=2)


@pytest.mark.parametrize(
    ("status", "facts", "wait"),
    [
        (status_of(APP, job_manager=JobManager.DEPLOYED_NOT_READY), up(), steps.Wait.PROBE),
        (status_of(APP, job_manager=JobManager.DEPLOYING), up(), steps.Wait.PROGRESS),
        (status_of(APP, stable=False, job=FlinkJobState.CREATED), up(), steps.Wait.PROBE),
        (status_of(APP, stable=False, job=FlinkJobState.FAILED), up(), steps.Wait.INTERVAL),
        (
            status_of(APP, job=FlinkJobState.RECONCILING, error="Job Not Found"),
            up(),
            steps.Wait.PROGRESS,
        ),
        (status_of(APP, job=FlinkJobState.RESTARTING), up(), steps.Wait.PROBE),
        (status_of(APP, job=FlinkJobState.FINISHED), up(), steps.Wait.INTERVAL),
        (status_of(SESSION), up(), steps.Wait.INTERVAL),
        (status_of(SESSION, stable=False), up(), steps.Wait.PROBE),
        (
            status_of(APP, recorded_state=JobState.SUSPENDED, job=FlinkJobState.FINISHED),
            up(),
            steps.Wait.INTERVAL,
        ),
        (status_of(APP, job_manager=JobManager.ERROR, error="x"), up(), steps.Wait.INTERVAL),
    ],
)
def test_how_soon_to_look_again(status, facts, wait):
    """Only what no watch tells is asked for often."""
    spec = SESSION if recorded(status).spec.job is None else APP
    if spec.job is not None and recorded_job(status).state is JobState.SUSPENDED:
        spec = SUSPENDED
    made = planned(situation(spec, status, facts))
    assert made.wait == wait
    assert made.steps == ()


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (status_of(APP, job_manager=JobManager.ERROR, error="pull"), "JobManagerFailed"),
        (status_of(APP, job=FlinkJobState.FAILED, error="boom"), "JobFailed"),
        (status_of(APP, job=FlinkJobState.FAILED), "JobFailed"),
    ],
)
def test_what_only_people_can_mend_is_a_stall(status, reason):
    """Stalled tells the error."""
    made = planned(situation(APP, status, up()))
    assert made.stall is not None
    assert made.stall.reason == reason
    assert made.stall.message
    assert made.steps == ()


def test_a_suspended_job_is_reconciled():
    """No JobManager is what it should have."""
    status = status_of(
        APP,
        recorded_state=JobState.SUSPENDED,
        job=FlinkJobState.FINISHED,
        job_manager=JobManager.MISSING,
    )
    made = planned(situation(SUSPENDED, status))
    assert made == steps.Plan("Resource fully reconciled, nothing to do...", status)


# --- spec changes


def test_a_spec_change():
    """R-7, R-22: checked, announced, written ahead with the new job's id, then the old one is ended."""
    made = planned(situation(NEW, status_of(APP), up(), generation=2))
    assert names(made) == [
        "SpecChanged",
        "CheckObjects",
        "Suspended",
        "WriteAhead",
        "CancelJob",
        "DeleteCluster",
    ]
    changed = made.steps[0]
    assert isinstance(changed, steps.Say)
    assert changed.draft.once
    assert changed.draft.key == "SpecChange: 2"
    assert changed.draft.message == (
        "UPGRADE change(s) detected (Diff: FlinkDeploymentSpec[image : flink:1.20 -> flink:2.0]), "
        "starting reconciliation."
    )
    ahead = step(made, steps.WriteAhead).status
    assert ahead == made.status
    assert recon(ahead) is ReconciliationState.UPGRADING
    assert (ahead.observed_generation, ahead.job_status.job_id) == (2, "new-1")
    assert recorded(ahead).spec.image == "flink:2.0"
    assert step(made, steps.CancelJob).job_id == OLD_ID
    assert step(made, steps.DeleteCluster) == steps.DeleteCluster(
        "deployment-uid", scale_down=False
    )
    assert made.wait == steps.Wait.PROGRESS
    assert not made.again


def test_a_restart_by_nonce():
    """The same spec with a new nonce is replaced like any other change."""
    made = planned(situation(application(restart_nonce=1), status_of(APP), up(), generation=2))
    assert "DeleteCluster" in names(made)
    gone = planned(situation(APP, status_of(application(restart_nonce=1)), up(), generation=2))
    assert gone.steps == ()


@pytest.mark.parametrize(
    ("rest", "cancels", "scale_down"),
    [
        (answered(job()), True, False),
        (answered(job(FlinkState.RESTARTING)), True, False),
        (answered(job(FlinkState.FINISHED)), False, False),
        (answered(), False, False),
        (answered(job(jid="f" * 32)), False, True),
        (answered(job(), job(jid="f" * 32)), True, True),
        (RestFacts(Rest.ABSENT), False, True),
        (RestFacts(Rest.FAILED), False, True),
        (RestFacts(), False, True),
    ],
)
def test_how_a_cluster_is_taken_down(rest, cancels, scale_down):
    """A JobManager that may still have a job is stopped first, or it starts TaskManagers meanwhile."""
    facts = Observation(job_manager=job_manager(), rest=rest)
    made = planned(situation(NEW, status_of(APP), facts, generation=2))
    assert ("CancelJob" in names(made)) is cancels
    assert step(made, steps.DeleteCluster).scale_down is scale_down


def test_a_change_while_the_old_cluster_is_already_going():
    """Somebody deleted it: nothing is deleted twice."""
    facts = Observation(job_manager=job_manager(deleting=True))
    made = planned(situation(NEW, status_of(APP), facts, generation=2))
    assert names(made)[-1] == "WriteAhead"
    assert made.wait == steps.Wait.PROGRESS


def test_a_change_when_no_cluster_is_left():
    """A finished job whose JobManager is gone, or a lost one: one plan brings up the new one."""
    for job_state in (FlinkJobState.FINISHED, FlinkJobState.RECONCILING):
        status = status_of(APP, job_manager=JobManager.MISSING, job=job_state)
        made = planned(situation(NEW, status, GONE, generation=2))
        assert names(made) == ["SpecChanged", "WriteAhead", "Submit", "Submit"]
        assert str(step(made, steps.Submit).job_id).startswith("new-")
        assert recon(made.status) is ReconciliationState.DEPLOYED
        assert not made.again


def test_a_finished_job_and_a_change():
    """Nothing to cancel; the JobManager that was kept for its history goes."""
    status = status_of(APP, job=FlinkJobState.FINISHED)
    made = planned(situation(NEW, status, up(job(FlinkState.FINISHED)), generation=2))
    assert names(made)[-2:] == ["WriteAhead", "DeleteCluster"]


def test_a_fix_after_an_error():
    """A JobManager that cannot start is replaced; the error ends with the attempt."""
    facts = Observation(job_manager=job_manager(available=False))
    status = status_of(APP, job_manager=JobManager.ERROR, error="pull", stable=False)
    made = planned(situation(NEW, status, facts, generation=2))
    assert names(made)[-2:] == ["WriteAhead", "DeleteCluster"]
    assert made.status.error is None
    assert made.stall is None


def test_a_session_cluster_is_replaced_in_silence():
    """Q-9: SpecChanged, but neither Suspended nor Submit; HA metadata stays for its jobs (3.9)."""
    spec = session(image="flink:2.0")
    at = situation(spec, status_of(SESSION), up(), generation=2, high_availability=True)
    made = planned(at)
    assert names(made) == ["SpecChanged", "CheckObjects", "WriteAhead", "DeleteCluster"]
    assert step(made, steps.DeleteCluster).scale_down  # its jobs would start TaskManagers
    at = situation(spec, upgrading(spec, 2), GONE, generation=2, high_availability=True)
    assert names(planned(at)) == ["Submit"]


# --- suspend and resume


def test_a_suspension():
    """Written ahead as one: that is how it is known after a crash."""
    made = planned(situation(SUSPENDED, status_of(APP), up(), generation=2))
    assert names(made) == ["SpecChanged", "Suspended", "WriteAhead", "CancelJob", "DeleteCluster"]
    assert record.is_suspending(made.status)
    gone = planned(situation(SUSPENDED, made.status, GONE, generation=2))
    assert names(gone) == []
    assert recon(gone.status) is ReconciliationState.DEPLOYED
    assert recorded_job(gone.status).state is JobState.SUSPENDED
    assert record.is_stable(gone.status)
    assert gone.status.job_status.state is FlinkJobState.FINISHED
    assert gone.status.job_manager_deployment_status is JobManager.MISSING
    assert state.lifecycle_state(gone.status) is LifecycleState.SUSPENDED


def test_a_suspension_with_high_availability_leaves_no_metadata():
    """Stateless: what is resumed starts empty. It is SUSPENDED when the metadata is gone, and not before."""
    at = situation(SUSPENDED, status_of(APP), up(), generation=2, high_availability=True)
    ahead = planned(at).status
    made = planned(evolve(at, status=ahead, observation=GONE))
    assert names(made) == ["DeleteHaMetadata"]
    assert state.lifecycle_state(made.status) is LifecycleState.SUSPENDED


def test_a_suspension_that_was_not_written_ahead_is_before_its_metadata_goes():
    """A crash may lie between: what is found then is no job that was lost together with its state."""
    status = upgrading(SUSPENDED, 2, job_id=None)
    at = situation(SUSPENDED, status, GONE, generation=2, high_availability=True)
    made = planned(at)
    assert names(made) == ["WriteAhead", "DeleteHaMetadata"]
    ahead = step(made, steps.WriteAhead).status
    assert record.is_suspending(ahead)
    again = planned(evolve(at, status=ahead))
    assert names(again) == ["DeleteHaMetadata"]
    assert again.status == made.status


def test_a_suspension_of_a_cluster_that_is_gone():
    """Nothing has to be written ahead; but the cache may only not have it yet (T-42)."""
    status = status_of(APP, job_manager=JobManager.MISSING)
    made = planned(situation(SUSPENDED, status, GONE, generation=2))
    assert names(made) == ["SpecChanged"]
    assert state.lifecycle_state(made.status) is LifecycleState.SUSPENDED


def test_a_refused_spec_does_not_start_a_job_that_is_being_suspended():
    """L-30 puts the recorded spec in force as running; the record says that it is to be down."""
    at = situation(SUSPENDED, status_of(APP), up(), generation=2)
    ahead = step(planned(at), steps.WriteAhead).status
    in_force = with_job(recorded(ahead).spec, state=JobState.RUNNING)
    for facts in (GONE, up()):
        made = planned(situation(in_force, ahead, facts, generation=2))
        assert "Submit" not in names(made)
    made = planned(situation(in_force, ahead, GONE, generation=2))
    assert state.lifecycle_state(made.status) is LifecycleState.SUSPENDED


def test_a_refused_spec_does_not_stop_an_upgrade():
    """L-30: the attempt under way is finished."""
    ahead = planned(situation(NEW, status_of(APP), up(), generation=2)).status
    in_force = with_job(recorded(ahead).spec, state=JobState.RUNNING)
    made = planned(situation(in_force, ahead, GONE, generation=2))
    assert names(made) == ["Submit", "Submit"]


def test_a_suspended_job_stays_so_whatever_changes():
    """R-25: the change is told, and counts when the job is resumed."""
    changed = with_job(NEW, state=JobState.SUSPENDED)
    status = suspended()
    made = planned(situation(changed, status, GONE, generation=2))
    assert names(made) == ["SpecChanged"]
    assert made.status == status


def test_a_resumption():
    """R-26 in one plan; HA metadata of an earlier run must not come back."""
    made = planned(situation(APP, suspended(), GONE, generation=2))
    assert names(made) == ["SpecChanged", "WriteAhead", "Submit", "Submit"]
    assert step(made, steps.Submit).job_id == "new-1"
    assert recorded_job(made.status).state is JobState.RUNNING
    made = planned(situation(APP, suspended(), GONE, generation=2, high_availability=True))
    assert names(made)[1:3] == ["WriteAhead", "DeleteHaMetadata"]


def test_a_resumption_with_a_jobmanager_still_there():
    """The reference leaves it up after a savepoint: it goes first, and nothing is "suspended" again."""
    facts = up(job(FlinkState.FINISHED))
    made = planned(situation(APP, suspended(mode=UpgradeMode.SAVEPOINT), facts, generation=2))
    assert names(made) == ["SpecChanged", "CheckObjects", "WriteAhead", "DeleteCluster"]


@pytest.mark.parametrize("image", ["flink:1.20", "flink:2.0"])
def test_a_suspension_of_a_job_that_was_cancelled_from_outside(image):
    """The record says suspended already; the cluster goes all the same, and the wish is recorded."""
    status = record.mark_suspended(status_of(APP, job=FlinkJobState.CANCELED))
    wish = evolve(SUSPENDED, image=image)
    made = planned(situation(wish, status, up(job(FlinkState.CANCELED)), generation=2))
    changed = image != APP.image
    assert names(made) == [*(["SpecChanged"] if changed else []), "WriteAhead", "DeleteCluster"]
    made = planned(situation(wish, made.status, GONE, generation=2))
    assert state.lifecycle_state(made.status) is LifecycleState.SUSPENDED
    assert record.is_stable(made.status)


def test_a_refused_spec_leaves_a_cancelled_job_as_it_is():
    """L-30 puts the recorded spec in force, which says suspended although nobody asked for it."""
    status = record.mark_suspended(status_of(APP, job=FlinkJobState.CANCELED))
    made = planned(situation(recorded(status).spec, status, up(job(FlinkState.CANCELED))))
    assert made.steps == ()
    assert made.wait == steps.Wait.INTERVAL


def test_a_job_cancelled_from_outside_is_started_again():
    """P-5 made it suspended in the record; the user wants it running."""
    status = record.mark_suspended(status_of(APP, job=FlinkJobState.CANCELED))
    made = planned(situation(APP, status, up(job(FlinkState.CANCELED))))
    assert names(made) == ["SpecChanged", "CheckObjects", "WriteAhead", "DeleteCluster"]
    ahead = made.status
    made = planned(situation(APP, ahead, up(job(FlinkState.CANCELED))))
    assert names(made)[-2:] == [
        "WriteAhead",
        "DeleteCluster",
    ]  # its generation is the new one's too
    made = planned(situation(APP, ahead, GONE))
    assert names(made) == ["SpecChanged", "WriteAhead", "Submit", "Submit"]
    assert made.status.observed_generation == 1


# --- Ingress


@pytest.mark.parametrize(
    ("has_spec", "exists", "managed", "expected"),
    [
        (False, False, True, None),
        (True, False, True, "SyncIngress"),
        (False, True, True, "SyncIngress"),
        (True, True, True, "SyncIngress"),
        (True, False, False, "IngressManagement"),
        (False, True, False, None),
    ],
)
def test_the_ingress_follows_a_deployment(has_spec, exists, managed, expected):
    """Made, updated or deleted with it; told when it is not managed."""
    spec = evolve(APP, ingress=IngressSpec(template="x")) if has_spec else APP
    facts = Observation(has_ingress=exists)
    made = planned(situation(spec, observation=facts, manage_ingress=managed))
    assert names(made)[3:] == ([expected] if expected else [])


def test_a_health_record_belongs_to_one_run():
    """O-85: dropped with each deployment, the rest of the cluster info stays."""
    status = evolve(
        upgrading(NEW, 2, job_id="ahead"), cluster_info={"ClusterHealthInfo": "{}", "x": "1"}
    )
    made = planned(situation(NEW, status, GONE, generation=2))
    assert made.status.cluster_info == {"x": "1"}


@pytest.mark.parametrize(
    "at",
    [
        situation(APP, None, Observation(pods=True)),
        situation(NEW, upgrading(NEW, 2), Observation(pods=True), generation=2),
        situation(APP, lost(), Observation(pods=True)),
    ],
)
def test_nothing_starts_beside_an_old_pod(at):
    """Background propagation and deletions by hand leave pods behind for a while."""
    made = planned(at)
    assert (names(made), made.wait) == ([], steps.Wait.PROGRESS)
    assert made.status == at.status
