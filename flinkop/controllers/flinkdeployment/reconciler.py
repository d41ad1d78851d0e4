"""Stage 3: carry out a plan, step by step, each safe to repeat.

Every step can find its work done already, by an earlier try or by a process that was killed right
after it; none waits for something that a watch will tell.
"""

import functools
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import structlog
from attrs import define

from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.status import FlinkDeploymentStatus
from flinkop.builders import cluster, effective_conf, ingress
from flinkop.builders.identity import (
    GENERATION_ANNOTATION,
    NATIVE,
    ClusterIdentity,
    taskmanager_deployment,
)
from flinkop.config import flatten, flink_options, local_files
from flinkop.config.flink_conf import FlinkConf
from flinkop.config.options import DeletionPropagation
from flinkop.controllers.flinkdeployment import plan
from flinkop.events import reasons
from flinkop.events.draft import warning
from flinkop.flink import jobs
from flinkop.flink.address import Cluster
from flinkop.flink.rest import FlinkClient
from flinkop.kube import errors, meta
from flinkop.kube.client import KubeClient
from flinkop.kube.objects import ConfigMapView, DeploymentView, Partial
from flinkop.lifecycle import not_yet
from flinkop.runtime.result import RetryError
from flinkop.stages import finalizer
from flinkop.stages.cluster_options import ClusterOptions
from flinkop.stages.context import ReconcileContext

_log = structlog.get_logger(__name__)

Context = ReconcileContext[FlinkDeploymentSpec, FlinkDeploymentStatus]
Adopt = Callable[[Context, DeploymentView], None]
Removal = plan.DeleteCluster | plan.DeleteTaskManagers | plan.DeleteHaMetadata | plan.DropJobGraphs

_TYPES: Final = {
    "Service": meta.SERVICES,
    "ConfigMap": meta.CONFIGMAPS,
    "Secret": meta.SECRETS,
}
_STILL_GOING_SECONDS: Final = 0.5
_NAMESPACE_GOES: Final = "NamespaceTerminating"
_NAMESPACE_SECONDS: Final = 10.0
_AUTOSCALER: Final = "autoscaler"
_JOB_GRAPHS: Final = ("jobGraph-", "executionPlan-")


