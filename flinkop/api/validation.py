"""What can be wrong with a resource, and the rules for fields that kinds share; pure.

A rule is a function named for the fault it finds. It takes what it needs and returns the Problem, or None
when all is well. Rules that need the effective Flink configuration live with their kind's validator.
Numbers (D1, J6, S1, …) are those of `api.md` 4. Messages tell the cause first, then what to do.
"""

import re
from collections.abc import Mapping
from decimal import Decimal

import attrs

from flinkop.api import quantity
from flinkop.api.common import IngressSpec, JobSpec, Resource, ResourceRequirements
from flinkop.api.flink_version import FlinkVersion
from flinkop.api.wire import DecodeError, describe


@attrs.frozen
class Problem:
    """A fault of a resource that its user has to correct.

    Attributes:
        field_path: where, as Kubernetes writes it: `spec.job.parallelism`.
        reason: the fault's name in CamelCase, the same for every occurrence.
        message: cause, then remedy; complete without the path.
    """

    field_path: str
    reason: str
    message: str

    @classmethod
    def of(cls, error: DecodeError) -> "Problem":
        """Return the problem of a document that could not be read."""
        return cls(error.path, "WrongType", f"{error}: correct the value")


ALLOWED_LOG_FILES = ("log4j-console.properties", "logback-console.xml")
"""Keys of `spec.logConfiguration` (`api.md` 2.9)."""

_NAME = re.compile(r"[a-z]([-a-z0-9]{0,43}[a-z0-9])?")


def name_is_invalid(name: str | None) -> Problem | None:
    """D1: a FlinkDeployment's name, which Flink uses as cluster id, has at most 45 characters."""
    if name is not None and _NAME.fullmatch(name):
        return None
    return Problem(
        "metadata.name",
        "InvalidName",
        f"the name {name!r} cannot be a Flink cluster id: {_NAME_HINT}",
    )


def deployment_name_is_invalid(deployment_name: str | None) -> Problem | None:
    """S1: a session job names its FlinkDeployment; the same pattern as D1."""
    path = "spec.deploymentName"
    if deployment_name is None:
        return Problem(
            path,
            "DeploymentNameMissing",
            "spec.deploymentName is missing: name the FlinkDeployment of the session cluster",
        )
    if _NAME.fullmatch(deployment_name):
        return None
    return Problem(
        path,
        "InvalidName",
        f"spec.deploymentName {deployment_name!r} cannot be the name of a FlinkDeployment: {_NAME_HINT}",
    )


_NAME_HINT = "use at most 45 lower-case letters, digits or '-', beginning with a letter and ending with a letter or digit"


def flink_version_is_missing(version: FlinkVersion | None) -> Problem | None:
    """D2: the version steers everything, so it has no default."""
    if version is not None:
        return None
    return Problem(
        "spec.flinkVersion",
        "FlinkVersionMissing",
        "spec.flinkVersion is missing: name the Flink version of the image, such as v1_20",
    )


def service_account_is_missing(service_account: str | None) -> Problem | None:
    """D20: only absence is refused; an empty text passes."""
    if service_account is not None:
        return None
    return Problem(
        "spec.serviceAccount",
        "ServiceAccountMissing",
        "spec.serviceAccount is missing: name the service account of the pods; "
        "with the Helm chart it is the value of jobServiceAccount.name",
    )


def flink_configuration_is_no_object(configuration: object) -> Problem | None:
    """`api.md` 2.5: the API server lets any JSON value through."""
    if isinstance(configuration, Mapping):
        return None
    return Problem(
        "spec.flinkConfiguration",
        "WrongType",
        f"spec.flinkConfiguration is {describe(configuration)}: "
        "write an object of option names and values, flat or nested",
    )


def log_file_is_unknown(log_configuration: Mapping[str, str] | None) -> Problem | None:
    """D9: Flink's images read two files only."""
    for name in log_configuration or ():
        if name not in ALLOWED_LOG_FILES:
            allowed = " and ".join(ALLOWED_LOG_FILES)
            return Problem(
                f"spec.logConfiguration[{name}]",
                "UnknownLogFile",
                f"spec.logConfiguration has the key {name!r}, which Flink does not read: use {allowed}",
            )
    return None


def ingress_template_is_missing(ingress: IngressSpec | None) -> Problem | None:
    """D8, first half: without a template there is no address. Its form is checked where it is used."""
    if ingress is None or ingress.template is not None:
        return None
    return Problem(
        "spec.ingress.template",
        "IngressTemplateMissing",
        "spec.ingress has no template: write one, such as {{name}}.{{namespace}}.flink.example.com",
    )


def job_is_missing(job: JobSpec | None) -> Problem | None:
    """S2: a session job without a job."""
    if job is not None:
        return None
    return Problem(
        "spec.job",
        "JobMissing",
        "spec.job is missing: describe the job, at least jarURI and parallelism",
    )


def jobmanager_replicas_are_too_few(replicas: int) -> Problem | None:
    """D13, first half: at least one JobManager."""
    return _too_few(replicas, "spec.jobManager.replicas")


def taskmanager_replicas_are_too_few(replicas: int | None) -> Problem | None:
    """J6 and D16: when given, at least one TaskManager."""
    return None if replicas is None else _too_few(replicas, "spec.taskManager.replicas")


