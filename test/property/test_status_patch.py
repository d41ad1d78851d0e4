"""Merge patches: applying the difference gives the new document (RFC 7386)."""

from fakes.objectapi import apply_merge_patch
from hypothesis import given, strategies as st

from flinkop.stages.status_patch import merge_difference

keys = st.sampled_from(["a", "b", "c"])
values = st.recursive(
    st.integers(0, 2) | st.text(max_size=2) | st.lists(st.integers(0, 2)),
    lambda inner: st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)
documents = st.dictionaries(keys, values, max_size=3)
with_nulls = st.recursive(
    st.none() | st.integers(0, 2) | st.lists(st.integers(0, 2), max_size=1),
    lambda inner: st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)


def without_nulls(value):
    """Return the document as the API server stores it: members without a value are absent."""
    if isinstance(value, dict):
        return {k: without_nulls(v) for k, v in value.items() if v is not None}
    return value


@given(documents, documents)
def test_the_difference_leads_from_old_to_new(old, new):
    """Applied to the old document it gives the new one exactly."""
    assert apply_merge_patch(old, merge_difference(old, new)) == new


@given(st.dictionaries(keys, with_nulls, max_size=3), st.dictionaries(keys, with_nulls, max_size=3))
def test_nulls_count_as_absent(old, new):
    """Documents that have nulls come to the same as documents without."""
    patch = merge_difference(old, new)
    stored = apply_merge_patch(without_nulls(old), patch)
    assert without_nulls(stored) == without_nulls(new)


@given(documents)
def test_equal_documents_need_no_patch(document):
    """And only they."""
    assert merge_difference(document, dict(document)) == {}


@given(documents, documents)
def test_a_patch_is_empty_only_between_equals(old, new):
    """No change of a status is lost."""
    assert bool(merge_difference(old, new)) is (old != new)
