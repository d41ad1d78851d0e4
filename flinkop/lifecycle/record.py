"""The few ways in which a status may record what is being done (behaviour.md 0.4, P-1 to P-8).

Each takes a status and returns the next one; nothing is written here. A recorded spec is not the
user's text: its `job.state` is what was reached and its `job.upgradeMode` what the restore used.
"""

import functools
from collections.abc import Callable, Collection
from typing import Final, TypeVar, overload

from attrs import evolve, frozen

from flinkop.api import recorded_spec
from flinkop.api.common import AbstractSpec, JobState, UpgradeMode
from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.flinksessionjob import FlinkSessionJobSpec
from flinkop.api.recorded_spec import RecordedSpec
from flinkop.api.status import (
    CommonStatus,
    FlinkDeploymentStatus,
    FlinkJobState,
    FlinkSessionJobStatus,
    JobManagerDeploymentStatus,
    ReconciliationState,
    ReconciliationStatus,
    Savepoint,
    SnapshotTriggerType,
    TaskManagerInfo,
)
from flinkop.api.wire import DecodeError
from flinkop.lifecycle import specdiff


@frozen
class Target:
    """What is recorded: a spec of one generation, when, and the TaskManagers it needs.

    Attributes:
        spec: the spec as acted on (its upgradeMode is the one in use).
        generation: `metadata.generation` it came with.
        now_ms: epoch milliseconds.
        task_managers: number of TaskManagers, None for session clusters and their jobs.
        name: name of the resource, for the TaskManagers' selector.
        user_suspended: whether the user asks for `job.state: suspended`.
    """

    spec: AbstractSpec
    generation: int
    now_ms: int
    name: str
    task_managers: int | None = None
    user_suspended: bool = False


Recorded = RecordedSpec[FlinkDeploymentSpec]
"""A recorded FlinkDeployment spec."""

RecordedJob = RecordedSpec[FlinkSessionJobSpec]
"""A recorded FlinkSessionJob spec."""

_Any = RecordedSpec[AbstractSpec]

StatusT = TypeVar("StatusT", bound=CommonStatus)

# One reconcile asks for the same text several times; the values are frozen, so sharing is safe.
_decode_deployment: Final = functools.lru_cache(maxsize=256)(recorded_spec.decode)
_decode_job: Final = functools.lru_cache(maxsize=256)(recorded_spec.decode_sessionjob)


@overload
def last_reconciled(status: FlinkDeploymentStatus) -> Recorded | None: ...
@overload
def last_reconciled(status: FlinkSessionJobStatus) -> RecordedJob | None: ...
@overload
def last_reconciled(status: CommonStatus) -> _Any | None: ...
def last_reconciled(status: CommonStatus) -> _Any | None:
    """Return the recorded spec; None before the first deployment."""
    return _read(status, status.reconciliation_status.last_reconciled_spec)


@overload
def last_stable(status: FlinkDeploymentStatus) -> Recorded | None: ...
@overload
def last_stable(status: FlinkSessionJobStatus) -> RecordedJob | None: ...
@overload
def last_stable(status: CommonStatus) -> _Any | None: ...
def last_stable(status: CommonStatus) -> _Any | None:
    """Return the last spec that was found stable."""
    return _read(status, status.reconciliation_status.last_stable_spec)


def _read(status: CommonStatus, text: str | None) -> _Any | None:
    if not text:
        return None
    return _decode_job(text) if _is_of_job(status) else _decode_deployment(text)


def _is_of_job(status: CommonStatus) -> bool:
    return isinstance(status, FlinkSessionJobStatus)


def is_stable(status: CommonStatus) -> bool:
    """Whether the recorded spec is the stable one (behaviour.md 0.2).

    The reference compares letters. Here the specs count: two releases write the same one differently, and
    that must not make an upgrade that failed out of a job that has run for months (`api.md` trap 25).
    """
    recon = status.reconciliation_status
    last, stable = recon.last_reconciled_spec, recon.last_stable_spec
    if last is None or stable is None:
        return False
    return last == stable or _same(stable, last, of_job=_is_of_job(status))


