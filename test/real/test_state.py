"""What a user does with a job that has state: what it starts from, as Flink itself tells it."""

from collections.abc import Mapping
from typing import Any

import pytest
from fakes.flinkuser import FlinkDeployment, Place, job_state
from fakes.leanapi import CRS
from fakes.realflink import restored, stateful, wait_checkpoint

pytestmark = pytest.mark.usefixtures("operator")

ROLLBACK = {
    "kubernetes.operator.deployment.rollback.enabled": "true",
    "kubernetes.operator.deployment.readiness.timeout": "20 s",
}


def begun(place: Place, spec: dict[str, Any]) -> FlinkDeployment:
    """A job that runs and has completed a checkpoint, so that it has something to lose."""
    cluster = place.stable(spec)
    assert restored(cluster) is None
    wait_checkpoint(cluster)
    return cluster


def path_of(found: Any) -> str:
    """The path that a restore was made from, as a status names it."""
    return str(found["external_path"])


@pytest.mark.parametrize("ha", [True, False])
def test_savepoint_upgrade_suspension_and_resumption(place: Place, *, ha: bool) -> None:
    """Each new run starts from the savepoint that the one before it was stopped with."""
    cluster = begun(place, stateful("savepoint", ha=ha))
    cluster.wait_stable(cluster.change(restartNonce=1))
    taken = cluster.status["jobStatus"]["upgradeSavepointPath"]
    assert path_of(restored(cluster)) == taken

    generation = cluster.change(job={"state": "suspended"})
    cluster.wait_lifecycle("SUSPENDED", generation)
    second = cluster.status["jobStatus"]["upgradeSavepointPath"]
    assert second != taken
    cluster.wait_stable(cluster.change(job={"state": "running"}))
    found = restored(cluster)
    assert found["is_savepoint"]
    assert path_of(found) == second
    cluster.delete()
    cluster.wait_nothing_left()


def test_last_state_upgrade_from_ha_metadata(place: Place) -> None:
    """The next run starts from the newest checkpoint, without a savepoint."""
    cluster = begun(place, stateful("last-state"))
    cluster.wait_stable(cluster.change(restartNonce=1))
    assert not restored(cluster)["is_savepoint"]
    generation = cluster.change(job={"state": "suspended"})
    cluster.wait_lifecycle("SUSPENDED", generation)
    assert cluster.ha_config_maps()
    cluster.wait_stable(cluster.change(job={"state": "running"}))
    assert not restored(cluster)["is_savepoint"]
    cluster.delete()
    cluster.wait_nothing_left()


def test_last_state_upgrade_without_ha_metadata(place: Place) -> None:
    """The job is cancelled, and the next run starts from the last checkpoint it made."""
    cluster = begun(place, stateful("last-state", ha=False))
    cluster.wait_stable(cluster.change(restartNonce=1))
    path = path_of(restored(cluster))
    assert path == cluster.status["jobStatus"]["upgradeSavepointPath"]
    assert "/checkpoints/" in path
    cluster.delete()


def test_a_job_manager_deployment_that_is_deleted(place: Place) -> None:
    """It is made anew and the job goes on from its newest checkpoint."""
    cluster = begun(place, stateful("last-state"))
    former = cluster.uid
    place.api.delete(f"{place.apps('deployments')}/{cluster.name}")
    cluster.wait_new_job_manager(former)
    cluster.until(lambda found: job_state(found) == "RUNNING" and restored(cluster), what="back")
    cluster.delete()


def test_an_upgrade_that_fails_is_rolled_back(place: Place) -> None:
    """The stable spec runs again, with the state that the job had."""
    cluster = begun(place, stateful("last-state", flinkConfiguration=ROLLBACK))
    generation = cluster.change(job={"entryClass": "no.such.Main"})
    cluster.wait_lifecycle("ROLLED_BACK", generation).wait_job("RUNNING")
    assert restored(cluster) is not None
    cluster.wait_stable(cluster.change(job={"entryClass": None}))
    assert restored(cluster) is not None
    cluster.delete()


def test_snapshots_by_nonce_and_by_resource(place: Place) -> None:
    """A FlinkStateSnapshot for each, COMPLETED with a path; deleted with its files."""
    cluster = begun(place, stateful("savepoint", ha=False))
    snapshots = f"{CRS}/namespaces/{place.namespace}/flinkstatesnapshots"
    cluster.change(job={"savepointTriggerNonce": 1})
    (taken,) = place.api.until(snapshots, lambda found: completed(found, cluster.name))
    assert taken["status"]["path"].startswith("file:/data/savepoints")
    cluster.change(job={"checkpointTriggerNonce": 1})
    both = place.api.until(snapshots, lambda found: completed(found, cluster.name, 2))
    assert {"savepoint", "checkpoint"} <= {member for one in both for member in one["spec"]}
    cluster.delete()
    cluster.wait_gone()


def completed(found: Mapping[str, Any], job: str, count: int = 1) -> list[Any]:
    """The snapshots of a job, once that many are COMPLETED."""
    done = [
        one
        for one in found.values()
        if one["spec"]["jobReference"]["name"] == job
        and one.get("status", {}).get("state") == "COMPLETED"
    ]
    return done if len(done) >= count else []


def test_a_standalone_cluster_with_state(place: Place) -> None:
    """Its TaskManagers are the operator's; a last-state upgrade keeps the state all the same."""
    cluster = begun(place, {**stateful("last-state"), "mode": "standalone"})
    cluster.wait_stable(cluster.change(restartNonce=1))
    assert restored(cluster) is not None
    cluster.delete()
    cluster.wait_nothing_left()
