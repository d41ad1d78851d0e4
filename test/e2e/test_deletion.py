"""A FlinkDeployment is deleted, in whatever state it is: nothing of it is left."""

import pytest
from fakes.flinkuser import HA, app, condition, merged, session

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


def test_right_after_creation(place):
    """Create and delete in one breath."""
    cluster = place.create()
    cluster.delete()
    cluster.wait_nothing_left()


def test_while_its_pod_cannot_start(place):
    """A JobManager that never came up goes like any other."""
    cluster = place.flink()
    cluster.order(pod="ImagePullBackOff")
    cluster.create(app())
    cluster.wait_error("ImagePullBackOff")
    cluster.delete()
    cluster.wait_nothing_left()


def test_while_its_rest_api_is_not_up(place):
    """Nobody can be asked to cancel a job, and nobody needs to."""
    cluster = place.flink()
    cluster.order(delays={"rest": 3600})
    cluster.create(app()).wait_lifecycle("DEPLOYED")
    cluster.delete()
    cluster.wait_nothing_left()


def test_while_the_job_runs(place):
    """The job is cancelled, the cluster deleted, an event says so."""
    cluster = place.stable()
    cluster.delete()
    cluster.wait_nothing_left()
    assert cluster.runs()[0]["end"]
    cleanup = cluster.wait_event("Cleanup")
    assert cleanup["source"]["component"] == "Operator"
    assert cleanup["message"] == "Cleaning up FlinkDeployment"


def test_while_flink_does_not_answer(place):
    """A JobManager that hangs does not keep the resource."""
    cluster = place.stable()
    cluster.order(rest="hang")
    cluster.delete()
    cluster.wait_nothing_left()


def test_while_suspended(place):
    """There is nothing to take down."""
    cluster = place.stable()
    cluster.wait_lifecycle("SUSPENDED", cluster.change(job={"state": "suspended"}))
    cluster.delete()
    cluster.wait_nothing_left()


def test_suspended_from_the_beginning(place):
    """Nothing was ever deployed."""
    cluster = place.create(app(job={"state": "suspended"})).wait_lifecycle("CREATED")
    cluster.delete()
    cluster.wait_nothing_left()


def test_while_refused(place):
    """A spec that was never good is no obstacle."""
    cluster = place.create(app(job={"parallelism": -1})).wait_lifecycle("FAILED")
    cluster.delete()
    cluster.wait_nothing_left()


def test_while_a_good_cluster_has_a_bad_spec(place):
    """The running cluster goes, although the newest spec cannot be read."""
    cluster = place.stable()
    cluster.change(flinkConfiguration="no object")
    cluster.wait_condition("Stalled")
    cluster.delete()
    cluster.wait_nothing_left()


def test_after_the_job_failed(place):
    """The JobManager of a failed job is still there, until now."""
    cluster = place.stable()
    cluster.order(job="fail", message="boom")
    cluster.look()
    cluster.wait_lifecycle("FAILED")
    cluster.delete()
    cluster.wait_nothing_left()


def test_during_an_upgrade(place):
    """The old cluster is going already; no new one is made."""
    cluster = place.stable()
    cluster.hold_job_manager()
    cluster.change(image="flink:1.20.1")
    cluster.wait_lifecycle("UPGRADING", 2)
    cluster.delete()
    cluster.wait_event("Cleanup")
    cluster.let_job_manager_go()
    cluster.wait_nothing_left()
    assert len(cluster.runs()) == 1


def test_with_ingress_and_ha_metadata(place):
    """What has no owner, Flink's HA ConfigMaps, is deleted by the operator."""
    ingress = {"template": "{{name}}.{{namespace}}.example.com"}
    conf = {**HA, "execution.checkpointing.interval": "1 s"}
    cluster = place.stable(app(flinkConfiguration=conf, ingress=ingress))
    place.api.until(place.core("configmaps"), lambda _: cluster.ha_config_maps())
    cluster.delete()
    cluster.wait_nothing_left()
    assert cluster.ha_config_maps() == []


def test_a_session_cluster(place):
    """No job, no waiting."""
    cluster = place.stable(session())
    cluster.delete()
    cluster.wait_nothing_left()


def test_the_job_manager_is_gone_already(place):
    """Deleted by hand together with the resource."""
    cluster = place.stable()
    place.api.delete(f"{place.apps('deployments')}/{cluster.name}")
    cluster.delete()
    cluster.wait_nothing_left()


@pytest.fixture(scope="module", autouse=True)
def doomed(shared_place):
    """A job whose namespace is being deleted: Kubernetes takes ten seconds to begin with it."""
    cluster = shared_place.stable()
    shared_place.api.delete(f"/api/v1/namespaces/{shared_place.namespace}")
    return cluster


def test_with_its_whole_namespace(doomed):
    """A namespace with a running job can be deleted: the resource does not hold it up."""
    doomed.wait_nothing_left()


def test_a_session_cluster_with_session_jobs_stays(place):
    """Blocked until the FlinkSessionJob is gone; the message names it."""
    cluster = place.stable(session())
    jobs = cluster.collection.replace("flinkdeployments", "flinksessionjobs")
    body = {
        "apiVersion": "flink.apache.org/v1beta1",
        "kind": "FlinkSessionJob",
        "metadata": {"name": "guest"},
        "spec": {
            "deploymentName": cluster.name,
            "job": {"jarURI": "https://example.com/a.jar", "parallelism": 1},
        },
    }
    place.api.request("POST", jobs, body)
    place.api.until(jobs, lambda found: "guest" in found)
    cluster.delete()
    blocked = cluster.wait_event("CleanupFailed", words="guest")
    assert blocked["source"]["component"] == "Operator"
    obj = cluster.wait_lifecycle("DELETING").get()
    assert condition(obj, "Stalled")["reason"] == "DeletionBlocked"
    assert cluster.job_manager["metadata"].get("deletionTimestamp") is None
    place.api.delete(f"{jobs}/guest")
    cluster.wait_nothing_left()


def test_a_session_cluster_with_unmanaged_jobs_stays(place):
    """A job that somebody submitted by hand is not lost by surprise."""
    cluster = place.stable(session())
    job = cluster.submit_by_hand()
    cluster.delete()
    cluster.wait_event("CleanupFailed", words=job)
    cluster.wait_lifecycle("DELETING")  # Events and status are written side by side
    assert cluster.job_manager["metadata"].get("deletionTimestamp") is None


def test_unmanaged_jobs_do_not_count_when_told_so(place):
    """`block-on-unmanaged-jobs: false` deletes the cluster with its jobs."""
    option = {"kubernetes.operator.session.deletion.block-on-unmanaged-jobs": "false"}
    cluster = place.stable(session(flinkConfiguration=option))
    cluster.submit_by_hand()
    cluster.delete()
    cluster.wait_nothing_left()


def test_merged_leaves_its_input_alone():
    """The specs of these tests do not change each other."""
    base = {"a": {"b": 1}}
    assert merged(base, {"a": {"c": 2}}) == {"a": {"b": 1, "c": 2}}
    assert base == {"a": {"b": 1}}
