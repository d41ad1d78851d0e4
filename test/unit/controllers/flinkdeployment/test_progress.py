"""What facts make of a status (behaviour.md 2.1 to 2.10)."""

import json

import pytest
from attrs import evolve
from fakes.deployments import (
    GONE,
    NOW,
    NOW_MS,
    answered,
    application,
    job,
    job_manager,
    session,
    status_of,
    up,
    upgrading,
    with_job,
)

from flinkop.api.common import JobState, UpgradeMode
from flinkop.api.status import (
    FlinkDeploymentStatus,
    FlinkJobState,
    JobManagerDeploymentStatus as JobManager,
    ReconciliationState,
)
from flinkop.controllers.flinkdeployment import progress
from flinkop.controllers.flinkdeployment.assessed import Assessed, Subject
from flinkop.controllers.flinkdeployment.observation import (
    Observation,
    PodFailure,
)
from flinkop.controllers.jobs.facts import (
    JobFailure,
    Rest,
    RestFacts,
)
from flinkop.flink.interpret import FailureCause
from flinkop.flink.states import JobState as FlinkState
from flinkop.lifecycle import record
from flinkop.lifecycle.failure import Limits

APP = application()


def assess(status, observation, spec=APP, **more):
    return progress.assess(Subject(status, observation, spec, NOW, **more))


def told(found):
    """Return type, reason and message of the events, in order."""
    return [(d.type.value, d.reason, d.message) for d in found.drafts]


def error_of(found):
    return json.loads(found.status.error)


def unavailable(failure=None, replica_failure=None):
    facts = job_manager(available=False, replica_failure=replica_failure)
    return Observation(job_manager=facts, pod_failure=failure)


def silent(state=Rest.ABSENT, **facts):
    return Observation(job_manager=job_manager(**facts), rest=RestFacts(state, detail="refused"))


def with_state(status, state):
    return evolve(status, reconciliation_status=evolve(status.reconciliation_status, state=state))


# --- the gate (2.1)


def test_nothing_is_judged_before_the_first_deployment():
    """O-1: also not when a Deployment is there."""
    status = FlinkDeploymentStatus()
    for facts in (GONE, up(), unavailable(PodFailure("ErrImagePull", "x"))):
        assert assess(status, facts) == Assessed(status)


def test_during_a_rollback_only_the_end_of_the_failed_cluster_counts():
    """O-2: neither its job nor its pods."""
    status = with_state(status_of(APP), ReconciliationState.ROLLING_BACK)
    for facts in (up(), unavailable(PodFailure("ErrImagePull", "x"))):
        assert assess(status, facts) == Assessed(status)
    gone = assess(status, GONE).status
    assert gone.job_manager_deployment_status is JobManager.MISSING


@pytest.mark.parametrize("facts", [up(), up(job(FlinkState.FAILED)), silent(), unavailable()])
def test_during_an_upgrade_only_the_end_of_the_old_cluster_counts(facts):
    """O-4: its job and its JobManager no longer matter while they go."""
    status = upgrading(APP, 2, job=FlinkJobState.RUNNING, job_manager=JobManager.READY)
    assert assess(status, facts) == Assessed(status)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("RUNNING", "FINISHED"),
        ("RECONCILING", "FINISHED"),
        ("FAILED", "FAILED"),
        (None, "FINISHED"),
    ],
)
def test_the_old_cluster_is_gone(before, after):
    """4.8: JobManager MISSING, a job that had not ended is FINISHED; nobody is alarmed."""
    status = upgrading(
        APP, 2, job=FlinkJobState(before) if before else None, job_manager=JobManager.READY
    )
    for facts in (GONE, Observation(job_manager=job_manager(ours=False))):
        found = assess(status, facts)
        assert found.status.job_manager_deployment_status is JobManager.MISSING
        assert found.status.job_status.state == FlinkJobState(after)
        assert found.drafts == ()


def test_a_session_cluster_that_is_gone_ends_no_job():
    """It has none of its own: its status looks the same however often it was replaced."""
    found = assess(upgrading(session(), 2, job=None, job_manager=JobManager.READY), GONE)
    assert found.status.job_manager_deployment_status is JobManager.MISSING
    assert found.status.job_status.state is None


# --- the JobManager (2.4)


@pytest.mark.parametrize("previous", list(JobManager))
def test_a_jobmanager_that_answers_is_ready_at_once(previous):
    """No state in between is waited out, and ERROR heals."""
    status = status_of(APP, job_manager=previous)
    found = assess(status, up())
    assert found.status.job_manager_deployment_status is JobManager.READY


