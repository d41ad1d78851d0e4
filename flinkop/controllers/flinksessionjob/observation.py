"""What was found out about one FlinkSessionJob: frozen facts, no judgement."""

from enum import Enum

from attrs import field, frozen

from flinkop.controllers.jobs.facts import RestFacts
from flinkop.lifecycle.failure import Failure
from flinkop.lifecycle.snapshot_facts import SnapshotFacts
from flinkop.stages.session_clusters import SessionCluster


class Handover(Enum):
    """How far the submission of a job is, as this process knows."""

    UNKNOWN = "unknown"  # nothing was begun here, or an answer got lost
    UNDER_WAY = "under way"
    ACCEPTED = "accepted"
    REFUSED = "refused"  # for certain: Flink never had the job


@frozen
class Submitted:
    """The submission of the job that the status names.

    Attributes:
        handover: how far it is.
        failure: why the last attempt came to nothing.
        reason: in one word.
        final: whether another attempt would end the same way, until the spec or the configuration changes.
        wait: seconds until the next attempt.
    """

    handover: Handover = Handover.UNKNOWN
    failure: Failure | None = None
    reason: str = ""
    final: bool = False
    wait: float = 0.0


@frozen
class Observation:
    """Everything found out in one reconcile.

    Attributes:
        cluster: the session cluster; None when the cache has none of that name.
        cluster_known: whether its absence from the cache means that there is none.
        rest: answers of its JobManager about the job; of its jobs only this one.
        absent_for: seconds for which this process has found the JobManager answering without the job.
        submitted: how far the submission is.
        snapshots: the FlinkStateSnapshots of the job, oldest first; None where there can be none.
    """

    cluster: SessionCluster | None = None
    cluster_known: bool = True
    rest: RestFacts = field(factory=RestFacts)
    absent_for: float = 0.0
    submitted: Submitted = field(factory=Submitted)
    snapshots: tuple[SnapshotFacts, ...] | None = None
