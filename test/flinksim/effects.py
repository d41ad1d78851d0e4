"""What clusters do to Kubernetes: HA ConfigMaps, task manager pods, their own Deployment."""

import json
import uuid
from collections.abc import Callable
from typing import Any

from flinksim import ha, pods
from flinksim.ha import Changes
from flinksim.lanes import Lanes
from flinksim.pods import SimPod
from flinksim.settings import Settings

from flinkop.clock import Clock, rfc3339, rfc3339_micro
from flinkop.kube import errors
from flinkop.kube.client import KubeClient
from flinkop.kube.meta import CONFIGMAPS, DEPLOYMENTS, PODS, ObjectKey

MANAGER = "flinksim"
LOCK = "control-plane.alpha.kubernetes.io/leader"
_DELETE = object()

FindPod = Callable[[str, str], SimPod | None]
"""Namespace and uid to the pod."""


class KubeEffects:
    """Changes of one ConfigMap that wait for their turn are sent as one patch."""

    def __init__(self, client: KubeClient, lanes: Lanes, clock: Clock) -> None:
        self._client = client
        self._lanes = lanes
        self._clock = clock
        self.find_pod: FindPod = lambda *_: None
        self._waiting: dict[ObjectKey, Any] = {}
        self._holder = str(uuid.uuid4())
        self.is_alive: Callable[[tuple[str, str]], bool] = lambda _: True

    # --- HA

    def patch_config_map(self, settings: Settings, name: str, changes: Changes | None) -> None:
        key = ObjectKey(settings.namespace, name)
        fresh = key not in self._waiting
        known = self._waiting.get(key)
        if changes is None:
            self._waiting[key] = _DELETE
        elif isinstance(known, dict):
            known.update(changes)
        else:
            self._waiting[key] = dict(changes)
        if fresh:
            self._lanes.put((settings.namespace, settings.name), lambda: self._write(settings, key))

    async def _write(self, settings: Settings, key: ObjectKey) -> None:
        changes = self._waiting.pop(key)
        if changes is _DELETE:
            await self._gone_is_fine(self._client.delete(CONFIGMAPS, key))
            return
        annotations = self._lock() if key.name.endswith(("-cluster-config-map", "-leader")) else {}
        patch = {"data": changes, "metadata": {"annotations": annotations}}
        try:
            await self._client.merge_patch(CONFIGMAPS, key, patch, field_manager=MANAGER)
        except errors.NotFound:
            if self.is_alive((settings.namespace, settings.name)):
                await self._create(settings, key, changes, annotations)

    async def _create(
        self, settings: Settings, key: ObjectKey, changes: Changes, annotations: dict[str, str]
    ) -> None:
        body = {
            "metadata": {
                "name": key.name,
                "labels": ha.labels(settings),
                "annotations": annotations,
            },
            "data": {name: value for name, value in changes.items() if value is not None},
        }
        await self._client.create(CONFIGMAPS, key.namespace, body, field_manager=MANAGER)

    def _lock(self) -> dict[str, str]:
        now = rfc3339_micro(self._clock.now())
        record = {
            "holderIdentity": self._holder, "leaseDuration": 15.0, "acquireTime": now, "renewTime": now, "leaderTransitions": 0,
        }  # fmt: skip
        return {LOCK: json.dumps(record)}

    # --- pods

    def create_taskmanagers(self, settings: Settings, attempt: int, indexes: range) -> None:
        self._lanes.put(
            (settings.namespace, settings.name),
            lambda: self._create_taskmanagers(settings, attempt, indexes),
        )

    async def _create_taskmanagers(self, settings: Settings, attempt: int, indexes: range) -> None:
        key = ObjectKey(settings.namespace, settings.name)
        owner = (await self._client.get(DEPLOYMENTS, key))["metadata"]["uid"]
        for index in indexes:
            body = pods.taskmanager(
                f"{settings.name}-taskmanager-{attempt}-{index}", settings, owner
            )
            try:
                await self._client.create(PODS, settings.namespace, body, field_manager=MANAGER)
            except errors.AlreadyExists:
                continue

    def delete_taskmanagers(self, settings: Settings) -> None:
        self._lanes.put(
            (settings.namespace, settings.name), lambda: self._delete_taskmanagers(settings)
        )

    async def _delete_taskmanagers(self, settings: Settings) -> None:
        selector = f"app={settings.name},component=taskmanager,type=flink-native-kubernetes"
        page = await self._client.list_all(
            PODS, settings.namespace, label_selector=selector, into=SimPod
        )
        for pod in page.items:
            await self._gone_is_fine(self._client.delete(PODS, pod.metadata.key))

    def restart_pod(self, settings: Settings, uid: str) -> None:
        pod = self.find_pod(settings.namespace, uid)
        if pod is not None:
            status = pods.restarted(pod, rfc3339(self._clock.now()))
            self.patch_pod_status(pod, status)

    def patch_pod_status(self, pod: SimPod, status: dict[str, Any]) -> None:
        patch = {"metadata": {"uid": pod.metadata.uid}, "status": status}

        async def write() -> None:
            call = self._client.merge_patch(
                PODS, pod.metadata.key, patch, "status", field_manager=MANAGER
            )
            await self._gone_is_fine(call)

        self._lanes.put(pod.cluster, write)

    # --- the cluster itself

    def delete_deployment(self, settings: Settings) -> None:
        key = ObjectKey(settings.namespace, settings.name)

        async def delete() -> None:
            await self._gone_is_fine(
                self._client.delete(DEPLOYMENTS, key, propagation="Background")
            )

        self._lanes.put((settings.namespace, settings.name), delete)

    @staticmethod
    async def _gone_is_fine(call: Any) -> None:
        try:
            await call
        except errors.NotFound:
            return
