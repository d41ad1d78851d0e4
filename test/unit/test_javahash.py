"""Java's hash codes, recorded from a JVM."""

import pytest

from flinkop import javahash


@pytest.mark.parametrize(
    ("text", "value", "alone"),
    [
        ("", 0, "1f"),
        ("a", 97, "80"),
        ("hello", 99162322, "5e918f1"),
        ("polygenelubricants", -(2**31), "8000001f"),
        ("ü", 252, "11b"),
        ("\U0001f600", 1772899, "1b0d82"),
    ],
)
def test_hashes_are_those_of_java(text, value, alone):
    """Over UTF-16 units, signed, 32 bits; `alone` is the text as the only member of a list."""
    assert javahash.of_string(text) == value
    assert javahash.hexadecimal(javahash.of_list(text)) == alone


def test_lists_hash_in_order():
    """Each further member multiplies what was before it by 31."""
    assert javahash.of_list() == 1
    assert javahash.of_list("a", "b") == 4066
    assert javahash.of_list("b", "a") != 4066


def test_half_a_character_hashes_too():
    """A lone surrogate is a UTF-16 unit like any other."""
    assert javahash.of_string("\ud83d") == 0xD83D
