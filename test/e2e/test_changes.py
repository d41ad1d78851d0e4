"""A running FlinkDeployment is changed: what restarts it, what does not, and when two changes meet."""

from typing import Any

import pytest
from fakes.flinkuser import app, condition

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

RESTARTING: dict[str, dict[str, Any]] = {
    "image": {"image": "flink:1.20-java17"},
    "parallelism": {"job": {"parallelism": 4}},
    "flinkConfiguration": {"flinkConfiguration": {"taskmanager.numberOfTaskSlots": "4"}},
    "a removed option": {"flinkConfiguration": {"taskmanager.numberOfTaskSlots": None}},
    "args": {"job": {"args": ["--rate", "100"]}},
    "entryClass": {"job": {"entryClass": "com.example.Main"}},
    "memory": {"taskManager": {"resource": {"memory": "2048m"}}},
    "flinkVersion": {"flinkVersion": "v2_0", "image": "flink:2.0"},
    "restartNonce": {"restartNonce": 1},
    "mode native, said aloud": {"mode": "native"},
    "podTemplate": {"podTemplate": {"metadata": {"labels": {"team": "a"}}}},
}
IGNORED: dict[str, dict[str, Any]] = {
    "an option of the operator": {
        "flinkConfiguration": {"kubernetes.operator.reconcile.interval": "90 s"}
    },
    "an option of the autoscaler": {"flinkConfiguration": {"job.autoscaler.metrics.window": "5m"}},
    "allowNonRestoredState": {"job": {"allowNonRestoredState": True}},
    "initialSavepointPath": {"job": {"initialSavepointPath": "file:///data/s-1"}},
    "parallelism.default, which is overwritten": {
        "flinkConfiguration": {"parallelism.default": "7"}
    },
    "the same value written as a number": {
        "flinkConfiguration": {"taskmanager.numberOfTaskSlots": 2}
    },
    "the same options, nested": {
        "flinkConfiguration": {
            "taskmanager.numberOfTaskSlots": None,
            "taskmanager": {"numberOfTaskSlots": 2},
        }
    },
    "an empty restartNonce": {"restartNonce": None},
}


@pytest.fixture(scope="module")
def fleet(shared_place):
    """A cluster for each change, all created at once."""
    return {what: shared_place.create() for what in [*RESTARTING, *IGNORED]}


@pytest.mark.parametrize("what", RESTARTING)
def test_a_change_of_the_spec_restarts_the_cluster(fleet, what):
    """The old job is cancelled, the old cluster goes, a new one comes with the new spec."""
    cluster = fleet[what].wait_stable()
    former, job = cluster.uid, cluster.status["jobStatus"]["jobId"]
    generation = cluster.change(**RESTARTING[what])
    cluster.wait_stable(generation)
    assert cluster.uid != former
    assert cluster.status["jobStatus"]["jobId"] != job
    assert cluster.events("Suspended")
    [said] = cluster.events("SpecChanged")
    assert said["message"].startswith("UPGRADE change(s) detected (Diff: FlinkDeploymentSpec[")
    assert len(cluster.runs()) == 2


@pytest.mark.parametrize("what", IGNORED)
def test_a_change_of_no_consequence_leaves_the_job_alone(fleet, what):
    """observedGeneration moves on, the JobManager and the job stay."""
    cluster = fleet[what].wait_stable()
    former, job = cluster.uid, cluster.status["jobStatus"]["jobId"]
    cluster.change(**IGNORED[what])
    cluster.wait_stable(cluster.look())
    assert (cluster.uid, cluster.status["jobStatus"]["jobId"]) == (former, job)
    assert cluster.events("SpecChanged") == []


def test_a_new_image_is_what_runs_afterwards(place):
    """The pods have the image of the last spec."""
    cluster = place.stable()
    cluster.wait_stable(cluster.change(image="flink:1.20.1"))
    template = cluster.job_manager["spec"]["template"]["spec"]
    assert template["containers"][0]["image"] == "flink:1.20.1"


def test_a_new_parallelism_is_what_the_job_has_afterwards(place):
    """Status and Flink agree on how many TaskManagers that takes."""
    cluster = place.stable()
    cluster.wait_stable(cluster.change(job={"parallelism": 5}))
    assert cluster.status["taskManager"]["replicas"] == 3


def test_kubectl_scale_sets_the_task_managers(stage, place):
    """Replicas times slots is the parallelism, whatever `job.parallelism` says."""
    cluster = place.stable(app(taskManager={"replicas": 1}))
    name = f"flinkdeployment/{cluster.name}"
    stage.plane.kubectl("scale", "-n", place.namespace, name, "--replicas=3")
    cluster.wait_stable(2)
    assert cluster.status["taskManager"]["replicas"] == 3


def test_the_same_nonce_again_does_nothing(place):
    """Only a nonce that differs restarts, also a smaller one; taking it away does not."""
    cluster = place.stable(app(restartNonce=5))
    first = cluster.uid
    cluster.wait_stable(cluster.change(restartNonce=None))
    assert cluster.uid == first
    cluster.wait_stable(cluster.change(restartNonce=3))
    assert cluster.uid != first


