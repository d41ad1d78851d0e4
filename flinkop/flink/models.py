"""Flink's answers as frozen values: only the fields that are read, unknown ones ignored (S-6).

Shapes were checked against JobManagers of Flink 1.20.5 and 2.2.1; what older versions lack is optional.
Times are epoch milliseconds, sizes bytes, durations milliseconds, as on the wire. Answers about
checkpoints are in `checkpoints`.
"""

import msgspec
from msgspec import field

from flinkop.flink.states import JobState, OperationStatus


class Answer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Base of all answers."""


class TaskCounts(Answer, frozen=True, kw_only=True):
    """How many tasks (subtasks) of a job are in which state."""

    total: int = 0
    created: int = 0
    scheduled: int = 0
    deploying: int = 0
    initializing: int = 0
    running: int = 0
    finished: int = 0
    canceling: int = 0
    canceled: int = 0
    failed: int = 0
    reconciling: int = 0


class JobOverview(Answer, frozen=True, kw_only=True):
    """One entry of `/jobs/overview`."""

    jid: str
    name: str = ""
    state: JobState
    start_time: int = field(name="start-time", default=-1)
    end_time: int = field(name="end-time", default=-1)
    duration: int = -1
    last_modification: int = field(name="last-modification", default=-1)
    tasks: TaskCounts = TaskCounts()


class JobsOverview(Answer, frozen=True, kw_only=True):
    """`/jobs/overview`."""

    jobs: tuple[JobOverview, ...] = ()


class JobId(Answer, frozen=True, kw_only=True):
    """One entry of `/jobs`."""

    id: str
    status: JobState


class JobIds(Answer, frozen=True, kw_only=True):
    """`/jobs`."""

    jobs: tuple[JobId, ...] = ()


class Vertex(Answer, frozen=True, kw_only=True):
    """A vertex of a job."""

    id: str
    name: str = ""
    parallelism: int = 0
    max_parallelism: int = field(name="maxParallelism", default=-1)
    status: str = ""
    slot_sharing_group_id: str | None = field(name="slotSharingGroupId", default=None)
    tasks: dict[str, int] = {}
    metrics: dict[str, float | bool | None] = {}


class PlanInput(Answer, frozen=True, kw_only=True):
    """An edge into a node of the plan."""

    id: str
    ship_strategy: str | None = None
    exchange: str | None = None


class PlanNode(Answer, frozen=True, kw_only=True):
    """A node of the plan; its id is the vertex's."""

    id: str
    parallelism: int = 0
    description: str = ""
    inputs: tuple[PlanInput, ...] = ()


class Plan(Answer, frozen=True, kw_only=True):
    """The job's graph."""

    jid: str = ""
    name: str = ""
    type: str | None = None
    nodes: tuple[PlanNode, ...] = ()


class Job(Answer, frozen=True, kw_only=True):
    """`/jobs/:id`."""

    jid: str
    name: str = ""
    state: JobState
    job_type: str | None = field(name="job-type", default=None)
    start_time: int = field(name="start-time", default=-1)
    end_time: int = field(name="end-time", default=-1)
    duration: int = -1
    now: int = -1
    max_parallelism: int = field(name="maxParallelism", default=-1)
    timestamps: dict[str, int] = {}
    vertices: tuple[Vertex, ...] = ()
    plan: Plan | None = None


class ThrowableInfo(Answer, frozen=True, kw_only=True):
    """A Java exception as Flink serialises it; the opaque serialised form is not kept."""

    java_class: str = field(name="class", default="")
    stack_trace: str = field(name="stack-trace", default="")


class ExecutionResult(Answer, frozen=True, kw_only=True):
    """The end of a job."""

    id: str = ""
    application_status: str | None = field(name="application-status", default=None)
    failure_cause: ThrowableInfo | None = field(name="failure-cause", default=None)


class QueueStatus(Answer, frozen=True, kw_only=True):
    """`status` of an asynchronous operation."""

    id: OperationStatus


class JobResult(Answer, frozen=True, kw_only=True):
    """`/jobs/:id/execution-result`; `result` is absent while the job runs."""

    status: QueueStatus
    result: ExecutionResult | None = field(name="job-execution-result", default=None)


class Trigger(Answer, frozen=True, kw_only=True):
    """Answer to everything that is triggered: the id to ask with."""

    request_id: str = field(name="request-id")


class SavepointOperation(Answer, frozen=True, kw_only=True):
    """Where a savepoint (or a stop with one) ended."""

    location: str | None = None
    failure_cause: ThrowableInfo | None = field(name="failure-cause", default=None)