def test_an_available_jobmanager_that_is_silent_is_not_ready():
    """DEPLOYED_NOT_READY; a job that ran is unknown, one that was on its way stays so."""
    for state, after in (("RUNNING", "RECONCILING"), ("CREATED", "CREATED"), ("FAILED", "FAILED")):
        found = assess(status_of(APP, job=FlinkJobState(state)), silent())
        assert found.status.job_manager_deployment_status is JobManager.DEPLOYED_NOT_READY
        assert found.status.job_status.state is FlinkJobState(after)
        assert found.drafts == ()


def test_an_unusable_answer_is_an_answer():
    """O-37: the JobManager is there, its job unknown."""
    found = assess(status_of(APP), silent(Rest.FAILED))
    assert found.status.job_manager_deployment_status is JobManager.READY
    assert found.status.job_status.state is FlinkJobState.RECONCILING


def test_a_jobmanager_that_was_not_asked_is_not_judged():
    """Facts that are missing change nothing."""
    status = status_of(APP, error="x")
    found = assess(status, silent(Rest.NOT_ASKED))
    assert found.status.job_status == status.job_status


def test_a_jobmanager_that_starts_is_deploying():
    """O-14: READY degrades, ERROR heals, and a job that ran is unknown."""
    for previous in (JobManager.READY, JobManager.ERROR, JobManager.MISSING):
        found = assess(status_of(APP, job_manager=previous), unavailable())
        assert found.status.job_manager_deployment_status is JobManager.DEPLOYING
        assert found.status.job_status.state is FlinkJobState.RECONCILING
        assert found.drafts == ()


@pytest.mark.parametrize(
    ("facts", "reason", "message"),
    [
        (unavailable(PodFailure("ErrImagePull", "[c] no")), "ErrImagePull", "[c] no"),
        (unavailable(replica_failure="quota"), "FailedCreate", "quota"),
        (
            unavailable(PodFailure("ErrImagePull", "x"), replica_failure="quota"),
            "FailedCreate",
            "quota",
        ),
    ],
)
def test_a_jobmanager_that_cannot_start(facts, reason, message):
    """O-13, O-20 to O-23: ERROR, job unknown, said once while it lasts."""
    found = assess(status_of(APP, job=FlinkJobState.CREATED), facts)
    assert found.status.job_manager_deployment_status is JobManager.ERROR
    assert found.status.job_status.state is FlinkJobState.RECONCILING
    assert error_of(found)["message"] == message
    assert error_of(found)["additionalMetadata"] == {"reason": reason}
    assert told(found) == [("Warning", reason, message)]
    again = assess(found.status, facts)
    assert again == Assessed(found.status)


def test_one_failure_changes_its_words():
    """ErrImagePull and ImagePullBackOff take turns: one event, one error."""
    first = assess(status_of(APP), unavailable(PodFailure("ErrImagePull", "a")))
    second = assess(first.status, unavailable(PodFailure("ImagePullBackOff", "b")))
    assert second == Assessed(first.status)


def test_an_error_that_took_the_place_is_put_right():
    """A refused spec may have overwritten the error meanwhile."""
    status = status_of(APP, job_manager=JobManager.ERROR, error='{"type":"ValidationException"}')
    found = assess(status, unavailable(PodFailure("ErrImagePull", "a")))
    assert error_of(found)["message"] == "a"
    assert len(found.drafts) == 1


def test_a_pod_that_no_node_takes_may_still_start():
    """Told once per reason although the scheduler rewords it; DEPLOYING, not ERROR."""

    def waiting(text):
        return unavailable(PodFailure("Unschedulable", text, fatal=False))

    first = assess(status_of(APP), waiting("0/5 nodes"))
    assert first.status.job_manager_deployment_status is JobManager.DEPLOYING
    assert told(first) == [("Warning", "Unschedulable", "0/5 nodes")]
    assert assess(first.status, waiting("0/6 nodes")) == Assessed(first.status)
    worse = assess(first.status, unavailable(PodFailure("ErrImagePull", "a")))
    assert worse.status.job_manager_deployment_status is JobManager.ERROR
    assert len(worse.drafts) == 1


