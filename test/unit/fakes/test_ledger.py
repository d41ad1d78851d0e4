"""The ledger of the counting job tells loss, doubling and two jobs at a time from a count that is exact."""

import pytest
from fakes.ledger import Ledger


def ledger(*lines: str) -> Ledger:
    return Ledger.read("".join(f"job {line}\n" for line in lines), "job")


def numbers(run: str, *values: int) -> list[str]:
    return [f"{run} number {value} {value // 8} {value + 1}" for value in values]


BEFORE = ["a start 0 -", *numbers("a", 0, 1, 2), "a snapshot 1 3", *numbers("a", 3)]


def test_an_exact_count_has_no_faults():
    """A run that goes on from the newest snapshot counts anew what came after it."""
    read = ledger(*BEFORE, "b start 3 1", *numbers("b", 3, 4))
    assert not read.faults
    assert read.repeated() == [1]
    assert read.total == 5
    assert [run.snapshot for run in read.runs] == [None, 1]


def test_other_jobs_and_unfinished_lines_are_left_out():
    """One file holds the ledgers of several jobs, and its last line may be on its way."""
    text = "job a start 0 -\nother x number 7 0 1\njob a number 0 0 1\njob a num"
    assert Ledger.read(text, "job").total == 1


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["b start 2 1"], "begins with 2, its snapshot 1 has 3"),
        (["b start 0 7"], "its snapshot 7 has None"),
        (["b start 3 1", *numbers("a", 4)], "run a still counts"),
        (["b start 3 1", "b number 2 0 4"], "2 is counted twice"),
        (["b start 3 1", "b number 4 0 5"], "the total goes from 3 to 5"),
        (["b start 3 1", "b number 4 0 4", "b snapshot 2 4"], "a snapshot of 4 after 4 numbers"),
        (["b start 3 1", "b number 9 0 4"], "9 comes after 0 of its key, not after 1"),
    ],
)
def test_what_must_not_be_is_told(lines, words):
    """Each way in which state can be lost or doubled has its words."""
    [fault, *_] = ledger(*BEFORE, *lines).faults
    assert words in fault


def test_numbers_may_overtake_each_other_between_snapshots():
    """A job that is two wide does not keep their order."""
    read = ledger("a start 0 -", "a number 1 0 1", "a number 0 0 2", "a snapshot 1 2")
    assert not read.faults
