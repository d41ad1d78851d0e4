"""Stage 3: carry out a plan, step by step, each safe to repeat.

Every step can find its work done already, by an earlier try or by a process that was killed right
after it; none waits for something that a watch will tell.
"""

from collections.abc import Awaitable, Callable

from attrs import define

from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.status import FlinkDeploymentStatus
from flinkop.controllers.flinkdeployment.acting.asking import Asker
from flinkop.controllers.flinkdeployment.acting.making import Maker
from flinkop.controllers.flinkdeployment.acting.removing import Remover
from flinkop.controllers.flinkdeployment.planning import steps
from flinkop.kube import meta
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


@define
class Reconciler:
    """Carries out plans.

    Attributes:
        maker: makes objects.
        remover: deletes them.
        asker: speaks to Flink.
        write_status: writes a status ahead of the deed.
    """

    maker: Maker
    remover: Remover
    asker: Asker
    write_status: Callable[[Context, FlinkDeploymentStatus], Awaitable[None]]

    async def carry_out(
        self, ctx: Context, what: steps.Plan, options: ClusterOptions
    ) -> dict[str, str]:
        """Do all steps of `what` in order; return Flink's own trigger ids by ours, where they differ.

        Raises:
            refusals.ObjectRefused: an object is not acceptable; steps before it are done.
            refusals.StepFailed: Flink refuses what has to succeed before anything else may happen.
            refusals.ScalingRefused: the running job cannot be scaled.
            RetryError: something is still in the way.
            kube.errors.ApiError: the API server could not be reached or refused; the plan is made again.
        """
        trigger_ids: dict[str, str] = {}
        for step in what.steps:
            await self._do(ctx, step, options, trigger_ids)
        return {ours: theirs for ours, theirs in trigger_ids.items() if ours != theirs}

    async def _do(
        self, ctx: Context, step: steps.Step, options: ClusterOptions, trigger_ids: dict[str, str]
    ) -> None:
        match step:
            case steps.Say(draft):
                ctx.say(draft)
            case steps.WriteAhead(status):
                await self.write_status(ctx, status)
            case steps.CancelJob():
                await self.asker.cancel(ctx, step, options)
            case steps.StopJob():
                trigger_ids[step.trigger_id] = await self.asker.stop(ctx, step, options)
            case steps.ScaleJob():
                await self.asker.scale(ctx, step, options)
            case (
                steps.DeleteCluster()
                | steps.DeleteTaskManagers()
                | steps.DeleteHaMetadata()
                | steps.DropJobGraphs()
            ):
                await self.remover.remove(ctx, step)
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
