"""The steps between lifecycle states: a table without gaps, and every state in it (behaviour.md 0.5)."""

from flinkop.api.status import LifecycleState as State
from flinkop.lifecycle import deployment_states as states

NEVER_WRITTEN = {State.DELETED}
"""The resource is gone by then."""


def test_each_state_is_explained():
    """In the order in which a resource meets them."""
    assert set(states.MEANINGS) == set(State) - NEVER_WRITTEN
    assert next(iter(states.MEANINGS)) is State.CREATED


def test_the_table_names_each_step_once():
    """And none that leads nowhere else, to the deletion, or out of it."""
    steps = [(one.before, one.after) for one in states.TRANSITIONS]
    assert len(set(steps)) == len(steps)
    assert all(before is not after for before, after in steps)
    assert not any({State.DELETING, State.DELETED} & {*step} for step in steps)


def test_every_state_can_be_reached_and_left():
    """Nothing is stuck but what is being deleted."""
    living = set(states.MEANINGS) - {State.DELETING}
    assert {one.before for one in states.TRANSITIONS} == living
    assert {one.after for one in states.TRANSITIONS} == living


def test_what_is_possible():
    """What the table has, no change at all, and the deletion from anywhere, but not back."""
    assert states.is_possible(State.UPGRADING, State.DEPLOYED)
    assert not states.is_possible(State.SUSPENDED, State.STABLE)
    for state in states.MEANINGS:
        assert states.is_possible(state, state)
        assert states.is_possible(state, State.DELETING)
        assert states.is_possible(State.DELETING, state) is (state is State.DELETING)


def test_a_resource_begins_as_created():
    """Also when no status was written yet."""
    assert states.is_possible(None, State.UPGRADING)
    assert states.is_possible(None, None)
    assert not states.is_possible(None, State.STABLE)
