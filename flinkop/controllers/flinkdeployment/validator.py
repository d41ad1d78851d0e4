"""Stage 2: what is wrong with a spec; pure (api.md 4.2, rules D1 to D21, in their order).

The first problem is reported alone, as users of the reference are used to. The rules run against the
effective configuration, so that a default of the operator can satisfy a rule or break it.
"""

from collections.abc import Callable, Iterator
from typing import Final

from attrs import frozen

from flinkop.api import transitions, validation
from flinkop.api.common import JobManagerSpec, JobState, TaskManagerSpec, UpgradeMode
from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.status import FlinkDeploymentStatus
from flinkop.api.validation import Problem
from flinkop.builders import ingress, memory
from flinkop.builders.effective_conf import is_ha
from flinkop.builders.errors import BuildError
from flinkop.builders.identity import ClusterIdentity
from flinkop.config import errors, options
from flinkop.config.flink_conf import FlinkConf
from flinkop.lifecycle import autoscaler_rules, job_rules, record

_FORBIDDEN: Final = (
    "kubernetes.namespace",
    "kubernetes.cluster-id",
    "high-availability.cluster-id",
)
"""Bytes of a recorded spec: it is kept twice beside the spec itself, and etcd takes 1.5 MiB in all."""


@frozen
class Candidate:
    """What is judged.

    Attributes:
        identity: namespace, name and generation of the resource.
        spec: the user's spec.
        status: its status, for rules about changes.
        conf: effective configuration: defaults, then `spec.flinkConfiguration`.
        size: bytes of the spec as JSON.
    """

    identity: ClusterIdentity
    spec: FlinkDeploymentSpec
    status: FlinkDeploymentStatus
    conf: FlinkConf
    size: int = 0


Rule = Callable[[Candidate], Problem | None]


def first_problem(candidate: Candidate) -> Problem | None:
    """Return the first rule that `candidate` breaks, as the problem to report."""
    try:
        return next((p for p in _problems(candidate) if p is not None), None)
    except errors.ConfigError as error:
        return Problem("spec.flinkConfiguration", "InvalidConfiguration", str(error))


def _problems(it: Candidate) -> Iterator[Problem | None]:
    spec = it.spec
    yield validation.name_is_invalid(it.identity.name)
    yield validation.flink_version_is_missing(spec.flink_version)
    yield _version_changed_after_last_state(it)
    yield _spec_is_too_large(it)
    yield _key_is_forbidden(it)
    yield _rollback_needs_ha(it)
    yield _health_check_needs_recovery(it)
    yield _ingress_template_is_invalid(it)
    yield validation.log_file_is_unknown(spec.log_configuration)
    yield from _job_problems(it)
    yield from _job_manager_problems(it)
    yield from _task_manager_problems(it)
    yield _change_is_forbidden(it)
    yield validation.service_account_is_missing(spec.service_account)
    yield autoscaler_rules.first_problem(it.conf)


def _version_changed_after_last_state(it: Candidate) -> Problem | None:
    """D4: HA metadata of one Flink version cannot be read by another."""
    recorded = record.last_reconciled(it.status)
    old = recorded.spec if recorded else None
    if (
        old is None
        or old.job is None
        or old.job.state is not JobState.SUSPENDED
        or old.job.upgrade_mode is not UpgradeMode.LAST_STATE
        or old.flink_version == it.spec.flink_version
        or it.spec.job is None
        or it.spec.job.upgrade_mode is UpgradeMode.STATELESS
    ):
        return None
    return Problem(
        "spec.flinkVersion",
        "VersionChangedAfterLastState",
        "the job was suspended with last-state, whose metadata only the same Flink version can read: "
        f"resume it with flinkVersion {old.flink_version} first, then upgrade",
    )


def _spec_is_too_large(it: Candidate) -> Problem | None:
    return job_rules.spec_is_too_large(it.size, "moving log or Flink configuration into the image")


def _key_is_forbidden(it: Candidate) -> Problem | None:
    """D5: keys that the operator sets itself."""
    for key in _FORBIDDEN:
        if key in it.conf:
            return Problem(
                f"spec.flinkConfiguration[{key}]",
                "ForbiddenKey",
                f"Forbidden Flink config key: {key}. The operator sets it from the resource's name and namespace: remove it",
            )
    return None


def _rollback_needs_ha(it: Candidate) -> Problem | None:
    """D6."""
    if not it.conf.get(options.ROLLBACK_ENABLED) or is_ha(it.conf):
        return None
    return Problem(
        f"spec.flinkConfiguration[{options.ROLLBACK_ENABLED.key}]",
        "RollbackNeedsHa",
        f"{options.ROLLBACK_ENABLED.key} needs HA metadata to roll back to, and HA must be enabled for that: "
        "set high-availability.type",
    )


