"""Specs that are wrong: each is refused in words, and what runs goes on running."""

from typing import Any

import pytest
from fakes.apiuser import Refused
from fakes.flinkuser import app, condition, session

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


def volume(name: str) -> dict[str, Any]:
    """A pod template with one volume."""
    return {"podTemplate": {"spec": {"volumes": [{"name": name, "emptyDir": {}}]}}}


def options(**values: Any) -> dict[str, Any]:
    """A change of `flinkConfiguration`: `options(kubernetes__namespace=1)`."""
    return {"flinkConfiguration": {key.replace("__", "."): v for key, v in values.items()}}


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "configuration as text": ({"flinkConfiguration": "a: b"}, "spec.flinkConfiguration"),
    "configuration as list": ({"flinkConfiguration": ["a"]}, "spec.flinkConfiguration"),
    "configuration as number": ({"flinkConfiguration": 7}, "spec.flinkConfiguration"),
    "negative parallelism": ({"job": {"parallelism": -1}}, "parallelism"),
    "parallelism 0": ({"job": {"parallelism": 0}}, "parallelism"),
    "TaskManager replicas 0": ({"taskManager": {"replicas": 0}}, "replicas"),
    "JobManager replicas 0": ({"jobManager": {"replicas": 0}}, "replicas"),
    "standby without HA": ({"jobManager": {"replicas": 2}}, "High availability"),
    "memory 1.5Gi": ({"taskManager": {"resource": {"memory": "1.5Gi"}}}, "1.5Gi"),
    "memory without sense": ({"jobManager": {"resource": {"memory": "a lot"}}}, "a lot"),
    "too little memory": ({"jobManager": {"resource": {"memory": "10m"}}}, "emory"),
    "no TaskManager memory": ({"taskManager": None}, "TaskManager"),
    "forbidden kubernetes.cluster-id": (
        options(**{"kubernetes.cluster-id": "x"}),
        "kubernetes.cluster-id",
    ),
    "forbidden kubernetes.namespace": (
        options(kubernetes__namespace="x"),
        "kubernetes.namespace",
    ),
    "forbidden HA cluster id": (
        options(**{"high-availability.cluster-id": "x"}),
        "high-availability.cluster-id",
    ),
    "an option of the wrong type": (
        options(**{"kubernetes.operator.jm-deployment-recovery.enabled": "maybe"}),
        "maybe",
    ),
    "slots that are no number": (options(taskmanager__numberOfTaskSlots="many"), "many"),
    "an imagePullPolicy that is none": ({"imagePullPolicy": "Sometimes"}, "Sometimes"),
    "an ingress without template": ({"ingress": {"className": "nginx"}}, "template"),
    "an unknown log file": ({"logConfiguration": {"log4j.xml": "x"}}, "log4j.xml"),
    "no flinkVersion": ({"flinkVersion": None}, "flinkVersion"),
    "no serviceAccount": ({"serviceAccount": None}, "serviceAccount"),
    "upgradeMode savepoint without a place": ({"job": {"upgradeMode": "savepoint"}}, "dir"),
    "a savepoint nonce without a place": (
        {"job": {"savepointTriggerNonce": 1}},
        "spec.job.savepointTriggerNonce",
    ),
    "periodic savepoints without a place": (
        options(**{"kubernetes.operator.periodic.savepoint.interval": "1h"}),
        "kubernetes.operator.periodic.savepoint.interval",
    ),
    "a volume name that Kubernetes refuses": (volume("Not_A_Name"), "Not_A_Name"),
    "a mount of a volume that is not there": (
        {
            "podTemplate": {
                "spec": {
                    "containers": [
                        {
                            "name": "flink-main-container",
                            "volumeMounts": [{"name": "nowhere", "mountPath": "/x"}],
                        }
                    ]
                }
            }
        },
        "nowhere",
    ),
    "a label that Kubernetes refuses": (
        {"podTemplate": {"metadata": {"labels": {"team": "not a label!"}}}},
        "not a label!",
    ),
    "a spec of 500 KB": (
        {"logConfiguration": {"log4j-console.properties": "x" * 500_000}},
        "bytes",
    ),
}
AT_THE_API_SERVER: dict[str, tuple[dict[str, Any], str]] = {
    "unknown flinkVersion": ({"flinkVersion": "v0_9"}, "flinkVersion"),
    "unknown upgradeMode": ({"job": {"upgradeMode": "quickly"}}, "upgradeMode"),
    "unknown job state": ({"job": {"state": "paused"}}, "state"),
    "unknown mode": ({"mode": "hybrid"}, "mode"),
    "parallelism as text": ({"job": {"parallelism": "two"}}, "parallelism"),
    "args as text": ({"job": {"args": "--a"}}, "args"),
    "a job taken away": ({"job": None}, "job was removed"),
    "a switch to standalone": ({"mode": "standalone"}, "running cluster is native"),
    "a pod template of the wrong type": (
        {"podTemplate": {"spec": {"containers": [{"name": "a", "args": "no list"}]}}},
        "args",
    ),
    "image as number": ({"image": 1}, "image"),
}
DEPLOYMENT_REFUSED = {
    "a volume name that Kubernetes refuses",
    "a mount of a volume that is not there",
    "a label that Kubernetes refuses",
}
"""Only the API server knows: it is asked about the Deployment before the old one is touched."""


