"""How a session job comes up: once, under an id that is known before."""

import pytest
from attrs import evolve
from fakes.deployments import OLD_ID, job
from fakes.sessionjobs import (
    CLUSTER,
    JOB,
    attempted,
    down,
    error,
    job_of,
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
from flinkop.api.status import FlinkJobState, FlinkSessionJobStatus, ReconciliationState
from flinkop.controllers.flinksessionjob.observation import Handover, Observation, Submitted
from flinkop.controllers.flinksessionjob.planning.steps import SubmitJob
from flinkop.controllers.jobs.facts import Rest, RestFacts
from flinkop.controllers.jobs.steps import Wait, WriteAhead
from flinkop.flink.states import JobState as FlinkState
from flinkop.lifecycle.failure import Failure, FailureType

REFUSED = Failure(FailureType.RECONCILIATION, "no main")


def submission(made):
    """The only submission of a plan."""
    (found,) = (one for one in made.steps if isinstance(one, SubmitJob))
    return found


def test_the_first_submission_is_written_ahead():
    """Spec, id and state are acknowledged before the jar is fetched (R-2, R-75)."""
    made = planned(situation())
    assert names(made) == ["WriteAhead", "Submit", "SubmitJob"]
    [ahead] = (one.status for one in made.steps if isinstance(one, WriteAhead))
    assert ahead.job_status.job_id == "new-1"
    assert ahead.job_status.state is FlinkJobState.RECONCILING
    assert ahead.reconciliation_status.state is ReconciliationState.UPGRADING
    assert recorded_job(ahead).state is JobState.SUSPENDED
    assert submission(made) == SubmitJob(submission(made).spec, "new-1", None)
    assert made.status == ahead
    assert note(made) == "SubmittingJob"


def test_an_initial_savepoint_is_restored_from():
    """And stands in the status (R-2)."""
    made = planned(situation(session_job(initial_savepoint_path="s3://s")))
    assert submission(made).savepoint_path == "s3://s"
    assert made.status.job_status.upgrade_savepoint_path == "s3://s"
    assert recorded_job(made.status).upgrade_mode is UpgradeMode.SAVEPOINT


def test_a_job_that_starts_suspended_is_not_submitted():
    """Nothing is recorded (R-2), whatever its cluster is like."""
    for facts in (up(), down(), Observation()):
        made = planned(situation(suspended(JOB), None, facts))
        assert (names(made), made.status) == ([], FlinkSessionJobStatus())


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (Observation(), "SessionClusterMissing"),
        (down(), "SessionClusterNotReady"),
        (up(cluster=evolve(CLUSTER, deleting=True)), "SessionClusterGoing"),
    ],
)
def test_a_cluster_is_waited_for(facts, reason):
    """Nothing is recorded, and the condition says what is missing."""
    made = planned(situation(JOB, None, facts))
    assert note(made) == reason
    assert "cluster" in str(made.note)
    assert made.status == FlinkSessionJobStatus()
    assert names(made) == (["UnsupportedFlinkVersion"] if reason.endswith("Missing") else [])


def test_an_unknown_cluster_is_not_a_missing_one():
    """Caches that are not filled yet say nothing."""
    made = planned(situation(JOB, None, Observation(cluster_known=False)))
    assert (names(made), made.silent, made.wait) == ([], True, Wait.PROGRESS)


def test_an_interrupted_submission_is_repeated_under_its_id():
    """As long as Flink does not list the id (T-3)."""
    made = planned(situation(JOB, attempted(first=True), without_job()))
    assert names(made) == ["Submit", "SubmitJob"]
    assert submission(made).job_id == OLD_ID
    assert made.status == attempted(first=True)


@pytest.mark.parametrize("state", list(FlinkState))
def test_an_interrupted_submission_that_got_through_is_recorded(state):
    """Whatever has become of the job since (T-4)."""
    made = planned(situation(JOB, attempted(), up(job(state))))
    assert names(made) == []
    assert made.again
    assert made.status.reconciliation_status.state is ReconciliationState.DEPLOYED
    assert recorded_job(made.status).state is JobState.RUNNING
    assert made.status.job_status.job_id == OLD_ID


