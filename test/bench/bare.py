"""The bare client: the writes of an operator, without an operator. What nobody can beat by much.

    created    finalizer, status, Deployment, ConfigMap, Services, status, event;
               when the Deployment is available: status, event
    restarted  event, event, status, delete the Deployment; when it is gone: Deployment, ConfigMap,
               Services, status, event; when it is available: status, event
    deleted    event, delete the Deployment; when it is gone: take the finalizer off

Deployments are deleted in the background. A cluster is gone when its pod is, and then lists of
ReplicaSets and pods, before a restart also of ConfigMaps, are looked at once; here nobody minds what
they say.

No cache, no queue, no validation, no look at Flink. The objects are copies of what flinkop made for
one resource, with names exchanged.

Run as `python -m bench.bare KUBECONFIG TEMPLATE`; on SIGUSR1 it prints its calls so far, by
`verb resource`, as one JSON line.
"""

import asyncio
import json
import signal
import sys
from collections import Counter
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import attrs
import msgspec
from bench.resources import NAMESPACE
from bench.template import Template
from fakes.leanapi import APPS, CRS, MERGE, Api

FINALIZER = "flinkdeployments.flink.apache.org/finalizer"
READY = "the bare client is ready"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
CONFIG_MAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
REPLICA_SETS = f"{APPS}/namespaces/{NAMESPACE}/replicasets"
EVENTS = f"/api/v1/namespaces/{NAMESPACE}/events"
DEPLOYMENTS = f"{APPS}/namespaces/{NAMESPACE}/deployments"
RESOURCES = f"{CRS}/namespaces/{NAMESPACE}/flinkdeployments"


class Meta(msgspec.Struct, gc=False, rename="camel"):
    """Of metadata, what the bare client reads."""

    name: str
    uid: str = ""
    generation: int = 0
    deletion_timestamp: str | None = None
    labels: dict[str, str] = {}


class Status(msgspec.Struct, gc=False, rename="camel"):
    """Of a Deployment's status, what the bare client reads."""

    available_replicas: int = 0


class Object(msgspec.Struct, gc=False):
    """A FlinkDeployment, a Deployment or a pod."""

    metadata: Meta
    status: Status | None = None


class Event(msgspec.Struct, gc=False):
    """One line of a watch."""

    type: str
    object: Object


@attrs.define
class Cluster:
    """What is known of one resource's cluster.

    Attributes:
        uid: of the resource.
        generation: the newest that is worked on.
        leaving: whether its deletion is worked on.
        deployment: uid of the JobManager Deployment.
        available: set while that Deployment has a pod that runs.
        gone: set when its pod has gone.
    """

    uid: str
    generation: int
    leaving: bool = False
    deployment: str = ""
    available: asyncio.Event = attrs.Factory(asyncio.Event)
    gone: asyncio.Event = attrs.Factory(asyncio.Event)


