"""What a user of FlinkSessionJobs does in a test: submit one, wait for a state, look at what Flink has."""

from collections.abc import Mapping
from typing import Any

from fakes.controlplane import unique_name
from fakes.flinkuser import (
    CHECKPOINTS,
    HA,
    FlinkDeployment,
    Place,
    condition,
    merged,
    session,
)

JOB: Mapping[str, Any] = {"parallelism": 1, "upgradeMode": "stateless"}
"""A job whose classes its cluster has, so that no jar is fetched."""


def session_cluster(*, ha: bool = False, **change: Any) -> dict[str, Any]:
    """The spec of a session cluster whose jobs can have state."""
    configuration = {**CHECKPOINTS, **(HA if ha else {})}
    return merged(session(flinkConfiguration=configuration), change)


class SessionJob(FlinkDeployment):
    """One FlinkSessionJob, as a test sees it; what concerns Flink is that of its cluster."""

    KIND = "FlinkSessionJob"
    PLURAL = "flinksessionjobs"

    def __init__(self, cluster: FlinkDeployment, name: str | None = None) -> None:
        super().__init__(cluster.place, name or unique_name("j"))
        self.cluster = cluster

    def submit(self, **change: Any) -> "SessionJob":
        """Create it; `change` is merged into its spec."""
        spec = merged({"deploymentName": self.cluster.name, "job": JOB}, change)
        return self.create(spec)

    def wait_stable(self, generation: int | None = None) -> "SessionJob":
        """Wait until it is STABLE and its job is RUNNING or FINISHED, with `generation` observed."""

        def reached(obj: Any) -> bool:
            status = obj.get("status", {})
            observed = status.get("observedGeneration") or 0
            ready = condition(obj, "Ready").get("status") == "True"
            stable = status.get("lifecycleState") == "STABLE"
            return stable and ready and observed >= (generation or 0)

        self.until(reached, what=f"STABLE with generation {generation}")
        return self

    @property
    def job_id(self) -> str | None:
        """The id in its status."""
        found: str | None = self.status.get("jobStatus", {}).get("jobId")
        return found

    @property
    def rest(self) -> str:
        """The address of its cluster's Flink REST API."""
        return self.cluster.rest

    def runs(self) -> list[Any]:
        """Flinksim's record of the runs of this job alone: those that bear its name."""
        found: list[Any] = self.sim()["runs"].get(self.name, [])
        return sorted(found, key=lambda run: run["started"])

    def _sim(self, method: str, body: Any = None) -> Any:
        return self.cluster._sim(method, body)


def stable_cluster(place: Place, **change: Any) -> FlinkDeployment:
    """A session cluster that is ready."""
    return place.stable(session_cluster(**change))
