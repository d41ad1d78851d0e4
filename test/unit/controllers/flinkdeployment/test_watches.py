"""Which change leads to a reconcile of what (behaviour.md 1.2, L-3)."""

import msgspec
import pytest

from flinkop.controllers.flinkdeployment import signals, watches
from flinkop.controllers.flinkdeployment.watches import Watches
from flinkop.kube.objects import CustomObject, DeploymentView, PodView
from flinkop.runtime.lister import Lister
from flinkop.runtime.result import Request
from flinkop.runtime.store import Store

BASIC = Request("ns", "basic")


def decode(kind, document):
    return msgspec.json.decode(msgspec.json.encode(document), type=kind)


def resource(*, status=None, spec=None, **metadata):
    base = {"name": "basic", "namespace": "ns", "uid": "u", "generation": 1}
    document = {"metadata": {**base, **metadata}, "spec": spec or {}}
    if status is not None:
        document["status"] = status
    return decode(CustomObject, document)


def deployment(owner="FlinkDeployment", available=0, **metadata):
    owners = [{"kind": owner, "name": "basic", "uid": "u"}]
    base = {"name": "basic", "namespace": "ns", "ownerReferences": owners}
    status = {"availableReplicas": available}
    return decode(DeploymentView, {"metadata": {**base, **metadata}, "status": status})


def pod(reason=None, labels=None):
    waiting = {"state": {"waiting": {"reason": reason, "message": "m"}}} if reason else {}
    return decode(
        PodView,
        {
            "metadata": {"name": "p", "namespace": "ns", "labels": labels or {"app": "basic"}},
            "status": {"containerStatuses": [{"name": "c", **waiting}]},
        },
    )


class Queue:
    """Takes what the handlers enqueue."""

    def __init__(self):
        self.taken = []
        self.store = Store()
        self.pods = Store({signals.BY_CLUSTER: watches.cluster_of_pod})
        self.watches = Watches(
            lambda request, lane: self.taken.append((request, lane)),
            Lister(self.store),
            Lister(self.pods),
        )

    def after(self, handler, old, new):
        self.taken.clear()
        getattr(self.watches, handler)(old, new)
        return list(self.taken)


@pytest.mark.parametrize(
    ("old", "new", "lane"),
    [
        (None, resource(), "user"),
        (None, resource(status={"error": "x"}), "resync"),
        (resource(uid="old"), resource(), "user"),
        (resource(), resource(generation=2), "user"),
        (resource(), resource(deletionTimestamp="2026-01-01T00:00:00Z"), "user"),
        (resource(), None, "resync"),
        (resource(), resource(status={"error": "x"}), None),
        (resource(), resource(labels={"a": "b"}), None),
        (
            resource(deletionTimestamp="2026-01-01T00:00:00Z"),
            resource(deletionTimestamp="2026-01-01T00:00:00Z", finalizers=["x"]),
            None,
        ),
        (None, None, None),
    ],
)
def test_changes_of_the_resource(old, new, lane):
    """L-3: spec, deletion, coming and going; not our own status writes. What is new is urgent."""
    expected = [(BASIC, lane)] if lane else []
    assert Queue().after("on_resource", old, new) == expected


@pytest.mark.parametrize(
    ("old", "new", "wakes"),
    [
        (None, deployment(available=1), True),
        (deployment(), deployment(available=1), True),
        (deployment(available=1), deployment(), True),
        (deployment(), None, True),
        (deployment(available=1), deployment(deletionTimestamp="2026-01-01T00:00:00Z"), False),
        (None, deployment(), False),
        (deployment(available=1), deployment(available=1, labels={"a": "b"}), False),
        (None, None, False),
        (None, deployment("ReplicaSet", available=1), False),
    ],
)
def test_changes_of_its_jobmanager(old, new, wakes):
    """L-4, narrowed to what matters: available, failing, gone; its owner is reconciled."""
    expected = [(BASIC, "user")] if wakes else []
    assert Queue().after("on_deployment", old, new) == expected


