"""Stage 3: carry out a plan, step by step, each safe to repeat.

The one that cannot be repeated safely is there for Flink before 1.15 alone: it takes no ids of ours.
"""

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from attrs import define, evolve

from flinkop.api.flinkstatesnapshot import (
    FlinkStateSnapshotSpec,
    FlinkStateSnapshotStatus,
    SnapshotType,
)
from flinkop.controllers.flinkstatesnapshot import plan
from flinkop.controllers.flinkstatesnapshot.contact import Contact
from flinkop.flink import errors
from flinkop.flink.address import Cluster
from flinkop.flink.rest import FlinkClient
from flinkop.kube import meta
from flinkop.kube.client import KubeClient
from flinkop.lifecycle import snapshot_states
from flinkop.stages import finalizer
from flinkop.stages.context import ReconcileContext
from flinkop.stages.targets import Access

_log = structlog.get_logger(__name__)

Context = ReconcileContext[FlinkStateSnapshotSpec, FlinkStateSnapshotStatus]

_CLIENT_ERRORS: Final = range(400, 500)


class TriggerRefused(Exception):  # noqa: N818 - reads as what happened
    """Flink does not take the trigger; the attempt has failed. `__cause__` is Flink's answer."""


class DisposalRefused(Exception):  # noqa: N818 - reads as what happened
    """Flink has not taken the request to dispose.

    Attributes:
        path: of the savepoint.
    """

    def __init__(self, message: str, path: str) -> None:
        super().__init__(message)
        self.path = path


@define
class Reconciler:
    """Carries out plans.

    Attributes:
        kube: the way to the API server.
        flink: makes the client for a cluster.
        contact: is told what Flink has taken.
        write_status: writes a status ahead of the deed, or right after it.
    """

    kube: KubeClient
    flink: Callable[[Cluster], FlinkClient]
    contact: Contact
    write_status: Callable[[Context, FlinkStateSnapshotStatus], Awaitable[None]]

    async def carry_out(self, ctx: Context, what: plan.Plan, access: Access | None) -> None:
        """Do all steps of `what` in order.

        Raises:
            TriggerRefused: Flink does not take the trigger.
            DisposalRefused: Flink has not taken the request to dispose.
            kube.errors.ApiError: the API server could not be reached or refused; the plan is made again.
        """
        for step in what.steps:
            await self._do(ctx, step, access)

    async def _do(self, ctx: Context, step: plan.Step, access: Access | None) -> None:
        match step:
            case plan.Say(draft):
                ctx.say(draft)
            case plan.WriteAhead(status):
                await self.write_status(ctx, status)
            case plan.Trigger(order):
                await self._trigger(ctx, order, access)
            case plan.TriggerUnnamed(order, status):
                await self._trigger_unnamed(ctx, order, status, access)
            case plan.Dispose(path):
                await self._dispose(ctx, path, access)
            case plan.ReleaseFinalizer():
                await finalizer.remove(self.kube, meta.FLINKSTATESNAPSHOTS, ctx.obj)

    async def _trigger(self, ctx: Context, order: plan.Order, access: Access | None) -> None:
        """Ask under our id; when the answer is lost, the next look asks whether Flink knows it."""
        try:
            trigger_id = await self._ask(order, access)
        except errors.FlinkError as error:
            if _is_refusal(error):
                raise TriggerRefused(str(error)) from error
            _log.info("it is not known whether Flink has taken the trigger", error=str(error))
            return
        self.contact.heard(ctx.key, trigger_id, ctx.now)

    async def _trigger_unnamed(
        self,
        ctx: Context,
        order: plan.Order,
        status: FlinkStateSnapshotStatus,
        access: Access | None,
    ) -> None:
        try:
            trigger_id = await self._ask(order, access)
        except errors.FlinkError as error:
            raise TriggerRefused(str(error)) from error
        self.contact.heard(ctx.key, trigger_id, ctx.now)
        now: dt.datetime = ctx.now
        await self.write_status(ctx, snapshot_states.in_progress(status, trigger_id, now))

    async def _ask(self, order: plan.Order, access: Access | None) -> str:
        client = self._client(access)
        if order.type is SnapshotType.CHECKPOINT:
            return await client.trigger_checkpoint(order.job_id, trigger_id=order.trigger_id)
        return await client.trigger_savepoint(
            order.job_id,
            target=order.directory,
            format_type=order.format,
            trigger_id=order.trigger_id,
        )

    async def _dispose(self, ctx: Context, path: str, access: Access | None) -> None:
        try:
            request = await self._client(access).dispose_savepoint(path)
        except errors.FlinkError as error:
            raise DisposalRefused(str(error), path) from error
        self.contact.disposing(ctx.key, ctx.about.uid, request)

    def _client(self, access: Access | None) -> FlinkClient:
        if access is None:
            raise errors.Unreachable("the job's cluster is not there", sent=False)
        return evolve(self.flink(access.cluster).once(access.timeout), version=access.flink)


def _is_refusal(error: errors.FlinkError) -> bool:
    """Whether Flink said no: the same request would get the same answer."""
    return isinstance(error, errors.HttpError) and error.status in _CLIENT_ERRORS
