"""One run of a scenario, with or without a crash in it."""

import asyncio
import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path

import attrs
from crash import picture
from crash.deeds import Deed
from crash.onlooker import NotReachedError, Onlooker
from crash.operators import EndedError, Forge, Operator
from crash.picture import Picture
from crash.place import Place
from crash.scenarios import Scenario
from crash.trap import Trap
from crash.writes import Crash, Write
from fakes.leanapi import leaves
from flinksim.world import World

from flinkop.kube.client import KubeClient
from flinkop.kube.errors import ApiError
from flinkop.kube.meta import (
    CONFIGMAPS,
    DEPLOYMENTS,
    FLINK_GROUP,
    FLINKDEPLOYMENTS,
    FLINKSESSIONJOBS,
    INGRESSES,
    PODS,
    SERVICES,
    ResourceType,
)

_SNAPSHOTS = ResourceType(FLINK_GROUP, "v1beta1", "flinkstatesnapshots", "FlinkStateSnapshot")
STORED = (
    FLINKDEPLOYMENTS,
    FLINKSESSIONJOBS,
    _SNAPSHOTS,
    DEPLOYMENTS,
    SERVICES,
    CONFIGMAPS,
    PODS,
    INGRESSES,
)
"""What a picture is taken of; what Kubernetes derives from these is left out."""
DEED_SECONDS = 60.0
"""Alone on a machine a deed takes one or two; here many are done at once."""
SAME_SECONDS = 20.0
"""How long the last differences may take to go once the deed is done."""
RUN_SECONDS = 240.0
_AGAIN_SECONDS = 0.4


@attrs.frozen(kw_only=True)
class Outcome:
    """What came of a run.

    Attributes:
        scenario: its name.
        crash: what was done to operators; None for an undisturbed run.
        kills: how many operators were killed for it.
        caught: the last write at which one was killed, in words.
        writes: writes of the first operator, in order.
        pictures: one after each deed.
        lost: runs of jobs that did not begin with all the state there was, though they had to.
        doubled: runs of one job that processed data at the same time.
        complaints: what else is wrong; empty when nothing is.
        seconds: how long the run took.
        logs: directory with what its operators said.
    """

    scenario: str
    crash: Crash | None
    kills: int
    caught: str
    writes: tuple[Write, ...]
    pictures: tuple[Picture, ...]
    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    complaints: tuple[str, ...]
    seconds: float
    logs: Path

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.lost or self.doubled or self.complaints)


@attrs.define
class Stage:
    """What all runs share: a control plane, Flink's side, somebody who looks, and operators to be had."""

    client: KubeClient
    world: World
    onlooker: Onlooker
    forge: Forge
    _numbers: Iterator[int] = attrs.field(factory=itertools.count)

    async def play(
        self, scenario: Scenario, crash: Crash | None, wanted: tuple[Picture, ...] | None
    ) -> Outcome:
        """Run `scenario`, kill operators as `crash` says, and tell what came of it.

        Args:
            scenario: what to do.
            crash: where to kill; None to leave the operator alone.
            wanted: pictures of an undisturbed run; None to take them.
        """
        begun = asyncio.get_running_loop().time()
        place = Place(
            f"{scenario.name}-{next(self._numbers)}", self.client, self.world, self.onlooker
        )
        await place.open()
        try:
            run = _Run(self.forge, scenario, place, crash, wanted)
            complaints = await run.complaints()
            kills = [trap for trap in run.traps if trap.caught is not None]
            return Outcome(
                scenario=scenario.name,
                crash=crash,
                kills=len(kills),
                caught=kills[-1].told if kills else "",
                writes=tuple(run.traps[0].writes),
                pictures=tuple(run.pictures),
                lost=tuple(str(one) for one in place.runs if scenario.keeps_state and one.lost),
                doubled=tuple(str(one) for one in place.doubled),
                complaints=tuple(complaints),
                seconds=asyncio.get_running_loop().time() - begun,
                logs=self.forge.folder / place.namespace,
            )
        finally:
            await place.clear()


