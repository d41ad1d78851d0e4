"""The bare client: the writes of an operator, without an operator. What nobody can beat by much.

For each FlinkDeployment: finalizer, status, Deployment, ConfigMap, Services, status, event; then,
when the Deployment is available: status, event. No cache, no queue, no validation, no look at
Flink. The objects are copies of what flinkop made for one resource, with names exchanged.

Run as `python -m bench.bare KUBECONFIG TEMPLATE`; on SIGTERM it prints its calls as one JSON line.
"""

import asyncio
import json
import signal
import sys
from collections import Counter
from pathlib import Path

import attrs
import msgspec
from bench.resources import NAMESPACE
from bench.template import Template
from fakes.leanapi import APPS, CRS, MERGE, Api

FINALIZER = "flinkdeployments.flink.apache.org/finalizer"
READY = "the bare client is ready"
EVENTS = f"/apis/events.k8s.io/v1/namespaces/{NAMESPACE}/events"


class Meta(msgspec.Struct, gc=False, rename="camel"):
    """Of metadata, what the bare client reads."""

    name: str
    uid: str = ""
    generation: int = 0
    deletion_timestamp: str | None = None


class Status(msgspec.Struct, gc=False, rename="camel"):
    """Of a Deployment's status, what the bare client reads."""

    available_replicas: int = 0


class Object(msgspec.Struct, gc=False):
    """A FlinkDeployment or a Deployment."""

    metadata: Meta
    status: Status | None = None


class Event(msgspec.Struct, gc=False):
    """One line of a watch."""

    type: str
    object: Object


@attrs.define
class Bare:
    """Follows two watches and does the writes, 64 resources at a time."""

    api: Api
    template: Template
    calls: Counter[str] = attrs.Factory(Counter)
    available: dict[str, asyncio.Event] = attrs.Factory(dict)
    begun: set[str] = attrs.Factory(set)
    leaving: set[str] = attrs.Factory(set)
    places: asyncio.Semaphore = attrs.Factory(lambda: asyncio.Semaphore(64))

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.follow_deployments())
            decode = msgspec.json.Decoder(Event).decode
            async for line in self.api.watch(f"{CRS}/namespaces/{NAMESPACE}/flinkdeployments"):
                event = decode(line)
                meta = event.object.metadata
                if event.type == "DELETED":
                    self.forget(meta.name)
                elif meta.deletion_timestamp and meta.uid not in self.leaving:
                    self.leaving.add(meta.uid)
                    group.create_task(self.remove(meta.name))
                elif event.type == "ADDED" and meta.uid not in self.begun:
                    self.begun.add(meta.uid)
                    self.available[meta.name] = asyncio.Event()
                    group.create_task(self.make(meta))

    async def follow_deployments(self) -> None:
        """Tell who waits that a Deployment is available."""
        decode = msgspec.json.Decoder(Event).decode
        selector = "labelSelector=component%3Djobmanager"
        async for line in self.api.watch(f"{APPS}/namespaces/{NAMESPACE}/deployments?{selector}"):
            event = decode(line)
            status = event.object.status
            waiter = self.available.get(event.object.metadata.name)
            if waiter and event.type != "DELETED" and status and status.available_replicas:
                waiter.set()

    async def make(self, meta: Meta) -> None:
        """All writes from creation to STABLE."""
        name = meta.name
        made = self.template.for_resource(name, meta.uid)
        resource = f"{CRS}/namespaces/{NAMESPACE}/flinkdeployments/{name}"
        async with self.places:
            finalizer = msgspec.json.encode({"metadata": {"finalizers": [FINALIZER]}})
            await self.call("patch flinkdeployments", "PATCH", resource, finalizer)
            await self.status(resource, made.status("UPGRADING", meta.generation))
            path, body = made.deployment
            answer = await self.call("create deployments", "POST", path, body)
            uid = msgspec.json.decode(answer, type=Object).metadata.uid
            for path, body in made.owned_by(uid):
                await self.call(f"create {path.rpartition('/')[2]}", "POST", path, body)
            await self.status(resource, made.status("DEPLOYED", meta.generation))
            await self.call("create events", "POST", EVENTS, made.event("Submit"))
        await self.available[name].wait()
        async with self.places:
            await self.status(resource, made.status("STABLE", meta.generation))
            await self.call("create events", "POST", EVENTS, made.event("JobStatusChanged"))

    async def remove(self, name: str) -> None:
        """Delete the Deployment; the rest goes by its owner references."""
        async with self.places:
            path = f"{APPS}/namespaces/{NAMESPACE}/deployments/{name}"
            await self.call("delete deployments", "DELETE", path, b"{}")
            finalizer = msgspec.json.encode({"metadata": {"finalizers": None}})
            resource = f"{CRS}/namespaces/{NAMESPACE}/flinkdeployments/{name}"
            await self.call("patch flinkdeployments", "PATCH", resource, finalizer)

    async def status(self, resource: str, body: bytes) -> None:
        """Patch the status."""
        await self.call("patch flinkdeployments/status", "PATCH", f"{resource}/status", body)

    async def call(self, counted: str, method: str, path: str, body: bytes) -> bytes:
        """One counted request."""
        self.calls[counted] += 1
        kind = MERGE if method == "PATCH" else "application/json"
        return await self.api.call(method, path, body, kind)

    def forget(self, name: str) -> None:
        """Drop what is kept of a resource that is gone."""
        self.available.pop(name, None)


async def main(kubeconfig: Path, template: Path) -> None:
    """Run until SIGTERM, then print the calls."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    async with Api(kubeconfig, connections=64) as api:
        bare = Bare(api, Template.load(template))
        async with asyncio.TaskGroup() as group:
            work = group.create_task(bare.run())
            await api.get(f"{CRS}/namespaces/{NAMESPACE}/flinkdeployments")
            print(READY, flush=True)
            await ended.wait()
            work.cancel()
    print(json.dumps({"calls": bare.calls}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
