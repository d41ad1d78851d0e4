"""What a status records, and when (behaviour.md 0.4, P-1 to P-8)."""

import json

import pytest
from attrs import evolve
from fakes.deployments import NOW_MS, application, session, status_of, upgrading, with_job

from flinkop.api import codec, recorded_spec
from flinkop.api.common import JobState, UpgradeMode
from flinkop.api.status import (
    FlinkDeploymentStatus,
    FlinkJobState,
    JobManagerDeploymentStatus,
    ReconciliationState,
    TaskManagerInfo,
)
from flinkop.lifecycle import record

SPEC = application()
EMPTY = FlinkDeploymentStatus()


def target(spec=SPEC, generation=5, task_managers=3):
    return record.Target(
        spec=spec,
        generation=generation,
        now_ms=NOW_MS,
        name="basic",
        task_managers=task_managers,
        user_suspended=spec.job is not None and spec.job.state is JobState.SUSPENDED,
    )


def recorded_job(status):
    job = recorded_of(status).spec.job
    assert job is not None
    return job


def recorded_of(status):
    recorded = record.last_reconciled(status)
    assert recorded is not None
    return recorded


def test_nothing_is_recorded_at_first():
    """Before the first deployment there is no spec, and nothing is stable."""
    assert record.last_reconciled(EMPTY) is None
    assert record.last_stable(EMPTY) is None
    assert not record.is_stable(EMPTY)


def test_the_first_attempt():
    """P-1, upgrading: UPGRADING, job suspended, first deployment, no error, no TaskManagers."""
    status = record.before_attempt(evolve(EMPTY, error="old"), target())
    recon = status.reconciliation_status
    assert status.error is None
    assert status.observed_generation == 5
    assert recon.state is ReconciliationState.UPGRADING
    assert recon.reconciliation_timestamp == NOW_MS
    assert recon.last_stable_spec is None
    assert recorded_job(status).state is JobState.SUSPENDED
    assert recorded_of(status).first_deployment is True
    assert status.task_manager == TaskManagerInfo(label_selector="", replicas=0)


def test_the_first_attempt_completed():
    """P-1: DEPLOYED, job running, still the first deployment, TaskManagers for the scale subresource."""
    status = record.deployed(record.before_attempt(EMPTY, target()), target())
    assert status.reconciliation_status.state is ReconciliationState.DEPLOYED
    assert recorded_job(status).state is JobState.RUNNING
    assert recorded_of(status).first_deployment is True
    assert status.task_manager == TaskManagerInfo(
        label_selector="component=taskmanager,app=basic", replicas=3
    )
    assert not record.is_stable(status)


def test_later_attempts_are_not_first():
    """From the first upgrade on, `firstDeployment` stays false."""
    status = record.deployed(record.before_attempt(EMPTY, target()), target())
    status = record.before_attempt(status, target(generation=6))
    assert recorded_of(status).first_deployment is False
    status = record.deployed(status, target(generation=6))
    assert recorded_of(status).first_deployment is False
    assert status.observed_generation == 6


def test_trigger_nonces_stay_as_handled():
    """P-1, point 4: the recorded nonces are the handled ones; those of a first spec count as handled."""
    first = with_job(SPEC, savepoint_trigger_nonce=1, checkpoint_trigger_nonce=2)
    status = record.before_attempt(EMPTY, target(first))
    assert recorded_job(status).savepoint_trigger_nonce == 1
    newer = with_job(SPEC, savepoint_trigger_nonce=8, checkpoint_trigger_nonce=9)
    status = record.deployed(status, target(newer))
    assert recorded_job(status).savepoint_trigger_nonce == 1
    assert recorded_job(status).checkpoint_trigger_nonce == 2


def test_a_suspension_by_the_user_is_stable_at_once():
    """P-1, point 6: both when it begins and when it is done."""
    wanted = target(with_job(SPEC, state=JobState.SUSPENDED))
    status = record.before_attempt(status_of(SPEC), wanted)
    assert record.is_stable(status)
    status = record.deployed(status, wanted)
    assert recorded_job(status).state is JobState.SUSPENDED
    assert record.is_stable(status)
    assert status.task_manager == TaskManagerInfo(label_selector="", replicas=0)


def test_session_clusters_have_no_job_state_and_no_scale():
    """P-1, point 5: the scale subresource is for applications."""
    status = record.before_attempt(EMPTY, target(session(), task_managers=None))
    assert status.task_manager is None
    assert record.deployed(status, target(session(), task_managers=None)).task_manager is None


def test_unknown_members_of_the_status_survive():
    """What a later version wrote stays."""
    odd = evolve(
        EMPTY, reconciliation_status=evolve(EMPTY.reconciliation_status, extra={"later": 1})
    )
    assert record.before_attempt(odd, target()).reconciliation_status.extra == {"later": 1}


def test_a_generation_that_asks_for_nothing_new_is_noted():
    """P-2: only observedGeneration moves; the same one leaves the very same status."""
    status = status_of(SPEC, generation=1)
    assert record.refresh(status, 1) is status
    later = record.refresh(status, 2)
    assert later.observed_generation == 2
    assert later.reconciliation_status == status.reconciliation_status


def test_an_upgrade_found_done():
    """P-6: DEPLOYED, DEPLOYING, the job running as far as the record goes and unknown otherwise."""
    status = record.already_upgraded(upgrading(SPEC, 4))
    assert status.reconciliation_status.state is ReconciliationState.DEPLOYED
    assert status.job_manager_deployment_status is JobManagerDeploymentStatus.DEPLOYING
    assert status.job_status.state is FlinkJobState.RECONCILING
    assert recorded_job(status).state is JobState.RUNNING
    assert status.observed_generation == 4


