"""What to do next for one FlinkDeployment: a closed set of steps with the reason in words; pure.

    nothing recorded ── wanted ──> write ahead ─> submit ─> DEPLOYED
    DEPLOYED ── spec changed ────> write ahead (UPGRADING) ─> cancel, delete ─> ... gone
    UPGRADING ── old one gone ───> submit ─> DEPLOYED          (or, when suspended: just DEPLOYED)
    deleting ────────────────────> cancel, delete ─> ... gone ─> release the finalizer

Nothing here waits: a step that starts something long ends the plan, and the watch event that tells
of its end brings the next plan. Whatever was done before a crash is found in the facts and the
status, so that each plan can be made again from scratch (design decisions 3, 5 and 7).
"""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Final

from attrs import evolve, frozen

from flinkop import clock
from flinkop.api.common import JobState, UpgradeMode
from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.status import (
    FlinkDeploymentStatus,
    FlinkJobState,
    JobManagerDeploymentStatus as JobManager,
    LifecycleState,
    ReconciliationState,
)
from flinkop.controllers.flinkdeployment import progress, taskmanagers
from flinkop.controllers.flinkdeployment.observation import Observation, Rest, TaskManagerFacts
from flinkop.events import reasons
from flinkop.events.draft import EventDraft, normal, warning
from flinkop.lifecycle import record
from flinkop.lifecycle.failure import Failure, FailureType, words
from flinkop.lifecycle.specdiff import DiffType, SpecDiff
from flinkop.lifecycle.state import Stall

NAME_TAKEN: Final = "NameTaken"


@frozen
class Say:
    """Emit an Event."""

    draft: EventDraft


@frozen
class WriteAhead:
    """Write the status and wait until the API server has it; nothing after it runs before that."""

    status: FlinkDeploymentStatus


@frozen
class CheckObjects:
    """Let the API server judge the objects of `spec` without making them (dry run)."""

    spec: FlinkDeploymentSpec


@frozen
class CancelJob:
    """Ask Flink to cancel the job; when that fails the cluster is deleted all the same."""

    job_id: str


@frozen
class DeleteCluster:
    """Delete the JobManager Deployment `uid`, and with it all that it owns.

    `scale_down` first takes its replicas to 0, so that a JobManager that still has a job does not
    start new TaskManagers while everything is being deleted (kubernetes-objects.md 2.4).
    """

    uid: str
    scale_down: bool


@frozen
class DeleteTaskManagers:
    """Delete the Deployment `uid` with a standalone cluster's TaskManagers, which no JobManager owns."""

    uid: str


@frozen
class DeleteHaMetadata:
    """Delete the HA ConfigMaps of the cluster, which nobody owns."""


@frozen
class DropJobGraphs:
    """Remove job graphs from HA metadata that is there already, and leave its checkpoints alone.

    A JobManager runs every job whose graph it finds (behaviour.md 4.7).
    """


@frozen
class Submit:
    """Make the cluster's objects; those that are there already from an earlier try are kept."""

    spec: FlinkDeploymentSpec
    generation: int
    job_id: str | None
    savepoint_path: str | None = None


@frozen
class RestoreTaskManagers:
    """Make the Deployment with a standalone cluster's TaskManagers anew, beside a JobManager that is there."""

    spec: FlinkDeploymentSpec


@frozen
class ScaleTaskManagers:
    """Have a standalone cluster run with that many TaskManagers, without a restart."""

    replicas: int


@frozen
class SyncIngress:
    """Create, update or delete the Ingress as `spec` asks."""

    spec: FlinkDeploymentSpec


@frozen
class ReleaseFinalizer:
    """Let the resource go: nothing of it is left."""


Step = (
    Say
    | WriteAhead
    | CheckObjects
    | CancelJob
    | DeleteCluster
    | DeleteTaskManagers
    | DeleteHaMetadata
    | DropJobGraphs
    | Submit
    | RestoreTaskManagers
    | ScaleTaskManagers
    | SyncIngress
    | ReleaseFinalizer
)


class Wait:
    """How long until the next look, when no event comes first; names for the options that bound it."""

    NONE: Final = "none"
    PROBE: Final = "probe"  # 0.2 s to 2 s, backing off: Flink's REST API cannot be watched
    PROGRESS: Final = "progress"  # kubernetes.operator.observer.progress-check.interval
    INTERVAL: Final = "interval"  # kubernetes.operator.reconcile.interval