class _Sprung(Exception):  # noqa: N818 - what happened
    """The operator stands at its crash point."""


@attrs.define
class _Run:
    forge: Forge
    scenario: Scenario
    place: Place
    crash: Crash | None
    wanted: tuple[Picture, ...] | None
    pictures: list[Picture] = attrs.field(factory=list)
    traps: list[Trap] = attrs.field(factory=list)
    _operators: list[Operator] = attrs.field(factory=list)
    _stack: contextlib.AsyncExitStack = attrs.field(factory=contextlib.AsyncExitStack)

    async def complaints(self) -> list[str]:
        """Do it all; return what is wrong."""
        said: list[str] = []
        try:
            async with asyncio.timeout(RUN_SECONDS), self._stack:
                await self._all()
        except* TimeoutError:
            said.append(f"it did not end within {RUN_SECONDS:g} s")
        except* (NotReachedError, EndedError, ApiError) as errors:
            said += [str(error) for error in leaves(errors)]
        for operator in self._operators:
            said += [f"written after the kill: {write}" for write in operator.late_writes()]
        return said

    async def _all(self) -> None:
        await self._start(self.crash)
        for deed in self.scenario.before:
            await deed.do(self.place)
            await self._until_done(deed)
            await self._operator.rest(idle=not self.place.exists)
        for step, deed in enumerate(self.scenario.deeds):
            self._trap.step = step
            await deed.do(self.place)
            while not await self._arrives(deed, step):
                await self._replace()

    @property
    def _operator(self) -> Operator:
        return self._operators[-1]

    @property
    def _trap(self) -> Trap:
        return self.traps[-1]

    async def _start(self, crash: Crash | None) -> None:
        spared = [trap.caught for trap in self.traps if trap.caught is not None]
        trap = Trap(crash, spared)
        self.traps.append(trap)
        operator = await self._stack.enter_async_context(
            self.forge.operator(self.place.namespace, len(self.traps), trap, self.scenario.options)
        )
        self._operators.append(operator)

    async def _replace(self) -> None:
        """Kill the operator that stands at its crash point, and start the next."""
        await self._operator.kill()
        step = self._trap.step
        await self._start(self.crash if self.crash is not None and self.crash.again else None)
        self._trap.step = step

    async def _arrives(self, deed: Deed, step: int) -> bool:
        """Wait for the deed's effect, True, or for the trap to spring, False."""
        try:
            async with asyncio.TaskGroup() as group:
                springing = group.create_task(self._spring())
                await self._arrive(deed, step)
                springing.cancel()
        except* _Sprung:
            pass
        return not self._trap.sprung.is_set()

    async def _spring(self) -> None:
        await self._trap.sprung.wait()
        raise _Sprung

    async def _until_done(self, deed: Deed) -> None:
        await self.place.onlooker.until(
            self.place.namespace,
            lambda: deed.done(self.place),
            DEED_SECONDS,
            f"what follows when it {deed.what}",
        )

    async def _arrive(self, deed: Deed, step: int) -> None:
        """Wait until the deed has its effect, the operator rests, and the picture is as wanted.

        Where none is wanted yet, it is to stay the same for a while.
        """
        await self._until_done(deed)
        taken: Picture = {}
        try:
            async with asyncio.timeout(SAME_SECONDS):
                while True:
                    await self._operator.rest(idle=not self.place.exists)
                    taken = await self._picture()
                    if self.wanted is not None and taken == self.wanted[step]:
                        break
                    await asyncio.sleep(_AGAIN_SECONDS)
                    if self.wanted is None and taken == await self._picture():
                        break
        except TimeoutError:
            found = picture.difference(self.wanted[step], taken) if self.wanted else ""
            raise NotReachedError(f"the end state differs after it {deed.what}:\n{found}") from None
        self.pictures.append(taken)

    async def _picture(self) -> Picture:
        return picture.picture(
            await self.place.objects(STORED),
            self.place.runs,
            self.place.savepoints,
            namespace=self.place.namespace,
            vague=self.scenario.vague,
        )
