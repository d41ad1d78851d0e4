"""What happens to jobs and JobManagers by themselves, and what the operator makes of it."""

import pytest
from fakes.flinkuser import app, condition, job_state

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


def test_a_batch_job_finishes(place):
    """STABLE and Ready, with the JobManager still there; a change runs it once more."""
    cluster = place.stable()
    cluster.order(job="finish")
    cluster.look()
    obj = cluster.wait_job("FINISHED").wait_stable().get()
    assert condition(obj, "Ready")["status"] == "True"
    assert condition(obj, "Ready")["message"] == "the job has finished"
    assert condition(obj, "Running")["reason"] == "Finished"
    former = cluster.uid
    cluster.wait_stable(cluster.look())
    assert job_state(cluster.get()) == "FINISHED"
    assert cluster.uid == former
    assert cluster.events("RecoverDeployment") == []
    cluster.wait_stable(cluster.change(job={"parallelism": 1}))
    assert cluster.uid != former


def test_a_failing_job(place):
    """FAILED, with Flink's exception in the status, in an event and in the conditions."""
    cluster = place.flink()
    cluster.order(job="fail", message="java.lang.IllegalStateException: out of luck")
    cluster.create(app()).wait_lifecycle("FAILED")
    obj = cluster.get()
    assert job_state(obj) == "FAILED"
    error = cluster.error()
    assert error["type"] == "org.apache.flink.util.SerializedThrowable"
    assert "out of luck" in str(error)
    said = cluster.wait_event("Error", words="out of luck")
    assert said["source"]["component"] == "Job"
    assert said["type"] == "Warning"
    assert condition(obj, "Stalled")["reason"] == "JobFailed"
    assert condition(obj, "Ready")["status"] == "False"
    assert cluster.job_manager is not None


def test_a_failed_job_runs_again_after_a_change(place):
    """The error goes with the new deployment."""
    cluster = place.flink()
    cluster.order(job="fail", message="boom")
    cluster.create(app()).wait_lifecycle("FAILED")
    cluster.no_orders()
    cluster.wait_stable(cluster.change(restartNonce=1))
    status = cluster.status
    assert "error" not in status
    assert condition(cluster.get(), "Stalled")["status"] == "False"


def test_a_job_cancelled_from_outside_starts_again(place):
    """Somebody cancelled it in Flink, while the resource says that it runs."""
    cluster = place.stable()
    job = cluster.status["jobStatus"]["jobId"]
    cluster.order(job="cancel")
    cluster.look()
    cluster.until(
        lambda obj: job_state(obj) == "RUNNING" and obj["status"]["jobStatus"]["jobId"] != job
    )
    cluster.wait_stable()
    cluster.wait_event("JobStatusChanged", words="to CANCELED")
    assert [end for end in cluster.ends() if end != "CANCELED"] == [None]


def test_a_restarting_job_is_followed(place):
    """Flink restarts the job by itself; the operator only tells of it."""
    cluster = place.stable()
    former = cluster.uid
    cluster.order(job="restart", delays={"restarting": 1.5})
    cluster.look()
    cluster.wait_job("RESTARTING")
    assert condition(cluster.get(), "Running")["status"] == "False"
    cluster.wait_job("RUNNING").wait_stable()
    assert cluster.uid == former


def test_a_job_manager_deployment_deleted_by_hand_comes_back(place):
    """Missing, then recovered: said in events, healed without help."""
    cluster = place.stable()
    former = cluster.uid
    place.api.delete(f"{place.apps('deployments')}/{cluster.name}")
    cluster.wait_new_job_manager(former)
    cluster.wait_job("RUNNING").wait_stable()
    assert cluster.wait_event("Missing")["message"] == "Missing JobManager deployment"
    assert cluster.wait_event("RecoverDeployment")["message"] == "Recovering lost deployment"
    cluster.until(lambda obj: "error" not in obj["status"], what="without error")


