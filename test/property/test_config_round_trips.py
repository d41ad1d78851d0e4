"""What configuration writes, configuration (and any YAML reader) reads back."""

import contextlib

import yaml
from hypothesis import assume, given, strategies as st

from flinkop.builders import yamltext
from flinkop.config import errors, flat_file, flatten, standard_file, structured, values, yaml12

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SEGMENT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="."), max_size=8
)
KEYS = st.lists(SEGMENT, min_size=1, max_size=4).map(".".join)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(st.lists(TEXT))
def test_lists(items):
    """A list of any texts reads back as it was."""
    text = structured.join_list(items)
    assume(not text.startswith("["))
    assert structured.split(text, ";") == items


@given(st.dictionaries(TEXT, TEXT))
def test_maps(entries):
    """A map of any texts reads back as it was."""
    text = structured.join_map(entries)
    assume(not text.startswith("{"))
    assert structured.parse_map(text) == entries


@given(st.lists(st.dictionaries(TEXT.filter(bool), TEXT, min_size=1), min_size=1))
def test_lists_of_maps(maps):
    """A list of maps of any texts reads back as it was."""
    text = structured.join_maps(maps)
    assume(not text.startswith("["))
    assert list(structured.parse_maps(text)) == maps


@given(st.dictionaries(KEYS, TEXT, max_size=8))
def test_standard_file(entries):
    """config.yaml carries any texts under any keys that do not overlap."""
    assume(standard_file.overlap(entries) is None)
    assert standard_file.parse(standard_file.render(entries)) == entries


@given(st.dictionaries(KEYS, TEXT, max_size=8))
def test_flat_file(entries):
    """flink-conf.yaml never gains a key, and carries whatever it does not report as damaged."""
    blanks = "".join(map(chr, range(0x21)))
    safe = {
        key: value for key, value in entries.items() if key and not set(key) & set("#:" + blanks)
    }
    found, _ = flat_file.parse(flat_file.render(safe))
    assert found.keys() <= safe.keys()
    damaged = {key for key, _ in flat_file.damage(safe)}
    for key in safe.keys() - damaged:
        assert found.get(key, "") == safe[key].strip(blanks)


@given(JSON)
def test_flow_text(node):
    """Flow text reads back with the types it was written from."""
    assert yaml12.parse(yaml12.flow_text(node)) == node


@given(st.dictionaries(TEXT, JSON, max_size=5))
def test_template_yaml(tree):
    """Templates read back the same by another YAML reader."""
    text = yamltext.dump(tree)
    assert yaml12.parse(text) == (tree or {})


@given(JSON)
def test_flattening_is_total(tree):
    """Any JSON value flattens to texts or is refused with a typed error."""
    try:
        flat = flatten.flatten(tree)
    except errors.ConfigShapeError:
        assert not isinstance(tree, dict)
        return
    assert all(isinstance(value, str) for value in flat.values())


@given(TEXT)
def test_parsers_are_total(text):
    """Any text is a value or a ValueError, never another error."""
    for parse in (
        values.parse_duration,
        values.parse_boolean,
        values.parse_integer,
        values.parse_double,
        structured.parse_list,
        structured.parse_map,
        structured.parse_maps,
    ):
        with contextlib.suppress(ValueError):
            parse(text)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_java_double(number):
    """A number written Java's way reads back as itself."""
    assert float(values.java_double(number)) == number


@given(st.binary(max_size=60))
def test_yaml_reader_is_total(content):
    """Any file content is read or refused with a typed error."""
    with contextlib.suppress(errors.ConfigFileError):
        standard_file.parse(content.decode("utf-8", "replace"))


def test_yaml_reader_agrees_with_pyyaml():
    """Quoted scalars mean the same to a YAML 1.1 reader."""
    text = yaml12.quoted("1e3: no # 'x'\n")
    assert yaml.safe_load(text) == "1e3: no # 'x'\n"