@pytest.fixture(scope="module")
def running(shared_place):
    """A good cluster for each bad change, all created at once."""
    names = [*REFUSED, *AT_THE_API_SERVER]
    return {what: shared_place.create() for what in names}


@pytest.mark.parametrize("what", REFUSED)
def test_a_bad_change_is_refused_and_the_job_goes_on(running, what):
    """Error, event and Stalled say what is wrong; the job is not touched; a correction heals."""
    change, words = REFUSED[what]
    cluster = running[what].wait_stable()
    former, job = cluster.uid, cluster.status["jobStatus"]["jobId"]
    spec = cluster.get()["spec"]
    generation = cluster.change(**change)
    obj = cluster.until(
        lambda obj: (
            condition(obj, "Stalled").get("status") == "True"
            and condition(obj, "Stalled")["observedGeneration"] == generation
        )
    )
    status = obj["status"]
    assert words in condition(obj, "Stalled")["message"]
    error = cluster.wait_error(words)
    if what in DEPLOYMENT_REFUSED:
        assert error["type"].endswith(".DeploymentFailedException")
    else:
        assert error["type"].endswith(".ValidationException")
        reason = "UnsupportedFlinkVersion" if what == "no flinkVersion" else "ValidationError"
        said = cluster.wait_event(reason)
        assert said["type"] == "Warning"
        assert said["source"]["component"] == "Operator"
    assert status["observedGeneration"] == 1
    assert status["jobStatus"]["state"] == "RUNNING"
    assert status["lifecycleState"] == "STABLE"
    assert condition(obj, "Ready")["status"] == "False"
    assert (cluster.uid, status["jobStatus"]["jobId"]) == (former, job)
    assert len(cluster.runs()) == 1

    undo = {key: spec.get(key) for key in change}
    # A merge patch has to take away what the change added: replace the parts instead.
    body = cluster.get()
    body["spec"] = spec | {key: value for key, value in undo.items() if value is not None}
    fixed = cluster.api.request("PUT", cluster.path, body)["metadata"]["generation"]
    cluster.wait_stable(fixed)
    assert "error" not in cluster.status
    assert condition(cluster.get(), "Stalled")["status"] == "False"
    assert (cluster.uid, cluster.status["jobStatus"]["jobId"]) == (former, job)


@pytest.mark.parametrize("what", AT_THE_API_SERVER)
def test_what_the_schema_knows_never_gets_in(running, what):
    """The API server refuses the change, and names the field."""
    change, words = AT_THE_API_SERVER[what]
    cluster = running[what].wait_stable()
    with pytest.raises(Refused, match=words) as refusal:
        cluster.change(**change)
    assert refusal.value.status == 422
    assert cluster.get()["metadata"]["generation"] == 1


@pytest.fixture(scope="module")
def bad_from_the_start(shared_place):
    """A new resource for each bad spec, all created at once."""
    return {what: shared_place.create(app(**change)) for what, (change, _) in REFUSED.items()}


@pytest.mark.parametrize("what", REFUSED)
def test_a_bad_spec_from_the_start_deploys_nothing(bad_from_the_start, what):
    """FAILED with the reason; no object is made."""
    cluster = bad_from_the_start[what]
    cluster.wait_error(REFUSED[what][1])
    obj = cluster.wait_condition("Stalled") and cluster.get()
    assert REFUSED[what][1] in condition(obj, "Stalled")["message"]
    assert condition(obj, "Ready")["status"] == "False"
    assert cluster.objects() == {}
    if what not in DEPLOYMENT_REFUSED:
        assert obj["status"]["lifecycleState"] == "FAILED"


def test_a_corrected_spec_deploys(place):
    """The error of a spec that never was good goes when it is."""
    cluster = place.create(app(job={"parallelism": -1})).wait_lifecycle("FAILED")
    cluster.wait_stable(cluster.change(job={"parallelism": 1}))
    assert "error" not in cluster.status


