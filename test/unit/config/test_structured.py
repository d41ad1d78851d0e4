"""Lists and maps inside one value."""

import pytest

from flinkop.config import structured


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("a;b;c", ("a", "b", "c")),
        (" a ; b ", ("a", "b")),
        ("a;;b", ("a", "", "b")),
        ("a;b;", ("a", "b")),
        ("", ()),
        ("''", ("",)),
        ("'a;b';c", ("a;b", "c")),
        ('\'it\'\'s\';"say ""hi"""', ("it's", 'say "hi"')),
        ("'a' ; 'b'", ("a", "b")),
        ("a'b;c", ("a'b", "c")),
        ("[a, b]", ("a", "b")),
        ("['a;b', 1, true]", ("a;b", "1", "true")),
        ("[a", ("[a",)),
    ],
)
def test_lists(text, items):
    """Legacy and flow lists."""
    assert structured.parse_list(text) == items


@pytest.mark.parametrize("text", ["'a'b;c", "'a;b", '"x'])
def test_broken_lists(text):
    """Open quotes and text behind a closing quote are errors."""
    with pytest.raises(ValueError, match="quote"):
        structured.parse_list(text)


@pytest.mark.parametrize(
    ("items", "text"),
    [
        (["a", "b"], "a;b"),
        (["a;b", "it's", 'q"'], "'a;b';'it''s';'q\"'"),
        (["a", "", "b"], "a;;b"),
        (["a", ""], "a;''"),
        ([" a"], "' a'"),
        ([], ""),
    ],
)
def test_written_lists(items, text):
    """Items are quoted only where they must be."""
    assert structured.join_list(items) == text


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("k1:v1,k2:v2", {"k1": "v1", "k2": "v2"}),
        ("a1:v1,'''a2:b'':v,2'", {"a1": "v1", "a2:b": "v,2"}),
        ("Authorization:'Bearer a:b'", {"Authorization": "Bearer a:b"}),
        ("'Accept:''a,b'''", {"Accept": "a,b"}),
        ("{k: v, n: 1}", {"k": "v", "n": "1"}),
        ("{k: [a, b]}", {"k": "[a, b]"}),
        ("", {}),
    ],
)
def test_maps(text, entries):
    """Legacy and flow maps."""
    assert structured.parse_map(text) == entries


@pytest.mark.parametrize("text", ["a", "a:b:c", "k:", "{a"])
def test_broken_maps(text):
    """An item must be a key and a value."""
    with pytest.raises(ValueError, match="key:value"):
        structured.parse_map(text)


def test_written_map():
    """Maps are quoted in two steps, as the readers of all versions expect."""
    assert structured.join_map({"a1": "v1", "a2:b": "v,2"}) == "a1:v1,'''a2:b'':v,2'"
    assert structured.join_map({"empty": ""}) == "'empty:'''''"


@pytest.mark.parametrize(
    "text",
    [
        "key:k1,operator:Exists;key:k2,effect:NoSchedule",
        "[{key: k1, operator: Exists}, 'key:k2,effect:NoSchedule']",
    ],
)
def test_lists_of_maps(text):
    """Tolerations, in both syntaxes."""
    assert structured.parse_maps(text) == (
        {"key": "k1", "operator": "Exists"},
        {"key": "k2", "effect": "NoSchedule"},
    )