@frozen
class Plan:
    """What is done in this reconcile.

    Attributes:
        reason: why, for people: what the log shows.
        status: status when all steps are done.
        steps: what is done, in order.
        wait: when to look again if no event comes first, one of `Wait`.
        again: whether to observe and plan once more at once.
        silent: whether the status need not be written now, because what it would say is over soon.
        stall: what keeps the wanted spec from being reached.
    """

    reason: str
    status: FlinkDeploymentStatus
    steps: tuple[Step, ...] = ()
    wait: str = Wait.INTERVAL
    again: bool = False
    silent: bool = False
    stall: Stall | None = None


@frozen
class Situation:
    """All that a plan is made from.

    Attributes:
        name: name of the resource.
        spec: the spec to reach: the user's, or the last good one when the user's was refused.
        generation: the generation `spec` belongs to.
        status: status after observation.
        observation: the facts.
        diff: recorded spec against `spec`; None before the first deployment.
        now: wall time.
        task_managers: number of TaskManagers that `spec` asks for.
        high_availability: whether the running cluster keeps HA metadata.
        reactive: whether its job takes whatever slots there are.
        recovery: `kubernetes.operator.jm-deployment-recovery.enabled`.
        block_on_session_jobs: `kubernetes.operator.session.deletion.block-on-session-jobs`.
        block_on_unmanaged_jobs: `kubernetes.operator.session.deletion.block-on-unmanaged-jobs`.
        savepoint_on_deletion: `kubernetes.operator.job.savepoint-on-deletion`.
        manage_ingress: `kubernetes.operator.ingress.manage`.
        new_job_id: makes a job id, 32 hexadecimal digits.
        user_mode: upgradeMode in the user's own spec, valid or not; a recorded mode is no substitute,
            because it tells how the last restore was made (behaviour.md Q-32).
    """

    name: str
    spec: FlinkDeploymentSpec
    generation: int
    status: FlinkDeploymentStatus
    observation: Observation
    now: dt.datetime
    new_job_id: Callable[[], str]
    diff: SpecDiff | None = None
    task_managers: int | None = None
    high_availability: bool = False
    reactive: bool = False
    recovery: bool = True
    block_on_session_jobs: bool = True
    block_on_unmanaged_jobs: bool = True
    savepoint_on_deletion: bool = False
    manage_ingress: bool = True
    user_mode: UpgradeMode = UpgradeMode.STATELESS

    @property
    def target(self) -> record.Target:
        """What a record of this spec says."""
        return record.Target(
            spec=self.spec,
            generation=self.generation,
            now_ms=clock.epoch_ms(self.now),
            name=self.name,
            task_managers=self.task_managers,
            user_suspended=wants_suspended(self.spec),
        )


def wants_suspended(spec: FlinkDeploymentSpec) -> bool:
    """Whether the user asks for the job to be down."""
    return spec.job is not None and spec.job.state is JobState.SUSPENDED


def plan(at: Situation) -> Plan:
    """Return what to do for a resource that is not being deleted.

    Two JobManagers of one resource never run side by side: a Deployment that was deleted by hand, or
    with a propagation other than Foreground, goes before its pods do, so the last pod is waited for.
    A standalone cluster's TaskManagers belong to no JobManager, and go before the next one comes, too.
    """
    made = _plan(at)
    left = taskmanagers.left_over(at.observation)
    if left is not None and made.stall is None:
        return _without_task_managers(left, at.status, ())
    left_over = at.observation.pods and at.observation.job_manager is None
    if left_over and any(isinstance(step, Submit) for step in made.steps):
        return Plan(
            "waiting for the old JobManager's pod to be gone", at.status, wait=Wait.PROGRESS
        )
    return made