class SavepointStatus(Answer, frozen=True, kw_only=True):
    """`/jobs/:id/savepoints/:triggerId`."""

    status: QueueStatus
    operation: SavepointOperation | None = None


class DisposalOperation(Answer, frozen=True, kw_only=True):
    """How a disposal ended: nothing, or why not."""

    failure_cause: ThrowableInfo | None = field(name="failure-cause", default=None)


class DisposalStatus(Answer, frozen=True, kw_only=True):
    """`/savepoint-disposal/:triggerId`."""

    status: QueueStatus
    operation: DisposalOperation | None = None


class Config(Answer, frozen=True, kw_only=True):
    """`/config`."""

    flink_version: str = field(name="flink-version", default="")
    flink_revision: str = field(name="flink-revision", default="")


class Overview(Answer, frozen=True, kw_only=True):
    """`/overview`."""

    taskmanagers: int = 0
    slots_total: int = field(name="slots-total", default=0)
    slots_available: int = field(name="slots-available", default=0)
    jobs_running: int = field(name="jobs-running", default=0)
    jobs_finished: int = field(name="jobs-finished", default=0)
    jobs_cancelled: int = field(name="jobs-cancelled", default=0)
    jobs_failed: int = field(name="jobs-failed", default=0)
    flink_version: str = field(name="flink-version", default="")
    flink_commit: str = field(name="flink-commit", default="")


class TaskManager(Answer, frozen=True, kw_only=True):
    """One entry of `/taskmanagers`."""

    id: str
    path: str = ""
    slots_number: int = field(name="slotsNumber", default=0)
    free_slots: int = field(name="freeSlots", default=0)


class TaskManagers(Answer, frozen=True, kw_only=True):
    """`/taskmanagers`."""

    taskmanagers: tuple[TaskManager, ...] = ()


class Metric(Answer, frozen=True, kw_only=True):
    """A metric's value as text; absent when only names were asked for."""

    id: str
    value: str | None = None


class AggregatedMetric(Answer, frozen=True, kw_only=True):
    """A metric over several subtasks or jobs; what was not asked for is absent."""

    id: str
    min: float | str | None = None
    max: float | str | None = None
    avg: float | str | None = None
    sum: float | str | None = None
    skew: float | str | None = None


class ExceptionEntry(Answer, frozen=True, kw_only=True):
    """One entry of a job's exception history."""

    exception_name: str = field(name="exceptionName", default="")
    stacktrace: str = ""
    timestamp: int = 0
    task_name: str | None = field(name="taskName", default=None)
    endpoint: str | None = None
    location: str | None = None
    task_manager_id: str | None = field(name="taskManagerId", default=None)
    failure_labels: dict[str, str] | None = field(name="failureLabels", default=None)

    @property
    def where(self) -> str | None:
        """The task manager's address: `endpoint`, called `location` up to Flink 1.17."""
        return self.endpoint or self.location


class ExceptionHistory(Answer, frozen=True, kw_only=True):
    """A job's exceptions, as many as the JobManager remembers."""

    entries: tuple[ExceptionEntry, ...] = ()
    truncated: bool = False


class Exceptions(Answer, frozen=True, kw_only=True):
    """`/jobs/:id/exceptions`."""

    history: ExceptionHistory = field(name="exceptionHistory", default=ExceptionHistory())


class Bounds(Answer, frozen=True, kw_only=True):
    """Lower and upper parallelism of a vertex."""

    lower: int = field(name="lowerBound")
    upper: int = field(name="upperBound")


class VertexRequirements(Answer, frozen=True, kw_only=True):
    """What a vertex may use."""

    parallelism: Bounds


Requirements = dict[str, VertexRequirements]
"""`/jobs/:id/resource-requirements` (Flink 1.18 and later): vertex id -> bounds."""


class JarUpload(Answer, frozen=True, kw_only=True):
    """Answer to an upload."""

    filename: str
    status: str = ""

    @property
    def jar_id(self) -> str:
        """The part after the last `/` (S-22)."""
        return self.filename.rsplit("/", 1)[-1]


class JarFile(Answer, frozen=True, kw_only=True):
    """An uploaded jar."""

    id: str
    name: str = ""
    uploaded: int = 0


class JarFiles(Answer, frozen=True, kw_only=True):
    """`/jars`."""

    files: tuple[JarFile, ...] = ()


class JarRun(Answer, frozen=True, kw_only=True):
    """Answer to running a jar."""

    jobid: str
