"""What FlinkDeployment and FlinkSessionJob specs share: the job, resources, and ingress.

Each class lists its fields in the order of the reference's serialised form (`api.md` 3.4). The
`Attributes:` sections are the descriptions that `kubectl explain` shows: write them for users.
"""

import enum
from collections.abc import Mapping
from typing import Annotated, Any

import attrs


class Wire(enum.Enum):
    """Marks for members whose wire form the Python type alone does not tell."""

    POD = "a Kubernetes Pod"
    ANY = "any JSON value"
    QUANTITIES = "names to quantities, integers or strings"
    DIGITS = "digits in a string; an integer is read too"


PodTemplate = Annotated[dict[str, Any], Wire.POD]
"""A raw Kubernetes Pod used as a template; only its metadata and spec count. Never mutated."""

FlinkConfiguration = Annotated[object, Wire.ANY]
"""Any JSON value, because the API server accepts any; an object of flat or nested keys is meant."""

Quantities = Annotated[Mapping[str, str], Wire.QUANTITIES]
"""Resource name to Kubernetes quantity or Flink memory size; integers of the wire become digits."""

EpochText = Annotated[str, Wire.DIGITS]
"""Milliseconds since 1970 as decimal digits in a string."""


def extra_fields() -> Any:
    """Return the attribute that keeps members this version does not know, so that none gets lost."""
    return attrs.field(factory=dict, repr=False, eq=False)


class JobState(enum.StrEnum):
    """The state a user wants a job to be in."""

    RUNNING = "running"
    SUSPENDED = "suspended"


class UpgradeMode(enum.StrEnum):
    """How a job's state is carried over an upgrade or a suspension."""

    SAVEPOINT = "savepoint"
    LAST_STATE = "last-state"
    STATELESS = "stateless"


class KubernetesDeploymentMode(enum.StrEnum):
    """Who creates TaskManagers: Flink itself (native) or the operator (standalone)."""

    NATIVE = "native"
    STANDALONE = "standalone"


@attrs.frozen(kw_only=True)
class JobSpec:
    """A Flink job.

    Attributes:
        jar_uri: Where the job's jar is. Applications: usually local:///path inside the image, or absent
            when the jar is on the class path. Session jobs: fetched by the operator, https by default.
        parallelism: Parallelism of the job, at least 1. Ignored when taskManager.replicas is set.
        entry_class: Fully qualified main class; absent when the jar's manifest names it.
        args: Program arguments; each element is one argument.
        state: Desired state of the job, running or suspended. Default running.
        savepoint_trigger_nonce: Deprecated, create a FlinkStateSnapshot instead. A new value triggers a
            savepoint of the running job.
        initial_savepoint_path: Savepoint to start from, used by the first deployment and by savepoint
            redeployment only.
        checkpoint_trigger_nonce: Deprecated, create a FlinkStateSnapshot instead. A new value triggers a
            checkpoint of the running job; needs Flink 1.17 or later.
        upgrade_mode: How state is carried over an upgrade, one of stateless, last-state and savepoint.
            Default stateless.
        allow_non_restored_state: Whether state in the savepoint that no operator of the job claims may be
            dropped.
        savepoint_redeploy_nonce: A new value restarts the job from initialSavepointPath.
        autoscaler_reset_nonce: A new value makes the autoscaler forget what it has learnt of the job.
    """

    jar_uri: str | None = None
    parallelism: int = 0
    entry_class: str | None = None
    args: tuple[str, ...] = ()
    state: JobState = JobState.RUNNING
    savepoint_trigger_nonce: int | None = None
    initial_savepoint_path: str | None = None
    checkpoint_trigger_nonce: int | None = None
    upgrade_mode: UpgradeMode = UpgradeMode.STATELESS
    allow_non_restored_state: bool | None = None
    savepoint_redeploy_nonce: int | None = None
    autoscaler_reset_nonce: int | None = None
    extra: Mapping[str, Any] = extra_fields()


@attrs.frozen(kw_only=True)
class AbstractSpec:
    """What the specs of all kinds with a job have, in this order and before all else.

    Attributes:
        job: The job.
        restart_nonce: A new value restarts it.
        flink_configuration: Flink and operator options, as dotted keys, nested objects, or both.
    """

    job: JobSpec | None = None
    restart_nonce: int | None = None
    flink_configuration: FlinkConfiguration = attrs.field(factory=dict)
    extra: Mapping[str, Any] = extra_fields()


