"""The whole benchmark, in order: one alone, the bare client, then the operator with all of them."""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import attrs
import msgspec
from bench import process
from bench.bare import READY
from bench.resources import NAMESPACE, names, restart, upgrade
from bench.scrape import Calls, scrape, since, writes
from bench.sessions import CLUSTERS, JOBS, Sessions
from bench.template import CAPTURED, Template
from bench.timeline import Timeline, Wave
from bench.waves import Waves
from fakes.leanapi import Api
from fakes.programs import Program, python
from fakes.scene import Scene

from hack.clusters.kwokconfig import COMPONENTS

ALONE = 5
"""How often the single resource is measured; the median counts."""
SETTLE = 5.0
WRITER = "the writer"
"""Whoever makes the writes of a wave, among the programs that use CPU time in it."""


@attrs.frozen
class Plan:
    """What to measure.

    Attributes:
        count: resources.
        idle: seconds of the idle phase.
        limit: seconds a phase may take.
        options: keys and values of the operator's configuration.
        session_jobs: session jobs; 0 leaves them out.
        clusters: session clusters that they are spread over.
        only_sessions: whether nothing else is measured.
    """

    count: int
    idle: float
    limit: float
    options: Mapping[str, str]
    session_jobs: int = 0
    clusters: int = 10
    only_sessions: bool = False


@attrs.frozen
class Writer:
    """Who makes the writes of a wave.

    Attributes:
        name: what people call it.
        pid: its process.
        calls: counts its calls of the API server so far, by verb and resource.
        flink: counts its calls of Flink so far, by method and endpoint; a bare client makes none.
    """

    name: str
    pid: int
    calls: Callable[[], Awaitable[Calls]]
    flink: Callable[[], Awaitable[Calls]] | None = None

    async def flink_calls(self) -> Calls:
        """Its calls of Flink so far."""
        return Counter() if self.flink is None else await self.flink()


