"""The operator in the state model: it looks, plans and acts with its own rules, and may die at any step.

What `FlinkDeploymentReconciler`, `Observer` and `Reconciler` do around the rules is told again here in few
lines; there is no I/O. A look is one reconcile.
"""

import functools
from collections.abc import Callable, Iterator
from typing import Final

from attrs import evolve, frozen
from fakes.statemodel.flink import CLUSTER, Process
from fakes.statemodel.ledger import Submitted
from fakes.statemodel.specs import spec_text
from fakes.statemodel.world import Deployment, World

from flinkop.api import recorded_spec
from flinkop.api.common import JobState, UpgradeMode
from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.status import (
    FlinkDeploymentStatus,
    FlinkJobState,
    LifecycleState,
    ReconciliationState,
)
from flinkop.api.validation import Problem
from flinkop.builders import effective_conf
from flinkop.builders.identity import ClusterIdentity
from flinkop.config import flatten
from flinkop.config.flink_conf import FlinkConf
from flinkop.config.snapshot import ConfigSnapshot
from flinkop.controllers.flinkdeployment import plan, progress, validator
from flinkop.controllers.flinkdeployment.assessed import Subject
from flinkop.controllers.flinkdeployment.observation import (
    CheckpointError,
    CheckpointFacts,
    JobFailure,
    JobManagerFacts,
    Observation,
    PodFailure,
    Rest,
    RestFacts,
)
from flinkop.controllers.flinkdeployment.planning import cleanup, steps
from flinkop.controllers.flinkdeployment.planning.situation import Situation
from flinkop.events import reasons
from flinkop.flink.interpret import FailureCause
from flinkop.flink.models import JobOverview, TaskCounts
from flinkop.flink.states import JobState as State
from flinkop.lifecycle import ha_metadata, record, specdiff, state
from flinkop.lifecycle.failure import Failure, FailureType
from flinkop.lifecycle.ha_metadata import HaFacts, HaMap
from flinkop.lifecycle.specdiff import DiffType, SpecDiff
from flinkop.lifecycle.state import Stall
from flinkop.lifecycle.upgrade import LAST_STATE_PATH, Checkpoints, Question
from flinkop.stages import cluster_options
from flinkop.stages.cluster_options import ClusterOptions

_SETTINGS: Final = ConfigSnapshot.make(FlinkConf({}), {}, {})
_CAUSE: Final = JobFailure((FailureCause("java.lang.Exception: boom", "boom"),))
_UNREADABLE: Final = CheckpointFacts(error=CheckpointError(reasons.ERROR, "HTTP 500"))


class CrashError(Exception):
    """The operator died."""


class _AgainError(Exception):
    """This reconcile ends, and the next one begins with fresh facts."""


@frozen
class Look:
    """How one look goes.

    Attributes:
        dies_after: number of deeds after which the operator dies; with as many as there are, only the last
            write of the status is missing.
        deaf: whether Flink's REST API does not answer.
        blind: whether checkpoint statistics cannot be read.
        late: what the caches do not have yet: a Deployment "made" a moment ago, or that it is "going".
        meanwhile: what happens between looking and acting.
        after: number of deeds after which it happens.
    """

    dies_after: int | None = None
    deaf: bool = False
    blind: bool = False
    late: str | None = None
    meanwhile: Callable[[World], object] | None = None
    after: int = 0


def look(world: World, how: Look | None = None) -> steps.Plan | None:
    """Let the operator look once; return its plan, None when it died or had to start again."""
    if world.released:
        return None
    try:
        return _Operator(world, how or Look()).reconcile()
    except (CrashError, _AgainError):
        return None


def deeds(made: steps.Plan) -> int:
    """Return how many of a plan's steps change something outside: an operator may die after each."""
    return sum(_is_deed(step) for step in made.steps)


def _is_deed(step: steps.Step) -> bool:
    return not isinstance(step, steps.Say | steps.CheckObjects | steps.SyncIngress)


