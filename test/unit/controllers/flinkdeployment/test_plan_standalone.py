"""Standalone clusters: their TaskManagers' Deployment, which no JobManager owns, and scaling in place."""

import pytest
from attrs import evolve
from fakes.deployments import (
    GONE,
    application,
    job_manager,
    session,
    situation,
    standalone,
    status_of,
    task_managers,
    up,
    upgrading,
    with_job,
)
from fakes.plans import cleaned, lost, names, planned, recon, recorded_job, step, suspended

from flinkop.api.common import JobState, TaskManagerSpec, UpgradeMode
from flinkop.api.status import FlinkJobState, JobManagerDeploymentStatus, ReconciliationState
from flinkop.controllers.flinkdeployment.observation import Observation
from flinkop.controllers.flinkdeployment.planning import steps
from flinkop.lifecycle import record

APP = standalone(application())
SESSION = standalone(session())
NEW = evolve(APP, image="flink:2.0")
WIDER = with_job(APP, parallelism=3)
WHOLE = evolve(up(), task_managers=task_managers())
LEFT = Observation(task_managers=task_managers())
GOING = Observation(task_managers=task_managers(deleting=True))


@pytest.mark.parametrize("spec", [APP, SESSION])
def test_a_change_takes_both_deployments_down(spec):
    """JobManager and TaskManagers go together; it starts no others, so it is not scaled down first."""
    status = status_of(spec)
    made = planned(situation(evolve(spec, image="b"), status, WHOLE, generation=2))
    assert names(made)[-2:] == ["DeleteCluster", "DeleteTaskManagers"]
    assert step(made, steps.DeleteCluster).scale_down is False
    assert step(made, steps.DeleteTaskManagers).uid == "task-managers-uid"


def test_with_ha_the_jobmanager_goes_first():
    """Without TaskManagers it might give the job up and remove its metadata before it ends itself."""
    made = planned(situation(NEW, status_of(APP), WHOLE, generation=2, high_availability=True))
    assert names(made)[-1] == "DeleteCluster"
    rest = planned(situation(NEW, upgrading(NEW, 2), LEFT, generation=2, high_availability=True))
    assert names(rest) == ["DeleteTaskManagers"]


@pytest.mark.parametrize(
    ("spec", "status"),
    [
        (APP, None),
        (NEW, upgrading(NEW, 2)),
        (NEW, status_of(APP)),
        (APP, lost(APP)),
        (APP, suspended()),
        (with_job(APP, state=JobState.SUSPENDED), suspended()),
        (SESSION, upgrading(SESSION, 2)),
    ],
    ids=["first", "upgrading", "changed", "lost", "resumed", "suspended", "session"],
)
def test_nothing_is_made_while_old_taskmanagers_are_there(spec, status):
    """They go, and their end is waited for; only then a JobManager comes, or the job counts as suspended."""
    at = situation(spec, status, LEFT, generation=2)
    assert names(planned(at)) == ["DeleteTaskManagers"]
    waiting = planned(evolve(at, observation=GOING))
    assert (waiting.steps, waiting.status) == ((), at.status)
    assert waiting.wait == steps.Wait.PROGRESS
    assert "DeleteTaskManagers" not in names(planned(evolve(at, observation=GONE)))


def test_a_suspension_ends_when_both_are_gone():
    """Until then the record does not say so."""
    wanted = with_job(APP, state=JobState.SUSPENDED)
    status = upgrading(wanted, 2, job_id=None)
    half = planned(situation(wanted, status, GOING, generation=2))
    assert recon(half.status) is ReconciliationState.UPGRADING
    done = planned(situation(wanted, status, GONE, generation=2))
    assert recon(done.status) is ReconciliationState.DEPLOYED


def test_a_submission_is_finished_without_looking_at_taskmanagers():
    """The JobManager of this generation is there: whatever is missing beside it is made, and no more."""
    facts = Observation(job_manager=job_manager(2))
    for seen in (facts, evolve(facts, task_managers=task_managers())):
        made = planned(situation(NEW, upgrading(NEW, 2), seen, generation=2))
        assert names(made) == ["Submit", "Submit"]


# --- a Deployment of somebody else


def test_a_foreign_deployment_by_the_taskmanagers_name():
    """Told before anything is made; to a native cluster it does not matter."""
    facts = Observation(task_managers=task_managers(ours=False))
    made = planned(situation(APP, observation=facts))
    assert names(made) == ["Error"]
    assert made.stall is not None
    assert made.stall.reason == "NameTaken"
    assert "basic-taskmanager" in made.stall.message
    assert "Submit" in names(planned(situation(application(), observation=facts)))


# --- lost TaskManagers


@pytest.mark.parametrize(
    ("spec", "restored"),
    [(APP, True), (SESSION, True), (application(), False), (session(), False)],
    ids=["application", "session", "native application", "native session"],
)
def test_lost_taskmanagers_are_made_again(spec, restored):
    """Beside the JobManager that waits for them, as they were deployed; told as a recovery."""
    made = planned(situation(spec, status_of(spec), up()))
    assert names(made) == (["RecoverDeployment", "RestoreTaskManagers"] if restored else [])
    if restored:
        assert step(made, steps.RestoreTaskManagers).spec.image == spec.image
        assert made.wait == steps.Wait.PROBE


