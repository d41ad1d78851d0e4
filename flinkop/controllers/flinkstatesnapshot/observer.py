"""Stage 1: look at the caches and at Flink, and write down what is there (behaviour.md N-1, N-2, N-20)."""

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Final

import structlog
from attrs import define, evolve, field

from flinkop import clock
from flinkop.api.flinkstatesnapshot import (
    FlinkStateSnapshotSpec,
    FlinkStateSnapshotStatus,
    SnapshotState,
    SnapshotType,
)
from flinkop.controllers.flinkstatesnapshot import plan
from flinkop.controllers.flinkstatesnapshot.contact import Contact
from flinkop.controllers.flinkstatesnapshot.observation import (
    Answer,
    CleanupFacts,
    Disposal,
    Observation,
    TriggerFacts,
)
from flinkop.flink import errors as flink_errors, interpret
from flinkop.flink.address import Cluster
from flinkop.flink.rest import FlinkClient
from flinkop.kube import errors as kube_errors, meta
from flinkop.kube.client import KubeClient
from flinkop.kube.objects import CustomObject, NamespaceView
from flinkop.lifecycle import snapshot_states
from flinkop.stages import restorepoints
from flinkop.stages.cluster_options import PerResource
from flinkop.stages.context import ReconcileContext
from flinkop.stages.snapshots import Snapshots
from flinkop.stages.targets import Access, Target, Targets

_log = structlog.get_logger(__name__)

Context = ReconcileContext[FlinkStateSnapshotSpec, FlinkStateSnapshotStatus]

_RESULT_KEPT_SECONDS: Final = 240.0
"""Flink forgets the result of a savepoint five minutes after its end (`rest.async.store-duration`)."""
_TRIGGER_WINDOW: Final = dt.timedelta(seconds=30)
"""How long after the status says so a savepoint was really triggered; clocks may differ by as much."""


