"""How a job is taken down so that it comes back with its state: the upgrade decision; pure.

behaviour.md 3.4, rules U-1 to U-23, in their order. A job with state is never decided to start empty
while a restore point of it may exist. What is decided:

    available     how the job ends (`Suspend`) and what the next start restores from
    not now       nothing yet: a cancellation is under way, or the job has to run first
    impossible    nothing without a person: no restore point can be proven
    a question    a fact that costs a request is needed; decide again when it is known
"""

import datetime as dt
import enum
from typing import Final

from attrs import evolve, frozen

from flinkop.api.common import UpgradeMode
from flinkop.api.status import FlinkJobState, JobManagerDeploymentStatus as JobManager
from flinkop.config import options

LAST_STATE_PATH: Final = "KUBERNETES_OPERATOR_LAST_STATE"
"""Restore path of a start from HA metadata: no readable path, so that Flink cannot start without it."""

UPGRADE_FAILED: Final = "UpgradeFailed"
"""Reason of what is impossible (behaviour.md 7.2)."""

_NO_KNOWN_CHECKPOINT: Final = (
    "Job is in terminal state but last checkpoint is unknown, possibly due to an unrecoverable restore error. "
    "Manual restore required."
)
# The text is a contract (behaviour.md 0.5, Q-27): the lifecycle state depends on parts of it.
_NO_METADATA: Final = (
    "JobManager deployment is missing and HA metadata is not available to make stateful upgrades. "
    "It is possible that the job has finished or terminally failed, or the configmaps have been deleted."
    "Manual restore required."
)


class Suspend(enum.Enum):
    """How the job that runs now ends (behaviour.md 3.5)."""

    NOOP = "has ended already"
    STATELESS = "is cancelled, and its cluster deleted"
    SAVEPOINT = "is stopped with a savepoint"
    CANCEL = "is cancelled, and its last checkpoint noted"
    LAST_STATE = "is left as it is, and its cluster deleted"


class Question(enum.Enum):
    """A fact that is looked up only when a decision needs it."""

    HA_METADATA = "whether HA metadata exists"
    CHECKPOINTS = "which checkpoints the job has"
    JOB_MANAGER = "whether the JobManager Deployment is really gone"
    REQUIREMENTS = "with which parallelism the job may run"
    REMAINS = "whether anything of a deleted cluster is left"


@frozen
class Available:
    """The job can be taken down now.

    Attributes:
        suspend: how it ends.
        restore: what the next start restores from; recorded as the job's upgradeMode.
        reason: why so, for people.
    """

    suspend: Suspend
    restore: UpgradeMode
    reason: str


@frozen
class NotNow:
    """The job cannot be taken down with its state now, and may be later.

    Attributes:
        reason: what is waited for, for people.
        others: whether recovery, restarts and snapshots go on meanwhile.
        fallback: whether HA metadata may be used instead.
    """

    reason: str
    others: bool
    fallback: bool = False


@frozen
class Impossible:
    """No restore point can be proven: a person has to decide.

    Attributes:
        message: the reference's text, which lifecycle states depend on.
        reason: reason of the Event.
    """

    message: str
    reason: str = UPGRADE_FAILED


Decision = Available | NotNow | Impossible


@frozen
class Checkpoints:
    """What a running job says of its checkpoints.

    Attributes:
        completed_at: trigger time of the newest restore point, epoch milliseconds; None without one.
        pending_at: trigger time of the one being taken; None when there is none.
    """

    completed_at: int | None = None
    pending_at: int | None = None


@frozen
class ClusterFacts:
    """What only an application's own cluster has (U-20 to U-23).

    Attributes:
        job_manager: the JobManager's state in this reconcile (T-28).
        high_availability: whether both the running and the wanted cluster keep HA metadata.
        recorded_mode: how the present run was restored.
        never_started: whether no JobManager pod of this Deployment was ever available.
        job_unknown: whether the JobManager answers and knows no such job: it ended while nobody looked.
    """

    job_manager: JobManager
    high_availability: bool = False
    recorded_mode: UpgradeMode = UpgradeMode.STATELESS
    never_started: bool = False
    job_unknown: bool = False


