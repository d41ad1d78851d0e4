"""The FlinkDeployment controller: what a reconcile is, told in order.

observe → assess → validate → plan → carry out → write status. Everything that decides is in the
files of that name; here they are only put one after the other, and errors are turned into what the
user sees.
"""

import datetime as dt
import functools
import random
import secrets
from collections.abc import Callable, Mapping
from typing import Final

import structlog
from attrs import define, evolve, field, frozen

from flinkop.api import codec
from flinkop.api.common import JobState, KubernetesDeploymentMode, UpgradeMode
from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.flinkstatesnapshot import SnapshotType
from flinkop.api.status import (
    FlinkDeploymentStatus,
    JobManagerDeploymentStatus,
    ReconciliationState,
)
from flinkop.api.validation import Problem
from flinkop.api.wire import DecodeError
from flinkop.builders import effective_conf
from flinkop.builders.errors import BuildError
from flinkop.clock import Clock
from flinkop.config import (
    errors as config_errors,
    flatten,
    flink_options,
)
from flinkop.config.flink_conf import FlinkConf
from flinkop.controllers.flinkdeployment import plan, progress, validator
from flinkop.controllers.flinkdeployment.acting import building
from flinkop.controllers.flinkdeployment.assessed import Subject
from flinkop.controllers.flinkdeployment.observation import Observation
from flinkop.controllers.flinkdeployment.observer import Observer
from flinkop.controllers.flinkdeployment.planning import cleanup, steps
from flinkop.controllers.flinkdeployment.planning.situation import Situation
from flinkop.controllers.flinkdeployment.planning.steps import Wait
from flinkop.controllers.flinkdeployment.reconciler import Reconciler
from flinkop.controllers.flinkdeployment.status_writer import StatusWriter
from flinkop.controllers.jobs import outcome, telling as job_telling
from flinkop.controllers.jobs.refusals import ObjectRefused, ScalingRefused, StepFailed
from flinkop.events import reasons
from flinkop.events.draft import EventDraft, warning
from flinkop.events.recorder import Recorder
from flinkop.kube import errors as kube_errors, meta
from flinkop.kube.client import KubeClient
from flinkop.kube.objects import CustomObject
from flinkop.lifecycle import autoscaled, ha_zookeeper, record, specdiff, state
from flinkop.lifecycle.cluster_health import HealthRecord
from flinkop.lifecycle.exception_looks import Known
from flinkop.lifecycle.failure import Failure, FailureType, from_exception
from flinkop.lifecycle.ha_zookeeper import ZooKeeper
from flinkop.lifecycle.specdiff import DiffType, SpecDiff
from flinkop.lifecycle.state import Stall
from flinkop.lifecycle.upgrade import Question
from flinkop.runtime.informer import Informer
from flinkop.runtime.result import Request, Result, RetryError
from flinkop.stages import apioutage, canary, cluster_options, context, finalizer
from flinkop.stages.cluster_options import ClusterOptions, PerResource
from flinkop.stages.context import ReconcileContext
from flinkop.stages.probe import ProbeBackoff
from flinkop.stages.settings import Settings
from flinkop.stages.status_patch import StatusConflict, StatusPruned
from flinkop.zookeeper.errors import ZooKeeperError

_log = structlog.get_logger(__name__)

Context = ReconcileContext[FlinkDeploymentSpec, FlinkDeploymentStatus]

Planner = Callable[[Situation], steps.Outcome]

_KIND: Final = meta.FLINKDEPLOYMENTS
_READ: Final = context.Kind(
    _KIND,
    FlinkDeploymentSpec(),
    codec.decode_flinkdeployment_spec,
    codec.decode_flinkdeployment_status,
    codec.encode_status,
)
_PASSING: Final = (StatusConflict, RetryError)
"""Errors that are part of a normal day: tried again soon, and nobody needs to be told."""
_PASSING_LOOKS: Final = 4
"""About a second and a half of probing."""


@frozen
class _Seen:
    """What this reconcile found: status after observation, the facts, the cluster's options, what is news.

    `exceptions` are those of the job that the news tell of.
    """

    status: FlinkDeploymentStatus
    observation: Observation
    options: ClusterOptions
    drafts: tuple[EventDraft, ...] = ()
    exceptions: Known | None = None