class _Operator:
    """One process, for one look."""

    def __init__(self, world: World, how: Look) -> None:
        self.world, self.how = world, how
        self.done = 0

    def reconcile(self) -> steps.Plan:
        """Look, plan, act, write."""
        world = self.world
        options = _options(world)
        seen = _observe(world, self.how)
        if self.how.meanwhile is not None and self.how.after == 0:
            self.how.meanwhile(world)
        subject = Subject(
            status=world.status, observation=seen, spec=world.spec, now=world.now, options=options
        )
        status = progress.assess(subject).status
        if world.deleted:
            spec = progress.deployed_spec(world.status) or world.spec
            made = self._plan(_situation(world, status, seen, options, spec), cleanup.cleanup)
        else:
            advanced = self._advance(status, seen, options)
            if advanced is None:
                return steps.Plan("refused", world.status, stall=Stall("Invalid", "refused"))
            made = advanced
        self._act(made)
        return made

    def _advance(
        self, status: FlinkDeploymentStatus, seen: Observation, options: ClusterOptions
    ) -> steps.Plan | None:
        """As the controller's `_advance` and `_advance_last_good`."""
        world = self.world
        problem = _problem(world, status)
        if problem is None:
            return self._plan(_situation(world, status, seen, options, world.spec), plan.plan)
        stall = Stall(problem.reason, problem.message)
        error = Failure(FailureType.VALIDATION, problem.message).to_json()
        recorded = record.last_reconciled(status)
        if recorded is None:
            self._write(evolve(status, error=error), stall)
            return None
        spec = recorded.spec
        upgrading = status.reconciliation_status.state is ReconciliationState.UPGRADING
        if upgrading and spec.job is not None:
            spec = evolve(spec, job=evolve(spec.job, state=JobState.RUNNING))
        generation = status.observed_generation or world.generation
        at = _situation(world, status, seen, options, spec)
        made = self._plan(evolve(at, generation=generation), plan.plan)
        told = made.stall is not None and error == world.status.error
        kept = tuple(s for s in made.steps if not (told and isinstance(s, steps.Say)))
        return evolve(made, status=evolve(made.status, error=error), steps=kept, stall=stall)

    def _plan(self, at: Situation, planner: Callable[[Situation], steps.Outcome]) -> steps.Plan:
        for _ in Question:
            made = planner(at)
            if isinstance(made, steps.Plan):
                return made
            at = evolve(at, observation=self._look_up(at.observation, made.question))
        made = planner(at)
        assert isinstance(made, steps.Plan), "a fact is asked for twice"
        return made

    def _look_up(self, seen: Observation, question: Question) -> Observation:
        world = self.world
        match question:
            case Question.JOB_MANAGER:
                if world.deployment is not None:
                    raise _AgainError
                return evolve(seen, confirmed=True)
            case Question.REMAINS:
                return evolve(seen, remains=bool(world.processes))
            case Question.HA_METADATA:
                return evolve(seen, ha=_metadata(world))
            case Question.CHECKPOINTS:
                found = _UNREADABLE
                if not (self.how.deaf or self.how.blind):
                    found = _checkpoints(world.process, world.status.job_status.job_id)
                return evolve(seen, rest=evolve(seen.rest, checkpoints=found))
            case Question.REQUIREMENTS:
                return evolve(seen, rest=evolve(seen.rest, requirements={}))

    # --- acting

    def _act(self, made: steps.Plan) -> None:
        status, stall, note = made.status, made.stall, made.note
        for step in made.steps:
            if not _is_deed(step):
                continue
            self._count(made)
            refusal = self._do(step)
            if refusal is not None:
                acknowledged = record.without_savepoint_trigger(self.world.status)
                error = Failure(FailureType.UPGRADE_FAILURE, refusal).to_json()
                status, stall, note = evolve(acknowledged, error=error), None, None
                break
            self.done += 1
        self._count(made)
        if any(isinstance(step, steps.ReleaseFinalizer) for step in made.steps):
            return
        if stall is not None or not made.silent:
            self._write(status, stall, note)

    def _count(self, made: steps.Plan) -> None:
        """Die, or let something happen, if it is time to."""
        last = deeds(made)
        how = self.how
        if how.dies_after is not None and self.done == min(how.dies_after, last):
            raise CrashError
        if how.meanwhile is not None and 0 < how.after == self.done:
            how.meanwhile(self.world)

    def _do(self, step: steps.Step) -> str | None:
        """Do one step; return why Flink refuses it, if that matters."""
        world = self.world
        match step:
            case steps.WriteAhead(status):
                self._write(status)
            case steps.StopJob(job_id=job_id, trigger_id=trigger):
                if self.how.deaf:
                    return None
                return None if world.stop(job_id, trigger) else "Savepoint Error"
            case steps.CancelJob(job_id=job_id, required=required):
                taken = not self.how.deaf and world.cancel(job_id)
                return "Cancellation Error" if required and not taken else None
            case steps.DeleteCluster():
                self._delete(step)
            case steps.DeleteHaMetadata():
                self._delete_metadata()
            case steps.DropJobGraphs():
                kept = {k: evolve(m, graph=False) for k, m in world.metadata.items()}
                world.metadata = kept
            case steps.Submit():
                self._submit(step)
            case steps.ReleaseFinalizer():
                self._release()
            case _:
                world.broken.append(f"a step that nobody expects: {step}")
        return None

    def _write(
        self,
        status: FlinkDeploymentStatus,
        stall: Stall | None = None,
        note: state.Note | None = None,
    ) -> None:
        world = self.world
        summed = state.summarize(
            status,
            generation=world.generation,
            now=str(world.seconds),
            stall=stall,
            note=note,
            suspended=world.spec.job is not None and world.spec.job.state is JobState.SUSPENDED,
        )
        world.written(summed)
        job, end = summed.job_status.state, world.ledger.end
        settled = summed.reconciliation_status.state is not ReconciliationState.UPGRADING
        if end is not None and job is not None and job.value == end.value and settled:
            world.ledger = evolve(world.ledger, end_seen=True, over=True)
        recon = summed.reconciliation_status.state
        moving = recon in (ReconciliationState.UPGRADING, ReconciliationState.ROLLING_BACK)
        down = moving or summed.lifecycle_state is LifecycleState.SUSPENDED
        if down and not world.stateful and _recorded_mode(summed) is UpgradeMode.STATELESS:
            world.ledger = evolve(world.ledger, forgone=True)

    def _delete(self, step: steps.DeleteCluster) -> None:
        world = self.world
        deployment = world.deployment
        if deployment is None or deployment.uid != step.uid or deployment.deleting:
            return
        # What happens between a look and its deeds cannot be known: it may cost a refusal, never state.
        judged = self.how.meanwhile is None and not world.deleted
        wrong = _unsafe_deletion(world) if judged else None
        if wrong is not None:
            world.broken.append(wrong)
        # In the background it is gone at once, and its pod after it.
        world.deployment = evolve(deployment, deleting=True) if step.foreground else None

    def _delete_metadata(self) -> None:
        """Delete the HA ConfigMaps; what only they know must not be needed any more."""
        world = self.world
        kept = _durable(world.status)
        newest = world.ledger.newest
        only = newest is not None and any(m.checkpoint == newest for m in world.metadata.values())
        needed = only and world.stateful and not world.ledger.forgone and not world.deleted
        if (
            needed
            and self.how.meanwhile is None
            and not world.ledger.is_fine(kept)
            and not _is_redeploying(world)
        ):
            world.broken.append(f"deleted the HA metadata, which alone knew of {newest}")
        world.metadata = {}

    def _submit(self, step: steps.Submit) -> None:
        world, status = self.world, self.world.status
        if step.job_id != status.job_status.job_id:
            world.broken.append("submitted under an id that is not durable")
        if step.generation != status.observed_generation:
            world.broken.append("submitted for a generation that is not written ahead")
        if step.savepoint_path not in (None, LAST_STATE_PATH, _durable(status)):
            world.broken.append("submitted with a path that is not durable")
        found = world.deployment
        if found is not None:
            if found.generation != step.generation or found.deleting:
                raise _AgainError
            # What it starts from is in its ConfigMap, which may be missing until its JobManager has begun; a
            # job without state may start from HA metadata or not.
            fixed = not world.stateful or (world.process is not None and world.process.begun)
            same = found.job_id == step.job_id and (fixed or found.path == step.savepoint_path)
            differs = _compare(spec_text(found.spec), spec_text(step.spec)).type > DiffType.IGNORE
            if differs or not same:
                world.broken.append("took another attempt's Deployment for its own")
            return
        self._check_end(step)
        made = Deployment(
            uid=f"uid-{world.number()}",
            generation=step.generation,
            spec=step.spec,
            job_id=step.job_id,
            path=step.savepoint_path,
        )
        world.create(made, _submitted(world, step, made.uid), ha=_is_ha(step.spec))

    def _check_end(self, step: steps.Submit) -> None:
        """A job that has ended by itself is started again only when somebody asks for it."""
        world, ledger = self.world, self.world.ledger
        asked = step.generation > ledger.generation
        back = world.status.reconciliation_status.state is ReconciliationState.ROLLING_BACK
        if ledger.end is None or not ledger.end_seen or asked or back:
            return
        allowed = ledger.end is State.FAILED and _options(world).restart_failed
        if not allowed:
            world.broken.append(f"a job that is {ledger.end} was started again")

    def _release(self) -> None:
        world = self.world
        if world.deployment is not None:
            world.broken.append("released with a cluster left")
        if world.metadata and _is_ha(progress.deployed_spec(world.status) or world.spec):
            world.broken.append("released with HA metadata left")
        world.released = True