@frozen
class Facts:
    """All that decides.

    Attributes:
        mode: upgradeMode that the user asks for.
        job: state of the job.
        accessible: whether Flink can be asked and told; for session jobs whether their cluster is READY.
        now_ms: wall time, epoch milliseconds.
        started_ms: start of the job; None when unknown.
        path: `upgradeSavepointPath`.
        version_changed: whether `flinkVersion` differs; never for session jobs.
        savepoint_directory: whether savepoints have a place.
        fallback: `job.upgrade.last-state-fallback.enabled`.
        max_age: `job.upgrade.last-state.max.allowed.checkpoint.age`.
        cancel_instead: `job.upgrade.last-state.job-cancel.enabled`.
        ha_metadata: whether HA metadata exists; None when nobody looked.
        checkpoints: the job's checkpoints; None when nobody asked.
        cluster: the application's cluster; None for session jobs.
    """

    mode: UpgradeMode
    job: FlinkJobState | None
    accessible: bool
    now_ms: int
    started_ms: int | None = None
    path: str | None = None
    version_changed: bool = False
    savepoint_directory: bool = True
    fallback: bool = True
    max_age: dt.timedelta | None = None
    cancel_instead: bool = False
    ha_metadata: bool | None = None
    checkpoints: Checkpoints | None = None
    cluster: ClusterFacts | None = None

    @property
    def cancellable(self) -> bool:
        """Whether Flink can be told to cancel the job (behaviour.md 0.3)."""
        unknown = self.job is None or self.job is FlinkJobState.RECONCILING
        return self.accessible and not unknown and not self.ended

    @property
    def ended(self) -> bool:
        """Whether the job has ended for good."""
        return self.job is not None and self.job.is_terminal


class _Unasked(Exception):  # noqa: N818 - not an error: a fact that nobody has looked up yet
    def __init__(self, question: Question) -> None:
        super().__init__(question.value)
        self.question = question


def decide(facts: Facts) -> Decision | Question:
    """Return how the job is taken down; U-1 to U-23."""
    try:
        return _decide(facts)
    except _Unasked as unasked:
        return unasked.question


def _decide(facts: Facts) -> Decision:
    decision = _job(facts)
    if isinstance(decision, NotNow) and facts.cluster is not None:
        return _cluster(facts, facts.cluster, decision)
    return decision


def _job(facts: Facts) -> Decision:
    """U-1 to U-4, which hold for all modes."""
    if facts.mode is UpgradeMode.STATELESS:
        suspend = Suspend.NOOP if facts.ended else Suspend.STATELESS
        return Available(suspend, UpgradeMode.STATELESS, "upgradeMode is stateless")
    if facts.ended and _end_is_final(facts):
        if facts.path == LAST_STATE_PATH:
            return Impossible(_NO_KNOWN_CHECKPOINT)
        return Available(Suspend.NOOP, UpgradeMode.SAVEPOINT, f"the job is {facts.job} already")
    if facts.job is FlinkJobState.CANCELLING:
        return NotNow("the job is being cancelled", others=False)
    if facts.mode is UpgradeMode.SAVEPOINT:
        return _savepoint(facts)
    return _last_state(facts)


def _end_is_final(facts: Facts) -> bool:
    """Whether the end that was observed is all there is: no HA metadata tells of a job that goes on."""
    return facts.job is FlinkJobState.CANCELED or facts.accessible or not _has_metadata(facts)


def _savepoint(facts: Facts) -> Decision:
    """U-5 to U-7."""
    if facts.job is FlinkJobState.RUNNING and facts.accessible:
        return Available(Suspend.SAVEPOINT, UpgradeMode.SAVEPOINT, "upgradeMode is savepoint")
    if facts.version_changed or facts.fallback:
        return _last_state(facts)
    key = options.LAST_STATE_FALLBACK_ENABLED.key
    return NotNow(f"a savepoint needs a running job, and {key} is false", others=True)


def _last_state(facts: Facts) -> Decision:
    """U-8 to U-16."""
    if facts.version_changed:
        return _other_version(facts)
    cancels = facts.cancellable and _is_cancelled(facts)
    if facts.job is FlinkJobState.RUNNING and facts.accessible:
        return _running(facts, cancels=cancels)
    if cancels:
        return _cancel(_state(facts))
    return NotNow(_state(facts), others=True, fallback=True)


