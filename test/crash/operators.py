"""Operators to be killed: each a process of its own, forked warm, with every write of it in sight.

A start from scratch costs 0.7 s of CPU for imports alone; forked from a process that has them it costs some
milliseconds. What runs is `flinkop run`, and what ends it is SIGKILL.
"""

import asyncio
import contextlib
import itertools
import multiprocessing
import re
from collections.abc import AsyncIterator, Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import aiohttp
import attrs
from crash import child
from crash.trap import Trap
from fakes.faultproxy import FaultProxy
from fakes.faultrules import WRITES
from fakes.kubeconfigs import Upstream
from fakes.operators import Setup

OPTIONS: Mapping[str, str] = {
    # Shorter waits after an error than the usual 5 s and 10 s.
    "kubernetes.operator.retry.initial.interval": "1 s",
    "kubernetes.operator.observer.progress-check.interval": "2 s",
}
_JARS = "kubernetes.operator.user.artifacts.base.dir"
QUIET_SECONDS = 0.2
"""Events are written in the background, within milliseconds of what they tell of."""

_PORT = re.compile(r'Health and metrics are served.*"port":(\d+)')
_UP = "Up: controllers"
_LOOK_SECONDS = 0.1
_DONE = re.compile(r"^flinkop_reconciles_total\{.*\} (\S+)$", re.MULTILINE)
_BUSY = re.compile(
    r"^flinkop_(?:reconciles_active|workqueue_depth|workqueue_processing)(?:\{.*\})? (\S+)$",
    re.MULTILINE,
)


class EndedError(AssertionError):
    """An operator ended by itself; the message says where its log is."""


@attrs.frozen
class Forge:
    """Makes operators.

    Attributes:
        api: the API server.
        flink: base address of flinksim.
        connector: connections to the API server, which are dear to make.
        folder: where their files are put.
    """

    api: Upstream
    flink: str
    connector: aiohttp.BaseConnector
    folder: Path
    context: multiprocessing.context.ForkServerContext = attrs.field(
        factory=lambda: multiprocessing.get_context("forkserver")
    )

    def __attrs_post_init__(self) -> None:
        """Have the process they are forked from import everything once."""
        self.context.set_forkserver_preload([child.__name__])

    @contextlib.asynccontextmanager
    async def operator(
        self, namespace: str, number: int, trap: Trap, options: Mapping[str, str]
    ) -> AsyncIterator["Operator"]:
        """Run the `number`th operator of a namespace while the block lasts; killed at its end, if not before."""
        folder = self.folder / namespace
        folder.mkdir(parents=True, exist_ok=True)
        async with (
            FaultProxy(self.api, trap.hook("api"), self.connector) as api,
            FaultProxy(Upstream(self.flink), trap.hook("flink")) as flink,
        ):
            setup = Setup(
                kubeconfig=api.write_kubeconfig(folder / f"kubeconfig-{number}"),
                rest_template=f"{flink.url}/{{namespace}}/{{name}}",
                conf_dir=folder / "conf",
                namespaces=(namespace,),
                conf={**OPTIONS, _JARS: str(folder / "jars"), **options},
            )
            log = folder / f"operator-{number}.log"
            _, _, _, *arguments = setup.command()  # without `python -m flinkop`
            process = self.context.Process(
                target=child.run, args=(arguments, setup.environ(), str(log)), daemon=True
            )
            process.start()
            operator = Operator(process, api, flink, log)
            try:
                yield operator
            finally:
                await operator.kill()


@attrs.define
class Operator:
    """One that runs, or ran.

    Attributes:
        api: its way to the API server.
        flink: its way to Flink.
        log: file with its output.
    """

    process: ForkServerProcess
    api: FaultProxy
    flink: FaultProxy
    log: Path
    _killed: float | None = None
    _port: str | None = None

    async def kill(self) -> None:
        """Kill it and wait until it is gone."""
        if self._killed is not None:
            return
        self.process.kill()
        await asyncio.to_thread(self.process.join)
        self._killed = asyncio.get_running_loop().time()

    def late_writes(self) -> list[str]:
        """Return writes that were passed on after it was killed: there must be none."""
        killed = self._killed
        return [
            str(exchange)
            for proxy in (self.api, self.flink)
            for exchange in proxy.log.writes()
            if exchange.forwarded and killed is not None and exchange.started > killed
        ]

    async def rest(self, *, idle: bool) -> None:
        """Wait until it has looked at its resources and has nothing at hand.

        Args:
            idle: whether there is no resource for it to look at.
        """
        while not await self._rests(idle=idle):  # noqa: ASYNC110 -- a poll of another process
            await asyncio.sleep(_LOOK_SECONDS)

    async def _rests(self, *, idle: bool) -> bool:
        if not self.process.is_alive():
            raise EndedError(f"the operator ended by itself, see {self.log}")
        if not self._is_quiet():
            return False
        metrics = await self._metrics()
        done = sum(float(number) for number in _DONE.findall(metrics))
        busy = sum(float(number) for number in _BUSY.findall(metrics))
        looked = done > 0 or (idle and _UP in self._said())
        return looked and not busy and self._is_quiet()

    def _said(self) -> str:
        """Return its log so far; a process that only begins has none."""
        return self.log.read_text() if self.log.exists() else ""

    def _is_quiet(self) -> bool:
        """Whether no write is under way, and none was a moment ago."""
        now = asyncio.get_running_loop().time()
        writes = itertools.chain(self.api.log.select(WRITES), self.flink.log.select(WRITES))
        return all(
            write.ended is not None and now - write.ended > QUIET_SECONDS for write in writes
        )

    async def _metrics(self) -> str:
        """Return what it tells of itself; "" while it does not yet."""
        if self._port is None:
            found = _PORT.search(self._said())
            if found is None:
                return ""
            self._port = found[1]
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"http://127.0.0.1:{self._port}/metrics") as answer,
            ):
                return await answer.text()
        except aiohttp.ClientError:
            return ""