def _plan(at: Situation) -> Plan:
    if at.status.reconciliation_status.state is ReconciliationState.ROLLING_BACK:
        return _refused(
            at, "RollbackInProgress", "a rollback is under way, and flinkop cannot yet finish one"
        )
    foreign = at.observation.job_manager
    if foreign is not None and not foreign.ours:
        return _name_taken(at, at.name)
    taken = taskmanagers.name_taken(at.name, at.spec, at.observation)
    if taken is not None:
        return _name_taken(at, taken)
    recorded = record.last_reconciled(at.status)
    if recorded is None:
        return _first_deployment(at)
    if needs_state(at, recorded.spec):
        return _refused(
            at,
            "StatefulRestoreNotSupported",
            "the job has state to be restored, and flinkop cannot yet do that. "
            "Nothing was changed. Finish the upgrade with the operator that began it",
        )
    if _is_upgrading(at.status):
        return _continue_upgrade(at)
    if _has_changed(at):
        return _spec_changed(at, recorded.spec)
    return _steady(at)


def _without_task_managers(
    left: TaskManagerFacts, status: FlinkDeploymentStatus, said: tuple[Step, ...]
) -> Plan:
    """What a standalone cluster leaves when its JobManager is gone has to go before anything else."""
    steps = said if left.deleting else (*said, DeleteTaskManagers(left.uid))
    return Plan("waiting for the old TaskManagers to be gone", status, steps, wait=Wait.PROGRESS)


def _is_upgrading(status: FlinkDeploymentStatus) -> bool:
    return status.reconciliation_status.state is ReconciliationState.UPGRADING


def _has_changed(at: Situation) -> bool:
    differs = at.diff is not None and at.diff.type > DiffType.IGNORE
    return differs or _suspends_what_ended(at)


def _suspends_what_ended(at: Situation) -> bool:
    """Whether the user suspends a job that is down already in the record, because it was cancelled (P-5).

    No difference shows it: only that this generation is new, and that a record of a wish is stable.
    """
    recorded = record.last_reconciled(at.status)
    job = recorded.spec.job if recorded else None
    return (
        job is not None
        and job.state is JobState.SUSPENDED
        and wants_suspended(at.spec)
        and at.generation != at.status.observed_generation
        and not record.is_stable(at.status)
    )


def needs_state(at: Situation, recorded: FlinkDeploymentSpec) -> bool:
    """Whether the next start of the job would have to restore state that this version cannot restore.

    A first deployment from `initialSavepointPath` is no such case: its path is in the status. A change
    of a running job is judged here too, although the validator refuses it first: no single check may
    stand between a job and the loss of its state.
    """
    if recorded.job is None:
        return False
    upgrading = _is_upgrading(at.status)
    if upgrading and _is_first_attempt(at.status):
        return False
    if at.diff is not None and at.diff.type is DiffType.SAVEPOINT_REDEPLOY:
        return True
    down = recorded.job.state is JobState.SUSPENDED and not wants_suspended(at.spec)
    if at.user_mode is not UpgradeMode.STATELESS:
        return upgrading or down or _has_changed(at)
    if not (upgrading or down):
        return False
    recorded_state = recorded.job.upgrade_mode is not UpgradeMode.STATELESS
    return recorded_state and not _asks_for_empty_start(at.spec, recorded)


def _asks_for_empty_start(spec: FlinkDeploymentSpec, recorded: FlinkDeploymentSpec) -> bool:
    """Suspended with a savepoint and resumed as stateless: the user's own choice (behaviour.md R-26)."""
    return (
        spec.job is not None
        and recorded.job is not None
        and spec.job.upgrade_mode is UpgradeMode.STATELESS
        and recorded.job.upgrade_mode is UpgradeMode.SAVEPOINT
    )


def name_taken(name: str) -> str:
    """Return the message about a Deployment of somebody else, with what to do."""
    return (
        f"a Deployment named {name} exists and does not belong to this FlinkDeployment. "
        "Rename one of the two, or delete that Deployment"
    )


def _name_taken(at: Situation, name: str) -> Plan:
    message = name_taken(name)
    error = Failure(FailureType.RECONCILIATION, message).to_json()
    return Plan(
        reason=message,
        status=evolve(at.status, error=error),
        steps=(Say(warning(reasons.ERROR, reasons.JOB_MANAGER_DEPLOYMENT, message)),),
        stall=Stall(NAME_TAKEN, message),
    )


