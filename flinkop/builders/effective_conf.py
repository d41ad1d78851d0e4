"""The configuration of one cluster: defaults, `spec.flinkConfiguration`, and what the spec implies.

`kubernetes-objects.md` 4, `behaviour.md` 0.8. The base is what `config.layers` says for the cluster's
namespace and version. Operator options stay in until the objects are built.
"""

import math
import urllib.parse
from collections.abc import Mapping

from flinkop.api import quantity
from flinkop.api.common import (
    JobManagerSpec,
    JobSpec,
    KubernetesDeploymentMode,
    ResourceRequirements,
    TaskManagerSpec,
    UpgradeMode,
)
from flinkop.api.flink_version import FlinkVersion
from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.flinksessionjob import FlinkSessionJobSpec
from flinkop.builders import userlib
from flinkop.builders.errors import BuildError, as_build_errors
from flinkop.builders.identity import GENERATION_ANNOTATION, ClusterIdentity
from flinkop.config import flatten, flink_options as opt, options, structured, values
from flinkop.config.flink_conf import FlinkConf
from flinkop.config.option import Option

LAST_STATE_SENTINEL = "KUBERNETES_OPERATOR_LAST_STATE"
"""Restore path of a job that restores from high-availability metadata: never a readable path."""

APPLICATION_TARGET = "kubernetes-application"
SESSION_TARGET = "kubernetes-session"
STANDALONE_TARGET = "remote"
CLUSTER_MODE = "kubernetes.internal.cluster-mode"
NOT_FOR_FLINK = (options.PREFIX, options.AUTOSCALER_PREFIX)
"""Prefixes of keys that no Flink cluster gets to see (4.4)."""

_RENAMED = (opt.SAVEPOINT_DIR, opt.CHECKPOINT_DIR)
"""Options with older names that a session job often sets anew; Flink reads the newer name first."""

_SHUTDOWN_ON_FINISH = "execution.shutdown-on-application-finish"


def deploy_conf(base: FlinkConf, identity: ClusterIdentity, spec: FlinkDeploymentSpec) -> FlinkConf:
    """Return the configuration with which the cluster of `spec` is deployed.

    What only the deployment itself knows (job id, restore path) is added by `with_deploy_values`.

    Raises:
        BuildError: the spec or its configuration cannot be used.
    """
    with as_build_errors():
        conf = _from_spec(base, identity, spec)
        annotations = {
            **conf.get(opt.JM_ANNOTATIONS),
            GENERATION_ANNOTATION: str(identity.generation),
        }
        owner = {
            name: str(value).lower() if isinstance(value, bool) else value
            for name, value in identity.owner(controller=False).items()
        }
        entries = conf.without_prefixes(opt.JM_ANNOTATIONS.key + ".").to_dict()
        entries[opt.JM_ANNOTATIONS.key] = structured.join_map(annotations)
        entries[opt.JM_OWNER_REFERENCE.key] = structured.join_maps([owner])
        return FlinkConf.owning(entries)


def observe_conf(
    base: FlinkConf,
    identity: ClusterIdentity,
    deployed_spec: FlinkDeploymentSpec,
    current_spec: FlinkDeploymentSpec,
) -> FlinkConf:
    """Return the configuration by which a running cluster is reached and judged (`behaviour.md` 0.8).

    That of the deployed spec, with the operator's and the autoscaler's options and the savepoint
    directory of the current one over it.

    Raises:
        BuildError: one of the specs cannot be used.
    """
    with as_build_errors():
        deployed = _from_spec(base, identity, deployed_spec)
        current = FlinkConf.owning(flatten.flatten(current_spec.flink_configuration))
        entries = deployed.to_dict()
        for key, value in current.entries.items():
            if key.startswith(NOT_FOR_FLINK):
                entries[key] = value
        directory = current.key_of(opt.SAVEPOINT_DIR)
        if directory is not None:
            for key in (opt.SAVEPOINT_DIR.key, *opt.SAVEPOINT_DIR.older_keys):
                entries.pop(key, None)
            entries[directory] = current.entries[directory]
        return FlinkConf.owning(entries)


