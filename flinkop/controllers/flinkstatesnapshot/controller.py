"""The FlinkStateSnapshot controller: what a reconcile is, told in order.

observe → assess → validate → plan → carry out → write status and labels. Everything that decides is in
the files of that name; here they are only put one after the other, and errors are turned into what the
user sees.
"""

import datetime as dt
import random
import secrets
from collections.abc import Callable
from typing import Final

import structlog
from attrs import define, field

from flinkop.api import codec
from flinkop.api.flinkstatesnapshot import (
    FlinkStateSnapshotSpec,
    FlinkStateSnapshotStatus,
    SnapshotState,
)
from flinkop.api.validation import Problem
from flinkop.clock import Clock
from flinkop.config import deletion_options
from flinkop.config.errors import ConfigError
from flinkop.controllers.flinkstatesnapshot import plan, progress, validator
from flinkop.controllers.flinkstatesnapshot.contact import Contact
from flinkop.controllers.flinkstatesnapshot.observation import Observation
from flinkop.controllers.flinkstatesnapshot.observer import Observer
from flinkop.controllers.flinkstatesnapshot.reconciler import (
    DisposalRefused,
    Reconciler,
    TriggerRefused,
)
from flinkop.controllers.flinkstatesnapshot.status_writer import StatusWriter
from flinkop.events import reasons
from flinkop.events.draft import warning
from flinkop.events.recorder import Recorder
from flinkop.flink.address import Cluster
from flinkop.flink.rest import FlinkClient
from flinkop.kube import errors as kube_errors, meta
from flinkop.kube.client import KubeClient
from flinkop.kube.objects import CustomObject
from flinkop.lifecycle import snapshot_objects, snapshot_states
from flinkop.lifecycle.failure import from_exception
from flinkop.metrics.resources import ResourceMetrics
from flinkop.runtime.informer import Informer
from flinkop.runtime.result import Request, Result, RetryError
from flinkop.stages import apioutage, context, finalizer
from flinkop.stages.context import ReconcileContext
from flinkop.stages.probe import ProbeBackoff
from flinkop.stages.settings import Settings
from flinkop.stages.snapshots import Snapshots
from flinkop.stages.status_patch import StatusConflict
from flinkop.stages.targets import Targets

_log = structlog.get_logger(__name__)

Context = ReconcileContext[FlinkStateSnapshotSpec, FlinkStateSnapshotStatus]

_KIND: Final = meta.FLINKSTATESNAPSHOTS
_READ: Final = context.Kind(
    _KIND,
    FlinkStateSnapshotSpec(),
    codec.decode_flinkstatesnapshot_spec,
    codec.decode_flinkstatesnapshot_status,
    codec.encode_status,
)
_PASSING: Final = (StatusConflict, RetryError)
"""Errors that are part of a normal day: tried again soon, and nobody needs to be told."""
_SHORTEST_RETRY: Final = 0.1


