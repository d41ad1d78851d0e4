"""One word and four conditions for what a status says (behaviour.md 0.5, 0.6; kstatus conditions).

Running      the reference's, of FlinkDeployments alone: the job runs, or the session cluster answers
Ready        what the user asked for is in place (kstatus); `kubectl wait --for=condition=Ready`
Reconciling  True while the operator works towards it
Stalled      True when it will not get there without a change by somebody
"""

from typing import Final, TypeVar

from attrs import evolve, frozen

from flinkop.api.common import JobState
from flinkop.api.status import (
    CommonStatus,
    Condition,
    FlinkDeploymentStatus,
    FlinkJobState,
    JobManagerDeploymentStatus as JobManager,
    LifecycleState,
    ReconciliationState,
)
from flinkop.lifecycle import record

StatusT = TypeVar("StatusT", bound=CommonStatus)

READY: Final = "Ready"
"""Type of the condition that no other operator writes."""

_NO_WAY_BACK: Final = (
    "Manual restore required.",
    "It is possible that the job has finished or terminally failed, or the configmaps have been deleted.",
    "HA metadata is not available",
)
_IN_DELETION: Final = frozenset({LifecycleState.DELETING, LifecycleState.DELETED})
_JOB_MANAGER_WORDS: Final = {
    JobManager.READY: (
        "JobManagerReady",
        "JobManager is running and ready to receive REST API calls",
    ),
    JobManager.DEPLOYED_NOT_READY: (
        "DeployedNotReady",
        "JobManager is running but not yet ready to receive REST API calls",
    ),
    JobManager.DEPLOYING: ("JobManagerIsDeploying", "JobManager process is starting up"),
    JobManager.MISSING: ("JobManagerDeploymentMissing", "JobManager deployment not found"),
    JobManager.ERROR: ("Error", "JobManager deployment failed"),
}


def lifecycle_state(status: CommonStatus) -> LifecycleState:
    """Return the one-word summary; the first rule of behaviour.md 0.5 that matches."""
    recon = status.reconciliation_status
    if status.lifecycle_state in _IN_DELETION:
        return status.lifecycle_state or LifecycleState.DELETING
    recorded = record.last_reconciled(status)
    if recorded is None:
        return LifecycleState.FAILED if status.error else LifecycleState.CREATED
    if recon.state is ReconciliationState.UPGRADING or record.is_stopping(status):
        return LifecycleState.UPGRADING
    if recon.state is ReconciliationState.ROLLING_BACK:
        return LifecycleState.ROLLING_BACK
    if recorded.spec.job is not None and recorded.spec.job.state is JobState.SUSPENDED:
        return LifecycleState.SUSPENDED
    if _has_failed(status):
        return LifecycleState.FAILED
    if recon.state is ReconciliationState.ROLLED_BACK:
        return LifecycleState.ROLLED_BACK
    return LifecycleState.STABLE if record.is_stable(status) else LifecycleState.DEPLOYED


def _has_failed(status: CommonStatus) -> bool:
    if status.job_status.state is FlinkJobState.FAILED:
        return True
    if not isinstance(status, FlinkDeploymentStatus):
        return False
    down = status.job_manager_deployment_status in (JobManager.MISSING, JobManager.ERROR)
    return down and any(text in (status.error or "") for text in _NO_WAY_BACK)


@frozen
class Stall:
    """Why nothing more happens by itself: a reason for programs and a message for people."""

    reason: str
    message: str


@frozen
class Note:
    """What is being done or waited for on the way to the wanted spec: a reason and a message, as in Stall."""

    reason: str
    message: str


def summarize(
    status: StatusT,
    *,
    generation: int,
    now: str,
    stall: Stall | None,
    note: Note | None = None,
    suspended: bool = False,
) -> StatusT:
    """Return `status` with lifecycleState and conditions brought up to date.

    Args:
        status: the status of this reconcile.
        generation: `metadata.generation` that the conditions are about.
        now: RFC 3339 time for conditions that change.
        stall: what keeps the wanted spec from being reached, if something does.
        note: what is being done on the way to it, if that is not plain from the state.
        suspended: whether the user wants no job: then CREATED is where it ends.
    """
    state = lifecycle_state(status)
    status = evolve(status, lifecycle_state=state)
    # CREATED must stay in lifecycleState, where the reference has it; the conditions tell what it means.
    shown = LifecycleState.SUSPENDED if suspended and state is LifecycleState.CREATED else state
    wanted = [
        *_running(status),
        _ready(status, shown, generation, stall or note),
        _reconciling(shown, generation, stall, note),
        _stalled(generation, stall),
    ]
    conditions = tuple(_keep_time(condition, status.conditions, now) for condition in wanted)
    return status if conditions == status.conditions else evolve(status, conditions=conditions)


