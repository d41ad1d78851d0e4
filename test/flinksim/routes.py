"""Which handler answers which path, since which Flink, and which fields a request may have."""

from collections.abc import Callable
from typing import Any

from attrs import frozen
from flinksim import handlers_cluster as cluster, handlers_job as job
from flinksim.answer import Call, Refusal

Version = tuple[int, int]
Handler = Callable[[Call], Any]
_ALWAYS: Version = (0, 0)


@frozen
class Route:
    method: str
    pattern: str
    handler: Handler
    status: int = 200
    since: Version = _ALWAYS
    request: str = "EmptyRequestBody"
    fields: tuple[tuple[str, Version], ...] | None = None
    """Known fields of the request and since when; None takes any."""

    @property
    def name(self) -> str:
        return f"{self.method} {self.pattern}"


_TRIGGER = ("triggerId", (1, 15))

ROUTES = (
    Route("GET", "/overview", cluster.overview),
    Route("GET", "/config", cluster.config),
    Route("GET", "/jobmanager/config", cluster.jobmanager_config),
    Route("GET", "/jobmanager/metrics", cluster.jobmanager_metrics),
    Route("GET", "/taskmanagers", cluster.taskmanagers),
    Route("GET", "/taskmanagers/metrics", cluster.no_metrics),
    Route("GET", "/taskmanagers/:taskmanagerid/metrics", cluster.no_metrics),
    Route("GET", "/jobs", job.ids),
    Route("GET", "/jobs/overview", job.overview),
    Route("GET", "/jobs/:jobid", job.details),
    Route("PATCH", "/jobs/:jobid", job.cancel, status=202),
    Route("GET", "/jobs/:jobid/config", job.config),
    Route("GET", "/jobs/:jobid/plan", job.plan),
    Route("GET", "/jobs/:jobid/exceptions", job.exceptions),
    Route("GET", "/jobs/:jobid/execution-result", job.execution_result),
    Route("GET", "/jobs/:jobid/metrics", job.metrics),
    Route("GET", "/jobs/:jobid/vertices/:vertexid/metrics", cluster.no_metrics),
    Route("GET", "/jobs/:jobid/vertices/:vertexid/subtasks/metrics", cluster.no_metrics),
    Route(
        "POST", "/jobs/:jobid/stop", job.stop, status=202, request="StopWithSavepointRequestBody",
        fields=(("targetDirectory", _ALWAYS), ("drain", _ALWAYS), ("formatType", (1, 15)), _TRIGGER),
    ),
    Route(
        "POST", "/jobs/:jobid/savepoints", job.trigger_savepoint, status=202, request="SavepointTriggerRequestBody",
        fields=(("target-directory", _ALWAYS), ("cancel-job", _ALWAYS), ("formatType", (1, 15)), _TRIGGER),
    ),
    Route("GET", "/jobs/:jobid/savepoints/:triggerid", job.savepoint_status),
    Route("GET", "/jobs/:jobid/checkpoints", job.checkpoints),
    Route("GET", "/jobs/:jobid/checkpoints/config", job.checkpoint_config),
    Route("GET", "/jobs/:jobid/checkpoints/details/:checkpointid", job.checkpoint_details),
    Route(
        "POST", "/jobs/:jobid/checkpoints", job.trigger_checkpoint, status=202, since=(1, 17),
        request="CheckpointTriggerRequestBody", fields=(("checkpointType", _ALWAYS), _TRIGGER),
    ),
    Route("GET", "/jobs/:jobid/checkpoints/:triggerid", job.checkpoint_status, since=(1, 17)),
    Route("GET", "/jobs/:jobid/resource-requirements", job.requirements, since=(1, 18)),
    Route("PUT", "/jobs/:jobid/resource-requirements", job.put_requirements, since=(1, 18)),
    Route(
        "POST", "/savepoint-disposal", cluster.dispose, request="SavepointDisposalRequest",
        fields=(("savepoint-path", _ALWAYS), ("triggerId", (99, 0))),
    ),
    Route("GET", "/savepoint-disposal/:triggerid", cluster.disposal),
    Route("POST", "/jars/upload", cluster.upload),
    Route("GET", "/jars", cluster.jars),
    Route("DELETE", "/jars/:jarid", cluster.delete_jar),
    Route(
        "POST", "/jars/:jarid/run", cluster.run_jar, request="JarRunRequestBody",
        fields=(
            ("entryClass", _ALWAYS), ("programArgs", _ALWAYS), ("programArgsList", _ALWAYS), ("parallelism", _ALWAYS),
            ("jobId", _ALWAYS), ("allowNonRestoredState", _ALWAYS), ("savepointPath", _ALWAYS),
            ("restoreMode", (1, 15)), ("flinkConfiguration", (1, 17)), ("claimMode", (1, 20)),
        ),
    ),
)  # fmt: skip


class Router:
    """Finds a route by method and path; literal parts win over parameters."""

    def __init__(self) -> None:
        self._by_size: dict[tuple[str, int], list[tuple[list[str], Route]]] = {}
        for route in sorted(ROUTES, key=lambda one: one.pattern.count(":")):
            parts = route.pattern.strip("/").split("/")
            self._by_size.setdefault((route.method, len(parts)), []).append((parts, route))

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        asked = path.strip("/").split("/")
        for parts, route in self._by_size.get((method, len(asked)), ()):
            if all(
                part.startswith(":") or part == given
                for part, given in zip(parts, asked, strict=True)
            ):
                found = zip(parts, asked, strict=True)
                return route, {part[1:]: given for part, given in found if part.startswith(":")}
        return None


def check_fields(route: Route, body: dict[str, Any], version: Version) -> None:
    """Refuse what this Flink does not know, as its strict mapper does; 1.20 has been seen to pass over it."""
    if route.fields is None or version >= (1, 20):
        return
    known = {name for name, since in route.fields if version >= since}
    if not body.keys() <= known:
        raise Refusal(400, f"Request did not match expected format {route.request}.")