# --- facts


def _observe(world: World, how: Look) -> Observation:
    deployment, process = world.deployment, world.process
    pods = bool(world.processes)
    made = how.late == "made" and not world.deleted
    hidden = made and process is not None and not process.begun
    if deployment is None or process is None or hidden:
        return Observation(pods=pods and not hidden)
    deleting = deployment.deleting and how.late != "going"
    facts = JobManagerFacts(
        uid=deployment.uid,
        ours=True,
        generation=deployment.generation,
        deleting=deleting,
        available=process.up,
        age=100.0,
        available_for=100.0 if process.up else 0.0,
        never_available=not process.begun,
    )
    failure = None
    rest = RestFacts()
    if not deleting:
        if process.up and how.deaf:
            rest = RestFacts(Rest.ABSENT)
        elif process.up:
            rest = _rest(world.status, process, how)
        elif not process.can_start:
            failure = PodFailure("ErrImagePull", "no such image")
    return Observation(job_manager=facts, pods=pods, pod_failure=failure, rest=rest)


def _rest(status: FlinkDeploymentStatus, process: Process, how: Look) -> RestFacts:
    job = process.job
    if job is None:
        return RestFacts(Rest.ANSWERED)
    seen = JobOverview(
        jid=job.id,
        name="example",
        state=job.state,
        start_time=1000,
        tasks=TaskCounts(total=2, running=2, finished=0),
    )
    rest = RestFacts(Rest.ANSWERED, jobs=(seen,))
    known = status.job_status
    if job.id != known.job_id:
        return rest
    if job.state is State.FAILED and known.state is not FlinkJobState.FAILED:
        rest = evolve(rest, job_failure=_CAUSE)
    news = known.state is None or not known.state.is_terminal or record.is_stopping(status)
    if not job.lives and news:
        found = _UNREADABLE if how.blind else _checkpoints(process, job.id)
        rest = evolve(rest, checkpoints=found)
    info = known.savepoint_info
    if info is not None and info.trigger_id:
        rest = evolve(rest, savepoint=job.outcome(info.trigger_id))
    return rest