def _running(status: CommonStatus) -> list[Condition]:
    """The reference's only condition (behaviour.md 0.6); absent before anything was reconciled."""
    if not isinstance(status, FlinkDeploymentStatus):
        return []
    recorded = record.last_reconciled(status)
    if recorded is None:
        return []
    if recorded.spec.job is None:
        reason, message = _JOB_MANAGER_WORDS[status.job_manager_deployment_status]
        up = status.job_manager_deployment_status is JobManager.READY
        return [Condition(type="Running", status=_truth(up), reason=reason, message=message)]
    job = status.job_status.state or FlinkJobState.RECONCILING
    return [
        Condition(
            type="Running",
            status=_truth(job is FlinkJobState.RUNNING),
            reason=job.value.capitalize(),
            message=f"Job status {job.value}",
        ),
    ]


def _ready(
    status: CommonStatus,
    state: LifecycleState,
    generation: int,
    cause: Stall | Note | None,
) -> Condition:
    if cause is not None:
        return _condition(READY, generation, cause.reason, cause.message, up=False)
    job = status.job_status.state
    match state:
        case LifecycleState.STABLE if _is_session(status):
            up = _job_manager(status) is JobManager.READY
            reason, message = _JOB_MANAGER_WORDS[_job_manager(status)]
            return _condition(READY, generation, reason, message, up=up)
        case LifecycleState.STABLE if job in (FlinkJobState.RUNNING, FlinkJobState.FINISHED):
            message = (
                "the job has finished" if job is FlinkJobState.FINISHED else "running as specified"
            )
            return _condition(READY, generation, "Stable", message, up=True)
        case LifecycleState.SUSPENDED:
            return _condition(READY, generation, "Suspended", "suspended as specified", up=True)
        case LifecycleState.STABLE:
            reason = _interruption(status)
            return _condition(READY, generation, reason, _progress(status, state), up=False)
        case _:
            return _condition(READY, generation, _word(state), _progress(status, state), up=False)


def _reconciling(
    state: LifecycleState, generation: int, stall: Stall | None, note: Note | None
) -> Condition:
    if note is not None and stall is None:
        return _condition("Reconciling", generation, note.reason, note.message, up=True)
    busy = stall is None and state in (
        LifecycleState.CREATED,
        LifecycleState.UPGRADING,
        LifecycleState.DEPLOYED,
        LifecycleState.ROLLING_BACK,
        LifecycleState.DELETING,
    )
    message = f"working: {state.value.lower()}" if busy else "nothing to do"
    return _condition("Reconciling", generation, _word(state), message, up=busy)


def _stalled(generation: int, stall: Stall | None) -> Condition:
    if stall is None:
        return _condition(
            "Stalled", generation, "NotStalled", "no change is needed from outside", up=False
        )
    return _condition("Stalled", generation, stall.reason, stall.message, up=True)


def _progress(status: CommonStatus, state: LifecycleState) -> str:
    job = status.job_status.state
    words = []
    if isinstance(status, FlinkDeploymentStatus):
        words.append(_JOB_MANAGER_WORDS[_job_manager(status)][1])
    if not _is_session(status) and job is not None:
        words.append(f"job is {job.value}")
    return ": ".join(part for part in (state.value.lower(), "; ".join(words)) if part)


def _interruption(status: CommonStatus) -> str:
    """Return in one word what keeps a job from running whose spec has run before."""
    if _job_manager(status) is not JobManager.READY:
        return _JOB_MANAGER_WORDS[_job_manager(status)][0]
    return (status.job_status.state or FlinkJobState.RECONCILING).value.capitalize()


def _job_manager(status: CommonStatus) -> JobManager:
    """Return the state of the resource's own JobManager; a session job has none that could be down."""
    if not isinstance(status, FlinkDeploymentStatus):
        return JobManager.READY
    return status.job_manager_deployment_status


def _is_session(status: CommonStatus) -> bool:
    if not isinstance(status, FlinkDeploymentStatus):
        return False
    recorded = record.last_reconciled(status)
    return recorded is not None and recorded.spec.job is None


def _word(state: LifecycleState) -> str:
    return "".join(part.capitalize() for part in state.value.split("_"))


def _condition(kind: str, generation: int, reason: str, message: str, *, up: bool) -> Condition:
    return Condition(
        type=kind,
        status=_truth(up),
        reason=reason,
        message=message,
        observed_generation=generation,
    )


def _truth(value: bool) -> str:  # noqa: FBT001 - a formatter
    return "True" if value else "False"


def _keep_time(new: Condition, old: tuple[Condition, ...], now: str) -> Condition:
    previous = next((c for c in old if c.type == new.type), None)
    if previous is not None and previous.status == new.status:
        return evolve(new, last_transition_time=previous.last_transition_time)
    return evolve(new, last_transition_time=now)
