"""The operator, run by a test: inside the test's own process, or as a process of its own.

Inside, a test hands in a clock or shorter waits, and an operator costs little. Apart, it is what
people run: signals, exit code, logs.
"""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import msgspec
from fakes.programs import ROOT, environment, python

from flinkop import process
from flinkop.clock import Clock
from flinkop.config import source
from flinkop.runtime.reflector import Timing

NOTHING: Mapping[str, str] = {}


@attrs.frozen(kw_only=True)
class Setup:
    """What an operator is started with.

    Attributes:
        kubeconfig: its way to the API server.
        rest_template: its way to Flink.
        conf_dir: where its flink-conf.yaml is put.
        namespaces: what it looks at.
        conf: its configuration.
        lease: Lease by which a leader is elected; empty for no election.
        lease_namespace: namespace of the Lease.
        identity: name of this replica in the Lease.
    """

    kubeconfig: Path
    rest_template: str
    conf_dir: Path
    namespaces: Sequence[str]
    conf: Mapping[str, str] = NOTHING
    lease: str = ""
    lease_namespace: str = ""
    identity: str = ""

    def environ(self) -> dict[str, str]:
        """Write the configuration; return the environment that leads to it."""
        self.conf_dir.mkdir(parents=True, exist_ok=True)
        text = "".join(f"{key}: {value}\n" for key, value in self.conf.items())
        (self.conf_dir / "flink-conf.yaml").write_text(text)
        return {
            "FLINK_CONF_DIR": str(self.conf_dir),
            "WATCH_NAMESPACES": ",".join(self.namespaces),
        }

    def options(self) -> process.ProcessOptions:
        """Return what the command line would give."""
        return process.ProcessOptions(
            kubeconfig=str(self.kubeconfig),
            rest_template=self.rest_template,
            health_host="127.0.0.1",
            health_port=0,
            lease_name=self.lease or None,
            lease_namespace=self.lease_namespace or None,
            identity=self.identity or None,
            environ=self.environ(),
        )

    def command(self) -> list[str]:
        """Return the command line."""
        arguments = ["run", "--kubeconfig", str(self.kubeconfig), "--log-format", "json"]
        arguments += ["--rest-template", self.rest_template]
        arguments += ["--health-host", "127.0.0.1", "--health-port", "0"]
        if self.lease:
            arguments += ["--lease-name", self.lease, "--lease-namespace", self.lease_namespace]
        if self.identity:
            arguments += ["--identity", self.identity]
        return python("flinkop", *arguments)


@contextlib.asynccontextmanager
async def inside(
    setup: Setup, *, clock: Clock | None = None, timing: Timing | None = None
) -> AsyncIterator[asyncio.Task[int]]:
    """Run the whole operator in this process while the block lasts; yields its task."""
    options = setup.options()
    loaded, snapshot = source.open_snapshot(options.environ)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(
            process.run(options, loaded, snapshot, clock=clock, timing=timing), name="flinkop"
        )
        yield task
        task.cancel()


@contextlib.asynccontextmanager
async def apart(setup: Setup) -> AsyncIterator["OperatorProcess"]:
    """Run `flinkop run` as a process while the block lasts; what still runs then is killed."""
    made = await asyncio.create_subprocess_exec(
        *setup.command(),
        cwd=ROOT,
        env=environment(setup.environ()),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        limit=1 << 20,
    )
    operator = OperatorProcess(made)
    async with asyncio.TaskGroup() as group:
        group.create_task(operator.read())
        try:
            yield operator
        finally:
            operator.signal(signal.SIGKILL)
            await made.wait()


class OperatorProcess:
    """`flinkop run`: what it says, how it ends.

    Attributes:
        lines: its log so far, decoded; a line that is no JSON has it all as `event`.
    """

    def __init__(self, made: asyncio.subprocess.Process) -> None:
        self._made = made
        self._changed = asyncio.Event()
        self.lines: list[dict[str, Any]] = []

    async def read(self) -> None:
        """Take its output until it ends."""
        assert self._made.stdout
        async for line in self._made.stdout:
            try:
                self.lines.append(msgspec.json.decode(line, type=dict[str, Any]))
            except msgspec.DecodeError:
                self.lines.append({"event": line.decode(errors="replace").rstrip()})
            self._notify()
        await self._made.wait()
        self._notify()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    @property
    def code(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._made.returncode

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        if self.code is None:
            with contextlib.suppress(ProcessLookupError):
                self._made.send_signal(number)

    def said(self, words: str) -> list[dict[str, Any]]:
        """Return the lines whose text has `words`."""
        return [line for line in self.lines if words in str(line.get("event"))]

    async def until_said(self, words: str, seconds: float = 60.0) -> dict[str, Any]:
        """Wait for a line whose text has `words`; return the first."""
        await self._until(lambda: bool(self.said(words)) or self.code is not None, seconds, words)
        assert self.said(words), f"it ended with {self.code} before {words!r}:\n{self.tail()}"
        return self.said(words)[0]

    async def until_ended(self, seconds: float = 30.0) -> int:
        """Wait until it has ended; return its exit code."""
        await self._until(lambda: self.code is not None, seconds, "its end")
        assert self.code is not None
        return self.code

    async def _until(self, reached: Callable[[], bool], seconds: float, what: str) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not reached():
                    await self._changed.wait()
        except TimeoutError:
            text = f"{what!r} did not come within {seconds:g} s"
            raise AssertionError(f"{text}:\n{self.tail()}") from None

    def tail(self, count: int = 40) -> str:
        """Return its last lines."""
        return "\n".join(str(line) for line in self.lines[-count:])
