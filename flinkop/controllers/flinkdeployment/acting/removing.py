"""Takes away what a cluster consists of, and what it leaves behind."""

import contextlib

import structlog
from attrs import define

from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.status import FlinkDeploymentStatus
from flinkop.builders.identity import taskmanager_deployment
from flinkop.config.options import DeletionPropagation
from flinkop.controllers.flinkdeployment.planning import steps
from flinkop.kube import errors, meta
from flinkop.kube.client import KubeClient
from flinkop.kube.objects import Partial
from flinkop.stages.context import ReconcileContext
from flinkop.stages.ha_metadata import HaMetadata
from flinkop.zookeeper.errors import ZooKeeperError

_log = structlog.get_logger(__name__)

Context = ReconcileContext[FlinkDeploymentSpec, FlinkDeploymentStatus]
Removal = (
    steps.DeleteCluster | steps.DeleteTaskManagers | steps.DeleteHaMetadata | steps.DropJobGraphs
)


@define
class Remover:
    """Deletes; `metadata` deals with what Flink keeps for recovery."""

    kube: KubeClient
    metadata: HaMetadata

    async def remove(self, ctx: Context, step: Removal) -> None:
        """Take away what `step` names; what is gone already is no error.

        Raises:
            errors.ApiError: the API server refused or could not be reached.
            ZooKeeperError: likewise for ZooKeeper.
        """
        match step:
            case steps.DeleteCluster():
                await self._delete_cluster(ctx, step)
            case steps.DeleteTaskManagers(uid):
                key = meta.ObjectKey(ctx.key.namespace, taskmanager_deployment(ctx.key.name))
                await self._delete_deployment(key, uid, _propagation(ctx))
            case steps.DeleteHaMetadata():
                await self._delete_metadata(ctx, step)
            case steps.DropJobGraphs(where):
                await self.metadata.drop_job_graphs(ctx.key, where)

    async def _delete_metadata(self, ctx: Context, step: steps.DeleteHaMetadata) -> None:
        try:
            await self.metadata.delete(ctx.key, step.where)
        except ZooKeeperError as error:
            if not step.may_stay:
                raise
            path = step.where.path if step.where is not None else None
            _log.warning(f"HA metadata is left behind: {error}", path=path)

    async def _delete_cluster(self, ctx: Context, step: steps.DeleteCluster) -> None:
        if step.scale_down:
            try:
                await self.kube.merge_patch(
                    meta.DEPLOYMENTS, ctx.key, {"spec": {"replicas": 0}}, into=Partial
                )
            except errors.ApiError as error:
                _log.info("the JobManager could not be scaled down first", error=str(error))
        propagation = _propagation(ctx)
        if propagation is DeletionPropagation.FOREGROUND and not step.foreground:
            # What Foreground promises is kept by `planning.remains`, at less than half the price (ADR 0010).
            propagation = DeletionPropagation.BACKGROUND
        await self._delete_deployment(ctx.key, step.uid, propagation)

    async def _delete_deployment(
        self, key: meta.ObjectKey, uid: str, propagation: DeletionPropagation
    ) -> None:
        """Delete the Deployment of that uid, if it is there."""
        with contextlib.suppress(errors.NotFound, errors.Conflict):  # the next look tells
            await self.kube.delete(meta.DEPLOYMENTS, key, propagation=propagation.value, uid=uid)


def _propagation(ctx: Context) -> DeletionPropagation:
    return ctx.settings.operator_config(ctx.key.namespace).deletion_propagation