@pytest.mark.parametrize(
    "facts",
    [
        GONE,
        Observation(job_manager=job_manager(deleting=True)),
        Observation(job_manager=job_manager(ours=False)),
    ],
)
@pytest.mark.parametrize("previous", list(JobManager))
def test_a_jobmanager_that_vanished(facts, previous):
    """O-15: MISSING; an error and an event, unless it was known or had failed; another's does not count."""
    found = assess(status_of(APP, job_manager=previous, stable=False), facts)
    assert found.status.job_manager_deployment_status is JobManager.MISSING
    assert found.status.job_status.state is FlinkJobState.RECONCILING
    if previous in (JobManager.MISSING, JobManager.ERROR):
        assert (found.drafts, found.status.error) == ((), None)
    else:
        assert told(found) == [("Warning", "Missing", "Missing JobManager deployment")]
        assert error_of(found)["type"].endswith("MissingJobManagerException")


@pytest.mark.parametrize("state", ["FINISHED", "FAILED", "CANCELED"])
def test_a_job_that_ended_stays_ended_without_its_jobmanager(state):
    """O-15: terminal states are kept."""
    found = assess(status_of(APP, job=FlinkJobState(state)), GONE)
    assert found.status.job_status.state is FlinkJobState(state)


def test_a_suspended_job_has_no_jobmanager_to_miss():
    """O-10: no error, no event, and the job's state stays."""
    status = status_of(
        APP,
        recorded_state=JobState.SUSPENDED,
        job=FlinkJobState.FINISHED,
        job_manager=JobManager.READY,
    )
    found = assess(status, GONE)
    assert found.drafts == ()
    assert found.status == evolve(status, job_manager_deployment_status=JobManager.MISSING)


# --- the job (2.7)


def test_a_running_job_is_taken_over():
    """O-33: state, name, start and the time of the change; told as an event; stable (P-8)."""
    status = status_of(APP, job=FlinkJobState.RECONCILING, stable=False)
    found = assess(status, up())
    assert found.status.job_status.state is FlinkJobState.RUNNING
    assert found.status.job_status.job_name == "example"
    assert found.status.job_status.start_time == "1000"
    assert found.status.job_status.update_time == str(NOW_MS)
    assert record.is_stable(found.status)
    assert told(found) == [
        ("Normal", "JobStatusChanged", "Job status changed from RECONCILING to RUNNING")
    ]


def test_the_first_state_has_no_previous_one():
    """O-33: the words without "from"."""
    found = assess(status_of(APP, job=None), up())
    assert told(found) == [("Normal", "JobStatusChanged", "Job status changed to RUNNING")]


def test_a_steady_job_changes_nothing():
    """No update time, no event: no write."""
    once = assess(status_of(APP), up()).status
    assert assess(once, up()) == Assessed(once)


@pytest.mark.parametrize(
    ("tasks", "state"),
    [
        ({"running": 2}, "RUNNING"),
        ({"running": 1, "finished": 1}, "RUNNING"),
        ({"running": 1}, "CREATED"),
        ({"running": 0}, "CREATED"),
    ],
)
def test_a_job_runs_when_all_its_tasks_do(tasks, state):
    """O-32: otherwise it is CREATED."""
    found = assess(status_of(APP, job=FlinkJobState.RECONCILING), up(job(**tasks)))
    assert found.status.job_status.state is FlinkJobState(state)


def test_only_the_id_identifies_a_job():
    """O-31: neither its name nor being alone."""
    found = assess(status_of(APP), up(job(jid="f" * 32)))
    assert found.status.error == "Job Not Found"


def test_a_lost_job_is_told_every_time():
    """O-36: plain text, event, RECONCILING; stable specs do not hide it."""
    status = status_of(APP)
    for _ in range(3):
        found = assess(status, Observation(job_manager=job_manager(), rest=answered()))
        status = found.status
        assert status.error == "Job Not Found"
        assert status.job_status.state is FlinkJobState.RECONCILING
        assert told(found) == [("Warning", "Missing", "Job Not Found")]
    found = assess(status, up())
    assert found.status.error is None


def test_a_job_found_reconciling_is_found():
    """A state that did not change still ends the error."""
    status = status_of(APP, job=FlinkJobState.RECONCILING, error="Job Not Found", stable=False)
    assert assess(status, up(job(FlinkState.RECONCILING))).status.error is None


def test_a_lost_job_does_not_end_a_rollback():
    """ROLLED_BACK stays: what is deployed is still the stable spec."""
    status = with_state(status_of(APP), ReconciliationState.ROLLED_BACK)
    found = assess(status, Observation(job_manager=job_manager(), rest=answered()))
    assert found.status.reconciliation_status.state is ReconciliationState.ROLLED_BACK


