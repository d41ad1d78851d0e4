"""The ConfigMaps of Kubernetes HA, in each version's layout (`kubernetes-objects.md` 2.2).

A view of the maps as one JobManager sees them; every change goes out through `write`.
"""

import base64
import json
import uuid
from collections.abc import Callable, Mapping

from attrs import define, field
from flinksim.settings import Settings
from flinksim.storage import Snapshot, from_pointer, pointer

Changes = Mapping[str, str | None]
Write = Callable[[str, Changes | None], None]
"""Name of a map, and its changed keys (None removes the key), or None to delete the map."""

LEADER = "org.apache.flink.k8s.leader."
CHECKPOINT = "checkpointID-"


def labels(settings: Settings) -> dict[str, str]:
    made = {"app": settings.name, "type": "flink-native-kubernetes"}
    if settings.version < (2, 0):
        made["configmap-type"] = "high-availability"
    return made


@define
class HaMaps:
    settings: Settings
    maps: dict[str, dict[str, str]]
    write: Write
    session: str = field(factory=lambda: str(uuid.uuid4()))

    # --- what recovery reads

    def graphs(self) -> dict[str, dict[str, object]]:
        """Job id -> what was submitted."""
        data = self.maps.get(self._graph_map(), {})
        found = {}
        for key, value in data.items():
            if key.startswith(("jobGraph-", "executionPlan-")):
                found[key.partition("-")[2]] = json.loads(base64.b64decode(value))
        return found

    def newest_checkpoint(self, job_id: str) -> Snapshot | None:
        data = self.maps.get(self._job_map(job_id), {})
        keys = sorted((key for key in data if key.startswith(CHECKPOINT)), reverse=True)
        return from_pointer(data[keys[0]]) if keys else None

    def next_number(self, job_id: str) -> int:
        return int(self.maps.get(self._job_map(job_id), {}).get("counter", "1"))

    # --- what a JobManager writes

    def elect(self, address: str) -> None:
        """Become the leader of everything but jobs."""
        rpc = f"{'akka' if self.settings.version < (1, 18) else 'pekko'}.tcp://flink@{address}:6123/user/rpc"
        addresses = {
            "dispatcher": f"{rpc}/dispatcher_1",
            "resourcemanager": f"{rpc}/resourcemanager_0",
            "restserver": f"http://{address}:8081",
        }
        if self.settings.old_ha_layout:
            for component, where in addresses.items():
                self._put(
                    f"{self.settings.name}-{component}-leader",
                    {"address": where, "sessionId": self.session},
                )
        else:
            leaders = {
                f"{LEADER}{component}": f"{self.session},{where}"
                for component, where in addresses.items()
            }
            self._put(self._cluster_map(), leaders)

    def job_submitted(self, job_id: str, graph: Mapping[str, object]) -> None:
        text = base64.b64encode(json.dumps(dict(graph)).encode()).decode()
        kind = "executionPlan" if self.settings.version >= (2, 0) else "jobGraph"
        changes: dict[str, str | None] = {f"{kind}-{job_id}": text}
        if self.settings.old_ha_layout:
            changes[f"runningJobsRegistry-{job_id}"] = "RUNNING"
        self._put(self._graph_map(), changes)

    def job_led(self, job_id: str) -> None:
        where = "pekko.tcp://flink@127.0.0.1:6123/user/rpc/jobmanager_2"
        if self.settings.old_ha_layout:
            self._put(self._job_map(job_id), {"address": where, "sessionId": self.session})
        else:
            self._put(self._cluster_map(), {self._leader_key(job_id): f"{self.session},{where}"})

    def checkpointed(self, job_id: str, retained: list[Snapshot], next_number: int) -> None:
        old = self.maps.get(self._job_map(job_id), {})
        changes: dict[str, str | None] = {key: None for key in old if key.startswith(CHECKPOINT)}
        changes |= {f"{CHECKPOINT}{one.number:019d}": pointer(one) for one in retained}
        changes["counter"] = str(next_number)
        self._put(
            self._job_map(job_id), {key: new for key, new in changes.items() if old.get(key) != new}
        )

    def job_ended(self, job_id: str) -> None:
        """Remove what a globally terminated job leaves."""
        if self._job_map(job_id) in self.maps:
            del self.maps[self._job_map(job_id)]
            self.write(self._job_map(job_id), None)
        data = self.maps.get(self._graph_map(), {})
        gone = [
            key
            for key in data
            if key.endswith(job_id) and not key.startswith("runningJobsRegistry-")
        ]
        changes: dict[str, str | None] = dict.fromkeys(gone)
        if self.settings.old_ha_layout:
            changes[f"runningJobsRegistry-{job_id}"] = "DONE"
        self._put(self._graph_map(), changes)

    def _put(self, name: str, changes: Changes) -> None:
        if not changes:
            return
        data = self.maps.setdefault(name, {})
        for key, value in changes.items():
            if value is None:
                data.pop(key, None)
            else:
                data[key] = value
        self.write(name, changes)

    def _cluster_map(self) -> str:
        return f"{self.settings.name}-cluster-config-map"

    def _graph_map(self) -> str:
        return (
            f"{self.settings.name}-dispatcher-leader"
            if self.settings.old_ha_layout
            else self._cluster_map()
        )

    def _job_map(self, job_id: str) -> str:
        tail = "jobmanager-leader" if self.settings.old_ha_layout else "config-map"
        return f"{self.settings.name}-{job_id}-{tail}"

    def _leader_key(self, job_id: str) -> str:
        return f"{LEADER}{'job-' if self.settings.version >= (1, 19) else ''}{job_id}"