def _state(facts: Facts) -> str:
    unknown = facts.job is None or facts.job is FlinkJobState.RECONCILING
    return "nobody can tell how the job is" if unknown else f"the job is {facts.job}"


def _other_version(facts: Facts) -> Decision:
    """U-8 to U-10: HA metadata of one Flink version cannot be read by another."""
    running = facts.job is FlinkJobState.RUNNING and facts.accessible
    if running and facts.savepoint_directory:
        reason = "another Flink version cannot read HA metadata"
        return Available(Suspend.SAVEPOINT, UpgradeMode.SAVEPOINT, reason)
    if facts.cancellable:
        return _cancel("another Flink version cannot read HA metadata")
    return NotNow(
        "the Flink version changes, and that needs a job that can be stopped", others=True
    )


def _running(facts: Facts, *, cancels: bool) -> Decision:
    """U-11 to U-14: a checkpoint that is too old is not gone back to."""
    if facts.max_age is None:
        return _default(facts, cancels=cancels)
    oldest = facts.now_ms - int(facts.max_age.total_seconds() * 1000)
    if facts.started_ms is not None and oldest < facts.started_ms:
        return _default(facts, cancels=cancels)
    checkpoints = _known_checkpoints(facts)
    if checkpoints.completed_at is not None and checkpoints.completed_at > oldest:
        return _default(facts, cancels=cancels)
    if checkpoints.pending_at is not None and checkpoints.pending_at > oldest:
        return NotNow("a checkpoint is being taken", others=True)
    reason = f"the last checkpoint is older than {options.LAST_STATE_MAX_CHECKPOINT_AGE.key} allows"
    return Available(Suspend.SAVEPOINT, UpgradeMode.SAVEPOINT, reason)


def _default(facts: Facts, *, cancels: bool) -> Available:
    if not cancels:
        return _from_metadata("upgradeMode is last-state")
    if facts.cluster is None:
        cause = "the cluster is not the job's alone"
    elif facts.cancel_instead:
        cause = f"{options.LAST_STATE_CANCEL_ENABLED.key} is true"
    else:
        cause = "there is no HA metadata"
    return _cancel(f"upgradeMode is last-state, and {cause}")


def _is_cancelled(facts: Facts) -> bool:
    """Whether a job that can be cancelled is: with HA metadata its cluster is deleted instead."""
    return facts.cluster is None or facts.cancel_instead or not _has_metadata(facts)


def _cancel(reason: str) -> Available:
    return Available(Suspend.CANCEL, UpgradeMode.SAVEPOINT, reason)


def _from_metadata(reason: str) -> Available:
    return Available(Suspend.LAST_STATE, UpgradeMode.LAST_STATE, reason)


def _cluster(facts: Facts, cluster: ClusterFacts, decision: NotNow) -> Decision:
    """U-20 to U-23: an application may do without its job's help."""
    if decision.fallback and cluster.high_availability and _has_metadata(facts):
        return _from_metadata(f"{decision.reason}, and HA metadata exists")
    missing = cluster.job_manager is JobManager.MISSING
    never = cluster.never_started and cluster.recorded_mode is not UpgradeMode.LAST_STATE
    if never and not missing:  # the path it should have started from is the one to start from
        ended = evolve(cluster, never_started=False)
        found = _decide(evolve(facts, job=FlinkJobState.FAILED, accessible=False, cluster=ended))
        if isinstance(found, Available):
            return evolve(found, reason="the JobManager never started, so nothing was done since")
        return found
    down = missing or cluster.job_manager is JobManager.ERROR or cluster.job_unknown
    if down and not _has_metadata(facts):
        return Impossible(_NO_METADATA)
    return decision


def _has_metadata(facts: Facts) -> bool:
    if facts.ha_metadata is None:
        raise _Unasked(Question.HA_METADATA)
    return facts.ha_metadata


def _known_checkpoints(facts: Facts) -> Checkpoints:
    if facts.checkpoints is None:
        raise _Unasked(Question.CHECKPOINTS)
    return facts.checkpoints