def session_job_conf(cluster: FlinkConf, name: str, spec: FlinkSessionJobSpec) -> FlinkConf:
    """Return the configuration of a session job (`behaviour.md` 0.8).

    Args:
        cluster: What `observe_conf` gives for its session cluster.
        name: Name of the session job, which its job bears unless it is given another.
        spec: Its spec; options there win over the cluster's, by whichever of their names.

    Raises:
        BuildError: the spec cannot be used.
    """
    with as_build_errors():
        own = FlinkConf.owning(flatten.flatten(spec.flink_configuration))
        entries = cluster.to_dict()
        for option in _RENAMED:
            if own.key_of(option) is not None:
                for key in (option.key, *option.older_keys):
                    entries.pop(key, None)
        entries.update(own.entries)
        _if_absent(entries, opt.PIPELINE_NAME, name)
        if spec.job is not None:
            entries[opt.PARALLELISM.key] = str(spec.job.parallelism)
            _put_program(entries, spec.job)
        return FlinkConf.owning(entries)


def for_flink(conf: FlinkConf) -> dict[str, str]:
    """Return what Flink gets to see of a session job's configuration."""
    kept = conf.without_prefixes(*NOT_FOR_FLINK).to_dict()
    kept.pop(opt.FLINK_VERSION.key, None)
    return kept


def with_deploy_values(
    conf: FlinkConf,
    *,
    job_id: str | None = None,
    savepoint_path: str | None = None,
    result_store_id: str | None = None,
) -> FlinkConf:
    """Add what one deployment of an application knows (4.5).

    Args:
        conf: What `deploy_conf` gave.
        job_id: 32 hex digits that the job gets.
        savepoint_path: What the job restores from: a savepoint, LAST_STATE_SENTINEL, or None to start
            without state. Whatever the user set is replaced or removed; beyond the reference also
            under the key's newer name, which would win inside Flink.
        result_store_id: Fresh for each deployment: names its own job result store next to
            `high-availability.storageDir`, so that an old result does not end the new job.
    """
    entries = conf.to_dict()
    entries.pop(opt.STATE_RECOVERY_PATH.key, None)
    entries.pop(opt.SAVEPOINT_PATH.key, None)
    if savepoint_path is not None:
        entries[opt.SAVEPOINT_PATH.key] = savepoint_path
    if job_id is not None:
        entries[opt.JOB_ID.key] = job_id
    storage = conf.get(opt.HA_STORAGE_DIR)
    if storage is not None and result_store_id is not None:
        cluster = conf.get(opt.CLUSTER_ID)
        entries[opt.JOB_RESULT_STORE_PATH.key] = (
            f"{storage.rstrip('/')}/job-result-store/{cluster}/{result_store_id}"
        )
        entries.setdefault(opt.JOB_RESULT_DELETE_ON_COMMIT.key, "false")
    return FlinkConf.owning(entries)


def is_ha(conf: FlinkConf) -> bool:
    """Tell whether high availability is on; an unknown text is a factory class (section 0)."""
    return conf.get(opt.HA_TYPE).lower() not in ("none", "standalone")


def _from_spec(base: FlinkConf, identity: ClusterIdentity, spec: FlinkDeploymentSpec) -> FlinkConf:
    version = spec.flink_version
    if version is None:
        raise BuildError(
            "spec.flinkVersion is missing. Set it to the version of the image, such as v1_20."
        )
    entries = base.to_dict()
    entries.update(flatten.flatten(spec.flink_configuration))
    _if_absent(entries, opt.REST_EXPOSED_TYPE, opt.ServiceExposure.CLUSTER_IP.value)
    _if_absent(entries, opt.WEB_CANCEL_ENABLED, "false")
    entries[opt.FLINK_VERSION.key] = version.value
    _put_pods(entries, spec, version)
    _put_jobmanager(entries, spec.job_manager, version)
    _put_taskmanager(entries, spec.task_manager, version)
    standalone = spec.effective_mode is KubernetesDeploymentMode.STANDALONE
    if spec.job is None:
        entries[opt.EXECUTION_TARGET.key] = SESSION_TARGET
    else:
        _put_job(entries, identity, spec, spec.job, standalone=standalone)
    if standalone:
        entries[opt.EXECUTION_TARGET.key] = STANDALONE_TARGET
        entries[CLUSTER_MODE] = "SESSION" if spec.job is None else "APPLICATION"
    entries[opt.NAMESPACE.key] = identity.namespace
    entries[opt.CLUSTER_ID.key] = identity.name
    conf = FlinkConf.owning(entries)
    if is_ha(conf):
        entries[opt.HA_CLUSTER_ID.key] = identity.name
    return conf


