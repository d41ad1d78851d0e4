"""How an upgrade goes on from wherever it was left, whatever the user wants by then."""

import pytest
from fakes.deployments import (
    GONE,
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
    SUSPENDED,
    names,
    planned,
    recon,
    recorded,
    recorded_job,
    step,
)

from flinkop.api.common import JobState, UpgradeMode
from flinkop.api.status import (
    JobManagerDeploymentStatus as JobManager,
    LifecycleState,
    ReconciliationState,
)
from flinkop.controllers.flinkdeployment.observation import Observation
from flinkop.controllers.flinkdeployment.planning import steps
from flinkop.lifecycle import record, state

# --- interrupted upgrades


def test_the_old_cluster_is_gone():
    """T-1: submitted with the id that was written ahead; nothing new has to be written first."""
    status = upgrading(NEW, 2, job_id="ahead")
    made = planned(situation(NEW, status, GONE, generation=2))
    assert names(made) == ["Submit", "Submit"]
    submit = step(made, steps.Submit)
    assert (submit.job_id, submit.generation, submit.savepoint_path) == ("ahead", 2, None)
    assert recon(made.status) is ReconciliationState.DEPLOYED
    assert made.status.job_manager_deployment_status is JobManager.DEPLOYING


def test_old_metadata_goes_before_the_new_cluster_comes():
    """T-23, T-24."""
    at = situation(
        NEW, upgrading(NEW, 2, job_id="ahead"), GONE, generation=2, high_availability=True
    )
    assert names(planned(at)) == ["DeleteHaMetadata", "Submit", "Submit"]


def test_the_old_cluster_is_still_going():
    """Nothing is done twice, and nothing is submitted beside it."""
    facts = Observation(job_manager=job_manager(deleting=True))
    for generation in (2, 3):
        made = planned(situation(NEW, upgrading(NEW, 2), facts, generation=generation))
        assert made.steps == ()
        assert made.wait == steps.Wait.PROGRESS


def test_the_old_cluster_was_not_deleted_yet():
    """A crash lay between the record and the deletion."""
    status = upgrading(NEW, 2, job_id="ahead")
    made = planned(situation(NEW, status, up(), generation=2))
    assert names(made) == ["DeleteCluster"]
    assert step(made, steps.DeleteCluster).scale_down  # its job is known by an id that was replaced
    assert made.status == status


@pytest.mark.parametrize("spec", [NEW, session(image="flink:2.0")])
def test_the_new_cluster_is_there_already(spec):
    """T-2: a crash lay between submission and its record; what is missing is made, under the same id."""
    status = upgrading(spec, 2, job_id="ahead")
    facts = Observation(job_manager=job_manager(2))
    made = planned(situation(spec, status, facts, generation=2))
    assert names(made)[-1] == "Submit"
    assert step(made, steps.Submit).job_id == ("ahead" if spec.job else None)
    assert recon(made.status) is ReconciliationState.DEPLOYED


def test_a_cluster_that_nobody_wants_any_more_is_not_finished():
    """An upgrade that another operator began, and that is to end suspended."""
    facts = Observation(job_manager=job_manager(2))
    made = planned(situation(SUSPENDED, upgrading(SUSPENDED, 2), facts, generation=2))
    assert names(made) == ["DeleteCluster"]
    assert made.wait == steps.Wait.PROGRESS


def test_a_first_deployment_that_was_interrupted():
    """The path and the id written ahead are used again."""
    spec = with_job(APP, initial_savepoint_path="s3://s")
    status = upgrading(
        spec, 1, first=True, mode=UpgradeMode.SAVEPOINT, path="s3://s", job_id="ahead"
    )
    for facts in (GONE, Observation(job_manager=job_manager(1))):
        made = planned(situation(spec, status, facts))
        submit = step(made, steps.Submit)
        assert (submit.job_id, submit.savepoint_path) == ("ahead", "s3://s")
        assert recorded(made.status).first_deployment is True
        assert recorded_job(made.status).upgrade_mode is UpgradeMode.SAVEPOINT


def test_a_record_without_an_id_gets_one_before_the_submission():
    """The reference writes the id in a step of its own."""
    status = upgrading(APP, 1, first=True, job_id=None)
    made = planned(situation(APP, status, GONE))
    assert names(made) == ["WriteAhead", "Submit", "Submit"]
    assert step(made, steps.WriteAhead).status.job_status.job_id == "new-1"


# --- a new spec during an upgrade


def test_a_new_spec_before_the_first_attempt_got_through():
    """P-7: the new one wins, with its own savepoint."""
    status = upgrading(APP, 1, first=True, mode=UpgradeMode.SAVEPOINT, path="s3://old")
    newer = with_job(NEW, initial_savepoint_path="s3://new")
    made = planned(situation(newer, status, GONE, generation=2))
    ahead = step(made, steps.WriteAhead).status
    assert recorded(ahead).first_deployment is True
    assert ahead.observed_generation == 2
    assert step(made, steps.Submit).savepoint_path == "s3://new"
    made = planned(situation(SUSPENDED, status, GONE, generation=2))
    assert names(made) == []
    assert record.last_reconciled(made.status) is None


def test_a_new_spec_after_the_first_attempt_got_through():
    """P-6 first: from then on it is a change like any other, without noise about the attempt."""
    status = upgrading(APP, 1, first=True, job_id="ahead")
    facts = Observation(job_manager=job_manager(1))
    made = planned(situation(NEW, status, facts, generation=2))
    assert made.steps == ()
    assert made.again
    assert recon(made.status) is ReconciliationState.DEPLOYED
    made = planned(situation(NEW, made.status, facts, generation=2))
    assert names(made)[:3] == ["SpecChanged", "CheckObjects", "Suspended"]


def test_a_new_spec_while_the_old_cluster_is_there():
    """Written ahead anew, with a new id, before anything else."""
    made = planned(situation(NEW, upgrading(APP, 2), up(), generation=3))
    assert names(made) == ["SpecChanged", "WriteAhead", "CancelJob", "DeleteCluster"]
    ahead = step(made, steps.WriteAhead).status
    assert (ahead.observed_generation, ahead.job_status.job_id) == (3, "new-1")
    assert recorded(ahead).spec.image == "flink:2.0"


def test_a_new_spec_when_the_old_cluster_is_gone():
    """The newer one is written ahead and submitted; the outdated one never is."""
    made = planned(situation(NEW, upgrading(APP, 2, job_id="ahead"), GONE, generation=3))
    assert names(made) == ["SpecChanged", "WriteAhead", "Submit", "Submit"]
    submit = step(made, steps.Submit)
    assert submit.generation == 3
    assert str(submit.job_id).startswith("new-")
    assert submit.spec.image == "flink:2.0"


def test_a_suspension_during_an_upgrade():
    """Whether the old cluster is still there or gone."""
    wish = with_job(NEW, state=JobState.SUSPENDED)
    made = planned(situation(wish, upgrading(NEW, 2), up(), generation=3))
    assert names(made)[-2:] == ["CancelJob", "DeleteCluster"]
    assert record.is_suspending(made.status)
    made = planned(situation(wish, upgrading(NEW, 2), GONE, generation=3))
    assert "Submit" not in names(made)
    assert state.lifecycle_state(made.status) is LifecycleState.SUSPENDED


def test_a_resumption_during_a_suspension():
    """The user changed their mind: the cluster still goes, and a new one comes."""
    ahead = planned(situation(SUSPENDED, status_of(APP), up(), generation=2)).status
    made = planned(situation(APP, ahead, GONE, generation=3))
    assert names(made) == ["SpecChanged", "WriteAhead", "Submit", "Submit"]
