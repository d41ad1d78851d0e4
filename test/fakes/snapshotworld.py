"""One FlinkStateSnapshot, its job, Flink and an API server in memory; the operator can be killed at any call.

`Process` is one operator process over the world: it sees only what the world has stored. A call that
changes something counts as two moments, before and after its deed; at the one named by `crash_at` the
process dies with `CrashError`, and the next one starts with empty hands.
"""

import copy
import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import msgspec
from attrs import define, field
from fakes.caches import FakeCache, custom_object
from fakes.clock import FakeClock
from fakes.deployments import application, status_of
from fakes.events import FakeEvents
from fakes.objectapi import apply_merge_patch

from flinkop.api import codec
from flinkop.api.flink_version import FlinkVersion
from flinkop.api.status import FlinkJobState
from flinkop.config.flink_conf import FlinkConf
from flinkop.config.snapshot import ConfigSnapshot
from flinkop.controllers.flinkstatesnapshot import controller
from flinkop.events.recorder import Recorder
from flinkop.flink import errors as flink_errors
from flinkop.flink.rest import FlinkClient
from flinkop.flink.transport import DEFAULT_LIMIT, Body, RawAnswer
from flinkop.kube import errors, meta
from flinkop.kube.objects import CustomObject, NamespaceView
from flinkop.runtime.result import Request, Result, RetryError
from flinkop.stages import references
from flinkop.stages.settings import Settings
from flinkop.stages.targets import Targets

KEY = meta.ObjectKey("ns", "s")
REQUEST = Request("ns", "s")
JOB_ID = "a" * 32
DIRECTORY = {"execution.checkpointing.savepoint-dir": "s3://dir"}


class CrashError(BaseException):
    """The process is killed here."""


@define
class Flink:
    """A JobManager with one job: what it knows of triggers, and the files there are.

    Attributes:
        files: paths of savepoints.
        taken: how many savepoints were ever begun.
        outcomes: how the next attempts end: "ok", "fail", "hang"; "ok" when there is none.
        refusals: HTTP statuses with which the next triggers are refused.
        lost_answers: how many of the next answers to a trigger get lost on their way.
        down: whether nobody answers.
        broken: HTTP statuses by a part of the path: those requests are answered so.
    """

    now: Callable[[], dt.datetime]
    files: list[str] = field(factory=list)
    taken: int = 0
    outcomes: list[str] = field(factory=list)
    refusals: list[int] = field(factory=list)
    disposals: list[str] = field(factory=list)
    lost_answers: int = 0
    down: bool = False
    broken: dict[str, int] = field(factory=dict)
    known: dict[str, dict[str, Any]] = field(factory=dict)
    history: list[dict[str, Any]] = field(factory=list)

    def restart(self) -> None:
        """Another JobManager: what the old one knew of triggers and disposals is lost."""
        self.known.clear()
        self.history.clear()

    def forget_results(self) -> None:
        """Five minutes passed: results are lost, the history is not."""
        self.known.clear()

    def time_out(self) -> None:
        """What hangs fails, as after the checkpoint timeout."""
        for trigger, found in self.known.items():
            if found["status"]["id"] == "IN_PROGRESS":
                self.known[trigger] = _failed()

    def answer(self, method: str, path: str, json: Any) -> RawAnswer:
        """Answer a request."""
        for part, status in self.broken.items():
            if part in path:
                return _refused(status, "broken")
        for pattern, handler in (
            (rf"POST /v1/jobs/{JOB_ID}/(savepoints|checkpoints)", self._trigger),
            (rf"GET /v1/jobs/{JOB_ID}/(savepoints|checkpoints)/(\w{{32}})", self._status),
            (rf"GET /v1/jobs/{JOB_ID}/checkpoints/details/(\d+)", self._details),
            (rf"GET /v1/jobs/{JOB_ID}/checkpoints", self._statistics),
            (r"POST /v1/savepoint-disposal", self._dispose),
            (r"GET /v1/savepoint-disposal/(\w+)", self._disposal),
        ):
            found = re.fullmatch(pattern, f"{method} {path}")
            if found:
                return handler(json, *found.groups())
        raise AssertionError(f"unknown request {method} {path}")

    def _trigger(self, json: Any, kind: str) -> RawAnswer:
        if self.refusals:
            return _refused(self.refusals.pop(0), "refused")
        trigger = json.get("triggerId") or f"{self.taken:032x}"
        if trigger not in self.known:
            self.known[trigger] = self._take(kind, json)
        if self.lost_answers:
            self.lost_answers -= 1
            raise flink_errors.Unreachable("lost", sent=True)
        return _ok({"request-id": trigger})

    def _take(self, kind: str, json: Any) -> dict[str, Any]:
        self.taken += 1
        how = self.outcomes.pop(0) if self.outcomes else "ok"
        if how == "hang":
            return {"status": {"id": "IN_PROGRESS"}}
        if how == "fail":
            return _failed()
        if kind == "checkpoints":
            return {"status": {"id": "COMPLETED"}, "operation": {"checkpointId": self.taken}}
        path = f"{json['target-directory']}/savepoint-{self.taken}"
        self.files.append(path)
        self.history.insert(
            0,
            {
                "id": self.taken,
                "status": "COMPLETED",
                "is_savepoint": True,
                "trigger_timestamp": int(self.now().timestamp() * 1000),
                "external_path": path,
            },
        )
        return {"status": {"id": "COMPLETED"}, "operation": {"location": path}}

    def _status(self, _json: Any, _kind: str, trigger: str) -> RawAnswer:
        found = self.known.get(trigger)
        return _refused(404, "Operation not found") if found is None else _ok(found)

    def _details(self, _json: Any, number: str) -> RawAnswer:
        return _ok({"id": int(number), "className": "completed", "external_path": f"chk-{number}"})

    def _statistics(self, _json: Any) -> RawAnswer:
        return _ok({"history": self.history})

    def _dispose(self, json: Any) -> RawAnswer:
        path = json["savepoint-path"]
        request = f"d{len(self.disposals)}"
        self.disposals.append(path)
        operation: dict[str, Any] = {}
        if path in self.files:
            self.files.remove(path)
        else:
            trace = "java.io.FileNotFoundException: Cannot find meta data file"
            operation = {"failure-cause": {"class": "E", "stack-trace": trace}}
        self.known[request] = {"status": {"id": "COMPLETED"}, "operation": operation}
        return _ok({"request-id": request})

    def _disposal(self, _json: Any, request: str) -> RawAnswer:
        return self._status(_json, "", request)


