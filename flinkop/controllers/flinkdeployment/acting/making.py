"""Makes the objects of a cluster; those that are there from an earlier try are kept."""

import functools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import structlog
from attrs import define

from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.status import FlinkDeploymentStatus
from flinkop.builders import cluster, ingress
from flinkop.builders.identity import GENERATION_ANNOTATION, taskmanager_deployment
from flinkop.config import flink_options
from flinkop.config.flink_conf import FlinkConf
from flinkop.controllers.flinkdeployment import ownership, signals
from flinkop.controllers.flinkdeployment.acting import building
from flinkop.controllers.flinkdeployment.planning import steps, telling
from flinkop.controllers.jobs.refusals import ObjectRefused
from flinkop.events import reasons
from flinkop.events.draft import warning
from flinkop.kube import errors, meta
from flinkop.kube.client import KubeClient
from flinkop.kube.objects import DeploymentView, Partial
from flinkop.lifecycle import not_yet, record
from flinkop.runtime.result import RetryError
from flinkop.stages.cluster_options import ClusterOptions
from flinkop.stages.context import ReconcileContext

_log = structlog.get_logger(__name__)

Context = ReconcileContext[FlinkDeploymentSpec, FlinkDeploymentStatus]
Adopt = Callable[[DeploymentView], None]

_TYPES: Final = {
    "Service": meta.SERVICES,
    "ConfigMap": meta.CONFIGMAPS,
    "Secret": meta.SECRETS,
}
_STILL_GOING_SECONDS: Final = 0.5
_NAMESPACE_SECONDS: Final = 10.0