@functools.lru_cache(maxsize=256)
def _same(stable: str, last: str, *, of_job: bool) -> bool:
    decode: Callable[[str], _Any] = _decode_job if of_job else _decode_deployment
    try:
        before, after = decode(stable), decode(last)
    except DecodeError:
        return False
    return not specdiff.between(before.spec, after.spec).changes


def with_generation(status: StatusT) -> StatusT:
    """Return a status of the releases 1.1 to 1.7 with the generation that its recorded spec belongs to.

    They kept it beside the recorded spec (`api.md` 3.4). Without it nothing would tell a deployment that was
    interrupted from the cluster that it replaces. 1.0 did not know it; other statuses stay as they are.
    """
    if status.observed_generation is not None:
        return status
    recorded = last_reconciled(status)
    if recorded is None or recorded.generation is None:
        return status
    return evolve(status, observed_generation=recorded.generation)


def is_first_deployment(status: CommonStatus) -> bool:
    """Whether the recorded spec is that of the first deployment.

    Where the text does not say (releases 1.0 and 1.1), it is the first attempt that never got anywhere.
    """
    recorded = last_reconciled(status)
    if recorded is None:
        return False
    if recorded.first_deployment is not None:
        return recorded.first_deployment
    recon = status.reconciliation_status
    upgrading = recon.state is ReconciliationState.UPGRADING
    return upgrading and status.job_status.job_id is None and recon.last_stable_spec is None


def before_attempt(status: StatusT, target: Target) -> StatusT:
    """Record that `target` is about to be deployed (P-1 with upgrading)."""
    return _record(status, target, after=JobState.SUSPENDED, upgrading=True)


def before_suspension(status: FlinkDeploymentStatus, target: Target) -> FlinkDeploymentStatus:
    """Record that `target` is reached without a job, once the cluster is gone; see `is_suspending`."""
    recorded = before_attempt(status, target)
    going = TaskManagerInfo(label_selector=_selector(target), replicas=0)
    return evolve(recorded, task_manager=going)


def is_suspending(status: FlinkDeploymentStatus) -> bool:
    """Whether the upgrade under way is to end without a job.

    The recorded spec cannot tell, as its `job.state` is SUSPENDED during every upgrade. What tells is the
    scale subresource: no TaskManagers wanted, and a selector for those that are still there.
    """
    info = status.task_manager
    upgrading = status.reconciliation_status.state is ReconciliationState.UPGRADING
    return upgrading and info is not None and info.replicas == 0 and bool(info.label_selector)


def is_stopping(status: CommonStatus) -> bool:
    """Whether the job is being stopped with a savepoint: for an upgrade, a suspension or the end.

    Until it is there, the recorded spec is the old one.
    """
    info = status.job_status.savepoint_info
    return (
        info is not None
        and bool(info.trigger_id)
        and info.trigger_type is SnapshotTriggerType.UPGRADE
    )


def without_savepoint_trigger(status: StatusT) -> StatusT:
    """Record that no savepoint is under way."""
    info = status.job_status.savepoint_info
    if info is None or info.trigger_id is None:
        return status
    idle = evolve(
        info, trigger_id=None, trigger_timestamp=None, trigger_type=None, format_type=None
    )
    return evolve(status, job_status=evolve(status.job_status, savepoint_info=idle))


def without_savepoints(status: StatusT, gone: Collection[Savepoint]) -> StatusT:
    """Take savepoints out of the history."""
    info = status.job_status.savepoint_info
    if info is None:
        return status
    left = tuple(one for one in info.savepoint_history if one not in gone)
    kept = evolve(info, savepoint_history=left)
    return evolve(status, job_status=evolve(status.job_status, savepoint_info=kept))


def with_trigger_id(status: StatusT, ours: str, theirs: str) -> StatusT:
    """Record the trigger id that Flink chose for a savepoint which was written ahead under ours."""
    info = status.job_status.savepoint_info
    if info is None or info.trigger_id != ours or ours == theirs:
        return status
    info = evolve(info, trigger_id=theirs)
    return evolve(status, job_status=evolve(status.job_status, savepoint_info=info))


