"""Properties of the codec: totality, round trips, nothing lost."""

import msgspec
from hypothesis import given, strategies as st

from flinkop.api import codec, recorded_spec
from flinkop.api.wire import DecodeError

# Numbers as JSON libraries agree on them; no lone surrogates, which JSON text cannot carry.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
members = [
    "job",
    "flinkConfiguration",
    "flinkVersion",
    "podTemplate",
    "jobManager",
    "ingress",
    "tls",
    "args",
    "resource",
    "resources",
    "requests",
    "replicas",
    "logConfiguration",
    "restartNonce",
    "other",
]
documents = st.recursive(
    values,
    lambda inner: st.dictionaries(st.sampled_from(members), inner, max_size=5),
    max_leaves=12,
)


def refusal(decode, raw):
    """Return the error with which `raw` is refused, or None when it is read."""
    try:
        decode(raw)
    except DecodeError as refused:
        return refused
    return None


@given(documents)
def test_any_json_is_read_or_refused_with_a_path(document):
    """Nothing but DecodeError leaves the decoder, and its path starts where it was told."""
    for decode, root in (
        (codec.decode_flinkdeployment_spec, "spec"),
        (codec.decode_flinksessionjob_spec, "spec"),
        (codec.decode_flinkdeployment_status, "status"),
        (codec.decode_flinksessionjob_status, "status"),
    ):
        refused = refusal(decode, msgspec.json.encode(document))
        assert refused is None or (refused.path.startswith(root) and refused.message)


@given(documents)
def test_what_was_read_is_written_so_that_it_reads_the_same(document):
    """Writing and reading again changes nothing, in either form."""
    try:
        spec = codec.decode_flinkdeployment_spec(msgspec.json.encode(document))
    except DecodeError:
        return
    again = codec.decode_flinkdeployment_spec(msgspec.json.encode(codec.encode_spec(spec)))
    assert again == spec
    assert again.extra == spec.extra
    recorded = recorded_spec.decode(recorded_spec.encode(spec, True))
    assert recorded.spec == spec
    assert recorded.first_deployment is True


@given(st.binary(max_size=40) | texts.map(str.encode))
def test_any_bytes_are_read_or_refused(raw):
    """Broken JSON is a typed error too."""
    refused = refusal(codec.decode_flinkdeployment_spec, raw)
    assert refused is None or refused.path.startswith("spec")


@given(texts | values.map(lambda value: msgspec.json.encode(value).decode()))
def test_any_remembered_text_is_read_or_refused(text):
    """A status that somebody edited by hand raises the one typed error at most."""
    refused = refusal(recorded_spec.decode, text)
    assert refused is None or refused.path.startswith(
        "status.reconciliationStatus.lastReconciledSpec"
    )
