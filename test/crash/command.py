"""The command behind `make crash`: sets the stage, tries all points, says what came of it."""

import argparse
import asyncio
import signal
import time
from collections.abc import Callable, Iterable
from typing import NoReturn

import attrs
from crash import report, selection
from crash.campaign import Campaign, Tally
from crash.onlooker import Onlooker
from crash.operators import Forge
from crash.scenarios import SCENARIOS, Scenario
from crash.trial import Outcome, Stage
from crash.writes import Crash, parse
from fakes import kubeconfigs
from fakes.controlplane import ControlPlane
from fakes.faultproxy import connect
from fakes.leanapi import leaves
from fakes.scene import fresh_logs
from fakes.survivalstage import install_crds
from flinksim.server import simulation

from flinkop import log
from flinkop.kube import config
from flinkop.kube.client import KubeClient
from hack.clusters.errors import ControlPlaneError

LANES = 12
"""Runs at a time: most of one is waiting, and two cores are busy with about ten."""
NODES = 4
_TELL_EVERY = 10.0


@attrs.define
class Teller:
    """Prints failures as they come, and now and then how far it is."""

    begun: float = attrs.field(factory=time.monotonic)
    _kills: int = 0
    _told: float = 0.0

    def say(self, text: str) -> None:
        """Print a line with the seconds since the start."""
        print(f"[{time.monotonic() - self.begun:6.1f} s] {text}", flush=True)

    def hear(self, outcome: Outcome) -> None:
        """Take the outcome of a run."""
        self._kills += outcome.kills
        if not outcome.good:
            print(report.failure(outcome), flush=True)
        now = time.monotonic()
        if now - self._told >= _TELL_EVERY:
            self._told = now
            self.say(f"{self._kills} points tried")


async def tried(
    plane: ControlPlane,
    scenarios: Iterable[Scenario],
    lanes: int,
    chosen: Callable[[Crash], bool],
    teller: Teller,
) -> list[Tally]:
    """Try all chosen crashes of the scenarios on a control plane that has the CRDs."""
    end_on_sigterm()
    upstream = kubeconfigs.load(plane.kubeconfig)
    async with (
        connect(upstream) as connector,
        KubeClient(await config.load(str(plane.kubeconfig))) as client,
        simulation(client) as sim,
        asyncio.TaskGroup() as group,
    ):
        onlooker = Onlooker(client)
        looking = group.create_task(onlooker.run())
        await onlooker.ready()
        forge = Forge(upstream, sim.url, connector, fresh_logs("crash"))
        stage = Stage(client, sim.world, onlooker, forge)
        tallies = await Campaign(stage.play, lanes, chosen, teller.hear).run(scenarios)
        looking.cancel()
    return tallies


def arguments(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    names = [scenario.name for scenario in SCENARIOS]
    parser = argparse.ArgumentParser(prog="make crash", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a part of the points, see README.md")
    parser.add_argument(
        "--scenario", action="append", default=[], choices=names, metavar="NAME",
        help=f"only this, repeatable: {', '.join(names)}",
    )  # fmt: skip
    parser.add_argument(
        "--point", action="append", default=[], type=parse, help="only this; repeatable"
    )
    parser.add_argument("--lanes", type=int, default=LANES, help="runs at a time")
    return parser.parse_args(argv)


def wanted(options: argparse.Namespace) -> list[Scenario]:
    """Return the scenarios that were asked for; by name, else all that the kind of run has."""
    asked = {*options.scenario, *(crash.scenario for crash in options.point)}
    if asked:
        return [one for one in SCENARIOS if one.name in asked]
    return [one for one in SCENARIOS if one.quick or not options.quick]


def interrupted(*_: object) -> NoReturn:
    """SIGTERM ends it as Ctrl-C does: with everything it started."""
    raise KeyboardInterrupt


def end_on_sigterm() -> None:
    """The same for what runs on the event loop, where an exception out of nowhere would be lost."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


def main(argv: list[str] | None = None) -> int:
    """0 when no point lost state or ran a job twice, and all ended as the undisturbed run."""
    options = arguments(argv)
    signal.signal(signal.SIGTERM, interrupted)
    log.configure("console", "error")
    scenarios = wanted(options)
    teller = Teller()
    try:
        teller.say("starting a control plane")
        with ControlPlane.create(nodes=NODES) as plane:
            install_crds(plane)
            teller.say("trying " + ", ".join(scenario.name for scenario in scenarios))
            chosen = selection.chosen(options.point, quick=options.quick)
            tallies = asyncio.run(tried(plane, scenarios, options.lanes, chosen, teller))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130
    except (ControlPlaneError, ExceptionGroup) as error:
        for failure in leaves(error):
            print(f"The crash test failed: {failure!r}")
        return 1
    teller.say("done")
    print(report.table(tallies))
    print(report.closing(tallies))
    return 0 if report.is_good(tallies) else 1
