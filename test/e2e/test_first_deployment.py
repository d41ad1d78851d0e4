"""A new FlinkDeployment on its way to STABLE: the objects made, the status told, the events said."""

import json
import re

import pytest
from fakes.flinkuser import APP, app, condition, session

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def fresh(shared_place):
    """A plain application that has just become stable."""
    return shared_place.stable(name="fresh")


def owners(item):
    """Kinds and names of an object's owners."""
    return [(owner["kind"], owner["name"]) for owner in item["metadata"]["ownerReferences"]]


def services(cluster):
    """Its Services as stored."""
    selector = f"app={cluster.name}"
    found = cluster.api.list(cluster.place.core("services"), label_selector=selector)
    return list(found.values())


def test_the_cluster_consists_of_these_objects(fresh):
    """Two Services, the configuration and the JobManager, and nothing else by hand."""
    objects = fresh.objects()
    assert objects.keys() == {"Deployment", "ReplicaSet", "Pod", "Service", "ConfigMap"}
    assert objects["Deployment"] == ["fresh"]
    assert objects["Service"] == ["fresh", "fresh-rest"]
    assert objects["ConfigMap"] == ["flink-config-fresh"]


def test_everything_is_owned_so_that_nothing_is_left_over(fresh):
    """The resource owns the JobManager Deployment, which owns Services and ConfigMap."""
    place = fresh.place
    assert owners(fresh.job_manager) == [("FlinkDeployment", "fresh")]
    owned = [
        *services(fresh),
        place.api.get(f"{place.core('configmaps')}/flink-config-fresh"),
    ]
    assert [owners(item) for item in owned] == [[("Deployment", "fresh")]] * 3


def test_objects_carry_the_labels_that_programs_select_by(fresh):
    """The labels are those of Flink's own native integration."""
    native = {"app": "fresh", "type": "flink-native-kubernetes"}
    place = fresh.place
    assert fresh.job_manager["metadata"]["labels"] == native | {"component": "jobmanager"}
    for service in services(fresh):
        assert service["metadata"]["labels"] == native
    config = place.api.get(f"{place.core('configmaps')}/flink-config-fresh")
    assert config["metadata"]["labels"] == native


def test_the_job_manager_names_the_generation_it_was_made_for(fresh):
    """A later operator finds by the annotation that this generation is deployed already."""
    annotations = fresh.job_manager["metadata"]["annotations"]
    assert annotations["flinkdeployment.flink.apache.org/generation"] == "1"


def test_the_status_tells_all_of_it(fresh):
    """Every field of the status of a stable application."""
    status = fresh.status
    assert status["lifecycleState"] == "STABLE"
    assert status["jobManagerDeploymentStatus"] == "READY"
    assert status["observedGeneration"] == 1
    assert "error" not in status
    assert status["taskManager"] == {
        "labelSelector": "component=taskmanager,app=fresh",
        "replicas": 1,
    }
    info = status["clusterInfo"]
    assert info["flink-version"].startswith("1.20.")
    assert info["flink-revision"]
    assert float(info["total-cpu"]) >= 0.5
    assert int(info["total-memory"]) >= 1024**3


def test_the_status_follows_the_job(fresh):
    """Id, name and times are those that Flink has."""
    told = fresh.status["jobStatus"]
    [run] = fresh.runs()
    assert told["jobId"] == run["job_id"]
    assert told["jobName"] == "fresh"
    assert told["state"] == "RUNNING"
    assert int(told["updateTime"]) >= int(told["startTime"]) > 0
    assert "upgradeSavepointPath" not in told


def test_the_recorded_spec_is_the_users_with_what_was_done(fresh):
    """Recorded and stable spec are one text, in the form that both operators read."""
    recon = fresh.status["reconciliationStatus"]
    assert recon["state"] == "DEPLOYED"
    assert recon["lastStableSpec"] == recon["lastReconciledSpec"]
    recorded = json.loads(recon["lastReconciledSpec"])
    assert recorded["resource_metadata"] == {
        "apiVersion": "flink.apache.org/v1beta1",
        "firstDeployment": True,
    }
    assert recorded["spec"]["image"] == APP["image"]
    assert recorded["spec"]["flinkConfiguration"] == APP["flinkConfiguration"]
    assert recorded["spec"]["job"]["state"] == "running"
    assert recorded["spec"]["job"]["upgradeMode"] == "stateless"
    assert recorded["spec"]["restartNonce"] is None