@pytest.mark.parametrize("state", [None, FlinkJobState.RECONCILING])
def test_a_jobmanager_may_answer_before_its_job_is_submitted(state):
    """The first minute of being available: no error so early, however long the start took."""
    status = status_of(APP, job=state, stable=False)
    early = Observation(job_manager=job_manager(available_for=59), rest=answered())
    assert assess(status, early) == Assessed(status)
    late = Observation(job_manager=job_manager(available_for=60), rest=answered())
    assert assess(status, late).status.error == "Job Not Found"


def test_a_job_that_ran_and_is_lost_has_no_grace():
    """Only a job that was never seen may be unknown."""
    facts = Observation(job_manager=job_manager(available_for=5), rest=answered())
    assert assess(status_of(APP), facts).status.error == "Job Not Found"


def test_a_suspended_job_is_not_looked_for():
    """O-30: a JobManager that an older operator left up."""
    status = status_of(APP, recorded_state=JobState.SUSPENDED, job=FlinkJobState.FINISHED)
    for rest in (answered(), answered(job(FlinkState.FINISHED))):
        found = assess(status, Observation(job_manager=job_manager(), rest=rest))
        assert found == Assessed(status)


def test_a_failed_job_tells_why_first():
    """O-35, T-27: cause into the error, Error event, then the change of state; O-8 keeps it."""
    failure = JobFailure(
        tuple(
            FailureCause(text, text.rpartition(": ")[2])
            for text in ("a.B: outer", "c.D: middle", "inner", "deepest")
        )
    )
    facts = Observation(
        job_manager=job_manager(), rest=answered(job(FlinkState.FAILED), job_failure=failure)
    )
    found = assess(status_of(APP), facts, limits=Limits(causes=1))
    assert told(found) == [
        ("Warning", "Error", "outer -> middle -> inner"),
        ("Normal", "JobStatusChanged", "Job status changed from RUNNING to FAILED"),
    ]
    document = error_of(found)
    assert document["type"] == "org.apache.flink.util.SerializedThrowable"
    assert document["message"] == "a.B: outer"
    assert [e["message"] for e in document["throwableList"]] == ["c.D: middle"]
    again = assess(found.status, up(job(FlinkState.FAILED)))
    assert again == Assessed(found.status)


@pytest.mark.parametrize("failure", [None, JobFailure(())])
def test_a_failed_job_whose_cause_is_unknown(failure):
    """The state alone is told; an earlier "Job Not Found" ends."""
    facts = Observation(
        job_manager=job_manager(), rest=answered(job(FlinkState.FAILED), job_failure=failure)
    )
    status = status_of(APP, job=FlinkJobState.RECONCILING, error="Job Not Found")
    found = assess(status, facts)
    assert found.status.error is None
    assert [d.reason for d in found.drafts] == ["JobStatusChanged"]


@pytest.mark.parametrize(
    ("state", "stable"),
    [("RUNNING", True), ("FINISHED", True), ("FAILED", False), ("CREATED", False)],
)
def test_when_a_spec_becomes_stable(state, stable):
    """P-8: its job runs, or has finished by itself."""
    status = status_of(APP, stable=False, job=FlinkJobState.RECONCILING)
    assert record.is_stable(assess(status, up(job(FlinkState(state)))).status) is stable


@pytest.mark.parametrize(
    "state", [ReconciliationState.ROLLED_BACK, ReconciliationState.ROLLING_BACK]
)
def test_only_a_deployed_spec_becomes_stable(state):
    """P-8: a job that runs after a rollback does not make the failed spec a good one."""
    status = with_state(status_of(APP, stable=False), state)
    status = evolve(
        status,
        reconciliation_status=evolve(
            status.reconciliation_status,
            last_stable_spec=status_of(
                application(image="old")
            ).reconciliation_status.last_reconciled_spec,
        ),
    )
    assert not record.is_stable(assess(status, up()).status)


@pytest.mark.parametrize("mode", list(UpgradeMode))
def test_a_cancellation_from_outside(mode):
    """P-5, Q-30: the job counts as down, and one with state is to start from its last checkpoint.

    Whether it has state is asked when it starts again, as the user may change upgradeMode first.
    """
    spec = with_job(APP, upgrade_mode=mode)
    status = status_of(spec, mode=UpgradeMode.STATELESS)
    found = assess(status, up(job(FlinkState.CANCELED)), spec)
    recorded = record.last_reconciled(found.status)
    assert recorded is not None
    assert recorded.spec.job is not None
    assert recorded.spec.job.state is JobState.SUSPENDED
    assert recorded.spec.job.upgrade_mode is UpgradeMode.SAVEPOINT
    assert assess(found.status, up(job(FlinkState.CANCELED)), spec).status == found.status


