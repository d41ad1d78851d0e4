"""What is done only where nothing of the old cluster is left (behaviour.md 4.8)."""

import pytest
from attrs import evolve
from fakes.deployments import (
    GONE,
    job_manager,
    situation,
    standalone,
    status_of,
    task_managers,
    upgrading as written_ahead,
)
from fakes.plans import APP, NEW, SUSPENDED, cleaned, lost, names, planned

from flinkop.api.common import JobState
from flinkop.api.status import (
    FlinkJobState,
    JobManagerDeploymentStatus as JobManager,
)
from flinkop.controllers.flinkdeployment import plan
from flinkop.controllers.flinkdeployment.observation import Observation
from flinkop.controllers.flinkdeployment.planning import cleanup, steps
from flinkop.lifecycle.upgrade import Question

UNASKED = Observation()
UPGRADING = written_ahead(NEW, 2)
PODS = Observation(pods=True)


@pytest.mark.parametrize(
    "at",
    [
        situation(NEW, UPGRADING, UNASKED, generation=2),
        situation(APP, lost(), evolve(UNASKED, confirmed=True)),
        situation(SUSPENDED, written_ahead(APP, 2, job_id=None), UNASKED, generation=2),
    ],
)
def test_a_start_or_a_suspension_asks_first(at):
    """That the Deployment is gone, by whatever hand, proves nothing about what it owned."""
    assert plan.plan(at) == steps.Inquiry(Question.REMAINS)
    made = planned(at, remains=True)
    assert (names(made), made.wait) == ([], steps.Wait.PROBE)
    assert made.status == at.status
    assert planned(at, remains=False).status != at.status


def test_a_first_deployment_asks_nothing():
    """Nothing was ever there; each start would cost three requests more."""
    assert isinstance(plan.plan(situation(APP, None, UNASKED)), steps.Plan)


def test_a_status_that_was_lost_leaves_no_doubt_behind():
    """The next plan will take itself for the first, so Kubernetes has to do the waiting."""
    made = planned(situation(APP, None, Observation(job_manager=job_manager())))
    (deleted,) = (step for step in made.steps if isinstance(step, steps.DeleteCluster))
    assert deleted.foreground


def test_pods_in_the_cache_are_waited_for_without_asking():
    """Their end is an event."""
    made = plan.plan(situation(NEW, UPGRADING, PODS, generation=2))
    assert isinstance(made, steps.Plan)
    assert (names(made), made.wait) == ([], steps.Wait.PROGRESS)


def test_a_deletion_asks_first():
    """The finalizer, and HA metadata with it, stays until the last pod is gone."""
    for facts, remains in ((UNASKED, True), (PODS, False)):
        at = situation(APP, status_of(APP), facts, high_availability=True)
        assert "ReleaseFinalizer" not in names(cleaned(at, remains=remains))
        assert "DeleteHaMetadata" not in names(cleaned(at, remains=remains))
    at = situation(APP, status_of(APP), UNASKED)
    assert cleanup.cleanup(at) == steps.Inquiry(Question.REMAINS)
    assert "ReleaseFinalizer" in names(cleaned(at))


def test_a_deletion_that_need_not_wait_asks_nothing():
    """Background and Orphan: Kubernetes tidies up behind, or nobody does."""
    at = situation(APP, status_of(APP), PODS, pods_may_stay=True)
    assert names(cleaned(at)) == ["Cleanup", "ReleaseFinalizer"]


def test_taskmanagers_outlive_their_jobmanager():
    """A JobManager in its last seconds could give its job up, and the HA metadata with it."""
    facts = evolve(UNASKED, task_managers=task_managers())
    at = situation(
        standalone(NEW), written_ahead(standalone(NEW), 2), facts, generation=2, wants_ha=True
    )
    assert names(planned(at, remains=True)) == []
    assert names(planned(at)) == ["DeleteTaskManagers"]
    pods = evolve(at, observation=evolve(facts, pods=True))
    assert names(planned(pods)) == []


def test_nothing_is_asked_about_a_cluster_that_is_down():
    """A suspended job costs no request in each interval."""
    status = status_of(
        SUSPENDED,
        recorded_state=JobState.SUSPENDED,
        job=FlinkJobState.FINISHED,
        job_manager=JobManager.MISSING,
    )
    assert isinstance(plan.plan(situation(SUSPENDED, status, UNASKED)), steps.Plan)
    assert isinstance(plan.plan(situation(SUSPENDED, status, GONE)), steps.Plan)