def _refused(at: Situation, reason: str, message: str) -> Plan:
    error = Failure(FailureType.UPGRADE_FAILURE, message).to_json()
    return Plan(
        reason=message,
        status=evolve(at.status, error=error),
        steps=(Say(warning("UpgradeFailed", reasons.JOB_MANAGER_DEPLOYMENT, message)),),
        stall=Stall(reason, message),
    )


def _first_deployment(at: Situation) -> Plan:
    """R-2: from nothing to submitted, in one go."""
    if wants_suspended(at.spec):
        return Plan("the job is to be suspended and was never deployed: nothing to do", at.status)
    if at.observation.job_manager is not None:
        return _leftover(at)
    job = at.spec.job
    path = job.initial_savepoint_path if job else None
    spec = _with_mode(at.spec, UpgradeMode.SAVEPOINT if path else UpgradeMode.STATELESS)
    status = at.status
    if path:
        status = evolve(status, job_status=evolve(status.job_status, upgrade_savepoint_path=path))
    return _deploy(evolve(at, spec=spec, status=status), "first deployment", path or None)


def _leftover(at: Situation) -> Plan:
    """A JobManager of ours, and no record of it: the status was lost. Start again from clean ground."""
    return Plan(
        reason="a cluster from before the status was lost is in the way: deleting it first",
        status=at.status,
        steps=_delete_steps(at),
        wait=Wait.PROGRESS,
    )


def _deploy(at: Situation, reason: str, path: str | None = None) -> Plan:
    """Write ahead, submit, record: the job id is durable before Flink hears of it (T-22)."""
    attempt = evolve(_attempt(at), job_manager_deployment_status=JobManager.MISSING)
    first = record.last_reconciled(at.status) is None
    before = (WriteAhead(attempt), *(_graph_steps(at) if first else _ha_steps(at)))
    return _submit(evolve(at, status=attempt), reason, before, path)


def _attempt(at: Situation) -> FlinkDeploymentStatus:
    """Return what is written ahead: the spec to reach, and the id that its job is going to have.

    No id means that no job is to run: `_is_suspending` knows a suspension by it. Whoever goes on after
    a crash submits with this id again, so that a Deployment it does not see yet (T-42) can be its own.

    A job that was cancelled from outside starts again without a new generation. Then the old Deployment
    carries the number of the new one, and none is recorded until it is gone, or it would be taken for it.
    """
    attempt = record.before_attempt(at.status, at.target)
    facts = at.observation.job_manager
    if facts is not None and facts.generation == at.generation:
        attempt = evolve(attempt, observed_generation=None)
    runs = at.spec.job is not None and not wants_suspended(at.spec)
    job_id = at.new_job_id() if runs else None
    return evolve(attempt, job_status=evolve(attempt.job_status, job_id=job_id))


def _submit(at: Situation, reason: str, before: tuple[Step, ...], path: str | None) -> Plan:
    """Submit what `at.status` records, then record that it is there."""
    started = record.deployed(at.status, at.target)
    started = evolve(
        started,
        job_manager_deployment_status=JobManager.DEPLOYING,
        job_status=evolve(
            started.job_status,
            state=FlinkJobState.RECONCILING if at.spec.job else started.job_status.state,
        ),
        cluster_info=_without_health(started.cluster_info),
    )
    submit = Submit(
        at.spec, at.generation, at.status.job_status.job_id if at.spec.job else None, path
    )
    say: tuple[Step, ...] = ()
    if at.spec.job is not None:  # session clusters are silent here
        say = (Say(normal(reasons.SUBMIT, reasons.JOB_MANAGER_DEPLOYMENT, "Starting deployment")),)
    return Plan(
        reason=reason,
        status=started,
        steps=(*before, *say, submit, *_ingress_steps(at)),
        wait=Wait.PROGRESS,
    )


def _without_health(info: Mapping[str, str]) -> dict[str, str]:
    """O-85: a health record belongs to one run of the cluster."""
    return {k: v for k, v in info.items() if k != "ClusterHealthInfo"}


def _ingress_steps(at: Situation) -> tuple[Step, ...]:
    """R-68 and behaviour.md 3.7: the Ingress follows each deployment."""
    if at.manage_ingress:
        wanted = at.spec.ingress is not None or at.observation.has_ingress
        return (SyncIngress(at.spec),) if wanted else ()
    if at.spec.ingress is None:
        return ()
    text = "Ingress management is turned off but ingress set in spec"
    return (Say(warning(reasons.INGRESS_MANAGEMENT, reasons.OPERATOR, text)),)


