"""Run the scenarios of `test/real` on real Flink; what is after the options goes to pytest.

The exit code is 0 when all passed, 1 when one failed, 77 when there was nothing to run them on.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

from hack.clusters.progress import Progress
from hack.real import jobjar
from hack.real.errors import NotPossibleError
from hack.real.nodes import Nodes, nodes
from hack.real.outcome import Outcome
from hack.real.scripts import ROOT

NOT_RUN = 77
"""Exit code, as make's and automake's tests have it."""

_REPORTS = ROOT / ".cache" / "real"
_NOTHING_CHOSEN = 5
"""Pytest's exit code when `-k` leaves no test."""
_GRACE = 60.0
_VERSIONS = "1.20.5 2.2.1"


def main() -> int:
    """Get everything ready, run the scenarios once per version of Flink, count."""
    chosen, extra = _arguments()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    begun = time.monotonic()
    progress, outcome = Progress(), Outcome()
    versions = chosen.versions.split()[: 1 if chosen.smoke else None]
    _REPORTS.mkdir(parents=True, exist_ok=True)
    log = _REPORTS / "cluster.log"
    log.unlink(missing_ok=True)
    try:
        jar = jobjar.ready()
        with nodes(versions, progress, log, smoke=chosen.smoke) as found:
            for version in versions:
                progress.line(f"Flink {version}")
                report = Path(chosen.report or _REPORTS / f"{version}.xml")
                report.unlink(missing_ok=True)
                environment = _environment(version, found, jar)
                command = _pytest(chosen, report, extra)
                code = _run(command, environment)
                if code != _NOTHING_CHOSEN:
                    outcome.add(version, report)
    except NotPossibleError as error:
        print(f"not run on real Flink: {error}", flush=True)
        if not outcome.lines:
            return NOT_RUN
    print(outcome.summary(time.monotonic() - begun), flush=True)
    return int(bool(outcome.failed))


def _environment(version: str, found: Nodes, jar: Path) -> dict[str, str]:
    """What `test/real` is told about what it runs on."""
    major, minor, *_ = version.split(".")
    return {
        **os.environ,
        "FLINKOP_REAL_KUBECONFIG": str(found.kubeconfig),
        "FLINKOP_REAL_IMAGE": found.image.format(version=version),
        "FLINKOP_REAL_VERSION": f"v{major}_{minor}",
        "FLINKOP_REAL_OPERATOR_IMAGE": found.operator_image,
        "FLINKOP_REAL_JOB": str(jar),
        "FLINKOP_REAL_STATE": found.state,
        "FLINKOP_REAL_DEBRIS": str(_REPORTS / "failed" / version),
    }


def _pytest(chosen: argparse.Namespace, report: Path, extra: list[str]) -> list[str]:
    tests = "test/real/test_smoke.py" if chosen.smoke else "test/real"
    command = [sys.executable, "-m", "pytest", tests, "-v", "--tb=short", "-p", "no:randomly"]
    # A scenario may wait for minutes; that needs no stack trace.
    command += ["-o", "faulthandler_timeout=0"]
    return [*command, f"--junitxml={report}", *extra]


def _run(command: list[str], environment: dict[str, str]) -> int:
    """Run pytest; when we are ended, it is told to and has time to take away what it made."""
    with subprocess.Popen(command, cwd=ROOT, env=environment) as process:
        try:
            return process.wait()
        finally:
            process.terminate()
            process.wait(_GRACE)


def _arguments() -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(prog="hack.real", description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="a small part, on what is there")
    parser.add_argument("--report", help="JUnit report of a smoke run")
    parser.add_argument(
        "--versions",
        default=os.environ.get("FLINKOP_REAL_VERSIONS") or _VERSIONS,
        help="of Flink, with spaces between; the first alone for a smoke run",
    )
    return parser.parse_known_args()


def _leave(number: int, _: object) -> NoReturn:
    """End as by an exception, so that the cluster is taken down."""
    sys.exit(128 + number)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