@attrs.frozen(kw_only=True)
class Resource:
    """Deprecated form of resources, ignored once resources has requests or limits.

    Attributes:
        cpu: CPU cores, a number such as 0.5.
        memory: Memory of the process, such as 2048m or 2Gi. Units are binary, with or without i.
        ephemeral_storage: Ephemeral storage as a Kubernetes quantity, both request and limit.
    """

    cpu: float | None = None
    memory: str | None = None
    ephemeral_storage: str | None = None
    extra: Mapping[str, Any] = extra_fields()


@attrs.frozen(kw_only=True)
class ResourceClaim:
    """A reference to one of the pod's resource claims.

    Attributes:
        name: Name of an entry of the pod's resourceClaims.
        request: Name of a request in the claim.
    """

    name: str | None = None
    request: str | None = None
    extra: Mapping[str, Any] = extra_fields()


@attrs.frozen(kw_only=True)
class ResourceRequirements:
    """Compute resources of the main container, in the form Kubernetes uses.

    Attributes:
        requests: Resources to reserve. Memory units are binary, with or without i.
        limits: Upper bounds; where a request is missing the limit stands for it.
        claims: Accepted for the sake of the form, without effect.
    """

    claims: tuple[ResourceClaim, ...] | None = None
    limits: Quantities | None = None
    requests: Quantities | None = None
    extra: Mapping[str, Any] = extra_fields()

    @property
    def in_effect(self) -> bool:
        """Whether anything is requested or limited; then `resource` is ignored (`api.md` 2.6)."""
        return bool(self.requests) or bool(self.limits)


@attrs.frozen(kw_only=True)
class JobManagerSpec:
    """The JobManager's share of the specification.

    Attributes:
        resource: Deprecated, use resources. Memory, CPU and ephemeral storage of the JobManager.
        resources: Compute resources of the JobManager container.
        replicas: Number of JobManager pods. More than one needs high availability. Default 1.
        pod_template: Pod template for JobManagers, merged over the common one.
    """

    resource: Resource | None = None
    resources: ResourceRequirements | None = None
    replicas: int = 1
    pod_template: PodTemplate | None = None
    extra: Mapping[str, Any] = extra_fields()


@attrs.frozen(kw_only=True)
class TaskManagerSpec:
    """The TaskManagers' share of the specification.

    Attributes:
        resource: Deprecated, use resources. Memory, CPU and ephemeral storage of each TaskManager.
        resources: Compute resources of the TaskManager container.
        replicas: Number of TaskManagers. When set, the job's parallelism is replicas times
            taskmanager.numberOfTaskSlots. Target of kubectl scale.
        pod_template: Pod template for TaskManagers, merged over the common one.
    """

    resource: Resource | None = None
    resources: ResourceRequirements | None = None
    replicas: int | None = None
    pod_template: PodTemplate | None = None
    extra: Mapping[str, Any] = extra_fields()


@attrs.frozen(kw_only=True)
class IngressTls:
    """TLS of some of an ingress' hosts.

    Attributes:
        hosts: Host names that the certificate covers.
        secret_name: Secret of type kubernetes.io/tls with the certificate.
    """

    hosts: tuple[str, ...] | None = None
    secret_name: str | None = None
    extra: Mapping[str, Any] = extra_fields()


@attrs.frozen(kw_only=True)
class IngressSpec:
    """How Flink's web interface is reached from outside the cluster.

    Attributes:
        template: URL template such as {{name}}.{{namespace}}.flink.example.com or
            /{{namespace}}/{{name}}(/|$)(.*). Required.
        class_name: Ingress class, for the ingressClassName of the Ingress.
        annotations: Annotations of the Ingress.
        labels: Labels of the Ingress.
        tls: TLS settings of the Ingress.
    """

    template: str | None = None
    class_name: str | None = None
    annotations: Mapping[str, str] | None = None
    labels: Mapping[str, str] | None = None
    tls: tuple[IngressTls, ...] | None = None
    extra: Mapping[str, Any] = extra_fields()
