"""Stage 4: turn the outcome into the next status, and write it when it differs."""

from typing import ClassVar

from attrs import define

from flinkop.api.flinksessionjob import FlinkSessionJobSpec
from flinkop.api.status import FlinkSessionJobStatus, LifecycleState
from flinkop.controllers.jobs.status_writer import JobStatusWriter
from flinkop.kube import meta
from flinkop.metrics.resources import ResourceMetrics
from flinkop.stages.context import ReconcileContext

Context = ReconcileContext[FlinkSessionJobSpec, FlinkSessionJobStatus]


@define
class StatusWriter(JobStatusWriter[FlinkSessionJobSpec, FlinkSessionJobStatus]):
    """Writes statuses of FlinkSessionJobs."""

    resource: ClassVar = meta.FLINKSESSIONJOBS

    def count(
        self,
        counts: ResourceMetrics,
        ctx: Context,
        status: FlinkSessionJobStatus,  # noqa: ARG002 - nothing but its lifecycle is counted
        after: LifecycleState,
    ) -> None:
        """Count it."""
        counts.flinksessionjob(ctx.key, after, ctx.obj.metadata.creation_timestamp)

    def words(self, status: FlinkSessionJobStatus) -> str:
        """Name the job's state."""
        job = status.job_status.state
        return f"Job {job.value if job is not None else 'not submitted'}"
