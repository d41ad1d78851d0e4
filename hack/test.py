"""Runs the named checks one after the other and says which runs, how long it took, how it ended.

`hack/test.py` alone runs all of them, as `make test` and CI do. `hack/test.py unit -- -k queue`
runs one and hands the rest to pytest. The quick checks all run even when one fails, so that one
run shows everything there is to mend; the tests start only when the quick checks passed.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
REPORTS = ROOT / ".cache" / "test"
TIMED_OUT = 124
NOT_RUN = 77
"""Exit code of a step that found nothing to run on, and has said why."""


@dataclass(frozen=True)
class Step:
    """One check: its name, its command, and the seconds after which it counts as hung."""

    name: str
    command: tuple[str, ...]
    limit: float = 300.0
    is_pytest: bool = False


@dataclass(frozen=True)
class Ended:
    """How a step ended: exit code, seconds, and for tests the counts by outcome."""

    step: Step
    code: int
    seconds: float
    counts: dict[str, int]

    @property
    def failed(self) -> bool:
        """Whether something is wrong; a step that could not be run is not."""
        return self.code not in {0, NOT_RUN}

    @property
    def words(self) -> str:
        """One line for the summary."""
        outcome = f"FAILED ({self.code})" if self.failed else "ok"
        if self.code == TIMED_OUT:
            outcome = f"FAILED (no end after {self.step.limit:.0f} s)"
        if self.code == NOT_RUN:
            outcome = "not run (why, see above)"
        counts = ", ".join(f"{count} {what}" for what, count in self.counts.items() if count)
        return f"{self.step.name:<12} {self.seconds:7.1f} s  {outcome}{'  ' + counts if counts else ''}"


def tool(name: str, *arguments: str) -> tuple[str, ...]:
    """A program of the virtual environment with its arguments."""
    return (str(BIN / name), *arguments)


def pytest_step(name: str, marks: str, *arguments: str, limit: float, path: str = "test") -> Step:
    """The tests under `path` that match `marks`; each run leaves a JUnit report for the summary."""
    report = f"--junitxml={REPORTS / name}.xml"
    command = tool("python", "-m", "pytest", path, "-m", marks, "-q", report, *arguments)
    return Step(name, command, limit, is_pytest=True)


CHECKS = (
    Step("lint", tool("ruff", "check", "--quiet", ".")),
    Step("format", tool("ruff", "format", "--check", "--quiet", ".")),
    Step(
        "spelling",
        tool(
            "codespell",
            "flinkop",
            "test",
            "hack",
            "docs",
            "manifests",
            "chart",
            "README.md",
            "CHANGELOG.md",
        ),
    ),
    Step("imports", tool("lint-imports", "--no-logo")),
    Step("types", tool("mypy")),
    Step("verify", tool("python", "hack/update_crds.py", "--check")),
    Step("chart-files", tool("python", "hack/update_chart.py", "--check")),
    Step("docs", tool("python", "hack/update_docs.py", "--check")),
)
TESTS = (
    Step("tools", tool("python", "hack/controlplane.py", "tools"), limit=1800.0),
    pytest_step("unit", "not integration and not e2e and not chart", "-n", "2", limit=600.0),
    pytest_step("chart", "chart", limit=300.0, path="test/chart"),
    pytest_step("integration", "integration", limit=1200.0),
    pytest_step("e2e", "e2e", limit=1200.0),
    Step(
        "crash",
        ("env", "PYTHONPATH=test", *tool("python", "-m", "crash", "--quick")),
        limit=900.0,
    ),
    Step(
        "real",
        (
            *("env", "PYTHONPATH=test"),
            *tool("python", "-m", "hack.real", "--smoke", f"--report={REPORTS / 'real.xml'}"),
        ),
        limit=600.0,
        is_pytest=True,
    ),
)
STEPS = {step.name: step for step in (*CHECKS, *TESTS)}


def run(step: Step, extra: list[str]) -> Ended:
    """Run one step in its own process group, so that a hung one ends with all it started."""
    print(f"\n==> {step.name}: {shown(step.command)}", flush=True)
    started = time.monotonic()
    command = [*step.command, *(extra if step.is_pytest else [])]
    with subprocess.Popen(command, cwd=ROOT, start_new_session=True) as process:
        try:
            code = process.wait(step.limit)
        except subprocess.TimeoutExpired:
            end_group(process)
            code = TIMED_OUT
        except KeyboardInterrupt:
            end_group(process, signal.SIGINT)
            raise
    ended = Ended(step, code, time.monotonic() - started, counts_of(step))
    print(f"    {ended.words}", flush=True)
    return ended


def shown(command: tuple[str, ...]) -> str:
    """The command as one would type it in the checkout."""
    return " ".join(part.removeprefix(f"{ROOT}/").removeprefix(".venv/bin/") for part in command)


def end_group(process: subprocess.Popen[bytes], first: signal.Signals = signal.SIGTERM) -> None:
    """Ask the process and its children to end, and make them after 20 seconds."""
    os.killpg(process.pid, first)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)


def counts_of(step: Step) -> dict[str, int]:
    """Tests by outcome, from the report the step left; empty when there is none."""
    report = REPORTS / f"{step.name}.xml"
    if not step.is_pytest or not report.exists():
        return {}
    suite = ET.parse(report).getroot().find("testsuite")  # noqa: S314 -- our own file
    if suite is None:
        return {}
    number = {key: int(suite.get(key, "0")) for key in ("tests", "failures", "errors", "skipped")}
    passed = number["tests"] - number["failures"] - number["errors"] - number["skipped"]
    return {
        "passed": passed,
        "failed": number["failures"],
        "errors": number["errors"],
        "skipped": number["skipped"],
    }


def summary(done: list[Ended], planned: list[Step]) -> str:
    """A line per step, those that did not run named, and the tests' total as pytest writes it."""
    lines = ["", "==== steps ====", *(ended.words for ended in done)]
    lines += [f"{step.name:<12}       - s  did not run" for step in planned[len(done) :]]
    totals: dict[str, int] = {}
    for ended in done:
        for what, count in ended.counts.items():
            totals[what] = totals.get(what, 0) + count
    seconds = sum(ended.seconds for ended in done)
    said = ", ".join(f"{count} {what}" for what, count in totals.items() if count) or "no tests ran"
    failed = [ended.step.name for ended in done if ended.failed]
    if failed:
        lines.append(f"failed: {', '.join(failed)}")
    lines.append(f"==== {said} in {seconds:.1f}s ====")
    return "\n".join(lines)