def _checkpoints(process: Process | None, job_id: str | None) -> CheckpointFacts:
    job = process.job if process is not None and process.up else None
    if job is None or job.id != job_id:
        return _UNREADABLE
    at = 1000 if job.newest is not None else None
    return CheckpointFacts(job.newest, Checkpoints(completed_at=at))


def _metadata(world: World) -> HaFacts:
    return ha_metadata.judge(_maps(world), world.status.job_status.job_id)


def _maps(world: World) -> Iterator[HaMap]:
    for job_id, found in world.metadata.items():
        keys = set()
        if found.checkpoint is not None:
            keys.add("checkpointID-0000000000000000001")
        if found.graph:
            keys.add(f"jobGraph-{job_id}")
        yield HaMap(f"{CLUSTER}-{job_id}-config-map", frozenset(keys))


# --- what the controller works out


def _situation(
    world: World,
    status: FlinkDeploymentStatus,
    seen: Observation,
    options: ClusterOptions,
    spec: FlinkDeploymentSpec,
) -> Situation:
    return Situation(
        namespace="ns",
        name=CLUSTER,
        created=world.now,
        spec=spec,
        generation=world.generation,
        status=status,
        observation=seen,
        now=world.now,
        new_job_id=lambda: f"job-{world.number()}",
        new_trigger_id=lambda: f"trigger-{world.number()}",
        diff=_diff(status, spec),
        task_managers=1 if spec.job else None,
        options=options,
        wants_ha=_is_ha(spec),
        user_mode=world.spec.job.upgrade_mode if world.spec.job else UpgradeMode.STATELESS,
        last_error=world.status.error,
        last_job_manager=world.status.job_manager_deployment_status,
    )


