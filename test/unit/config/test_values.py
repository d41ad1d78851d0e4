"""Scalar values of the configuration."""

import datetime as dt

import pytest

from flinkop.config import values
from flinkop.config.options import DeletionPropagation


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10 s", 10),
        ("10s", 10),
        ("  10   S ", 10),
        ("5 MINUTE", 300),
        ("1 min", 60),
        ("1m", 60),
        ("2 hours", 7200),
        ("1 d", 86400),
        ("500", 0.5),
        ("250 milliseconds", 0.25),
        ("7 µs", 0.000007),
        ("2000 ns", 0.000002),
        ("0", 0),
    ],
)
def test_durations(text, seconds):
    """Units in any case, milliseconds without one."""
    assert values.parse_duration(text) == dt.timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    ["", "s", "1h30m", "PT5M", "1.5 s", "-1 s", "5 us", "5 weeks", "5 m 3 s", "9" * 30, "٣ s"],
)
def test_no_durations(text):
    """Compound, signed, fractional and ISO forms are refused."""
    with pytest.raises(ValueError, match=r"not a duration|unknown unit|out of range"):
        values.parse_duration(text)


def test_signed_duration():
    """A leading minus makes a duration negative where an option takes that for off."""
    assert values.parse_signed_duration("-1 min") == dt.timedelta(minutes=-1)


def test_longest_duration():
    """A duration longer than a thousand years is cut, so that dates stay in range."""
    assert values.parse_duration("9223372036854775807 d") == dt.timedelta(days=365_000)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(60, "1 min"), (86400, "1 d"), (0, "0 ms"), (90, "90 s"), (0.0015, "1500 µs"), (7200, "2 h")],
)
def test_rendered_durations(seconds, text):
    """The largest unit that divides exactly."""
    assert values.render_duration(dt.timedelta(seconds=seconds)) == text


def test_booleans():
    """True and false in any case, nothing else."""
    assert values.parse_boolean("TRUE") is True
    assert values.parse_boolean("False") is False
    for text in ("yes", "1", "", " true"):
        with pytest.raises(ValueError, match="write true or false"):
            values.parse_boolean(text)


def test_integers():
    """Whole decimal numbers within 32 or 64 bits."""
    assert values.parse_integer("-5") == -5
    assert values.parse_integer("+7") == 7
    assert values.parse_long("9223372036854775807") == 2**63 - 1
    for text in ("1.0", "0x10", "", "1_000", "1 "):
        with pytest.raises(ValueError, match="whole number"):
            values.parse_integer(text)
    for text in ("2147483648", "9" * 5000):
        with pytest.raises(ValueError, match="out of range"):
            values.parse_integer(text)


def test_doubles():
    """Decimal numbers as Java reads them."""
    assert values.parse_double("1.5") == 1.5
    assert values.parse_double(" 2d ") == 2.0
    assert values.parse_double("1e3") == 1000.0
    for text in ("", "nan", "1_0", "x"):
        with pytest.raises(ValueError, match="not a number"):
            values.parse_double(text)


def test_enums():
    """Enum values match in any case, and the error lists them."""
    assert values.parse_enum(DeletionPropagation, "FOREGROUND") is DeletionPropagation.FOREGROUND
    with pytest.raises(ValueError, match="Orphan, Background, Foreground"):
        values.parse_enum(DeletionPropagation, "now")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1.0, "1.0"),
        (0.3, "0.3"),
        (1e3, "1000.0"),
        (1e20, "1.0E20"),
        (0.00001, "1.0E-5"),
        (0.001, "0.001"),
        (0.0009, "9.0E-4"),
        (9999999.0, "9999999.0"),
        (1e7, "1.0E7"),
        (12345678.9, "1.23456789E7"),
        (-0.00012, "-1.2E-4"),
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.5e300, "1.5E300"),
        (123456789012345680.0, "1.2345678901234568E17"),
        (float("inf"), "Infinity"),
        (float("-inf"), "-Infinity"),
        (float("nan"), "NaN"),
    ],
)
def test_java_double(number, text):
    """Numbers are written as Java writes a double."""
    assert values.java_double(number) == text
