"""What was found out about one FlinkDeployment: frozen facts, no judgement.

The observer gathers them, once per reconcile; everything after it decides from this value alone.
"""

from typing import Final

from attrs import field, frozen

from flinkop.controllers.jobs.facts import RestFacts
from flinkop.lifecycle.ha_metadata import HaFacts
from flinkop.lifecycle.snapshot_facts import SnapshotFacts

NO_GENERATION: Final = -1
"""Generation of a Deployment that does not say for which it was made (behaviour.md 2.2)."""


@frozen
class JobManagerFacts:
    """The JobManager Deployment as the cache has it.

    Attributes:
        uid: uid of the Deployment.
        ours: whether this FlinkDeployment owns it.
        generation: the generation it was made for, NO_GENERATION when it does not say.
        deleting: whether its deletion is under way.
        available: whether a replica is available.
        age: seconds since it was created.
        available_for: seconds since a replica became available, 0 while none is.
        never_available: whether no replica was ever available (behaviour.md 3.4).
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
    never_available: bool = False


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


@frozen
class Observation:
    """Everything found out in one reconcile.

    Attributes:
        job_manager: the JobManager Deployment, None when the cache has none.
        confirmed: whether the API server was asked and has none either.
        task_managers: the Deployment by the name of a standalone cluster's TaskManagers, None when the
            cache has none; a native JobManager makes its TaskManagers itself.
        pods: whether pods of a JobManager exist, also of one whose Deployment is gone.
        pod_failure: what keeps its pod from running, looked for only while it is not available.
        rest: answers of the JobManager.
        session_jobs: names of the FlinkSessionJobs that run on this cluster, sorted.
        has_ingress: whether an Ingress of this resource exists.
        ha: its HA metadata, when it was looked for.
        snapshots: the FlinkStateSnapshots of its job, oldest first; None where there can be none.
        remains: whether the API server has something left of a cluster whose JobManager Deployment is gone,
            when it was asked.
    """

    job_manager: JobManagerFacts | None = None
    confirmed: bool = False
    task_managers: TaskManagerFacts | None = None
    pods: bool = False
    pod_failure: PodFailure | None = None
    rest: RestFacts = field(factory=RestFacts)
    session_jobs: tuple[str, ...] = ()
    has_ingress: bool = False
    ha: HaFacts | None = None
    snapshots: tuple[SnapshotFacts, ...] | None = None
    remains: bool | None = None
