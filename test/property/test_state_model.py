"""Whole lives of a job with state: random ones, and all short ones (`fakes.statemodel`).

What must hold at every moment is checked by the model's world: no state is lost, no two jobs run at once,
nothing starts over what an older run left, the word is durable before the deed, ended jobs stay so, the last
stable spec is kept. From wherever a life has got to, the operator has to find its way home when nothing goes
wrong any more.
"""

import functools

import hypothesis
import pytest
from fakes.statemodel import specs
from fakes.statemodel.exploring import explore
from fakes.statemodel.families import FAMILIES
from fakes.statemodel.happenings import EVENTS, ORDERS, TIMES
from fakes.statemodel.operator import Look, look
from fakes.statemodel.settling import settle
from fakes.statemodel.world import World
from hypothesis import stateful, strategies as st

from flinkop.api.common import UpgradeMode

pytestmark = pytest.mark.timeout(900)

OPTIONS = (
    "rollback",
    "restart failed",
    "savepoint on deletion",
    "cancel for last-state",
    "no fallback",
    "no recovery",
)
events = st.sampled_from(sorted(EVENTS))
steps = st.integers(1, 4)


class Life(stateful.RuleBasedStateMachine):
    """One life: what the user, Kubernetes, Flink and the operator do, in any order."""

    def __init__(self):
        super().__init__()
        self.world = World()

    @stateful.initialize(
        mode=st.sampled_from(UpgradeMode),
        ha=st.booleans(),
        application=st.sampled_from([True, True, True, False]),
        given=st.sampled_from([None, None, specs.GIVEN]),
        options=st.lists(st.sampled_from(OPTIONS), max_size=2, unique=True),
        keeps=st.booleans(),
        runs=st.sampled_from([True, True, True, False]),
    )
    def begins(  # noqa: PLR0917 - by keyword
        self, mode, ha, application, given, options, keeps, runs
    ):
        """A resource is created; its job may run already, with a checkpoint."""
        spec = specs.wanted(mode, ha=ha, given=given)
        if not application:
            spec = specs.wanted_session(ha=ha)
        for name in options:
            spec = specs.EDITS[name](spec)
        self.world = World(spec=spec, keeps_checkpoints=keeps)
        if runs:
            assert settle(self.world) is None
            self.world.checkpoints()

    @stateful.rule()
    def operator_looks(self):
        look(self.world)

    @stateful.rule()
    def operator_looks_again(self):
        look(self.world)

    @stateful.rule(after=steps)
    def operator_dies(self, after):
        look(self.world, Look(dies_after=after))

    @stateful.rule(deaf=st.booleans(), after=st.none() | steps)
    def operator_hears_nothing(self, deaf, after):
        """Flink does not answer, or cannot read its checkpoint statistics."""
        look(self.world, Look(deaf=deaf, blind=not deaf, dies_after=after))

    @stateful.rule(late=st.sampled_from(["made", "going"]), after=st.none() | steps)
    def operator_sees_late(self, late, after):
        look(self.world, Look(late=late, dies_after=after))

    @stateful.rule(name=events, after=st.integers(0, 3))
    def something_happens_during_a_look(self, name, after):
        look(self.world, Look(meanwhile=EVENTS[name], after=after))

    @stateful.rule(name=st.sampled_from(sorted(specs.EDITS)))
    def user_edits(self, name):
        self.world.edit(name)

    @stateful.rule(name=events)
    def something_happens(self, name):
        EVENTS[name](self.world)

    @stateful.rule(name=events)
    def something_else_happens(self, name):
        EVENTS[name](self.world)

    @stateful.rule(order=st.sampled_from(ORDERS))
    def next_request_comes_to(self, order):
        self.world.give(order)

    @stateful.rule(name=st.sampled_from(sorted(TIMES)))
    def time_passes(self, name):
        self.world.passes(name)

    @stateful.invariant()
    def nothing_is_broken(self):
        assert self.world.broken == []

    def teardown(self):
        """Crashes, failures and edits stop."""
        wrong = settle(self.world)
        assert self.world.broken == []
        assert wrong is None


TestLife = Life.TestCase
"""As many lives as the profile of hypothesis has examples, times four."""
TestLife.settings = hypothesis.settings(
    max_examples=4 * hypothesis.settings().max_examples, stateful_step_count=40
)


@pytest.mark.parametrize("ha", [True, False], ids=["with HA", "without HA"])
@pytest.mark.parametrize("mode", list(UpgradeMode))
@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_all_short_lives(name, mode, ha, life_length):
    """Whatever can happen in a few steps, in every order, ends well; states that are alike count once."""
    family = FAMILIES[name]
    spec = functools.reduce(
        lambda spec, edit: specs.EDITS[edit](spec), family.options, specs.wanted(mode, ha=ha)
    )
    world = World(spec=spec)
    if family.runs:
        assert settle(world) is None
        world.checkpoints()
    found = explore(world, family.alphabet, life_length)
    assert found.fault is None, f"{found.fault}, after: {', then '.join(found.path)}"
    assert found.states > found.transitions / 20
