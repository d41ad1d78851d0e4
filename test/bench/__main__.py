"""`make bench`: flinkop against a bare client on a real control plane. See README.md beside this."""

import argparse
import asyncio
import os
import platform
import signal
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

from bench.report import show
from bench.resources import NAMESPACE
from bench.run import Plan, run, save
from bench.sessions import SlowError
from bench.waves import TooSlowError
from fakes.leanapi import CallError, leaves
from fakes.programs import ProgramError
from fakes.scene import fresh_logs, stage
from rich.console import Console

from hack.clusters.errors import ControlPlaneError

PODS_PER_RESOURCE = 3
PODS_PER_NODE = 1000
FAILURES = (
    ControlPlaneError,
    ProgramError,
    TooSlowError,
    SlowError,
    CallError,
    ConnectionError,
)


def interrupted(*_: object) -> NoReturn:
    """SIGTERM ends the benchmark as Ctrl-C does."""
    raise KeyboardInterrupt


def measure(arguments: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Set the scene, run, take the scene down."""
    begun = time.monotonic()

    def say(text: str) -> None:
        passed = time.monotonic() - begun
        console.print(f"[{passed:6.1f} s] {text}", markup=False, highlight=False)

    options = dict(pair.split("=", 1) for pair in arguments.set)
    jobs = 2 * arguments.count if arguments.session_jobs is None else arguments.session_jobs
    plan = Plan(
        arguments.count,
        arguments.idle,
        arguments.limit,
        options,
        session_jobs=jobs,
        clusters=arguments.clusters,
        only_sessions=arguments.only_sessions,
    )
    nodes = 2 + arguments.count * PODS_PER_RESOURCE // PODS_PER_NODE
    scene = stage(None, fresh_logs("bench"), nodes=nodes, namespace=NAMESPACE, say=say)
    try:
        results = asyncio.run(run(scene, plan, say))
    except BaseException as error:
        if scene.operator and not isinstance(error, (KeyboardInterrupt, ProgramError)):
            console.print(scene.operator.tail(30), markup=False, soft_wrap=True)
        raise
    finally:
        scene.close()
    machine = {"cores": os.cpu_count(), "python": platform.python_version()}
    return {"count": plan.count, "options": options, "machine": machine, **results}


def main() -> int:
    """0 when all phases ended; budgets are printed, never asserted."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--count", type=int, default=500, help="resources")
    parser.add_argument("--idle", type=float, default=60.0, help="seconds of the idle phase")
    parser.add_argument("--limit", type=float, default=600.0, help="seconds a phase may take")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="operator configuration"
    )
    parser.add_argument(
        "--session-jobs",
        type=int,
        help="session jobs, by default two for each resource; 0 for none",
    )
    parser.add_argument("--clusters", type=int, default=10, help="session clusters for them")
    parser.add_argument(
        "--only-sessions", action="store_true", help="measure nothing but the session jobs"
    )
    parser.add_argument("--out", type=Path, help="write the results as JSON to this file")
    arguments = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupted)
    console = Console()
    try:
        results = measure(arguments, console)
    except KeyboardInterrupt:
        return 130
    except (*FAILURES, ExceptionGroup) as error:
        for failure in leaves(error):
            console.print(
                f"The benchmark failed: {failure}", style="red", markup=False, soft_wrap=True
            )
        return 1
    show(results, console)
    if arguments.out:
        save(results, arguments.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
