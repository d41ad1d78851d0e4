"""When each resource reached which milestone, seen through two watches, decoded leanly.

A wave is one thing asked of many resources at once (create, restart, delete). For each resource
the wave knows when it was asked, when its new JobManager Deployment was there, and when it was
STABLE for what was asked (or gone). Times are seconds of the monotonic clock of this process.
"""

import asyncio
import time
from collections.abc import Iterable
from typing import Literal

import attrs
import msgspec
from bench.resources import NAMESPACE
from fakes.leanapi import APPS, CRS, Api

Milestone = Literal["jobmanager", "stable", "gone"]


class Meta(msgspec.Struct, gc=False, rename="camel"):
    """The part of metadata the milestones need."""

    name: str
    uid: str = ""
    generation: int = 0


class Status(msgspec.Struct, gc=False, rename="camel"):
    """The part of a FlinkDeployment's status the milestones need."""

    lifecycle_state: str = ""
    observed_generation: int | None = None
    error: str | None = None


class Resource(msgspec.Struct, gc=False):
    """A FlinkDeployment, or a Deployment of which only the metadata is used."""

    metadata: Meta
    status: Status | None = None


class Event(msgspec.Struct, gc=False):
    """One line of a watch."""

    type: str
    object: Resource


@attrs.define
class Seen:
    """The newest that is known of one resource."""

    generation: int = 0
    lifecycle: str = ""
    observed: int = 0
    error: str = ""
    deployment: str = ""
    """The uid of its JobManager Deployment; empty when there is none."""


@attrs.define
class Wave:
    """One thing asked of many resources, and when each got there."""

    goal: Milestone
    asked: dict[str, float] = attrs.Factory(dict)
    target: dict[str, int] = attrs.Factory(dict)
    former: dict[str, str] = attrs.Factory(dict)
    stopped: dict[str, float] = attrs.Factory(dict)
    reached: dict[Milestone, dict[str, float]] = attrs.Factory(
        lambda: {"jobmanager": {}, "stable": {}, "gone": {}}
    )
    complete: asyncio.Event = attrs.Factory(asyncio.Event)

    def note(self, milestone: Milestone, name: str) -> None:
        """Remember the first time a resource got there."""
        times = self.reached[milestone]
        if name not in times:
            times[name] = time.monotonic()
            if milestone == self.goal and len(times) == len(self.target):
                self.complete.set()

    def missing(self) -> list[str]:
        """Names that have not reached the goal."""
        return [name for name in self.target if name not in self.reached[self.goal]]

    def seconds(self, milestone: Milestone) -> list[float]:
        """Seconds from asked to the milestone, sorted; only those that got there."""
        times = self.reached[milestone]
        return sorted(times[name] - self.asked[name] for name in times if name in self.asked)

    def asking(self) -> float:
        """Seconds from the first to the last request of the wave."""
        return max(self.asked.values()) - min(self.asked.values())

    def total(self) -> float:
        """Seconds from the first request of the wave to the last resource at the goal."""
        return max(self.reached[self.goal].values()) - min(self.asked.values())


class Timeline:
    """Feeds the current wave from the two watches. Run `run()` in a task group."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.seen: dict[str, Seen] = {}
        self.events = 0
        self._wave: Wave | None = None
        self._decode = msgspec.json.Decoder(Event).decode
        self.ready = asyncio.Event()

    def begin(self, goal: Milestone, names: Iterable[str]) -> Wave:
        """Open a wave just before it is asked for; whoever asks fills `asked`.

        A resource counts as STABLE again only for its next generation and with another
        JobManager Deployment than it has now.
        """
        wave = Wave(goal)
        for name in names:
            seen = self.seen.get(name, Seen())
            wave.target[name] = seen.generation + 1
            wave.former[name] = seen.deployment
        self._wave = wave
        return wave

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(
                self._follow(f"{CRS}/namespaces/{NAMESPACE}/flinkdeployments", custom=True)
            )
            selector = "labelSelector=component%3Djobmanager"
            path = f"{APPS}/namespaces/{NAMESPACE}/deployments?{selector}"
            group.create_task(self._follow(path, custom=False))
            self.ready.set()

    async def _follow(self, path: str, *, custom: bool) -> None:
        async for line in self._api.watch(path):
            self.hear(self._decode(line), custom=custom)

    def hear(self, event: Event, *, custom: bool) -> None:
        """Take in one event of a FlinkDeployment (`custom`) or of a JobManager Deployment."""
        self.events += custom
        name = event.object.metadata.name
        seen = self.seen.setdefault(name, Seen())
        if custom:
            self._resource(seen, event)
        else:
            self._deployment(seen, event)
        self._judge(name)

    def _resource(self, seen: Seen, event: Event) -> None:
        name, status = event.object.metadata.name, event.object.status or Status()
        if event.type == "DELETED":
            self.seen.pop(name)
            if self._wave and name in self._wave.target:
                self._wave.note("gone", name)
            return
        seen.generation = event.object.metadata.generation
        seen.lifecycle = status.lifecycle_state
        seen.observed = status.observed_generation or 0
        seen.error = status.error or ""

    def _deployment(self, seen: Seen, event: Event) -> None:
        meta = event.object.metadata
        if event.type != "DELETED":
            seen.deployment = meta.uid
        elif seen.deployment == meta.uid:
            seen.deployment = ""
            if self._wave and meta.name in self._wave.target:
                self._wave.stopped.setdefault(meta.name, time.monotonic())

    def _judge(self, name: str) -> None:
        wave, seen = self._wave, self.seen.get(name)
        if wave is None or seen is None or name not in wave.target or wave.goal == "gone":
            return
        if not seen.deployment or seen.deployment == wave.former[name]:
            return
        wave.note("jobmanager", name)
        if seen.lifecycle == "STABLE" and seen.observed >= wave.target[name]:
            wave.note("stable", name)
