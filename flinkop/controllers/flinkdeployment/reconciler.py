"""Stage 3: carry out a plan, step by step, each safe to repeat.

Every step can find its work done already, by an earlier try or by a process that was killed right
after it; none waits for something that a watch will tell.
"""

from collections.abc import Awaitable, Callable

from attrs import define

from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.status import FlinkDeploymentStatus
from flinkop.controllers.flinkdeployment.acting.making import Maker
from flinkop.controllers.flinkdeployment.acting.removing import Removal, Remover
from flinkop.controllers.flinkdeployment.planning import steps
from flinkop.controllers.jobs.asking import Asker
from flinkop.controllers.jobs.recording import SnapshotRecorder
from flinkop.kube import meta
from flinkop.lifecycle.state import Note
from flinkop.stages import finalizer
from flinkop.stages.cluster_options import ClusterOptions
from flinkop.stages.context import ReconcileContext

Context = ReconcileContext[FlinkDeploymentSpec, FlinkDeploymentStatus]
Making = (
    steps.CheckObjects
    | steps.Submit
    | steps.RestoreTaskManagers
    | steps.ScaleTaskManagers
    | steps.SyncIngress
)
Writing = Making | Removal | steps.CreateSnapshot | steps.DeleteSnapshot | steps.ReleaseFinalizer


@define
class Reconciler:
    """Carries out plans.

    Attributes:
        maker: makes objects.
        remover: deletes them.
        asker: speaks to Flink.
        snapshots: makes and deletes FlinkStateSnapshots.
        write_status: writes a status ahead of the deed, with what the plan says is being done.
    """

    maker: Maker
    remover: Remover
    asker: Asker
    snapshots: SnapshotRecorder
    write_status: Callable[[Context, FlinkDeploymentStatus, Note | None], Awaitable[None]]

    async def carry_out(
        self, ctx: Context, what: steps.Made, options: ClusterOptions
    ) -> FlinkDeploymentStatus:
        """Do all steps of `what` in order; return the status after them.

        Raises:
            refusals.ObjectRefused: an object is not acceptable; steps before it are done.
            refusals.StepFailed: Flink refuses what has to succeed before anything else may happen.
            refusals.ScalingRefused: the running job cannot be scaled.
            RetryError: something is still in the way.
            kube.errors.ApiError: the API server could not be reached or refused; the plan is made again.
        """
        status = what.status
        for step in what.steps:
            match step:
                case steps.Say(draft):
                    ctx.say(draft)
                case steps.WriteAhead(ahead):
                    # Without the note the same status would be written again after the last step.
                    await self.write_status(ctx, ahead, what.note)
                case (
                    steps.CancelJob()
                    | steps.StopJob()
                    | steps.TriggerSavepoint()
                    | steps.TriggerCheckpoint()
                    | steps.DisposeSavepoints()
                    | steps.ScaleJob()
                ):
                    status = await self.asker.ask(ctx.key, step, options, status)
                case _:
                    await self._write(ctx, step, options)
        return status

    async def _write(self, ctx: Context, step: Writing, options: ClusterOptions) -> None:
        match step:
            case (
                steps.DeleteCluster()
                | steps.DeleteTaskManagers()
                | steps.DeleteHaMetadata()
                | steps.DropJobGraphs()
            ):
                await self.remover.remove(ctx, step)
            case steps.CreateSnapshot():
                await self.snapshots.create(ctx.key.namespace, step)
            case steps.DeleteSnapshot():
                await self.snapshots.delete(ctx.key.namespace, step)
            case steps.ReleaseFinalizer():
                await finalizer.remove(self.remover.kube, meta.FLINKDEPLOYMENTS, ctx.obj)
            case _:
                await self._make(ctx, step, options)

    async def _make(self, ctx: Context, step: Making, options: ClusterOptions) -> None:
        match step:
            case steps.CheckObjects(spec):
                await self.maker.check(ctx, spec)
            case steps.Submit():
                await self.maker.submit(ctx, step)
            case steps.RestoreTaskManagers(spec):
                await self.maker.restore_task_managers(ctx, spec)
            case steps.ScaleTaskManagers(replicas):
                await self.maker.scale_task_managers(ctx, replicas)
            case steps.SyncIngress(spec):
                await self.maker.sync_ingress(ctx, spec, options)
