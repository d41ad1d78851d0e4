"""The FlinkSessionJob controller: what a reconcile is, told in order.

find the cluster → observe → assess → validate → plan → carry out → write status. Everything that decides is in
the files of that name; here they are only put one after the other, and errors are turned into what the
user sees.
"""

import datetime as dt
import functools
import random
import secrets
import zlib
from collections.abc import Callable
from typing import Final

import structlog
from attrs import define, evolve, field, frozen

from flinkop.api import codec
from flinkop.api.common import JobState, UpgradeMode
from flinkop.api.flinksessionjob import FlinkSessionJobSpec
from flinkop.api.flinkstatesnapshot import SnapshotType
from flinkop.api.status import FlinkSessionJobStatus, ReconciliationState
from flinkop.api.validation import Problem
from flinkop.artifacts.terms import Terms
from flinkop.builders import effective_conf
from flinkop.builders.errors import BuildError
from flinkop.clock import Clock
from flinkop.config import errors as config_errors
from flinkop.config.flink_conf import FlinkConf
from flinkop.config.snapshot import ConfigSnapshot
from flinkop.controllers.flinksessionjob import plan, progress, validator
from flinkop.controllers.flinksessionjob.assessed import Subject
from flinkop.controllers.flinksessionjob.observation import Observation
from flinkop.controllers.flinksessionjob.observer import Observer
from flinkop.controllers.flinksessionjob.planning import cleanup, steps
from flinkop.controllers.flinksessionjob.planning.situation import Situation
from flinkop.controllers.flinksessionjob.reconciler import Place, Reconciler
from flinkop.controllers.flinksessionjob.status_writer import StatusWriter
from flinkop.controllers.jobs import outcome
from flinkop.controllers.jobs.refusals import StepFailed
from flinkop.controllers.jobs.steps import Plan, Wait
from flinkop.events import reasons
from flinkop.events.draft import warning
from flinkop.events.recorder import Recorder
from flinkop.kube import errors as kube_errors, meta
from flinkop.kube.client import KubeClient
from flinkop.kube.objects import CustomObject
from flinkop.lifecycle import autoscaled, record, specdiff
from flinkop.lifecycle.exception_looks import Known
from flinkop.lifecycle.failure import Failure, FailureType, from_exception
from flinkop.lifecycle.specdiff import SpecDiff
from flinkop.lifecycle.state import Stall
from flinkop.lifecycle.upgrade import Question
from flinkop.runtime.informer import Informer
from flinkop.runtime.result import Request, Result, RetryError
from flinkop.stages import apioutage, canary, cluster_options, context, finalizer
from flinkop.stages.cluster_options import ClusterOptions, PerResource
from flinkop.stages.context import ReconcileContext
from flinkop.stages.probe import ProbeBackoff
from flinkop.stages.session_clusters import SessionCluster, SessionClusters
from flinkop.stages.settings import Settings
from flinkop.stages.status_patch import StatusConflict, StatusPruned

_log = structlog.get_logger(__name__)

Context = ReconcileContext[FlinkSessionJobSpec, FlinkSessionJobStatus]
Planner = Callable[[Situation], steps.Outcome]

_KIND: Final = meta.FLINKSESSIONJOBS
_READ: Final = context.Kind(
    _KIND,
    FlinkSessionJobSpec(),
    codec.decode_flinksessionjob_spec,
    codec.decode_flinksessionjob_status,
    codec.encode_status,
)
_PASSING: Final = (StatusConflict, RetryError)
"""Errors that are part of a normal day: tried again soon, and nobody needs to be told."""
_PASSING_LOOKS: Final = 4
"""About a second and a half of probing."""
_UNREADABLE: Final = (BuildError, config_errors.ConfigError)


@frozen
class _Seen:
    """What this reconcile found.

    Attributes:
        status: the status after observation.
        observation: the facts.
        place: where the job is; None while its cluster cannot be worked with.
    """

    status: FlinkSessionJobStatus
    observation: Observation
    place: Place | None = None

    @property
    def options(self) -> ClusterOptions:
        """Options of the job."""
        return self.place.options if self.place is not None else ClusterOptions()


