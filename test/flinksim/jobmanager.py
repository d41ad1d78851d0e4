"""One JobManager process: its jobs, its uploaded jars, its recovery when it starts.

What is lost with the process (job list, triggers, statistics) lives here; what survives it is in
`Storage` and in the HA ConfigMaps.
"""

import secrets
from collections.abc import Mapping
from typing import Any, Protocol

from attrs import define, field
from flinksim.ha import HaMaps
from flinksim.job import Failure, Job, Operation, Submission
from flinksim.knobs import Knobs
from flinksim.ledger import Ledger
from flinksim.scheduler import Scheduler
from flinksim.settings import Settings
from flinksim.storage import Snapshot, Storage


class Surroundings(Protocol):
    """What a JobManager needs of its cluster."""

    scheduler: Scheduler
    storage: Storage
    ledger: Ledger

    def knobs(self) -> Knobs: ...
    def take(self, order: str) -> str | None: ...
    def free_slots(self) -> int | None:
        """Slots of ready task managers; None when there are always enough."""
        ...

    def demand_changed(self) -> None: ...
    def application_ended(self) -> None: ...


@define
class Jar:
    id: str
    name: str
    uploaded: float


@define(eq=False)
class JobManager:
    around: Surroundings
    settings: Settings
    uid: str
    ha: HaMaps | None
    address: str = "127.0.0.1"
    jobs: dict[str, Job] = field(factory=dict)
    jars: dict[str, Jar] = field(factory=dict)
    disposals: dict[str, Operation] = field(factory=dict)
    vain: dict[str, Operation] = field(factory=dict)
    rest_ready: bool = False
    alive: bool = True
    crashed: bool = False

    @property
    def scheduler(self) -> Scheduler:
        return self.around.scheduler

    @property
    def storage(self) -> Storage:
        return self.around.storage

    def start(self) -> None:
        """Answer REST and recover or submit what there is."""
        self.scheduler.later(self.knobs().delays.rest, self._begin)

    def _begin(self) -> None:
        if not self.alive:
            return
        self.rest_ready = True
        if self.ha is not None:
            self.ha.elect(self.address)
        recovered = self.ha.graphs() if self.ha is not None else {}
        if self.settings.is_application:
            self._run_application(recovered)
        else:
            for job_id, graph in recovered.items():
                self.submit(self._recovered(job_id, graph))

    def stop(self) -> None:
        """The process is gone: its jobs end where they are, nothing is cleaned up."""
        self.alive = self.rest_ready = False
        for job in self.jobs.values():
            if not job.is_terminal:
                job.abandon()
                self.around.ledger.ended(job, "JOBMANAGER_LOST")

    # --- submission

    def _run_application(self, recovered: Mapping[str, Mapping[str, object]]) -> None:
        settings = self.settings
        job_id = settings.job_id or ("0" * 32 if self.ha is not None else secrets.token_hex(16))
        store = settings.result_store
        if store is not None and self.storage.has_result(store, job_id):
            return  # already ended in an earlier process: Flink does not run it again and does not list it
        if self.knobs().submit == "crash":
            self.crashed = True
            self.rest_ready = False
            return
        if job_id in recovered:
            self.submit(self._recovered(job_id, recovered[job_id]))
            return
        submission = Submission(job_id, settings.job_name, settings.parallelism)
        if self.knobs().submit == "fail":
            submission.failure = Failure(
                "org.apache.flink.client.program.ProgramInvocationException",
                self.knobs().message or "The main method caused an error",
            )
        self._prepare_restore(submission, settings.savepoint_path)
        self.submit(submission)

    def _recovered(self, job_id: str, graph: Mapping[str, object]) -> Submission:
        """A graph in HA keeps the parallelism it was submitted with, whatever the configuration says now."""
        submission = Submission(job_id, str(graph["name"]), int(str(graph["parallelism"])))
        path = graph.get("savepoint")
        submission.lineage = str(graph.get("lineage", ""))
        conf = graph.get("conf")
        submission.conf = conf if isinstance(conf, dict) else {}
        self._prepare_restore(submission, str(path) if path else None)
        return submission

    def _prepare_restore(self, submission: Submission, path: str | None) -> None:
        """Checkpoints in HA win over a savepoint path, which must exist otherwise."""
        found = self.ha.newest_checkpoint(submission.job_id) if self.ha is not None else None
        if found is not None:
            if self.storage.get(found.path) is None and self.storage.get_deleted(found.path):
                submission.failure = _cannot_restore(found.path)
            submission.restore, submission.owned = found, True
            return
        if path is None:
            return
        snapshot = self.storage.get(path)
        if snapshot is not None:
            submission.restore = snapshot
        elif self.knobs().unknown_savepoint == "accept":
            submission.restore = Snapshot(path, 0, 0, submission.job_id, is_savepoint=True)
        else:
            submission.failure = _cannot_restore(path)

    def submit(self, submission: Submission, savepoint: str | None = None) -> Job:
        """Start a job; a repeated id is refused by the caller."""
        if self.ha is not None:
            graph = {
                "name": submission.name,
                "parallelism": submission.parallelism,
                "savepoint": savepoint
                or (self.settings.savepoint_path if self.settings.is_application else None),
                "lineage": submission.lineage,
                "conf": dict(submission.conf),
            }
            self.ha.job_submitted(submission.job_id, graph)
        job = Job(self, submission)
        self.jobs[job.id] = job
        self.around.ledger.started(job, self)
        job.start()
        return job

    def run_jar(self, body: Mapping[str, Any]) -> Job:
        """Run an uploaded jar.

        Raises:
            DuplicateJobError: the id is in use.
        """
        job_id = body.get("jobId") or secrets.token_hex(16)
        if job_id in self.jobs:
            raise DuplicateJobError(job_id)
        flat = body.get("flinkConfiguration") or {}
        name = flat.get("pipeline.name") or "State machine job"
        parallelism = int(
            body.get("parallelism") or flat.get("parallelism.default") or self.settings.parallelism
        )
        path = body.get("savepointPath") or flat.get("execution.savepoint.path")
        conf = {key: str(value) for key, value in flat.items()}
        submission = Submission(job_id, name, parallelism, lineage=name, conf=conf)
        if self.knobs().submit == "fail":
            submission.failure = Failure(
                "java.lang.RuntimeException", self.knobs().message or "simulated failure"
            )
        self._prepare_restore(submission, path)
        return self.submit(submission, path)

    # --- what jobs ask

    def knobs(self) -> Knobs:
        return self.around.knobs()

    def take(self, order: str) -> str | None:
        return self.around.take(order)

    def slots_for(self, job: Job) -> int | None:
        free = self.around.free_slots()
        if free is None:
            return None
        used = sum(
            other.width for other in self.jobs.values() if other is not job and other.tasks_running
        )
        return free - used

    def job_changed(self, job: Job) -> None:
        self.around.ledger.changed(job)
        if self.ha is not None and job.state == "CREATED":
            self.ha.job_led(job.id)
            if job.submission.restore is not None:
                self.job_checkpointed(job)
        if job.is_terminal:
            self._job_ended(job)
        self.around.demand_changed()

    def _job_ended(self, job: Job) -> None:
        self.around.ledger.ended(job, job.state)
        if self.ha is not None:
            self.ha.job_ended(job.id)
        if self.settings.result_store is not None:
            self.storage.record_result(self.settings.result_store, job.id)
        if self.settings.is_application and not self.settings.stays_after_end:
            self.around.application_ended()

    def job_checkpointed(self, job: Job) -> None:
        self.around.ledger.checkpointed(job)
        if self.ha is not None and not job.is_terminal:
            self.ha.checkpointed(job.id, job.checkpoints.retained, job.checkpoints.next_number)

    def slots_changed(self) -> None:
        for job in list(self.jobs.values()):
            job.slots_changed()

    @property
    def slots_wanted(self) -> int:
        return sum(job.width for job in self.jobs.values() if not job.is_terminal)

    def upload(self, name: str) -> Jar:
        jar = Jar(
            f"{secrets.token_hex(4)}-{secrets.token_hex(8)}_{name}", name, self.scheduler.now()
        )
        self.jars[jar.id] = jar
        return jar

    def trigger_in_vain(self, job_id: str, kind: str, trigger_id: str | None) -> str:
        """Ask for a snapshot of a job that is not there: that is found out when it is to be made."""
        operation_id = trigger_id or secrets.token_hex(16)
        failure = Failure(
            "org.apache.flink.runtime.messages.FlinkJobNotFoundException",
            f"Could not find Flink job ({job_id})",
        )
        now = self.scheduler.now()
        self.vain[operation_id] = Operation(kind, now, done=now, failure=failure)
        return operation_id

    def dispose(self, path: str, trigger_id: str | None) -> str:
        operation_id = trigger_id or secrets.token_hex(16)
        operation = Operation("disposal", self.scheduler.now())
        self.disposals[operation_id] = operation

        def done() -> None:
            operation.done = self.scheduler.now()
            if not self.storage.delete(path):
                operation.failure = Failure(
                    "java.io.FileNotFoundException",
                    f"Cannot find meta data file '_metadata' in directory '{path}'.",
                )

        self.scheduler.later(self.knobs().delays.savepoint, done)
        return operation_id


class DuplicateJobError(Exception):
    """Job id in use."""


def _cannot_restore(path: str) -> Failure:
    return Failure(
        "org.apache.flink.runtime.client.JobInitializationException",
        "Could not start the JobMaster. Caused by: java.io.FileNotFoundException: Cannot find checkpoint or savepoint "
        f"file/directory '{path}' on file system 'file'.",
    )