def _spec_changed(at: Situation, recorded: FlinkDeploymentSpec) -> Plan:
    """R-6 to R-9 without state: take the old cluster down, then bring the new one up."""
    said = _spec_changed_event(at)
    down = recorded.job is not None and recorded.job.state is JobState.SUSPENDED
    if down and wants_suspended(at.spec) and not _suspends_what_ended(at):
        return Plan("suspended and to stay so: changes count when it is resumed", at.status, said)
    scaled = _scaled_in_place(at)
    if scaled is not None:
        return evolve(scaled, steps=(*said, *scaled.steps))
    at = evolve(at, spec=_with_mode(at.spec, UpgradeMode.STATELESS))
    if at.observation.job_manager is None:
        reason = (
            "resuming the suspended job" if down else "the spec changed, and no cluster is left"
        )
        made = _suspended(at) if wants_suspended(at.spec) else _deploy(at, reason)
        return evolve(made, steps=(*said, *made.steps))
    attempt = _attempt(at)
    steps: list[Step] = [*said]
    if not wants_suspended(at.spec):
        steps.append(CheckObjects(at.spec))
    if at.spec.job is not None and not down:
        text = "Suspending existing deployment."
        steps.append(Say(normal(reasons.SUSPENDED, reasons.JOB_MANAGER_DEPLOYMENT, text)))
    return Plan(
        reason=f"the spec changed ({at.diff.type.name if at.diff else 'UPGRADE'}): replacing the cluster",
        status=attempt,
        steps=(*steps, WriteAhead(attempt), *_delete_steps(at)),
        wait=Wait.PROGRESS,
    )


def _scaled_in_place(at: Situation) -> Plan | None:
    """R-8: a change of scale that the running cluster can follow."""
    scaling = taskmanagers.scaling(
        at.status,
        at.observation,
        change=at.diff.type if at.diff else DiffType.IGNORE,
        reactive=at.reactive,
        wanted=at.task_managers,
    )
    if scaling is None:
        return None
    return Plan(
        reason=f"the running cluster is to have {at.task_managers} TaskManagers: scaling it",
        status=record.deployed(at.status, at.target),
        steps=() if scaling.replicas is None else (ScaleTaskManagers(scaling.replicas),),
        wait=Wait.PROBE,
    )


def _spec_changed_event(at: Situation) -> tuple[Step, ...]:
    if at.diff is None or at.diff.type is DiffType.IGNORE:
        return ()
    message = f"{at.diff.type.name} change(s) detected ({at.diff.text()}), starting reconciliation."
    return (
        Say(
            normal(
                reasons.SPEC_CHANGED,
                reasons.JOB_MANAGER_DEPLOYMENT,
                message,
                key=f"SpecChange: {at.generation}",
                once=True,
            ),
        ),
    )


def _continue_upgrade(at: Situation) -> Plan:
    """UPGRADING was found in the status: go on from wherever it was left."""
    mode, path = _restore_of_attempt(at.status)
    newer = at.generation != at.status.observed_generation
    if not newer and _is_suspending(at.status):
        # Also when a refused spec is replaced by the recorded one, whose state is never "suspended by wish".
        at = evolve(at, spec=_with_state(at.spec, JobState.SUSPENDED))
    at = evolve(at, spec=_with_mode(at.spec, mode))
    facts = at.observation.job_manager
    if facts is None:
        return _old_is_gone(at, path, newer=newer)
    if facts.deleting:
        return Plan("waiting for the old cluster to be gone", at.status, wait=Wait.PROGRESS)
    if facts.generation != at.status.observed_generation:
        return _replace_old(at, newer=newer)
    if newer:  # P-6, so that what the user wants by now is a change like any other
        status = record.already_upgraded(at.status)
        return Plan("the interrupted deployment is there", status, again=True)
    return _finish_submission(at, path)


