"""Configuration files: what Flink reads of them, recorded, against what flinkop reads and writes."""

from pathlib import Path

import pytest
import yaml

from flinkop.config import errors, flat_file, standard_file, yaml12

GOLDEN = Path(__file__).parents[2] / "golden" / "serialization"


def recorded(path):
    """Read a recorded result."""
    return yaml.load((GOLDEN / path).read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


def test_flat_loader():
    """A flat file with every oddity reads as Flink reads it."""
    text = (GOLDEN / "loader-flat/flink-conf.yaml").read_text(encoding="utf-8")
    found, skipped = flat_file.parse(text)
    assert found == recorded("loader-flat/expected.yaml")
    assert {line.reason for line in skipped} == {
        "no ': ' between key and value",
    }


def test_standard_loader():
    """A YAML file with every type reads as Flink 2.x reads it."""
    text = (GOLDEN / "loader-standard/config.yaml").read_text(encoding="utf-8")
    assert standard_file.parse(text) == recorded("loader-standard/expected.yaml")


def test_legacy_lists():
    """The operator's own lists become text that every Flink version reads."""
    text = "a: [x, 1, 'c;d']\nb:\n- {k: v, n: 1}\n- {k: w}\nc: []\nd: [[x]]\n"
    assert standard_file.parse(text, legacy_lists=True) == {
        "a": "x;1;'c;d'",
        "b": "k:v,n:1;k:w",
        "c": "",
        "d": "[[x]]",
    }


@pytest.mark.parametrize("vector", recorded("scalar-values.yaml"), ids=lambda v: repr(v["value"]))
def test_scalars(vector):
    """Each value is written so that Flink reads what it should: exactly, or what a flat file can carry."""
    value = vector["value"]
    flat, _ = flat_file.parse(flat_file.render({"some.key": value}))
    assert flat.get("some.key") == vector["flat_read"]
    assert standard_file.parse(standard_file.render({"some.key": value})) == {"some.key": value}


@pytest.mark.parametrize("vector", recorded("scalar-values.yaml"), ids=lambda v: repr(v["value"]))
def test_damage(vector):
    """Whatever a flat file cannot carry is reported, edge blanks and empty values apart."""
    value = vector["value"]
    lost = flat_file.damage({"some.key": value})
    assert bool(lost) == ((vector["flat_read"] or "") != value.strip())


def test_flat_values_cannot_add_keys():
    """A value of several lines does not smuggle in other keys."""
    text = flat_file.render({"a": "1\nkubernetes.namespace: other", "b": "\n\n"})
    assert flat_file.parse(text)[0] == {"a": "1"}


def test_overlap():
    """A key that is a prefix of another is found; equal beginnings are no prefix."""
    assert standard_file.overlap(["a.b", "a.bc", "a.b-c.d"]) is None
    assert standard_file.overlap(["state.backend.incremental", "state.backend"]) == (
        "state.backend",
        "state.backend.incremental",
    )


def test_rendered_tree():
    """Keys nest by their dots and everything is quoted."""
    text = standard_file.render(
        {"b.c": "1", "a.b.c": "x", "a.b.d": "it's", "a.1": "line\n"},
        {"z.args": ["-1", ""], "z.no": []},
    )
    assert text == (
        "a:\n"
        "  '1': \"line\\n\"\n"
        "  b:\n"
        "    c: 'x'\n"
        "    d: 'it''s'\n"
        "b:\n"
        "  c: '1'\n"
        "z:\n"
        "  args:\n"
        "  - '-1'\n"
        "  - ''\n"
        "  no: []\n"
    )


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a: 1\nb: [1, 2\nc: 3\n", 3, "broken YAML"),
        ("a: 1\na: 2\n", 2, "given twice"),
        ("a:\n", None, "null"),
        ("- a\n", None, "not a map"),
        ("a: !!binary x\n", 1, "unknown tag"),
        ("a: 1\n---\nb: 2\n", 2, "second document"),
        ("a: *x\n", 1, "alias"),
        ("a: " + "[" * 100 + "]" * 100, 1, "nested deeper"),
        ("? [a]\n: b\n", 1, "a key must be a text"),
        ("\x00", None, "broken YAML"),
    ],
)
def test_broken_files(text, line, reason):
    """Errors say file, line and reason."""
    with pytest.raises(errors.ConfigFileError, match=reason) as caught:
        standard_file.parse(text, path="/etc/config.yaml")
    assert caught.value.line == line
    assert str(caught.value).startswith("/etc/config.yaml" + (f", line {line}" if line else ""))


def test_empty_file():
    """An empty file, or one of comments, is an empty configuration."""
    assert standard_file.parse("") == {}
    assert standard_file.parse("# nothing\n") == {}


def test_anchors_and_tags():
    """Anchors repeat a value, core tags and quotes decide types."""
    text = "a: &x {k: 1}\nb: *x\nc: !!str 5\nd: !!int '6'\ne: ! 07\nf: -.INF\ng: .NaN\n"
    assert standard_file.parse(text) == {
        "a.k": "1",
        "b.k": "1",
        "c": "5",
        "d": "6",
        "e": "07",
        "f": "-Infinity",
        "g": "NaN",
    }


def test_flow_text():
    """Flow text quotes what would read back as something else."""
    node: yaml12.Node = [
        "a b",
        "s3://x",
        "-",
        "1",
        "",
        "x#y",
        " x",
        {"k:": None, "n": 1.5, "b": True},
        "a\nb",
    ]
    assert yaml12.flow_text(node) == (
        "[a b, 's3://x', '-', '1', '', x#y, ' x', {'k:': null, n: 1.5, b: true}, \"a\\nb\"]"
    )


def test_escapes():
    """Control characters and what is beyond the basic plane are escaped."""
    text = '\x07"\\\u2028\U0010ffff\t\r'
    assert yaml12.quoted(text) == '"\\x07\\"\\\\\\u2028\\U0010FFFF\\t\\r"'
    assert yaml12.parse(yaml12.quoted(text)) == text
