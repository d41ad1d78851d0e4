"""FlinkClient: Flink's REST API, one method for each call (`behaviour.md` 4.2).

Every method raises `FlinkError` (see `errors` for the tree) and ends within the client's `timeout`
unless it is given another. Connection failures and 503 are retried within that time; `once()` gives a
client that makes a single attempt, for observation, which is repeated by the controller anyway.
Judging answers is left to `interpret`; calls that belong together are in `jobs`.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import quote, urlencode

from attrs import evolve, frozen

from flinkop.flink import call, checkpoints, errors, features, models
from flinkop.flink.call import Call
from flinkop.flink.states import CheckpointType, SavepointFormat
from flinkop.flink.transport import Transport
from flinkop.flink.upload import jar_body

T = TypeVar("T")

SUBMISSION_TIMEOUT: Final = 600.0
"""`kubernetes.operator.job.submission.timeout`."""

# Bytes an answer may have: a list of 10,000 jobs, a plan of 5,000 vertices, 1,000 remembered checkpoints.
_JOBS: Final = 8 << 20
_JOB: Final = 32 << 20
_CHECKPOINTS: Final = 8 << 20
_EXCEPTIONS: Final = 16 << 20
_METRICS: Final = 16 << 20


@frozen
class FlinkClient:
    """Speaks to one cluster; holds no connection and needs no closing.

    Attributes:
        transport: the way to the cluster.
        timeout: seconds for each call.
        retry: whether refused connections and 503 are tried again within `timeout`.
        version: the cluster's Flink, which decides what request bodies may contain.
    """

    transport: Transport
    timeout: float = call.CLIENT_TIMEOUT
    retry: bool = True
    version: features.Version = features.NEWEST

    def once(self, timeout: float | None = None) -> "FlinkClient":
        """Return a client that makes one attempt per call, within `timeout` seconds."""
        return evolve(self, retry=False, timeout=self.timeout if timeout is None else timeout)

    def within(self, timeout: float) -> "FlinkClient":
        """Return a client whose calls have `timeout` seconds."""
        return evolve(self, timeout=timeout)

    def speaking(self, version: features.Version) -> "FlinkClient":
        """Return a client that sends what this version of Flink understands."""
        return evolve(self, version=version)

    # --- the cluster

    async def answers(self) -> bool:
        """Return whether somebody answers there: the REST form of a TCP probe (O-12).

        An error of Flink itself counts as an answer; 502, 503 and 504 come from a proxy without an
        endpoint, or from a JobManager that is not up yet.
        """
        try:
            await self._send(Call("GET", "/overview"))
        except errors.HttpError as error:
            return error.status not in {502, 503, 504}
        except (errors.Unreachable, errors.Timeout):
            return False
        return True

    async def config(self) -> models.Config:
        """Return Flink's version and revision."""
        return await self._get("/config", models.Config)

    async def overview(self) -> models.Overview:
        """Return counts of task managers, slots and jobs."""
        return await self._get("/overview", models.Overview)

    async def taskmanagers(self) -> tuple[models.TaskManager, ...]:
        """Return the registered task managers."""
        answer = await self._get("/taskmanagers", models.TaskManagers, limit=_JOBS)
        return answer.taskmanagers

    # --- jobs

    async def jobs_overview(self) -> tuple[models.JobOverview, ...]:
        """Return all jobs that the JobManager remembers, ended ones included."""
        return (await self._get("/jobs/overview", models.JobsOverview, limit=_JOBS)).jobs

    async def jobs(self) -> tuple[models.JobId, ...]:
        """Return ids and states of all jobs: cheaper than the overview."""
        return (await self._get("/jobs", models.JobIds, limit=_JOBS)).jobs

    async def job(self, job_id: str) -> models.Job:
        """Return a job's vertices, plan and timestamps."""
        return await self._get(_job(job_id), models.Job, limit=_JOB)

    async def execution_result(self, job_id: str) -> models.JobResult:
        """Return how the job ended, or that it has not."""
        return await self._get(
            _job(job_id, "execution-result"), models.JobResult, limit=_EXCEPTIONS
        )

    async def exceptions(self, job_id: str) -> models.ExceptionHistory:
        """Return the job's remembered exceptions, newest first as Flink sends them."""
        answer = await self._get(_job(job_id, "exceptions"), models.Exceptions, limit=_EXCEPTIONS)
        return answer.history

    async def cancel(self, job_id: str) -> None:
        """Ask the job to cancel; that it did is seen in its state.

        Raises:
            JobNotFound: see `interpret.cancel_outcome` for what this and other errors mean.
        """
        await self._send(Call("PATCH", _job(job_id) + "?mode=cancel"))

    # --- savepoints

    async def stop_with_savepoint(
        self,
        job_id: str,
        *,
        target: str | None,
        drain: bool = False,
        format_type: SavepointFormat = SavepointFormat.CANONICAL,
        trigger_id: str | None = None,
    ) -> str:
        """Start to stop the job with a savepoint; return the trigger id for `savepoint_status`.

        Args:
            job_id: the job.
            target: directory of the savepoint; None uses the cluster's default.
            drain: whether sources emit the final watermark first.
            format_type: left out for Flink before 1.15.
            trigger_id: 32 hex digits chosen by the caller: a repeated request with the same id
                starts nothing new. Left out for Flink before 1.15.
        """
        body: dict[str, object] = {"targetDirectory": target, "drain": drain}
        body |= self._since(features.SAVEPOINT_FORMAT, formatType=format_type, triggerId=trigger_id)
        return await self._trigger(_job(job_id, "stop"), body, repeatable=trigger_id is not None)

    async def trigger_savepoint(
        self,
        job_id: str,
        *,
        target: str | None,
        format_type: SavepointFormat = SavepointFormat.CANONICAL,
        trigger_id: str | None = None,
    ) -> str:
        """Start a savepoint; return the trigger id. Arguments as for `stop_with_savepoint`."""
        body: dict[str, object] = {"target-directory": target, "cancel-job": False}
        body |= self._since(features.SAVEPOINT_FORMAT, formatType=format_type, triggerId=trigger_id)
        return await self._trigger(
            _job(job_id, "savepoints"), body, repeatable=trigger_id is not None
        )

    async def savepoint_status(self, job_id: str, trigger_id: str) -> models.SavepointStatus:
        """Return how far a savepoint or a stop with savepoint is."""
        path = _job(job_id, "savepoints", trigger_id)
        return await self._get(path, models.SavepointStatus, limit=_EXCEPTIONS)

    async def dispose_savepoint(self, path: str) -> str:
        """Start to delete a savepoint's files; return the trigger id."""
        # disposing twice fails the second time, but deletes nothing more: safe to repeat
        return await self._trigger("/savepoint-disposal", {"savepoint-path": path}, repeatable=True)

    async def disposal_status(self, trigger_id: str) -> models.DisposalStatus:
        """Return how far a disposal is."""
        return await self._get(f"/savepoint-disposal/{_part(trigger_id)}", models.DisposalStatus)

    # --- checkpoints

    async def trigger_checkpoint(
        self,
        job_id: str,
        *,
        checkpoint_type: CheckpointType = CheckpointType.FULL,
        trigger_id: str | None = None,
    ) -> str:
        """Start a checkpoint (Flink 1.17 and later); return the trigger id."""
        body: dict[str, object] = {"checkpointType": checkpoint_type}
        body |= self._since(features.CHECKPOINT_TRIGGER, triggerId=trigger_id)
        return await self._trigger(
            _job(job_id, "checkpoints"), body, repeatable=trigger_id is not None
        )

    async def checkpoint_status(
        self, job_id: str, trigger_id: str
    ) -> checkpoints.CheckpointTriggerStatus:
        """Return how far a triggered checkpoint is (Flink 1.17 and later)."""
        path = _job(job_id, "checkpoints", trigger_id)
        return await self._get(path, checkpoints.CheckpointTriggerStatus, limit=_EXCEPTIONS)

    async def checkpoint_stats(self, job_id: str) -> checkpoints.CheckpointStats:
        """Return counts, the newest of each kind and the remembered history."""
        path = _job(job_id, "checkpoints")
        return await self._get(path, checkpoints.CheckpointStats, limit=_CHECKPOINTS)

    async def checkpoint_details(self, job_id: str, checkpoint_id: int) -> checkpoints.Checkpoint:
        """Return one remembered checkpoint."""
        path = _job(job_id, "checkpoints", "details", str(checkpoint_id))
        return await self._get(path, checkpoints.Checkpoint, limit=_CHECKPOINTS)

    async def checkpoint_config(self, job_id: str) -> checkpoints.CheckpointConfig:
        """Return how the job takes checkpoints."""
        return await self._get(_job(job_id, "checkpoints", "config"), checkpoints.CheckpointConfig)

    # --- metrics

    async def metrics(self, path: str, names: Iterable[str] = ()) -> tuple[models.Metric, ...]:
        """Return metrics below `path` (`/jobmanager`, `/jobs/:id`, ...); all names without values when none are named."""
        query = _query(get=",".join(names))
        return await self._get(f"{path}/metrics{query}", tuple[models.Metric, ...], limit=_METRICS)

    async def job_metrics(self, job_id: str, names: Iterable[str]) -> dict[str, str]:
        """Return the job's metrics by name; one that the job does not have is absent."""
        found = await self.metrics(_job(job_id), names)
        return {metric.id: metric.value for metric in found if metric.value is not None}

    async def aggregated_metrics(
        self, path: str, names: Iterable[str] = (), aggregations: Iterable[str] = ()
    ) -> tuple[models.AggregatedMetric, ...]:
        """Return metrics aggregated over what `path` holds (`/taskmanagers`, `/jobs/:id/vertices/:vid/subtasks`)."""
        query = _query(get=",".join(names), agg=",".join(aggregations))
        kind = tuple[models.AggregatedMetric, ...]
        return await self._get(f"{path}/metrics{query}", kind, limit=_METRICS)

    # --- parallelism

    async def resource_requirements(self, job_id: str) -> models.Requirements:
        """Return each vertex's bounds (Flink 1.18 and later, adaptive scheduler)."""
        path = _job(job_id, "resource-requirements")
        return await self._get(path, models.Requirements, limit=_JOB)

    async def put_resource_requirements(
        self, job_id: str, requirements: Mapping[str, models.VertexRequirements]
    ) -> None:
        """Set the bounds of all vertices."""
        path = _job(job_id, "resource-requirements")
        await self._send(Call("PUT", path, json=dict(requirements)))

    # --- jars

    async def upload_jar(
        self,
        path: Path,
        name: str | None = None,
        *,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> models.JarUpload:
        """Upload a jar; its id is in the answer.

        Raises:
            OSError: the file cannot be read.
        """
        request = Call("POST", "/jars/upload", body=jar_body(path, name), idempotent=True)
        return await self._decoded(request, models.JarUpload, timeout)

    async def run_jar(
        self,
        jar_id: str,
        *,
        job_id: str | None = None,
        entry_class: str | None = None,
        args: Sequence[str] | None = None,
        parallelism: int | None = None,
        allow_non_restored_state: bool | None = None,
        savepoint_path: str | None = None,
        configuration: Mapping[str, str] | None = None,
        timeout: float = SUBMISSION_TIMEOUT,  # noqa: ASYNC109
    ) -> str:
        """Run an uploaded jar as a job; return the job's id (S-23).

        A repeated submission with the same `job_id` is refused by Flink, so that it is safe.
        """
        body: dict[str, object] = {
            "entryClass": entry_class,
            "programArgsList": None if args is None else list(args),
            "parallelism": parallelism if parallelism and parallelism > 0 else None,
            "jobId": job_id,
            "allowNonRestoredState": allow_non_restored_state,
            "savepointPath": savepoint_path,
        }
        if self.version >= features.CLAIM_MODE:
            body["claimMode"] = "NO_CLAIM"
        else:
            body |= self._since(features.SAVEPOINT_FORMAT, restoreMode="NO_CLAIM")
        body |= self._since(features.JAR_CONFIGURATION, flinkConfiguration=configuration)
        request = Call("POST", f"/jars/{_part(jar_id)}/run", json=_without_nulls(body))
        return (await self._decoded(request, models.JarRun, timeout)).jobid

    async def jars(self) -> tuple[models.JarFile, ...]:
        """Return the uploaded jars."""
        return (await self._get("/jars", models.JarFiles)).files

    async def delete_jar(self, jar_id: str) -> None:
        """Delete an uploaded jar."""
        await self._send(Call("DELETE", f"/jars/{_part(jar_id)}"))

    # --- plumbing

    def _since(self, feature: features.Version, **fields: object) -> dict[str, object]:
        """Return the fields when the cluster knows them: older ones refuse what they do not know."""
        return fields if self.version >= feature else {}

    async def _trigger(self, path: str, body: dict[str, object], *, repeatable: bool) -> str:
        request = Call("POST", path, json=_without_nulls(body), idempotent=repeatable)
        return (await self._decoded(request, models.Trigger)).request_id

    async def _get(self, path: str, into: type[T], limit: int | None = None) -> T:
        request = Call("GET", path) if limit is None else Call("GET", path, limit=limit)
        return await self._decoded(request, into)

    async def _decoded(self, request: Call, into: type[T], timeout: float | None = None) -> T:  # noqa: ASYNC109
        return call.decode(await self._send(request, timeout), into, request)

    async def _send(self, request: Call, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        seconds = self.timeout if timeout is None else timeout
        return await call.send(self.transport, request, timeout=seconds, again=self.retry)


def _part(text: str) -> str:
    return quote(text, safe="")


def _job(job_id: str, *rest: str) -> str:
    return "/jobs/" + "/".join(_part(part) for part in (job_id, *rest))


def _query(**parameters: str) -> str:
    given = {key: value for key, value in parameters.items() if value}
    return "?" + urlencode(given) if given else ""


def _without_nulls(body: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in body.items() if value is not None}