@attrs.define
class Bare:
    """Follows two watches and does the writes, 64 resources at a time."""

    api: Api
    template: Template
    calls: Counter[str] = attrs.Factory(Counter)
    clusters: dict[str, Cluster] = attrs.Factory(dict)
    places: asyncio.Semaphore = attrs.Factory(lambda: asyncio.Semaphore(64))

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.follow_deployments())
            group.create_task(self.follow_pods())
            decode = msgspec.json.Decoder(Event).decode
            async for line in self.api.watch(RESOURCES):
                event = decode(line)
                work = self.due(event.type, event.object.metadata)
                if work:
                    group.create_task(work)

    def due(self, what: str, meta: Meta) -> Coroutine[Any, Any, None] | None:
        """What an event of a FlinkDeployment asks for."""
        if what == "DELETED":
            self.clusters.pop(meta.name, None)
            return None
        known = self.clusters.get(meta.name)
        if known is None:
            self.clusters[meta.name] = known = Cluster(meta.uid, meta.generation)
            return self.make(meta.name, known)
        if meta.deletion_timestamp:
            asked, known.leaving = not known.leaving, True
            return self.remove(meta.name, known) if asked else None
        asked, known.generation = meta.generation > known.generation, meta.generation
        return self.restart(meta.name, known) if asked else None

    async def follow_deployments(self) -> None:
        """Tell who waits that a Deployment is available."""
        decode = msgspec.json.Decoder(Event).decode
        async for line in self.api.watch(f"{DEPLOYMENTS}?labelSelector=component%3Djobmanager"):
            event = decode(line)
            meta, status = event.object.metadata, event.object.status
            known = self.clusters.get(meta.name)
            if known and event.type != "DELETED" and status and status.available_replicas:
                known.available.set()

    async def follow_pods(self) -> None:
        """Tell who waits that a JobManager's pod is gone."""
        decode = msgspec.json.Decoder(Event).decode
        async for line in self.api.watch(f"{PODS}?labelSelector=component%3Djobmanager"):
            event = decode(line)
            known = self.clusters.get(event.object.metadata.labels.get("app", ""))
            if known and event.type == "DELETED":
                known.gone.set()

    async def make(self, name: str, cluster: Cluster) -> None:
        """All writes from creation to STABLE."""
        async with self.places:
            await self.patch_finalizers(name, [FINALIZER])
            await self.status(name, cluster, "UPGRADING")
            await self.deploy(name, cluster)
        await self.stable(name, cluster)

    async def restart(self, name: str, cluster: Cluster) -> None:
        """All writes from the change of the spec to STABLE."""
        async with self.places:
            await self.event(name, cluster, "SpecChanged")
            await self.event(name, cluster, "Suspended")
            await self.status(name, cluster, "UPGRADING")
            await self.delete_deployment(name, cluster)
        await cluster.gone.wait()
        async with self.places:
            await self.look_for_remains(name, REPLICA_SETS, PODS, CONFIG_MAPS)
            await self.deploy(name, cluster)
        await self.stable(name, cluster)

    async def remove(self, name: str, cluster: Cluster) -> None:
        """All writes from the deletion of a resource to its end."""
        async with self.places:
            await self.event(name, cluster, "Cleanup")
            await self.delete_deployment(name, cluster)
        await cluster.gone.wait()
        async with self.places:
            await self.look_for_remains(name, REPLICA_SETS, PODS)
            await self.patch_finalizers(name, [])

    async def deploy(self, name: str, cluster: Cluster) -> None:
        """Make the objects and say so."""
        made = self.template.for_resource(name, cluster.uid)
        cluster.available.clear()
        cluster.gone.clear()
        path, body = made.deployment
        answer = await self.call("create deployments", "POST", path, body)
        cluster.deployment = msgspec.json.decode(answer, type=Object).metadata.uid
        for path, body in made.owned_by(cluster.deployment):
            await self.call(f"create {path.rpartition('/')[2]}", "POST", path, body)
        await self.status(name, cluster, "DEPLOYED")
        await self.event(name, cluster, "Submit")

    async def stable(self, name: str, cluster: Cluster) -> None:
        """Wait for the JobManager and say that it is there."""
        await cluster.available.wait()
        async with self.places:
            await self.status(name, cluster, "STABLE")
            await self.event(name, cluster, "JobStatusChanged")

    async def delete_deployment(self, name: str, cluster: Cluster) -> None:
        """Delete the Deployment; the rest goes by its owner references."""
        options = {"propagationPolicy": "Background", "preconditions": {"uid": cluster.deployment}}
        body = msgspec.json.encode(options)
        await self.call("delete deployments", "DELETE", f"{DEPLOYMENTS}/{name}", body)

    async def look_for_remains(self, name: str, *collections: str) -> None:
        """List what could be left of the cluster."""
        for path in collections:
            counted = f"list {path.rpartition('/')[2]}"
            await self.call(counted, "GET", f"{path}?labelSelector=app%3D{name}&limit=1", None)

    async def patch_finalizers(self, name: str, finalizers: list[str]) -> None:
        """Patch the finalizers."""
        body = msgspec.json.encode({"metadata": {"finalizers": finalizers}})
        await self.call("patch flinkdeployments", "PATCH", f"{RESOURCES}/{name}", body)

    async def status(self, name: str, cluster: Cluster, lifecycle: str) -> None:
        """Patch the status."""
        made = self.template.for_resource(name, cluster.uid)
        body = made.status(lifecycle, cluster.generation)
        path = f"{RESOURCES}/{name}/status"
        await self.call("patch flinkdeployments/status", "PATCH", path, body)

    async def event(self, name: str, cluster: Cluster, reason: str) -> None:
        """Create an Event."""
        made = self.template.for_resource(name, cluster.uid)
        await self.call("create events", "POST", EVENTS, made.event(reason, cluster.generation))

    async def call(self, counted: str, method: str, path: str, body: bytes | None) -> bytes:
        """One counted request."""
        self.calls[counted] += 1
        kind = MERGE if method == "PATCH" else "application/json"
        return await self.api.call(method, path, body, kind)


async def main(kubeconfig: Path, template: Path) -> None:
    """Run until SIGTERM."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    async with Api(kubeconfig, connections=64) as api:
        bare = Bare(api, Template.load(template))
        loop.add_signal_handler(signal.SIGTERM, ended.set)
        loop.add_signal_handler(signal.SIGUSR1, lambda: print(json.dumps(bare.calls), flush=True))
        async with asyncio.TaskGroup() as group:
            work = group.create_task(bare.run())
            await api.get(RESOURCES)
            print(READY, flush=True)
            await ended.wait()
            work.cancel()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