def _restore_of_attempt(status: FlinkDeploymentStatus) -> tuple[UpgradeMode, str | None]:
    """Return mode and restore path of the attempt under way; only a first one may have a path."""
    last = record.last_reconciled(status)
    if last is None or last.spec.job is None or not last.first_deployment:
        return UpgradeMode.STATELESS, None
    mode = last.spec.job.upgrade_mode
    path = status.job_status.upgrade_savepoint_path if mode is UpgradeMode.SAVEPOINT else None
    return mode, path


def _is_first_attempt(status: FlinkDeploymentStatus) -> bool:
    last = record.last_reconciled(status)
    return last is not None and bool(last.first_deployment)


def _is_suspending(status: FlinkDeploymentStatus) -> bool:
    """Whether the attempt under way is to end without a job (see `_attempt`)."""
    last = record.last_reconciled(status)
    if last is None or last.spec.job is None or last.first_deployment:
        return False
    return _is_upgrading(status) and status.job_status.job_id is None


def _old_is_gone(at: Situation, path: str | None, *, newer: bool) -> Plan:
    """No JobManager is left: start the new one, from what is written ahead if that is still wanted."""
    if newer and _is_first_attempt(at.status):  # P-7: nothing of it exists, so a new spec wins
        return _first_deployment(evolve(at, status=record.forget_first_attempt(at.status)))
    if wants_suspended(at.spec):
        return _suspended(at)
    reason = "the old cluster is gone: deploying the new one"
    known = at.spec.job is None or at.status.job_status.job_id is not None
    if known and not newer:
        before = _graph_steps(at) if _is_first_attempt(at.status) else _ha_steps(at)
        return _submit(at, reason, before, path)
    made = _deploy(at, reason, path)
    return evolve(made, steps=(*_spec_changed_event(at), *made.steps)) if newer else made


def _finish_submission(at: Situation, path: str | None) -> Plan:
    """The Deployment of this generation is there, its record is not: a crash lay between (2.2)."""
    if wants_suspended(at.spec):
        return Plan(
            "suspending: deleting the cluster", at.status, _delete_steps(at), wait=Wait.PROGRESS
        )
    return _submit(at, "finishing a deployment that was interrupted", (), path)


def _replace_old(at: Situation, *, newer: bool) -> Plan:
    attempt = _attempt(at) if newer else at.status
    before: tuple[Step, ...] = (*_spec_changed_event(at), WriteAhead(attempt)) if newer else ()
    return Plan(
        reason="deleting the old cluster",
        status=attempt,
        steps=(*before, *_delete_steps(at)),
        wait=Wait.PROGRESS,
    )


def _suspended(at: Situation) -> Plan:
    """The cluster is gone, as `job.state: suspended` asks."""
    status = record.deployed(at.status, at.target)
    status = evolve(
        status,
        job_manager_deployment_status=JobManager.MISSING,
        job_status=evolve(status.job_status, state=FlinkJobState.FINISHED),
    )
    return Plan("suspended", status, _ha_steps(at))


def _ha_steps(at: Situation) -> tuple[Step, ...]:
    """A stateless start must not find an old run's metadata, or Flink would run that job as well.

    A session cluster keeps it: from there its new JobManager recovers the jobs (behaviour.md 3.9).
    """
    return (DeleteHaMetadata(),) if at.high_availability and at.spec.job is not None else ()


def _graph_steps(at: Situation) -> tuple[Step, ...]:
    """Before the first deployment HA metadata can only be somebody else's, and is not ours to delete."""
    return (DropJobGraphs(),) if at.high_availability and at.spec.job is not None else ()


def _delete_steps(at: Situation) -> tuple[Step, ...]:
    facts, rest = at.observation.job_manager, at.observation.rest
    if facts is None or facts.deleting:
        return ()
    live = [job.jid for job in rest.jobs if not FlinkJobState(job.state.value).is_terminal]
    own = [jid for jid in live if jid == at.status.job_status.job_id]
    quiet = rest.state is Rest.ANSWERED and len(own) == len(live)
    with_it = taskmanagers.go_with_the_job_manager(
        at.observation, high_availability=at.high_availability
    )
    standalone = taskmanagers.own(at.observation) is not None  # its JobManager starts no others
    return (
        *(CancelJob(jid) for jid in own),
        DeleteCluster(facts.uid, scale_down=not quiet and not standalone),
        *((DeleteTaskManagers(with_it.uid),) if with_it else ()),
    )