@define
class FlinkStateSnapshotReconciler:
    """Brings one FlinkStateSnapshot closer to its end each time it is called."""

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
            self.writer.forget(key)
            return Result(gone=True)
        structlog.contextvars.bind_contextvars(generation=obj.metadata.generation)
        ctx = self._context(request, obj)
        if ctx.deleting:
            return await self._delete(ctx)
        if not finalizer.is_on(obj, _KIND):
            labels = self._labels(ctx, ctx.status)
            try:
                obj = await finalizer.add(self.kube, _KIND, obj, labels)
            except kube_errors.NotFound:
                return Result()  # deleted before anything was made for it
            self.resources.note_write(obj)
            ctx = self._context(request, obj)
        return await self._advance(ctx)

    async def on_error(self, request: Request, error: Exception) -> None:
        """Say what went wrong in the operator itself; the snapshot has not failed by it."""
        if isinstance(error, _PASSING):
            return
        obj = self.resources.lister.get(meta.ObjectKey(request.namespace, request.name))
        if obj is not None:
            ctx = self._context(request, obj)
            ctx.say(warning(reasons.ERROR, reasons.SNAPSHOT, from_exception(error).message))

    # --- the way of one reconcile

    async def _advance(self, ctx: Context) -> Result:
        if snapshot_states.is_final(ctx.status):
            return await self._settle(ctx, ctx.status)
        seen = await self.observer.observe(ctx)
        assessed = progress.assess(self._situation(ctx, seen, ctx.status).subject)
        ctx.say(*assessed.drafts)
        problem = self._problem(ctx, seen, assessed.status)
        if problem is not None:
            _refuse(ctx, problem)
            if assessed.status.state is SnapshotState.TRIGGER_PENDING:
                made = plan.Plan((), assessed.status, problem.message, plan.Wait.INTERVAL)
                return await self._act(ctx, made, seen)
        return await self._act(ctx, plan.plan(self._situation(ctx, seen, assessed.status)), seen)

    async def _delete(self, ctx: Context) -> Result:
        """Dispose of what has to go, then let the resource go (behaviour.md 5.4)."""
        self.writer.forget(ctx.key)
        if not finalizer.is_on(ctx.obj, _KIND):
            return Result()
        seen = await self.observer.observe(ctx)
        assessed = progress.assess(self._situation(ctx, seen, ctx.status).subject)
        ctx.say(*assessed.drafts)
        if assessed.status != ctx.status:
            # What was found out is kept before anything is done about it: it may be the path.
            await self.writer.write(ctx, assessed.status)
            return Result(0.0, lane="user")
        made = plan.cleanup(self._situation(ctx, seen, ctx.status))
        result = await self._act(ctx, made, seen)
        if _is_released(made):
            self._forget(ctx.key, ctx.request)
        return result

    async def _act(self, ctx: Context, made: plan.Plan, seen: Observation) -> Result:
        """Carry out the plan, and write what came of it."""
        _tell(made)
        made = await self._carry_out(ctx, made, seen)
        if _is_released(made):
            return Result()
        status = made.status or self._acknowledged(ctx)
        await self._settle(ctx, status)
        return self._next_look(ctx, made.wait, status)

    async def _settle(self, ctx: Context, status: FlinkStateSnapshotStatus) -> Result:
        """Write what differs of status and labels; of a snapshot that has ended nothing is remembered."""
        await self.writer.write(ctx, status)
        labelled = await self.writer.label(ctx, self._labels(ctx, status))
        if labelled is not None:
            self.resources.note_write(labelled)
        if snapshot_states.is_final(status) and not ctx.deleting:
            self._forget(ctx.key, ctx.request)
        return Result()

    async def _carry_out(self, ctx: Context, made: plan.Plan, seen: Observation) -> plan.Plan:
        """Do the steps; return the plan, or the one that follows from Flink's saying no."""
        try:
            await self.reconciler.carry_out(ctx, made, seen.access)
        except TriggerRefused as error:
            at = self._situation(ctx, seen, self._acknowledged(ctx))
            made = plan.refused(at, from_exception(error.__cause__ or error))
        except DisposalRefused as error:
            at = self._situation(ctx, seen, ctx.status)
            made = plan.disposal_refused(at, error.path, str(error))
        else:
            return made
        _tell(made)
        await self.reconciler.carry_out(ctx, made, seen.access)
        return made

    def _acknowledged(self, ctx: Context) -> FlinkStateSnapshotStatus:
        """Return the status as the API server has it by now."""
        return codec.decode_flinkstatesnapshot_status(ctx.document.document)

    def _forget(self, key: meta.ObjectKey, request: Request) -> None:
        self.observer.forget(key)
        self.probes.reset(request)

    def _next_look(self, ctx: Context, wait: plan.Wait, status: FlinkStateSnapshotStatus) -> Result:
        operator = self.settings.current.operator_config(ctx.key.namespace)
        if wait is plan.Wait.PROBE:
            upper = operator.progress_check_interval.total_seconds()
            return Result(self.probes.next_delay(ctx.request, upper), lane="user")
        self.probes.reset(ctx.request)
        if wait is plan.Wait.RETRY:
            seconds = snapshot_states.seconds_to_retry(status, self.clock.now())
            return Result(max(seconds, _SHORTEST_RETRY))
        if wait is plan.Wait.INTERVAL:
            return Result(self._seconds(ctx, operator.reconcile_interval.total_seconds()))
        return Result()

    def _seconds(self, ctx: Context, interval: float) -> float:
        """Return `interval`, or less: until nothing keeps the resource any longer."""
        released_at = self._released_at(ctx)
        if released_at is None:
            return interval
        left = (released_at - self.clock.now()).total_seconds()
        return min(interval, left) if left > 0 else interval

    # --- what the stages are given

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

    def _situation(
        self, ctx: Context, seen: Observation, status: FlinkStateSnapshotStatus
    ) -> plan.Situation:
        return plan.Situation(
            name=ctx.key.name,
            spec=ctx.spec,
            status=status,
            observation=seen,
            now=ctx.now,
            limits=ctx.error_limits,
            new_trigger_id=_trigger_id,
            released_at=self._released_at(ctx),
        )

    def _released_at(self, ctx: Context) -> dt.datetime | None:
        deleted = ctx.obj.metadata.deletion_timestamp
        if deleted is None:
            return None
        try:
            allowed = self.settings.current.effective(ctx.key.namespace).get(
                deletion_options.DEADLINE
            )
        except ConfigError as error:
            _log.warning("there is no deadline, because it cannot be read", error=str(error))
            return None
        return None if allowed is None else deleted + allowed

    def _problem(
        self, ctx: Context, seen: Observation, status: FlinkStateSnapshotStatus
    ) -> Problem | None:
        if ctx.unreadable is not None:
            return Problem.of(ctx.unreadable)
        found = seen.target is not None or not seen.target_known
        candidate = validator.Candidate(ctx.key.namespace, ctx.spec, status, found)
        return validator.first_problem(candidate)

    def _labels(self, ctx: Context, status: FlinkStateSnapshotStatus) -> dict[str, str]:
        present, found = ctx.obj.metadata.labels, self.observer.sees_job(ctx)
        return snapshot_objects.labels(ctx.spec, status, present, job_found=found)


