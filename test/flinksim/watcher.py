"""Turns what happens to pods into the life of clusters."""

import json
from typing import Any

import msgspec
import structlog
from flinksim import knobs, pods, settings as settings_module
from flinksim.cluster import Cluster, Key
from flinksim.effects import MANAGER, KubeEffects
from flinksim.entrypoint import WrongCommandError
from flinksim.lanes import Lanes
from flinksim.pods import SELECTOR, SimPod
from flinksim.world import World

from flinkop.clock import Clock, rfc3339
from flinkop.kube import errors
from flinkop.kube.client import KubeClient
from flinkop.kube.meta import CONFIGMAPS, EVENTS, PODS, Meta, ObjectKey
from flinkop.runtime.informer import Informer
from flinkop.runtime.scope import ALL, Scope

log = structlog.stdlib.get_logger(__name__)

_CONFIG_RETRY = 0.2
_NOT_HA = ("flink-config-", "pod-template-", "hadoop-config-", "autoscaler-")


class ConfigMap(msgspec.Struct, frozen=True):
    metadata: Meta
    data: dict[str, str] = {}


def _cluster_index(pod: SimPod) -> list[str]:
    return ["/".join(pod.cluster)]


class Watcher:
    def __init__(
        self,
        client: KubeClient,
        world: World,
        effects: KubeEffects,
        lanes: Lanes,
        clock: Clock,
        *,
        scope: Scope = ALL,
    ) -> None:
        self._client = client
        self._world = world
        self._effects = effects
        self._lanes = lanes
        self._clock = clock
        self._up: set[str] = set()
        self.informer: Informer[SimPod] = Informer(
            client,
            PODS,
            SimPod,
            scope=scope,
            label_selector=SELECTOR,
            indexers={"cluster": _cluster_index},
        )
        self.informer.add_handler(self._on_pod)
        world.on_order = self._ordered

    def find_pod(self, namespace: str, uid: str) -> SimPod | None:
        return next(
            (pod for pod in self.informer.lister.list(namespace) if pod.metadata.uid == uid), None
        )

    async def run(self) -> None:
        await self.informer.run()

    # --- pods

    def _on_pod(self, old: SimPod | None, new: SimPod | None) -> None:
        pod = new or old
        if pod is None or not pod.cluster[1]:
            return
        if pod.is_jobmanager:
            self._on_jobmanager(pod, gone=new is None)
        elif old is None or new is None or old.runs != new.runs:
            self._on_taskmanager(pod.cluster)

    def _on_jobmanager(self, pod: SimPod, *, gone: bool) -> None:
        uid = pod.metadata.uid
        cluster = self._world.cluster(*pod.cluster)
        if gone or not pod.runs:
            if not gone:
                self._hold(pod, cluster)
            if uid in self._up:
                self._up.discard(uid)
                cluster.jobmanager_down(uid)
            return
        if self._hold(pod, cluster) or uid in self._up:
            return
        self._up.add(uid)
        self._lanes.put(pod.cluster, lambda: self._start(pod, cluster))

    def _on_taskmanager(self, key: Key) -> None:
        self._world.cluster(*key).taskmanagers_seen(*self._taskmanagers(key)[:2])

    def _taskmanagers(self, key: Key) -> tuple[int, int, int]:
        """How many run, how many there are, and the highest attempt in a name."""
        there = [
            pod
            for pod in self.informer.lister.by_index("cluster", "/".join(key))
            if not pod.is_jobmanager and pod.metadata.deletion_timestamp is None
        ]
        return (
            sum(pod.runs for pod in there),
            len(there),
            max((pod.attempt for pod in there), default=0),
        )

    # --- a JobManager starts

    async def _start(self, pod: SimPod, cluster: Cluster) -> None:
        namespace, name = pod.cluster
        uid = pod.metadata.uid
        if uid not in self._up:
            return
        try:
            found = await self._client.get(
                CONFIGMAPS, ObjectKey(namespace, f"flink-config-{name}"), ConfigMap
            )
            args = await self._args(pod) if pod.is_standalone else None
        except errors.ApiError as error:
            # a kubelet cannot mount it either, and tries again
            await log.ainfo("no configuration yet", cluster=f"{namespace}/{name}", error=str(error))
            self._world.scheduler.later(
                _CONFIG_RETRY,
                lambda: self._lanes.put(pod.cluster, lambda: self._start(pod, cluster)),
            )
            return
        try:
            settings = settings_module.read(namespace, name, found.data, args=args)
        except WrongCommandError as error:
            await log.awarning("ends at once", cluster=f"{namespace}/{name}", error=str(error))
            return
        maps = await self._ha_maps(namespace, name) if settings.ha else None
        if uid not in self._up:
            return
        try:
            cluster.configured = _annotated(pod)
            knobs.layered(cluster.configured)
        except ValueError as error:
            await log.awarning(
                "orders in annotations are ignored", cluster=f"{namespace}/{name}", error=str(error)
            )
            cluster.configured = {}
        ready, existing, attempt = self._taskmanagers(pod.cluster)
        cluster.ready_taskmanagers = ready
        address = pod.status.pod_ip or "127.0.0.1"
        cluster.jobmanager_up(
            uid, settings, ha=maps, address=address, attempt=attempt, existing=existing
        )

    async def _args(self, pod: SimPod) -> tuple[str, ...]:
        return (await self._client.get(PODS, pod.metadata.key, pods.CommandedPod)).args

    async def _ha_maps(self, namespace: str, name: str) -> dict[str, dict[str, str]]:
        selector = f"app={name},type=flink-native-kubernetes"
        page = await self._client.list_all(
            CONFIGMAPS, namespace, label_selector=selector, into=ConfigMap
        )
        return {
            one.metadata.name: dict(one.data)
            for one in page.items
            if not one.metadata.name.startswith(_NOT_HA) and one.metadata.deletion_timestamp is None
        }

    # --- pods that must not run

    def _hold(self, pod: SimPod, cluster: Cluster) -> bool:
        """Keep the pod from running, or let it go again, as ordered; True when it is held."""
        order = cluster.knobs().pod
        if pod.metadata.deletion_timestamp is not None:
            return False
        if order is None:
            if pod.is_held:
                self._effects.patch_pod_status(pod, pods.released())
            return False
        message = cluster.knobs().pod_message
        wanted = pods.held(pod, order, message)
        reasons = [
            one.state.waiting.reason for one in pod.status.container_statuses if one.state.waiting
        ]
        if not pod.is_held or reasons != [
            wanted["containerStatuses"][0]["state"]["waiting"]["reason"]
        ]:
            self._effects.patch_pod_status(pod, wanted)
            if order == "FailedMount":
                event = pods.mount_event(pod, message, rfc3339(self._clock.now()))
                self._lanes.put(
                    pod.cluster,
                    lambda: self._client.create(
                        EVENTS, pod.metadata.namespace, event, field_manager=MANAGER
                    ),
                )
        return True

    def _ordered(self, cluster: Cluster) -> None:
        for pod in self.informer.lister.by_index("cluster", "/".join(cluster.key)):
            if pod.is_jobmanager:
                self._on_jobmanager(pod, gone=False)
                if cluster.knobs().pod is not None and pod.metadata.uid in self._up:
                    self._up.discard(pod.metadata.uid)
                    cluster.jobmanager_down(pod.metadata.uid)


def _annotated(pod: SimPod) -> dict[str, Any]:
    text = pod.metadata.annotations.get(knobs.ANNOTATION)
    if not text:
        return {}
    try:
        orders = json.loads(text)
    except ValueError as error:
        raise ValueError(f"annotation {knobs.ANNOTATION} is not JSON: {error}") from error
    if not isinstance(orders, dict):
        raise ValueError(f"annotation {knobs.ANNOTATION} is not a JSON object")  # noqa: TRY004 - one error for all
    return orders
