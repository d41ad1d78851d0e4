"""Differences of specs: none between equals, the same in both directions, always readable."""

from hypothesis import assume, given, strategies as st

from flinkop.api import codec
from flinkop.api.wire import DecodeError
from flinkop.lifecycle import specdiff
from flinkop.lifecycle.specdiff import DiffType

texts = st.sampled_from(["a", "b", "1", "1000m", "1Gi", "1024Mi", ""])
scalars = st.none() | st.booleans() | st.integers(0, 2) | texts
trees = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["labels", "limits", "containers", "emptyDir", "sizeLimit", "x"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
objects = st.dictionaries(st.sampled_from(["metadata", "spec", "kind", "status"]), trees)
quantities = st.dictionaries(st.sampled_from(["cpu", "memory"]), texts, max_size=2)
resources = st.fixed_dictionaries({}, optional={"requests": quantities, "limits": quantities})
managers = st.fixed_dictionaries(
    {},
    optional={
        "replicas": st.integers(1, 2),
        "resources": resources,
        "podTemplate": objects,
        "resource": st.fixed_dictionaries({}, optional={"cpu": st.sampled_from([1, 1.0, 2])}),
    },
)
job_specs = st.fixed_dictionaries(
    {},
    optional={
        "parallelism": st.integers(1, 2),
        "args": st.none() | st.lists(texts, max_size=2),
        "state": st.sampled_from(["running", "suspended"]),
        "upgradeMode": st.sampled_from(["savepoint", "stateless"]),
        "savepointTriggerNonce": st.none() | st.integers(0, 1),
        "savepointRedeployNonce": st.none() | st.integers(0, 1),
    },
)
configurations = st.dictionaries(
    st.sampled_from(["a", "a.b", "kubernetes.operator.x", "job.autoscaler.y", "my.password"]),
    scalars | st.dictionaries(st.sampled_from(["b", "c"]), scalars, max_size=2),
    max_size=3,
)
documents = st.fixed_dictionaries(
    {},
    optional={
        "image": st.none() | texts,
        "restartNonce": st.none() | st.integers(0, 1),
        "mode": st.sampled_from(["native", "standalone"]),
        "job": st.none() | job_specs,
        "jobManager": st.none() | managers,
        "taskManager": st.none() | managers,
        "podTemplate": st.none() | objects,
        "flinkConfiguration": configurations,
        "logConfiguration": st.none() | st.dictionaries(texts, texts, max_size=1),
    },
)


def full(document):
    """Return the document as the differ gets it; discard what the API would refuse."""
    try:
        return codec.encode(codec.decode_flinkdeployment_spec(document), codec.Omit.NOTHING)
    except DecodeError:
        assume(condition=False)
        raise


@given(documents, st.booleans())
def test_equal_documents_do_not_differ(document, standalone):
    """Also when both were decoded anew."""
    found = specdiff.diff(full(document), full(document), standalone=standalone)
    assert found.changes == ()
    assert found.type is DiffType.IGNORE


def silent(change):
    """Whether the way back of this change says nothing: a nonce that is taken away."""
    return change.path in ("restartNonce", "job.savepointRedeployNonce") and change.before is None


@given(documents, documents, st.booleans())
def test_the_way_back_is_as_long(one, other, standalone):
    """The same paths with the same types, values exchanged; nonces may only come."""
    there = specdiff.diff(full(one), full(other), standalone=standalone).changes
    back = specdiff.diff(full(other), full(one), standalone=standalone).changes
    ways = {(c.path, c.type) for c in there if not silent(c)}
    assert ways == {(c.path, c.type) for c in back if not silent(c)}
    values = {c.path: (c.before, c.after) for c in there}
    for change in back:
        if not silent(change):
            assert values[change.path] == (change.after, change.before)


@given(documents, documents)
def test_every_difference_can_be_read(one, other):
    """The text names what changed, on one line as far as the values are, and no secret."""
    found = specdiff.diff(full(one), full(other))
    text = found.text()
    assert text.startswith("Diff: FlinkDeploymentSpec[")
    assert text.endswith("]")
    for change in found.changes:
        if change.path == "flinkConfiguration.my.password":
            shown = {"null", "******"}
            body = text.partition("flinkConfiguration.my.password : ")[2]
            assert body.partition(" -> ")[0] in shown


@given(documents, documents)
def test_a_mode_never_makes_a_change_appear_or_vanish(one, other):
    """It only weighs them."""
    native = specdiff.diff(full(one), full(other))
    standalone = specdiff.diff(full(one), full(other), standalone=True)
    assert [c.path for c in native.changes] == [c.path for c in standalone.changes]
