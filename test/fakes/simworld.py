"""A simulated Flink world without Kubernetes: time is moved by hand, HA ConfigMaps are a dict."""

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define, field
from flinksim.cluster import Cluster, NoEffects
from flinksim.ha import Changes
from flinksim.job import Job
from flinksim.jobmanager import JobManager
from flinksim.scheduler import ManualScheduler
from flinksim.settings import Settings
from flinksim.world import World

T = TypeVar("T")

NS = "ns"


class MapEffects(NoEffects):
    """Keeps HA ConfigMaps, and notes the rest."""

    def __init__(self) -> None:
        self.maps: dict[str, dict[str, str]] = {}
        self.created: list[str] = []
        self.noted: list[str] = []

    def patch_config_map(self, settings: Settings, name: str, changes: Changes | None) -> None:
        if changes is None:
            self.maps.pop(name, None)
            return
        data = self.maps.setdefault(name, {})
        for key, value in changes.items():
            if value is None:
                data.pop(key, None)
            else:
                data[key] = value

    def create_taskmanagers(self, settings: Settings, attempt: int, indexes: range) -> None:
        self.created += [f"{settings.name}-taskmanager-{attempt}-{index}" for index in indexes]

    def delete_taskmanagers(self, settings: Settings) -> None:
        self.noted.append(f"delete task managers of {settings.name}")

    def delete_deployment(self, settings: Settings) -> None:
        self.noted.append(f"delete deployment {settings.name}")

    def restart_pod(self, settings: Settings, uid: str) -> None:
        self.noted.append(f"restart pod {uid}")


@define
class SimWorld:
    """One or more clusters in namespace `ns`."""

    taskmanagers: str = "none"
    time: ManualScheduler = field(factory=ManualScheduler)
    effects: MapEffects = field(factory=MapEffects)
    world: World = field(init=False)
    _pods: int = 0

    def __attrs_post_init__(self) -> None:
        self.world = World(self.time, self.effects, taskmanagers=self.taskmanagers)

    def up(
        self,
        name: str,
        conf: Mapping[str, str],
        *,
        seconds: float = 1.0,
        application: bool | None = None,
    ) -> JobManager:
        """Start a JobManager pod with this configuration, and let `seconds` pass.

        `application` is for a standalone one: whether it is made for one job.
        """
        self._pods += 1
        standalone = application is not None
        settings = Settings(NS, name, dict(conf), standalone, application)
        maps = {key: dict(data) for key, data in self.effects.maps.items()} if settings.ha else None
        manager = self.cluster(name).jobmanager_up(f"pod{self._pods}", settings, ha=maps)
        self.time.advance(seconds)
        return manager

    def down(self, manager: JobManager) -> None:
        """The pod is gone."""
        self.cluster(manager.settings.name).jobmanager_down(manager.uid)

    def cluster(self, name: str) -> Cluster:
        return self.world.cluster(NS, name)

    def order(self, name: str, **orders: Any) -> None:
        self.world.order(NS, name, orders)


def only_job(manager: JobManager) -> Job:
    """The JobManager's one job."""
    (job,) = manager.jobs.values()
    return job


def some(value: T | None) -> T:
    """The value, which must be there."""
    assert value is not None
    return value
