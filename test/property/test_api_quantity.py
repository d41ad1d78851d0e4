"""Properties of quantities."""

from hypothesis import given, strategies as st

from flinkop.api import quantity


@given(st.integers(min_value=0, max_value=2**63 - 1))
def test_flink_text_reads_back_as_the_same_bytes(size):
    """Printing and reading a Flink size changes nothing."""
    assert quantity.parse_flink_size(quantity.flink_size_text(size)) == size


@given(st.text(max_size=40))
def test_reading_memory_gives_bytes_or_one_typed_error(text):
    """Any text is read or refused, and what is read is what Flink will read."""
    try:
        memory = quantity.parse_memory(text)
    except quantity.QuantityError:
        return
    assert quantity.parse_flink_size(memory.flink_text) == memory.bytes


@given(st.from_regex(r"[+-]?[0-9.]{1,6}(Ki|Mi|[numkMGTPE]|e[+-]?[0-9]{1,4})?", fullmatch=True))
def test_quantities_are_read_or_refused(text):
    """Near misses of the grammar raise the one typed error and nothing else."""
    try:
        value = quantity.parse_quantity(text)
    except quantity.QuantityError:
        return
    assert value.is_finite()
