import msgspec
import pytest

from flinkop.kube import objects
from flinkop.kube.meta import ObjectKey


def test_custom_object_owns_its_bytes():
    """Spec and status are copies: the line they came in can go."""
    line = bytearray(b'{"metadata":{"name":"a"},"spec":{"x": 1},"status":{"y":[2]}}')
    found = objects.decode(memoryview(line), objects.CustomObject)
    line[:] = b" " * len(line)
    assert bytes(found.spec) == b'{"x": 1}'
    assert bytes(found.status) == b'{"y":[2]}'


def test_custom_object_without_status():
    """What is absent is empty, not null."""
    found = objects.decode(b'{"metadata":{"name":"a"}}', objects.CustomObject)
    assert bytes(found.spec) == b""
    assert bytes(found.status) == b""


def test_configmap_keeps_keys_only():
    """A ConfigMap's values, which may be large or secret, are not kept."""
    found = objects.decode(
        b'{"metadata":{"name":"a"},"data":{"k1":"big","k2":"bigger"}}', objects.ConfigMapView
    )
    assert found.data_keys == {"k1", "k2"}
    assert b"big" not in msgspec.json.encode([bytes(v).decode() for v in found.data.values()])


def test_deployment():
    """A Deployment's counts and conditions are read, its pod template is not."""
    raw = b"""{"metadata":{"name":"a"},"spec":{"replicas":2,"template":{"spec":{"containers":[]}}},
      "status":{"observedGeneration":4,"replicas":2,"updatedReplicas":1,"readyReplicas":1,"availableReplicas":1,
      "conditions":[{"type":"ReplicaFailure","status":"True","reason":"FailedCreate","message":"quota",
      "lastTransitionTime":"2026-01-01T00:00:00Z","lastUpdateTime":"2026-01-01T00:00:00Z"}]}}"""
    found = objects.decode(raw, objects.DeploymentView)
    assert found.spec.replicas == 2
    assert found.status.available_replicas == 1
    assert found.status.observed_generation == 4
    assert found.status.conditions[0].message == "quota"


def test_pod():
    """Why a container waits or ended is read from a Pod."""
    raw = b"""{"metadata":{"name":"a"},"spec":{"nodeName":"n"},"status":{"phase":"Pending","reason":"r","message":"m",
      "conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable","message":"0/4 nodes"}],
      "initContainerStatuses":[{"name":"i","state":{"waiting":{"reason":"ImagePullBackOff","message":"no"}}}],
      "containerStatuses":[{"name":"c","ready":false,"restartCount":3,"state":{"running":{"startedAt":"x"}},
      "lastState":{"terminated":{"exitCode":137,"reason":"OOMKilled"}}}]}}"""
    found = objects.decode(raw, objects.PodView)
    assert (found.phase, found.reason, found.message) == ("Pending", "r", "m")
    assert found.conditions[0].reason == "Unschedulable"
    waiting = found.init_container_statuses[0].state.waiting
    assert waiting
    assert waiting.reason == "ImagePullBackOff"
    container = found.container_statuses[0]
    assert container.restart_count == 3
    assert container.state == objects.ContainerState()
    ended = container.last_state.terminated
    assert ended
    assert ended.exit_code == 137


@pytest.mark.parametrize(
    ("raw", "into"),
    [
        (b'{"metadata":{},"status":{"phase":"Active"}}', objects.NamespaceView),
        (b'{"metadata":{},"spec":{"rules":[]}}', objects.IngressView),
    ],
)
def test_other_views(raw, into):
    """Each view decodes its own kind and can be sent back as JSON."""
    found = objects.decode(raw, into)
    assert objects.decode(msgspec.json.encode(found), into) == found


def test_undecodable_keeps_what_identifies():
    """Of an object with a wrong type the key, uid and version are saved."""
    raw = b'{"metadata":{"name":"a","namespace":"n","uid":"u","resourceVersion":"5"},"status":{"phase":7}}'
    with pytest.raises(msgspec.ValidationError) as caught:
        objects.decode(raw, objects.PodView)
    found = objects.undecodable(raw, caught.value)
    assert found.key == ObjectKey("n", "a")
    assert (found.uid, found.resource_version) == ("u", "5")
    assert "$.status.phase" in found.error


@pytest.mark.parametrize("raw", [b"[]", b"3", b'{"metadata":[]}', b'{"metadata":{"name":{}}}'])
def test_undecodable_never_raises(raw):
    """Whatever the JSON is, there is an answer."""
    assert objects.undecodable(raw, ValueError("x")).key == ObjectKey("", "")
