"""What was found out about one FlinkStateSnapshot: frozen facts, no judgement.

The observer gathers them, once per reconcile; everything after it decides from this value alone.
"""

from enum import Enum

from attrs import field, frozen

from flinkop.flink.interpret import FailureCause
from flinkop.stages.targets import Access, Target


class Answer(Enum):
    """What Flink says about a trigger."""

    NOT_ASKED = "not asked"
    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"  # it never heard of it, as far as this process can tell
    FORGOTTEN = "forgotten"  # it knew it before: that JobManager is gone
    SILENT = "silent"  # no answer that could be used


@frozen
class TriggerFacts:
    """What became of the attempt under way.

    Attributes:
        answer: what Flink says.
        path: where the snapshot is, when it is DONE; "" when Flink no longer knows its place.
        causes: why it FAILED, outermost first.
        detail: for people: why there is no usable answer, or no path.
        silent_for: seconds for which this process has had no sign of the trigger; 0 once there is one.
    """

    answer: Answer = Answer.NOT_ASKED
    path: str = ""
    causes: tuple[FailureCause, ...] = ()
    detail: str = ""
    silent_for: float = 0.0


class Disposal(Enum):
    """How far the disposal of a savepoint's files is."""

    NOT_ASKED = "not asked"
    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


@frozen
class CleanupFacts:
    """What decides about the deletion of a snapshot whose files have to go.

    Attributes:
        disposal: how far their disposal is.
        detail: why it FAILED, for people.
        users: names of the resources whose jobs may start from the savepoint, sorted.
        namespace_ends: whether the namespace is being deleted; looked for only while nothing can be
            disposed of.
    """

    disposal: Disposal = Disposal.NOT_ASKED
    detail: str = ""
    users: tuple[str, ...] = ()
    namespace_ends: bool = False


@frozen
class Observation:
    """Everything found out in one reconcile.

    Attributes:
        target_known: whether an absent target is really not there.
        target: the job that the snapshot names; None when there is none.
        access: how its Flink is reached; None when its job is known not to run, or its cluster is not there.
        trigger: the attempt under way.
        cleanup: what decides about the deletion.
    """

    target_known: bool = True
    target: Target | None = None
    access: Access | None = None
    trigger: TriggerFacts = field(factory=TriggerFacts)
    cleanup: CleanupFacts = field(factory=CleanupFacts)

    @property
    def job_runs(self) -> bool:
        """Whether Flink can be asked for something about the job."""
        return self.access is not None and self.target is not None and self.target.runs
