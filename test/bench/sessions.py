"""Many session jobs on a few session clusters: created, left alone, deleted.

Their jars are none, so that what is measured is the operator, the API server and Flink's list of jobs.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import attrs
import msgspec
from bench.resources import NAMESPACE, flinkdeployment
from bench.timeline import Event
from fakes.leanapi import CRS, Api

CLUSTERS = f"{CRS}/namespaces/{NAMESPACE}/flinkdeployments"
JOBS = f"{CRS}/namespaces/{NAMESPACE}/flinksessionjobs"
AT_ONCE = 32
"""Requests under way at a time, as for FlinkDeployments."""


class SlowError(Exception):
    """Not all got there in time."""


@attrs.define
class Sessions:
    """Asks for clusters and jobs, and sees what becomes of them.

    Attributes:
        api: sends the requests.
        check: raises when a program that takes part has ended.
        limit: seconds a phase may take.
    """

    api: Api
    check: Callable[[], None]
    limit: float
    states: dict[str, str] = attrs.Factory(dict)
    events: int = 0
    _changed: asyncio.Event = attrs.Factory(asyncio.Event)

    async def follow(self, path: str) -> None:
        """Watch a collection until cancelled."""
        decode = msgspec.json.Decoder(Event).decode
        async for line in self.api.watch(path):
            event = decode(line)
            name, status = event.object.metadata.name, event.object.status
            self.events += path == JOBS
            if event.type == "DELETED":
                self.states.pop(name, None)
            else:
                self.states[name] = status.lifecycle_state if status is not None else ""
            self._changed.set()

    async def clusters(self, names: list[str]) -> None:
        """Create session clusters, and wait until they take jobs."""
        for name in names:
            body = msgspec.json.decode(flinkdeployment(name))
            del body["spec"]["job"]
            await self.api.call("POST", CLUSTERS, msgspec.json.encode(body))
        await self._until("the session clusters are STABLE", lambda: self._stable(names))

    async def create(self, jobs: dict[str, str]) -> tuple[float, list[float]]:
        """Create jobs, given with their clusters; return seconds until all are STABLE, and of each."""
        asked: dict[str, float] = {}
        done: dict[str, float] = {}

        async def ask(name: str) -> None:
            asked[name] = time.monotonic()
            await self.api.call("POST", JOBS, session_job(name, jobs[name]))

        def reached() -> bool:
            now = time.monotonic()
            for name in jobs.keys() - done.keys():
                if self.states.get(name) == "STABLE":
                    done[name] = now
            return len(done) == len(jobs)

        begun = time.monotonic()
        await self._all(list(jobs), ask)
        await self._until("the session jobs are STABLE", reached)
        return time.monotonic() - begun, sorted(done[name] - asked[name] for name in jobs)

    async def delete(self, path: str, names: list[str]) -> float:
        """Delete resources; return seconds until all are gone."""

        async def ask(name: str) -> None:
            await self.api.call("DELETE", f"{path}/{name}")

        begun = time.monotonic()
        await self._all(names, ask)
        await self._until("all are gone", lambda: not self.states.keys() & set(names))
        return time.monotonic() - begun

    def _stable(self, names: list[str]) -> bool:
        return all(self.states.get(name) == "STABLE" for name in names)

    async def _all(self, names: list[str], ask: Callable[[str], Any]) -> None:
        places = asyncio.Semaphore(AT_ONCE)

        async def one(name: str) -> None:
            async with places:
                await ask(name)

        async with asyncio.TaskGroup() as group:
            for name in names:
                group.create_task(one(name))

    async def _until(self, what: str, reached: Callable[[], bool]) -> None:
        deadline = time.monotonic() + self.limit
        while not reached():
            self.check()
            if time.monotonic() > deadline:
                raise SlowError(f"not yet after {self.limit:.0f} s: {what}")
            self._changed.clear()
            try:
                async with asyncio.timeout(1):
                    await self._changed.wait()
            except TimeoutError:
                continue


def session_job(name: str, cluster: str) -> bytes:
    """One FlinkSessionJob as JSON."""
    body = {
        "apiVersion": "flink.apache.org/v1beta1",
        "kind": "FlinkSessionJob",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "deploymentName": cluster,
            "job": {
                "entryClass": "com.example.orders.enrichment.OrdersEnrichmentJob",
                "args": ["--input-topic", "orders.v3", "--consumer-group", name],
                "parallelism": 1,
                "upgradeMode": "stateless",
            },
        },
    }
    return msgspec.json.encode(body)