def _steady(at: Situation) -> Plan:
    """Nothing new is asked for: record that, and repair what was lost."""
    status = record.refresh(at.status, at.generation)
    at = evolve(at, status=status)
    lost = _is_lost(at)
    if lost and _is_recoverable(at):
        return _recover(at)
    without = taskmanagers.lost(status, at.observation)
    if without is not None:
        return _restore_task_managers(at, without)
    stall = _lost_stall(at) if lost else _job_stall(status)
    return Plan(_steady_reason(status), status, wait=_steady_wait(status), stall=stall)


def _is_lost(at: Situation) -> bool:
    """Whether the JobManager is gone and should be there."""
    if at.observation.job_manager is not None:
        return False
    deployed = progress.deployed_spec(at.status)
    if deployed is None or deployed.job is None:
        return deployed is not None
    state = at.status.job_status.state
    ended = state is not None and state.is_terminal
    return deployed.job.state is JobState.RUNNING and not ended


def _is_recoverable(at: Situation) -> bool:
    """R-83 for jobs without state, and 3.9 for session clusters, whose jobs only HA brings back."""
    if not at.recovery:
        return False
    if at.spec.job is None:
        return at.high_availability
    # HA metadata has state to be restored
    return at.user_mode is UpgradeMode.STATELESS and not at.high_availability


def _recover(at: Situation) -> Plan:
    """Deploy again what was deployed, from where it was started (3.10, resubmit).

    The job keeps its id, in case the Deployment is there and the cache only late (T-42).
    """
    spec = progress.deployed_spec(at.status) or at.spec
    from_path = spec.job is not None and spec.job.upgrade_mode is UpgradeMode.SAVEPOINT
    path = at.status.job_status.upgrade_savepoint_path if from_path else None
    job_id = (at.status.job_status.job_id or at.new_job_id()) if spec.job else None
    attempt = evolve(at.status, job_status=evolve(at.status.job_status, job_id=job_id))
    after = evolve(
        attempt,
        job_manager_deployment_status=JobManager.DEPLOYING,
        job_status=evolve(attempt.job_status, state=FlinkJobState.RECONCILING),
        cluster_info=_without_health(attempt.cluster_info),
    )
    text = "Recovering lost deployment"
    say: tuple[Step, ...] = (Say(warning(reasons.RECOVER_DEPLOYMENT, reasons.JOB, text)),)
    return Plan(
        reason="the JobManager Deployment was lost: deploying it again",
        status=after,
        steps=(
            *(say if spec.job else ()),
            WriteAhead(attempt),
            Submit(spec, at.status.observed_generation or at.generation, job_id, path),
        ),
        wait=Wait.PROGRESS,
    )


def _restore_task_managers(at: Situation, lost: taskmanagers.Lost) -> Plan:
    text = "Recovering lost TaskManager deployment"
    return Plan(
        reason="the TaskManagers' Deployment was lost: making it again",
        status=at.status,
        steps=(
            Say(warning(reasons.RECOVER_DEPLOYMENT, reasons.JOB, text)),
            RestoreTaskManagers(lost.spec),
        ),
        wait=Wait.PROBE,
    )


def _lost_stall(at: Situation) -> Stall:
    if not at.recovery:
        why = "kubernetes.operator.jm-deployment-recovery.enabled is false"
    elif at.spec.job is None:
        why = "without high availability its jobs could not be brought back"
    else:
        why = "flinkop cannot yet restore the state of its job"
    message = (
        f"the JobManager Deployment is gone and is not deployed again, because {why}. "
        "Change spec.restartNonce to start the cluster anew"
    )
    return Stall("JobManagerMissing", message)


def _steady_reason(status: FlinkDeploymentStatus) -> str:
    state = status.job_manager_deployment_status
    recorded = record.last_reconciled(status)
    job = recorded.spec.job if recorded else None
    suspended = job is not None and job.state is JobState.SUSPENDED
    if (state is JobManager.READY or suspended) and record.is_stable(status):
        return "Resource fully reconciled, nothing to do..."
    return f"waiting: JobManager {state.value}, job {status.job_status.state or 'not known yet'}"