def test_conditions_say_ready_to_programs(fresh):
    """The reference's condition first, then those of kstatus."""
    obj = fresh.get()
    said = {one["type"]: (one["status"], one["reason"]) for one in obj["status"]["conditions"]}
    assert said == {
        "Running": ("True", "Running"),
        "Ready": ("True", "Stable"),
        "Reconciling": ("False", "Stable"),
        "Stalled": ("False", "NotStalled"),
    }
    assert condition(obj, "Running")["message"] == "Job status RUNNING"
    assert condition(obj, "Ready")["observedGeneration"] == 1


def test_events_tell_the_story(fresh):
    """Submission, then each state of the job; each event is about the resource."""
    submit = fresh.wait_event("Submit")
    assert re.fullmatch(r"JobManagerDeployment\.\d+", submit["metadata"]["name"])
    assert submit["source"]["component"] == "JobManagerDeployment"
    assert submit["type"] == "Normal"
    assert submit["message"] == "Starting deployment"
    assert submit["count"] == 1
    assert submit["involvedObject"]["uid"] == fresh.get()["metadata"]["uid"]
    running = fresh.wait_event("JobStatusChanged", words="to RUNNING")
    assert running["source"]["component"] == "Job"
    assert fresh.events("SpecChanged") == []
    assert fresh.events("Error") == []


def test_kubectl_waits_for_ready(stage, place):
    """`kubectl wait --for=condition=Ready` returns when the job runs, and columns show it."""
    cluster = place.create(name="waited")
    wait = ("wait", "-n", place.namespace, "flinkdeployment/waited", "--for=condition=Ready")
    stage.plane.kubectl(*wait, "--timeout=40s")
    assert cluster.status["lifecycleState"] == "STABLE"
    shown = stage.plane.kubectl("get", "-n", place.namespace, "flinkdep", "waited").splitlines()
    assert shown[0].split()[:5] == ["NAME", "JOB", "STATUS", "LIFECYCLE", "STATE"]
    assert shown[1].split()[:3] == ["waited", "RUNNING", "STABLE"]


def test_the_finalizer_is_on_before_anything_is_made(fresh):
    """Deletion at any moment finds the resource protected."""
    finalizers = fresh.get()["metadata"]["finalizers"]
    assert finalizers == ["flinkdeployments.flink.apache.org/finalizer"]


def test_a_resource_without_status_and_finalizer_can_be_made_again(place):
    """The same name after a deletion is a new resource with a new job."""
    first = place.stable(name="again")
    job = first.status["jobStatus"]["jobId"]
    first.delete()
    first.wait_nothing_left()
    second = place.stable(name="again")
    assert second.status["jobStatus"]["jobId"] != job
    assert second.status["observedGeneration"] == 1


def test_two_namespaces_may_use_one_name(place, shared_place):
    """Equal names do not meet: each has its own job."""
    here, there = place.create(name="twin"), shared_place.create(name="twin")
    jobs = {one.wait_stable().status["jobStatus"]["jobId"] for one in (here, there)}
    assert len(jobs) == 2


def test_the_longest_name_works(place):
    """45 characters are the most that a Flink cluster id may have."""
    name = "n" * 45
    cluster = place.stable(name=name)
    assert cluster.objects()["Service"] == [name, f"{name}-rest"]


def test_initial_savepoint_is_where_the_first_job_starts(place):
    """A stateless job that names a savepoint starts from it the first time."""
    cluster = place.flink()
    cluster.order(unknown_savepoint="accept")
    path = "file:///data/savepoints/savepoint-1"
    cluster.create(app(job={"initialSavepointPath": path})).wait_stable()
    assert cluster.status["jobStatus"]["upgradeSavepointPath"] == path
    assert cluster.runs()[0]["restored_from"] == path


def test_arguments_reach_the_job_one_by_one(place):
    """Blanks and separators inside an argument stay inside it."""
    args = ["--input", "a b;c", "--empty", ""]
    cluster = place.stable(app(job={"args": args, "entryClass": "com.example.Main"}))
    config = place.api.get(f"{place.core('configmaps')}/flink-config-{cluster.name}")
    text = config["data"]["flink-conf.yaml"]
    assert "$internal.application.main: com.example.Main" in text
    line = next(x for x in text.splitlines() if x.startswith("$internal.application.program-args"))
    assert "a b;c" in line


def test_a_session_cluster_has_no_job_in_its_status(place):
    """No job id, no TaskManager numbers: an autoscaler cannot target it."""
    cluster = place.stable(session())
    status = cluster.status
    assert "jobId" not in status.get("jobStatus", {})
    assert "taskManager" not in status
    assert condition(cluster.get(), "Running")["reason"] == "JobManagerReady"
    assert cluster.events("Submit") == []