@define
class FlinkSessionJobReconciler:
    """Brings one FlinkSessionJob closer to its spec each time it is called."""

    resources: Informer[CustomObject]
    clusters: SessionClusters
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
        """Say on the resource what went wrong, when trying again alone may not help (L-42)."""
        if isinstance(error, _PASSING):
            return
        obj = self.resources.lister.get(meta.ObjectKey(request.namespace, request.name))
        if obj is None:
            return
        ctx = self._context(request, obj)
        failure = from_exception(error)
        ctx.say(warning(reasons.ERROR, reasons.JOB, failure.message))
        if ctx.deleting or isinstance(error, StatusPruned):
            return
        await self.writer.write(ctx, evolve(ctx.status, error=failure.to_json(ctx.error_limits)))

    # --- the way of one reconcile

    async def _advance(self, ctx: Context) -> Result:
        cluster = self._cluster(ctx)
        ctx = self._taken_over(ctx, cluster)
        place = self._place(ctx, cluster)
        options = place.options if place is not None else ClusterOptions()
        known = self._exceptions.get(ctx.key)
        observation = await self.observer.observe(ctx, cluster, options, known)
        assessed = progress.assess(self._subject(ctx, observation, options))
        if self._is_passing(ctx, assessed.status):
            return self._next_look(ctx, Wait.PROBE)
        seen = _Seen(assessed.status, observation, place)
        problem = self._problem(ctx, assessed.status, cluster)
        spec, generation = ctx.spec, ctx.generation
        if problem is None:
            made = await self._plan(ctx, self._situation(ctx, seen, spec, generation), plan.plan)
        else:
            made = await self._with_last_good(ctx, seen, problem)
        ctx.say(*assessed.drafts)
        if assessed.exceptions is not None:
            self._exceptions[ctx.key] = assessed.exceptions
            outcome.tell_left_out(_log, assessed.exceptions)
        return await self._act(ctx, made, place)

    async def _plan(self, ctx: Context, at: Situation, plan_for: Planner) -> steps.Made:
        """Plan, and look up what the plan turns out to need; each fact once."""
        for _ in Question:
            made = plan_for(at)
            if isinstance(made, Plan):
                return made
            found = await self.observer.look_up(ctx, at.options, at.observation, made.question)
            at = evolve(at, observation=found)
        raise RuntimeError("a plan needs the same fact again and again")

    async def _with_last_good(self, ctx: Context, seen: _Seen, problem: Problem) -> steps.Made:
        """The spec is refused: say so, and go on with the last good one (behaviour.md L-30)."""
        ctx.say(warning(reasons.VALIDATION_ERROR, reasons.OPERATOR, problem.message))
        _log.warning(
            f"spec refused: {problem.message}", reason=problem.reason, field=problem.field_path
        )
        error = Failure(FailureType.VALIDATION, problem.message).to_json(ctx.error_limits)
        stall = Stall(problem.reason, problem.message)
        recorded = record.last_reconciled(seen.status)
        if recorded is None:
            status = evolve(seen.status, error=error)
            return Plan(problem.message, status, wait=Wait.NONE, stall=stall)
        spec = recorded.spec
        upgrading = seen.status.reconciliation_status.state is ReconciliationState.UPGRADING
        if upgrading and spec.job is not None:
            spec = evolve(spec, job=evolve(spec.job, state=JobState.RUNNING))
        generation = seen.status.observed_generation or ctx.generation
        made = await self._plan(ctx, self._situation(ctx, seen, spec, generation), plan.plan)
        return evolve(made, status=evolve(made.status, error=error), stall=stall)

    async def _act(self, ctx: Context, made: steps.Made, place: Place | None) -> Result:
        """Carry out the plan and write what came of it."""
        outcome.tell(_log, made)
        stall = made.stall
        try:
            if made.periodic is not None:  # one that fails waits a full period, too
                self._periodic.setdefault(ctx.key, {})[made.periodic] = ctx.now
            status = await self.reconciler.carry_out(ctx, made, place)
        except StepFailed as error:
            status = self._step_failed(ctx, error)
            made = evolve(made, wait=Wait.PROGRESS, again=False, note=None)
        if not (made.silent or outcome.is_released(made)):
            await self.writer.write(ctx, status, stall, made.note)
        if made.again:
            return Result(0.0, lane="user")
        return outcome.no_later(self._next_look(ctx, made.wait), ctx.now, made.due)

    def _step_failed(self, ctx: Context, error: StepFailed) -> FlinkSessionJobStatus:
        acknowledged = codec.decode_flinksessionjob_status(ctx.document.document)
        return outcome.step_failed(_log, ctx, acknowledged, error, reasons.JOB)

    async def _delete(self, request: Request, obj: CustomObject) -> Result:
        """Take the job away, then let the resource go (behaviour.md 1.7, 3.13)."""
        if not finalizer.is_on(obj, _KIND):
            return Result()
        ctx = self._context(request, obj)
        cluster = self._cluster(ctx)
        place = self._place(ctx, cluster)
        options = place.options if place is not None else ClusterOptions()
        observation = await self.observer.observe(ctx, cluster, options)
        assessed = progress.assess(self._subject(ctx, observation, options))
        recorded = record.last_reconciled(ctx.status)
        spec = recorded.spec if recorded is not None else ctx.spec
        at = self._situation(ctx, _Seen(assessed.status, observation, place), spec, ctx.generation)
        made = await self._plan(ctx, at, cleanup.cleanup)
        result = await self._act(ctx, made, place)
        if outcome.is_released(made):
            self._forget(ctx.key, request)
        return result

    def _is_passing(self, ctx: Context, status: FlinkSessionJobStatus) -> bool:
        """Whether what was seen is over before it is worth a write; for a few looks only."""
        settled = ctx.generation == ctx.status.observed_generation
        early = self.probes.looks(ctx.request) < _PASSING_LOOKS
        return early and settled and progress.is_passing(ctx.status, status)

    def _forget(self, key: meta.ObjectKey, request: Request) -> None:
        for kept in (self._options, self._verdicts, self._diffs, self.observer, self.writer):
            kept.forget(key)
        self._exceptions.pop(key, None)
        self._periodic.pop(key, None)
        self.probes.reset(request)

    def _next_look(self, ctx: Context, wait: str) -> Result:
        operator = self.settings.current.operator_config(ctx.key.namespace)
        if wait == Wait.PROBE:
            upper = operator.rest_ready_delay.total_seconds()
            return Result(self.probes.next_delay(ctx.request, upper), lane="user")
        self.probes.reset(ctx.request)
        if wait == Wait.PROGRESS:
            return Result(operator.progress_check_interval.total_seconds())
        if wait == Wait.INTERVAL:
            interval = operator.reconcile_interval.total_seconds()
            return Result(beat(ctx.key.namespace, ctx.spec.deployment_name, ctx.now, interval))
        return Result()

    # --- what the stages are given

    def _cluster(self, ctx: Context) -> SessionCluster | None:
        """Return the cluster of the job: the one it was submitted to, whatever its spec says by now (S3)."""
        recorded = record.last_reconciled(ctx.status)
        name = recorded.spec.deployment_name if recorded is not None else ctx.spec.deployment_name
        return self.clusters.find(meta.ObjectKey(ctx.key.namespace, name)) if name else None

    def _taken_over(self, ctx: Context, cluster: SessionCluster | None) -> Context:
        """Return `ctx` with what other releases, or an autoscaler, have left in the status in force."""
        ctx = evolve(ctx, status=record.with_generation(ctx.status))
        recorded = record.last_reconciled(ctx.status)
        if recorded is None or cluster is None or not autoscaled.has_decisions(recorded.spec):
            return ctx
        try:
            conf = self._conf_of(ctx.key.name, cluster, ctx.settings, ctx.spec)
            return evolve(ctx, spec=autoscaled.kept(ctx.spec, recorded.spec, conf))
        except _UNREADABLE:
            return ctx  # the validator says so

    def _place(self, ctx: Context, cluster: SessionCluster | None) -> Place | None:
        if cluster is None:
            return None
        text = ctx.status.reconciliation_status.last_reconciled_spec
        made_from = (ctx.about.uid, ctx.generation, hash(text), cluster.mark, ctx.settings)
        return self._options.get(ctx.key, made_from, lambda: self._make_place(ctx, cluster))

    def _make_place(self, ctx: Context, cluster: SessionCluster) -> Place | None:
        """Read the options with what the user's spec says now; without that when it cannot be used."""
        conf_of = functools.partial(self._conf_of, ctx.key.name, cluster, ctx.settings)
        recorded = record.last_reconciled(ctx.status)
        last = recorded.spec if recorded is not None else None
        for spec in (last,) if ctx.unreadable else (ctx.spec, last):
            if spec is None:
                continue
            try:
                operator = ctx.settings.operator_config(ctx.key.namespace, cluster.version)
                options = cluster_options.from_conf(conf_of(spec), ctx.settings, operator)
            except _UNREADABLE as error:
                _log.debug("options of the job cannot be read", error=str(error))
                continue
            return Place(cluster.key, options, conf_of)
        return None

    def _conf_of(
        self,
        name: str,
        cluster: SessionCluster,
        settings: ConfigSnapshot,
        spec: FlinkSessionJobSpec,
    ) -> FlinkConf:
        base = self.clusters.conf(cluster, settings)
        return effective_conf.session_job_conf(base, name, spec)

    def _subject(self, ctx: Context, observation: Observation, options: ClusterOptions) -> Subject:
        return Subject(
            status=ctx.status,
            observation=observation,
            spec=ctx.spec,
            now=ctx.now,
            limits=ctx.error_limits,
            options=options,
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

    def _problem(
        self, ctx: Context, status: FlinkSessionJobStatus, cluster: SessionCluster | None
    ) -> Problem | None:
        """Judge the spec, once for each generation, recorded spec, cluster and configuration."""
        if ctx.unreadable is not None:
            return Problem.of(ctx.unreadable)
        text = status.reconciliation_status.last_reconciled_spec
        mark = cluster.mark if cluster is not None else ""
        made_from = (ctx.about.uid, ctx.generation, hash(text), mark, ctx.settings)
        return self._verdicts.get(ctx.key, made_from, lambda: self._judge(ctx, status, cluster))

    def _judge(
        self, ctx: Context, status: FlinkSessionJobStatus, cluster: SessionCluster | None
    ) -> Problem | None:
        try:
            conf = self._judged_conf(ctx, cluster)
            candidate = validator.Candidate(
                spec=ctx.spec,
                status=status,
                terms=Terms.read(ctx.settings.default, conf or ctx.settings.default),
                application=cluster is not None and cluster.has_job,
                conf=conf,
                size=len(memoryview(ctx.obj.spec)),
            )
            problem = validator.first_problem(candidate)
            if problem is None and conf is not None:
                operator = ctx.settings.operator_config(ctx.key.namespace)
                cluster_options.from_conf(conf, ctx.settings, operator)
        except _UNREADABLE as error:
            return Problem("spec.flinkConfiguration", "InvalidConfiguration", str(error))
        return problem

    def _judged_conf(self, ctx: Context, cluster: SessionCluster | None) -> FlinkConf | None:
        """Return the configuration that the spec leads to; None while its cluster has none that can be read.

        Raises:
            BuildError: it is the session job's own that cannot be used.
        """
        if cluster is None:
            return None
        try:
            base = self.clusters.conf(cluster, ctx.settings)
        except _UNREADABLE:
            return None  # said on the cluster, and it is not ready then
        return effective_conf.session_job_conf(base, ctx.key.name, ctx.spec)

    def _situation(
        self, ctx: Context, seen: _Seen, spec: FlinkSessionJobSpec, generation: int
    ) -> Situation:
        user_job = ctx.spec.job
        # A spec that cannot be read may well be one of a job with state.
        unknown = UpgradeMode.SAVEPOINT if ctx.unreadable else UpgradeMode.STATELESS
        return Situation(
            namespace=ctx.key.namespace,
            name=ctx.key.name,
            created=ctx.obj.metadata.creation_timestamp or ctx.now,
            spec=spec,
            generation=generation,
            status=seen.status,
            observation=seen.observation,
            now=ctx.now,
            new_job_id=_new_id,
            new_trigger_id=_new_id,
            diff=self._diff(ctx, seen.status, spec),
            options=seen.options,
            user_mode=user_job.upgrade_mode if user_job else unknown,
            zone=self.zone,
            remembered=self._periodic.get(ctx.key, {}),
            label_selector=ctx.settings.operator.label_selector,
            last_error=ctx.status.error,
            limits=ctx.error_limits,
            deleted_at=ctx.obj.metadata.deletion_timestamp,
        )

    def _diff(
        self, ctx: Context, status: FlinkSessionJobStatus, spec: FlinkSessionJobSpec
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
        return self._diffs.get(ctx.key, made_from, lambda: specdiff.between(before, spec))


def beat(namespace: str, cluster: str | None, now: dt.datetime, interval: float) -> float:
    """Return the seconds until the jobs of a cluster are looked at again: all together, so that one list serves all."""
    if interval <= 0:
        return interval
    phase = zlib.crc32(f"{namespace}/{cluster}".encode()) % 1_000_000 / 1_000_000 * interval
    left = interval - (now.timestamp() - phase) % interval
    return left if left > 1.0 else left + interval


def _new_id() -> str:
    return secrets.token_hex(16)
