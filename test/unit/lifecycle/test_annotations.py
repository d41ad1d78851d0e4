"""Annotations as Kubernetes takes them."""

import pytest

from flinkop.lifecycle import annotations


@pytest.mark.parametrize(
    "key",
    ["a", "exception-timestamp", "A_b.c-1", "x" * 63, "flink.apache.org/generation", "a/B"],
)
def test_keys_that_are_taken(key):
    """A name, perhaps after a DNS name and a slash."""
    assert annotations.is_key(key)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "-a",
        "a-",
        "a b",
        "ü",
        "a\n",
        "x" * 64,
        "/a",
        "a/",
        "a/b/c",
        "A/b",
        "a./b",
        "a..b/c",
        "a_b/c",
        "-a/b",
        "x" * 64 + "/a",
        ".".join(["x" * 60] * 5) + "/a",
    ],
)
def test_keys_that_are_refused(key):
    """The API server would refuse the whole object for one of them."""
    assert not annotations.is_key(key)


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("", ""),
        ("  a b ", "a b"),
        ("a\r\n\t b", "a  b"),
        ("a\n\n\nb\tc", "a b c"),
        ("\x00a\x1bb\x7f", "ab"),
        ("ü\x85", "ü"),
    ],
)
def test_values_are_on_one_line(value, line):
    """Breaks and tabs become one space, control characters go."""
    assert annotations.one_line(value) == line


def test_what_remains():
    """Entries with a good key and a value."""
    assert annotations.cleaned({"a": " 1\n", "b": None, "c d": "2"}) == {"a": "1"}
