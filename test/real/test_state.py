"""What a user does with a job that has state: what it goes on from, and that its count stays exact."""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from fakes.apiuser import ApiUser
from fakes.flinkuser import FlinkDeployment, job_state
from fakes.leanapi import CRS
from fakes.realflink import KUBECONFIG, proxied, restored, stateful, wait_checkpoint
from fakes.realplace import RealPlace, arguments

pytestmark = pytest.mark.usefixtures("operator")

ROLLBACK = {
    "kubernetes.operator.deployment.rollback.enabled": "true",
    "kubernetes.operator.deployment.readiness.timeout": "20 s",
}


def begun(place: RealPlace, spec: dict[str, Any]) -> FlinkDeployment:
    """A job that counts from nothing and has completed a checkpoint, so that it has something to lose."""
    cluster = place.stable(spec)
    assert restored(cluster) is None
    wait_checkpoint(cluster)
    return cluster


def path_of(found: Any) -> str:
    """The path that a restore was made from, as a status names it."""
    return str(found["external_path"])


def delete_pods(place: RealPlace, cluster: FlinkDeployment, component: str) -> None:
    """Kill the pods of a component as a node does that is lost: without any grace."""
    selector = f"app={cluster.name},component={component}"
    for pod in place.api.list(place.core("pods"), label_selector=selector):
        body = {"gracePeriodSeconds": 0}
        place.api.request("DELETE", f"{place.core('pods')}/{pod}", body)


@pytest.mark.parametrize("ha", [True, False])
def test_savepoint_upgrade_suspension_and_resumption(place: RealPlace, *, ha: bool) -> None:
    """Each new run starts from the savepoint that the one before it was stopped with."""
    cluster = begun(place, stateful("savepoint", ha=ha))
    cluster.wait_stable(cluster.change(restartNonce=1))
    taken = cluster.status["jobStatus"]["upgradeSavepointPath"]
    assert path_of(restored(cluster)) == taken
    place.wait_counting(cluster, 2)

    generation = cluster.change(job={"state": "suspended"})
    cluster.wait_lifecycle("SUSPENDED", generation)
    second = cluster.status["jobStatus"]["upgradeSavepointPath"]
    assert second != taken
    cluster.wait_stable(cluster.change(job={"state": "running"}))
    found = restored(cluster)
    assert found["is_savepoint"]
    assert path_of(found) == second
    assert place.wait_counting(cluster, 3).repeated() == [0, 0]
    cluster.delete()
    cluster.wait_nothing_left()


def test_another_parallelism_with_a_savepoint(place: RealPlace) -> None:
    """The state is spread anew, and nothing of it is lost."""
    cluster = begun(place, stateful("savepoint", ha=False))
    cluster.wait_stable(cluster.change(job={"parallelism": 2}))
    place.wait_counting(cluster, 2)
    cluster.wait_stable(cluster.change(job={"parallelism": 1}))
    assert place.wait_counting(cluster, 3).repeated() == [0, 0]
    cluster.delete()


def test_last_state_upgrade_from_ha_metadata(place: RealPlace) -> None:
    """The next run starts from the newest checkpoint, without a savepoint."""
    cluster = begun(place, stateful("last-state"))
    cluster.wait_stable(cluster.change(restartNonce=1))
    assert not restored(cluster)["is_savepoint"]
    place.wait_counting(cluster, 2)
    generation = cluster.change(job={"state": "suspended"})
    cluster.wait_lifecycle("SUSPENDED", generation)
    assert cluster.ha_config_maps()
    cluster.wait_stable(cluster.change(job={"state": "running"}))
    assert not restored(cluster)["is_savepoint"]
    ledger = place.wait_counting(cluster, 3)
    assert all(run.snapshot for run in ledger.runs[1:])
    cluster.delete()
    cluster.wait_nothing_left()


def test_last_state_upgrade_without_ha_metadata(place: RealPlace) -> None:
    """The job is cancelled, and the next run starts from the last checkpoint it made."""
    cluster = begun(place, stateful("last-state", ha=False))
    cluster.wait_stable(cluster.change(restartNonce=1))
    path = path_of(restored(cluster))
    assert path == cluster.status["jobStatus"]["upgradeSavepointPath"]
    assert "/checkpoints/" in path
    assert place.wait_counting(cluster, 2).runs[1].snapshot
    cluster.delete()


def test_last_state_upgrade_while_somebody_looks_at_the_checkpoints(place: RealPlace) -> None:
    """Flink answers from a cache of three seconds, which an open web page keeps filled; the newest checkpoint counts."""
    cluster = begun(place, stateful("last-state", ha=False))
    path = proxied(cluster, f"/jobs/{cluster.status['jobStatus']['jobId']}/checkpoints")
    with looking(path):
        cluster.wait_stable(cluster.change(restartNonce=1))
    assert place.wait_counting(cluster, 2).runs[1].snapshot
    cluster.delete()


