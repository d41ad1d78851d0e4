"""Standalone clusters: the operator makes the TaskManagers too, and scales them."""

import json

import pytest
from fakes.flinkuser import HA, app, condition, session

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

REACTIVE = {"scheduler-mode": "reactive"}
SAVEPOINT = "file:///data/savepoints/savepoint-1"


def standalone(**change):
    """The spec of a standalone application."""
    return app(mode="standalone", **change)


def standalone_session(**change):
    """The spec of a standalone session cluster."""
    return session(mode="standalone", **change)


def only_job(cluster):
    """The one job of a cluster, as flinksim knows it."""
    (manager,) = cluster.sim()["jobmanagers"]
    (job,) = manager["jobs"]
    return job


def wait_replicas(cluster, count):
    """Wait until the TaskManagers' Deployment has so many that are available."""

    def look(objects):
        found = objects.get(cluster.workers, {})
        return found.get("status", {}).get("availableReplicas") == count

    cluster.api.until(cluster.place.apps("deployments"), look)


def uid(deployment):
    """The uid of a Deployment that must be there."""
    assert deployment is not None
    return deployment["metadata"]["uid"]


# --- coming and going


def test_an_application_becomes_stable(place):
    """Its TaskManagers come from a Deployment of the resource's own, and the job has the recorded id."""
    cluster = place.stable(standalone(job={"parallelism": 3}))
    status = cluster.status
    job = only_job(cluster)
    assert job["id"] == status["jobStatus"]["jobId"]
    assert (job["tasksRunning"], job["parallelism"]) == (True, 3)
    workers = cluster.task_managers
    assert workers["spec"]["replicas"] == status["taskManager"]["replicas"] == 2
    assert [(o["kind"], o["name"]) for o in workers["metadata"]["ownerReferences"]] == [
        ("FlinkDeployment", cluster.name)
    ]
    assert cluster.objects()["Deployment"] == [cluster.name, cluster.workers]
    assert cluster.objects()["Service"] == [cluster.name, f"{cluster.name}-rest"]
    assert condition(cluster.get(), "Ready")["status"] == "True"


def test_a_session_cluster_becomes_stable(place):
    """One TaskManager unless told otherwise; a job that is submitted runs on it."""
    cluster = place.stable(standalone_session())
    wait_replicas(cluster, 1)
    job = cluster.submit_by_hand()
    (run,) = cluster.wait_runs(lambda runs: runs and runs[0]["running_since"])
    assert run["job_id"] == job


def test_an_application_starts_from_a_savepoint(place):
    """The path comes on the command line of a standalone JobManager."""
    cluster = place.flink()
    cluster.order(unknown_savepoint="accept")
    cluster.create(standalone(job={"initialSavepointPath": SAVEPOINT})).wait_stable()
    assert only_job(cluster)["restoredFrom"] == SAVEPOINT


@pytest.mark.parametrize("version", ["v1_15", "v2_2"])
def test_other_versions(place, version):
    """Both syntaxes of Flink's configuration."""
    place.stable(standalone(flinkVersion=version))


@pytest.mark.parametrize("spec", [standalone(), standalone_session()], ids=["job", "session"])
@pytest.mark.parametrize("conf", [{}, HA], ids=["no HA", "HA"])
def test_a_restart_replaces_both(place, spec, conf):
    """Another JobManager, other TaskManagers, one run of the job each."""
    cluster = place.stable({**spec, "flinkConfiguration": {**spec["flinkConfiguration"], **conf}})
    former = cluster.uid, uid(cluster.task_managers)
    cluster.wait_stable(cluster.change(restartNonce=1))
    assert {cluster.uid, uid(cluster.task_managers)}.isdisjoint(former)
    assert len(cluster.runs()) == (2 if "job" in spec else 0)


