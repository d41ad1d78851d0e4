"""What a Flink cluster reads from its configuration, as one frozen value."""

import math
from collections.abc import Mapping, Sequence

from attrs import evolve, frozen
from flinksim import conf, entrypoint

RETAIN = "RETAIN_ON_CANCELLATION"

# Which Flink a `$internal.flink.version` stands for; others get a `.0`.
_PATCHES = {
    (1, 13): "1.13.6", (1, 14): "1.14.6", (1, 15): "1.15.4", (1, 16): "1.16.3", (1, 17): "1.17.2", (1, 18): "1.18.1",
    (1, 19): "1.19.3", (1, 20): "1.20.5", (2, 0): "2.0.2", (2, 1): "2.1.2", (2, 2): "2.2.1",
}  # fmt: skip
NEWEST = (2, 2)


@frozen
class Settings:
    namespace: str
    name: str
    conf: dict[str, str]
    standalone: bool = False
    application: bool | None = None
    """As the command line of a standalone JobManager says."""

    @property
    def version(self) -> tuple[int, int]:
        text = self.conf.get("$internal.flink.version", "")
        major, _, minor = text.removeprefix("v").partition("_")
        return (int(major), int(minor)) if major.isdigit() and minor.isdigit() else NEWEST

    @property
    def full_version(self) -> str:
        return _PATCHES.get(self.version, f"{self.version[0]}.{self.version[1]}.0")

    @property
    def is_application(self) -> bool:
        if self.application is not None:
            return self.application
        mode = self.conf.get("kubernetes.internal.cluster-mode")
        if mode is not None:
            return mode == "APPLICATION"
        entry = self.conf.get("kubernetes.internal.jobmanager.entrypoint.class", "")
        target = self.conf.get("execution.target", "")
        return (
            "Application" in entry
            or "application" in target
            or "$internal.pipeline.job-id" in self.conf
        )

    @property
    def job_id(self) -> str | None:
        return self.conf.get("$internal.pipeline.job-id")

    @property
    def job_name(self) -> str:
        return self.conf.get("pipeline.name", self.name)

    def with_conf(self, over: Mapping[str, str]) -> "Settings":
        """These with a job's own configuration over it."""
        return evolve(self, conf={**self.conf, **over}) if over else self

    @property
    def parallelism(self) -> int:
        return int(self.conf.get("parallelism.default", "1"))

    @property
    def slots(self) -> int:
        return max(1, int(self.conf.get("taskmanager.numberOfTaskSlots", "1")))

    @property
    def overrides(self) -> dict[str, int]:
        return conf.overrides(self.conf.get("pipeline.jobvertex-parallelism-overrides", ""))

    @property
    def savepoint_path(self) -> str | None:
        return self._first("execution.savepoint.path", "execution.state-recovery.path")

    @property
    def savepoint_dir(self) -> str | None:
        return self._first("execution.checkpointing.savepoint-dir", "state.savepoints.dir")

    @property
    def checkpoint_dir(self) -> str | None:
        return self._first("execution.checkpointing.dir", "state.checkpoints.dir")

    @property
    def checkpoint_interval(self) -> float | None:
        text = self.conf.get("execution.checkpointing.interval")
        return conf.seconds(text) if text else None

    @property
    def checkpoint_timeout(self) -> float:
        return conf.seconds(self.conf.get("execution.checkpointing.timeout", "10 min"))

    @property
    def retention(self) -> str | None:
        return self._first(
            "execution.checkpointing.externalized-checkpoint-retention",
            "execution.checkpointing.externalized-checkpoint-retention".replace(
                "externalized-", ""
            ),
        )

    @property
    def retained(self) -> int:
        return int(
            self._first("execution.checkpointing.num-retained", "state.checkpoints.num-retained")
            or 1
        )

    @property
    def history(self) -> int:
        return int(self.conf.get("web.checkpoints.history", "10"))

    @property
    def adaptive(self) -> bool:
        scheduler = self.conf.get("jobmanager.scheduler", "").lower()
        return scheduler == "adaptive" or self.conf.get("scheduler-mode", "").lower() == "reactive"

    @property
    def reactive(self) -> bool:
        """The job takes all slots there are; only a standalone application can."""
        mode = self.conf.get("scheduler-mode", "").lower()
        return self.standalone and self.is_application and mode == "reactive"

    @property
    def ha(self) -> bool:
        kind = (self._first("high-availability.type", "high-availability") or "NONE").lower()
        return kind == "kubernetes" or kind.endswith("kuberneteshaservicesfactory")

    @property
    def old_ha_layout(self) -> bool:
        forced = self.conf.get("high-availability.use-old-ha-services", "false") == "true"
        return self.version < (1, 15) or (self.version == (1, 15) and forced)

    @property
    def result_store(self) -> str | None:
        return self.conf.get("job-result-store.storage-path") if self.ha else None

    @property
    def stays_after_end(self) -> bool:
        return self.conf.get("execution.shutdown-on-application-finish", "true") == "false"

    @property
    def taskmanager_timeout(self) -> float:
        return conf.seconds(self.conf.get("resourcemanager.taskmanager-timeout", "30 s"))

    def taskmanagers_for(self, parallelism: int) -> int:
        return math.ceil(parallelism / self.slots)

    def _first(self, *keys: str) -> str | None:
        return next((self.conf[key] for key in keys if self.conf.get(key)), None)


def read(
    namespace: str, name: str, data: Mapping[str, str], *, args: Sequence[str] | None = None
) -> Settings:
    """Read a ConfigMap, and over it the arguments of a standalone JobManager.

    Raises:
        WrongCommandError: no JobManager would come of these arguments.
    """
    found = Settings(namespace, name, conf.parse(data))
    if args is None:
        return found
    command = entrypoint.read(args, found.version)
    return evolve(
        found,
        conf={**found.conf, **command.conf},
        standalone=True,
        application=command.is_application,
    )
