"""lifecycleState and conditions (behaviour.md 0.5, 0.6; kstatus)."""

import pytest
from attrs import evolve
from fakes.deployments import application, session, status_of, upgrading

from flinkop.api.common import JobState
from flinkop.api.status import (
    FlinkDeploymentStatus,
    FlinkJobState,
    JobManagerDeploymentStatus as JobManager,
    LifecycleState,
    ReconciliationState,
)
from flinkop.lifecycle import state
from flinkop.lifecycle.state import Stall

APP = application()
EMPTY = FlinkDeploymentStatus()
MARKERS = (
    "x Manual restore required.",
    "It is possible that the job has finished or terminally failed, or the configmaps have been deleted.",
    "HA metadata is not available to restore",
)


def with_state(status, recon):
    return evolve(status, reconciliation_status=evolve(status.reconciliation_status, state=recon))


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (evolve(status_of(APP), lifecycle_state=LifecycleState.DELETING), "DELETING"),
        (evolve(EMPTY, lifecycle_state=LifecycleState.DELETED), "DELETED"),
        (EMPTY, "CREATED"),
        (evolve(EMPTY, error="bad spec"), "FAILED"),
        (upgrading(APP, 2), "UPGRADING"),
        (upgrading(APP, 2, job=FlinkJobState.FAILED), "UPGRADING"),
        (with_state(status_of(APP), ReconciliationState.ROLLING_BACK), "ROLLING_BACK"),
        (status_of(APP, recorded_state=JobState.SUSPENDED, job=FlinkJobState.FAILED), "SUSPENDED"),
        (status_of(APP, job=FlinkJobState.FAILED), "FAILED"),
        *((status_of(APP, job_manager=JobManager.MISSING, error=m), "FAILED") for m in MARKERS),
        *((status_of(APP, job_manager=JobManager.ERROR, error=m), "FAILED") for m in MARKERS),
        (status_of(APP, job_manager=JobManager.READY, error=MARKERS[0]), "STABLE"),
        (status_of(APP, job_manager=JobManager.MISSING, error="other"), "STABLE"),
        (with_state(status_of(APP), ReconciliationState.ROLLED_BACK), "ROLLED_BACK"),
        (status_of(APP), "STABLE"),
        (status_of(APP, stable=False), "DEPLOYED"),
        (status_of(session()), "STABLE"),
    ],
)
def test_the_first_matching_rule_gives_the_state(status, expected):
    """The table of behaviour.md 0.5, top down."""
    assert state.lifecycle_state(status).value == expected


def summarized(status, stall=None, now="2026-01-01T00:00:00Z", generation=1):
    return state.summarize(status, generation=generation, now=now, stall=stall)


def conditions(status, stall=None):
    return {c.type: c for c in summarized(status, stall).conditions}


def truths(status, stall=None):
    return {kind: c.status for kind, c in conditions(status, stall).items()}


def test_there_is_no_running_condition_before_anything_was_recorded():
    """Rule 0.6: the reference's list is empty then; the kstatus conditions are there from the start."""
    assert truths(EMPTY) == {"Ready": "False", "Reconciling": "True", "Stalled": "False"}


@pytest.mark.parametrize("job", [*FlinkJobState, None])
def test_running_of_an_application_is_its_job(job):
    """Reason and message name the job's state; without one it is in transition."""
    found = conditions(status_of(APP, job=job))["Running"]
    shown = job or FlinkJobState.RECONCILING
    assert found.status == ("True" if job is FlinkJobState.RUNNING else "False")
    assert found.reason == shown.value[0] + shown.value[1:].lower()
    assert found.message == f"Job status {shown.value}"
    assert found.observed_generation is None


@pytest.mark.parametrize(
    ("job_manager", "reason", "message"),
    [
        ("READY", "JobManagerReady", "is running and ready to receive REST API calls"),
        ("DEPLOYED_NOT_READY", "DeployedNotReady", "not yet ready to receive REST API calls"),
        ("DEPLOYING", "JobManagerIsDeploying", "process is starting up"),
        ("MISSING", "JobManagerDeploymentMissing", "deployment not found"),
        ("ERROR", "Error", "deployment failed"),
    ],
)
def test_running_of_a_session_cluster_is_its_jobmanager(job_manager, reason, message):
    """The words of behaviour.md 0.3; Ready goes with it, whatever the job field holds."""
    for job in (None, FlinkJobState.RECONCILING, FlinkJobState.FINISHED):
        status = status_of(session(), job_manager=JobManager(job_manager))
        status = evolve(status, job_status=evolve(status.job_status, state=job))
        found = conditions(status)
        assert found["Running"].status == ("True" if job_manager == "READY" else "False")
        assert found["Running"].reason == reason
        assert message in found["Running"].message
        assert found["Ready"].status == found["Running"].status


