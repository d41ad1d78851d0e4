"""The whole simulation beside an API server: watcher, effects and HTTP server, started and ended together."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress

from aiohttp import web
from attrs import frozen
from flinksim import control
from flinksim.effects import KubeEffects
from flinksim.lanes import Lanes
from flinksim.scheduler import LoopScheduler
from flinksim.watcher import Watcher
from flinksim.world import World

from flinkop.clock import SystemClock
from flinkop.kube.client import KubeClient
from flinkop.runtime.scope import ALL, FixedScope

_SYNC = 60.0
_DRAIN = 5.0


@frozen
class Simulation:
    """What is running; `url` is where clusters and control are served."""

    world: World
    url: str


@asynccontextmanager
async def simulation(
    client: KubeClient,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    task_managers: str = "none",
    namespaces: Iterable[str] = (),
) -> AsyncIterator[Simulation]:
    """Play Flink for the JobManager pods of some namespaces (all by default) until the block ends.

    It listens once it knows all pods. At the end what was to be written is written.
    """
    clock, lanes = SystemClock(), Lanes()
    effects = KubeEffects(client, lanes, clock)
    world = World(LoopScheduler(clock), effects, taskmanagers=task_managers)
    names = list(namespaces)
    watcher = Watcher(
        client, world, effects, lanes, clock, scope=FixedScope(names) if names else ALL
    )
    effects.find_pod, effects.is_alive = watcher.find_pod, world.is_led
    runner = web.AppRunner(control.application(world), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(lanes.run()), group.create_task(watcher.run())]
            async with asyncio.timeout(_SYNC):
                await watcher.informer.wait_synced()
            await web.TCPSite(runner, host, port, backlog=1024).start()
            try:
                yield Simulation(world, f"http://{host}:{runner.addresses[0][1]}")
            finally:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_DRAIN):
                        await lanes.drained()
                for task in tasks:
                    task.cancel()
    finally:
        await runner.cleanup()