@define
class Maker:
    """Makes objects.

    All methods raise ObjectRefused for what the API server does not accept, RetryError for what is still
    in the way, and errors.ApiError when it cannot be reached.

    Attributes:
        kube: the way to the API server.
        deployment_written: is told each Deployment that a write returned.
    """

    kube: KubeClient
    deployment_written: Callable[[DeploymentView], None]

    async def check(self, ctx: Context, spec: FlinkDeploymentSpec) -> None:
        """Ask the API server about the new Deployments before the old ones are touched."""
        objects = building.build(ctx, spec, ctx.generation, job_id=None, savepoint_path=None)
        for body in objects.deployments:
            try:
                await self.kube.create(
                    meta.DEPLOYMENTS, ctx.key.namespace, body, into=Partial, dry_run=True
                )
            except errors.AlreadyExists:
                continue  # judged acceptable, and only then found to be there
            except (errors.Invalid, errors.BadRequest, errors.Forbidden) as error:
                raise _refused(error) from error

    async def submit(self, ctx: Context, step: steps.Submit) -> None:
        """Make the JobManager Deployment first: everything else belongs to it, by its uid.

        Only a standalone cluster's TaskManagers do not. They come last, when their ConfigMap is there.
        """
        objects = building.build(
            ctx, step.spec, step.generation, job_id=step.job_id, savepoint_path=step.savepoint_path
        )
        adopt = functools.partial(_adopt, generation=step.generation)
        deployment = await self._create_deployment(ctx, objects.deployment, adopt)
        uid = deployment.metadata.uid
        for body in objects.accompanying:
            await self._create_owned(ctx, cluster.with_owner(body, ctx.key.name, uid), uid)
        if objects.taskmanagers is not None:
            await self._create_deployment(ctx, objects.taskmanagers, _adopt_task_managers)
        for sentence in (
            *objects.warnings,
            *not_yet.without_effect(building.own_conf(ctx, step.spec)),
        ):
            ctx.say(warning(reasons.CONFIGURATION_WARNING, reasons.OPERATOR, sentence))
        if step.spec.flink_version is not None and step.spec.flink_version.deprecated:
            _log.warning(f"Flink {step.spec.flink_version.release} is deprecated: plan its upgrade")

    async def _create_deployment(
        self, ctx: Context, body: Mapping[str, Any], adopt: Adopt
    ) -> DeploymentView:
        """Create a Deployment, or take the one of ours that is there if `adopt(it)` lets it pass."""
        key = meta.ObjectKey(ctx.key.namespace, body["metadata"]["name"])
        try:
            made = await self.kube.create(
                meta.DEPLOYMENTS, key.namespace, body, into=DeploymentView
            )
        except errors.AlreadyExists:
            found = await self.kube.get(meta.DEPLOYMENTS, key, into=DeploymentView)
            if not _is_ours(ctx, found.metadata):  # nor one that the cache would hear the end of
                words = telling.name_taken_words(key.name)
                raise ObjectRefused(words, telling.NAME_TAKEN) from None
            self.deployment_written(found)
            adopt(found)
            return found
        except (errors.Invalid, errors.BadRequest, errors.Forbidden) as error:
            if error.namespace_ends:
                raise RetryError(
                    f"namespace {ctx.key.namespace} is being deleted", _NAMESPACE_SECONDS
                ) from error
            raise _refused(error) from error
        self.deployment_written(made)
        return made

    async def restore_task_managers(self, ctx: Context, spec: FlinkDeploymentSpec) -> None:
        """Make a standalone cluster's TaskManagers again beside a JobManager that is there."""
        objects = building.build(ctx, spec, ctx.generation, job_id=None, savepoint_path=None)
        if objects.taskmanagers is not None:
            await self._create_deployment(ctx, objects.taskmanagers, _adopt_task_managers)

    async def scale_task_managers(self, ctx: Context, replicas: int) -> None:
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
            if existing.deletion_timestamp is not None or _is_orphan(existing, ctx, owner):
                raise RetryError(
                    f"{rt.kind} {key} of an earlier cluster is still there; waiting for it to go",
                    _STILL_GOING_SECONDS,
                ) from None
            if any(ref.uid == owner for ref in existing.owner_references):
                return
            await self.kube.merge_patch(rt, key, body, into=Partial)
        except (errors.Invalid, errors.BadRequest) as error:
            raise _refused(error) from error

    async def sync_ingress(
        self, ctx: Context, spec: FlinkDeploymentSpec, options: ClusterOptions
    ) -> None:
        """Create, update or delete the Ingress as `spec` asks."""
        if spec.ingress is None:
            await _ignore_absent(
                self.kube.delete(meta.INGRESSES, ctx.key, propagation="Background")
            )
            return
        port = FlinkConf({flink_options.REST_PORT.key: str(options.rest_port)})
        body = ingress.build(spec.ingress, building.identity(ctx, ctx.generation), port)
        try:
            # Applied, so that what the spec no longer has goes, and what others added stays.
            await self.kube.apply(meta.INGRESSES, ctx.key, body, into=Partial)
        except (errors.Invalid, errors.BadRequest) as error:
            raise _refused(error) from error


def _adopt(found: DeploymentView, *, generation: int) -> None:
    """The name is taken: by an earlier try of ours, or by something that has to go first."""
    metadata = found.metadata
    same = signals.number(metadata.annotations.get(GENERATION_ANNOTATION)) == generation
    if not same or metadata.deletion_timestamp is not None:
        raise _still_there(metadata.key)


def _adopt_task_managers(found: DeploymentView) -> None:
    """The name is taken, by an earlier try of ours: older ones went before the JobManager came."""
    if found.metadata.deletion_timestamp is not None:
        raise _still_there(found.metadata.key)


def _is_ours(ctx: Context, metadata: meta.Meta) -> bool:
    deployed = record.last_reconciled(ctx.status) is not None
    return ownership.is_ours(metadata, name=ctx.key.name, uid=ctx.about.uid, deployed=deployed)


def _is_orphan(found: meta.Meta, ctx: Context, owner: str) -> bool:
    """Whether it belongs to an earlier Deployment and is about to go: taken over, it might go all the same."""
    return any(
        ref.kind == meta.DEPLOYMENTS.kind and ref.name == ctx.key.name and ref.uid != owner
        for ref in found.owner_references
    )


def _task_managers(ctx: Context) -> meta.ObjectKey:
    return meta.ObjectKey(ctx.key.namespace, taskmanager_deployment(ctx.key.name))


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