def test_a_job_that_ended_while_being_cancelled():
    """O-33: any end after CANCELLING is the end that was asked for."""
    status = status_of(APP, job=FlinkJobState.CANCELLING)
    found = assess(status, up(job(FlinkState.FINISHED)))
    recorded = record.last_reconciled(found.status)
    assert recorded is not None
    assert recorded.spec.job is not None
    assert recorded.spec.job.state is JobState.SUSPENDED


# --- session clusters (2.6), cluster info (2.10), errors (O-8)


def test_a_session_cluster_is_stable_when_it_answers():
    """2.6: only DEPLOYED; its jobs are not its concern."""
    spec = session()
    status = status_of(spec, stable=False)
    found = assess(status, up(job(FlinkState.FAILED)), spec)
    assert record.is_stable(found.status)
    assert found.status.job_status == status.job_status
    assert found.drafts == ()
    rolled_back = with_state(status, ReconciliationState.ROLLED_BACK)
    assert not record.is_stable(assess(rolled_back, up(), spec).status)
    assert not record.is_stable(assess(status, silent(Rest.FAILED), spec).status)


def test_cluster_info_is_merged():
    """2.10: what is not told this time stays."""
    status = evolve(status_of(APP), cluster_info={"old": "1", "total-cpu": "1.0"})
    facts = evolve(up(), rest=answered(job(), cluster_info={"total-cpu": "2.0"}))
    assert assess(status, facts).status.cluster_info == {"old": "1", "total-cpu": "2.0"}


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("1000", "1099", "1000"),
        ("1000", "901", "1000"),
        ("1000", "1100", "1100"),
        ("1000", "900", "900"),
        ("0", "0", "0"),
        ("0", "1", "1"),
        (None, "5", "5"),
        ("5", None, "5"),
        ("x", "5", "5"),
    ],
)
def test_a_small_change_of_the_state_size_is_not_worth_a_write(before, after, shown):
    """Less than a tenth: the old number stays."""
    info = {"state-size": before} if before is not None else {}
    new = {"state-size": after} if after is not None else {}
    status = evolve(status_of(APP), cluster_info=info)
    facts = evolve(up(), rest=answered(job(), cluster_info=new))
    assert assess(status, facts).status.cluster_info == {"state-size": shown}


@pytest.mark.parametrize(
    ("status", "facts", "cleared"),
    [
        (status_of(APP), up(), True),
        (status_of(APP, stable=False), up(), True),
        (status_of(APP, stable=False), up(job(running=1)), False),
        (status_of(APP), silent(), False),
        (status_of(APP, job=FlinkJobState.FAILED), up(job(FlinkState.FAILED)), False),
        (
            status_of(APP, recorded_state=JobState.SUSPENDED, job=FlinkJobState.FINISHED),
            GONE,
            True,
        ),
        (status_of(APP, job=FlinkJobState.FINISHED, job_manager=JobManager.MISSING), GONE, False),
    ],
)
def test_errors_end_when_all_is_well(status, facts, cleared):
    """O-8: up and stable, or suspended as asked."""
    found = assess(evolve(status, error="old"), facts)
    assert found.status.error == (None if cleared else "old")


def test_the_deployed_spec():
    """0.2: the recorded one, after a rollback the stable one."""
    assert progress.deployed_spec(FlinkDeploymentStatus()) is None
    status = status_of(application(image="new"))
    old = status_of(application(image="old")).reconciliation_status.last_reconciled_spec
    status = evolve(
        status, reconciliation_status=evolve(status.reconciliation_status, last_stable_spec=old)
    )
    deployed = progress.deployed_spec(status)
    assert deployed is not None
    assert deployed.image == "new"
    deployed = progress.deployed_spec(with_state(status, ReconciliationState.ROLLED_BACK))
    assert deployed is not None
    assert deployed.image == "old"


def test_the_first_steps_of_a_job_are_passing():
    """Submitted, then INITIALIZING or CREATED: over within a second, unless something else changed too."""
    before = status_of(APP, job=FlinkJobState.RECONCILING, stable=False)
    for state in (FlinkJobState.INITIALIZING, FlinkJobState.CREATED):
        after = evolve(before, job_status=evolve(before.job_status, state=state))
        assert progress.is_passing(before, after)
        assert not progress.is_passing(after, before)
        assert not progress.is_passing(before, evolve(after, error="x"))
        assert not progress.is_passing(before, record.mark_stable(after))
    running = evolve(before, job_status=evolve(before.job_status, state=FlinkJobState.RUNNING))
    assert not progress.is_passing(before, running)
