"""Scalar values of Flink's configuration: text to Python and back (`operations.md` 1.4).

Parsers take the text alone and raise ValueError with a reason that says what would be right; whoever
knows the key turns that into a ConfigValueError. They are pure and cached where that pays.
"""

import datetime as dt
import enum
import functools
import re
from typing import TypeVar

E = TypeVar("E", bound=enum.Enum)

_AMOUNT = re.compile(r"\s*([0-9]+)\s*(\S*)\s*", re.ASCII)
_LONG_MAX = 2**63 - 1
_INT_MAX = 2**31 - 1

_DURATION_UNITS_NS = {
    label: nanoseconds
    for nanoseconds, labels in (
        (86_400_000_000_000, "d day days"),
        (3_600_000_000_000, "h hour hours"),
        (60_000_000_000, "m min minute minutes"),
        (1_000_000_000, "s sec secs second seconds"),
        (1_000_000, "ms milli millis millisecond milliseconds"),
        (1_000, "µs micro micros microsecond microseconds"),
        (1, "ns nano nanos nanosecond nanoseconds"),
    )
    for label in labels.split()
}
_DURATION_LABELS = (
    (86_400_000_000, "d"),
    (3_600_000_000, "h"),
    (60_000_000, "min"),
    (1_000_000, "s"),
    (1_000, "ms"),
    (1, "µs"),
)
_LONGEST = dt.timedelta(days=365_000)


def parse_string(text: str) -> str:
    """Return the text as it is."""
    return text


def parse_boolean(text: str) -> bool:
    """Read `true` or `false` in any case."""
    lowered = text.lower()
    if lowered == "true":
        return True
    if lowered == "false":
        return False
    raise ValueError("not a boolean, write true or false")


def parse_integer(text: str) -> int:
    """Read a whole number of 32 bits."""
    return _whole_number(text, _INT_MAX)


def parse_long(text: str) -> int:
    """Read a whole number of 64 bits."""
    return _whole_number(text, _LONG_MAX)


def _whole_number(text: str, largest: int) -> int:
    if not re.fullmatch(r"[+-]?[0-9]+", text, re.ASCII):
        raise ValueError("not a whole number, write digits such as 10")
    number = int(text[:40])
    if not -largest - 1 <= number <= largest:
        raise ValueError(f"out of range, the largest value is {largest}")
    return number


def parse_double(text: str) -> float:
    """Read a decimal number such as `1.5`."""
    if not re.fullmatch(
        r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?[dDfF]?\s*", text, re.ASCII
    ):
        raise ValueError("not a number, write one such as 1.5")
    return float(text.strip().rstrip("dDfF"))


@functools.lru_cache(maxsize=1024)
def parse_duration(text: str) -> dt.timedelta:
    """Read a duration such as `10 s`; without a unit it is in milliseconds.

    Finer than microseconds is cut off, longer than a thousand years is cut to that: nobody waits so
    long, and sums with dates stay in range.
    """
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise ValueError("not a duration, write a whole number and one unit such as 10 s or 5 min")
    digits, unit = match.groups()
    nanoseconds = _DURATION_UNITS_NS.get(unit.lower()) if unit else 1_000_000
    if nanoseconds is None:
        raise ValueError(f"unknown unit '{unit}', use one of d, h, min, s, ms, µs, ns")
    if len(digits) > 19 or int(digits) > _LONG_MAX:  # noqa: PLR2004 - digits of 2**63
        raise ValueError("out of range, the number must fit in 64 bits")
    microseconds = int(digits) * nanoseconds // 1000
    if microseconds >= _LONGEST // dt.timedelta(microseconds=1):
        return _LONGEST
    return dt.timedelta(microseconds=microseconds)


def parse_signed_duration(text: str) -> dt.timedelta:
    """Read a duration that a leading `-` may make negative, which some options take for "off"."""
    if text.startswith("-"):
        return -parse_duration(text[1:])
    return parse_duration(text)


def render_duration(duration: dt.timedelta) -> str:
    """Write a duration with the largest unit that divides it: 60 s becomes `1 min`, zero `0 ms`."""
    microseconds = duration // dt.timedelta(microseconds=1)
    if microseconds == 0:
        return "0 ms"
    for factor, label in _DURATION_LABELS:
        if microseconds % factor == 0:
            return f"{microseconds // factor} {label}"
    raise AssertionError("every whole number is a multiple of one")


def parse_enum(kind: type[E], text: str) -> E:
    """Find the member of `kind` whose value equals `text` in any case."""
    lowered = text.lower()
    for member in kind:
        if str(member.value).lower() == lowered:
            return member
    known = ", ".join(str(member.value) for member in kind)
    raise ValueError(f"unknown value, use one of {known}")


def java_double(number: float) -> str:
    """Write a number as Java's `Double.toString`: `1.0`, `1.0E7`, `1.0E-4` (`api.md` 2.5)."""
    if number != number:  # noqa: PLR0124 - NaN
        return "NaN"
    if number in (float("inf"), float("-inf")):
        return "Infinity" if number > 0 else "-Infinity"
    plain = repr(number)
    size = abs(number)
    if number == 0 or (1e-3 <= size < 1e7 and "e" not in plain):  # noqa: PLR2004 - Java's bounds
        return plain
    sign = "-" if plain.startswith("-") else ""
    mantissa, _, exponent = plain.lstrip("-").partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    leading_zeros = len(whole + fraction) - len(digits)
    power = int(exponent or 0) + len(whole) - leading_zeros - 1
    digits = digits.rstrip("0") or "0"
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{power}"
