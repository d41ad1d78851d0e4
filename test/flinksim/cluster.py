"""One Flink cluster: its JobManager processes (normally one), its task managers, its orders.

Kubernetes tells it what pods there are; what it wants of Kubernetes goes out through `Effects`.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from attrs import define, field
from flinksim import knobs as knobs_module
from flinksim.ha import Changes, HaMaps
from flinksim.jobmanager import JobManager
from flinksim.knobs import Knobs
from flinksim.ledger import Ledger
from flinksim.recorder import Recorder
from flinksim.scheduler import Scheduler, Timer
from flinksim.settings import Settings
from flinksim.storage import Storage

Key = tuple[str, str]


class Effects(Protocol):
    """What clusters do to Kubernetes; calls return at once and are carried out in order."""

    def patch_config_map(self, settings: Settings, name: str, changes: Changes | None) -> None: ...
    def create_taskmanagers(self, settings: Settings, attempt: int, indexes: range) -> None: ...
    def delete_taskmanagers(self, settings: Settings) -> None: ...
    def delete_deployment(self, settings: Settings) -> None: ...
    def restart_pod(self, settings: Settings, uid: str) -> None: ...


class NoEffects:
    """For tests of the core and for runs that need nothing but REST."""

    def patch_config_map(self, settings: Settings, name: str, changes: Changes | None) -> None: ...
    def create_taskmanagers(self, settings: Settings, attempt: int, indexes: range) -> None: ...
    def delete_taskmanagers(self, settings: Settings) -> None: ...
    def delete_deployment(self, settings: Settings) -> None: ...
    def restart_pod(self, settings: Settings, uid: str) -> None: ...


@define(eq=False)
class Cluster:
    key: Key
    scheduler: Scheduler
    storage: Storage
    effects: Effects
    ledger: Ledger
    default_taskmanagers: str = "none"
    recorder: Recorder = field(factory=Recorder)
    jobmanagers: dict[str, JobManager] = field(factory=dict)
    orders: list[Mapping[str, Any]] = field(factory=list)
    """Standing orders in layers: from all clusters, from the namespace, from the cluster's own."""
    configured: dict[str, Any] = field(factory=dict)
    """Orders from configuration and annotations: the lowest layer."""
    ready_taskmanagers: int = 0
    attempt: int = 0
    created: int = 0
    last_index: int = 0
    _knobs: Knobs | None = None
    _taken: set[str] = field(factory=set)
    _virtual_ready: bool = False
    _release: Timer | None = None
    _existing: int = 0

    # --- orders

    def knobs(self) -> Knobs:
        if self._knobs is None:
            self._knobs = knobs_module.layered(self.configured, *self.orders)
            for name in self._taken:
                setattr(self._knobs, name, None)
        return self._knobs

    def take(self, order: str) -> str | None:
        found: str | None = getattr(self.knobs(), order)
        if found is not None:
            self._taken.add(order)
            setattr(self.knobs(), order, None)
        return found

    def ordered(self, layers: list[Mapping[str, Any]], fresh: Mapping[str, Any]) -> None:
        """Take over new layers of orders; one-shot ones in `fresh` count again."""
        self.orders = layers
        self._taken -= fresh.keys()
        self._knobs = None
        self._obey()

    def _obey(self) -> None:
        leader = self.leader
        if leader is None:
            return
        for job in list(leader.jobs.values()):
            job.take_order()
        how = self.take("jobmanager")
        if how == "kill":
            self.kill()

    # --- JobManagers

    @property
    def leader(self) -> JobManager | None:
        """The process that answers: with HA the oldest, else the newest, as the Service would find them."""
        alive = [one for one in self.jobmanagers.values() if one.alive]
        if not alive:
            return None
        return alive[0] if alive[0].ha is not None else alive[-1]

    def jobmanager_up(
        self,
        uid: str,
        settings: Settings,
        *,
        ha: dict[str, dict[str, str]] | None = None,
        address: str = "127.0.0.1",
        attempt: int = 0,
        existing: int = 0,
    ) -> JobManager:
        """A JobManager's container runs; with HA it stands by while another leads.

        `attempt` and `existing`: the highest in the names, and the number, of task manager pods there are.
        """
        self.configured = knobs_module.from_configuration(settings.conf) | self.configured
        self._knobs = None
        maps = None
        if settings.ha:
            maps = HaMaps(
                settings,
                ha or {},
                lambda name, changes: self.effects.patch_config_map(settings, name, changes),
            )
        manager = JobManager(self, settings, uid, maps, address)
        stands_by = maps is not None and self.leader is not None
        self.jobmanagers[uid] = manager
        self.attempt = max(self.attempt, attempt) + 1
        self.last_index = 0
        self.created = self._existing = existing
        if not stands_by:
            manager.start()
        return manager

    def jobmanager_down(self, uid: str) -> None:
        manager = self.jobmanagers.pop(uid, None)
        if manager is None:
            return
        led = manager is self.leader or self.leader is None or manager.rest_ready
        manager.stop()
        if not self.jobmanagers:
            self._virtual_ready = False
            self.ready_taskmanagers = (
                0 if self._mode(manager) == "none" else self.ready_taskmanagers
            )
        elif led and (heir := self.leader) is not None and not heir.rest_ready:
            if heir.ha is not None and manager.ha is not None:
                heir.ha.maps = manager.ha.maps
            heir.start()

    def kill(self) -> None:
        """Restart the leading process inside its pod."""
        leader = self.leader
        if leader is None:
            return
        self.jobmanager_down(leader.uid)
        self.effects.restart_pod(leader.settings, leader.uid)
        maps = leader.ha.maps if leader.ha is not None else None
        self.jobmanager_up(leader.uid, leader.settings, ha=maps, address=leader.address)

    # --- task managers

    def _mode(self, manager: JobManager) -> str:
        if manager.settings.standalone:
            return "pods"  # of a Deployment of their own
        return self.knobs().taskmanagers or self.default_taskmanagers

    def free_slots(self) -> int | None:
        leader = self.leader
        if leader is None:
            return 0
        if self._mode(leader) == "none":
            return None if self._virtual_ready else 0
        return self.ready_taskmanagers * leader.settings.slots

    def demand_changed(self) -> None:
        """Start what jobs need; release it some time after the last job ended."""
        leader = self.leader
        if leader is None:
            return
        wanted = leader.slots_wanted
        if wanted == 0:
            self._release_later(leader)
            return
        if self._release is not None:
            self._release.cancel()
            self._release = None
        if self._mode(leader) == "none":
            if not self._virtual_ready:
                self.scheduler.later(
                    self.knobs().delays.taskmanagers, lambda: self._virtually_ready(leader)
                )
        elif not leader.settings.standalone:
            needed = leader.settings.taskmanagers_for(wanted)
            if needed > self.created:
                indexes = range(self.last_index + 1, self.last_index + 1 + needed - self.created)
                self.last_index, self.created = indexes[-1], needed
                self.effects.create_taskmanagers(leader.settings, self.attempt, indexes)

    def _virtually_ready(self, manager: JobManager) -> None:
        if manager.alive and not self._virtual_ready:
            self._virtual_ready = True
            manager.slots_changed()

    def _release_later(self, leader: JobManager) -> None:
        if self.created and self._release is None and not leader.settings.standalone:
            self._release = self.scheduler.later(
                leader.settings.taskmanager_timeout, self._released
            )

    def _released(self) -> None:
        self._release = None
        leader = self.leader
        if leader is not None and leader.slots_wanted == 0:
            self.created = 0
            self.effects.delete_taskmanagers(leader.settings)

    def taskmanagers_seen(self, ready: int, existing: int) -> None:
        """Pods of task managers came or went."""
        changed = (ready, existing) != (self.ready_taskmanagers, self._existing)
        self.ready_taskmanagers = ready
        leader = self.leader
        if leader is None or not changed or self._mode(leader) == "none":
            return
        gone = self._existing - existing
        self.created -= max(0, min(gone, self.created))
        self._existing = existing
        leader.slots_changed()
        self.demand_changed()

    def taskmanager_count(self, manager: JobManager) -> int:
        if self._mode(manager) == "none":
            return (
                manager.settings.taskmanagers_for(manager.slots_wanted)
                if self._virtual_ready
                else 0
            )
        return self.ready_taskmanagers

    def application_ended(self) -> None:
        leader = self.leader
        if leader is not None and not leader.settings.standalone:
            self.effects.delete_deployment(leader.settings)

    def dump(self) -> dict[str, Any]:
        leader = self.leader
        return {
            "namespace": self.key[0],
            "name": self.key[1],
            "jobmanagers": [
                {
                    "uid": one.uid,
                    "rest": one.rest_ready,
                    "leads": one is leader,
                    "jobs": [job.dump() for job in one.jobs.values()],
                }
                for one in self.jobmanagers.values()
            ],
            "taskmanagers": self.taskmanager_count(leader) if leader else 0,
            "orders": self.knobs().as_dict(),
            "runs": self.ledger.of(*self.key),
            "calls": self.recorder.counts(),
        }
