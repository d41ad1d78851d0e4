"""Which change leads to a look at which session job."""

import msgspec
import pytest

from flinkop.controllers.flinksessionjob.watches import Watches, cluster_signal
from flinkop.kube.objects import CustomObject
from flinkop.runtime.lister import Lister
from flinkop.runtime.store import Store
from flinkop.stages import references


def custom(name, spec=None, status=None, **metadata):
    """A custom resource as the API server sends it."""
    body = {
        "metadata": {
            "name": name,
            "namespace": "ns",
            "uid": name,
            "resourceVersion": "1",
            "generation": 1,
            **metadata,
        },
        "spec": spec or {},
    }
    if status is not None:
        body["status"] = status
    return msgspec.json.decode(msgspec.json.encode(body), type=CustomObject)


def cluster(state="READY", recon="DEPLOYED", **metadata):
    """A FlinkDeployment."""
    status = {
        "jobManagerDeploymentStatus": state,
        "reconciliationStatus": {"state": recon},
    }
    return custom("cluster", status=status, **metadata)


class Stage:
    """Handlers, and what they put into the queue."""

    def __init__(self, *jobs):
        self.added = []
        store = Store({references.BY_CLUSTER: references.cluster_of_session_job})
        store.replace(jobs, "1")
        self.handlers = Watches(
            lambda request, lane: self.added.append((request.name, lane)), Lister(store)
        )


HERE = custom("here", {"deploymentName": "cluster"})
THERE = custom("there", {"deploymentName": "another"})


@pytest.mark.parametrize(
    "after",
    [
        cluster("MISSING"),
        cluster(recon="UPGRADING"),
        cluster(generation=2),
        cluster(deletionTimestamp="2026-01-01T00:00:00Z"),
        None,
    ],
)
def test_a_cluster_that_changes_wakes_its_jobs(after):
    """Its own, at once."""
    stage = Stage(HERE, THERE)
    stage.handlers.on_cluster(cluster(), after)
    assert stage.added == [("here", "user")]


def test_a_cluster_that_comes_wakes_its_jobs():
    """One that was there before the process queues behind what users do."""
    stage = Stage(HERE)
    stage.handlers.on_cluster(None, custom("cluster"))
    stage.handlers.on_cluster(None, cluster())
    assert stage.added == [("here", "user"), ("here", "resync")]


def test_what_does_not_matter_of_a_cluster():
    """Most of its status writes."""
    stage = Stage(HERE)
    stage.handlers.on_cluster(cluster(), cluster(resourceVersion="2"))
    assert stage.added == []
    assert cluster_signal(None) is None
    assert cluster_signal(custom("cluster", status=[])) is not None


def test_a_session_job_itself():
    """Spec, deletion, coming and going; not its status."""
    stage = Stage()
    stage.handlers.on_resource(None, HERE)
    stage.handlers.on_resource(HERE, custom("here", {"deploymentName": "cluster"}, {}))
    stage.handlers.on_resource(HERE, custom("here", generation=2))
    stage.handlers.on_resource(HERE, custom("here", deletionTimestamp="2026-01-01T00:00:00Z"))
    stage.handlers.on_resource(HERE, None)
    lanes = [lane for _, lane in stage.added]
    assert lanes == ["user", "user", "user", "resync"]


def test_a_snapshot_that_is_complete():
    """It may be one too many; those of FlinkDeployments are not ours."""
    stage = Stage()
    done = {"snapshot.state": "COMPLETED"}
    for kind in ("FlinkSessionJob", "FlinkDeployment"):
        spec = {"jobReference": {"kind": kind, "name": "here"}}
        stage.handlers.on_snapshot(custom("s", spec), custom("s", spec, labels=done))
    assert stage.added == [("here", "resync")]
