"""One job's life: a state machine driven by timers, with a counter for its state.

    INITIALIZING → CREATED → RUNNING (tasks SCHEDULED, then RUNNING) → FINISHED
                                │ └→ CANCELLING → CANCELED
                                ├→ RESTARTING → RUNNING
                                └→ FAILING → FAILED

The counter grows while all tasks run. A checkpoint holds its value, a restart returns to the newest
checkpoint's: comparing counters proves that no state was lost.
"""

import secrets
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from attrs import define, field
from flinksim.checkpointing import Checkpoints, Record
from flinksim.graph import Vertex, vertices
from flinksim.knobs import Knobs
from flinksim.scheduler import Scheduler, Timer
from flinksim.settings import Settings
from flinksim.storage import Snapshot, Storage, shown

TERMINAL = frozenset({"FINISHED", "FAILED", "CANCELED"})
STATES = (
    "INITIALIZING", "FINISHED", "RECONCILING", "RESTARTING", "FAILING", "CREATED",
    "RUNNING", "FAILED", "CANCELED", "SUSPENDED", "CANCELLING",
)  # fmt: skip


class Host(Protocol):
    """What a job needs of its cluster."""

    @property
    def scheduler(self) -> Scheduler: ...
    @property
    def storage(self) -> Storage: ...
    @property
    def settings(self) -> Settings: ...

    def knobs(self) -> Knobs: ...
    def take(self, order: str) -> str | None:
        """Return a one-shot order and forget it."""
        ...

    def slots_for(self, job: "Job") -> int | None:
        """Slots that it may have; None when there are always enough."""
        ...

    def job_changed(self, job: "Job") -> None: ...
    def job_checkpointed(self, job: "Job") -> None: ...


@define
class Failure:
    """A Java exception as Flink shows it."""

    java_class: str
    message: str
    at: float = 0.0
    task: str | None = None

    @property
    def stack_trace(self) -> str:
        return f"{self.java_class}: {self.message}\n\tat org.apache.flink.simulated.Task.invoke(Task.java:42)\n"


@define
class Operation:
    """A savepoint, checkpoint, stop or disposal that was triggered over REST."""

    kind: str
    started: float
    done: float | None = None
    location: str | None = None
    checkpoint: int | None = None
    failure: Failure | None = None


@define
class Submission:
    """What a job is started with."""

    job_id: str
    name: str
    parallelism: int
    restore: Snapshot | None = None
    owned: bool = False
    failure: Failure | None = None
    lineage: str = ""
    conf: Mapping[str, str] = field(factory=dict)
    """The job's own configuration, over that of its cluster."""


