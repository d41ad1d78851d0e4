"""Flattening of spec.flinkConfiguration."""

import pytest

from flinkop.config import errors
from flinkop.config.flatten import flatten


def test_flattening():
    """Nested and flat keys, every type, later writes winning."""
    tree = {
        "taskmanager": {"numberOfTaskSlots": 2, "memory": {"managed": {"fraction": 0.3}}},
        "taskmanager.numberOfTaskSlots": "4",
        "state.backend": {"incremental": True},
        "list": ["a", 1, None, {"x": 1}, ["y"], 2.0],
        "empty.list": [],
        "empty.map": {},
        "nul": None,
        "text": "",
        "big": 1e20,
    }
    assert flatten(tree) == {
        "taskmanager.numberOfTaskSlots": "4",
        "taskmanager.memory.managed.fraction": "0.3",
        "state.backend.incremental": "true",
        "list": "a;1;null;;;2.0",
        "nul": "null",
        "text": "",
        "big": "1.0E20",
    }


def test_absent():
    """An absent configuration is an empty one."""
    assert flatten(None) == {}


def test_depth():
    """Nesting beyond all measure is refused, not a crash."""
    tree: dict[str, object] = {}
    for _ in range(5000):
        tree = {"a": tree}
    with pytest.raises(errors.ConfigShapeError, match="nested too deeply"):
        flatten(tree)


@pytest.mark.parametrize("tree", [["a"], "text", 5, True])
def test_no_object(tree):
    """Anything but an object is a typed error that says what to write."""
    with pytest.raises(errors.ConfigShapeError, match="write keys and values"):
        flatten(tree)
