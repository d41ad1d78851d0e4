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
    ClusterIdentity,
    taskmanager_deployment,
)
from flinkop.config import flatten, flink_options, local_files
from flinkop.config.flink_conf import FlinkConf
from flinkop.config.options import DeletionPropagation
from flinkop.controllers.flinkdeployment.planning import steps, telling
from flinkop.events import reasons
from flinkop.events.draft import warning
from flinkop.flink import errors as flink_errors, jobs
from flinkop.flink.address import Cluster
from flinkop.flink.interpret import CancelOutcome
from flinkop.flink.rest import FlinkClient
from flinkop.flink.states import SavepointFormat
from flinkop.kube import errors, meta
from flinkop.kube.client import KubeClient
from flinkop.kube.objects import DeploymentView, Partial
from flinkop.lifecycle import not_yet
from flinkop.runtime.result import RetryError
from flinkop.stages import finalizer
from flinkop.stages.cluster_options import ClusterOptions
from flinkop.stages.context import ReconcileContext
from flinkop.stages.ha_metadata import HaMetadata

_log = structlog.get_logger(__name__)

Context = ReconcileContext[FlinkDeploymentSpec, FlinkDeploymentStatus]
Adopt = Callable[[Context, DeploymentView], None]
Removal = (
    steps.DeleteCluster | steps.DeleteTaskManagers | steps.DeleteHaMetadata | steps.DropJobGraphs
)

_TYPES: Final = {
    "Service": meta.SERVICES,
    "ConfigMap": meta.CONFIGMAPS,
    "Secret": meta.SECRETS,
}
_STILL_GOING_SECONDS: Final = 0.5
_NAMESPACE_GOES: Final = "NamespaceTerminating"
_NAMESPACE_SECONDS: Final = 10.0


class ObjectRefused(Exception):  # noqa: N818 - reads as what happened
    """The API server does not accept an object that the spec leads to; a change of the spec is needed.

    Attributes:
        reason: the API server's reason, or FailedCreate when a policy or quota forbids it.
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class StepFailed(Exception):  # noqa: N818 - reads as what happened
    """Flink refuses what has to succeed before anything else may happen; it is tried again later.

    Attributes:
        reason: reason of the Event.
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
        metadata: clears and deletes HA metadata.
    """

    kube: KubeClient
    flink: Callable[[Cluster], FlinkClient]
    metadata: HaMetadata
    deployment_written: Callable[[DeploymentView], None]
    write_status: Callable[[Context, FlinkDeploymentStatus], Awaitable[None]]

    async def carry_out(
        self, ctx: Context, what: steps.Plan, options: ClusterOptions
    ) -> dict[str, str]:
        """Do all steps of `what` in order; return Flink's own trigger ids by ours, where they differ.

        Raises:
            ObjectRefused: an object is not acceptable; steps before it are done.
            StepFailed: Flink refuses what has to succeed before anything else may happen.
            errors.ApiError: the API server could not be reached or refused; the plan is made again.
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
            case steps.CheckObjects(spec):
                await self._check_objects(ctx, spec)
            case steps.CancelJob():
                await self._cancel(ctx, step, options)
            case steps.StopJob():
                trigger_ids[step.trigger_id] = await self._stop(ctx, step, options)
            case (
                steps.DeleteCluster()
                | steps.DeleteTaskManagers()
                | steps.DeleteHaMetadata()
                | steps.DropJobGraphs()
            ):
                await self._remove(ctx, step)
            case steps.Submit():
                await self._submit(ctx, step)
            case steps.RestoreTaskManagers(spec):
                await self._restore_task_managers(ctx, spec)
            case steps.ScaleTaskManagers(replicas):
                await self._scale_task_managers(ctx, replicas)
            case steps.SyncIngress(spec):
                await self._sync_ingress(ctx, spec, options)
            case steps.ReleaseFinalizer():
                await finalizer.remove(self.kube, meta.FLINKDEPLOYMENTS, ctx.obj)

    # --- Flink

    async def _cancel(self, ctx: Context, step: steps.CancelJob, options: ClusterOptions) -> None:
        client = options.client(self.flink, ctx.key).once(options.cancel_timeout)
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

    async def _stop(self, ctx: Context, step: steps.StopJob, options: ClusterOptions) -> str:
        """Ask the job to stop with a savepoint, and return the trigger id: Flink before 1.15 has its own.

        What comes of it is looked for in later reconciles, also when no answer arrived.
        """
        client = options.client(self.flink, ctx.key).within(options.flink_timeout)
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

    async def _submit(self, ctx: Context, step: steps.Submit) -> None:
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
            raise ObjectRefused(telling.name_taken_words(metadata.name), telling.NAME_TAKEN)
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
            case steps.DeleteCluster():
                await self._delete_cluster(ctx, step)
            case steps.DeleteTaskManagers(uid):
                await self._delete_deployment(ctx, _task_managers(ctx), uid)
            case steps.DeleteHaMetadata():
                await self.metadata.delete(ctx.key)
            case steps.DropJobGraphs():
                await self.metadata.drop_job_graphs(ctx.key)

    async def _delete_cluster(self, ctx: Context, step: steps.DeleteCluster) -> None:
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
