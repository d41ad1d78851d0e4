"""Session clusters as their jobs see them."""

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from attrs import evolve
from fakes.deployments import session, status_of

from flinkop.api import codec
from flinkop.api.status import JobManagerDeploymentStatus as JobManager, ReconciliationState
from flinkop.config.flink_conf import FlinkConf
from flinkop.config.snapshot import ConfigSnapshot
from flinkop.kube.meta import ObjectKey
from flinkop.kube.objects import CustomObject
from flinkop.stages.session_clusters import SessionClusters

KEY = ObjectKey("ns", "cluster")
SETTINGS = ConfigSnapshot.make(FlinkConf(), {}, {})


class Cache:
    """A cache of one FlinkDeployment."""

    def __init__(self, found=None):
        self.found = found

    @property
    def lister(self) -> Any:
        return SimpleNamespace(get=lambda key: self.found if key == KEY else None)

    def has_synced(self, namespace: str | None = None) -> bool:
        return True

    def note_write(self, obj: CustomObject) -> None:
        self.found = obj


def deployment(spec=None, status=None, version="1", **metadata):
    """A FlinkDeployment as the cache has it."""
    spec = session() if spec is None else spec
    status = status_of(spec) if status is None else status
    body = {
        "metadata": {
            "name": "cluster",
            "namespace": "ns",
            "uid": "u",
            "resourceVersion": version,
            "generation": 1,
            **metadata,
        },
        "spec": codec.encode(spec, codec.Omit.NULLS),
        "status": codec.encode_status(status),
    }
    return msgspec.json.decode(msgspec.json.encode(body), type=CustomObject)


def found(obj):
    return SessionClusters(Cache(obj)).find(KEY)


def of(obj):
    return there(SessionClusters(Cache(obj)))


def there(clusters):
    cluster = clusters.find(KEY)
    assert cluster is not None
    return cluster


def test_a_cluster_that_is_not_there():
    """None, also when it cannot be read."""
    assert found(None) is None
    assert found(CustomObject(deployment().metadata, msgspec.Raw(b'{"job": 1}'))) is None


def test_a_cluster_that_takes_jobs():
    """READY, and not being replaced."""
    cluster = of(deployment())
    assert (cluster.up, cluster.takes_jobs, cluster.has_job) == (True, True, False)
    assert cluster.version is session().flink_version


@pytest.mark.parametrize("state", [one for one in JobManager if one is not JobManager.READY])
def test_a_cluster_that_is_not_ready(state):
    """Whatever it is doing."""
    assert not of(deployment(status=status_of(session(), job_manager=state))).up


def test_a_cluster_that_is_replaced():
    """Its JobManager may still answer, and is about to go."""
    status = status_of(session(), state=ReconciliationState.UPGRADING)
    assert not of(deployment(status=status)).up


def test_a_cluster_that_goes():
    """It can still be asked, for example to cancel."""
    cluster = of(deployment(deletionTimestamp="2026-01-01T00:00:00Z"))
    assert (cluster.up, cluster.takes_jobs) == (True, False)


def test_its_configuration_is_made_once():
    """Until the FlinkDeployment or the operator's configuration changes."""
    cache = Cache(deployment())
    clusters = SessionClusters(cache)
    first = clusters.conf(there(clusters), SETTINGS)
    assert clusters.conf(there(clusters), SETTINGS) is first
    cache.found = deployment(
        evolve(session(), flink_configuration={"kubernetes.operator.x": "1"}), version="2"
    )
    second = clusters.conf(there(clusters), SETTINGS)
    assert (first.text("kubernetes.operator.x"), second.text("kubernetes.operator.x")) == (
        None,
        "1",
    )
    other = ConfigSnapshot.make(FlinkConf({"a": "b"}), {}, {})
    assert clusters.conf(there(clusters), other).text("a") == "b"