@pytest.mark.parametrize(
    ("status", "facts"),
    [
        (status_of(APP, job=FlinkJobState.FINISHED), up()),
        (status_of(APP, recorded_state=JobState.SUSPENDED), up()),
        (status_of(APP), WHOLE),
        (status_of(APP), evolve(WHOLE, task_managers=task_managers(deleting=True))),
        (status_of(APP), Observation(job_manager=job_manager(deleting=True))),
    ],
    ids=["ended", "suspended", "there", "going", "JobManager going"],
)
def test_taskmanagers_that_nobody_waits_for(status, facts):
    """Not made for a job that has ended, nor before their old Deployment or the cluster is gone."""
    assert "RestoreTaskManagers" not in names(planned(situation(APP, status, facts)))


# --- scaling in place


def scaled(spec=WIDER, status=None, facts=WHOLE, **options):
    options = {"reactive": True, "task_managers": 3, **options}
    return planned(situation(spec, status or status_of(APP), facts, generation=2, **options))


def test_a_reactive_job_is_scaled_without_a_restart():
    """Only the number of TaskManagers changes; the new spec is recorded, and stable once seen running."""
    made = scaled()
    assert names(made) == ["SpecChanged", "ScaleTaskManagers"]
    assert step(made, steps.ScaleTaskManagers).replicas == 3
    assert recon(made.status) is ReconciliationState.DEPLOYED
    assert recorded_job(made.status).parallelism == 3
    assert made.status.observed_generation == 2
    assert made.status.job_status == status_of(APP).job_status
    assert made.status.task_manager is not None
    assert made.status.task_manager.replicas == 3
    assert not record.is_stable(made.status)
    assert made.wait == steps.Wait.PROBE


def test_what_is_scaled_already_is_only_recorded():
    """By a process that died before it wrote so, or because the slots suffice."""
    made = scaled(task_managers=2)
    assert names(made) == ["SpecChanged"]
    assert recorded_job(made.status).parallelism == 3


def test_a_session_cluster_is_scaled_without_a_restart():
    """Its jobs stay; the reactive mode is for applications only."""
    before = evolve(SESSION, task_manager=TaskManagerSpec(replicas=2))
    after = evolve(SESSION, task_manager=TaskManagerSpec(replicas=3))
    made = scaled(after, status_of(before), reactive=False)
    assert names(made) == ["SpecChanged", "ScaleTaskManagers"]


@pytest.mark.parametrize(
    "options",
    [
        {"reactive": False},
        {"spec": evolve(WIDER, image="b")},
        {"facts": up()},
        {"facts": evolve(WHOLE, task_managers=task_managers(deleting=True))},
        {"status": status_of(APP, state=ReconciliationState.ROLLED_BACK)},
    ],
    ids=["fixed parallelism", "other image", "no TaskManagers", "going", "rolled back"],
)
def test_what_cannot_be_scaled_is_replaced(options):
    """The cluster goes, and another comes."""
    found = names(scaled(**options))
    assert "ScaleTaskManagers" not in found
    assert "DeleteCluster" in found


def test_a_native_cluster_is_not_scaled_by_its_deployment():
    """Its JobManager makes TaskManagers as it needs them."""
    native = application()
    made = scaled(with_job(native, parallelism=3), status_of(native), up())
    assert "DeleteCluster" in names(made)


# --- deletion


@pytest.mark.parametrize("spec", [APP, SESSION])
def test_deletion_takes_both(spec):
    """The finalizer stays until the TaskManagers are gone, too."""
    first = cleaned(situation(spec, status_of(spec), evolve(WHOLE, rest=GONE.rest)))
    assert names(first) == ["Cleanup", "DeleteCluster", "DeleteTaskManagers"]
    status = first.status
    assert names(cleaned(situation(spec, status, LEFT))) == ["DeleteTaskManagers"]
    assert names(cleaned(situation(spec, status, GOING))) == []
    assert names(cleaned(situation(spec, status, GONE))) == ["ReleaseFinalizer"]


def test_deletion_with_ha_takes_the_jobmanager_first():
    """Then the TaskManagers, then the metadata, then the finalizer."""
    options = {"high_availability": True}
    seen = [WHOLE, LEFT, GOING, GONE]
    made = [cleaned(situation(APP, status_of(APP), facts, **options)) for facts in seen]
    assert [names(one)[1:] for one in made] == [
        ["CancelJob", "DeleteCluster"],
        ["DeleteTaskManagers"],
        [],
        ["DeleteHaMetadata", "ReleaseFinalizer"],
    ]


def test_deletion_leaves_the_belongings_of_others_alone():
    """A Deployment by that name that is not ours neither goes nor holds the resource up."""
    facts = Observation(task_managers=task_managers(ours=False))
    assert names(cleaned(situation(APP, None, facts))) == ["Cleanup", "ReleaseFinalizer"]


def test_deletion_beside_a_foreign_jobmanager_takes_the_taskmanagers():
    """What is ours goes, whatever stands beside it."""
    facts = evolve(LEFT, job_manager=job_manager(ours=False))
    assert "DeleteTaskManagers" in names(cleaned(situation(APP, status_of(APP), facts)))


def test_a_job_with_state_keeps_its_taskmanagers():
    """What cannot be done yet is told, and nothing is touched."""
    status = status_of(
        APP, job_manager=JobManagerDeploymentStatus.MISSING, mode=UpgradeMode.LAST_STATE
    )
    wanted = with_job(NEW, upgrade_mode=UpgradeMode.LAST_STATE)
    made = planned(situation(wanted, status, LEFT, generation=2))
    assert "DeleteTaskManagers" not in names(made)
    assert made.stall is not None