@define
class Observer:
    """Gathers an `Observation`; reads caches, asks Flink, writes nothing.

    Attributes:
        targets: finds the jobs that snapshots name.
        snapshots: all snapshots: what one of them has is not another's.
        flink: makes the client for a cluster.
        kube: tells whether a namespace is being deleted.
        contact: what this process has heard from Flink.
    """

    targets: Targets
    snapshots: Snapshots
    flink: Callable[[Cluster], FlinkClient]
    kube: KubeClient
    contact: Contact
    _accesses: PerResource = field(factory=PerResource)

    async def observe(self, ctx: Context) -> Observation:
        """Return the facts about `ctx`; errors of Flink are facts, too."""
        seen = self._look(ctx)
        if seen.access is not None and ctx.status.state is SnapshotState.IN_PROGRESS:
            seen = evolve(seen, trigger=await self._trigger(ctx, seen))
        if ctx.deleting and plan.needs_disposal(ctx.spec) and ctx.status.path:
            seen = evolve(seen, cleanup=await self._cleanup(ctx, seen, ctx.status.path))
        return seen

    def sees_job(self, ctx: Context) -> bool:
        """Return whether the resource that the snapshot names is there."""
        job = ctx.spec.job_reference
        if job is None or job.kind is None or not job.name:
            return False
        return self.targets.exists(job.kind, meta.ObjectKey(ctx.key.namespace, job.name))

    def _look(self, ctx: Context) -> Observation:
        """Return what the caches alone tell about the job."""
        job = ctx.spec.job_reference
        if job is None or job.kind is None or not job.name:
            return Observation()
        known = self.targets.are_known(job.kind, ctx.key.namespace)
        target = self.targets.find(job.kind, meta.ObjectKey(ctx.key.namespace, job.name))
        if target is None:
            return Observation(target_known=known)
        access = self._access(ctx, target) if target.runs or target.may_run else None
        return Observation(target=target, access=access)

    def forget(self, key: meta.ObjectKey) -> None:
        """Drop what is remembered about a snapshot that is gone, or that nothing more happens to."""
        self._accesses.forget(key)
        self.contact.forget(key)

    def _access(self, ctx: Context, target: Target) -> Access | None:
        made_from = (ctx.about.uid, target.version, ctx.settings)
        return self._accesses.get(
            ctx.key, made_from, lambda: self.targets.access(target, ctx.settings)
        )

    def _client(self, access: Access) -> FlinkClient:
        return evolve(self.flink(access.cluster).once(access.timeout), version=access.flink)

    # --- the attempt under way

    async def _trigger(self, ctx: Context, seen: Observation) -> TriggerFacts:
        target, access, trigger_id = seen.target, seen.access, ctx.status.trigger_id
        if target is None or access is None or not target.job_id or not trigger_id:
            return TriggerFacts(Answer.FORGOTTEN)
        try:
            facts = await self._ask(ctx, self._client(access), target.job_id, trigger_id)
        except flink_errors.NotFound as error:
            return await self._unknown(ctx, access, target.job_id, trigger_id, str(error))
        except flink_errors.FlinkError as error:
            quiet = self.contact.silent(ctx.key, trigger_id, ctx.now)
            return TriggerFacts(Answer.SILENT, detail=str(error), silent_for=quiet)
        self.contact.heard(ctx.key, trigger_id, ctx.now)
        return facts

    async def _ask(
        self, ctx: Context, client: FlinkClient, job_id: str, trigger_id: str
    ) -> TriggerFacts:
        if ctx.spec.type is SnapshotType.CHECKPOINT:
            return await _checkpoint(client, job_id, trigger_id)
        answer = await client.savepoint_status(job_id, trigger_id)
        match interpret.savepoint_outcome(answer):
            case interpret.Done(path):
                return TriggerFacts(Answer.DONE, path=path)
            case interpret.Failed(detail=detail):
                return TriggerFacts(Answer.FAILED, causes=interpret.causes_in(detail))
            case interpret.Pending():
                return TriggerFacts(Answer.PENDING)

    async def _unknown(
        self, ctx: Context, access: Access, job_id: str, trigger_id: str, said: str
    ) -> TriggerFacts:
        """Flink does not know the trigger: not any more, or not yet?"""
        if self.contact.has_heard(ctx.key, trigger_id):
            return TriggerFacts(Answer.FORGOTTEN, detail=said)
        path = await self._lost_result(ctx, access, job_id)
        if path is not None:
            _log.info(f"savepoint {path} was found in the job's history", trigger=trigger_id)
            return TriggerFacts(Answer.DONE, path=path)
        quiet = self.contact.silent(ctx.key, trigger_id, ctx.now)
        return TriggerFacts(Answer.UNKNOWN, detail=said, silent_for=quiet)

    async def _lost_result(self, ctx: Context, access: Access, job_id: str) -> str | None:
        """Return the savepoint that this trigger led to while no operator ran to ask for its result.

        Only one that was triggered right when the status says so, and that no other snapshot has.
        """
        began = snapshot_states.moment(ctx.status.trigger_timestamp)
        if ctx.spec.type is not SnapshotType.SAVEPOINT or began is None:
            return None
        if (ctx.now - began).total_seconds() < _RESULT_KEPT_SECONDS:
            return None
        try:
            stats = await self._client(access).checkpoint_stats(job_id)
        except flink_errors.FlinkError as error:
            _log.info("the job's history of savepoints cannot be read", error=str(error))
            return None
        first, last = began - _TRIGGER_WINDOW, began + _TRIGGER_WINDOW
        found = interpret.savepoints_triggered(stats, clock.epoch_ms(first), clock.epoch_ms(last))
        taken = self._paths_of_others(ctx)
        own = [path for path in found if path not in taken]
        return own[0] if len(own) == 1 else None

    def _paths_of_others(self, ctx: Context) -> set[str]:
        job = ctx.spec.job_reference
        if job is None or job.kind is None or not job.name:
            return set()
        of_job = self.snapshots.of_job(job.kind, meta.ObjectKey(ctx.key.namespace, job.name))
        return {one.path for one in of_job if one.path and one.name != ctx.key.name}

    # --- the deletion

    async def _cleanup(self, ctx: Context, seen: Observation, path: str) -> CleanupFacts:
        users = restorepoints.users_of(path, self._resources(ctx.key.namespace))
        facts = CleanupFacts(users=users)
        if users or not seen.job_runs:
            facts = evolve(facts, namespace_ends=await self._namespace_ends(ctx.key.namespace))
        request = self.contact.disposal(ctx.key, ctx.about.uid)
        if request is None or seen.access is None or not seen.job_runs:
            return facts
        return await self._disposal(ctx, self._client(seen.access), request, facts)

    def _resources(self, namespace: str) -> Iterable[CustomObject]:
        yield from self.targets.deployments.lister.list(namespace)
        yield from self.targets.session_jobs.lister.list(namespace)

    async def _disposal(
        self, ctx: Context, client: FlinkClient, request: str, facts: CleanupFacts
    ) -> CleanupFacts:
        try:
            outcome = interpret.disposal_outcome(await client.disposal_status(request))
        except flink_errors.NotFound:
            self.contact.end_disposal(ctx.key)  # forgotten with its JobManager: asked for again
            return facts
        except flink_errors.FlinkError as error:
            _log.info("the disposal cannot be asked about", error=str(error))
            return evolve(facts, disposal=Disposal.PENDING)
        match outcome:
            case interpret.Pending():
                return evolve(facts, disposal=Disposal.PENDING)
            case interpret.Disposed():
                return evolve(facts, disposal=Disposal.DONE)
            case interpret.Failed(reason=reason):
                self.contact.end_disposal(ctx.key)
                return evolve(facts, disposal=Disposal.FAILED, detail=reason)

    async def _namespace_ends(self, name: str) -> bool:
        """Return whether the namespace is being deleted; False when that must not be asked."""
        try:
            found = await self.kube.get(
                meta.NAMESPACES, meta.ObjectKey("", name), into=NamespaceView
            )
        except kube_errors.ApiError as error:
            _log.info("the namespace cannot be read", error=str(error))
            return False
        return found.metadata.deletion_timestamp is not None


async def _checkpoint(client: FlinkClient, job_id: str, trigger_id: str) -> TriggerFacts:
    """Ask for a checkpoint: first whether it was taken, then where it is."""
    answer = await client.checkpoint_status(job_id, trigger_id)
    match interpret.checkpoint_outcome(answer):
        case interpret.Pending():
            return TriggerFacts(Answer.PENDING)
        case interpret.Failed(detail=detail):
            return TriggerFacts(Answer.FAILED, causes=interpret.causes_in(detail))
        case interpret.Triggered(checkpoint_id):
            return await _place(client, job_id, checkpoint_id)


async def _place(client: FlinkClient, job_id: str, checkpoint_id: int) -> TriggerFacts:
    try:
        details = await client.checkpoint_details(job_id, checkpoint_id)
    except flink_errors.NotFound as error:
        return TriggerFacts(Answer.DONE, detail=str(error))
    match interpret.checkpoint_details_outcome(details):
        case interpret.Pending():
            return TriggerFacts(Answer.PENDING)
        case interpret.Done(path):
            return TriggerFacts(Answer.DONE, path=path)
        case interpret.Failed(reason=reason):
            return TriggerFacts(Answer.DONE, detail=reason)