def deployed(status: StatusT, target: Target) -> StatusT:
    """Record that `target` is in place: submitted, or suspended as asked (P-1)."""
    state = target.spec.job.state if target.spec.job else JobState.RUNNING
    return _record(status, target, after=state, upgrading=False)


def refresh(status: StatusT, generation: int) -> StatusT:
    """Record that `generation` asks for nothing new; the stored spec stays as it is (P-2)."""
    if status.observed_generation == generation:
        return status
    return evolve(status, observed_generation=generation)


def already_upgraded(status: StatusT) -> StatusT:
    """Record that the upgrade under way was found to be done (P-6)."""

    def running(recorded: _Any) -> _Any:
        return _with_job_state(recorded, JobState.RUNNING)

    found = edit_recorded(status, running)
    recon = evolve(found.reconciliation_status, state=ReconciliationState.DEPLOYED)
    job_status = found.job_status
    if (recorded := last_reconciled(found)) is not None and recorded.spec.job is not None:
        job_status = evolve(job_status, state=FlinkJobState.RECONCILING)
    found = evolve(found, reconciliation_status=recon, job_status=job_status)
    if not isinstance(found, FlinkDeploymentStatus):
        return found
    return evolve(found, job_manager_deployment_status=JobManagerDeploymentStatus.DEPLOYING)


def mark_suspended(status: StatusT) -> StatusT:
    """Record that the job is down, so that it is started again if it should run (P-5)."""

    def suspended(recorded: _Any) -> _Any:
        return evolve(_with_job_state(recorded, JobState.SUSPENDED), first_deployment=False)

    return edit_recorded(status, suspended)


def not_first(status: StatusT) -> StatusT:
    """Record that the first deployment is over: from now on its spec is not forgotten (P-4)."""
    return edit_recorded(status, lambda recorded: evolve(recorded, first_deployment=False))


def forget_first_attempt(status: StatusT) -> StatusT:
    """Undo the record of a first deployment that did not get through, so that a new spec wins (P-7)."""
    if not is_first_deployment(status):
        return status
    recon = evolve(
        status.reconciliation_status,
        last_reconciled_spec=None,
        state=ReconciliationState.UPGRADING,
    )
    return evolve(status, reconciliation_status=recon)


def nonces_handled(
    status: StatusT,
    *,
    savepoint: int | None = None,
    checkpoint: int | None = None,
    now_ms: int,
) -> StatusT:
    """Record trigger nonces as dealt with (P-3); one that is None stays as it is."""

    def handled(recorded: _Any) -> _Any:
        job = recorded.spec.job
        if job is None:
            return recorded
        if savepoint is not None:
            job = evolve(job, savepoint_trigger_nonce=savepoint)
        if checkpoint is not None:
            job = evolve(job, checkpoint_trigger_nonce=checkpoint)
        return evolve(recorded, spec=evolve(recorded.spec, job=job))

    stable = is_stable(status)
    changed = edit_recorded(status, handled)
    if changed is status:
        return status
    recon = evolve(changed.reconciliation_status, reconciliation_timestamp=now_ms)
    changed = evolve(changed, reconciliation_status=recon)
    return mark_stable(changed) if stable else changed


def with_mode(status: StatusT, mode: UpgradeMode) -> StatusT:
    """Record what the next start restores from (P-4 on `job.upgradeMode`)."""

    def restoring(recorded: _Any) -> _Any:
        job = recorded.spec.job
        if job is None:
            return recorded
        spec = evolve(recorded.spec, job=evolve(job, upgrade_mode=mode))
        return evolve(recorded, spec=spec)

    return edit_recorded(status, restoring)


def in_state(status: StatusT, state: ReconciliationState) -> StatusT:
    """Record how far the recorded spec has got, and nothing else."""
    return evolve(status, reconciliation_status=evolve(status.reconciliation_status, state=state))


