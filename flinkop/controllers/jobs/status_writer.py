"""Stage 4 of kinds with a job: turn the outcome into the next status, and write it when it differs."""

from abc import ABC, abstractmethod
from typing import ClassVar, Generic

import structlog
from attrs import define

from flinkop import clock
from flinkop.api import codec
from flinkop.api.common import JobState
from flinkop.api.recorded_spec import SpecT
from flinkop.api.status import LifecycleState
from flinkop.controllers.jobs.assessed import StatusT
from flinkop.kube.client import KubeClient
from flinkop.kube.meta import ObjectKey, ResourceType
from flinkop.lifecycle import state
from flinkop.lifecycle.state import Note, Stall
from flinkop.metrics.resources import ResourceMetrics
from flinkop.stages.context import ReconcileContext


@define
class JobStatusWriter(ABC, Generic[SpecT, StatusT]):
    """Writes statuses, summed up in lifecycleState and conditions.

    Attributes:
        resource: the kind whose statuses they are.
        kube: the way to the API server.
        counts: is told what each resource is like; None when resources are not counted.
    """

    resource: ClassVar[ResourceType]
    kube: KubeClient
    counts: ResourceMetrics | None = None

    async def write(
        self,
        ctx: ReconcileContext[SpecT, StatusT],
        status: StatusT,
        stall: Stall | None = None,
        note: Note | None = None,
    ) -> StatusT:
        """Write `status`; return it as written.

        Raises:
            stages.status_patch.StatusConflict: somebody else changed the status.
            kube.errors.ApiError: the API server refused or could not be reached.
        """
        before = ctx.document.document.get("lifecycleState")
        summed = state.summarize(
            status,
            generation=ctx.generation,
            now=clock.rfc3339(ctx.now),
            stall=stall,
            note=note,
            suspended=ctx.spec.job is not None and ctx.spec.job.state is JobState.SUSPENDED,
        )
        await ctx.document.write(self.kube, codec.encode_status(summed))
        after = summed.lifecycle_state
        if self.counts is not None and after is not None:
            self.count(self.counts, ctx, summed, after)
        if after is not None and after.value != before:
            self._audit(summed)
        return summed

    async def write_ahead(
        self, ctx: ReconcileContext[SpecT, StatusT], status: StatusT, note: Note | None
    ) -> None:
        """Write `status` before the deed it tells of (design decision 3); raises as `write` does."""
        await self.write(ctx, status, note=note)

    def forget(self, key: ObjectKey) -> None:
        """Stop counting a resource that is gone."""
        if self.counts is not None:
            self.counts.remove(self.resource.kind, key)

    def _audit(self, status: StatusT) -> None:
        """Log the change of lifecycle state the way the reference does (operations.md 5.3)."""
        level = "Error" if status.error else "Info"
        word = status.lifecycle_state.value if status.lifecycle_state else ""
        text = status.error or self.words(status)
        _log = structlog.get_logger(type(self).__module__)
        _log.info(f">>> {'Status[Job]':<16} | {level:<7} | {word:<15} | {text}")

    @abstractmethod
    def count(
        self,
        counts: ResourceMetrics,
        ctx: ReconcileContext[SpecT, StatusT],
        status: StatusT,
        after: LifecycleState,
    ) -> None:
        """Tell `counts` what the resource is like."""

    @abstractmethod
    def words(self, status: StatusT) -> str:
        """Return how it is, in a few words, when nothing is wrong."""
