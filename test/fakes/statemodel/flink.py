"""Flink in a model: one JobManager process, its job, what outlives it; frozen values.

A restore point is a number that grows with time; its path ends in it. What a start restores: the newest
checkpoint in the HA metadata of its job id, else its savepoint path, else nothing. What cannot be read fails
the job. FINISHED, CANCELED and FAILED remove the job's HA metadata; FINISHED also its checkpoints, savepoints
never go. With HA a job that has ended is not run again by a JobManager that restarts; without, it is.
"""

from typing import Final

from attrs import evolve, frozen

from flinkop.flink.interpret import PENDING, Done, Failed, Pending
from flinkop.flink.states import JobState as State

CLUSTER: Final = "basic"


def checkpoint(number: int) -> str:
    """Return the path of a checkpoint."""
    return f"s3://checkpoints/chk-{number}"


def savepoint(number: int) -> str:
    """Return the path of a savepoint."""
    return f"s3://savepoints/savepoint-{number}"


def number(path: str) -> int:
    """Return the number of a restore point."""
    return int(path.rpartition("-")[2])


@frozen
class Job:
    """A job as its JobManager knows it.

    Attributes:
        id: its id.
        state: its state.
        restored: path of what it started from, None for nothing.
        taken: newest restore point of this run in its statistics.
        triggers: stops with savepoint, by trigger id.
        ended_itself: whether nobody asked for its end.
    """

    id: str
    state: State = State.CREATED
    restored: str | None = None
    taken: str | None = None
    triggers: tuple[tuple[str, Pending | Done | Failed], ...] = ()
    ended_itself: bool = False

    @property
    def lives(self) -> bool:
        """Whether it has not ended."""
        return not self.state.is_terminal

    @property
    def newest(self) -> str | None:
        """What its statistics have as the newest restore point."""
        return self.taken or self.restored

    def outcome(self, trigger: str) -> Pending | Done | Failed:
        """Return how far a stop is; one that is not known was never asked for, or long ago."""
        return dict(self.triggers).get(trigger, Failed("HTTP 404", "HTTP 404", unknown=True))

    @property
    def stopping(self) -> str | None:
        """Trigger id of the stop under way."""
        return next((one for one, outcome in self.triggers if outcome is PENDING), None)

    def settled(self, outcome: Done | Failed) -> "Job":
        """Return the job with the stop under way settled, if there is one."""
        found = tuple((t, outcome if o is PENDING else o) for t, o in self.triggers)
        return evolve(self, triggers=found)


@frozen
class Metadata:
    """The HA ConfigMap of one job.

    Attributes:
        checkpoint: path of the newest checkpoint in it.
        graph: whether the job's graph is in it: every JobManager that finds it runs the job.
        version: Flink's version that wrote it; another cannot read it.
    """

    checkpoint: str | None
    graph: bool
    version: str


@frozen
class Process:
    """A JobManager's pod: what it was configured with, and what runs in it.

    Attributes:
        uid: of the Deployment it belongs to.
        generation: for which it was made.
        job_id: id that its job gets; None for a session cluster.
        path: savepoint path it was configured with.
        ha: whether it keeps HA metadata.
        version: Flink's version.
        can_start: whether its image can be pulled.
        up: whether it answers.
        begun: whether it was ever up.
        job: its job, None before it was submitted.
        results: ids of the jobs that have ended, in the job result store.
    """

    uid: str
    generation: int
    job_id: str | None
    path: str | None
    ha: bool
    version: str
    can_start: bool
    up: bool = False
    begun: bool = False
    job: Job | None = None
    results: frozenset[str] = frozenset()

    @property
    def runs_a_job(self) -> bool:
        """Whether a job of it processes data, or may."""
        return self.up and self.job is not None and self.job.lives
