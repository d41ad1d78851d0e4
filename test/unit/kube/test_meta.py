from flinkop.kube import meta, objects
from flinkop.kube.meta import ObjectKey


def test_api_version():
    """The core group has no slash, all others do."""
    assert meta.PODS.api_version == "v1"
    assert meta.FLINKDEPLOYMENTS.api_version == "flink.apache.org/v1beta1"
    assert str(meta.FLINKDEPLOYMENTS) == "flinkdeployments.flink.apache.org"
    assert str(meta.PODS) == "pods"


def test_keys():
    """Keys print as people write them, hash by value and sort."""
    key = ObjectKey("ns", "a")
    assert str(key) == "ns/a"
    assert str(ObjectKey("", "node")) == "node"
    assert {key: 1}[ObjectKey("ns", "a")] == 1
    assert min(ObjectKey("b", "a"), ObjectKey("a", "b")).namespace == "a"


def test_what_is_never_kept():
    """managedFields and the last-applied annotation do not survive decoding; the rest does."""
    raw = (
        b'{"metadata":{"name":"a","namespace":"n","uid":"u","resourceVersion":"7","generation":3,'
        b'"creationTimestamp":"2026-01-02T03:04:05Z","deletionTimestamp":null,'
        b'"labels":{"l":"1"},"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{}","k":"v"},'
        b'"finalizers":["f"],"managedFields":[{"manager":"kubectl"}],'
        b'"ownerReferences":[{"kind":"Deployment","name":"d","uid":"du","controller":true,"blockOwnerDeletion":true}]}}'
    )
    found = objects.decode(raw, objects.Partial).metadata
    assert found.annotations == {"k": "v"}
    assert not hasattr(found, "managed_fields")
    assert found.key == ObjectKey("n", "a")
    assert (found.generation, found.resource_version, found.finalizers) == (3, "7", ("f",))
    assert found.creation_timestamp
    assert found.creation_timestamp.isoformat() == "2026-01-02T03:04:05+00:00"
    assert found.controller
    assert found.controller.name == "d"


def test_no_controller():
    """An object that nobody controls says so."""
    assert meta.Meta(name="a").controller is None