def _diff(status: FlinkDeploymentStatus, spec: FlinkDeploymentSpec) -> SpecDiff | None:
    text = status.reconciliation_status.last_reconciled_spec
    return _compare(text, spec_text(spec)) if text else None


@functools.lru_cache(maxsize=4096)
def _compare(before: str, after: str) -> SpecDiff:
    return specdiff.between(recorded_spec.decode(before).spec, recorded_spec.decode(after).spec)


def _is_ha(spec: FlinkDeploymentSpec) -> bool:
    return effective_conf.is_ha(FlinkConf(flatten.flatten(spec.flink_configuration)))


def _options(world: World) -> ClusterOptions:
    deployed = progress.deployed_spec(world.status) or world.spec
    return _read_options(spec_text(deployed), spec_text(world.spec))


@functools.lru_cache(maxsize=4096)
def _read_options(deployed: str, current: str) -> ClusterOptions:
    specs = [recorded_spec.decode(text).spec for text in (deployed, current)]
    version = specs[0].flink_version
    base = _SETTINGS.effective("ns", version)
    identity = ClusterIdentity("ns", CLUSTER, "uid", 1)
    try:
        conf = effective_conf.observe_conf(base, identity, *specs)
    except Exception:  # noqa: BLE001 - as the controller: without what cannot be used
        conf = effective_conf.observe_conf(base, identity, specs[0], specs[0])
    return cluster_options.from_conf(conf, _SETTINGS, _SETTINGS.operator_config("ns", version))


def _problem(world: World, status: FlinkDeploymentStatus) -> Problem | None:
    recon = status.reconciliation_status
    return _judge(spec_text(world.spec), recon.last_reconciled_spec, status)


def _judge(spec: str, recorded: str | None, status: FlinkDeploymentStatus) -> Problem | None:
    key = (spec, recorded)
    if key not in _verdicts:
        wanted = recorded_spec.decode(spec).spec
        identity = ClusterIdentity("ns", CLUSTER, "uid", 1)
        conf = FlinkConf(flatten.flatten(wanted.flink_configuration))
        _verdicts[key] = validator.first_problem(
            validator.Candidate(identity, wanted, status, conf)
        )
    return _verdicts[key]


_verdicts: dict[tuple[str, str | None], Problem | None] = {}


# --- what must hold of a deed


def _submitted(world: World, step: steps.Submit, uid: str) -> Submitted:
    job = step.spec.job
    nonce = job.savepoint_redeploy_nonce if job else None
    ledger = world.ledger
    first = not ledger.begun
    redeploys = nonce is not None and nonce != ledger.nonce
    given = (job.initial_savepoint_path if job else None) or None
    return Submitted(
        uid=uid,
        generation=step.generation,
        stateful=world.stateful,
        given=given,
        explicit=first or redeploys,
        nonce=nonce,
    )


def _recorded_mode(status: FlinkDeploymentStatus) -> UpgradeMode | None:
    recorded = record.last_reconciled(status)
    return recorded.spec.job.upgrade_mode if recorded and recorded.spec.job else None


def _durable(status: FlinkDeploymentStatus) -> str | None:
    info = status.job_status.savepoint_info
    last = info.last_savepoint if info else None
    return status.job_status.upgrade_savepoint_path or (last.location if last else None)


def _is_redeploying(world: World) -> bool:
    recorded = record.last_reconciled(world.status)
    job = recorded.spec.job if recorded else None
    nonce = job.savepoint_redeploy_nonce if job else None
    return nonce is not None and nonce != world.ledger.nonce


def _unsafe_deletion(world: World) -> str | None:
    """Return what is wrong with deleting the cluster now: the way back has to be durable first."""
    ledger, status = world.ledger, world.status
    if ledger.newest is None or not world.stateful or ledger.forgone or _is_redeploying(world):
        return None
    if status.lifecycle_state is LifecycleState.DELETING or ledger.end is State.FINISHED:
        return None
    durable = _durable(status)
    if durable is not None and ledger.is_fine(durable):
        return None
    if any(found.checkpoint == ledger.newest for found in world.metadata.values()):
        return None
    return f"the cluster was deleted before {ledger.newest} was durable: the status has {durable}"