def _too_few(replicas: int, path: str) -> Problem | None:
    if replicas >= 1:
        return None
    return Problem(path, "TooFewReplicas", f"{path} is {replicas}: it must be at least 1")


def parallelism_is_too_low(job: JobSpec, taskmanager_replicas: int | None) -> Problem | None:
    """J7: parallelism is needed unless the number of TaskManagers decides."""
    if taskmanager_replicas is not None or job.parallelism >= 1:
        return None
    return Problem(
        "spec.job.parallelism",
        "ParallelismTooLow",
        f"spec.job.parallelism is {job.parallelism}: it must be at least 1, "
        "or spec.taskManager.replicas must be set",
    )


def redeploy_path_is_missing(job: JobSpec, recorded: JobSpec | None) -> Problem | None:
    """D19: a new savepointRedeployNonce needs a savepoint to go back to."""
    nonce = job.savepoint_redeploy_nonce
    known = recorded.savepoint_redeploy_nonce if recorded is not None else None
    if (
        recorded is None
        or nonce is None
        or nonce == known
        or (job.initial_savepoint_path or "").strip()
    ):
        return None
    return Problem(
        "spec.job.initialSavepointPath",
        "SavepointPathMissing",
        "spec.job.savepointRedeployNonce asks to restart from a savepoint, but "
        "spec.job.initialSavepointPath is empty: set it to the savepoint's location",
    )


def resource_is_invalid(resource: Resource | None, component: str, path: str) -> Problem | None:
    """D12 and D15, deprecated form (4.5): memory and storage must be readable.

    Args:
        resource: the deprecated block, if any.
        component: `JobManager` or `TaskManager`, for the message.
        path: of the block: `spec.jobManager.resource`.
    """
    if resource is None:
        return None
    faults: list[tuple[str, str]] = []
    if resource.memory is not None:
        fault = _memory_fault(resource.memory)
        if fault is not None:
            faults.append(("memory", fault))
    if resource.ephemeral_storage is not None:
        try:
            quantity.parse_quantity(resource.ephemeral_storage)
        except quantity.QuantityError as error:
            faults.append(("ephemeralStorage", str(error)))
    if not faults:
        return None
    text = "; ".join(f"{component} resource.{name}: {fault}" for name, fault in faults)
    return Problem(f"{path}.{faults[0][0]}", "InvalidResource", text)


def resources_are_invalid(
    resources: ResourceRequirements | None, component: str, path: str
) -> Problem | None:
    """D12 and D15, Kubernetes' form (4.5): readable, positive, and no request above its limit.

    Args:
        resources: the block, if any.
        component: `JobManager` or `TaskManager`, for the message.
        path: of the block: `spec.jobManager.resources`.
    """
    if resources is None:
        return None
    faults: list[tuple[str, str]] = []
    requests = _read_section("requests", resources.requests, faults)
    limits = _read_section("limits", resources.limits, faults)
    for name in ("cpu", "memory"):
        request, limit = requests.get(name), limits.get(name)
        if request is not None and limit is not None and request > limit:
            shown = (resources.requests or {})[name], (resources.limits or {})[name]
            fault = f"the request {shown[0]!r} is above the limit {shown[1]!r}: lower one or raise the other"
            faults.append((f"requests[{name}]", fault))
    if not faults:
        return None
    text = "; ".join(f"{component} resources.{name}: {fault}" for name, fault in faults)
    return Problem(f"{path}.{faults[0][0]}", "InvalidResource", text)


def _read_section(
    section: str, quantities: Mapping[str, str] | None, faults: list[tuple[str, str]]
) -> dict[str, Decimal]:
    """Return what could be read of requests or limits, and add what is wrong to `faults`."""
    read: dict[str, Decimal] = {}
    for name, text in (quantities or {}).items():
        try:
            value = _read(name, text)
        except quantity.QuantityError as error:
            faults.append((f"{section}[{name}]", str(error)))
        else:
            read[name] = value
    return read


def _read(name: str, text: str) -> Decimal:
    """Return the value of one entry; QuantityError when it is unreadable or has the wrong sign."""
    if name == "memory":
        fault = _memory_fault(text)
        if fault is not None:
            raise quantity.QuantityError(fault)
        value = Decimal(quantity.parse_memory(text).bytes)
    else:
        value = quantity.parse_quantity(text)
    if name in ("cpu", "memory") and value <= 0:
        raise quantity.QuantityError(f"{text!r} is not positive: write more than 0")
    if value < 0:
        raise quantity.QuantityError(f"{text!r} is negative: write 0 or more")
    return value


def _memory_fault(text: str) -> str | None:
    """Tell what is wrong with a memory text; the reference refuses fractions, and so its users expect."""
    try:
        memory = quantity.parse_memory(text)
    except quantity.QuantityError as error:
        return str(error)
    if memory.fractional:
        return f"{text!r} has a fraction, which Flink does not read: write {_without_fraction(memory.bytes)!r}"
    return None


def _without_fraction(size: int) -> str:
    for power, unit in ((3, "Gi"), (2, "Mi"), (1, "Ki")):
        if size and size % 1024**power == 0:
            return f"{size // 1024**power}{unit}"
    return str(size)
