"""HA metadata in ZooKeeper: which place a plan means, and what becomes of a job when the place changes."""

import datetime as dt

import pytest
from attrs import evolve
from fakes.deployments import (
    GONE,
    NOW_MS,
    application,
    job_manager,
    situation,
    status_of,
    up,
    upgrading,
    with_job,
)
from fakes.plans import APP, cleaned, lost, names, planned, recorded_job, step, suspended

from flinkop.api.common import JobState, UpgradeMode
from flinkop.api.status import FlinkJobState, JobManagerDeploymentStatus as JobManager
from flinkop.controllers.flinkdeployment import plan
from flinkop.controllers.flinkdeployment.observation import Observation
from flinkop.controllers.flinkdeployment.planning import steps
from flinkop.controllers.jobs import telling as job_telling
from flinkop.lifecycle import record
from flinkop.lifecycle.ha_zookeeper import ZooKeeper
from flinkop.lifecycle.upgrade import LAST_STATE_PATH
from flinkop.zookeeper.ensemble import Ensemble

SAVEPOINT, LAST_STATE = UpgradeMode.SAVEPOINT, UpgradeMode.LAST_STATE
HERE = ZooKeeper(Ensemble(("zk:2181",)), "/flink/basic", ("/flink/basic/jobgraphs",))
THERE = evolve(HERE, path="/other/basic")
NEW = application(image="flink:2.0")


def at(spec, status, observation=GONE, *, generation=2, runs=HERE, wanted=HERE, **more):
    """A cluster that keeps metadata in `runs`; a new one would in `wanted`."""
    return situation(
        spec,
        status,
        observation,
        generation=generation,
        high_availability=True,
        zookeeper=runs,
        zookeeper_of=lambda _spec: wanted,
        **more,
    )


def wants(spec, mode):
    """Return `spec` with an upgradeMode."""
    return with_job(spec, upgrade_mode=mode)


def test_a_start_clears_the_place_where_the_new_cluster_looks():
    """Another run's metadata would win over the savepoint, and its graphs over nothing."""
    first = planned(situation(APP, None, GONE, high_availability=True, zookeeper_of=lambda _: HERE))
    assert step(first, steps.DropJobGraphs) == steps.DropJobGraphs(HERE)
    status = upgrading(wants(NEW, SAVEPOINT), 2, mode=SAVEPOINT, path="s3://savepoints/1")
    made = planned(at(wants(NEW, SAVEPOINT), status, wanted=THERE))
    assert step(made, steps.DeleteHaMetadata) == steps.DeleteHaMetadata(THERE)


@pytest.mark.parametrize(("runs", "wanted"), [(HERE, HERE), (None, None)])
def test_an_upgrade_from_metadata(runs, wanted):
    """The new cluster looks where the old one kept it."""
    begun = planned(at(wants(NEW, LAST_STATE), status_of(APP), up(), runs=runs, wanted=wanted))
    ahead = step(begun, steps.WriteAhead).status
    assert recorded_job(ahead).upgrade_mode is LAST_STATE
    made = planned(at(wants(NEW, LAST_STATE), ahead, runs=runs, wanted=wanted))
    assert step(made, steps.DropJobGraphs) == steps.DropJobGraphs(runs)
    assert step(made, steps.Submit).savepoint_path == LAST_STATE_PATH


@pytest.mark.parametrize(("runs", "wanted"), [(HERE, THERE), (HERE, None), (None, HERE)])
def test_an_upgrade_to_another_place(runs, wanted):
    """What is in the old place is of no use: the job is cancelled, and its last checkpoint is."""
    made = planned(at(wants(NEW, LAST_STATE), status_of(APP), up(), runs=runs, wanted=wanted))
    assert names(made)[-2:] == ["WriteAhead", "CancelJob"]
    ahead = step(made, steps.WriteAhead).status
    assert ahead.job_status.upgrade_savepoint_path == "s3://checkpoints/chk-5"
    assert recorded_job(ahead).upgrade_mode is SAVEPOINT


