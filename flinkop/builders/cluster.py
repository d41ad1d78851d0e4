"""All objects of one cluster, in the order in which they are created (`kubernetes-objects.md` 0)."""

from collections.abc import Mapping
from typing import Any

import attrs

from flinkop.api.common import JobSpec, KubernetesDeploymentMode
from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.builders import (
    arguments,
    checks,
    configmap,
    deployment,
    jobmanager,
    mounts,
    podtemplate,
    services,
    taskmanager,
    userlib,
)
from flinkop.builders.effective_conf import NOT_FOR_FLINK, is_ha
from flinkop.builders.errors import BuildError, as_build_errors
from flinkop.builders.identity import NATIVE, STANDALONE, ClusterIdentity, common_labels
from flinkop.config import flink_options as opt, local_files as files
from flinkop.config.flink_conf import FlinkConf

_ENTRYPOINT = "org.apache.flink.kubernetes.entrypoint."


@attrs.frozen(kw_only=True)
class ClusterObjects:
    """Objects of one cluster, as plain dictionaries without a namespace.

    Attributes:
        deployment: The JobManager's Deployment, created first.
        accompanying: ConfigMaps and Secrets that pods mount, then Services; to be created next in this
            order, each with the created Deployment as its owner (`with_owner`).
        taskmanagers: The TaskManagers' Deployment, created last; standalone only.
        warnings: Sentences for the user about what Flink will not read as written.
    """

    deployment: dict[str, Any]
    accompanying: tuple[dict[str, Any], ...]
    taskmanagers: dict[str, Any] | None = None
    warnings: tuple[str, ...] = ()

    @property
    def deployments(self) -> tuple[dict[str, Any], ...]:
        """All Deployments of the cluster."""
        if self.taskmanagers is None:
            return (self.deployment,)
        return (self.deployment, self.taskmanagers)


def build(
    conf: FlinkConf,
    spec: FlinkDeploymentSpec,
    identity: ClusterIdentity,
    log_files: Mapping[str, str],
    local_files: files.LocalFiles = files.NONE,
) -> ClusterObjects:
    """Build the objects of a cluster.

    Args:
        conf: What `effective_conf.deploy_conf` gave, with `with_deploy_values` for applications.
        spec: The spec that `conf` was made from.
        identity: The resource.
        log_files: Log files for clusters that bring none.
        local_files: Files of the operator that clusters may need.

    Raises:
        BuildError: the spec and its configuration describe no cluster that could run.
    """
    with as_build_errors():
        checks.check_identity(identity)
        native = spec.effective_mode is not KubernetesDeploymentMode.STANDALONE
        visible = conf.without_prefixes(*NOT_FOR_FLINK)
        checks.check_conf(visible, native=native)
        if native and spec.job is not None:
            checks.check_jar(visible, spec.job)
        deployed = _deployed_conf(visible, spec, identity, native=native)
        return _build(
            conf,
            deployed,
            spec,
            identity,
            log_files=log_files,
            local_files=local_files,
            native=native,
        )


def _build(
    conf: FlinkConf,
    deployed: FlinkConf,
    spec: FlinkDeploymentSpec,
    identity: ClusterIdentity,
    *,
    log_files: Mapping[str, str],
    local_files: files.LocalFiles,
    native: bool,
) -> ClusterObjects:
    version = spec.flink_version
    if version is None:
        raise BuildError("spec.flinkVersion is missing. Set it to the version of the image.")
    unlimited_network = version.is_at_least(1, 17)
    checks.check_taskmanager_memory(deployed, unlimited_network=unlimited_network)
    kind = NATIVE if native else STANDALONE
    config_map, config_files, warnings = configmap.flink_config(
        identity,
        kind,
        version,
        _in_pods(deployed, native=native),
        log_files=configmap.shipped_log_files(spec.log_configuration, log_files),
        program_args=None if spec.job is None else spec.job.args,
    )
    template = podtemplate.taskmanager_template(spec, conf)
    # A kubelet that finds a volume's object missing waits longer with each try, and the API server
    # gives out cluster IPs one at a time: what pods mount comes before the Services.
    accompanying = _mounted_objects(identity, kind, deployed, local_files)
    accompanying.append(config_map)
    if native and template is not None:
        accompanying.append(configmap.pod_template(identity, kind, template))
    accompanying += _services(identity, kind, deployed)
    inputs = deployment.Inputs(
        identity=identity,
        kind=kind,
        conf=deployed,
        config_files=config_files,
        local_files=local_files,
    )
    main = jobmanager.JobManager(
        template=podtemplate.jobmanager_template(spec, conf),
        args=arguments.native(deployed)
        if native
        else arguments.standalone(deployed, version, spec.job),
        has_taskmanager_template=native and template is not None,
        needs_user_lib=not native and spec.job is not None and _needs_user_lib(deployed, spec.job),
    )
    taskmanagers = None
    if not native:
        taskmanagers = taskmanager.deployment(
            inputs, template if template is not None else {}, unlimited_network=unlimited_network
        )
    return ClusterObjects(
        deployment=jobmanager.deployment(inputs, main),
        accompanying=tuple(accompanying),
        taskmanagers=taskmanagers,
        warnings=tuple(warnings),
    )