def _steady_wait(status: FlinkDeploymentStatus) -> str:
    match status.job_manager_deployment_status:
        case JobManager.DEPLOYED_NOT_READY:
            return Wait.PROBE
        case JobManager.DEPLOYING:
            return Wait.PROGRESS
        case JobManager.READY if status.error == progress.JOB_NOT_FOUND:
            return Wait.PROGRESS
        case JobManager.READY if _in_between(status):
            return Wait.PROBE
        case _:
            return Wait.INTERVAL


def _in_between(status: FlinkDeploymentStatus) -> bool:
    """Whether the job, or the session cluster, is on its way to another state, which no watch tells."""
    recorded = record.last_reconciled(status)
    job = recorded.spec.job if recorded else None
    if job is None:
        return not record.is_stable(status)
    if job.state is JobState.SUSPENDED:
        return False
    state = status.job_status.state
    return state is not FlinkJobState.RUNNING and not (state is not None and state.is_terminal)


def _job_stall(status: FlinkDeploymentStatus) -> Stall | None:
    if status.job_manager_deployment_status is JobManager.ERROR:
        return Stall("JobManagerFailed", words(status.error or "the JobManager cannot start"))
    if status.job_status.state is FlinkJobState.FAILED:
        text = status.error or "the job has failed; see its JobManager's log"
        return Stall("JobFailed", words(text))
    return None


def cleanup(at: Situation) -> Plan:
    """Return what to do for a resource that is being deleted (behaviour.md 3.13)."""
    said: tuple[Step, ...] = (
        Say(normal(reasons.CLEANUP, reasons.OPERATOR, "Cleaning up FlinkDeployment")),
    )
    if at.status.lifecycle_state is LifecycleState.DELETING:
        said = ()
    status = evolve(at.status, lifecycle_state=LifecycleState.DELETING)
    at = evolve(at, status=status)
    facts = at.observation.job_manager
    mine = facts is not None and facts.ours
    blocker = _blocker(at) if mine else None
    if blocker is not None:
        warn = Say(warning(reasons.CLEANUP_FAILED, reasons.OPERATOR, blocker))
        return Plan(blocker, status, (*said, warn), stall=Stall("DeletionBlocked", blocker))
    if mine and facts is not None and not facts.deleting:
        steps = (*said, *_delete_steps(at))
        return Plan("deleting the cluster", status, steps, wait=Wait.PROGRESS, silent=True)
    if mine:
        return Plan("waiting for the cluster to be gone", status, said, wait=Wait.PROGRESS)
    left = taskmanagers.own(at.observation)
    if left is not None:
        return _without_task_managers(left, status, said)
    metadata: tuple[Step, ...] = (DeleteHaMetadata(),) if at.high_availability else ()
    return Plan("nothing is left", status, (*said, *metadata, ReleaseFinalizer()), wait=Wait.NONE)


def _blocker(at: Situation) -> str | None:
    """Return what forbids the deletion, in words that name it (R-120 to R-122)."""
    recorded = record.last_reconciled(at.status)
    spec = recorded.spec if recorded else at.spec
    state = at.status.job_status.state
    if spec.job is not None:
        if at.savepoint_on_deletion and state is not None and not state.is_terminal:
            return (
                "kubernetes.operator.job.savepoint-on-deletion is set, and flinkop cannot yet take savepoints. "
                "Set it to false to delete the job without one"
            )
        return None
    if at.block_on_session_jobs and at.observation.session_jobs:
        names = ", ".join(at.observation.session_jobs)
        return f"The session jobs [{names}] should be deleted first"
    if at.block_on_session_jobs and at.block_on_unmanaged_jobs:
        running = [
            j.jid for j in at.observation.rest.jobs if not FlinkJobState(j.state.value).is_terminal
        ]
        if running:
            ids = ", ".join(running)
            return f"The session cluster has non terminated jobs [{ids}] that should be cancelled first"
    return None


def _with_mode(spec: FlinkDeploymentSpec, mode: UpgradeMode) -> FlinkDeploymentSpec:
    return evolve(spec, job=evolve(spec.job, upgrade_mode=mode) if spec.job else None)


def _with_state(spec: FlinkDeploymentSpec, state: JobState) -> FlinkDeploymentSpec:
    return evolve(spec, job=evolve(spec.job, state=state) if spec.job else None)