class ObjectRefused(Exception):  # noqa: N818 - reads as what happened
    """The API server does not accept an object that the spec leads to; a change of the spec is needed.

    Attributes:
        reason: the API server's reason, or FailedCreate when a policy or quota forbids it.
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


@define
class Reconciler:
    """Carries out plans.

    Attributes:
        kube: the way to the API server.
        flink: makes the client for a cluster.
        deployment_written: is told each Deployment that a write returned.
        write_status: writes a status ahead of the deed.
    """

    kube: KubeClient
    flink: Callable[[Cluster], FlinkClient]
    deployment_written: Callable[[DeploymentView], None]
    write_status: Callable[[Context, FlinkDeploymentStatus], Awaitable[None]]

    async def carry_out(self, ctx: Context, what: plan.Plan, options: ClusterOptions) -> None:
        """Do all steps of `what` in order.

        Raises:
            ObjectRefused: an object is not acceptable; steps before it are done.
            errors.ApiError: the API server could not be reached or refused; the plan is made again.
        """
        for step in what.steps:
            await self._do(ctx, step, options)

    async def _do(self, ctx: Context, step: plan.Step, options: ClusterOptions) -> None:
        match step:
            case plan.Say(draft):
                ctx.say(draft)
            case plan.WriteAhead(status):
                await self.write_status(ctx, status)
            case plan.CheckObjects(spec):
                await self._check_objects(ctx, spec)
            case plan.CancelJob(job_id):
                client = self.flink(options.cluster(ctx.key))
                await jobs.cancel(client.once(options.cancel_timeout), job_id)
            case (
                plan.DeleteCluster()
                | plan.DeleteTaskManagers()
                | plan.DeleteHaMetadata()
                | plan.DropJobGraphs()
            ):
                await self._remove(ctx, step)
            case plan.Submit():
                await self._submit(ctx, step)
            case plan.RestoreTaskManagers(spec):
                await self._restore_task_managers(ctx, spec)
            case plan.ScaleTaskManagers(replicas):
                await self._scale_task_managers(ctx, replicas)
            case plan.SyncIngress(spec):
                await self._sync_ingress(ctx, spec, options)
            case plan.ReleaseFinalizer():
                await finalizer.remove(self.kube, meta.FLINKDEPLOYMENTS, ctx.obj)

    # --- making

    async def _check_objects(self, ctx: Context, spec: FlinkDeploymentSpec) -> None:
        """Ask the API server about the new Deployments before the old ones are touched."""
        objects = build(ctx, spec, ctx.generation, job_id=None, savepoint_path=None)
        for body in objects.deployments:
            try:
                await self.kube.create(
                    meta.DEPLOYMENTS, ctx.key.namespace, body, into=Partial, dry_run=True
                )
            except errors.AlreadyExists:
                continue  # judged acceptable, and only then found to be there
            except (errors.Invalid, errors.BadRequest, errors.Forbidden) as error:
                raise _refused(error) from error

    async def _submit(self, ctx: Context, step: plan.Submit) -> None:
        """Make the JobManager Deployment first: everything else belongs to it, by its uid.

        Only a standalone cluster's TaskManagers do not. They come last, when their ConfigMap is there.
        """
        objects = build(
            ctx, step.spec, step.generation, job_id=step.job_id, savepoint_path=step.savepoint_path
        )
        adopt = functools.partial(self._adopt, generation=step.generation)
        deployment = await self._create_deployment(ctx, objects.deployment, adopt)
        uid = deployment.metadata.uid
        for body in objects.accompanying:
            await self._create_owned(ctx, cluster.with_owner(body, ctx.key.name, uid), uid)
        if objects.taskmanagers is not None:
            await self._create_deployment(ctx, objects.taskmanagers, self._adopt_task_managers)
        for sentence in (*objects.warnings, *not_yet.without_effect(own_conf(ctx, step.spec))):
            ctx.say(warning(reasons.CONFIGURATION_WARNING, reasons.OPERATOR, sentence))
        if step.spec.flink_version is not None and step.spec.flink_version.deprecated:
            _log.warning(f"Flink {step.spec.flink_version.release} is deprecated: plan its upgrade")

    async def _create_deployment(
        self, ctx: Context, body: Mapping[str, Any], adopt: Adopt
    ) -> DeploymentView:
        """Create a Deployment, or take the one that is there if `adopt(ctx, it)` lets it pass."""
        key = meta.ObjectKey(ctx.key.namespace, body["metadata"]["name"])
        try:
            made = await self.kube.create(
                meta.DEPLOYMENTS, key.namespace, body, into=DeploymentView
            )
        except errors.AlreadyExists:
            made = await self.kube.get(meta.DEPLOYMENTS, key, into=DeploymentView)
            self.deployment_written(made)
            adopt(ctx, made)
            return made
        except (errors.Invalid, errors.BadRequest, errors.Forbidden) as error:
            if _NAMESPACE_GOES in error.causes():
                raise RetryError(
                    f"namespace {ctx.key.namespace} is being deleted", _NAMESPACE_SECONDS
                ) from error
            raise _refused(error) from error
        self.deployment_written(made)
        return made

    def _adopt(self, ctx: Context, found: DeploymentView, *, generation: int) -> None:
        """The name is taken: by an earlier try of ours, or by something that has to go first."""
        metadata = found.metadata
        same = metadata.annotations.get(GENERATION_ANNOTATION) == str(generation)
        if not (_is_ours(ctx, metadata) and same and metadata.deletion_timestamp is None):
            raise _still_there(metadata.key)

    def _adopt_task_managers(self, ctx: Context, found: DeploymentView) -> None:
        """The name is taken, by an earlier try of ours as a rule: older ones went before the JobManager came."""
        metadata = found.metadata
        if not _is_ours(ctx, metadata):
            raise ObjectRefused(plan.name_taken(metadata.name), plan.NAME_TAKEN)
        if metadata.deletion_timestamp is not None:
            raise _still_there(metadata.key)

    async def _restore_task_managers(self, ctx: Context, spec: FlinkDeploymentSpec) -> None:
        objects = build(ctx, spec, ctx.generation, job_id=None, savepoint_path=None)
        if objects.taskmanagers is not None:
            await self._create_deployment(ctx, objects.taskmanagers, self._adopt_task_managers)

    async def _scale_task_managers(self, ctx: Context, replicas: int) -> None:
        """R-114: nothing of the Deployment but its size is touched."""
        key = _task_managers(ctx)
        try:
            await self.kube.merge_patch(
                meta.DEPLOYMENTS, key, {"spec": {"replicas": replicas}}, "scale", into=Partial
            )
        except errors.NotFound as error:
            raise RetryError(f"Deployment {key} went meanwhile", _STILL_GOING_SECONDS) from error

    async def _create_owned(self, ctx: Context, body: Mapping[str, Any], owner: str) -> None:
        """Create one accompanying object, or take over the one that is there."""
        rt = _TYPES[body["kind"]]
        key = meta.ObjectKey(ctx.key.namespace, body["metadata"]["name"])
        try:
            await self.kube.create(rt, key.namespace, body, into=Partial)
        except errors.AlreadyExists:
            existing = (await self.kube.get(rt, key, into=Partial)).metadata
            if existing.deletion_timestamp is not None:
                raise RetryError(
                    f"{rt.kind} {key} of an earlier cluster is still there; waiting for it to go",
                    _STILL_GOING_SECONDS,
                ) from None
            if any(ref.uid == owner for ref in existing.owner_references):
                return
            await self.kube.merge_patch(rt, key, body, into=Partial)
        except (errors.Invalid, errors.BadRequest) as error:
            raise _refused(error) from error

    async def _sync_ingress(
        self, ctx: Context, spec: FlinkDeploymentSpec, options: ClusterOptions
    ) -> None:
        if spec.ingress is None:
            await _ignore_absent(
                self.kube.delete(meta.INGRESSES, ctx.key, propagation="Background")
            )
            return
        port = FlinkConf({flink_options.REST_PORT.key: str(options.rest_port)})
        body = ingress.build(spec.ingress, identity(ctx, ctx.generation), port)
        try:
            # Applied, so that what the spec no longer has goes, and what others added stays.
            await self.kube.apply(meta.INGRESSES, ctx.key, body, into=Partial)
        except (errors.Invalid, errors.BadRequest) as error:
            raise _refused(error) from error

    # --- deleting

    async def _remove(self, ctx: Context, step: Removal) -> None:
        match step:
            case plan.DeleteCluster():
                await self._delete_cluster(ctx, step)
            case plan.DeleteTaskManagers(uid):
                await self._delete_deployment(ctx, _task_managers(ctx), uid)
            case plan.DeleteHaMetadata():
                await self._delete_ha_metadata(ctx)
            case plan.DropJobGraphs():
                await self._drop_job_graphs(ctx)

    async def _delete_cluster(self, ctx: Context, step: plan.DeleteCluster) -> None:
        if step.scale_down:
            try:
                await self.kube.merge_patch(
                    meta.DEPLOYMENTS, ctx.key, {"spec": {"replicas": 0}}, into=Partial
                )
            except errors.ApiError as error:
                _log.info("the JobManager could not be scaled down first", error=str(error))
        accepted = await self._delete_deployment(ctx, ctx.key, step.uid)
        if accepted and _propagation(ctx) is not DeletionPropagation.FOREGROUND:
            # It would outlive the Deployment, and the next JobManager would start with it.
            old = meta.ObjectKey(ctx.key.namespace, identity(ctx, ctx.generation).config_map)
            await _ignore_absent(self.kube.delete(meta.CONFIGMAPS, old))

    async def _delete_deployment(self, ctx: Context, key: meta.ObjectKey, uid: str) -> bool:
        """Delete the Deployment of that uid; False when it is gone, or another one has its name."""
        try:
            await self.kube.delete(
                meta.DEPLOYMENTS, key, propagation=_propagation(ctx).value, uid=uid
            )
        except (errors.NotFound, errors.Conflict):
            return False  # the next look tells
        return True

    async def _delete_ha_metadata(self, ctx: Context) -> None:
        """Delete all HA ConfigMaps (behaviour.md 3.14)."""
        for found in await self._ha_config_maps(ctx):
            await _ignore_absent(self.kube.delete(meta.CONFIGMAPS, found.metadata.key))

    async def _drop_job_graphs(self, ctx: Context) -> None:
        """Remove the pointers to job graphs from all HA ConfigMaps (behaviour.md 3.14)."""
        for found in await self._ha_config_maps(ctx):
            graphs = {key: None for key in found.data_keys if key.startswith(_JOB_GRAPHS)}
            if graphs:
                await self.kube.merge_patch(
                    meta.CONFIGMAPS, found.metadata.key, {"data": graphs}, into=Partial
                )

    async def _ha_config_maps(self, ctx: Context) -> list[ConfigMapView]:
        """Return what Flink keeps for recovery; the autoscaler's memory is not among it."""
        page = await self.kube.list_all(
            meta.CONFIGMAPS,
            ctx.key.namespace,
            label_selector=f"app={ctx.key.name},type={NATIVE}",
            into=ConfigMapView,
        )
        return [m for m in page.items if m.metadata.labels.get("component") != _AUTOSCALER]


