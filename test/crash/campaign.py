"""All crashes of some scenarios: found by looking at undisturbed runs, tried many at a time.

The writes of a scenario are not quite the same in each run: two changes of a status may be seen as one, an Event
may come a little later. So a point is a write by what it is, when (in which deed) and its number among its like;
what shows up in any run, before the kill, becomes two points; and a point that a run does not come to is tried
again before it is told as not reached. Beside its points each scenario has two relays (`writes.Relay`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import attrs
from crash import picture
from crash.picture import Picture
from crash.scenarios import Scenario
from crash.trial import Outcome
from crash.writes import MOMENTS, Crash, Point, Relay, Write

UNDISTURBED = 2
"""Runs without a crash per scenario, which have to lead to the same."""
TRIES = 3
"""How often a point is tried until a run comes to it."""


@attrs.define
class Tally:
    """What is known of one scenario.

    Attributes:
        wanted: pictures of the undisturbed runs, once all have ended well.
        outcomes: of all crashes that happened.
        tries: how often each crash was tried.
        undisturbed: outcomes of the runs without a crash.
    """

    scenario: Scenario
    wanted: tuple[Picture, ...] | None = None
    outcomes: list[Outcome] = attrs.field(factory=list)
    tries: dict[Crash, int] = attrs.field(factory=dict)
    undisturbed: list[Outcome] = attrs.field(factory=list)

    @property
    def unreached(self) -> list[Crash]:
        """Points that no run came to."""
        reached = {outcome.crash for outcome in self.outcomes}
        return [crash for crash in self.tries if crash not in reached]

    @property
    def bad(self) -> list[Outcome]:
        """Outcomes with something wrong."""
        return [one for one in (*self.undisturbed, *self.outcomes) if not one.good]


@attrs.define
class Campaign:
    """Tries them.

    Attributes:
        play: runs a scenario with a crash or none, and compares with pictures (see `trial.Stage.play`).
        lanes: how many runs go on at a time.
        chosen: whether a crash is to be tried.
        tell: is told each outcome.
    """

    play: Callable[[Scenario, Crash | None, tuple[Picture, ...] | None], Awaitable[Outcome]]
    lanes: int
    chosen: Callable[[Crash], bool]
    tell: Callable[[Outcome], None]
    tallies: dict[str, Tally] = attrs.field(factory=dict)
    _todo: asyncio.Queue[tuple[Tally, Crash | None]] = attrs.field(factory=asyncio.Queue)

    async def run(self, scenarios: Iterable[Scenario]) -> list[Tally]:
        """Try all crashes of the scenarios."""
        for scenario in scenarios:
            tally = self.tallies[scenario.name] = Tally(scenario)
            for _ in range(UNDISTURBED):
                self._todo.put_nowait((tally, None))
        async with asyncio.TaskGroup() as group:
            lanes = [group.create_task(self._lane()) for _ in range(self.lanes)]
            await self._todo.join()
            for lane in lanes:
                lane.cancel()
        return list(self.tallies.values())

    async def _lane(self) -> None:
        lane = asyncio.current_task()
        assert lane is not None
        # Asked as well as raised: a TaskGroup inside that was failing anyway forgets a cancellation.
        while not lane.cancelling():
            tally, crash = await self._todo.get()
            outcome = await self.play(tally.scenario, crash, tally.wanted)
            if crash is None:
                self._note_undisturbed(tally, outcome)
            else:
                self._note(tally, crash, outcome)
            self._todo.task_done()

    def _note_undisturbed(self, tally: Tally, outcome: Outcome) -> None:
        """Once all are there and agree, their writes become points."""
        if tally.undisturbed and outcome.good:
            outcome = _compared(tally.undisturbed[0], outcome)
        tally.undisturbed.append(outcome)
        if not outcome.good:
            self.tell(outcome)
        if len(tally.undisturbed) < UNDISTURBED or tally.bad:
            return
        tally.wanted = outcome.pictures
        for moment in MOMENTS:
            self._propose(tally, Relay(tally.scenario.name, moment))
        for one in tally.undisturbed:
            self._discover(tally, one.writes)

    def _note(self, tally: Tally, crash: Crash, outcome: Outcome) -> None:
        self._discover(tally, outcome.writes)
        if outcome.kills or not outcome.good:
            tally.outcomes.append(outcome)
            self.tell(outcome)
        elif tally.tries[crash] < TRIES:
            self._put(tally, crash)

    def _discover(self, tally: Tally, writes: Iterable[Write]) -> None:
        for write in writes:
            for moment in MOMENTS:
                self._propose(tally, Point(tally.scenario.name, write, moment))

    def _propose(self, tally: Tally, crash: Crash) -> None:
        if crash not in tally.tries and self.chosen(crash):
            self._put(tally, crash)

    def _put(self, tally: Tally, crash: Crash) -> None:
        tally.tries[crash] = tally.tries.get(crash, 0) + 1
        self._todo.put_nowait((tally, crash))


def _compared(first: Outcome, second: Outcome) -> Outcome:
    """Return `second`, with a complaint when it led to something else than `first`."""
    differences = [
        difference
        for one, other in zip(first.pictures, second.pictures, strict=False)
        if (difference := picture.difference(one, other))
    ]
    if not differences:
        return second
    text = "two undisturbed runs lead to different ends:\n" + "\n".join(differences)
    return attrs.evolve(second, complaints=(*second.complaints, text))
