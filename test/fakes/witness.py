"""Sees FlinkDeployments, their JobManager Deployments and snapshots on a way of its own, past any fault proxy."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from flinkop.builders.identity import GENERATION_ANNOTATION
from flinkop.kube.client import KubeClient
from flinkop.kube.meta import (
    DEPLOYMENTS,
    FLINKDEPLOYMENTS,
    FLINKSTATESNAPSHOTS,
    ObjectKey,
)
from flinkop.kube.objects import CustomObject, DeploymentView
from flinkop.runtime.informer import Informer
from flinkop.runtime.reflector import Timing
from flinkop.runtime.scope import FixedScope

SECONDS = 60.0
"""How long a test waits by default; alone on a machine all this takes a second or two."""


_TIMING = Timing(backoff_cap=0.5, missing_cap=0.2)


class Witness:
    """Follows some namespaces and survives what the tests do to the API server.

    Attributes:
        uids: uids of all Deployments ever seen, by name, in order; `<namespace>/<name>`.
    """

    def __init__(self, client: KubeClient, *namespaces: str) -> None:
        scope = FixedScope(namespaces)
        self.namespace = namespaces[0]
        self.resources = Informer(
            client, FLINKDEPLOYMENTS, CustomObject, scope=scope, timing=_TIMING
        )
        self.deployments = Informer(
            client, DEPLOYMENTS, DeploymentView, scope=scope, timing=_TIMING
        )
        self.snapshots = Informer(
            client, FLINKSTATESNAPSHOTS, CustomObject, scope=scope, timing=_TIMING
        )
        self.uids: dict[str, list[str]] = {}
        self._statuses: dict[ObjectKey, dict[str, Any]] = {}
        self._changed = asyncio.Event()
        self.resources.add_handler(self._on_resource)
        self.deployments.add_handler(self._on_deployment)
        self.snapshots.add_handler(lambda _old, _new: self._notify())

    async def run(self) -> None:
        """Follow until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.resources.run())
            group.create_task(self.deployments.run())
            group.create_task(self.snapshots.run())

    def _on_resource(self, old: CustomObject | None, new: CustomObject | None) -> None:
        for changed in (old, new):
            if changed is not None:
                self._statuses.pop(changed.metadata.key, None)
        self._notify()

    def _on_deployment(self, _old: DeploymentView | None, new: DeploymentView | None) -> None:
        if new is not None:
            uids = self.uids.setdefault(str(new.metadata.key), [])
            if new.metadata.uid not in uids:
                uids.append(new.metadata.uid)
        self._notify()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    # --- looking

    def resource(self, name: str) -> CustomObject | None:
        """Return a FlinkDeployment."""
        return self.resources.lister.get(self._key(name))

    def status(self, name: str) -> dict[str, Any]:
        """Return its status, {} without one."""
        key = self._key(name)
        if key not in self._statuses:
            found = self.resources.lister.get(key)
            raw = b"" if found is None else memoryview(found.status)
            self._statuses[key] = msgspec.json.decode(raw or b"{}", type=dict[str, Any])
        return self._statuses[key]

    def snapshot(self, name: str) -> dict[str, Any]:
        """Return the status of a FlinkStateSnapshot, {} without one."""
        found = self.snapshots.lister.get(self._key(name))
        raw = b"" if found is None else memoryview(found.status)
        return msgspec.json.decode(raw or b"{}", type=dict[str, Any])

    def deployment(self, name: str) -> DeploymentView | None:
        """Return its JobManager Deployment."""
        return self.deployments.lister.get(self._key(name))

    def generation(self, name: str) -> str | None:
        """Return the generation its JobManager Deployment was made for."""
        found = self.deployment(name)
        return None if found is None else found.metadata.annotations.get(GENERATION_ANNOTATION)

    def is_stable(self, name: str, generation: int = 1) -> bool:
        """Whether it is STABLE with `generation` observed."""
        status = self.status(name)
        return (
            status.get("lifecycleState") == "STABLE"
            and status.get("observedGeneration", 0) >= generation
        )

    def _key(self, name: str) -> ObjectKey:
        namespace, _, rest = name.rpartition("/")
        return ObjectKey(namespace or self.namespace, rest)

    # --- waiting

    async def until(
        self, reached: Callable[[], Any], seconds: float = SECONDS, what: str = "that"
    ) -> None:
        """Wait until `reached()` holds; looked at with each change.

        Raises:
            AssertionError: it did not within `seconds`; the message has what was seen last.
        """
        try:
            async with asyncio.timeout(seconds):
                while not reached():
                    await self._changed.wait()
        except TimeoutError:
            seen = {
                str(found.metadata.key): self.status(str(found.metadata.key))
                for found in self.resources.lister.list()
            }
            shown = "\n".join(f"{name}: {status}" for name, status in seen.items())[-6000:]
            raise AssertionError(f"{what} not within {seconds:g} s:\n{shown}") from None

    async def stable(self, *names: str, generation: int = 1, seconds: float = SECONDS) -> None:
        """Wait until all are STABLE with `generation` observed."""
        left = set(names)

        def reached() -> bool:
            left.difference_update({n for n in left if self.is_stable(n, generation)})
            return not left

        await self.until(reached, seconds, f"STABLE with generation {generation}")
