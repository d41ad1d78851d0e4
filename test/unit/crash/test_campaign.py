"""How the crash test finds its points, and what it says in the end."""

from pathlib import Path

import attrs
import pytest
from crash import report
from crash.campaign import TRIES, Campaign
from crash.scenarios import SCENARIOS, Scenario
from crash.trial import Outcome
from crash.writes import Relay, Write

SCENARIO = Scenario("upgrade", ())
STATUS, SECOND, EVENT = (Write(0, "status", 1), Write(0, "status", 2), Write(0, "event", 1))


def outcome(crash=None, kills=None, **change):
    """An outcome with nothing wrong."""
    usual = Outcome(
        scenario="upgrade",
        crash=crash,
        kills=int(crash is not None) if kills is None else kills,
        caught="",
        writes=(STATUS,),
        pictures=({"state": "STABLE"},),
        lost=(),
        doubled=(),
        complaints=(),
        seconds=1.0,
        logs=Path("logs"),
    )
    return attrs.evolve(usual, **change)


class Stage:
    """Plays what it is told to; remembers what it was asked for."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = []

    async def play(self, scenario, crash, wanted):
        self.asked.append(crash)
        return self.answer(crash)


async def tried(answer, chosen=lambda _: True):
    """The tally of one scenario, what was asked of the stage, and what was told."""
    stage, told = Stage(answer), []
    campaign = Campaign(stage.play, 2, chosen, told.append)
    (tally,) = await campaign.run([SCENARIO])
    return tally, [str(crash) for crash in stage.asked], told


async def test_each_write_of_an_undisturbed_run_is_two_points_and_there_are_two_relays():
    """Before and after it."""
    tally, asked, _ = await tried(outcome)
    assert asked[:2] == ["None", "None"]
    assert sorted(asked[2:]) == [
        "upgrade:0:status:1:after",
        "upgrade:0:status:1:before",
        "upgrade:relay:after",
        "upgrade:relay:before",
    ]
    assert report.closing([tally]) == "crash points: 4, lost: 0, doubled: 0"
    assert report.is_good([tally])


async def test_a_write_that_shows_up_in_a_disturbed_run_becomes_points_as_well():
    """What happens at times is tried as often as it is seen to happen."""

    def answer(crash):
        rare = crash is not None and "status:1:after" in str(crash)
        return outcome(crash, writes=(STATUS, EVENT) if rare else (STATUS,))

    _, asked, _ = await tried(answer)
    assert "upgrade:0:event:1:before" in asked
    assert "upgrade:0:event:1:after" in asked


async def test_a_point_that_runs_do_not_come_to_is_tried_again_and_told():
    """It counts as no crash point, and as no failure."""

    def answer(crash):
        missed = crash is not None and "status:1:before" in str(crash)
        return outcome(crash, kills=0) if missed else outcome(crash)

    tally, asked, _ = await tried(answer)
    assert asked.count("upgrade:0:status:1:before") == TRIES
    assert [str(crash) for crash in tally.unreached] == ["upgrade:0:status:1:before"]
    assert report.closing([tally]) == "crash points: 3, lost: 0, doubled: 0"
    assert report.is_good([tally])


@pytest.mark.parametrize(
    ("wrong", "closing"),
    [
        ({"lost": ("a run",)}, "crash points: 4, lost: 1, doubled: 0"),
        ({"doubled": ("two runs", "and two")}, "crash points: 4, lost: 0, doubled: 1"),
        ({"complaints": ("differs",)}, "crash points: 4, lost: 0, doubled: 0"),
    ],
)
async def test_whatever_is_wrong_at_a_point_fails_the_whole(wrong, closing):
    """And is told at once, with the way to repeat it."""

    def answer(crash):
        there = crash is not None and "status:1:after" in str(crash)
        return outcome(crash, **(wrong if there else {}))

    tally, _, told = await tried(answer)
    assert report.closing([tally]) == closing
    assert not report.is_good([tally])
    (bad,) = (one for one in told if not one.good)
    text = report.failure(bad)
    assert "FAILED: upgrade, killed at upgrade:0:status:1:after" in text
    assert "make crash POINT='upgrade:0:status:1:after'" in text


async def test_nothing_is_tried_against_undisturbed_runs_that_differ():
    """There is nothing to compare with; the difference is told, and the whole fails."""
    states = iter(("STABLE", "FAILED"))
    tally, asked, told = await tried(lambda _: outcome(pictures=({"state": next(states)},)))
    assert asked == ["None", "None"]
    assert "different ends" in report.failure(told[0])
    assert not report.is_good([tally])


async def test_only_what_was_chosen_is_tried():
    """One point again, or a quick selection."""
    _, asked, _ = await tried(outcome, chosen=lambda crash: isinstance(crash, Relay))
    assert asked == ["None", "None", "upgrade:relay:before", "upgrade:relay:after"]


def test_no_scenario_at_all_is_no_success():
    """Nothing tried proves nothing."""
    assert not report.is_good([])


def test_the_table_has_a_line_per_scenario():
    """With what a reader wants to know at a glance."""
    assert report.table([]).split() == [
        *("scenario", "points", "failed", "not", "reached", "seconds", "each")
    ]


def test_scenarios_are_told_apart_by_name():
    """A point names its scenario."""
    names = [scenario.name for scenario in SCENARIOS]
    assert len(set(names)) == len(names)
    assert not any(":" in name for name in names)
