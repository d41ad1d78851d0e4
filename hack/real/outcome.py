"""What pytest's report says about the scenarios: how each ended and how long it took."""

from pathlib import Path
from xml.etree import ElementTree as ET

from attrs import define, field


@define
class Outcome:
    """The scenarios that ran.

    Attributes:
        passed: how many passed.
        failed: names of those that did not.
        skipped: names of those that could not be run, with the reason.
        lines: one per scenario, with its time.
    """

    passed: int = 0
    failed: list[str] = field(factory=list)
    skipped: list[str] = field(factory=list)
    lines: list[str] = field(factory=list)

    def add(self, version: str, report: Path) -> None:
        """Add what ran on a version of Flink; no report at all counts as one that failed."""
        if not report.exists():
            self.failed.append(f"{version} (no report)")
            return
        for case in ET.parse(report).iter("testcase"):  # noqa: S314 -- our own file
            self._case(version, case)

    def _case(self, version: str, case: ET.Element) -> None:
        file = case.get("classname", "").rpartition(".")[2].removeprefix("test_")
        name = f"{version} {file}: {case.get('name', '').removeprefix('test_')}"
        if (skipped := case.find("skipped")) is not None:
            word = "not run"
            self.skipped.append(f"{name} ({skipped.get('message')})")
        elif case.find("failure") is not None or case.find("error") is not None:
            word = "FAILED"
            self.failed.append(name)
        else:
            word = "ok"
            self.passed += 1
        self.lines.append(f"{float(case.get('time', '0')):7.1f} s  {word:<8} {name}")

    def summary(self, seconds: float) -> str:
        """All of it, the counts in the last line."""
        lines = ["", "==== scenarios ====", *self.lines]
        lines += [f"not run: {name}" for name in self.skipped]
        lines += [f"failed: {name}" for name in self.failed]
        counts = f"{self.passed} scenarios passed, {len(self.failed)} failed"
        if self.skipped:
            counts += f", {len(self.skipped)} not run"
        return "\n".join([*lines, f"==== {counts} in {seconds:.0f} s ===="])
