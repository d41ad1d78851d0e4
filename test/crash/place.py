"""Where one run of a scenario happens: a namespace, the user's hand in it, and what can be seen there."""

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

import attrs
from crash.onlooker import Onlooker
from fakes.survivalstage import SERVICE_ACCOUNTS
from flinksim.ledger import Run
from flinksim.world import World

from flinkop.kube import errors
from flinkop.kube.client import KubeClient
from flinkop.kube.meta import (
    CONFIGMAPS,
    DEPLOYMENTS,
    FLINKDEPLOYMENTS,
    FLINKSESSIONJOBS,
    NAMESPACES,
    ObjectKey,
    ResourceType,
)
from flinkop.kube.objects import ConfigMapView

NAME = "one"
"""Of the FlinkDeployment that all is about."""
SESSION_JOB = "job"
_CHECKPOINT = "checkpointID-"


@attrs.define
class Place:
    """A namespace of its own.

    Attributes:
        generation: of the resource that was changed last.
        former: uid of the JobManager Deployment when the last change was made.
    """

    namespace: str
    client: KubeClient
    world: World
    onlooker: Onlooker
    generation: int = 0
    former: str = ""

    async def open(self) -> None:
        """Make the namespace, with the account that Flink's pods use."""
        await self.client.create(NAMESPACES, "", {"metadata": {"name": self.namespace}})
        await self.client.create(SERVICE_ACCOUNTS, self.namespace, {"metadata": {"name": "flink"}})

    async def clear(self) -> None:
        """Take away what costs CPU. The rest goes with the control plane: ending a namespace is dear."""
        for rt in (FLINKSESSIONJOBS, FLINKDEPLOYMENTS):
            for name in await self._names(rt):
                await self._let_go(rt, self.key(name))
        for name in await self._names(DEPLOYMENTS):
            await self._absent_is_fine(DEPLOYMENTS, self.key(name))
        for name in await self._names(CONFIGMAPS, f"app={NAME}"):
            await self._absent_is_fine(CONFIGMAPS, self.key(name))

    async def _names(self, rt: ResourceType, labels: str | None = None) -> Iterable[str]:
        page = await self.client.list_all(rt, self.namespace, label_selector=labels)
        return [item["metadata"]["name"] for item in page.items]

    async def _let_go(self, rt: ResourceType, key: ObjectKey) -> None:
        try:
            await self.client.merge_patch(rt, key, {"metadata": {"finalizers": None}})
        except errors.NotFound:
            return
        await self._absent_is_fine(rt, key)

    async def _absent_is_fine(self, rt: ResourceType, key: ObjectKey) -> None:
        try:
            await self.client.delete(rt, key, propagation="Background")
        except errors.NotFound:
            return

    def key(self, name: str = NAME) -> ObjectKey:
        """Return the key of an object here."""
        return ObjectKey(self.namespace, name)

    # --- what a user does

    async def create(self, spec: Mapping[str, Any]) -> None:
        """Create the FlinkDeployment."""
        await self._create(FLINKDEPLOYMENTS, NAME, spec)

    async def create_session_job(self, spec: Mapping[str, Any]) -> None:
        """Create a job for the session cluster."""
        await self._create(FLINKSESSIONJOBS, SESSION_JOB, {"deploymentName": NAME, **spec})

    async def _create(self, rt: ResourceType, name: str, spec: Mapping[str, Any]) -> None:
        body = {
            "apiVersion": rt.api_version,
            "kind": rt.kind,
            "metadata": {"name": name},
            "spec": dict(spec),
        }
        made = await self.client.create(rt, self.namespace, body)
        self.generation = made["metadata"]["generation"]

    async def change(self, spec: Mapping[str, Any], rt: ResourceType = FLINKDEPLOYMENTS) -> None:
        """Merge-patch the spec."""
        self.former = self.job_manager
        name = NAME if rt is FLINKDEPLOYMENTS else SESSION_JOB
        patched = await self.client.merge_patch(rt, self.key(name), {"spec": spec})
        self.generation = patched["metadata"]["generation"]

    async def delete(self, rt: ResourceType = FLINKDEPLOYMENTS) -> None:
        """Ask for the deletion."""
        name = NAME if rt is FLINKDEPLOYMENTS else SESSION_JOB
        await self.client.delete(rt, self.key(name))

    async def delete_job_manager(self) -> None:
        """Delete the JobManager Deployment, as a user does by mistake."""
        self.former = self.job_manager
        await self.client.delete(DEPLOYMENTS, self.key(), propagation="Foreground")

    # --- what there is

    @property
    def status(self) -> dict[str, Any]:
        """Of the FlinkDeployment."""
        return self.onlooker.status(FLINKDEPLOYMENTS, self.key())

    @property
    def session_job_status(self) -> dict[str, Any]:
        """Of the session job."""
        return self.onlooker.status(FLINKSESSIONJOBS, self.key(SESSION_JOB))

    @property
    def has_session_job(self) -> bool:
        """Whether there is a FlinkSessionJob."""
        return self.onlooker.get(FLINKSESSIONJOBS, self.key(SESSION_JOB)) is not None

    @property
    def exists(self) -> bool:
        """Whether there is a FlinkDeployment."""
        return self.onlooker.get(FLINKDEPLOYMENTS, self.key()) is not None

    @property
    def job_manager(self) -> str:
        """The uid of the JobManager Deployment, "" without one."""
        found = self.onlooker.get(DEPLOYMENTS, self.key())
        return found.metadata.uid if found else ""

    @property
    def runs(self) -> list[Run]:
        """All runs of jobs here, oldest first."""
        found = [
            run
            for lineage, runs in self.world.ledger.runs.items()
            if lineage[0] == self.namespace
            for run in runs
        ]
        return sorted(found, key=lambda run: run.started)

    @property
    def doubled(self) -> list[dict[str, Any]]:
        """Runs of one job that processed data at the same time."""
        return [one for one in self.world.ledger.doubled if one["lineage"][0] == self.namespace]

    async def has_checkpoint(self) -> bool:
        """Whether a checkpoint of the job is in its HA metadata."""
        page = await self.client.list_all(
            CONFIGMAPS, self.namespace, label_selector=f"app={NAME}", into=ConfigMapView
        )
        return any(key.startswith(_CHECKPOINT) for one in page.items for key in one.data)

    @property
    def savepoints(self) -> int:
        """How many savepoints of jobs here exist."""
        jobs = {run.job_id for run in self.runs}
        return sum(one.is_savepoint and one.job_id in jobs for one in self.world.storage.all())

    async def objects(self, kinds: Iterable[ResourceType]) -> list[dict[str, Any]]:
        """Return all objects of some kinds here, as stored."""
        found = []
        for rt in kinds:
            with contextlib.suppress(errors.NotFound):  # a kind whose CRD is not installed
                page = await self.client.list_all(rt, self.namespace)
                found += [{"kind": rt.kind, **item} for item in page.items]
        return found