@attrs.define
class Bench:
    """Runs the phases against one scene; `results` grows by the documented keys."""

    scene: Scene
    api: Api
    waves: Waves
    plan: Plan
    say: Callable[[str], None]
    results: dict[str, Any] = attrs.Factory(dict)

    async def all_phases(self) -> dict[str, Any]:
        """Run everything; returns the results."""
        if not self.plan.only_sessions:
            template = await self.alone()
            await self.bare(template)
            await self.many()
        if self.plan.session_jobs:
            await self.sessions()
        return self.results

    async def alone(self) -> Template:
        """One resource on an idle machine, several times; returns what was made for it."""
        self.say(f"one resource alone, {ALONE} times: create, restart, delete")
        await self.start_operator()
        rows: dict[str, list[float]] = {}
        template = None
        for turn in range(ALONE):
            name = CAPTURED if turn == 0 else f"alone-{turn}"
            created = await self.waves.create([name])
            template = template or await Template.capture(self.api)
            restarted = await self.waves.change([name], restart(1))
            deleted = await self.waves.delete([name])
            for key, seconds in alone_rows(created, restarted, deleted).items():
                rows.setdefault(key, []).append(seconds)
            await self.emptied()
        self.results["alone"] = {key: middle(values) for key, values in rows.items()}
        await self.stop_operator()
        assert template
        return template

    async def bare(self, template: Template) -> None:
        """The bare client with all resources: create, restart, delete."""
        file = self.scene.logs / "template.json"
        template.save(file)
        log = self.scene.logs / "bare.log"
        command = python("bench.bare", str(self.scene.plane.kubeconfig), str(file))
        client = Program("the bare client", command, log)
        waves = attrs.evolve(self.waves, check=client.check)
        writer = Writer("the bare client", client.pid, lambda: told(client))
        rows: dict[str, Any] = {}
        self.results["bare"] = rows
        try:
            await asyncio.to_thread(client.wait_said, READY, 30)
            rows["create"] = await self.created(writer, waves)
            rows["restart"] = await self.restarted(writer, waves)
            rows["delete"] = await self.deleted(writer, waves)
            rows["peak_resident_mib"] = process.peak_mib(client.pid)
        finally:
            await asyncio.to_thread(client.stop)
        await self.emptied()

    async def many(self) -> None:
        """The operator with all resources: create, stay idle, restart, upgrade with state, delete."""
        await self.start_operator()
        writer = Writer("flinkop", self.pid, self.calls, self.flink_calls)
        self.results["create"] = await self.created(writer, self.waves)
        await self.idle()
        self.results["restart"] = await self.restarted(writer, self.waves)
        self.results["upgrade"] = await self.upgraded(writer, self.waves)
        self.results["delete"] = await self.deleted(writer, self.waves)
        last = await scrape(self.scene.health)
        self.results["longest_loop_pause_seconds"] = last.longest_pause
        self.results["peak_resident_mib"] = process.peak_mib(self.pid)
        await self.stop_operator()

    async def sessions(self) -> None:
        """Session jobs on a few clusters: create, stay idle for two intervals and more, delete."""
        await self.start_operator()
        clusters = [f"cluster-{number:02d}" for number in range(self.plan.clusters)]
        count = self.plan.session_jobs
        jobs = {f"session-{i:05d}": clusters[i % len(clusters)] for i in range(count)}
        asking = Sessions(self.api, self.scene.check, self.plan.limit)
        async with asyncio.TaskGroup() as group:
            watching = [group.create_task(asking.follow(path)) for path in (CLUSTERS, JOBS)]
            self.say(f"flinkop: {len(clusters)} session clusters, {count} session jobs created")
            await asking.clusters(clusters)
            calls, flink = await self.calls(), await self.flink_calls()
            used = process.cpu_seconds(self.pid)
            seconds, each = await asking.create(jobs)
            used = process.cpu_seconds(self.pid) - used
            await asyncio.sleep(SETTLE)
            created = {
                "all_seconds": seconds,
                "cpu_seconds": used,
                "resident_mib": process.resident_mib(self.pid),
                **requests(await self.calls(), calls, count),
                **flink_requests(await self.flink_calls(), flink, count),
                **spread("stable", each),
            }
            self.say(f"  {seconds:.1f} s, {used:.1f} CPU-s; idle for {self.plan.idle:.0f} s")
            seen, flink, calls = asking.events, await self.flink_calls(), await self.calls()
            used, begun = process.cpu_seconds(self.pid), time.monotonic()
            await asyncio.sleep(self.plan.idle)
            idle = {
                "seconds": self.plan.idle,
                "cpu_share_of_a_core": (process.cpu_seconds(self.pid) - used)
                / (time.monotonic() - begun),
                "api_writes": writes(since(await self.calls(), calls)),
                "changes_of_resources": asking.events - seen,
                "resident_mib": process.resident_mib(self.pid),
                "flink_calls": listed(since(await self.flink_calls(), flink)),
            }
            self.say(f"flinkop: {count} session jobs deleted")
            used = process.cpu_seconds(self.pid)
            gone = await asking.delete(JOBS, list(jobs))
            used = process.cpu_seconds(self.pid) - used
            await asking.delete(CLUSTERS, clusters)
            for one in watching:
                one.cancel()
        pause = (await scrape(self.scene.health)).longest_pause
        self.results["sessions"] = {
            "jobs": count,
            "clusters": len(clusters),
            "create": created,
            "idle": idle,
            "delete": {"all_seconds": gone, "cpu_seconds": used},
            "longest_loop_pause_seconds": pause,
            "peak_resident_mib": process.peak_mib(self.pid),
        }
        await self.stop_operator()

    async def created(self, writer: Writer, waves: Waves) -> dict[str, Any]:
        """All created at once, until all are STABLE."""
        return await self.measured("created", writer, waves.create(names(self.plan.count)))

    async def restarted(self, writer: Writer, waves: Waves) -> dict[str, Any]:
        """All restarted at once, until all are STABLE."""
        wave = waves.change(names(self.plan.count), restart(1))
        return await self.measured("restarted", writer, wave)

    async def upgraded(self, writer: Writer, waves: Waves) -> dict[str, Any]:
        """All upgraded at once, stopped with a savepoint and started from it, until all are STABLE."""
        wave = waves.change(names(self.plan.count), upgrade(2))
        return await self.measured("upgraded with a savepoint each", writer, wave)

    async def deleted(self, writer: Writer, waves: Waves) -> dict[str, Any]:
        """All deleted at once, until all are gone."""
        return await self.measured("deleted", writer, waves.delete(names(self.plan.count)))

    async def measured(self, what: str, writer: Writer, wave: Awaitable[Wave]) -> dict[str, Any]:
        """Run a wave, with the writer's memory and requests and everybody's CPU time during it."""
        self.say(f"{writer.name}: {self.plan.count} {what}")
        before, asked = await writer.calls(), await writer.flink_calls()
        used = self.cpu_seconds(writer)
        done = await wave
        used = {name: spent - used[name] for name, spent in self.cpu_seconds(writer).items()}
        resident = process.resident_mib(writer.pid)
        await asyncio.sleep(SETTLE)  # the last events are written after STABLE
        row = {
            "asked_seconds": done.asking(),
            "all_seconds": done.total(),
            "cpu_seconds": used[WRITER],
            "machine_cpu_seconds": used,
            "resident_mib": resident,
            **requests(await writer.calls(), before, self.plan.count),
            **flink_requests(await writer.flink_calls(), asked, self.plan.count),
        }
        for milestone in ("jobmanager", "stable", "gone"):
            row.update(spread(milestone, done.seconds(milestone)))
        own, server = used[WRITER], used["kube-apiserver"]
        self.say(f"  {row['all_seconds']:.1f} s, {own:.1f} CPU-s, API server {server:.1f} CPU-s")
        return row

    async def idle(self) -> None:
        """Nothing is asked: what does the operator cost, and does it leave the API server alone?"""
        self.say(f"flinkop: idle for {self.plan.idle:.0f} s with {self.plan.count} running")
        before, asked = await self.calls(), await self.flink_calls()
        used = process.cpu_seconds(self.pid)
        seen, begun = self.waves.timeline.events, time.monotonic()
        await asyncio.sleep(self.plan.idle)
        used = process.cpu_seconds(self.pid) - used
        calls = since(await self.calls(), before)
        self.results["idle"] = {
            "seconds": self.plan.idle,
            "cpu_share_of_a_core": used / (time.monotonic() - begun),
            "api_writes": writes(calls),
            "changes_of_resources": self.waves.timeline.events - seen,
            "resident_mib": process.resident_mib(self.pid),
            "calls": listed(calls),
            "flink_calls": listed(since(await self.flink_calls(), asked)),
        }

    async def calls(self) -> Calls:
        """The operator's calls of the API server so far."""
        return (await scrape(self.scene.health)).calls

    async def flink_calls(self) -> Calls:
        """Its calls of Flink so far."""
        return (await scrape(self.scene.health)).flink

    def cpu_seconds(self, writer: Writer) -> dict[str, float]:
        """CPU seconds so far of all that takes part: they share the machine's cores."""
        parts = {WRITER: writer.pid, "the benchmark itself": os.getpid()}
        if self.scene.sim:
            parts["flinksim"] = self.scene.sim.pid
        for name in COMPONENTS:
            found = self.scene.plane.components.running(name)
            if found:
                parts[name] = found.pid
        return {name: process.cpu_seconds(pid) for name, pid in parts.items()}

    @property
    def pid(self) -> int:
        """The operator's process."""
        assert self.scene.operator
        return self.scene.operator.pid

    async def start_operator(self) -> None:
        """Start it, watching the benchmark's namespace, and let it come to rest."""
        await asyncio.to_thread(self.scene.start_operator, options=self.plan.options)
        await asyncio.sleep(1)

    async def stop_operator(self) -> None:
        """End it."""
        await asyncio.to_thread(self.scene.stop_operator)

    async def emptied(self) -> None:
        """Wait until garbage collection has taken the last pod, so that phases do not overlap."""
        path = f"/api/v1/namespaces/{NAMESPACE}/pods?limit=1"
        while (await self.api.get(path))["items"]:  # noqa: ASYNC110 -- a poll of another process
            await asyncio.sleep(0.5)


