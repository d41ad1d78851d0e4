"""A namespace is taken over from the reference, and nothing happens to what runs in it; then it can be changed."""

import asyncio
import json

import pytest
from fakes import referenceform, referencemade
from fakes.countedoperator import counting
from fakes.flinkuser import call
from fakes.programs import pause
from fakes.reference import Reference
from fakes.referencemade import JOB_ID, RELEASES

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

APPLICATIONS = {
    "1.0": "v1_15/native-app-ha",
    "1.5": "v1_15/native-app-ha",
    "1.16": "v1_20/native-app-ha",
}
SESSIONS = {
    "1.0": "v1_15/native-session-ha",
    "1.5": "v1_15/native-session-ha",
    "1.16": "v1_20/native-session-ha",
}
SAVEPOINT = {"job": {"upgradeMode": "savepoint", "args": ["--by", "savepoint"]}}
LAST_STATE = {"job": {"upgradeMode": "last-state", "args": ["--by", "last-state"]}}


def looked(cluster, times):
    """Wait until the operator has asked Flink for its jobs so many times more."""

    def looks():
        return cluster.sim()["calls"].get("GET /jobs/overview", 0)

    before = looks()
    while looks() < before + times:
        pause(0.1)


def taken_over(made):
    """Wait until flinkop has made the resource its own, and looked at it a few times more."""
    made.cluster.wait_condition("Ready")
    looked(made.cluster, 4)


def only_the_status_was_written(operator, cluster, at_most):
    """No object but the resource's status was changed, and that not more often than needed."""
    writes = [str(exchange.request) for exchange in operator.writes()]
    about = f"patch flinkdeployments/status {cluster.place.namespace}/{cluster.name}"
    assert set(writes) == {about}, writes
    assert len(writes) <= at_most, writes


def read_by_the_reference(made):
    """The reference, started on what is there."""
    obj = made.cluster.get()
    status = obj["status"]
    assert referenceform.problems(status) == []
    [job] = call("GET", f"{made.cluster.rest}/jobs/overview")["jobs"]
    return Reference(
        status=json.loads(json.dumps(status)),
        spec=obj["spec"],
        generation=obj["metadata"]["generation"],
        deployment={"generation": obj["metadata"]["generation"]},
        jobs=[{"id": job["jid"], "state": job["state"]}],
        metadata=status["jobStatus"]["jobId"],
        high_availability=True,
    )


@pytest.mark.parametrize("release", RELEASES)
async def test_an_application_is_taken_over_and_upgraded(stage, place, tmp_path, release):
    """Nothing restarts, no object changes; then both stateful upgrades lose nothing; then the way back is open."""
    made = await asyncio.to_thread(referencemade.make, place, APPLICATIONS[release], release)
    cluster = made.cluster
    made.write(made.running())
    snapshot = made.add_snapshot()
    before = made.objects(), place.api.get(snapshot)
    async with counting(stage, place, tmp_path) as operator:
        await asyncio.to_thread(taken_over, made)
        # 1.0 had no observedGeneration, which comes when the spec was compared.
        only_the_status_was_written(operator, cluster, 2 if release == "1.0" else 1)
        assert (made.objects(), place.api.get(snapshot)) == before
        assert cluster.ends() == [None]
        assert cluster.status["lifecycleState"] == "STABLE"
        assert cluster.status["observedGeneration"] == 1
        kept = cluster.status["reconciliationStatus"]
        assert kept == made.running()["reconciliationStatus"]

        await asyncio.to_thread(cluster.wait_stable, cluster.change(**SAVEPOINT))
        await asyncio.to_thread(cluster.wait_checkpoint)
        await asyncio.to_thread(cluster.wait_stable, cluster.change(**LAST_STATE))
        runs = cluster.runs()
        assert [run["end"] for run in runs] == ["FINISHED", "JOBMANAGER_LOST", None]
        assert [run["lost"] for run in runs] == [0, 0, 0]
        assert runs[1]["restored_from"].startswith("s3://bucket/sp/savepoint-")
    theirs = read_by_the_reference(made).run()
    assert (theirs.lifecycle, theirs.starts) == ("STABLE", [])


@pytest.mark.parametrize("release", RELEASES)
async def test_a_session_cluster_is_taken_over(stage, place, tmp_path, release):
    """Its jobs go on, under their own ids."""
    made = await asyncio.to_thread(referencemade.make, place, SESSIONS[release], release)
    cluster = made.cluster
    job = await asyncio.to_thread(cluster.submit_by_hand)
    await asyncio.to_thread(cluster.wait_checkpoint)
    made.write(made.running())
    before = made.objects()
    async with counting(stage, place, tmp_path) as operator:
        await asyncio.to_thread(taken_over, made)
        only_the_status_was_written(operator, cluster, 2 if release == "1.0" else 1)
        assert made.objects() == before
        assert cluster.ends() == [None]
        assert cluster.status["lifecycleState"] == "STABLE"

        former = cluster.uid
        await asyncio.to_thread(cluster.wait_stable, cluster.change(restartNonce=1))
        assert cluster.uid != former
        runs = await asyncio.to_thread(cluster.wait_runs, lambda runs: runs[-1]["end"] is None)
        assert [run["lost"] for run in runs] == [0, 0]
        [recovered] = call("GET", f"{cluster.rest}/jobs/overview")["jobs"]
        assert recovered["jid"] == job
    assert referenceform.problems(cluster.status) == []