def test_a_corrected_spec_that_is_suspended(place):
    """Nothing is deployed, and nothing is wrong any more."""
    cluster = place.create(app(job={"parallelism": -1})).wait_lifecycle("FAILED")
    cluster.change(job={"parallelism": 1, "state": "suspended"})
    cluster.wait_condition("Ready")
    assert cluster.status["lifecycleState"] == "CREATED"
    assert "error" not in cluster.status


@pytest.mark.parametrize("what", sorted(DEPLOYMENT_REFUSED))
def test_a_corrected_pod_template_deploys(place, what):
    """The API server refused the Deployment; the next spec is deployed as if it was the first."""
    cluster = place.create(app(**REFUSED[what][0]))
    cluster.wait_condition("Stalled")
    cluster.wait_stable(cluster.change(podTemplate=None))
    assert "error" not in cluster.status
    assert cluster.status["reconciliationStatus"]["state"] == "DEPLOYED"


def test_a_name_that_flink_cannot_use(place):
    """46 characters are one too many; others in the namespace are not affected."""
    cluster = place.create(name="n" * 46)
    error = cluster.wait_error("45")
    assert error["type"].endswith(".ValidationException")
    assert cluster.objects() == {}
    place.stable()
    cluster.delete()
    cluster.wait_nothing_left()


def test_five_thousand_options(place):
    """Many options are no reason to refuse: all of them reach Flink."""
    many = {f"user.option-{number:04d}": f"value {number}" for number in range(5000)}
    cluster = place.stable(app(flinkConfiguration=many))
    config = place.api.get(f"{place.core('configmaps')}/flink-config-{cluster.name}")
    text = config["data"]["flink-conf.yaml"]
    assert all(f"{key}: {value}" in text for key, value in many.items())
    former = cluster.uid
    cluster.wait_stable(cluster.change(flinkConfiguration={"user.option-0000": "other"}))
    assert cluster.uid != former


def test_a_resource_without_spec(place):
    """Legal for the API server: an empty spec, refused with what it misses first."""
    body = {
        "apiVersion": "flink.apache.org/v1beta1",
        "kind": "FlinkDeployment",
        "metadata": {"name": "empty"},
    }
    cluster = place.flink("empty")
    place.api.request("POST", cluster.collection, body)
    assert "flinkVersion" in cluster.wait_error("flinkVersion")["message"]
    place.stable()
    cluster.delete()
    cluster.wait_nothing_left()


def test_a_canary_is_left_alone(place):
    """The label marks a probe of the operator: neither judged nor deployed."""
    canary = place.flink("canary").create({}, labels={"flink.apache.org/canary": "TRUE"})
    place.stable()
    assert canary.status == {}
    assert canary.objects() == {}
    canary.delete()
    canary.wait_gone()


def test_a_deployment_of_that_name_that_is_not_ours(place):
    """Somebody else's Deployment is neither taken over nor deleted."""
    labels = {"app": "taken", "component": "jobmanager"}
    foreign = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "taken", "labels": labels},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "a", "image": "a"}]},
            },
        },
    }
    place.api.request("POST", place.apps("deployments"), foreign)
    cluster = place.create(name="taken")
    cluster.wait_error("taken")
    cluster.wait_condition("Stalled")
    cluster.delete()
    cluster.wait_gone()
    assert place.api.get(f"{place.apps('deployments')}/taken") is not None


def test_a_bad_spec_during_an_upgrade(place):
    """The upgrade that was under way is finished; the bad spec is reported."""
    cluster = place.stable()
    cluster.hold_job_manager()
    cluster.wait_lifecycle("UPGRADING", cluster.change(image="flink:1.20.1"))
    cluster.change(job={"parallelism": -1})
    cluster.wait_condition("Stalled")
    cluster.let_job_manager_go()
    cluster.wait_stable(2)
    template = cluster.job_manager["spec"]["template"]["spec"]
    assert template["containers"][0]["image"] == "flink:1.20.1"
    assert condition(cluster.get(), "Stalled")["status"] == "True"
    cluster.wait_stable(cluster.change(job={"parallelism": 2}))
    assert "error" not in cluster.status


def test_a_bad_session_cluster(place):
    """Session clusters are judged by the same rules."""
    cluster = place.stable(session())
    former = cluster.uid
    cluster.change(jobManager={"replicas": 0})
    cluster.wait_condition("Stalled")
    assert cluster.uid == former


def test_the_switch_from_session_to_job(place):
    """The API server refuses what the operator could not do."""
    cluster = place.stable(session())
    with pytest.raises(Refused, match="session cluster"):
        cluster.change(job={"jarURI": "local:///a.jar", "parallelism": 1})