@pytest.mark.parametrize("conf", [{}, HA], ids=["no HA", "HA"])
def test_no_jobmanager_comes_beside_old_taskmanagers(place, conf):
    """They are waited for, however long they take."""
    cluster = place.stable(standalone(flinkConfiguration=conf))
    cluster.hold_task_managers()
    generation = cluster.change(image="flink:1.20.1")
    cluster.wait_lifecycle("UPGRADING", generation)
    cluster.wait_deployments(cluster.workers)
    cluster.wait_noticed(cluster.look())
    assert cluster.job_manager is None
    cluster.let_task_managers_go()
    cluster.wait_stable(generation)
    (container,) = cluster.task_managers["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "flink:1.20.1"


def test_suspended_and_resumed(place):
    """While suspended nothing of the cluster is there."""
    cluster = place.stable(standalone())
    cluster.wait_lifecycle("SUSPENDED", cluster.change(job={"state": "suspended"}))
    assert "Deployment" not in cluster.objects()
    assert cluster.status["taskManager"]["replicas"] == 0
    cluster.wait_stable(cluster.change(job={"state": "running"}))
    assert len(cluster.runs()) == 2
    assert cluster.status["taskManager"]["replicas"] == 1


@pytest.mark.parametrize(
    "spec",
    [standalone(), standalone(flinkConfiguration=HA), standalone_session()],
    ids=["job", "job with HA", "session"],
)
def test_a_deleted_cluster_leaves_nothing(place, spec):
    """Neither Deployment, nor what Flink wrote; the resource stays until the TaskManagers are gone."""
    cluster = place.stable(spec)
    cluster.hold_task_managers()
    cluster.delete()
    cluster.wait_deployments(cluster.workers)
    assert cluster.get()["metadata"]["finalizers"]
    cluster.let_task_managers_go()
    cluster.wait_nothing_left()
    assert cluster.ha_config_maps() == []


def test_deleted_right_after_creation(place):
    """Whatever was made by then goes."""
    cluster = place.create(standalone())
    cluster.delete()
    cluster.wait_nothing_left()


def test_a_finished_job_is_changed(place):
    """A job that has ended is replaced like a running one."""
    cluster = place.stable(standalone())
    cluster.order(job="finish")
    cluster.look()
    cluster.wait_job("FINISHED")
    cluster.wait_stable(cluster.change(restartNonce=1))
    assert cluster.ends() == ["FINISHED", None]


# --- what is lost, and what is in the way


@pytest.mark.parametrize("spec", [standalone(), standalone_session()], ids=["job", "session"])
def test_taskmanagers_deleted_by_hand_come_back(place, spec):
    """Beside the JobManager, which goes on; an event tells of it."""
    cluster = place.stable(spec)
    former, workers = cluster.uid, uid(cluster.task_managers)
    place.api.delete(f"{place.apps('deployments')}/{cluster.workers}")
    cluster.wait_event("RecoverDeployment", words="TaskManager")
    wait_replicas(cluster, 1)
    assert uid(cluster.task_managers) != workers
    assert cluster.uid == former
    if "job" in spec:
        (run,) = cluster.runs()
        assert run["end"] is None


def test_a_jobmanager_deleted_by_hand_comes_back(place):
    """With new TaskManagers: the old ones still had the old run's tasks."""
    cluster = place.stable(standalone())
    former, workers = cluster.uid, uid(cluster.task_managers)
    place.api.delete(f"{place.apps('deployments')}/{cluster.name}")
    cluster.wait_new_job_manager(former)
    cluster.wait_event("RecoverDeployment", words="lost deployment")
    cluster.wait_runs(lambda runs: len(runs) == 2 and runs[1]["running_since"])
    assert uid(cluster.task_managers) != workers


def empty_deployment(name, labels, **metadata):
    """A Deployment without pods."""
    spec = {"containers": [{"name": "c", "image": "other"}]}
    template = {"metadata": {"labels": labels}, "spec": spec}
    return {
        "metadata": {"name": name, "labels": labels, **metadata},
        "spec": {"selector": {"matchLabels": labels}, "replicas": 0, "template": template},
    }


def test_a_deployment_of_somebody_else_in_the_way(place):
    """Told, and nothing is made; when it goes the cluster comes."""
    cluster = place.flink()
    body = empty_deployment(cluster.workers, {"app": "other", "component": "taskmanager"})
    foreign = uid(place.api.request("POST", place.apps("deployments"), body))
    cluster.create(standalone())
    stalled = cluster.wait_condition("Stalled")
    assert stalled["reason"] == "NameTaken"
    assert cluster.workers in stalled["message"]
    assert cluster.job_manager is None
    assert uid(cluster.task_managers) == foreign
    place.api.delete(f"{place.apps('deployments')}/{cluster.workers}")
    cluster.look()
    cluster.wait_stable()


def test_taskmanagers_from_before_the_status_was_lost(place):
    """What is ours and belongs to no JobManager goes first, even if nothing tells of it."""
    cluster = place.create(standalone(job={"state": "suspended"})).wait_lifecycle("CREATED")
    owner = {
        "apiVersion": "flink.apache.org/v1beta1",
        "kind": "FlinkDeployment",
        "name": cluster.name,
        "uid": cluster.get()["metadata"]["uid"],
    }
    cluster_labels = {"app": cluster.name, "component": "taskmanager"}
    body = empty_deployment(cluster.workers, cluster_labels, ownerReferences=[owner])
    old = uid(place.api.request("POST", place.apps("deployments"), body))
    cluster.wait_stable(cluster.change(job={"state": "running"}))
    assert uid(cluster.task_managers) != old


def test_taskmanagers_that_kubernetes_refuses(place):
    """Found out before the running cluster is touched."""
    cluster = place.stable(standalone())
    former = cluster.uid
    mount = {"name": "nowhere", "mountPath": "/x"}
    container = {"name": "flink-main-container", "volumeMounts": [mount]}
    cluster.change(taskManager={"podTemplate": {"spec": {"containers": [container]}}})
    cluster.wait_error("nowhere")
    assert cluster.uid == former
    assert cluster.task_managers["metadata"].get("deletionTimestamp") is None


# --- scaling


def test_a_reactive_job_is_scaled_in_place(stage, place):
    """By `kubectl scale`, up and down: the JobManager stays, the job rescales, nothing restarts."""
    cluster = place.stable(
        standalone(taskManager={"replicas": 1}, flinkConfiguration={**REACTIVE, **HA})
    )
    former, workers = cluster.uid, uid(cluster.task_managers)
    for count in (3, 2):
        stage.plane.kubectl(
            "-n", place.namespace, "scale", f"flinkdeployment/{cluster.name}", f"--replicas={count}"
        )
        cluster.wait_stable(cluster.get()["metadata"]["generation"])
        wait_replicas(cluster, count)
        assert cluster.status["taskManager"]["replicas"] == count
        scale = place.api.get(f"{cluster.path}/scale")
        assert scale["status"]["replicas"] == count
        assert f"app={cluster.name}" in scale["status"]["selector"]
    wait_width(cluster, 4)
    assert (cluster.uid, uid(cluster.task_managers)) == (former, workers)
    assert cluster.ends() == [None]
    assert cluster.events("Suspended") == []
    recorded = json.loads(cluster.status["reconciliationStatus"]["lastReconciledSpec"])
    assert recorded["spec"]["taskManager"]["replicas"] == 2


def wait_width(cluster, width):
    """Wait until the job runs with that parallelism."""
    cluster.wait_runs(lambda _: only_job(cluster)["parallelism"] == width)
    cluster.wait_runs(lambda _: only_job(cluster)["tasksRunning"])


def test_a_reactive_job_follows_its_parallelism(place):
    """As many TaskManagers as the parallelism needs."""
    cluster = place.stable(standalone(flinkConfiguration=REACTIVE))
    former = cluster.uid
    cluster.wait_stable(cluster.change(job={"parallelism": 6}))
    wait_replicas(cluster, 3)
    wait_width(cluster, 6)
    assert cluster.uid == former


def test_a_session_cluster_is_scaled_in_place(place):
    """Its jobs stay where they are."""
    cluster = place.stable(standalone_session(taskManager={"replicas": 1}))
    former = cluster.uid
    cluster.submit_by_hand()
    cluster.wait_runs(lambda runs: runs and runs[0]["running_since"])
    cluster.wait_stable(cluster.change(taskManager={"replicas": 2}))
    wait_replicas(cluster, 2)
    assert cluster.uid == former
    assert cluster.ends() == [None]


def test_a_job_of_fixed_parallelism_is_restarted(place):
    """Without the reactive mode other TaskManagers alone would not change it."""
    cluster = place.stable(standalone())
    former = cluster.uid
    cluster.wait_stable(cluster.change(job={"parallelism": 4}))
    assert cluster.uid != former
    assert only_job(cluster)["parallelism"] == 4
    wait_replicas(cluster, 2)


def test_somebody_else_s_scaling_is_left_alone(place):
    """A HorizontalPodAutoscaler on the Deployment itself is not fought."""
    cluster = place.stable(standalone(flinkConfiguration=REACTIVE))
    place.api.patch(f"{place.apps('deployments')}/{cluster.workers}", {"spec": {"replicas": 3}})
    wait_width(cluster, 6)
    cluster.wait_noticed(cluster.look())
    assert cluster.task_managers["spec"]["replicas"] == 3
