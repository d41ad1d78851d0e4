"""Starts the parts of the process in order, stops them in reverse, and says with which code to exit.

    servers ──▶ caches ──▶ election ──▶ controllers          start: each group waits until the one before is up
    servers ◀── caches ◀── election ◀── controllers          stop: each group has ended before the next is asked to

Promises:

- A group starts when every part of the groups before it is ready; an empty group is up at once.
- SIGTERM or SIGINT stops gracefully: parts with a `stop` may end by themselves within `termination_timeout`
  (operations.md 3.6), then they are cancelled. A second signal ends the process at once.
- The first part that fails stops everything; its error is logged once, and the exit code is 1.
- After a lost lease (behaviour.md L-12) nothing is waited for: all is cancelled, exit code 1.
- A part that ignores cancellation cannot keep the process alive.

What is not a part's business to start or stop (clients, sockets handed in) is its owner's to close after `run`.
"""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Literal

import attrs
import structlog

from flinkop.runtime.leaderelection import LeadershipLostError

GROUPS = ("servers", "caches", "election", "controllers")

State = Literal["waiting", "starting", "up", "stopping", "stopped", "failed"]

_log = structlog.stdlib.get_logger(__name__)


class EndedError(Exception):
    """A part ended by itself although nobody asked it to."""


class NotReadyError(Exception):
    """A part was not ready within its time."""


@attrs.frozen
class Runnable:
    """One part of the process.

    Attributes:
        name: Names the part in logs and in the health view.
        run: Works until cancelled, or until `stop` was called and all is done.
        ready: Returns when the part is up; without it the part is up as soon as it was started.
        ready_within: Seconds for `ready`; None waits as long as it takes.
        stop: Asks the part to end by itself; without it the part is cancelled.
        may_end: Whether `run` may return before it is asked to.
    """

    name: str
    run: Callable[[], Awaitable[object]]
    ready: Callable[[], Awaitable[object]] | None = None
    ready_within: float | None = None
    stop: Callable[[], Awaitable[None]] | None = None
    may_end: bool = False


@attrs.frozen
class PartHealth:
    """State of one part; `error` is empty unless it failed."""

    name: str
    state: State
    error: str = ""


@attrs.frozen
class GroupHealth:
    """State of one group and of its parts, in the order they were added."""

    name: str
    state: State
    parts: tuple[PartHealth, ...]


@attrs.define(eq=False)
class _Part:
    runnable: Runnable
    state: State = "waiting"
    error: Exception | None = None
    task: asyncio.Task[None] | None = None

    @property
    def is_alive(self) -> bool:
        return self.task is not None and not self.task.done()


