"""Quantities: Kubernetes' own, and Flink's memory sizes with their Kubernetes fall-back.

The two disagree on the same letters. To Kubernetes `2G` is two decimal gigabytes and `2048m` is about two
bytes; to Flink both are 2 GiB. A memory field of a Flink resource is read Flink's way first and
Kubernetes' way only when that fails (`api.md` 2.6, `kubernetes-objects.md` 5.1). All arithmetic is exact.
"""

import decimal
import re
from decimal import Decimal

import attrs

_EXACT = decimal.Context(prec=400, traps=[decimal.Inexact, decimal.InvalidOperation])
_LONGEST = 64
_MAX_BYTES = 2**63 - 1

_BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_QUANTITY = re.compile(
    r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))([eE][+-]?[0-9]{1,3}|[a-zA-Z]{0,2})", re.ASCII
)

_FLINK_UNITS = {
    name: 1024**power
    for power, names in enumerate(
        (
            ("", "b", "bytes"),
            ("k", "kb", "kibibytes"),
            ("m", "mb", "mebibytes"),
            ("g", "gb", "gibibytes"),
            ("t", "tb", "tebibytes"),
        )
    )
    for name in names
}
_FLINK_SIZE = re.compile(r"\s*([0-9]+)\s*([a-zA-Z]*)\s*", re.ASCII)
_BLANKS = re.compile(r"\s+")


class QuantityError(ValueError):
    """A text that is no quantity; the message says why and what would be one."""


@attrs.frozen
class Memory:
    """An amount of memory as a user wrote it.

    Attributes:
        bytes: the amount.
        flink_text: the value for a Flink option such as jobmanager.memory.process.size.
        fractional: whether it was written with a decimal point. The reference refuses such texts at
            validation (`api.md` 2.6); the amount is nevertheless exact.
    """

    bytes: int
    flink_text: str
    fractional: bool = False


def parse_quantity(text: str | int) -> Decimal:
    """Return the exact value of a Kubernetes quantity: `500m` → 0.5, `1Ki` → 1024, `1e3` → 1000.

    Raises:
        QuantityError: the text is not a Kubernetes quantity.
    """
    text = str(text)
    match = _QUANTITY.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        raise _not_a_quantity(text)
    number, suffix = Decimal(match[1]), match[2]
    if suffix in _BINARY:
        return _EXACT.multiply(number, Decimal(_BINARY[suffix]))
    if suffix in _DECIMAL:
        return _EXACT.scaleb(number, _DECIMAL[suffix])
    if suffix[1:].lstrip("+-").isdigit():
        return _EXACT.scaleb(number, int(suffix[1:]))
    raise _not_a_quantity(text)


def same_quantity(one: str, other: str) -> bool:
    """Tell whether two Kubernetes quantities are numerically equal; equal texts always are."""
    if one == other:
        return True
    try:
        return parse_quantity(one) == parse_quantity(other)
    except QuantityError:
        return False


def parse_flink_size(text: str) -> int:
    """Return the bytes of a Flink memory size: digits and an optional binary unit, as `2048m`, `2 gb`.

    Raises:
        QuantityError: the text is not a Flink memory size, or exceeds 64 bits.
    """
    match = _FLINK_SIZE.fullmatch(text) if len(text) <= _LONGEST else None
    unit = _FLINK_UNITS.get(match[2].lower()) if match else None
    if match is None or unit is None:
        raise QuantityError(
            f"{_shown(text)} is not a memory size: write digits and one of the units b, k, m, g, t, such as 2048m"
        )
    return _in_range(Decimal(int(match[1]) * unit), text)


def flink_size_text(size: int) -> str:
    """Return bytes as Flink prints them: `2 gb`, the largest unit up to gb that divides exactly.

    Flink prints zero and whole tebibytes in bytes, and so does this (`kubernetes-objects.md` 5.1).
    """
    if size % 1024**4 == 0:
        return f"{size} bytes"
    for power, unit in ((3, "gb"), (2, "mb"), (1, "kb")):
        if size % 1024**power == 0:
            return f"{size // 1024**power} {unit}"
    return f"{size} bytes"


def parse_memory(text: str) -> Memory:
    """Read a memory field of a Flink resource: as Flink size, else as Kubernetes quantity.

    Raises:
        QuantityError: the text is neither, is negative, exceeds 64 bits, or is no whole number of bytes.
    """
    try:
        size = parse_flink_size(text)
    except QuantityError:
        return _memory_from_quantity(text)
    return Memory(size, flink_size_text(size))


def _memory_from_quantity(text: str) -> Memory:
    folded = _BLANKS.sub("", text).upper().removesuffix("B")
    if folded.endswith("I"):
        folded = folded[:-1] + "i"
    if folded.endswith("E"):
        # To Kubernetes `1E` is an exabyte; the reference refuses it, and as an exponent it is unfinished.
        raise QuantityError(f"{_shown(text)} is not a memory size: the exponent after E is missing")
    try:
        value = parse_quantity(folded)
    except QuantityError:
        raise QuantityError(
            f"{_shown(text)} is not a memory size: write a whole number and a unit, such as 2048m, 2g or 2Gi"
        ) from None
    size = _in_range(value, text)
    return Memory(size, str(size), fractional="." in folded)


def _in_range(value: Decimal, text: str) -> int:
    if value < 0:
        raise QuantityError(
            f"{_shown(text)} is negative: write a positive memory size, such as 2048m"
        )
    if value > _MAX_BYTES:
        raise QuantityError(
            f"{_shown(text)} is more than 64 bits can count: write a smaller memory size"
        )
    if value != value.to_integral_value():
        raise QuantityError(f"{_shown(text)} is not a whole number of bytes: write whole bytes")
    return int(value)


def _not_a_quantity(text: str) -> QuantityError:
    return QuantityError(
        f"{_shown(text)} is not a quantity: write a number and an optional unit, such as 500m, 2 or 1Gi"
    )


def _shown(text: str) -> str:
    return repr(text if len(text) <= _LONGEST else text[:_LONGEST] + "…")