def alone_rows(created: Wave, restarted: Wave, deleted: Wave) -> dict[str, float]:
    """Seconds of one turn with a single resource."""
    (name,) = restarted.target
    asked = restarted.asked[name]
    return {
        "create_to_jobmanager_seconds": created.seconds("jobmanager")[0],
        "create_to_stable_seconds": created.seconds("stable")[0],
        "restart_to_old_stopped_seconds": restarted.stopped[name] - asked,
        "restart_to_jobmanager_seconds": restarted.seconds("jobmanager")[0],
        "restart_to_stable_seconds": restarted.seconds("stable")[0],
        "delete_seconds": deleted.seconds("gone")[0],
    }


async def told(client: Program) -> Calls:
    """The bare client's calls so far: it is asked by a signal and answers in its log."""
    lines = client.log.read_bytes().count(b"\n")
    client.signal(signal.SIGUSR1)
    while (text := client.log.read_bytes()).count(b"\n") == lines:
        client.check()
        await asyncio.sleep(0.05)
    calls = msgspec.json.decode(text.splitlines()[-1], type=dict[str, int])
    return Counter({(what.split()[0], what.split()[1]): count for what, count in calls.items()})


def requests(after: Calls, before: Calls, count: int) -> dict[str, Any]:
    """Calls to the API server: in all, per resource, and by verb and kind."""
    calls = since(after, before)
    return {
        "requests_per_resource": sum(calls.values()) / count,
        "writes_per_resource": writes(calls) / count,
        "calls": listed(calls),
    }


def flink_requests(after: Calls, before: Calls, count: int) -> dict[str, Any]:
    """Calls to Flink: per resource, and by method and endpoint."""
    asked = since(after, before)
    each = sum(asked.values()) / count
    return {"flink_requests_per_resource": each, "flink_calls": listed(asked)}


def listed(calls: Calls) -> dict[str, int]:
    """Calls by `verb resource`, most frequent first."""
    return {f"{verb} {resource}": count for (verb, resource), count in calls.most_common()}


def spread(name: str, seconds: list[float]) -> dict[str, float]:
    """Median and 99th percentile of sorted seconds; nothing when there are none."""
    if not seconds:
        return {}
    at = min(len(seconds) - 1, int(len(seconds) * 0.99))
    return {f"{name}_p50_seconds": middle(seconds), f"{name}_p99_seconds": seconds[at]}


def middle(values: list[float]) -> float:
    """The median."""
    ordered = sorted(values)
    return ordered[len(ordered) // 2]


async def run(scene: Scene, plan: Plan, say: Callable[[str], None]) -> dict[str, Any]:
    """Run the benchmark in a scene whose namespace is empty."""
    async with Api(scene.plane.kubeconfig) as api:
        timeline = Timeline(api)
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(timeline.run())
            await timeline.ready.wait()
            waves = Waves(api, timeline, scene.check, plan.limit)
            results = await Bench(scene, api, waves, plan, say).all_phases()
            watching.cancel()
    return results


def save(results: dict[str, Any], path: Path) -> None:
    """Write the results as JSON."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n")
