"""Jobs on session clusters: submitted, watched, deleted."""

import json

import pytest
from fakes.countedoperator import LABEL
from fakes.flinkuser import condition, job_state
from fakes.sessionjobuser import JOB, SessionJob, session_cluster, stable_cluster

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


def test_a_session_job_becomes_stable(place):
    """Its id stands in the status, and Flink runs it once, under its name."""
    job = SessionJob(stable_cluster(place)).submit().wait_stable()
    status = job.status
    assert status["jobStatus"]["state"] == "RUNNING"
    assert status["jobStatus"]["jobName"] == job.name
    assert condition(job.get(), "Ready")["status"] == "True"
    [run] = job.runs()
    assert run["job_id"] == job.job_id
    assert job.wait_event("Submit")["source"]["component"] == "Job"
    job.wait_event("JobStatusChanged", words="to RUNNING")


def test_a_session_job_is_cancelled_when_it_is_deleted(place):
    """And its resource goes when it has ended; the cluster stays."""
    job = SessionJob(stable_cluster(place)).submit().wait_stable()
    job.delete()
    job.wait_gone()
    assert job.ends() == ["CANCELED"]
    assert job.cluster.get()["status"]["jobManagerDeploymentStatus"] == "READY"


def test_a_session_job_waits_for_its_cluster(place):
    """It says so, and starts by itself as soon as the cluster is there."""
    cluster = place.flink()
    job = SessionJob(cluster).submit()
    job.wait_event("UnsupportedFlinkVersion", words=cluster.name)
    job.until(lambda obj: condition(obj, "Ready").get("reason") == "SessionClusterMissing")
    cluster.create(session_cluster())
    job.wait_stable()
    assert len(job.runs()) == 1


def test_many_jobs_on_one_cluster(place):
    """Each has an id of its own, and deleting one leaves the others alone."""
    cluster = stable_cluster(place)
    jobs = [SessionJob(cluster).submit() for _ in range(8)]
    for job in jobs:
        job.wait_stable()
    assert len({job.job_id for job in jobs}) == len(jobs)
    jobs[0].delete()
    jobs[0].wait_gone()
    assert [job_state(job.get()) for job in jobs[1:]] == ["RUNNING"] * 7
    assert all(len(job.runs()) == 1 for job in jobs)


def test_a_session_job_is_taken_over_as_it_runs(place):
    """What the reference wrote names the job that runs; it is neither submitted again nor restarted."""
    cluster = stable_cluster(place)
    running = cluster.submit_by_hand()
    job = SessionJob(cluster)
    spec = {"deploymentName": cluster.name, "job": dict(JOB)}
    job.create(spec, labels={LABEL: "true"})
    recorded = reference_form(spec)
    job.change_status(
        lifecycleState="STABLE",
        observedGeneration=1,
        jobStatus={"jobId": running, "state": "RUNNING", "jobName": "State machine job"},
        reconciliationStatus={
            "reconciliationTimestamp": 1700000000000,
            "state": "DEPLOYED",
            "lastReconciledSpec": recorded,
            "lastStableSpec": recorded,
        },
    )
    place.api.patch(job.path, {"metadata": {"labels": {LABEL: None}}})
    job.wait_condition("Ready")
    assert job.job_id == running
    assert job.events("Submit") == []
    [run] = cluster.runs()
    assert (run["job_id"], run["end"]) == (running, None)
    job.delete()
    job.wait_gone()
    assert cluster.ends() == ["CANCELED"]


def reference_form(spec):
    """A recorded spec as the reference writes it: all fields, with their nulls and defaults."""
    job = {
        "jarURI": None,
        "parallelism": 1,
        "entryClass": None,
        "args": [],
        "state": "running",
        "savepointTriggerNonce": None,
        "initialSavepointPath": None,
        "checkpointTriggerNonce": None,
        "upgradeMode": "stateless",
        "allowNonRestoredState": None,
        "savepointRedeployNonce": None,
        "autoscalerResetNonce": None,
        **spec["job"],
    }
    document = {
        "spec": {
            "job": job,
            "restartNonce": None,
            "flinkConfiguration": None,
            "deploymentName": spec["deploymentName"],
        },
        "resource_metadata": {
            "apiVersion": "flink.apache.org/v1beta1",
            "firstDeployment": True,
        },
    }
    return json.dumps(document, separators=(",", ":"))
