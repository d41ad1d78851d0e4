"""Stage 4: turn the outcome into the next status, and write it when it differs."""

import structlog
from attrs import define

from flinkop import clock
from flinkop.api import codec
from flinkop.api.common import JobState
from flinkop.api.flinksessionjob import FlinkSessionJobSpec
from flinkop.api.status import FlinkSessionJobStatus
from flinkop.kube import meta
from flinkop.kube.client import KubeClient
from flinkop.kube.meta import ObjectKey
from flinkop.lifecycle import state
from flinkop.lifecycle.state import Note, Stall
from flinkop.metrics.resources import ResourceMetrics
from flinkop.stages.context import ReconcileContext

_log = structlog.get_logger(__name__)

Context = ReconcileContext[FlinkSessionJobSpec, FlinkSessionJobStatus]


@define
class StatusWriter:
    """Writes statuses of FlinkSessionJobs, summed up in lifecycleState and conditions.

    Attributes:
        kube: the way to the API server.
        counts: is told what each resource is like; None when resources are not counted.
    """

    kube: KubeClient
    counts: ResourceMetrics | None = None

    async def write(
        self,
        ctx: Context,
        status: FlinkSessionJobStatus,
        stall: Stall | None = None,
        note: Note | None = None,
    ) -> None:
        """Write `status`.

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
            self.counts.flinksessionjob(ctx.key, after, ctx.obj.metadata.creation_timestamp)
        if after is not None and after.value != before:
            audit(summed)

    async def write_ahead(
        self, ctx: Context, status: FlinkSessionJobStatus, note: Note | None
    ) -> None:
        """Write `status` before the deed it tells of (design decision 3); raises as `write` does."""
        await self.write(ctx, status, note=note)

    def forget(self, key: ObjectKey) -> None:
        """Stop counting a resource that is gone."""
        if self.counts is not None:
            self.counts.remove(meta.FLINKSESSIONJOBS.kind, key)


def audit(status: FlinkSessionJobStatus) -> None:
    """Log the change of lifecycle state the way the reference does (operations.md 5.3)."""
    level = "Error" if status.error else "Info"
    word = status.lifecycle_state.value if status.lifecycle_state else ""
    job = status.job_status.state
    text = status.error or f"Job {job.value if job is not None else 'not submitted'}"
    _log.info(f">>> {'Status[Job]':<16} | {level:<7} | {word:<15} | {text}")
