"""What the bare client takes an event of a FlinkDeployment for."""

import pytest
from bench.bare import Bare, Meta


@pytest.fixture
def bare():
    """A client that is connected to nothing."""
    return Bare(None, None)  # type: ignore[arg-type]


def asked(bare, what, **meta):
    """The name of the work that an event leads to, None for none."""
    work = bare.due(what, Meta("a", "uid", **meta))
    if work is None:
        return None
    work.close()
    return work.__name__


def test_each_wish_is_worked_on_once(bare):
    """Our own writes come back as events, and ask for nothing."""
    assert asked(bare, "ADDED", generation=1) == "make"
    assert asked(bare, "MODIFIED", generation=1) is None
    assert asked(bare, "MODIFIED", generation=2) == "restart"
    assert asked(bare, "MODIFIED", generation=2) is None
    leaving = {"generation": 3, "deletion_timestamp": "2030-01-01T00:00:00Z"}
    assert asked(bare, "MODIFIED", **leaving) == "remove"
    assert asked(bare, "MODIFIED", **leaving) is None


def test_a_name_may_come_again(bare):
    """What was deleted is forgotten, so that the next of that name is made."""
    asked(bare, "ADDED", generation=1)
    assert asked(bare, "DELETED", generation=1) is None
    assert asked(bare, "ADDED", generation=1) == "make"
