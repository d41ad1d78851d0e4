"""From a spec to the objects of its cluster, with the configuration in force."""

import uuid
from typing import Any

from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.builders import cluster, effective_conf
from flinkop.builders.identity import ClusterIdentity
from flinkop.config import flatten, local_files
from flinkop.config.flink_conf import FlinkConf
from flinkop.stages.context import ReconcileContext


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