def _health_check_needs_recovery(it: Candidate) -> Problem | None:
    """D7."""
    if not it.conf.get(options.HEALTH_CHECK_ENABLED) or it.conf.get(options.JM_RECOVERY_ENABLED):
        return None
    return Problem(
        f"spec.flinkConfiguration[{options.HEALTH_CHECK_ENABLED.key}]",
        "HealthCheckNeedsRecovery",
        f"{options.HEALTH_CHECK_ENABLED.key} restarts clusters, which {options.JM_RECOVERY_ENABLED.key}=false forbids: "
        "set both to true, or both to false",
    )


def _ingress_template_is_invalid(it: Candidate) -> Problem | None:
    """D8."""
    problem = validation.ingress_template_is_missing(it.spec.ingress)
    if problem is not None or it.spec.ingress is None:
        return problem
    try:
        ingress.host_and_path(it.spec.ingress.template or "", it.identity)
    except BuildError as error:
        return Problem("spec.ingress.template", "InvalidIngressTemplate", str(error))
    return None


def _job_problems(it: Candidate) -> Iterator[Problem | None]:
    """D10: J1 to J7, and D19."""
    job = it.spec.job
    if job is None:
        return
    replicas = it.spec.task_manager.replicas if it.spec.task_manager else None
    recorded = record.last_reconciled(it.status)
    yield job_rules.first_problem(job, it.conf)
    yield validation.taskmanager_replicas_are_too_few(replicas)
    yield validation.parallelism_is_too_low(job, replicas)
    yield validation.redeploy_path_is_missing(job, recorded.spec.job if recorded else None)


def _job_manager_problems(it: Candidate) -> Iterator[Problem | None]:
    """D11 to D13."""
    part = it.spec.job_manager
    if not _has_memory(part):
        yield _memory_is_undefined(it, "JobManager", "jobManager", memory.jobmanager)
    if part is None:
        return
    yield validation.resource_is_invalid(part.resource, "JobManager", "spec.jobManager.resource")
    yield validation.resources_are_invalid(
        part.resources, "JobManager", "spec.jobManager.resources"
    )
    yield validation.jobmanager_replicas_are_too_few(part.replicas)
    if part.replicas > 1 and not is_ha(it.conf):
        yield Problem(
            "spec.jobManager.replicas",
            "StandbyNeedsHa",
            f"spec.jobManager.replicas is {part.replicas}, and standby JobManagers need High availability: "
            "set high-availability.type, or use 1 replica",
        )


def _task_manager_problems(it: Candidate) -> Iterator[Problem | None]:
    """D14 to D16."""
    part = it.spec.task_manager
    if not _has_memory(part):
        yield _memory_is_undefined(it, "TaskManager", "taskManager", memory.taskmanager)
    if part is None:
        return
    yield validation.resource_is_invalid(part.resource, "TaskManager", "spec.taskManager.resource")
    yield validation.resources_are_invalid(
        part.resources, "TaskManager", "spec.taskManager.resources"
    )
    yield validation.taskmanager_replicas_are_too_few(part.replicas)


def _has_memory(part: JobManagerSpec | TaskManagerSpec | None) -> bool:
    """Whether the spec names a memory; its deprecated form counts only where it is in force."""
    if part is None:
        return False
    resources = part.resources
    if resources is not None and (resources.requests or resources.limits):
        return "memory" in (resources.requests or {}) or "memory" in (resources.limits or {})
    return part.resource is not None and bool((part.resource.memory or "").strip())


def _memory_is_undefined(
    it: Candidate, component: str, field: str, derive: Callable[[FlinkConf], object]
) -> Problem | None:
    """D11 and D14: without memory in the spec, Flink's own options must add up."""
    try:
        derive(it.conf)
    except BuildError as error:
        return Problem(
            f"spec.{field}.resource.memory",
            "MemoryMissing",
            f"{component} resource memory must be defined using `spec.{field}.resource.memory`, "
            f"`spec.{field}.resources` or Flink's own options, which do not give it: {error}",
        )
    return None


def _change_is_forbidden(it: Candidate) -> Problem | None:
    """D17 and D18."""
    recorded = record.last_reconciled(it.status)
    return transitions.first_broken(
        transitions.FLINKDEPLOYMENT, it.spec, recorded.spec if recorded else None
    )