@pytest.mark.parametrize(
    ("status", "ready", "reconciling"),
    [
        (status_of(APP), "True", "False"),
        (status_of(APP, job=FlinkJobState.FINISHED), "True", "False"),
        (status_of(APP, job=FlinkJobState.RESTARTING), "False", "False"),
        (status_of(APP, stable=False, job=FlinkJobState.CREATED), "False", "True"),
        (status_of(APP, recorded_state=JobState.SUSPENDED), "True", "False"),
        (status_of(APP, job=FlinkJobState.FAILED), "False", "False"),
        (upgrading(APP, 2), "False", "True"),
        (evolve(status_of(APP), lifecycle_state=LifecycleState.DELETING), "False", "True"),
    ],
)
def test_kstatus_tells_whether_to_wait(status, ready, reconciling):
    """Ready when it is as specified, Reconciling while the operator works on it, never both."""
    found = truths(status)
    assert (found["Ready"], found["Reconciling"], found["Stalled"]) == (ready, reconciling, "False")


@pytest.mark.parametrize("status", [EMPTY, status_of(APP), upgrading(APP, 2)])
def test_a_stall_ends_the_waiting(status):
    """Nothing more will happen by itself: reason and message say why, in Ready as in Stalled."""
    found = conditions(status, Stall("InvalidName", "rename it"))
    assert (found["Ready"].status, found["Reconciling"].status) == ("False", "False")
    for kind in ("Ready", "Stalled"):
        assert (found[kind].reason, found[kind].message) == ("InvalidName", "rename it")
    assert found["Stalled"].status == "True"
    assert found["Stalled"].observed_generation == 1


def test_messages_of_progress_name_jobmanager_and_job():
    """What a person wants to know while waiting."""
    status = status_of(APP, stable=False, job_manager=JobManager.DEPLOYING, job=None)
    assert conditions(status)["Ready"].message == "deployed: JobManager process is starting up"
    status = status_of(APP, stable=False, job=FlinkJobState.CREATED)
    assert conditions(status)["Ready"].message.endswith("; job is CREATED")


@pytest.mark.parametrize(
    ("job_manager", "job", "reason"),
    [
        (JobManager.READY, FlinkJobState.RESTARTING, "Restarting"),
        (JobManager.READY, None, "Reconciling"),
        (JobManager.DEPLOYING, FlinkJobState.RECONCILING, "JobManagerIsDeploying"),
        (JobManager.MISSING, FlinkJobState.RECONCILING, "JobManagerDeploymentMissing"),
    ],
)
def test_not_ready_is_never_for_being_stable(job_manager, job, reason):
    """A stable spec whose job is interrupted: Ready names the interruption."""
    ready = conditions(status_of(APP, job=job, job_manager=job_manager))["Ready"]
    assert (ready.status, ready.reason) == ("False", reason)


def test_times_move_only_with_the_truth():
    """lastTransitionTime is kept while `status` stays, although reason and message may change."""
    first = summarized(status_of(APP, job=FlinkJobState.CREATED, stable=False), now="t1")
    second = summarized(
        evolve(first, job_status=evolve(first.job_status, state=FlinkJobState.RESTARTING)), now="t2"
    )
    running = {c.type: c for c in second.conditions}["Running"]
    assert (running.reason, running.last_transition_time) == ("Restarting", "t1")
    third = summarized(
        evolve(second, job_status=evolve(second.job_status, state=FlinkJobState.RUNNING)), now="t3"
    )
    assert {c.type: c.last_transition_time for c in third.conditions} == {
        "Running": "t3",
        "Ready": "t1",
        "Reconciling": "t1",
        "Stalled": "t1",
    }


def test_summing_up_twice_changes_nothing():
    """A steady resource costs no write."""
    once = summarized(status_of(APP), now="t1")
    assert summarized(once, now="t2") == once


def test_the_lifecycle_state_is_part_of_the_summary():
    """A stored value is not trusted, except deletion."""
    status = evolve(status_of(APP), lifecycle_state=LifecycleState.CREATED)
    assert summarized(status).lifecycle_state is LifecycleState.STABLE