def test_recovery_can_be_switched_off(place):
    """The loss is reported, and nothing else happens."""
    option = {"kubernetes.operator.jm-deployment-recovery.enabled": "false"}
    cluster = place.stable(app(flinkConfiguration=option))
    place.api.delete(f"{place.apps('deployments')}/{cluster.name}")
    error = cluster.wait_error("Missing JobManager deployment")
    assert error["type"].endswith(".MissingJobManagerException")
    assert cluster.status["jobManagerDeploymentStatus"] == "MISSING"
    assert cluster.events("RecoverDeployment") == []


def test_a_job_manager_pod_deleted_by_hand_is_replaced(place):
    """Kubernetes makes a new pod, Flink starts the job anew, and the status follows."""
    cluster = place.stable()
    former, deployment = cluster.uid, cluster.job_manager["metadata"]["generation"]
    [pod] = cluster.objects()["Pod"]
    place.api.delete(f"{place.core('pods')}/{pod}")
    cluster.wait_pods(lambda pods: pods and pod not in pods)
    cluster.wait_runs(lambda runs: len(runs) == 2)
    cluster.wait_job("RUNNING").wait_stable()
    assert (cluster.uid, cluster.job_manager["metadata"]["generation"]) == (former, deployment)


def test_a_job_manager_that_restarts_in_place(place):
    """The container dies and comes back in the same pod."""
    cluster = place.stable()
    cluster.order(jobmanager="kill")
    cluster.look()
    cluster.wait_runs(lambda runs: len(runs) == 2)
    cluster.wait_job("RUNNING").wait_stable()


@pytest.mark.parametrize("trouble", ["down", "503", "500", "garbage"])
def test_a_job_manager_that_does_not_answer_well(place, trouble):
    """The job is RECONCILING, not gone; nothing is restarted, and all is well afterwards."""
    cluster = place.stable()
    former, job = cluster.uid, cluster.status["jobStatus"]["jobId"]
    cluster.order(rest=trouble)
    cluster.look()
    cluster.wait_job("RECONCILING")
    cluster.no_orders()
    cluster.wait_job("RUNNING").wait_stable()
    assert (cluster.uid, cluster.status["jobStatus"]["jobId"]) == (former, job)


def test_a_slow_job_manager_is_waited_for(place):
    """Starting takes its time; meanwhile the resource is DEPLOYED and not an error."""
    cluster = place.flink()
    cluster.order(delays={"rest": 4})
    cluster.create(app())
    cluster.until(
        lambda obj: obj.get("status", {}).get("jobManagerDeploymentStatus") == "DEPLOYED_NOT_READY"
    )
    assert "error" not in cluster.status
    cluster.wait_stable()


def test_a_submission_that_fails(place):
    """Flink accepts the job and it fails at once."""
    cluster = place.flink()
    cluster.order(submit="fail", message="main method failed")
    cluster.create(app()).wait_lifecycle("FAILED")
    assert "main method failed" in str(cluster.error())


def test_exceptions_of_a_job_become_events(place):
    """Each once: also while the job goes on, and when nothing has changed since."""
    cluster = place.stable()
    cluster.order(job="restart", message="java.lang.IllegalStateException: out of luck")
    cluster.wait_sim(lambda sim: sim["orders"].get("job") is None)
    cluster.look()
    said = cluster.wait_event("JobException", words="out of luck")
    assert (said["type"], said["source"]["component"]) == ("Warning", "Job")
    assert said["message"].splitlines()[0].endswith("IllegalStateException: out of luck")
    assert said["metadata"]["annotations"]["exception-timestamp"].endswith("Z")
    cluster.wait_job("RUNNING")
    cluster.order(job="fail", message="java.lang.IllegalStateException: worse luck")
    cluster.look()
    cluster.wait_job("FAILED")
    cluster.wait_event("JobException", words="worse luck")
    assert [event["count"] for event in cluster.events("JobException")] == [1, 1]