def _if_absent(entries: dict[str, str], option: Option[object], value: str) -> None:
    if option.key in entries or any(key in entries for key in option.older_keys):
        return
    entries[option.key] = value


def _put_pods(entries: dict[str, str], spec: FlinkDeploymentSpec, version: FlinkVersion) -> None:
    if spec.image is not None and spec.image.strip():
        newer = version.is_at_least(1, 17)
        entries[opt.IMAGE.key if newer else opt.IMAGE.older_keys[0]] = spec.image
    if spec.image_pull_policy is not None and spec.image_pull_policy.strip():
        entries[opt.PULL_POLICY.key] = spec.image_pull_policy
    if spec.service_account is not None:
        entries["kubernetes.service-account"] = spec.service_account


def _put_jobmanager(
    entries: dict[str, str], own: JobManagerSpec | None, version: FlinkVersion
) -> None:
    if own is None:
        return
    _put_resources(entries, "jobmanager", own, version)
    if own.replicas > 0:
        entries[opt.JM_REPLICAS.key] = str(own.replicas)


def _put_taskmanager(
    entries: dict[str, str], own: TaskManagerSpec | None, version: FlinkVersion
) -> None:
    if own is None:
        return
    _put_resources(entries, "taskmanager", own, version)
    if own.replicas is not None and own.replicas > 0:
        entries[opt.TM_REPLICAS.key] = str(own.replicas)


def _put_resources(
    entries: dict[str, str], role: str, own: JobManagerSpec | TaskManagerSpec, version: FlinkVersion
) -> None:
    if own.resources is not None and own.resources.in_effect:
        _put_requirements(entries, role, own.resources, version)
        return
    if own.resource is None:
        return
    if own.resource.memory is not None:
        memory = _memory(role, own.resource.memory)
        entries[f"{role}.memory.process.size"] = memory.flink_text
    if own.resource.cpu is not None:
        _put_cpu(entries, role, own.resource.cpu, version)


def _put_requirements(
    entries: dict[str, str], role: str, resources: ResourceRequirements, version: FlinkVersion
) -> None:
    """Put CPU and memory of the newer `resources` field (`api.md` 2.6).

    Limit factors come from the parsed values; the reference takes them from Kubernetes quantities,
    to which `2048m` of memory is about two bytes.
    """
    requests, limits = resources.requests or {}, resources.limits or {}
    memory_text = requests.get("memory", limits.get("memory"))
    if memory_text is not None:
        memory = _memory(role, str(memory_text))
        entries[f"{role}.memory.process.size"] = memory.flink_text
        if "memory" in requests and "memory" in limits and memory.bytes > 0:
            factor = _memory(role, str(limits["memory"])).bytes / memory.bytes
            entries[f"kubernetes.{role}.memory.limit-factor"] = values.java_double(factor)
    cpu_text = requests.get("cpu", limits.get("cpu"))
    if cpu_text is not None:
        cpu = float(quantity.parse_quantity(cpu_text))
        _put_cpu(entries, role, cpu, version)
        if "cpu" in requests and "cpu" in limits and cpu > 0:
            factor = float(quantity.parse_quantity(limits["cpu"])) / cpu
            entries[f"kubernetes.{role}.cpu.limit-factor"] = values.java_double(factor)