def identity(ctx: ReconcileContext[Any, Any], generation: int) -> ClusterIdentity:
    """Return who the objects belong to and which generation they are made for."""
    return ClusterIdentity(
        namespace=ctx.key.namespace,
        name=ctx.key.name,
        uid=ctx.about.uid,
        generation=generation,
    )


def build(
    ctx: ReconcileContext[Any, Any],
    spec: FlinkDeploymentSpec,
    generation: int,
    *,
    job_id: str | None,
    savepoint_path: str | None,
) -> cluster.ClusterObjects:
    """Return all objects of the cluster that `spec` describes.

    Raises:
        builders.errors.BuildError: the spec leads to no valid objects.
    """
    who = identity(ctx, generation)
    base: FlinkConf = ctx.settings.effective(who.namespace, spec.flink_version)
    conf = effective_conf.deploy_conf(base, who, spec)
    conf = effective_conf.with_deploy_values(
        conf,
        job_id=job_id,
        savepoint_path=savepoint_path,
        result_store_id=str(uuid.uuid4()),
    )
    found = local_files.read(conf, ctx.settings.default, ctx.settings.environ)
    return cluster.build(conf, spec, who, ctx.settings.log_files, found)


def own_conf(ctx: ReconcileContext[Any, Any], spec: FlinkDeploymentSpec) -> FlinkConf:
    """Return defaults and the spec's own configuration, options of the operator included.

    Raises:
        ConfigError: the configuration is no object.
    """
    base = ctx.settings.effective(ctx.key.namespace, spec.flink_version)
    return base.with_(flatten.flatten(spec.flink_configuration))


def _task_managers(ctx: Context) -> meta.ObjectKey:
    return meta.ObjectKey(ctx.key.namespace, taskmanager_deployment(ctx.key.name))


def _is_ours(ctx: Context, metadata: meta.Meta) -> bool:
    return any(owner.uid == ctx.about.uid for owner in metadata.owner_references)


def _propagation(ctx: Context) -> DeletionPropagation:
    return ctx.settings.operator_config(ctx.key.namespace).deletion_propagation


def _still_there(key: meta.ObjectKey) -> RetryError:
    return RetryError(
        f"Deployment {key} of an earlier cluster is still there; waiting for it to go",
        _STILL_GOING_SECONDS,
    )


def _refused(error: errors.ApiError) -> ObjectRefused:
    reason = reasons.FAILED_CREATE if isinstance(error, errors.Forbidden) else error.reason
    return ObjectRefused(error.message, reason or "Invalid")


async def _ignore_absent(call: Awaitable[None]) -> None:
    try:
        await call
    except errors.NotFound:
        return
