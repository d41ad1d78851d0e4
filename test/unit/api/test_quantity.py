"""Quantities: Flink sizes, the Kubernetes fall-back, exact values."""

from decimal import Decimal

import pytest

from flinkop.api import quantity

GI = 1024**3

# From the reference, recorded: what it writes into the configuration, and what Flink reads there.
WRITTEN = {
    "1024": ("1 kb", 1024),
    "1024b": ("1 kb", 1024),
    "1024 bytes": ("1 kb", 1024),
    "1k": ("1 kb", 1024),
    "1 kb": ("1 kb", 1024),
    "1024kibibytes": ("1 mb", 1024**2),
    "2048m": ("2 gb", 2 * GI),
    "2048 m": ("2 gb", 2 * GI),
    "2048mb": ("2 gb", 2 * GI),
    "2048M": ("2 gb", 2 * GI),
    "2048mebibytes": ("2 gb", 2 * GI),
    "2g": ("2 gb", 2 * GI),
    "2G": ("2 gb", 2 * GI),
    "2 gb": ("2 gb", 2 * GI),
    "1t": ("1099511627776 bytes", 1024**4),
    "1Ti": ("1099511627776", 1024**4),
    "2Gi": ("2147483648", 2 * GI),
    "2gi": ("2147483648", 2 * GI),
    "2 Gi": ("2147483648", 2 * GI),
    "2GiB": ("2147483648", 2 * GI),
    "2048Mi": ("2147483648", 2 * GI),
    "500M": ("500 mb", 524288000),
    "1e9": ("1000000000", 10**9),
    "1E9": ("1000000000", 10**9),
    "1e3": ("1000", 1000),
    "128974848": ("123 mb", 128974848),
    "129e6": ("129000000", 129000000),
    "100000k": ("100000 kb", 102400000),
    "100Ki": ("102400", 102400),
    "1728m": ("1728 mb", 1811939328),
    "2000000000": ("1953125 kb", 2000000000),
    "1P": ("1000000000000000", 10**15),
    "1Pi": ("1125899906842624", 1024**5),
    " 2048m ": ("2 gb", 2 * GI),
    "1 024m": ("1024000000", 1024000000),
    "3000000Ki": ("3072000000", 3072000000),
    "0": ("0 bytes", 0),
    "7": ("7 bytes", 7),
}


@pytest.mark.parametrize(("text", "written"), WRITTEN.items())
def test_memory_is_written_as_the_reference_writes_it(text, written):
    """Text and bytes equal what the reference recorded."""
    assert quantity.parse_memory(text) == quantity.Memory(written[1], written[0])


@pytest.mark.parametrize(
    ("text", "size"),
    [("1.5Gi", 1610612736), ("0.5g", 500000000), ("1.5g", 1500000000), ("1.0Gi", GI)],
)
def test_fractions_are_whole_bytes_and_marked(text, size):
    """Where the reference writes `1610612736.0`, which Flink cannot read, whole bytes are written."""
    assert quantity.parse_memory(text) == quantity.Memory(size, str(size), fractional=True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "abc",
        "-1g",
        "-2Gi",
        "1E",
        "1 E",
        "0.5k",
        "1.5",
        "10x",
        "1ee3",
        "9e18m",
        "9999999t",
        "1e999",
        "٢g",
    ],
)
def test_what_is_no_memory_is_refused_with_the_text_in_the_message(text):
    """The message shows what was read."""
    with pytest.raises(quantity.QuantityError) as refused:
        quantity.parse_memory(text)
    assert repr(text) in str(refused.value)


def test_long_texts_are_refused_without_being_printed():
    """A megabyte of digits neither costs time nor fills the log."""
    with pytest.raises(quantity.QuantityError) as refused:
        quantity.parse_memory("9" * 1_000_000)
    assert len(str(refused.value)) < 250


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", "1"),
        (2, "2"),
        ("500m", "0.5"),
        ("1.5", "1.5"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1Ki", "1024"),
        ("1.5Gi", "1610612736"),
        ("1k", "1000"),
        ("1E", "1E18"),
        ("1e3", "1000"),
        ("1E-3", "0.001"),
        ("-2Gi", "-2147483648"),
        ("+3", "3"),
        ("100n", "1E-7"),
        ("8191Pi", str(8191 * 2**50)),
    ],
)
def test_kubernetes_quantities_are_exact(text, value):
    """Values are exact decimals."""
    assert quantity.parse_quantity(text) == Decimal(value)


@pytest.mark.parametrize(
    "text", ["", "K", "1K", "1ki", "one", "1 Gi", "1e", "1e+", "--1", "1.2.3", "0x10", "1e1000"]
)
def test_what_is_no_quantity_is_refused(text):
    """Kubernetes would refuse these too, or they are absurd."""
    with pytest.raises(quantity.QuantityError):
        quantity.parse_quantity(text)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2Gi", "2048Mi", True),
        ("1", "1000m", True),
        ("1", "1.0", True),
        ("2048m", "2g", False),
        ("junk", "junk", True),
        ("junk", "1", False),
        ("1", "2", False),
    ],
)
def test_equality_is_numeric(one, other, same):
    """`api.md` 2.1: quantities compare by value."""
    assert quantity.same_quantity(one, other) is same