def test_changes_of_a_jobmanager_without_an_owner():
    """Older releases of the reference set none: its labels name the cluster."""
    labels = {"app": "basic", "component": "jobmanager", "type": "flink-native-kubernetes"}
    found = deployment(ownerReferences=[], labels=labels)
    assert Queue().after("on_deployment", found, None) == [(BASIC, "user")]


def test_a_deployment_of_nobody_that_goes_makes_its_name_free():
    """A FlinkDeployment may have waited for it, by its own name or by that of its TaskManagers."""
    foreign = deployment("ReplicaSet", name="basic-taskmanager")
    free = Queue().after("on_deployment", foreign, None)
    assert free == [(Request("ns", "basic-taskmanager"), "user"), (BASIC, "user")]


@pytest.mark.parametrize(
    ("old", "new", "wakes"),
    [
        (None, {}, False),
        ({}, {"available": 1}, False),
        ({"available": 1}, {}, False),
        ({}, {"deletionTimestamp": "2026-01-01T00:00:00Z"}, False),
        ({}, None, True),
        ({"deletionTimestamp": "2026-01-01T00:00:00Z"}, None, True),
    ],
)
def test_changes_of_its_taskmanagers(old, new, wakes):
    """Only that the Deployment is gone: what waits for that goes on, or it is missed."""
    labels = {"component": "taskmanager"}
    before, after = (
        None if one is None else deployment(name="basic-taskmanager", labels=labels, **one)
        for one in (old, new)
    )
    expected = [(BASIC, "user")] if wakes else []
    assert Queue().after("on_deployment", before, after) == expected


@pytest.mark.parametrize(
    ("old", "new", "wakes"),
    [
        (None, pod("ErrImagePull"), True),
        (pod(), pod("ErrImagePull"), True),
        (pod("ErrImagePull"), pod("ImagePullBackOff"), True),
        (pod("ErrImagePull"), pod(), True),
        (pod("ErrImagePull"), pod("ErrImagePull"), False),
        (None, pod(), False),
        (pod("ErrImagePull"), None, True),
        (pod(), None, True),
        (None, None, False),
        (None, pod("ErrImagePull", {"x": "y"}), False),
    ],
)
def test_changes_of_its_pods(old, new, wakes):
    """Why a pod does not run, and its end when it outlived its Deployment."""
    expected = [(BASIC, "user")] if wakes else []
    assert Queue().after("on_pod", old, new) == expected


def test_a_deployment_is_gone_when_its_pods_are():
    """Deleted in the background it goes before them, and their end is what counts."""
    queue = Queue()
    queue.pods.upsert(pod())
    assert queue.after("on_deployment", deployment(), None) == []
    assert queue.after("on_pod", pod(), None) == [(BASIC, "user")]


def test_the_end_of_a_pod_is_no_news_while_its_deployment_is_there():
    """The Deployment makes another, or goes itself and tells."""
    queue = Queue()
    queue.store.upsert(deployment())
    assert queue.after("on_pod", pod(), None) == []


def test_session_jobs_that_go_may_release_their_cluster():
    """Those that come or change do not matter to it; unreadable ones belong to nobody."""
    job = resource(name="job", spec={"deploymentName": "basic"})
    queue = Queue()
    assert queue.after("on_session_job", job, None) == [(BASIC, "user")]
    assert queue.after("on_session_job", None, job) == []
    assert queue.after("on_session_job", job, job) == []
    for spec in ({}, {"deploymentName": 5}, {"deploymentName": None}):
        odd = resource(name="job", spec=spec)
        assert queue.after("on_session_job", odd, None) == []
    assert queue.after("on_session_job", None, None) == []


def test_indexes_name_the_cluster():
    """`namespace/name`, or nothing."""
    assert watches.cluster_of_pod(pod()) == ("ns/basic",)
    assert watches.cluster_of_pod(pod(labels={"x": "y"})) == ()
