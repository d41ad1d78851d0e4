"""What Flink tells of a job: frozen facts, no judgement."""

from collections.abc import Mapping
from enum import Enum

from attrs import field, frozen

from flinkop.flink.interpret import Done, Failed, FailureCause, Pending
from flinkop.flink.models import JobOverview
from flinkop.lifecycle.cluster_health import Observed
from flinkop.lifecycle.exception_looks import History
from flinkop.lifecycle.inplace_scaling import Requirements
from flinkop.lifecycle.upgrade import Checkpoints


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
class CheckpointError:
    """Why the job's last checkpoint is not known.

    Attributes:
        reason: reason of an Event.
        message: in words.
        is_final: whether asking again gives the same answer.
    """

    reason: str
    message: str
    is_final: bool = False


@frozen
class CheckpointFacts:
    """What the job says of its checkpoints (behaviour.md 4.4).

    Attributes:
        path: the newest restore point, None when there is none.
        times: when it was taken, and the one under way.
        error: why nothing is known; then the rest means nothing.
    """

    path: str | None = None
    times: Checkpoints = field(factory=Checkpoints)
    error: CheckpointError | None = None


@frozen
class RestFacts:
    """What the JobManager said.

    Attributes:
        state: whether it could be asked.
        detail: what went wrong, for people.
        jobs: its jobs.
        job_failure: cause of failure, when the job was found FAILED for the first time (O-35).
        cluster_info: version, cpu, memory and state size, when they were asked for (2.10).
        checkpoints: the job's checkpoints, when they were asked for.
        savepoint: how far the savepoint in `status.jobStatus.savepointInfo` is, if one is under way.
        checkpoint: likewise for `checkpointInfo`.
        health: what the job's health is judged by, when it was asked for.
        requirements: bounds of the job's vertices, when they were asked for; none when nobody could say.
        exceptions: the job's exceptions, when they were asked for.
    """

    state: Rest = Rest.NOT_ASKED
    detail: str = ""
    jobs: tuple[JobOverview, ...] = ()
    job_failure: JobFailure | None = None
    cluster_info: Mapping[str, str] | None = None
    checkpoints: CheckpointFacts | None = None
    savepoint: Pending | Done | Failed | None = None
    checkpoint: Pending | Done | Failed | None = None
    health: Observed | None = None
    requirements: Requirements | None = None
    exceptions: History | None = None

    def job(self, job_id: str | None) -> JobOverview | None:
        """Return the job with this id; nothing else ever identifies a job (O-31)."""
        return next((job for job in self.jobs if job.jid == job_id), None)