def arguments() -> tuple[argparse.Namespace, list[str]]:
    """Our own arguments, and after `--` those for pytest."""
    mine, extra = sys.argv[1:], []
    if "--" in mine:
        cut = mine.index("--")
        mine, extra = mine[:cut], mine[cut + 1 :]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("steps", nargs="*", metavar="STEP", help=", ".join(STEPS))
    parser.add_argument("--cover", action="store_true", help="measure branch coverage of flinkop")
    chosen = parser.parse_args(mine)
    unknown = [name for name in chosen.steps if name not in STEPS]
    if unknown:
        parser.error(f"no step named {', '.join(unknown)}; there are {', '.join(STEPS)}")
    return chosen, extra


def main() -> int:
    """Run what was asked for; the exit code is 0 when all of it passed."""
    chosen, extra = arguments()
    planned = [STEPS[name] for name in chosen.steps or STEPS]
    if chosen.cover:
        os.environ["COVERAGE_PROCESS_START"] = str(ROOT / "pyproject.toml")
    REPORTS.mkdir(parents=True, exist_ok=True)
    done: list[Ended] = []
    for step in planned:
        (REPORTS / f"{step.name}.xml").unlink(missing_ok=True)
        checks_failed = any(ended.failed for ended in done if ended.step in CHECKS)
        tools_missing = any(ended.failed for ended in done if ended.step.name == "tools")
        if step in TESTS and (checks_failed or tools_missing):
            break
        done.append(run(step, extra))
    if len(planned) > 1:
        print(summary(done, planned), flush=True)
    return int(any(ended.failed for ended in done))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
