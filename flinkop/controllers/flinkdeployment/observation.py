"""What was found out about one FlinkDeployment: frozen facts, no judgement.

The observer gathers them, once per reconcile; everything after it decides from this value alone.
"""

from collections.abc import Mapping
from enum import Enum

from attrs import field, frozen

from flinkop.flink.interpret import FailureCause
from flinkop.flink.models import JobOverview


@frozen
class JobManagerFacts:
    """The JobManager Deployment as the cache has it.

    Attributes:
        uid: uid of the Deployment.
        ours: whether this FlinkDeployment owns it.
        generation: the generation it was made for, -1 when it does not say (behaviour.md 2.2).
        deleting: whether its deletion is under way.
        available: whether a replica is available.
        age: seconds since it was created.
        available_for: seconds since a replica became available, 0 while none is.
        replica_failure: message of its ReplicaFailure/FailedCreate condition, None without (O-20).
    """

    uid: str
    ours: bool
    generation: int
    deleting: bool
    available: bool
    age: float
    replica_failure: str | None = None
    available_for: float = 0.0


@frozen
class TaskManagerFacts:
    """The TaskManagers' Deployment of a standalone cluster as the cache has it.

    Attributes:
        uid: uid of the Deployment.
        ours: whether this FlinkDeployment owns it.
        deleting: whether its deletion is under way.
        replicas: how many TaskManagers it is to have.
    """

    uid: str
    ours: bool
    deleting: bool
    replicas: int


@frozen
class PodFailure:
    """Why the JobManager's pod does not come up (behaviour.md O-21 to O-23).

    Attributes:
        reason: the waiting reason, FailedMount or Unschedulable.
        message: what Kubernetes says about it, with the container's name in brackets.
        fatal: whether a change is needed; an unschedulable pod may still find a node.
    """

    reason: str
    message: str
    fatal: bool = True


class Rest(Enum):
    """How the JobManager's REST API was found."""

    NOT_ASKED = "not asked"
    ABSENT = "absent"  # nobody answers: refused, timed out, starting up
    FAILED = "failed"  # an answer that could not be used
    ANSWERED = "answered"


@frozen
class JobFailure:
    """Why the job failed: the causes, outermost first."""

    causes: tuple[FailureCause, ...]


@frozen
class RestFacts:
    """What the JobManager said.

    Attributes:
        state: whether it could be asked.
        detail: what went wrong, for people.
        jobs: its jobs.
        job_failure: cause of failure, when the job was found FAILED for the first time (O-35).
        cluster_info: version, cpu, memory and state size, when they were asked for (2.10).
    """

    state: Rest = Rest.NOT_ASKED
    detail: str = ""
    jobs: tuple[JobOverview, ...] = ()
    job_failure: JobFailure | None = None
    cluster_info: Mapping[str, str] | None = None

    def job(self, job_id: str | None) -> JobOverview | None:
        """Return the job with this id; nothing else ever identifies a job (O-31)."""
        return next((job for job in self.jobs if job.jid == job_id), None)


@frozen
class Observation:
    """Everything found out in one reconcile.

    Attributes:
        job_manager: the JobManager Deployment, None when the cache has none.
        task_managers: the Deployment by the name of a standalone cluster's TaskManagers, None when the
            cache has none; a native JobManager makes its TaskManagers itself.
        pods: whether pods of a JobManager exist, also of one whose Deployment is gone.
        pod_failure: what keeps its pod from running, looked for only while it is not available.
        rest: answers of the JobManager.
        session_jobs: names of the FlinkSessionJobs that run on this cluster, sorted.
        has_ingress: whether an Ingress of this resource exists.
    """

    job_manager: JobManagerFacts | None = None
    task_managers: TaskManagerFacts | None = None
    pods: bool = False
    pod_failure: PodFailure | None = None
    rest: RestFacts = field(factory=RestFacts)
    session_jobs: tuple[str, ...] = ()
    has_ingress: bool = False
