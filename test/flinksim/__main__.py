"""`python -m flinksim --kubeconfig FILE --port N`: plays Flink for all JobManager pods of a cluster."""

import argparse
import asyncio
import json
import signal
import sys

from aiohttp import web
from flinksim import control, watcher as watcher_module
from flinksim.effects import KubeEffects
from flinksim.lanes import Lanes
from flinksim.scheduler import LoopScheduler
from flinksim.watcher import Watcher
from flinksim.world import World

from flinkop.clock import SystemClock
from flinkop.kube import config
from flinkop.kube.client import KubeClient

_SYNC = 60.0
_DRAIN = 5.0


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="flinksim", description=__doc__)
    parser.add_argument("--kubeconfig", help="as for kubectl")
    parser.add_argument("--context", help="context of the kubeconfig")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument(
        "--port", type=int, default=0, help="0 takes a free one, see the ready line"
    )
    parser.add_argument(
        "--task-managers",
        choices=["none", "pods"],
        default="none",
        help="whether task managers are pods",
    )
    parser.add_argument(
        "--orders", default="{}", help="orders for all clusters, as JSON (see README.md)"
    )
    return parser.parse_args(argv)


async def serve(options: argparse.Namespace) -> None:
    clock, lanes = SystemClock(), Lanes()
    async with KubeClient(
        await config.load(options.kubeconfig, options.context), user_agent="flinksim"
    ) as client:
        effects = KubeEffects(client, lanes, clock)
        world = World(LoopScheduler(clock), effects, taskmanagers=options.task_managers)
        world.order("*", "*", json.loads(options.orders))
        watcher = Watcher(client, world, effects, lanes, clock)
        effects.find_pod, effects.is_alive = watcher.find_pod, world.is_led
        runner = web.AppRunner(control.application(world), access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(lanes.run()), group.create_task(watcher.run())]
                await watcher_module.synced(watcher, _SYNC)
                site = web.TCPSite(runner, options.host, options.port, backlog=1024)
                await site.start()
                port = runner.addresses[0][1]
                print(f"flinksim ready at http://{options.host}:{port}", flush=True)
                await _told_to_stop()
                await site.stop()
                async with asyncio.timeout(_DRAIN):
                    await lanes.drained()
                for task in tasks:
                    task.cancel()
        finally:
            await runner.cleanup()


async def _told_to_stop() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()


def main() -> int:
    asyncio.run(serve(arguments()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