@contextlib.contextmanager
def looking(path: str) -> Iterator[None]:
    """Somebody else asks for `path` again and again."""
    ended = threading.Event()

    def ask() -> None:
        with contextlib.closing(ApiUser(Path(KUBECONFIG))) as api:
            while not ended.wait(0.2):
                api.ask("GET", path, None)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_a_job_manager_deployment_that_is_deleted(place: RealPlace) -> None:
    """It is made anew and the job goes on from its newest checkpoint."""
    cluster = begun(place, stateful("last-state"))
    former = cluster.uid
    place.api.delete(f"{place.apps('deployments')}/{cluster.name}")
    cluster.wait_new_job_manager(former)
    assert place.wait_counting(cluster, 2).runs[1].snapshot
    cluster.wait_stable()
    cluster.delete()


@pytest.mark.parametrize("component", ["jobmanager", "taskmanager"])
def test_a_pod_that_is_killed(place: RealPlace, component: str) -> None:
    """Flink goes on from its newest checkpoint by itself, under the same Deployment."""
    cluster = begun(place, stateful("last-state"))
    former = cluster.uid
    delete_pods(place, cluster, component)
    assert place.wait_counting(cluster, 2).runs[1].snapshot
    cluster.until(lambda found: job_state(found) == "RUNNING", what="running")
    cluster.wait_stable()
    assert cluster.uid == former
    cluster.delete()


@pytest.mark.parametrize(
    "fault", [{"entryClass": "no.such.Main"}, {"args": ["--throw", "main"]}], ids=["class", "main"]
)
def test_an_upgrade_that_fails_is_rolled_back(place: RealPlace, fault: dict[str, Any]) -> None:
    """The stable spec runs again, with the state that the job had; the next spec with it too."""
    cluster = begun(place, stateful("last-state", flinkConfiguration=ROLLBACK))
    generation = cluster.change(job=fault)
    cluster.wait_lifecycle("ROLLED_BACK", generation).wait_job("RUNNING")
    assert place.wait_counting(cluster, 2).runs[1].snapshot
    mended = {"entryClass": None, "args": arguments(cluster.name)}
    cluster.wait_stable(cluster.change(job=mended, restartNonce=1))
    assert place.wait_counting(cluster, 3).runs[2].snapshot
    cluster.delete()


def test_a_job_that_throws_in_main(place: RealPlace) -> None:
    """What it threw is told on the resource; the mended spec runs."""
    cluster = place.create(stateful("savepoint", job={"args": ["--throw", "main"]}))
    cluster.wait_error("asked to throw in main")
    cluster.wait_stable(cluster.change(job={"args": arguments(cluster.name)}))
    place.wait_counting(cluster, 1)
    cluster.delete()


def test_snapshots_by_nonce_and_by_resource(place: RealPlace) -> None:
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


def test_periodic_savepoints_are_taken_and_cleaned_up(place: RealPlace) -> None:
    """Those that are too many go, files and all."""
    every = {
        "kubernetes.operator.periodic.savepoint.interval": "10 s",
        "kubernetes.operator.savepoint.history.max.count": "2",
    }
    before = place.savepoints()
    cluster = begun(place, stateful("savepoint", ha=False, flinkConfiguration=every))
    seen: set[str] = set()

    def cleaned_up(_: object) -> bool:
        there = place.savepoints() - before
        seen.update(there)
        return len(seen) >= 4 and len(there) <= 2

    place.wait_ledger(cluster, cleaned_up, "four savepoints, of which two are left")
    assert not place.ledger(cluster).faults
    cluster.delete()


def completed(found: Mapping[str, Any], job: str, count: int = 1) -> list[Any]:
    """The snapshots of a job, once that many are COMPLETED."""
    done = [
        one
        for one in found.values()
        if one["spec"]["jobReference"]["name"] == job
        and one.get("status", {}).get("state") == "COMPLETED"
    ]
    return done if len(done) >= count else []


def test_a_standalone_cluster_with_state(place: RealPlace) -> None:
    """Its TaskManagers are the operator's; a last-state upgrade keeps the state all the same."""
    cluster = begun(place, {**stateful("last-state"), "mode": "standalone"})
    cluster.wait_stable(cluster.change(restartNonce=1))
    assert place.wait_counting(cluster, 2).runs[1].snapshot
    cluster.delete()
    cluster.wait_nothing_left()