async def test_a_standalone_application_is_taken_over(stage, place, tmp_path):
    """Its TaskManagers' Deployment is left alone, too."""
    made = await asyncio.to_thread(referencemade.make, place, "v1_20/standalone-app-ha")
    made.write(made.running())
    before = made.objects()
    async with counting(stage, place, tmp_path) as operator:
        await asyncio.to_thread(taken_over, made)
        only_the_status_was_written(operator, made.cluster, 1)
        assert made.objects() == before
        assert made.cluster.ends() == [None]


async def test_a_cluster_without_owners_goes_with_its_resource(stage, place, tmp_path):
    """What releases before 1.4 made belongs to nobody in Kubernetes; the operator takes it away all the same."""
    made = await asyncio.to_thread(referencemade.make, place, APPLICATIONS["1.0"], "1.0")
    made.write(made.running())
    async with counting(stage, place, tmp_path):
        await asyncio.to_thread(taken_over, made)
        await asyncio.to_thread(made.cluster.delete)
        await asyncio.to_thread(made.cluster.wait_nothing_left)
    assert None not in made.cluster.ends()


async def test_an_upgrade_is_finished_that_the_reference_began(stage, place, tmp_path):
    """It has stopped the job with a savepoint, and died: the job goes on from there, once."""
    made = await asyncio.to_thread(referencemade.make, place, APPLICATIONS["1.16"])
    cluster = made.cluster
    running = made.running()
    await asyncio.to_thread(cluster.change, **SAVEPOINT)
    path = await asyncio.to_thread(stopped, cluster)
    made = referencemade.Made(cluster, cluster.get()["spec"], "1.16")
    recon = running["reconciliationStatus"]
    upgrade = {
        "lastReconciledSpec": made.recorded(2, state="suspended", upgradeMode="savepoint"),
        "state": "UPGRADING",
    }
    made.write(
        {
            **running,
            "jobStatus": {
                **running["jobStatus"],
                "state": "FINISHED",
                "upgradeSavepointPath": path,
            },
            "observedGeneration": 2,
            "lifecycleState": "UPGRADING",
            "reconciliationStatus": {**recon, **upgrade},
            "taskManager": {"labelSelector": "", "replicas": 0},
        }
    )
    async with counting(stage, place, tmp_path):
        await asyncio.to_thread(cluster.wait_stable, 2)
    runs = cluster.runs()
    assert [run["end"] for run in runs] == ["FINISHED", None]
    assert runs[-1]["restored_from"] == path
    assert runs[-1]["lost"] == 0
    assert cluster.status["jobStatus"]["jobId"] != JOB_ID


async def test_a_cancellation_is_finished_that_the_reference_asked_for(stage, place, tmp_path):
    """The recorded spec is still the old one; the job's last checkpoint is what counts."""
    conf = {"kubernetes.operator.job.upgrade.last-state.job-cancel.enabled": "true"}
    made = await asyncio.to_thread(
        referencemade.make, place, APPLICATIONS["1.16"], flinkConfiguration=conf
    )
    cluster = made.cluster
    running = made.running()
    await asyncio.to_thread(cluster.change, **LAST_STATE)
    recon = running["reconciliationStatus"]
    text = made.recorded(1, state="running", upgradeMode="savepoint").replace(
        '"firstDeployment":true', '"firstDeployment":false'
    )
    made.write(
        {
            **running,
            "jobStatus": {**running["jobStatus"], "state": "CANCELLING"},
            "lifecycleState": "UPGRADING",
            "reconciliationStatus": {**recon, "lastReconciledSpec": text, "state": "UPGRADING"},
        }
    )
    call("PATCH", f"{cluster.rest}/jobs/{JOB_ID}?mode=cancel")
    await asyncio.to_thread(cluster.wait_runs, lambda runs: runs[-1]["end"] == "CANCELED")
    async with counting(stage, place, tmp_path):
        await asyncio.to_thread(cluster.wait_stable, 2)
    runs = cluster.runs()
    assert [run["end"] for run in runs] == ["CANCELED", None]
    assert "/chk-" in runs[-1]["restored_from"]
    assert runs[-1]["lost"] == 0


def stopped(cluster):
    """Stop the job with a savepoint, by hand; returns its path."""
    trigger = call("POST", f"{cluster.rest}/jobs/{JOB_ID}/stop", {"drain": False})["request-id"]
    while True:
        found = call("GET", f"{cluster.rest}/jobs/{JOB_ID}/savepoints/{trigger}")
        if found["status"]["id"] == "COMPLETED":
            return found["operation"]["location"]
        pause(0.05)
