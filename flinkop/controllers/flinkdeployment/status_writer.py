"""Stage 4: turn the outcome into the next status, and write it when it differs."""

from typing import ClassVar

from attrs import define

from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.status import FlinkDeploymentStatus, LifecycleState
from flinkop.controllers.jobs.status_writer import JobStatusWriter
from flinkop.kube import meta
from flinkop.metrics.resources import ResourceMetrics
from flinkop.stages.context import ReconcileContext

Context = ReconcileContext[FlinkDeploymentSpec, FlinkDeploymentStatus]


@define
class StatusWriter(JobStatusWriter[FlinkDeploymentSpec, FlinkDeploymentStatus]):
    """Writes statuses of FlinkDeployments."""

    resource: ClassVar = meta.FLINKDEPLOYMENTS

    def count(
        self,
        counts: ResourceMetrics,
        ctx: Context,
        status: FlinkDeploymentStatus,
        after: LifecycleState,
    ) -> None:
        """Count it with its JobManager and its resources."""
        counts.flinkdeployment(ctx.key, status, after, ctx.obj.metadata.creation_timestamp)

    def words(self, status: FlinkDeploymentStatus) -> str:
        """Name the JobManager's state."""
        return f"JobManager {status.job_manager_deployment_status.value}"
