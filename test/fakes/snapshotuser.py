"""What a user of FlinkStateSnapshots does in a test: ask for one, wait for its end, look at what Flink has."""

from collections.abc import Callable, Mapping
from typing import Any, Self

from fakes.apiuser import SECONDS, Objects
from fakes.controlplane import unique_name
from fakes.flinkuser import FlinkDeployment, Place, app, call
from fakes.leanapi import CRS

SAVEPOINTS = {"execution.checkpointing.savepoint-dir": "file:///data/savepoints"}
"""Configuration of a job whose savepoints have a place."""


def job_with_savepoints(**conf: str) -> dict[str, Any]:
    """The spec of an application that can take savepoints."""
    return app(flinkConfiguration={**SAVEPOINTS, **conf})


def snapshots_of(place: Place) -> str:
    """The path of a namespace's FlinkStateSnapshots."""
    return f"{CRS}/namespaces/{place.namespace}/flinkstatesnapshots"


class Snapshot:
    """One FlinkStateSnapshot, as a test sees it."""

    def __init__(self, place: Place, name: str | None = None) -> None:
        self.place = place
        self.api = place.api
        self.name = name or unique_name("s")
        self.collection = snapshots_of(place)
        self.path = f"{self.collection}/{self.name}"

    # --- changing

    def create(self, job: FlinkDeployment | None = None, **spec: Any) -> Self:
        """Create it, of a FlinkDeployment's job, by default as a plain savepoint."""
        body: dict[str, Any] = {
            "apiVersion": "flink.apache.org/v1beta1",
            "kind": "FlinkStateSnapshot",
            "metadata": {"name": self.name},
            "spec": spec or {"savepoint": {}},
        }
        if job is not None:
            reference = {"kind": "FlinkDeployment", "name": job.name}
            body["spec"].setdefault("jobReference", reference)
        self.api.request("POST", self.collection, body)
        return self

    def change(self, **spec: Any) -> None:
        """Merge-patch the spec."""
        self.api.patch(self.path, {"spec": spec})

    def delete(self) -> None:
        """Ask for the deletion."""
        self.api.delete(self.path)

    # --- looking

    def get(self) -> Any:
        """The resource as stored."""
        found = self.api.get(self.path)
        assert found is not None, f"{self.name} is gone"
        return found

    @property
    def status(self) -> Any:
        """Its status, {} when there is none."""
        return self.get().get("status", {})

    @property
    def labels(self) -> Mapping[str, str]:
        """Its labels."""
        found: Mapping[str, str] = self.get()["metadata"].get("labels", {})
        return found

    # --- waiting

    def until(
        self, reached: Callable[[Any], Any], seconds: float = SECONDS, *, what: str = ""
    ) -> Any:
        """Wait until `reached(resource)` is true; returns the resource."""

        def look(objects: Objects) -> Any:
            return self.name in objects and reached(objects[self.name]) and objects[self.name]

        selector = f"metadata.name={self.name}"
        try:
            return self.api.until(self.collection, look, seconds=seconds, field_selector=selector)
        except AssertionError as error:
            raise AssertionError(f"{self.name} did not become {what or 'so'}: {error}") from None

    def wait(self, state: str, seconds: float = SECONDS) -> Any:
        """Wait for a state and for the label that follows it; returns the status."""

        def reached(obj: Any) -> bool:
            label = obj["metadata"].get("labels", {}).get("snapshot.state")
            return {obj.get("status", {}).get("state"), label} == {state}

        return self.until(reached, seconds, what=state)["status"]

    def wait_failures(self, count: int) -> Any:
        """Wait until so many attempts failed; returns the status."""

        def reached(obj: Any) -> bool:
            failures: int = obj.get("status", {}).get("failures", 0)
            return failures >= count

        return self.until(reached, what=f"failed {count} times")["status"]

    def wait_event(self, reason: str, *, words: str = "") -> Any:
        """Wait for an Event with this reason whose message has `words`; returns it."""

        def look(objects: Objects) -> Any:
            return next(
                (
                    event
                    for event in objects.values()
                    if event["involvedObject"]["name"] == self.name
                    and event["involvedObject"]["kind"] == "FlinkStateSnapshot"
                    and event["reason"] == reason
                    and words in event["message"]
                ),
                None,
            )

        return self.api.until(self.place.core("events"), look)

    def wait_gone(self) -> None:
        """Wait until the resource is gone."""
        selector = f"metadata.name={self.name}"
        self.api.until(self.collection, lambda objects: not objects, field_selector=selector)


def storage(place: Place) -> Any:
    """What flinksim's file system has, for all clusters: paths, and those that were disposed of."""
    return call("GET", f"{place.sim}/_control/state")