def test_a_submission_that_is_accepted_is_recorded():
    """Without asking for the list once more."""
    accepted = Submitted(Handover.ACCEPTED)
    made = planned(situation(JOB, attempted(), without_job(submitted=accepted)))
    assert made.status.reconciliation_status.state is ReconciliationState.DEPLOYED


def test_a_submission_under_way_is_waited_for():
    """Also when the spec has changed meanwhile."""
    for generation in (1, 2):
        facts = without_job(submitted=Submitted(Handover.UNDER_WAY))
        made = planned(situation(JOB, attempted(), facts, generation=generation))
        assert (names(made), note(made)) == ([], "SubmittingJob")


NEW = session_job(parallelism=4)


def test_a_changed_spec_waits_until_the_interrupted_submission_is_certain():
    """Else two jobs could come of it: the same is submitted again under the same id."""
    made = planned(situation(NEW, attempted(), without_job(), generation=2))
    assert submission(made).job_id == OLD_ID
    assert job_of(submission(made).spec).parallelism == 2


def test_a_changed_spec_replaces_a_submission_that_was_refused():
    """Flink never had the job, so the next one gets an id of its own (P-7)."""
    refused = Submitted(Handover.REFUSED, REFUSED, "NotAJar", final=True)
    facts = without_job(submitted=refused)
    made = planned(situation(NEW, attempted(first=True), facts, generation=2))
    assert submission(made).job_id == "new-1"
    assert job_of(submission(made).spec).parallelism == 4


def test_a_changed_spec_is_a_change_once_the_interrupted_submission_got_through():
    """P-6."""
    made = planned(situation(NEW, attempted(), up(), generation=2))
    assert made.again
    assert made.status.observed_generation == 1
    assert recorded_job(made.status).parallelism == 2


def test_a_submission_that_failed_is_repeated_after_a_while():
    """Said once, in status, condition and Event."""
    failed = Submitted(Handover.REFUSED, REFUSED, "SubmissionFailed", wait=7.0)
    made = planned(situation(JOB, attempted(), without_job(submitted=failed)))
    assert names(made) == ["Error"]
    assert "no main" in error(made.status)
    assert note(made) == "SubmissionFailed"
    assert made.due is not None
    again = situation(JOB, made.status, without_job(submitted=failed))
    assert names(planned(again)) == []
    now = Submitted(Handover.REFUSED, REFUSED, "SubmissionFailed")
    assert submission(planned(situation(JOB, made.status, without_job(submitted=now))))


def test_a_jar_that_never_can_be_had_stalls():
    """Until the spec or the configuration changes."""
    failed = Submitted(Handover.REFUSED, REFUSED, "NotAJar", final=True)
    made = planned(situation(JOB, attempted(), without_job(submitted=failed)))
    assert stall(made).startswith("NotAJar")
    assert made.due is None


def test_what_the_reference_left_between_two_jobs_is_finished():
    """UPGRADING without an id: the old job ended, the new one was never named."""
    status = attempted(
        job=FlinkJobState.FINISHED, job_id=None, path="s3://s", mode=UpgradeMode.SAVEPOINT
    )
    stateful = session_job(upgrade_mode=UpgradeMode.SAVEPOINT)
    made = planned(situation(stateful, status, without_job()))
    assert names(made) == ["WriteAhead", "Submit", "SubmitJob"]
    assert submission(made).savepoint_path == "s3://s"


def test_nothing_is_decided_while_flink_is_silent():
    """Neither submitted nor given up."""
    silent = Observation(CLUSTER, rest=RestFacts(Rest.ABSENT, detail="refused"))
    for status in (attempted(), status_of(job=FlinkJobState.RECONCILING)):
        made = planned(situation(NEW, status, silent, generation=2))
        assert (names(made), note(made)) == ([], "SessionClusterSilent")
        assert made.status == status


def test_an_unprovable_restore_point_is_not_started_from():
    """U-3."""
    stateful = session_job(upgrade_mode=UpgradeMode.SAVEPOINT, parallelism=4)
    status = status_of(
        job=FlinkJobState.FAILED, path="KUBERNETES_OPERATOR_LAST_STATE", mode=UpgradeMode.SAVEPOINT
    )
    made = planned(situation(stateful, status, up(job(FlinkState.FAILED)), generation=2))
    assert stall(made).startswith("UpgradeFailed")
    assert "Manual restore required." in error(made.status)