def test_suspend_and_resume(place):
    """Suspended: no cluster and no job; resumed: a new one."""
    cluster = place.stable()
    generation = cluster.change(job={"state": "suspended"})
    cluster.wait_lifecycle("SUSPENDED", generation)
    status = cluster.status
    assert status["jobManagerDeploymentStatus"] == "MISSING"
    assert status["jobStatus"]["state"] == "FINISHED"
    assert status["taskManager"] == {"labelSelector": "", "replicas": 0}
    assert "error" not in status
    assert condition(cluster.get(), "Ready")["reason"] == "Suspended"
    assert cluster.objects() == {}
    assert cluster.events("Suspended")[0]["message"] == "Suspending existing deployment."
    cluster.wait_stable(cluster.change(job={"state": "running"}))
    assert cluster.status["jobStatus"]["state"] == "RUNNING"
    assert len(cluster.runs()) == 2


def test_suspended_from_the_beginning(place):
    """Nothing is deployed until the job is to run."""
    cluster = place.create(app(job={"state": "suspended"}))
    cluster.wait_lifecycle("CREATED")
    assert cluster.objects() == {}
    assert "error" not in cluster.status
    cluster.wait_stable(cluster.change(job={"state": "running"}))


def test_a_change_while_suspended_counts_when_it_is_resumed(place):
    """A suspended job is not started by a change, and starts with all changes made meanwhile."""
    cluster = place.stable()
    cluster.wait_lifecycle("SUSPENDED", cluster.change(job={"state": "suspended"}))
    cluster.change(image="flink:1.20.2")
    cluster.wait_event("SpecChanged", words="1.20.2")
    assert cluster.objects() == {}
    generation = cluster.change(job={"state": "running"})
    cluster.wait_stable(generation)
    template = cluster.job_manager["spec"]["template"]["spec"]
    assert template["containers"][0]["image"] == "flink:1.20.2"


def upgrading(cluster):
    """Start an upgrade that cannot end, because the old JobManager holds on; returns its uid."""
    former = cluster.uid
    cluster.hold_job_manager()
    cluster.change(image="flink:1.20.1")
    cluster.wait_lifecycle("UPGRADING", 2)
    return former


def test_the_spec_changes_during_an_upgrade(place):
    """The newest spec wins; what was wanted in between is never started."""
    cluster = place.stable()
    former = upgrading(cluster)
    generation = cluster.change(image="flink:1.20.2")
    cluster.wait_noticed(generation)
    assert condition(cluster.get(), "Reconciling")["status"] == "True"
    cluster.let_job_manager_go()
    cluster.wait_stable(generation).wait_new_job_manager(former)
    template = cluster.job_manager["spec"]["template"]["spec"]
    assert template["containers"][0]["image"] == "flink:1.20.2"
    assert len(cluster.runs()) == 2


def test_the_change_is_taken_back_during_an_upgrade(place):
    """The old cluster is going already: the old spec is deployed anew."""
    cluster = place.stable()
    upgrading(cluster)
    generation = cluster.change(image="flink:1.20")
    cluster.wait_noticed(generation)
    cluster.let_job_manager_go()
    cluster.wait_stable(generation)
    template = cluster.job_manager["spec"]["template"]["spec"]
    assert template["containers"][0]["image"] == "flink:1.20"
    assert len(cluster.runs()) == 2


def test_suspended_during_an_upgrade(place):
    """The upgrade ends with nothing running."""
    cluster = place.stable()
    upgrading(cluster)
    generation = cluster.change(job={"state": "suspended"})
    cluster.wait_noticed(generation)
    cluster.let_job_manager_go()
    cluster.wait_lifecycle("SUSPENDED", generation)
    assert cluster.objects() == {}


def test_the_spec_changes_while_the_first_cluster_starts(place):
    """A first deployment that is not up yet is replaced like any other."""
    cluster = place.flink()
    cluster.order(delays={"rest": 3600})
    cluster.create(app())
    cluster.wait_lifecycle("DEPLOYED")
    former = cluster.uid
    cluster.no_orders()
    generation = cluster.change(image="flink:1.20.1")
    cluster.wait_stable(generation)
    assert cluster.uid != former


def test_changes_in_quick_succession_end_with_the_last(place):
    """Ten edits, one after the other without a pause."""
    cluster = place.stable()
    generations = [cluster.change(restartNonce=number) for number in range(10)]
    cluster.wait_stable(generations[-1])
    assert cluster.status["observedGeneration"] == 11


def test_labels_and_annotations_are_the_users_own(place):
    """A change of metadata makes no generation and no work."""
    cluster = place.stable()
    before = cluster.status
    patched = cluster.api.patch(cluster.path, {"metadata": {"labels": {"team": "a"}}})
    assert patched["metadata"]["generation"] == 1
    # The nonce is handled after the label: once it is, the label would have shown.
    former = cluster.uid
    cluster.wait_stable(cluster.change(flinkConfiguration={"kubernetes.operator.x": "1"}))
    assert cluster.uid == former
    assert cluster.status["jobStatus"] == before["jobStatus"]
