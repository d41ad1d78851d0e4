"""What the counting job (`test/real/job`) wrote down, and whether nothing was lost or counted twice.

The job's state can be checked from its ledger alone, because of three things that it says of itself:

* a run that was restored from snapshot N begins with the total that went into snapshot N;
* within a run each number comes once, none that was counted before it, and the job's other state,
  how many numbers of its key were seen, agrees with it;
* the total that goes into a snapshot is that of all numbers below it.
"""

from collections.abc import Iterator, Sequence
from typing import Self

from attrs import define, field

_KEYS = 8
"""The job counts its numbers by their remainder."""


@define
class Run:
    """One start of the job.

    Attributes:
        begun: the total it began with.
        snapshot: id of the snapshot it was restored from; None when it began from nothing.
        total: the newest total.
        highest: the highest number so far; `begun - 1` before the first.
        numbers: the numbers that came.
        faults: what must not be, in words.
    """

    name: str
    begun: int
    snapshot: int | None
    total: int
    highest: int
    numbers: set[int] = field(factory=set)
    faults: list[str] = field(factory=list)

    def number(self, number: int, seen: int, total: int) -> None:
        """Note a number."""
        if number in self.numbers or number < self.begun:
            self._fault(f"{number} is counted twice")
        if seen != number // _KEYS:
            self._fault(f"{number} comes after {seen} of its key, not after {number // _KEYS}")
        if total != self.total + 1:
            self._fault(f"the total goes from {self.total} to {total}")
        self.numbers.add(number)
        self.total = total
        self.highest = max(self.highest, number)

    def taken(self, total: int) -> None:
        """Note a snapshot: all numbers before it have come, and none after it."""
        if not total == self.total == self.highest + 1:
            self._fault(f"a snapshot of {total} after {self.total} numbers up to {self.highest}")

    def _fault(self, text: str) -> None:
        self.faults.append(f"run {self.name}: {text}")


@define
class Ledger:
    """The runs of one job, oldest first.

    Attributes:
        runs: each start of the job.
        faults: what must not be, in words; empty when the count is exact.
    """

    runs: list[Run] = field(factory=list)
    faults: list[str] = field(factory=list)
    _snapshots: dict[int, int] = field(factory=dict)

    @classmethod
    def read(cls, text: str, job: str) -> Self:
        """Read the lines of `job`; other jobs write to the same file."""
        ledger = cls()
        for run, what, values in _lines(text, job):
            ledger.note(run, what, values)
        return ledger

    def note(self, run: str, what: str, values: Sequence[str]) -> None:
        """Note one line."""
        if what == "start":
            self._start(run, int(values[0]), None if values[1] == "-" else int(values[1]))
            return
        current = self.runs[-1]
        if current.name != run:
            self.faults.append(f"run {run} still counts when run {current.name} has begun")
            return
        known = len(current.faults)
        if what == "number":
            current.number(*map(int, values))
        else:
            snapshot, total = map(int, values)
            current.taken(total)
            self._snapshots[snapshot] = total
        self.faults += current.faults[known:]

    @property
    def total(self) -> int:
        """How far the job has counted."""
        return self.runs[-1].total if self.runs else 0

    def repeated(self) -> list[int]:
        """For each start but the first: how much of what was counted before it is counted anew.

        0 after a savepoint that stopped the job; what came after the newest checkpoint otherwise.
        """
        pairs = zip(self.runs, self.runs[1:], strict=False)
        return [before.total - after.begun for before, after in pairs]

    def _start(self, name: str, total: int, snapshot: int | None) -> None:
        expected = 0 if snapshot is None else self._snapshots.get(snapshot)
        if total != expected:
            self.faults.append(
                f"run {name} begins with {total}, its snapshot {snapshot} has {expected}"
            )
        self.runs.append(Run(name, total, snapshot, total, total - 1))


def _lines(text: str, job: str) -> Iterator[tuple[str, str, list[str]]]:
    """Run, word and values of the job's lines; a last line without an end is not there yet."""
    for line in text.splitlines(keepends=True):
        name, _, rest = line.partition(" ")
        if name == job and line.endswith("\n"):
            run, what, *values = rest.split()
            yield run, what, values
