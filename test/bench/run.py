"""The whole benchmark, in order: one alone, the bare client, then the operator with all of them."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs
import msgspec
from bench import process
from bench.bare import READY
from bench.resources import NAMESPACE, names, restart, upgrade
from bench.scrape import Scrape, scrape, writes
from bench.template import CAPTURED, Template
from bench.timeline import Timeline, Wave
from bench.waves import Waves
from fakes.leanapi import Api
from fakes.programs import Program, python
from fakes.scene import Scene

ALONE = 5
"""How often the single resource is measured; the median counts."""
SETTLE = 5.0


@attrs.frozen
class Plan:
    """What to measure.

    Attributes:
        count: resources.
        idle: seconds of the idle phase.
        limit: seconds a phase may take.
        options: keys and values of the operator's configuration.
    """

    count: int
    idle: float
    limit: float
    options: Mapping[str, str]


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
        template = await self.alone()
        await self.bare(template)
        await self.many()
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
        """The bare client with all resources."""
        self.say(f"the bare client: {self.plan.count} created, until all STABLE; then deleted")
        file = self.scene.logs / "template.json"
        template.save(file)
        log = self.scene.logs / "bare.log"
        command = python("bench.bare", str(self.scene.plane.kubeconfig), str(file))
        client = Program("the bare client", command, log)
        waves = attrs.evolve(self.waves, check=client.check)
        try:
            await asyncio.to_thread(client.wait_said, READY, 30)
            server = self.server_cpu()
            wave = await waves.create(names(self.plan.count))
            server = self.server_cpu() - server
            used = process.cpu_seconds(client.pid)
            resident = process.peak_mib(client.pid)
            gone = await waves.delete(names(self.plan.count))
        finally:
            await asyncio.to_thread(client.stop)
        calls = Counter(msgspec.json.decode(log.read_bytes().splitlines()[-1])["calls"])
        made = (
            sum(calls.values()) - 2 * self.plan.count
        )  # deletion: one for the Deployment, one patch
        self.results["bare"] = {
            "create_all_stable_seconds": wave.total(),
            "create_asked_seconds": wave.asking(),
            "create_cpu_seconds": used,
            "create_api_server_cpu_seconds": server,
            "peak_resident_mib": resident,
            "requests_per_resource": made / self.plan.count,
            "delete_all_seconds": gone.total(),
            **spread("jobmanager", wave.seconds("jobmanager")),
            **spread("stable", wave.seconds("stable")),
        }
        await self.emptied()

    async def many(self) -> None:
        """The operator with all resources: create, stay idle, restart, upgrade with state, delete."""
        await self.start_operator()
        self.results["create"] = await self.measured(
            f"flinkop: {self.plan.count} created, until all STABLE",
            lambda: self.waves.create(names(self.plan.count)),
        )
        await self.idle()
        self.results["restart"] = await self.measured(
            f"flinkop: {self.plan.count} restarted, until all STABLE",
            lambda: self.waves.change(names(self.plan.count), restart(1)),
        )
        self.results["upgrade"] = await self.measured(
            f"flinkop: {self.plan.count} upgraded with a savepoint each, until all STABLE",
            lambda: self.waves.change(names(self.plan.count), upgrade(2)),
        )
        self.results["delete"] = await self.measured(
            f"flinkop: {self.plan.count} deleted, until all gone",
            lambda: self.waves.delete(names(self.plan.count)),
        )
        last = await scrape(self.scene.health)
        self.results["longest_loop_pause_seconds"] = last.longest_pause
        self.results["peak_resident_mib"] = process.peak_mib(self.pid)
        await self.stop_operator()

    async def measured(self, what: str, wave: Callable[[], Any]) -> dict[str, Any]:
        """Run a wave, with the operator's CPU time, memory and requests during it."""
        self.say(what)
        before, used = await scrape(self.scene.health), process.cpu_seconds(self.pid)
        server = self.server_cpu()
        done: Wave = await wave()
        server = self.server_cpu() - server
        used = process.cpu_seconds(self.pid) - used
        resident = process.resident_mib(self.pid)
        await asyncio.sleep(SETTLE)  # the last events are written after STABLE
        after = await scrape(self.scene.health)
        row = {
            "asked_seconds": done.asking(),
            "all_seconds": done.total(),
            "cpu_seconds": used,
            "api_server_cpu_seconds": server,
            "resident_mib": resident,
            **requests(after, before, self.plan.count),
        }
        for milestone in ("jobmanager", "stable", "gone"):
            row.update(spread(milestone, done.seconds(milestone)))
        self.say(f"  {row['all_seconds']:.1f} s, {used:.1f} CPU-s, {resident:.0f} MiB")
        return row

    async def idle(self) -> None:
        """Nothing is asked: what does the operator cost, and does it leave the API server alone?"""
        self.say(f"flinkop: idle for {self.plan.idle:.0f} s with {self.plan.count} running")
        before, used = await scrape(self.scene.health), process.cpu_seconds(self.pid)
        seen, begun = self.waves.timeline.events, time.monotonic()
        await asyncio.sleep(self.plan.idle)
        used = process.cpu_seconds(self.pid) - used
        after = await scrape(self.scene.health)
        calls = after.since(before)
        self.results["idle"] = {
            "seconds": self.plan.idle,
            "cpu_share_of_a_core": used / (time.monotonic() - begun),
            "api_writes": writes(calls),
            "changes_of_resources": self.waves.timeline.events - seen,
            "resident_mib": process.resident_mib(self.pid),
            "calls": listed(calls),
            "flink_calls": listed(after.asked_since(before)),
        }

    def server_cpu(self) -> float:
        """CPU seconds of the API server so far: what a phase costs it, whatever else runs here."""
        server = self.scene.plane.components.running("kube-apiserver")
        assert server
        return process.cpu_seconds(server.pid)

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


def requests(after: Scrape, before: Scrape, count: int) -> dict[str, Any]:
    """Calls to the API server and to Flink: in all, per resource, and by verb and kind."""
    calls, flink = after.since(before), after.asked_since(before)
    return {
        "requests_per_resource": sum(calls.values()) / count,
        "writes_per_resource": writes(calls) / count,
        "flink_requests_per_resource": sum(flink.values()) / count,
        "calls": listed(calls),
        "flink_calls": listed(flink),
    }


def listed(calls: Counter[tuple[str, str]]) -> dict[str, int]:
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