class Manager:
    """Owns the tasks of all parts.

    Args:
        groups: Names of the groups in starting order.
        termination_timeout: Seconds that parts with a `stop` have in all, `kubernetes.operator.termination.timeout`.
        cancel_timeout: Seconds that a cancelled part has to end.
        signals: What stops the process; empty when somebody else handles signals.
        exit_now: Ends the process at once with a code.
    """

    def __init__(
        self,
        groups: Sequence[str] = GROUPS,
        *,
        termination_timeout: float = 10.0,
        cancel_timeout: float = 10.0,
        signals: Iterable[signal.Signals] = (signal.SIGTERM, signal.SIGINT),
        exit_now: Callable[[int], object] = os._exit,
    ) -> None:
        self._groups: dict[str, list[_Part]] = {name: [] for name in groups}
        self._termination_timeout = termination_timeout
        self._cancel_timeout = cancel_timeout
        self._signals = tuple(signals)
        self._exit_now = exit_now
        self._stopping = asyncio.Event()
        self._abrupt = asyncio.Event()
        self._failed = False

    def add(self, group: str, runnable: Runnable) -> None:
        """Put `runnable` into `group`, before `run` is called.

        Raises:
            KeyError: If there is no such group.
        """
        self._groups[group].append(_Part(runnable))

    def stop(self, reason: str) -> None:
        """Begin to stop gracefully, as the first signal does; further calls change nothing."""
        if not self._stopping.is_set():
            _log.info(f"Stopping: {reason}")
            self._stopping.set()

    async def run(self) -> int:
        """Run until stopped by a signal, by `stop`, by a failure or by cancellation.

        Returns:
            The exit code: 0 after a graceful stop, 1 after a failure.
        """
        loop = asyncio.get_running_loop()
        for number in self._signals:
            loop.add_signal_handler(number, self._on_signal, number)
        try:
            async with asyncio.TaskGroup() as owner:
                try:
                    await self._start_all(owner)
                    await self._stopping.wait()
                except asyncio.CancelledError:
                    self.stop("cancelled")
                    raise
                finally:
                    await self._stop_all()
        finally:
            for number in self._signals:
                loop.remove_signal_handler(number)
        _log.info("Stopped")
        return int(self._failed)

    def is_up(self, group: str) -> bool:
        """Whether every part of `group` is ready and none has failed."""
        return _group_state(self._groups[group]) == "up"

    def health(self) -> tuple[GroupHealth, ...]:
        """Return the state of all groups in starting order."""
        return tuple(
            GroupHealth(
                name,
                _group_state(parts),
                tuple(
                    PartHealth(part.runnable.name, part.state, str(part.error or ""))
                    for part in parts
                ),
            )
            for name, parts in self._groups.items()
        )

    # --- starting

    async def _start_all(self, owner: asyncio.TaskGroup) -> None:
        for name, parts in self._groups.items():
            if self._stopping.is_set():
                return
            for part in parts:
                part.state = "starting"
                part.task = owner.create_task(self._supervise(part), name=part.runnable.name)
            if await self._until_ready(owner, parts):
                _log.info(f"Up: {name}", parts=len(parts))

    async def _until_ready(self, owner: asyncio.TaskGroup, parts: list[_Part]) -> bool:
        """Wait until all `parts` are ready or the stop begins; tell whether they are ready."""
        watches = [owner.create_task(self._await_ready(part)) for part in parts]
        stopping = owner.create_task(self._stopping.wait())
        pending: set[asyncio.Task[None]] = set(watches)
        try:
            while pending and not self._stopping.is_set():
                await asyncio.wait({*pending, stopping}, return_when=asyncio.FIRST_COMPLETED)
                pending = {watch for watch in pending if not watch.done()}
        finally:
            for task in (*watches, stopping):
                task.cancel()
        return not self._stopping.is_set()

    async def _await_ready(self, part: _Part) -> None:
        """Mark `part` as up when it is; a failure to become ready is the part's failure."""
        runnable = part.runnable
        limit = asyncio.timeout(runnable.ready_within)
        try:
            if runnable.ready is not None:
                async with limit:
                    await runnable.ready()
        except Exception as error:  # noqa: BLE001 - any error of a part ends the process in order
            late = NotReadyError(f"it was not ready within {runnable.ready_within} s")
            self._fail(part, late if limit.expired() else error)
        else:
            if part.state == "starting":
                part.state = "up"

    async def _supervise(self, part: _Part) -> None:
        """Run one part to its end; nothing but a cancellation by the manager leaves here."""
        try:
            await part.runnable.run()
        except asyncio.CancelledError:
            if not self._stopping.is_set():
                self._fail(part, EndedError("it was cancelled from within"))
        except Exception as error:  # noqa: BLE001 - any error of a part ends the process in order
            self._fail(part, error)
        else:
            if not part.runnable.may_end and not self._stopping.is_set():
                self._fail(part, EndedError("it ended although nobody asked it to"))
        if part.state != "failed":
            part.state = "stopped"

    def _fail(self, part: _Part, error: Exception) -> None:
        part.state = "failed"
        part.error = error
        expected = isinstance(error, LeadershipLostError | EndedError | NotReadyError)
        _log.error(
            f"{part.runnable.name} failed, so the process stops: {error}",
            error=type(error).__name__,
            exc_info=None if expected else error,
        )
        self._failed = True
        if isinstance(error, LeadershipLostError):
            self._abrupt.set()
        self.stop(f"{part.runnable.name} failed")

    # --- stopping

    async def _stop_all(self) -> None:
        self._stopping.set()
        deadline = asyncio.get_running_loop().time() + self._termination_timeout
        for name, parts in reversed(self._groups.items()):
            alive = [part for part in parts if part.is_alive]
            for part in alive:
                part.state = "stopping" if part.state != "failed" else "failed"
            await self._drain([part for part in alive if part.runnable.stop is not None], deadline)
            await self._cancel(name, [part for part in alive if part.is_alive])

    async def _drain(self, parts: list[_Part], deadline: float) -> None:
        """Ask `parts` to end and wait for them until `deadline`."""
        for part in parts:
            try:
                if part.runnable.stop is not None and not self._abrupt.is_set():
                    await part.runnable.stop()
            except Exception:  # noqa: BLE001 - it is cancelled instead
                _log.exception(f"{part.runnable.name} could not be asked to stop")
                if part.task is not None:
                    part.task.cancel()
        left = max(0.0, deadline - asyncio.get_running_loop().time())
        for part in await self._wait(parts, left):
            if not self._abrupt.is_set():
                _log.warning(
                    f"{part.runnable.name} did not end within {self._termination_timeout:g} s"
                    " and is cancelled"
                )

    async def _cancel(self, group: str, parts: list[_Part]) -> None:
        for part in parts:
            if part.task is not None:
                part.task.cancel()
        left = await self._wait(parts, self._cancel_timeout, hurry=False)
        if left:
            names = ", ".join(part.runnable.name for part in left)
            _log.critical(
                f"{names} of {group} did not end {self._cancel_timeout:g} s after cancellation; exiting now"
            )
            self._exit_now(1)

    async def _wait(self, parts: list[_Part], seconds: float, *, hurry: bool = True) -> list[_Part]:
        """Wait for `parts` to end; return those that have not after `seconds`.

        With `hurry` a lost lease ends the wait: nothing may run un-led.
        """
        tasks = {part.task for part in parts if part.task is not None}
        async with asyncio.TaskGroup() as owner:
            lost = owner.create_task(self._abrupt.wait())
            end = asyncio.get_running_loop().time() + seconds
            while tasks and not (hurry and lost.done()):
                left = end - asyncio.get_running_loop().time()
                watched = {*tasks, lost} if hurry else tasks
                done, _ = await asyncio.wait(
                    watched, timeout=max(0.0, left), return_when=asyncio.FIRST_COMPLETED
                )
                tasks -= done
                if not done:
                    break
            lost.cancel()
        return [part for part in parts if part.is_alive]

    def _on_signal(self, number: signal.Signals) -> None:
        if self._stopping.is_set():
            _log.warning(f"Exiting at once: {number.name} came while stopping")
            self._exit_now(128 + number)
        self.stop(f"received {number.name}")


def _group_state(parts: list[_Part]) -> State:
    """Return the state that describes all `parts`: the worst, or the least far on its way."""
    if not parts:
        return "up"
    states = {part.state for part in parts}
    order: tuple[State, ...] = ("failed", "stopping", "waiting", "starting")
    for state in order:
        if state in states:
            return state
    if "stopped" in states and any(
        part.state == "stopped" and not part.runnable.may_end for part in parts
    ):
        return "stopped"
    return "up"
