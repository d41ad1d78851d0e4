"""JobManagers that cannot start: each cause is reported once, in words, and heals with the spec."""

import pytest
from fakes.apiuser import ApiUser
from fakes.flinkuser import app, condition

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

WAITING = {
    "ImagePullBackOff": 'Back-off pulling image "flink:nonsense"',
    "ErrImagePull": "failed to pull and unpack image: not found",
    "CrashLoopBackOff": "java.lang.OutOfMemoryError: Metaspace",
    "RunContainerError": "failed to create shim task",
    "CreateContainerConfigError": 'secret "missing" not found',
    "OOMKilled": "container was killed for want of memory",
}


def check_report(cluster, reason, words, *, stalled=True):
    """Error, event and conditions tell of it."""
    error = cluster.wait_error(reason, words)
    assert error["type"].endswith(".DeploymentFailedException")
    assert error["additionalMetadata"]["reason"] == reason
    assert words in error["message"]
    said = cluster.wait_event(reason)
    assert said["source"]["component"] == "JobManagerDeployment"
    assert said["type"] == "Warning"
    assert words in said["message"]
    obj = cluster.get()
    if stalled:
        # A container that is tried again may look well for a moment.
        obj = cluster.until(lambda obj: condition(obj, "Stalled").get("status") == "True")
        assert obj["status"]["jobManagerDeploymentStatus"] == "ERROR"
        assert words in condition(obj, "Stalled")["message"]
        assert condition(obj, "Reconciling")["status"] == "False"
    assert condition(obj, "Ready")["status"] == "False"
    return error


def check_healed(cluster, reason, generation):
    """The error is gone, and the cause was said once."""
    cluster.wait_stable(generation)
    status = cluster.status
    assert "error" not in status
    assert status["jobManagerDeploymentStatus"] == "READY"
    assert condition(cluster.get(), "Stalled")["status"] == "False"
    assert len(cluster.events(reason)) == 1


@pytest.fixture(scope="module")
def held(shared_place):
    """A cluster for each waiting reason, all created at once."""
    clusters = {}
    for reason, message in WAITING.items():
        cluster = clusters[reason] = shared_place.flink()
        cluster.order(pod=reason, pod_message=message)
        cluster.create(app())
    return clusters


@pytest.fixture(scope="module", autouse=True)
def unmountable(shared_place):
    """A cluster whose pod waits for a volume: it has to wait a while before that is looked into."""
    cluster = shared_place.flink()
    cluster.order(pod="FailedMount", pod_message='secret "keys" not found')
    return cluster.create(app())


@pytest.mark.parametrize("reason", WAITING)
def test_a_container_that_does_not_start(held, reason):
    """The container's waiting reason is the cause; a corrected spec starts the job."""
    cluster = held[reason]
    error = check_report(cluster, reason, WAITING[reason])
    assert error["message"].startswith("[flink-main-container] ")
    cluster.no_orders()
    check_healed(cluster, reason, cluster.change(image="flink:1.20.1"))


def test_the_last_words_of_a_crashing_container_are_told(place):
    """CrashLoopBackOff alone helps nobody: the termination message does."""
    cluster = place.flink()
    cluster.order(pod="CrashLoopBackOff", pod_message="main class not found")
    cluster.create(app())
    error = cluster.wait_error("CrashLoopBackOff")
    assert error["message"] == "[flink-main-container] CrashLoop - main class not found"


def test_a_job_manager_that_recovers_by_itself(place):
    """No change is needed when the cause goes away, for example a registry that was down."""
    cluster = place.flink()
    cluster.order(pod="ImagePullBackOff")
    cluster.create(app())
    cluster.wait_condition("Stalled")
    cluster.no_orders()
    check_healed(cluster, "ImagePullBackOff", 1)


def test_an_upgrade_to_an_image_that_is_not_there(place):
    """The new cluster is in ERROR until the image is corrected."""
    cluster = place.stable()
    cluster.order(pod="ImagePullBackOff")
    cluster.change(image="flink:nonsense")
    check_report(cluster, "ImagePullBackOff", "Back-off pulling image")
    cluster.no_orders()
    check_healed(cluster, "ImagePullBackOff", cluster.change(image="flink:1.20"))


def set_quota(place, pods):
    """Allow so many pods in the namespace, and wait until that is in force."""
    collection = place.core("resourcequotas")
    hard = {"pods": str(pods)}
    body = {"metadata": {"name": "quota"}, "spec": {"hard": hard}}
    place.api.request("POST", collection, body)
    place.api.until(
        collection, lambda found: found["quota"].get("status", {}).get("hard") == hard or None
    )


def test_a_quota_that_is_used_up(place):
    """Said as FailedCreate with the quota's own words; heals when there is room."""
    set_quota(place, 0)
    cluster = place.create()
    check_report(cluster, "FailedCreate", "exceeded quota")
    place.api.delete(f"{place.core('resourcequotas')}/quota")
    check_healed(cluster, "FailedCreate", cluster.change(restartNonce=1))


def test_a_service_account_that_is_not_there(place):
    """The ReplicaSet cannot make pods; a spec with the right account does."""
    cluster = place.create(app(serviceAccount="nobody"))
    check_report(cluster, "FailedCreate", 'serviceaccount "nobody" not found')
    check_healed(cluster, "FailedCreate", cluster.change(serviceAccount="flink"))


def test_a_pod_that_no_node_can_take(place):
    """Not fatal, as a node may come: Reconciling goes on, and the scheduler's words are shown."""
    cluster = place.create(app(jobManager={"resource": {"cpu": 5000}}))
    check_report(cluster, "Unschedulable", "Insufficient cpu", stalled=False)
    assert condition(cluster.get(), "Reconciling")["status"] == "True"
    check_healed(cluster, "Unschedulable", cluster.change(jobManager={"resource": {"cpu": 1}}))


def test_a_pod_that_gets_a_node_later(place, user: ApiUser):
    """Healed without a change when the selector finds its node."""
    template = {"spec": {"nodeSelector": {"e2e/disk": place.namespace}}}
    cluster = place.create(app(podTemplate=template))
    cluster.wait_error("Unschedulable")
    node = next(iter(user.list("/api/v1/nodes")))
    user.patch(f"/api/v1/nodes/{node}", {"metadata": {"labels": {"e2e/disk": place.namespace}}})
    check_healed(cluster, "Unschedulable", 1)


def test_a_volume_that_cannot_be_mounted(unmountable):
    """Only Events of the pod tell; they are looked at when the pod has not started for a while."""
    cluster = unmountable
    check_report(cluster, "FailedMount", 'secret "keys" not found')
    cluster.no_orders()
    check_healed(cluster, "FailedMount", cluster.change(restartNonce=1))


def test_an_error_while_suspended_is_gone(place):
    """Suspending a cluster that never started takes it away with its error."""
    cluster = place.flink()
    cluster.order(pod="ImagePullBackOff")
    cluster.create(app())
    cluster.wait_condition("Stalled")
    cluster.wait_lifecycle("SUSPENDED", cluster.change(job={"state": "suspended"}))
    assert "error" not in cluster.status
    assert cluster.objects() == {}