@frozen
class _Wanted:
    """Options of the cluster that the spec asks for."""

    high_availability: bool
    overrides: Mapping[str, str]


@define
class FlinkDeploymentReconciler:
    """Brings one FlinkDeployment closer to its spec each time it is called."""

    resources: Informer[CustomObject]
    observer: Observer
    reconciler: Reconciler
    writer: StatusWriter
    kube: KubeClient
    recorder: Recorder
    settings: Settings
    clock: Clock
    probes: ProbeBackoff = field(factory=ProbeBackoff)
    rng: random.Random = field(factory=random.Random)
    zone: dt.tzinfo = dt.UTC
    _options: PerResource = field(factory=PerResource)
    _verdicts: PerResource = field(factory=PerResource)
    _diffs: PerResource = field(factory=PerResource)
    _periodic: dict[meta.ObjectKey, dict[SnapshotType, dt.datetime]] = field(factory=dict)
    _unscalable: dict[meta.ObjectKey, int] = field(factory=dict)
    _health: dict[meta.ObjectKey, HealthRecord] = field(factory=dict)
    _exceptions: dict[meta.ObjectKey, Known] = field(factory=dict)

    async def reconcile(self, request: Request) -> Result:
        """Look at the resource and do what is due; see the module's docstring.

        Raises:
            RetryError: the object moved on meanwhile, or the API server is unwell; neither uses up an
                attempt, because neither says anything about this resource.
        """
        with apioutage.retried(self.rng):
            return await self._reconcile(request)

    async def _reconcile(self, request: Request) -> Result:
        key = meta.ObjectKey(request.namespace, request.name)
        obj = self.resources.lister.get(key)
        if obj is None:
            self._forget(key, request)
            return Result(gone=True)
        structlog.contextvars.bind_contextvars(generation=obj.metadata.generation)
        if obj.metadata.deletion_timestamp is not None:
            return await self._delete(request, obj)
        if canary.is_one(obj):
            return Result()
        if not finalizer.is_on(obj, _KIND):
            try:
                obj = await finalizer.add(self.kube, _KIND, obj)
            except kube_errors.NotFound:
                return Result()  # deleted before anything was made for it
            self.resources.note_write(obj)
        return await self._advance(self._context(request, obj))

    async def on_error(self, request: Request, error: Exception) -> None:
        """Say on the resource what went wrong, when trying again alone may not help (L-7)."""
        if isinstance(error, _PASSING):
            return
        obj = self.resources.lister.get(meta.ObjectKey(request.namespace, request.name))
        if obj is None:
            return
        ctx = self._context(request, obj)
        failure = from_exception(error)
        ctx.say(warning(reasons.ERROR, reasons.JOB_MANAGER_DEPLOYMENT, failure.message))
        if ctx.deleting or isinstance(error, StatusPruned):
            return
        status = evolve(ctx.status, error=failure.to_json(ctx.error_limits))
        await self.writer.write(ctx, status)

    # --- the way of one reconcile

    async def _advance(self, ctx: Context) -> Result:
        ctx = _taken_over(ctx)
        options = self._cluster_options(ctx)
        observation = await self.observer.observe(ctx, options, self._exceptions.get(ctx.key))
        assessed = progress.assess(self._subject(ctx, observation, options))
        if assessed.health is not None:
            self._health[ctx.key] = assessed.health
        if _is_foreign(ctx):
            _log.info("taken over from another operator")
            await self.writer.write(ctx, assessed.status)
        if self._is_passing(ctx, assessed.status):
            return self._next_look(ctx, Wait.PROBE)
        seen = _Seen(assessed.status, observation, options, assessed.drafts, assessed.exceptions)
        problem = self._problem(ctx, assessed.status)
        if problem is not None:
            return await self._advance_last_good(ctx, seen, problem)
        at = self._situation(ctx, seen, ctx.spec, ctx.generation)
        made = await self._plan(ctx, options, at, plan.plan)
        self._say(ctx, seen)
        return await self._act(ctx, made, options)

    def _say(self, ctx: Context, seen: _Seen) -> None:
        """Tell what is news, and only then count the exceptions among it as told."""
        ctx.say(*seen.drafts)
        if seen.exceptions is None:
            return
        self._exceptions[ctx.key] = seen.exceptions
        outcome.tell_left_out(_log, seen.exceptions)

    async def _plan(
        self, ctx: Context, options: ClusterOptions, at: Situation, plan_for: Planner
    ) -> steps.Made:
        """Plan, and look up what the plan turns out to need; each fact once.

        What ZooKeeper does not tell is not known, which is no reason to act as if it were not there.
        """
        for _ in Question:
            made = plan_for(at)
            if isinstance(made, steps.Plan):
                return made
            try:
                found = await self.observer.look_up(ctx, options, at.observation, made.question)
            except ZooKeeperError as error:
                return job_telling.unknown(at, str(error))
            at = evolve(at, observation=found)
        made = plan_for(at)
        if isinstance(made, steps.Plan):
            return made
        raise RuntimeError(f"a plan needs {made.question.value} again")

    def _is_passing(self, ctx: Context, status: FlinkDeploymentStatus) -> bool:
        """Whether what was seen is over before it is worth a write; for a few looks only."""
        settled = ctx.generation == ctx.status.observed_generation
        early = self.probes.looks(ctx.request) < _PASSING_LOOKS
        return early and settled and progress.is_passing(ctx.status, status)

    async def _advance_last_good(self, ctx: Context, seen: _Seen, problem: Problem) -> Result:
        """The spec is refused: say so, and go on with the last good one (behaviour.md L-30)."""
        self._say(ctx, seen)
        error = Failure(FailureType.VALIDATION, problem.message).to_json(ctx.error_limits)
        news = error != ctx.status.error
        if news:
            ctx.say(_refusal(problem))
        _log.warning(
            f"spec refused: {problem.message}", reason=problem.reason, field=problem.field_path
        )
        stall = Stall(problem.reason, problem.message)
        status = seen.status
        recorded = record.last_reconciled(status)
        if recorded is None:
            await self.writer.write(ctx, evolve(status, error=error), stall)
            return Result()
        spec = recorded.spec
        if (
            status.reconciliation_status.state is ReconciliationState.UPGRADING
            and spec.job is not None
        ):
            spec = evolve(spec, job=evolve(spec.job, state=JobState.RUNNING))
        generation = status.observed_generation or ctx.generation
        at = self._situation(ctx, seen, spec, generation)
        made = await self._plan(ctx, seen.options, at, plan.plan)
        # What else keeps the last good spec from being reached is told once, too.
        told = made.stall is not None and not news
        kept = tuple(s for s in made.steps if not (told and isinstance(s, steps.Say)))
        made = evolve(made, status=evolve(made.status, error=error), steps=kept, stall=stall)
        return await self._act(ctx, made, seen.options)

    async def _act(self, ctx: Context, made: steps.Made, options: ClusterOptions) -> Result:
        """Carry out the plan and write what came of it."""
        outcome.tell(_log, made)
        stall = made.stall
        status = made.status
        try:
            if made.periodic is not None:  # one that fails waits a full period, too
                self._periodic.setdefault(ctx.key, {})[made.periodic] = ctx.now
            status = await self.reconciler.carry_out(ctx, made, options)
        except ObjectRefused as error:
            status, stall = self._object_refused(ctx, error)
            made = evolve(made, wait=Wait.INTERVAL, again=False, note=None)
        except ScalingRefused as error:
            _log.info(f"the running job cannot be scaled, upgrading it: {error}")
            self._unscalable[ctx.key] = ctx.generation
            return Result(0.0, lane="user")
        except StepFailed as error:
            status = self._step_failed(ctx, error)
            made = evolve(made, wait=Wait.INTERVAL, again=False, note=None)
        if stall is not None or not (made.silent or outcome.is_released(made)):
            await self.writer.write(ctx, status, stall, made.note)
        if made.again:
            return Result(0.0, lane="user")
        return outcome.no_later(self._next_look(ctx, made.wait), ctx.now, made.due)

    def _object_refused(
        self, ctx: Context, error: ObjectRefused
    ) -> tuple[FlinkDeploymentStatus, Stall]:
        """The API server does not take what the spec leads to: keep what is acknowledged, and say why."""
        failure = Failure(FailureType.DEPLOYMENT_FAILED, str(error), {"reason": error.reason})
        ctx.say(warning(error.reason, reasons.JOB_MANAGER_DEPLOYMENT, str(error)))
        _log.warning(f"the API server refuses the cluster's objects: {error}", reason=error.reason)
        acknowledged = codec.decode_flinkdeployment_status(ctx.document.document)
        status = evolve(acknowledged, error=failure.to_json(ctx.error_limits))
        return status, Stall(error.reason, str(error))

    def _step_failed(self, ctx: Context, error: StepFailed) -> FlinkDeploymentStatus:
        acknowledged = codec.decode_flinkdeployment_status(ctx.document.document)
        return outcome.step_failed(_log, ctx, acknowledged, error, reasons.JOB_MANAGER_DEPLOYMENT)

    async def _delete(self, request: Request, obj: CustomObject) -> Result:
        """Take the cluster down, then let the resource go (behaviour.md 1.7, 3.13)."""
        if not finalizer.is_on(obj, _KIND):
            return Result()
        ctx = _taken_over(self._context(request, obj))
        options = self._cluster_options(ctx)
        observation = await self.observer.observe(ctx, options)
        spec = progress.deployed_spec(ctx.status) or ctx.spec
        assessed = progress.assess(self._subject(ctx, observation, options))
        seen = _Seen(assessed.status, observation, options)
        at = self._situation(ctx, seen, spec, ctx.generation)
        made = await self._plan(ctx, options, at, cleanup.cleanup)
        result = await self._act(ctx, made, options)
        if outcome.is_released(made):
            self._forget(ctx.key, request)
        return result

    def _forget(self, key: meta.ObjectKey, request: Request) -> None:
        for kept in (self._options, self._verdicts, self._diffs, self.observer, self.writer):
            kept.forget(key)
        self._health.pop(key, None)
        self._exceptions.pop(key, None)
        self._unscalable.pop(key, None)
        self._periodic.pop(key, None)
        self.probes.reset(request)

    def _next_look(self, ctx: Context, wait: str) -> Result:
        operator = self.settings.current.operator_config(ctx.key.namespace, ctx.spec.flink_version)
        if wait == Wait.PROBE:
            upper = operator.rest_ready_delay.total_seconds()
            return Result(self.probes.next_delay(ctx.request, upper), lane="user")
        self.probes.reset(ctx.request)
        if wait == Wait.PROGRESS:
            return Result(operator.progress_check_interval.total_seconds())
        if wait == Wait.INTERVAL:
            return Result(operator.reconcile_interval.total_seconds())
        return Result()

    # --- what the stages are given

    def _subject(self, ctx: Context, observation: Observation, options: ClusterOptions) -> Subject:
        return Subject(
            status=ctx.status,
            observation=observation,
            spec=ctx.spec,
            now=ctx.now,
            limits=ctx.error_limits,
            options=options,
            health=self._health.get(ctx.key),
            exceptions=self._exceptions.get(ctx.key),
            exception_limits=ctx.exception_limits,
        )

    def _context(self, request: Request, obj: CustomObject) -> Context:
        return context.make(
            _READ,
            request,
            obj,
            settings=self.settings.current,
            now=self.clock.now(),
            recorder=self.recorder,
            noted=self.resources.note_write,
        )

    def _cluster_options(self, ctx: Context) -> ClusterOptions:
        """Options of the running cluster; those of the wanted one before there is any."""
        text = ctx.status.reconciliation_status.last_reconciled_spec
        made_from = (ctx.about.uid, ctx.generation, hash(text), ctx.settings)
        return self._options.get(ctx.key, made_from, lambda: self._read_options(ctx))

    def _read_options(self, ctx: Context) -> ClusterOptions:
        """Read them with what the user's spec says now; without that when it cannot be used."""
        deployed = progress.deployed_spec(ctx.status) or ctx.spec
        for current in (deployed,) if ctx.unreadable else (ctx.spec, deployed):
            try:
                return _options(ctx, deployed, current)
            except (BuildError, config_errors.ConfigError, DecodeError) as error:
                _log.debug("options of the cluster cannot be read", error=str(error))
        # Nothing is deployed, and the validator reports why: the defaults do for looking.
        return ClusterOptions()

    def _problem(self, ctx: Context, status: FlinkDeploymentStatus) -> Problem | None:
        """Judge the spec, once for each generation, recorded spec and configuration."""
        if ctx.unreadable is not None:
            return Problem.of(ctx.unreadable)
        text = status.reconciliation_status.last_reconciled_spec
        made_from = (ctx.about.uid, ctx.generation, hash(text), ctx.settings)
        return self._verdicts.get(ctx.key, made_from, lambda: _judge(ctx, status))

    def _situation(
        self, ctx: Context, seen: _Seen, spec: FlinkDeploymentSpec, generation: int
    ) -> Situation:
        status, options = seen.status, seen.options
        user_job = ctx.spec.job
        # A spec that cannot be read may well be one of a job with state.
        unknown = UpgradeMode.SAVEPOINT if ctx.unreadable else UpgradeMode.STATELESS
        differs = self._diff(ctx, status, spec)
        wanted = self._wanted(ctx, spec, options, differs)
        return Situation(
            namespace=ctx.key.namespace,
            name=ctx.key.name,
            created=ctx.obj.metadata.creation_timestamp or ctx.now,
            spec=spec,
            generation=generation,
            status=status,
            observation=seen.observation,
            now=ctx.now,
            new_job_id=functools.partial(_job_id, spec),
            new_trigger_id=_new_id,
            diff=differs,
            task_managers=self._task_managers(ctx, spec, generation, status),
            options=options,
            wants_ha=wanted.high_availability,
            zookeeper_of=functools.partial(_zookeeper_of, ctx),
            wanted_overrides=wanted.overrides,
            may_rescale=self._unscalable.get(ctx.key) != ctx.generation,
            user_mode=user_job.upgrade_mode if user_job else unknown,
            zone=self.zone,
            remembered=self._periodic.get(ctx.key, {}),
            label_selector=ctx.settings.operator.label_selector,
            last_error=ctx.status.error,
            last_job_manager=ctx.status.job_manager_deployment_status,
            limits=ctx.error_limits,
            deleted_at=ctx.obj.metadata.deletion_timestamp,
        )

    def _wanted(
        self,
        ctx: Context,
        spec: FlinkDeploymentSpec,
        options: ClusterOptions,
        differs: SpecDiff | None,
    ) -> _Wanted:
        """Return what only a change may make differ from what runs."""
        if differs is not None and differs.type is DiffType.IGNORE:
            return _Wanted(options.high_availability, options.overrides)
        conf = building.own_conf(ctx, spec)
        overrides = conf.get(flink_options.PARALLELISM_OVERRIDES)
        return _Wanted(effective_conf.is_ha(conf), overrides)

    def _diff(
        self, ctx: Context, status: FlinkDeploymentStatus, spec: FlinkDeploymentSpec
    ) -> SpecDiff | None:
        recorded = record.last_reconciled(status)
        if recorded is None:
            return None
        made_from = (
            ctx.about.uid,
            hash(status.reconciliation_status.last_reconciled_spec),
            ctx.generation,
            spec is ctx.spec,
        )
        before = recorded.spec
        return self._diffs.get(ctx.key, made_from, lambda: _compare(before, spec))

    def _task_managers(
        self,
        ctx: Context,
        spec: FlinkDeploymentSpec,
        generation: int,
        status: FlinkDeploymentStatus,
    ) -> int | None:
        """Only a spec that is about to be recorded needs the number, so only then it is worked out."""
        standalone = spec.effective_mode is KubernetesDeploymentMode.STANDALONE
        if ctx.deleting or (spec.job is None and not standalone):
            return None
        settled = (
            generation == status.observed_generation
            and status.reconciliation_status.state is ReconciliationState.DEPLOYED
            and (status.task_manager is not None or spec.job is None)
            and status.job_manager_deployment_status is not JobManagerDeploymentStatus.MISSING
        )
        if settled:
            return status.task_manager.replicas if status.task_manager else None
        return _task_managers(ctx, spec, generation)