def _memory(role: str, text: str) -> quantity.Memory:
    try:
        return quantity.parse_memory(text)
    except quantity.QuantityError as error:
        raise BuildError(f"The memory of the {role} cannot be read: {error}") from None


def _put_cpu(entries: dict[str, str], role: str, cpu: float, version: FlinkVersion) -> None:
    text = values.java_double(float(cpu))
    entries[f"kubernetes.{role}.cpu.amount"] = text
    if not version.is_at_least(1, 17):
        entries[f"kubernetes.{role}.cpu"] = text


def _put_job(
    entries: dict[str, str],
    identity: ClusterIdentity,
    spec: FlinkDeploymentSpec,
    job: JobSpec,
    *,
    standalone: bool,
) -> None:
    entries[opt.EXECUTION_TARGET.key] = APPLICATION_TARGET
    if job.jar_uri is not None:
        if not standalone:
            entries[opt.PIPELINE_JARS.key] = structured.join_list([job.jar_uri])
        elif not userlib.holds(path := _class_path(job.jar_uri)):
            entries[opt.PIPELINE_CLASSPATHS.key] = structured.join_list([path])
    overrides = FlinkConf.owning(entries).get(opt.PARALLELISM_OVERRIDES)
    entries[opt.PARALLELISM.key] = str(
        _parallelism(entries, spec, job, overrides if standalone else {})
    )
    entries[_SHUTDOWN_ON_FINISH] = "false"
    _if_absent(entries, opt.SUBMIT_FAILED_JOB, "true")
    _if_absent(entries, opt.PIPELINE_NAME, identity.name)
    _put_program(entries, job)
    if standalone and opt.TM_REPLICAS.key not in entries:
        parallelism = int(entries[opt.PARALLELISM.key])
        entries[opt.TM_REPLICAS.key] = str(math.ceil(parallelism / _slots(entries)))


def _put_program(entries: dict[str, str], job: JobSpec) -> None:
    """Put what a job implies on whichever cluster it runs."""
    if job.upgrade_mode is UpgradeMode.LAST_STATE:
        _if_absent(entries, opt.CHECKPOINT_INTERVAL, "5 min")
    _if_absent(entries, opt.CHECKPOINT_RETENTION, "RETAIN_ON_CANCELLATION")
    if job.allow_non_restored_state is not None:
        entries[opt.IGNORE_UNCLAIMED_STATE.key] = str(job.allow_non_restored_state).lower()
    if job.entry_class is not None:
        entries[opt.APPLICATION_MAIN.key] = job.entry_class
    entries[opt.PROGRAM_ARGS.key] = structured.join_list(job.args)


def _slots(entries: dict[str, str]) -> int:
    slots = FlinkConf.owning(entries).get(opt.TASK_SLOTS)
    if slots < 1:
        raise BuildError(f"{opt.TASK_SLOTS.key} is {slots}. Set it to 1 or more.")
    return slots


def _parallelism(
    entries: dict[str, str], spec: FlinkDeploymentSpec, job: JobSpec, overrides: Mapping[str, str]
) -> int:
    if spec.task_manager is not None and spec.task_manager.replicas is not None:
        return spec.task_manager.replicas * _slots(entries)
    try:
        largest = max(map(int, overrides.values()), default=0)
    except ValueError:
        raise BuildError(
            f"{opt.PARALLELISM_OVERRIDES.key} holds something else than whole numbers. "
            "Write vertex-id:parallelism entries."
        ) from None
    return largest if largest > 0 else job.parallelism


def _class_path(jar_uri: str) -> str:
    """Return a jar as a standalone class path entry: `local:` becomes `file:` (6.3)."""
    scheme, colon, rest = jar_uri.partition(":")
    if not colon:
        raise BuildError(
            f"spec.job.jarURI '{jar_uri}' has no scheme. Write local:// and the path inside the image."
        )
    if scheme != "local":
        return jar_uri
    return "file:" + urllib.parse.quote(rest, safe="/%:?#[]@!$&'()*+,;=-._~")