def mark_stable(status: StatusT) -> StatusT:
    """Record that the last reconciled spec is a good one to return to."""
    recon = status.reconciliation_status
    return evolve(
        status,
        reconciliation_status=evolve(recon, last_stable_spec=recon.last_reconciled_spec),
    )


def edit_recorded(status: StatusT, change: Callable[[_Any], _Any]) -> StatusT:
    """Decode the recorded spec, change it, store it (P-4); keeps a stable spec stable only if equal."""
    recorded = last_reconciled(status)
    if recorded is None:
        return status
    changed = change(recorded)
    if changed == recorded:
        return status
    text = recorded_spec.encode(changed.spec, first_deployment=changed.first_deployment)
    recon = evolve(status.reconciliation_status, last_reconciled_spec=text)
    return evolve(status, reconciliation_status=recon)


def _record(status: StatusT, target: Target, *, after: JobState, upgrading: bool) -> StatusT:
    recon = status.reconciliation_status
    if recon.state is ReconciliationState.ROLLING_BACK:
        return _record_rollback(status, target, upgrading=upgrading)
    state = ReconciliationState.UPGRADING if upgrading else ReconciliationState.DEPLOYED
    previous = last_reconciled(status)
    first = previous is None or (
        state is ReconciliationState.DEPLOYED and is_first_deployment(status)
    )
    text = recorded_spec.encode(_recorded(target.spec, previous, after), first_deployment=first)
    stable = text if target.user_suspended else recon.last_stable_spec
    return evolve(
        _with_task_managers(status, target, after),
        error=None,
        observed_generation=target.generation,
        reconciliation_status=ReconciliationStatus(
            reconciliation_timestamp=target.now_ms,
            last_reconciled_spec=text,
            last_stable_spec=stable,
            state=state,
            extra=recon.extra,
        ),
    )


def _record_rollback(status: StatusT, target: Target, *, upgrading: bool) -> StatusT:
    """P-1, point 3: the spec that failed stays recorded, so that applying it again does nothing."""
    state = ReconciliationState.ROLLING_BACK if upgrading else ReconciliationState.ROLLED_BACK
    mode = target.spec.job.upgrade_mode if target.spec.job else None
    kept = status if mode is None else with_mode(status, mode)
    recon = evolve(kept.reconciliation_status, reconciliation_timestamp=target.now_ms, state=state)
    return evolve(kept, error=None, reconciliation_status=recon)


def _recorded(spec: AbstractSpec, previous: _Any | None, after: JobState) -> AbstractSpec:
    """Return `spec` as it is stored: state reached, trigger nonces as last handled."""
    if spec.job is None:
        return spec
    job = evolve(spec.job, state=after)
    if previous is not None and previous.spec.job is not None:
        job = evolve(
            job,
            savepoint_trigger_nonce=previous.spec.job.savepoint_trigger_nonce,
            checkpoint_trigger_nonce=previous.spec.job.checkpoint_trigger_nonce,
        )
    return evolve(spec, job=job)


def _with_task_managers(status: StatusT, target: Target, after: JobState) -> StatusT:
    """P-1, point 5: only a FlinkDeployment has TaskManagers."""
    if not isinstance(status, FlinkDeploymentStatus):
        return status
    return evolve(status, task_manager=_task_manager(target, after) or status.task_manager)


def _task_manager(target: Target, after: JobState) -> TaskManagerInfo | None:
    if target.spec.job is None:
        return None
    if after is JobState.RUNNING and target.task_managers is not None:
        return TaskManagerInfo(label_selector=_selector(target), replicas=target.task_managers)
    return TaskManagerInfo(label_selector="", replicas=0)


def _selector(target: Target) -> str:
    return f"component=taskmanager,app={target.name}"


def _with_job_state(recorded: _Any, state: JobState) -> _Any:
    if recorded.spec.job is None:
        return recorded
    return evolve(recorded, spec=evolve(recorded.spec, job=evolve(recorded.spec.job, state=state)))