def test_a_lost_job_whose_new_spec_looks_elsewhere_is_not_guessed_at():
    """Its state is in the old place, and the old spec is what brings it back."""
    made = planned(at(wants(NEW, LAST_STATE), lost(APP, mode=LAST_STATE), wanted=THERE))
    assert "Submit" not in names(made)
    assert made.stall is not None


def test_a_job_suspended_with_its_metadata_is_not_resumed_elsewhere():
    """It would start empty, or from somebody else's."""
    status = suspended(mode=LAST_STATE)
    made = planned(at(wants(APP, LAST_STATE), status, wanted=THERE))
    assert "Submit" not in names(made)
    assert made.stall is not None
    assert "high-availability options back" in made.stall.message
    back = planned(at(wants(APP, LAST_STATE), status))
    assert step(back, steps.Submit).savepoint_path == LAST_STATE_PATH


def test_a_lost_job_comes_back_from_it():
    """R-83."""
    made = planned(at(APP, lost(APP, mode=LAST_STATE), generation=1, user_mode=LAST_STATE))
    assert step(made, steps.DropJobGraphs) == steps.DropJobGraphs(HERE)


def test_a_job_that_is_suspended_for_good_leaves_no_metadata():
    """In the place of the cluster that ran."""
    down = with_job(wants(APP, SAVEPOINT), state=JobState.SUSPENDED)
    status = upgrading(down, 2, mode=SAVEPOINT, path="s3://savepoints/1")
    made = planned(at(down, status, wanted=THERE))
    assert step(made, steps.DeleteHaMetadata) == steps.DeleteHaMetadata(HERE)


def test_a_resource_that_goes_takes_its_metadata_along():
    """But does not stay for it."""
    made = cleaned(at(APP, lost(APP), generation=1))
    assert step(made, steps.DeleteHaMetadata) == steps.DeleteHaMetadata(HERE, may_stay=True)
    assert names(made)[-1] == "ReleaseFinalizer"


def unstable(spec, mode):
    """A spec that was deployed long ago and is not stable yet, after one that was."""
    before = status_of(APP).reconciliation_status.last_stable_spec
    status = status_of(
        spec, generation=2, stable=False, mode=mode, job=FlinkJobState.RECONCILING,
        job_manager=JobManager.DEPLOYING,
    )  # fmt: skip
    recon = evolve(
        status.reconciliation_status,
        last_stable_spec=before,
        reconciliation_timestamp=NOW_MS - 3_600_000,
    )
    return evolve(status, reconciliation_status=recon)


@pytest.mark.parametrize(("wanted", "rolled"), [(HERE, True), (THERE, False), (None, False)])
def test_a_rollback_needs_the_stable_cluster_to_find_the_metadata(wanted, rolled):
    """`wanted` is that of the stable spec here."""
    broken = Observation(job_manager=job_manager(2, available=False))
    made = planned(
        at(
            wants(NEW, LAST_STATE),
            unstable(NEW, LAST_STATE),
            broken,
            wanted=wanted,
            rollback=True,
            readiness_timeout=dt.timedelta(minutes=5),
        )
    )
    assert ("Rollback" in names(made)) is rolled


def test_what_cannot_be_known_decides_nothing():
    """Said once, with what was observed; looked at again soon."""
    seen = at(APP, lost(APP, mode=LAST_STATE), generation=1)
    asked = plan.plan(evolve(seen, observation=Observation(confirmed=True)))
    assert isinstance(asked, steps.Inquiry)
    made = job_telling.unknown(seen, "ZooKeeper at zk:2181 does not answer")
    assert (names(made), made.wait) == (["Error"], steps.Wait.PROGRESS)
    assert made.status.job_manager_deployment_status is JobManager.MISSING
    assert record.last_reconciled(made.status) == record.last_reconciled(seen.status)
    again = job_telling.unknown(
        evolve(seen, last_error=made.status.error), "ZooKeeper at zk:2181 does not answer"
    )
    assert (again.steps, again.wait) == ((), steps.Wait.PROGRESS)