def with_owner(body: Mapping[str, Any], deployment: str, uid: str) -> dict[str, Any]:
    """Return an accompanying object owned by the created JobManager Deployment of that uid."""
    owner = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": deployment,
        "uid": uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {**body, "metadata": {**body["metadata"], "ownerReferences": [owner]}}


def _deployed_conf(
    visible: FlinkConf, spec: FlinkDeploymentSpec, identity: ClusterIdentity, *, native: bool
) -> FlinkConf:
    """Add what the deploy step knows (1.1, 6.3)."""
    entries = visible.to_dict()
    ha = is_ha(visible)
    if native:
        entrypoint = "KubernetesSession" if spec.job is None else "KubernetesApplication"
        entries["internal.cluster.execution-mode"] = "NORMAL"
        entries["kubernetes.internal.jobmanager.entrypoint.class"] = (
            f"{_ENTRYPOINT}{entrypoint}ClusterEntrypoint"
        )
    if checks.fixed_port(visible, opt.BLOB_PORT) == 0:
        entries[opt.BLOB_PORT.key] = "6124"
    if checks.fixed_port(visible, opt.TASKMANAGER_RPC_PORT) == 0:
        entries[opt.TASKMANAGER_RPC_PORT.key] = "6122"
    if checks.fixed_port(visible, opt.REST_BIND_PORT) == 0:
        entries[opt.REST_BIND_PORT.key] = "8081"
    if ha:
        entries[opt.HA_CLUSTER_ID.key] = identity.name
        if checks.fixed_port(visible, opt.HA_JOBMANAGER_PORT) == 0:
            entries[opt.HA_JOBMANAGER_PORT.key] = str(visible.get(opt.RPC_PORT))
    if not (native and ha):
        entries["jobmanager.rpc.address"] = f"{identity.name}.{identity.namespace}"
    return FlinkConf.owning(entries)


def _in_pods(deployed: FlinkConf, *, native: bool) -> FlinkConf:
    """Replace paths of the operator by those inside pods."""
    keytab = mounts.keytab_path(deployed)
    if keytab is None or (native and not deployed.get(opt.KERBEROS_MOUNT_ENABLED)):
        return deployed
    return deployed.with_({opt.KERBEROS_KEYTAB.key: mounts.keytab_in_pod(keytab)})


def _services(identity: ClusterIdentity, kind: str, conf: FlinkConf) -> list[dict[str, Any]]:
    rest = services.rest(identity, kind, conf)
    if kind == NATIVE and is_ha(conf):
        return [rest]
    return [services.internal(identity, kind, conf), rest]


def _mounted_objects(
    identity: ClusterIdentity, kind: str, conf: FlinkConf, local_files: files.LocalFiles
) -> list[dict[str, Any]]:
    made = []
    if kind != NATIVE or conf.get(opt.HADOOP_MOUNT_ENABLED):
        labels = common_labels(identity.name, kind)
        made += mounts.hadoop_objects(identity.name, labels, conf, local_files)
    if kind != NATIVE or conf.get(opt.KERBEROS_MOUNT_ENABLED):
        made += mounts.kerberos_objects(identity.name, conf, local_files)
    return made


def _needs_user_lib(conf: FlinkConf, job: JobSpec) -> bool:
    """Tell whether the user's class path needs an empty directory, without which it does not count (6.2).

    A jar of the image that lies in that very directory says that it is there, and must not be hidden.
    """
    paths = conf.get(opt.PIPELINE_CLASSPATHS)
    inside = any(userlib.holds(path) for path in (*paths, job.jar_uri or ""))
    return bool(paths) and not inside