def assemble(
    resources: Informer[CustomObject],
    *,
    targets: Targets,
    flink: Callable[[Cluster], FlinkClient],
    kube: KubeClient,
    counts: ResourceMetrics | None,
    recorder: Recorder,
    settings: Settings,
    clock: Clock,
) -> FlinkStateSnapshotReconciler:
    """Put the stages together; `flink` makes the client for a cluster, `counts` may be switched off."""
    contact = Contact()
    writer = StatusWriter(kube, counts)
    return FlinkStateSnapshotReconciler(
        resources=resources,
        observer=Observer(targets, Snapshots(resources), flink, kube, contact),
        reconciler=Reconciler(kube, flink, contact, writer.write),
        writer=writer,
        kube=kube,
        recorder=recorder,
        settings=settings,
        clock=clock,
    )


def _refuse(ctx: Context, problem: Problem) -> None:
    ctx.say(warning(reasons.VALIDATION_ERROR, reasons.OPERATOR, problem.message))
    _log.info(f"spec refused: {problem.message}", reason=problem.reason, field=problem.field_path)


def _tell(made: plan.Plan) -> None:
    if made.steps:
        _log.info(made.reason)
    else:
        _log.debug(made.reason)


def _is_released(made: plan.Plan) -> bool:
    return any(isinstance(step, plan.ReleaseFinalizer) for step in made.steps)


def _trigger_id() -> str:
    return secrets.token_hex(16)