@define(eq=False)
class Job:
    host: Host
    submission: Submission
    state: str = "INITIALIZING"
    tasks_running: bool = False
    restarts: int = 0
    failure: Failure | None = None
    exceptions: list[Failure] = field(factory=list)
    operations: dict[str, Operation] = field(factory=dict)
    timestamps: dict[str, float] = field(factory=lambda: dict.fromkeys(STATES, 0.0))
    modified: float = 0.0
    ended: float | None = None
    ever_ran: bool = False
    checkpoints: Checkpoints = field(init=False)
    vertices: list[Vertex] = field(init=False)
    _base: int = 0
    _since: float | None = None
    _timers: dict[str, Timer] = field(factory=dict)

    @property
    def settings(self) -> Settings:
        """Its cluster's, with its own configuration over them."""
        return self.host.settings.with_conf(self.submission.conf)

    def __attrs_post_init__(self) -> None:
        settings = self.settings
        self.checkpoints = Checkpoints(settings, self.host.storage, self.id)
        self.vertices = vertices(settings, self.submission.parallelism)
        if self.submission.restore is not None:
            self._base = self.submission.restore.counter

    @property
    def id(self) -> str:
        return self.submission.job_id

    @property
    def is_terminal(self) -> bool:
        return self.state in TERMINAL

    @property
    def started(self) -> float:
        return self.timestamps["INITIALIZING"]

    @property
    def task_total(self) -> int:
        return sum(vertex.parallelism for vertex in self.vertices)

    @property
    def width(self) -> int:
        """Slots needed: vertices share slots."""
        return max(vertex.parallelism for vertex in self.vertices)

    def counter(self) -> int:
        if self._since is None:
            return self._base
        return self._base + int((self.host.scheduler.now() - self._since) * self.host.knobs().rate)

    # --- life

    def start(self) -> None:
        delays = self.host.knobs().delays
        self._enter("INITIALIZING")
        self._after("step", delays.initializing, self._initialized)

    def _initialized(self) -> None:
        if self.submission.failure is not None:
            self._end("FAILED", self.submission.failure)
            return
        if self.submission.restore is not None:
            now = self.host.scheduler.now()
            self.checkpoints.start_from(self.submission.restore, now, owned=self.submission.owned)
        self._enter("CREATED")
        self._after("step", self.host.knobs().delays.created, self._schedule)

    def _schedule(self) -> None:
        self._enter("RUNNING")
        self._await_slots()

    def _await_slots(self) -> None:
        available = self.host.slots_for(self)
        if available and self.host.settings.reactive:
            for vertex in self.vertices:
                vertex.parallelism = available
        if self._fits(available):
            self._after("step", self.host.knobs().delays.running, self._deployed)

    def slots_changed(self) -> None:
        """Task managers came or went."""
        if self.state != "RUNNING":
            return
        if not self.tasks_running and "step" not in self._timers:
            self._await_slots()
        elif self.tasks_running and not self._fits(available := self.host.slots_for(self)):
            if available and self.host.settings.reactive:
                self.rescale()
                return
            self.restart(
                Failure(
                    "org.apache.flink.runtime.jobmaster.JobMasterException", "TaskManager was lost"
                )
            )

    def _fits(self, available: int | None) -> bool:
        """Whether these are the slots it is to run with: enough, or for a reactive job all there are."""
        if available is None:
            return True
        return available == self.width if self.host.settings.reactive else available >= self.width

    def _deployed(self) -> None:
        self.tasks_running = self.ever_ran = True
        self._since = self.host.scheduler.now()
        self._touch()
        self._plan_checkpoint()
        self.host.job_changed(self)
        self._plan_order()
        self.slots_changed()  # a reactive job may have got more while it started

    # --- ends

    def cancel(self) -> None:
        if self.is_terminal or self.state == "CANCELLING":
            return
        self._freeze()
        self._cancel_timers()
        self._enter("CANCELLING")
        self._after("step", self.host.knobs().delays.cancelling, lambda: self._end("CANCELED"))

    def fail(self, failure: Failure) -> None:
        self._freeze()
        self._cancel_timers()
        self._enter("FAILING")
        self._after("step", 0.01, lambda: self._end("FAILED", failure))

    def finish(self) -> None:
        self._freeze()
        self._end("FINISHED")

    def restart(self, failure: Failure) -> None:
        """Fail over inside the JobManager: back to the newest checkpoint."""
        self._remember(failure)
        self._return_to_checkpoint("RESTARTING", self.host.knobs().delays.restarting)

    def rescale(self) -> None:
        self._return_to_checkpoint("RESTARTING", self.host.knobs().delays.rescale)

    def _return_to_checkpoint(self, state: str, seconds: float) -> None:
        self._freeze()
        self._cancel_timers()
        self.restarts += 1
        newest = self.checkpoints.newest()
        self._base = newest.counter if newest else 0
        self._enter(state)
        self._after("step", seconds, self._restarted)

    def _restarted(self) -> None:
        if (newest := self.checkpoints.newest()) is not None:
            self.checkpoints.restore(newest, self.host.scheduler.now())
        self._schedule()

    def abandon(self) -> None:
        """The JobManager is gone: nothing happens to this job any more."""
        self._freeze()
        self._cancel_timers()
        for operation in self.operations.values():
            operation.done = operation.done or self.host.scheduler.now()

    def _end(self, state: str, failure: Failure | None = None) -> None:
        self._freeze()
        self._cancel_timers()
        if failure is not None:
            self._remember(failure)
            self.failure = failure
        self.ended = self.host.scheduler.now()
        self.checkpoints.job_ended(state)
        self._enter(state)

    # --- orders of a test

    def obey(self, order: str, message: str | None = None) -> None:
        """Carry out fail, restart, finish or cancel."""
        text = message or "simulated failure"
        actions: dict[str, Callable[[], None]] = {
            "fail": lambda: self.fail(
                Failure("java.lang.RuntimeException", text, task=self.vertices[0].name)
            ),
            "restart": lambda: self.restart(
                Failure("java.lang.RuntimeException", text, task=self.vertices[0].name)
            ),
            "finish": self.finish,
            "cancel": self.cancel,
        }
        if order not in actions:
            raise ValueError(f"unknown order for a job {order!r}; known are {', '.join(actions)}")
        if not self.is_terminal:
            actions[order]()

    def _plan_order(self) -> None:
        if self.host.knobs().job is not None:
            self._after("order", self.host.knobs().job_after, self.take_order)

    def take_order(self) -> None:
        """Look for an order that waits for a running job."""
        if self.tasks_running and self.state == "RUNNING":
            message = self.host.knobs().message
            if (order := self.host.take("job")) is not None:
                self.obey(order, message)

    # --- snapshots

    def trigger_checkpoint(self, trigger_id: str | None = None) -> str:
        operation_id = trigger_id or secrets.token_hex(16)
        if operation_id not in self.operations:
            self.operations[operation_id] = operation = Operation(
                "checkpoint", self.host.scheduler.now()
            )
            self._checkpoint(operation)
        return operation_id

    def trigger_savepoint(
        self,
        target: str,
        format_type: str | None,
        *,
        trigger_id: str | None = None,
        stop: bool = False,
        drain: bool = False,
    ) -> str:
        operation_id = trigger_id or secrets.token_hex(16)
        if operation_id in self.operations:
            return operation_id
        now = self.host.scheduler.now()
        self.operations[operation_id] = operation = Operation("stop" if stop else "savepoint", now)
        how = self.host.take("next_savepoint")
        if not self.tasks_running or self.state != "RUNNING":
            operation.failure, operation.done = _not_running(self), now
            return operation_id
        record = self.checkpoints.begin(now, savepoint=True, format_type=format_type)
        snapshot = Snapshot(
            path=f"{shown(target)}/savepoint-{self.id[:6]}-{secrets.token_hex(6)}",
            counter=self.counter(), number=record.number, job_id=self.id, is_savepoint=True,
            format=format_type, drained=drain,
        )  # fmt: skip
        if stop:
            self._cancel_timer("checkpoint")
        if how != "hang":
            seconds = self.host.knobs().delays.savepoint
            self._after(
                f"op-{operation_id}",
                seconds,
                lambda: self._savepoint_done(operation, record, snapshot, how, stop=stop),
            )
        return operation_id

    def _savepoint_done(
        self,
        operation: Operation,
        record: Record,
        snapshot: Snapshot,
        how: str | None,
        *,
        stop: bool,
    ) -> None:
        now = self.host.scheduler.now()
        operation.done = now
        if how == "fail":
            text = self.host.knobs().message or "Checkpoint was declined"
            operation.failure = Failure(
                "org.apache.flink.runtime.checkpoint.CheckpointException", text, now
            )
            self.checkpoints.fail(record, text, now)
            if stop:
                self._plan_checkpoint()
            self.host.job_checkpointed(self)
            return
        self.checkpoints.complete(record, snapshot, now)
        if how == "stopping":
            operation.failure = _stopped_late(self, snapshot, now)
            self.host.job_checkpointed(self)
            self.restart(operation.failure)
            return
        operation.location = snapshot.path
        self.host.job_checkpointed(self)
        if stop:
            self._base, self._since = snapshot.counter, None
            self._end("FINISHED")

    def _plan_checkpoint(self) -> None:
        interval = self.host.knobs().checkpoint_interval
        if interval is None:
            interval = self.settings.checkpoint_interval
        if interval and self.checkpoints.enabled:
            self._after("checkpoint", interval, self._periodic_checkpoint)

    def _periodic_checkpoint(self) -> None:
        if self.state == "RUNNING" and self.tasks_running:
            self._checkpoint(None)
            self._plan_checkpoint()

    def _checkpoint(self, operation: Operation | None) -> None:
        now = self.host.scheduler.now()
        if not self.tasks_running or self.state != "RUNNING":
            if operation:
                operation.failure, operation.done = _not_running(self), now
            return
        record = self.checkpoints.begin(now, savepoint=False)
        snapshot = Snapshot(
            self.checkpoints.path(record.number), self.counter(), record.number, self.id
        )
        how = self.host.take("next_checkpoint")
        if how != "hang":
            seconds = self.host.knobs().delays.checkpoint
            self._after(
                f"cp-{record.number}",
                seconds,
                lambda: self._checkpoint_done(operation, record, snapshot, how),
            )

    def _checkpoint_done(
        self, operation: Operation | None, record: Record, snapshot: Snapshot, how: str | None
    ) -> None:
        now = self.host.scheduler.now()
        if how == "fail":
            text = self.host.knobs().message or "Checkpoint expired before completing"
            self.checkpoints.fail(record, text, now)
            if operation:
                operation.failure = Failure(
                    "org.apache.flink.runtime.checkpoint.CheckpointException", text, now
                )
        else:
            self.checkpoints.complete(record, snapshot, now)
            if operation:
                operation.checkpoint = record.number
        if operation:
            operation.done = now
        self.host.job_checkpointed(self)

    # --- plumbing

    def _enter(self, state: str) -> None:
        self.state = state
        self.timestamps[state] = self.host.scheduler.now()
        self._touch()
        self.host.job_changed(self)

    def _touch(self) -> None:
        self.modified = self.host.scheduler.now()

    def _freeze(self) -> None:
        self._base, self._since = self.counter(), None
        self.tasks_running = False

    def _remember(self, failure: Failure) -> None:
        failure.at = self.host.scheduler.now()
        self.exceptions.insert(0, failure)
        del self.exceptions[16:]

    def _after(self, name: str, seconds: float, action: Callable[[], None]) -> None:
        self._cancel_timer(name)

        def fire() -> None:
            self._timers.pop(name, None)
            action()

        self._timers[name] = self.host.scheduler.later(seconds, fire)

    def _cancel_timer(self, name: str) -> None:
        if (timer := self._timers.pop(name, None)) is not None:
            timer.cancel()

    def _cancel_timers(self) -> None:
        """Stop everything; snapshots under way fail, as Flink aborts them."""
        for name in list(self._timers):
            self._cancel_timer(name)
        now = self.host.scheduler.now()
        for record in self.checkpoints.history:
            if record.status == "IN_PROGRESS":
                self.checkpoints.fail(record, "Checkpoint Coordinator is suspending.", now)
        for operation in self.operations.values():
            if operation.done is None:
                operation.done = now
                operation.failure = Failure(
                    "org.apache.flink.runtime.checkpoint.CheckpointException",
                    "Checkpoint Coordinator is suspending.",
                    now,
                )

    def dump(self) -> dict[str, Any]:
        newest = self.checkpoints.newest()
        return {
            "id": self.id,
            "name": self.submission.name,
            "state": self.state,
            "tasksRunning": self.tasks_running,
            "parallelism": self.width,
            "counter": self.counter(),
            "restarts": self.restarts,
            "restoredFrom": self.submission.restore.path if self.submission.restore else None,
            "newestCheckpoint": newest.path if newest else None,
            "failure": self.failure.message if self.failure else None,
        }


def _not_running(job: Job) -> Failure:
    text = (
        "Checkpoint triggering task Source: Events Generator Source (1/1) of job "
        f"{job.id} is not being executed at the moment. Aborting checkpoint. Failure reason: Not all required tasks are currently running."
    )
    return Failure(
        "org.apache.flink.runtime.checkpoint.CheckpointException", text, job.host.scheduler.now()
    )


def _stopped_late(job: Job, snapshot: Snapshot, now: float) -> Failure:
    return Failure(
        "org.apache.flink.runtime.scheduler.stopwithsavepoint.StopWithSavepointStoppingException",
        f"A savepoint has been created at: {snapshot.path}, but the corresponding job {job.id} failed during stopping. "
        "The savepoint is consistent, but might have uncommitted transactions. If you want to commit the transaction "
        "please restart a job from this savepoint.",
        now,
    )