def _is_foreign(ctx: Context) -> bool:
    """Whether another operator has reconciled the resource so far.

    Then what was seen is written down before anything is done: if the cluster's CRD drops the conditions, it
    would also drop what an upgrade relies on.
    """
    ours = any(one.type == state.READY for one in ctx.status.conditions)
    return not ours and record.last_reconciled(ctx.status) is not None


def _taken_over(ctx: Context) -> Context:
    """Return `ctx` with what other releases, or an autoscaler, have left in the status in force."""
    ctx = evolve(ctx, status=record.with_generation(ctx.status))
    recorded = record.last_reconciled(ctx.status)
    if recorded is None or not autoscaled.has_decisions(recorded.spec):
        return ctx
    try:
        spec = autoscaled.kept(ctx.spec, recorded.spec, building.own_conf(ctx, ctx.spec))
    except config_errors.ConfigError:
        return ctx  # the validator says so
    return evolve(ctx, spec=spec)


def _judge(ctx: Context, status: FlinkDeploymentStatus) -> Problem | None:
    """Return the first rule the spec breaks; a spec that is new must also lead to buildable objects."""
    candidate = validator.Candidate(
        identity=building.identity(ctx, ctx.generation),
        spec=ctx.spec,
        status=status,
        conf=FlinkConf(),
        size=len(memoryview(ctx.obj.spec)),
    )
    try:
        conf = building.own_conf(ctx, ctx.spec)
        problem = validator.first_problem(evolve(candidate, conf=conf))
        if problem is None and ctx.generation != status.observed_generation:
            building.build(ctx, ctx.spec, ctx.generation, job_id=None, savepoint_path=None)
            _options(ctx, ctx.spec, ctx.spec)
            _task_managers(ctx, ctx.spec, ctx.generation)
    except config_errors.ConfigError as error:
        return Problem("spec.flinkConfiguration", "InvalidConfiguration", str(error))
    except BuildError as error:
        return Problem("spec", "InvalidClusterSpec", str(error))
    return problem


