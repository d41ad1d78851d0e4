"""Java's hash codes, where the reference has put them into names that people and programs select by."""

from typing import Final

_INT32: Final = 0xFFFFFFFF
_SIGN: Final = 0x80000000


def of_string(text: str) -> int:
    """Return `text.hashCode()`: over UTF-16 units, as a signed 32-bit number."""
    value = 0
    units = text.encode("utf-16-be", "surrogatepass")
    for high, low in zip(units[::2], units[1::2], strict=True):
        value = (31 * value + (high << 8 | low)) & _INT32
    return _signed(value)


def of_list(*texts: str) -> int:
    """Return `Objects.hash(texts...)`, also that of a list of them, as a signed 32-bit number."""
    value = 1
    for text in texts:
        value = (31 * value + of_string(text)) & _INT32
    return _signed(value)


def hexadecimal(value: int) -> str:
    """Return `Integer.toHexString(value)`: the bits as an unsigned number, no leading zeros."""
    return f"{value & _INT32:x}"


def _signed(value: int) -> int:
    return value - (1 << 32) if value & _SIGN else value