@define
class World:
    """Everything that outlives the operator."""

    clock: FakeClock = field(factory=FakeClock)
    document: dict[str, Any] | None = None
    namespace_ends: bool | None = False
    job: CustomObject | None = None
    moments: int = 0
    crash_at: int | None = None
    conflicts: int = 0
    events: FakeEvents = field(factory=FakeEvents)
    flink: Flink = field(init=False)
    writes: list[str] = field(factory=list)
    statuses: list[dict[str, Any]] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        self.flink = Flink(self.clock.now)

    # --- what a user and the cluster do

    def create(self, spec: Any, **metadata: Any) -> None:
        """Make the snapshot."""
        base = {"name": KEY.name, "namespace": KEY.namespace, "uid": "u", "generation": 1}
        self.document = {"metadata": {**base, "resourceVersion": "1", **metadata}, "spec": spec}

    def delete(self) -> None:
        """Ask for its deletion."""
        assert self.document is not None
        self.document["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        self._touch()

    def change(self, **spec: Any) -> None:
        """Merge-patch its spec."""
        assert self.document is not None
        self.document["spec"] = apply_merge_patch(self.document["spec"], spec)
        self.document["metadata"]["generation"] += 1
        self._touch()

    def set_job(
        self,
        state: FlinkJobState | None = FlinkJobState.RUNNING,
        version: FlinkVersion = FlinkVersion.V1_20,
        conf: Any = DIRECTORY,
        **metadata: Any,
    ) -> None:
        """Make the job's FlinkDeployment be so."""
        spec = application(flink_configuration=dict(conf))
        spec = codec.decode_flinkdeployment_spec(
            {**codec.encode_spec(spec), "flinkVersion": version.value}
        )
        status = status_of(spec, job=state, job_id=JOB_ID)
        self.job = custom_object(
            "basic",
            spec=codec.encode_spec(spec),
            status=codec.encode_status(status),
            **metadata,
        )

    @property
    def status(self) -> dict[str, Any]:
        """The snapshot's status."""
        assert self.document is not None, "the snapshot is gone"
        found: dict[str, Any] = self.document.get("status", {})
        return found

    def object(self) -> CustomObject | None:
        """The snapshot as it is stored."""
        if self.document is None:
            return None
        return msgspec.json.decode(msgspec.json.encode(self.document), type=CustomObject)

    # --- the API server

    async def get(self, rt: meta.ResourceType, key: meta.ObjectKey, *, into: Any) -> Any:
        """Read the snapshot or its namespace."""
        if rt is meta.NAMESPACES:
            if self.namespace_ends is None:
                raise errors.Forbidden("namespaces", status=403)
            found: dict[str, Any] = {"name": key.name}
            if self.namespace_ends:
                found["deletionTimestamp"] = "2026-01-01T00:00:00Z"
            return msgspec.convert({"metadata": found}, NamespaceView, strict=False)
        obj = self.object()
        if obj is None:
            raise errors.NotFound(str(key), status=404)
        return obj

    async def merge_patch(
        self,
        rt: meta.ResourceType,
        key: meta.ObjectKey,
        patch: Any,
        *,
        subresource: str | None = None,
        into: Any = None,
    ) -> CustomObject:
        """Patch the snapshot's metadata or status."""
        name = f"patch {subresource or 'metadata'}"
        found: CustomObject = self.deed(name, lambda: self._patch(patch, subresource))
        return found

    def _patch(self, patch: Any, subresource: str | None) -> CustomObject:
        if self.document is None:
            raise errors.NotFound(str(KEY), status=404)
        metadata = self.document["metadata"]
        version = patch["metadata"].get("resourceVersion", metadata["resourceVersion"])
        if self.conflicts or version != metadata["resourceVersion"]:
            self.conflicts = max(self.conflicts - 1, 0)
            self._touch()
            raise errors.Conflict("the object has been modified", status=409)
        part = "status" if subresource == "status" else "metadata"
        changed = {k: v for k, v in patch[part].items() if k != "resourceVersion"}
        self.document[part] = apply_merge_patch(self.document.get(part, {}), changed)
        self._touch()
        if part == "status":
            self.statuses.append(copy.deepcopy(self.document["status"]))
        obj = self.object()
        assert obj is not None
        if metadata.get("deletionTimestamp") and not self.document["metadata"].get("finalizers"):
            self.document = None
        return obj

    def _touch(self) -> None:
        assert self.document is not None
        metadata = self.document["metadata"]
        metadata["resourceVersion"] = str(int(metadata["resourceVersion"]) + 1)

    # --- crashes

    def deed(self, name: str, act: Callable[[], Any]) -> Any:
        """Do something that lasts; the process may be killed before or after it."""
        self._moment()
        result = act()
        self.writes.append(name)
        self._moment()
        return copy.copy(result)

    def _moment(self) -> None:
        self.moments += 1
        if self.moments == self.crash_at:
            raise CrashError


class Wire:
    """The way to Flink; a request that triggers something is a deed."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def request(
        self,
        method: str,
        path: str,
        *,
        timeout: float,  # noqa: ASYNC109
        json: object = None,
        body: Body | None = None,
        limit: int = DEFAULT_LIMIT,
    ) -> RawAnswer:
        flink = self._world.flink
        if flink.down:
            raise flink_errors.Unreachable("refused", sent=False)

        def act() -> RawAnswer:
            return flink.answer(method, path, json)

        found: RawAnswer = act() if method == "GET" else self._world.deed(method, act)
        return found


class Process:
    """One operator process over a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.cache = FakeCache(indexers={references.BY_JOB: references.job_of_snapshot})
        self.deployments = FakeCache()
        self.session_jobs = FakeCache()
        self.recorder = Recorder(world.events, world.clock)
        kube: Any = world
        resources: Any = self.cache
        self.made = controller.assemble(
            resources,
            targets=Targets(self.deployments, self.session_jobs),
            flink=lambda _cluster: FlinkClient(Wire(world)),
            kube=kube,
            counts=None,
            recorder=self.recorder,
            settings=Settings(ConfigSnapshot.make(FlinkConf({}), {}, {})),
            clock=world.clock,
        )

    def see(self) -> None:
        """Let the caches catch up with the world."""
        obj = self.world.object()
        if obj is None:
            self.cache.drop(KEY.name, KEY.namespace)
        else:
            self.cache.store.upsert(obj)
        if self.world.job is None:
            self.deployments.drop("basic")
        else:
            self.deployments.put(self.world.job)

    async def look(self) -> Result:
        """One reconcile, by what the world is like now."""
        self.see()
        return await self.made.reconcile(REQUEST)

    async def go_on(self, looks: int = 60) -> Result:
        """Look again and again, as timers and retries would, until nothing more is due."""
        for _ in range(looks):
            try:
                result = await self.look()
            except RetryError as error:
                self.world.clock.advance(error.retry_after)
                continue
            if result.gone or result.requeue_after is None:
                return result
            if result.requeue_after >= 60:
                return result
            self.world.clock.advance(result.requeue_after)
        raise AssertionError(f"no end after {looks} looks: {self.world.document}")

    def drafts(self) -> list[str]:
        """Reasons of the Events that were emitted and not written yet."""
        found = []
        for queue in self.recorder._queues:
            while not queue.empty():
                found.append(queue.get_nowait()[1].reason)
        return found


async def to_the_end(world: World, looks: int = 60) -> Result:
    """Run processes, each after the last was killed, until nothing more is due."""
    for _ in range(5):
        try:
            return await Process(world).go_on(looks)
        except CrashError:
            world.crash_at = None
    raise AssertionError("killed too often")


def _failed() -> dict[str, Any]:
    cause = {"class": "E", "stack-trace": "a.E: disk full"}
    operation = {"failure-cause": cause, "failureCause": cause}
    return {"status": {"id": "COMPLETED"}, "operation": operation}


def _ok(body: Any) -> RawAnswer:
    return RawAnswer(200, msgspec.json.encode(body))


def _refused(status: int, text: str) -> RawAnswer:
    return RawAnswer(status, msgspec.json.encode({"errors": [text]}))
