"""Asks Flink to do something to the job; what comes of it is looked for in later reconciles."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import structlog
from attrs import define

from flinkop.api.status import CommonStatus, Savepoint
from flinkop.controllers.jobs import steps
from flinkop.controllers.jobs.refusals import ScalingRefused, StepFailed
from flinkop.events import reasons
from flinkop.flink import errors as flink_errors, jobs
from flinkop.flink.address import Cluster
from flinkop.flink.interpret import CancelOutcome
from flinkop.flink.models import Bounds, VertexRequirements
from flinkop.flink.rest import FlinkClient
from flinkop.flink.states import CheckpointType, SavepointFormat
from flinkop.kube.meta import ObjectKey
from flinkop.lifecycle import record
from flinkop.lifecycle.snapshot_history import Removal
from flinkop.stages.cluster_options import ClusterOptions

_log = structlog.get_logger(__name__)

StatusT = TypeVar("StatusT", bound=CommonStatus)


@define
class Asker:
    """Speaks to the JobManager; `flink` makes the client for a cluster."""

    flink: Callable[[Cluster], FlinkClient]

    async def ask(
        self, cluster: ObjectKey, step: steps.Asking, options: ClusterOptions, status: StatusT
    ) -> StatusT:
        """Ask the JobManager of `cluster`, and return `status` with what its answer adds; raises as the others do."""
        match step:
            case steps.CancelJob():
                await self.cancel(cluster, step, options)
            case steps.StopJob():
                theirs = await self.stop(cluster, step, options)
                return record.with_trigger_id(status, step.trigger_id, theirs)
            case steps.TriggerSavepoint():
                theirs = await self.savepoint(cluster, step, options)
                return record.with_trigger_id(status, step.trigger_id, theirs)
            case steps.TriggerCheckpoint():
                await self.checkpoint(cluster, step, options)
            case steps.DisposeSavepoints(removals):
                gone = await self.dispose(cluster, removals, options)
                return record.without_savepoints(status, gone)
            case steps.ScaleJob():
                await self.scale(cluster, step, options)
        return status

    async def cancel(
        self, cluster: ObjectKey, step: steps.CancelJob, options: ClusterOptions
    ) -> None:
        """Ask the job to cancel.

        Raises:
            StepFailed: it was not cancelled, and that was required.
        """
        client = options.client(self.flink, cluster).once(options.cancel_timeout)
        outcome = await jobs.cancel(client, step.job_id)
        if not step.required:
            return
        match outcome:
            case CancelOutcome.MISSING:
                raise StepFailed("Cannot find job when trying to cancel", reasons.CLEANUP_FAILED)
            case CancelOutcome.FAILED:
                raise StepFailed("Cancellation Error", reasons.CLEANUP_FAILED)
            case CancelOutcome.ACCEPTED | CancelOutcome.TERMINATED:
                return

    async def stop(self, cluster: ObjectKey, step: steps.StopJob, options: ClusterOptions) -> str:
        """Ask the job to stop with a savepoint, and return the trigger id: Flink before 1.15 has its own.

        What comes of it is looked for in later reconciles, also when no answer arrived.

        Raises:
            StepFailed: Flink refuses.
        """
        client = options.client(self.flink, cluster).within(options.flink_timeout)
        try:
            return await client.stop_with_savepoint(
                step.job_id,
                target=step.directory,
                drain=step.drain,
                format_type=SavepointFormat(step.format_type.value),
                trigger_id=step.trigger_id,
            )
        except flink_errors.HttpError as error:
            raise StepFailed(f"Savepoint Error -> {error}", reasons.SAVEPOINT_ERROR) from error
        except flink_errors.FlinkError as error:
            _log.info(
                "no answer to the stop with savepoint; asking how far it is", error=str(error)
            )
            return step.trigger_id

    async def savepoint(
        self, cluster: ObjectKey, step: steps.TriggerSavepoint, options: ClusterOptions
    ) -> str:
        """Ask for a savepoint, and return the trigger id, which Flink before 1.15 chooses itself.

        One that Flink refuses, or that never reached it, is found unknown at the next look.
        """
        client = options.client(self.flink, cluster).within(options.flink_timeout)
        try:
            return await client.trigger_savepoint(
                step.job_id,
                target=step.directory,
                format_type=SavepointFormat(step.format_type.value),
                trigger_id=step.trigger_id,
            )
        except flink_errors.FlinkError as error:
            _log.warning("a savepoint was not triggered", error=str(error))
            return step.trigger_id

    async def checkpoint(
        self, cluster: ObjectKey, step: steps.TriggerCheckpoint, options: ClusterOptions
    ) -> None:
        """Ask for a checkpoint; what fails is found as it is for savepoints."""
        client = options.client(self.flink, cluster).within(options.flink_timeout)
        try:
            await client.trigger_checkpoint(
                step.job_id,
                checkpoint_type=CheckpointType(step.checkpoint_type.value),
                trigger_id=step.trigger_id,
            )
        except flink_errors.FlinkError as error:
            _log.warning("a checkpoint was not triggered", error=str(error))

    async def dispose(
        self, cluster: ObjectKey, removals: Sequence[Removal], options: ClusterOptions
    ) -> set[Savepoint]:
        """Have the files of savepoints deleted; return those whose deletion Flink took on (O-72)."""
        client = options.client(self.flink, cluster).within(options.flink_timeout)
        gone: set[Savepoint] = set()
        failed = False
        for removal in removals:
            if failed and removal.needs_success:
                continue
            path = removal.savepoint.location
            if removal.dispose and path is not None:
                try:
                    await client.dispose_savepoint(path)
                except flink_errors.FlinkError as error:
                    _log.warning(
                        "an old savepoint was not disposed of", path=path, error=str(error)
                    )
                    failed = True
                    continue
            gone.add(removal.savepoint)
        return gone

    async def scale(
        self, cluster: ObjectKey, step: steps.ScaleJob, options: ClusterOptions
    ) -> None:
        """Give the job's vertices other bounds (R-112).

        Raises:
            ScalingRefused: Flink does not take them, or does not answer (R-113).
        """
        client = options.client(self.flink, cluster).within(options.flink_timeout)
        bounds = {
            vertex: VertexRequirements(parallelism=Bounds(lower=one.lower, upper=one.upper))
            for vertex, one in step.bounds.items()
        }
        try:
            await client.put_resource_requirements(step.job_id, bounds)
        except flink_errors.FlinkError as error:
            raise ScalingRefused(str(error)) from error