def test_an_upgrade_of_a_session_cluster_found_done():
    """P-6 leaves the job of a session cluster alone."""
    status = record.already_upgraded(upgrading(session(), 4))
    assert status.reconciliation_status.state is ReconciliationState.DEPLOYED
    assert status.job_status.state is None


def test_a_job_that_is_down():
    """P-5: suspended, no longer first; idempotent; stability is lost with the text."""
    status = record.mark_suspended(status_of(SPEC, first=True))
    assert recorded_job(status).state is JobState.SUSPENDED
    assert recorded_of(status).first_deployment is False
    assert not record.is_stable(status)
    assert record.mark_suspended(status) is status
    assert record.mark_suspended(EMPTY) is EMPTY


def test_a_first_attempt_is_forgotten():
    """P-7: as if nothing had been tried; later attempts are kept."""
    first = record.before_attempt(EMPTY, target())
    forgotten = record.forget_first_attempt(first)
    assert record.last_reconciled(forgotten) is None
    assert forgotten.reconciliation_status.state is ReconciliationState.UPGRADING
    later = upgrading(SPEC, 2)
    assert record.forget_first_attempt(later) is later
    assert record.forget_first_attempt(EMPTY) is EMPTY


def test_marking_stable_copies_the_text():
    """The stable spec is the recorded one, letter by letter."""
    status = record.mark_stable(status_of(SPEC, stable=False))
    recon = status.reconciliation_status
    assert recon.last_stable_spec == recon.last_reconciled_spec
    assert record.is_stable(status)
    assert record.last_stable(status) == record.last_reconciled(status)


def test_an_edit_that_changes_nothing_changes_no_text():
    """P-4: a text of the reference is not laid out anew for nothing."""
    status = status_of(SPEC)
    assert record.edit_recorded(status, lambda recorded: recorded) is status


def test_the_modes_recorded_are_those_in_use():
    """The record tells how the job was restored, not what the user wants next time."""
    spec = with_job(SPEC, upgrade_mode=UpgradeMode.SAVEPOINT)
    assert recorded_job(record.before_attempt(EMPTY, target(spec))).upgrade_mode == "savepoint"


@pytest.mark.parametrize("state", list(JobState))
def test_a_record_reads_back(state):
    """Whatever was recorded can be read again."""
    status = status_of(with_job(SPEC, args=("--a", "ü")), recorded_state=state)
    assert recorded_job(status).args == ("--a", "ü")
    assert recorded_job(status).state is state


def with_texts(last, stable=None, **more):
    recon = evolve(EMPTY.reconciliation_status, last_reconciled_spec=last, last_stable_spec=stable)
    return evolve(EMPTY, reconciliation_status=evolve(recon, **more))


def bare(spec):
    """The text of release 1.0: the bare spec."""
    document = codec.encode(spec, codec.Omit.NULLS)
    return json.dumps({**document, "apiVersion": "flink.apache.org/v1beta1"})


def nested(spec, generation=4):
    """The text of release 1.1, which says the generation and not whether it is the first."""
    metadata = {"metadata": {"generation": generation}}
    document = codec.encode(spec, codec.Omit.NULLS)
    return json.dumps({"spec": document, "resource_metadata": metadata})


@pytest.mark.parametrize("stable", [bare(SPEC), nested(SPEC)])
def test_a_spec_is_stable_in_whichever_form_it_was_found_so(stable):
    """An operator that writes specs anew must not make a job that has run for months look like a failure."""
    assert record.is_stable(with_texts(recorded_spec.encode(SPEC, False), stable))


@pytest.mark.parametrize(
    "stable",
    [
        bare(application(image="other")),
        nested(with_job(SPEC, upgrade_mode=UpgradeMode.SAVEPOINT)),
        "{",
        None,
    ],
)
def test_another_spec_is_not(stable):
    """Also one that differs in what asks for nothing; and what cannot be read."""
    assert not record.is_stable(with_texts(recorded_spec.encode(SPEC, False), stable))


def test_a_restart_is_not_stable_before_it_ran():
    """A nonce that is new counts here, although taking one away is no change of a spec."""
    now = recorded_spec.encode(application(restart_nonce=1), False)
    assert not record.is_stable(with_texts(now, recorded_spec.encode(SPEC, False)))


def test_the_generation_of_older_releases():
    """It stood beside the recorded spec; what the status says counts first."""
    assert record.with_generation(with_texts(nested(SPEC))).observed_generation == 4
    seen = evolve(with_texts(nested(SPEC)), observed_generation=3)
    assert record.with_generation(seen) is seen
    for text in (bare(SPEC), recorded_spec.encode(SPEC, False), None):
        status = with_texts(text)
        assert record.with_generation(status) is status


@pytest.mark.parametrize("text", [bare(SPEC), nested(SPEC)])
def test_a_first_attempt_that_does_not_say_so(text):
    """It is under way, no job of it was ever seen, and nothing was stable."""
    first = with_texts(text)
    assert record.is_first_deployment(first)
    assert record.last_reconciled(record.forget_first_attempt(first)) is None
    deployed = with_texts(text, state=ReconciliationState.DEPLOYED)
    known = evolve(first, job_status=evolve(first.job_status, job_id="1"))
    for later in (deployed, known, with_texts(text, text)):
        assert not record.is_first_deployment(later)