def _options(
    ctx: Context, deployed: FlinkDeploymentSpec, current: FlinkDeploymentSpec
) -> ClusterOptions:
    base = ctx.settings.effective(ctx.key.namespace, deployed.flink_version)
    operator = ctx.settings.operator_config(ctx.key.namespace, deployed.flink_version)
    identity = building.identity(ctx, ctx.generation)
    conf = effective_conf.observe_conf(base, identity, deployed, current)
    return cluster_options.from_conf(conf, ctx.settings, operator)


def _zookeeper_of(ctx: Context, spec: FlinkDeploymentSpec) -> ZooKeeper | None:
    return ha_zookeeper.from_conf(building.own_conf(ctx, spec), ctx.key.namespace, ctx.key.name)


def _task_managers(ctx: Context, spec: FlinkDeploymentSpec, generation: int) -> int:
    base = ctx.settings.effective(ctx.key.namespace, spec.flink_version)
    identity = building.identity(ctx, generation)
    return cluster_options.task_managers(effective_conf.deploy_conf(base, identity, spec))


def _compare(before: FlinkDeploymentSpec, after: FlinkDeploymentSpec) -> SpecDiff:
    standalone = before.effective_mode is KubernetesDeploymentMode.STANDALONE
    return specdiff.between(before, after, standalone=standalone)


def _refusal(problem: Problem) -> EventDraft:
    if problem.reason == "FlinkVersionMissing":
        text = "Flink version null is not supported by this operator version"
        return warning(reasons.UNSUPPORTED_FLINK_VERSION, reasons.OPERATOR, text)
    return warning(reasons.VALIDATION_ERROR, reasons.OPERATOR, problem.message)


def _job_id(spec: FlinkDeploymentSpec) -> str:
    """Return the id that the user fixed, else a new one (R-65)."""
    fixed = flatten.flatten(spec.flink_configuration).get(flink_options.JOB_ID.key)
    return fixed or _new_id()


def _new_id() -> str:
    return secrets.token_hex(16)
