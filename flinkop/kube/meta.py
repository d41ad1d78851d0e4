"""Resource types, object keys and the metadata that every object has."""

import datetime as dt

import msgspec
from attrs import frozen

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


@frozen
class ResourceType:
    """A kind of object as the API server's paths name it.

    Attributes:
        group: API group; empty for the core group.
        version: such as `v1`.
        plural: the path segment, such as `flinkdeployments`.
        kind: such as `FlinkDeployment`.
        namespaced: whether objects live in a namespace.
    """

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """Return `group/version`, or `version` for the core group: an object's apiVersion."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def __str__(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural


FLINK_GROUP = "flink.apache.org"
FLINKDEPLOYMENTS = ResourceType(FLINK_GROUP, "v1beta1", "flinkdeployments", "FlinkDeployment")
FLINKSESSIONJOBS = ResourceType(FLINK_GROUP, "v1beta1", "flinksessionjobs", "FlinkSessionJob")
FLINKSTATESNAPSHOTS = ResourceType(
    FLINK_GROUP, "v1beta1", "flinkstatesnapshots", "FlinkStateSnapshot"
)
DEPLOYMENTS = ResourceType("apps", "v1", "deployments", "Deployment")
REPLICASETS = ResourceType("apps", "v1", "replicasets", "ReplicaSet")
PODS = ResourceType("", "v1", "pods", "Pod")
CONFIGMAPS = ResourceType("", "v1", "configmaps", "ConfigMap")
SECRETS = ResourceType("", "v1", "secrets", "Secret")
SERVICES = ResourceType("", "v1", "services", "Service")
EVENTS = ResourceType("", "v1", "events", "Event")
EVENTS_V1 = ResourceType("events.k8s.io", "v1", "events", "Event")
INGRESSES = ResourceType("networking.k8s.io", "v1", "ingresses", "Ingress")
LEASES = ResourceType("coordination.k8s.io", "v1", "leases", "Lease")
NAMESPACES = ResourceType("", "v1", "namespaces", "Namespace", namespaced=False)
CRDS = ResourceType(
    "apiextensions.k8s.io",
    "v1",
    "customresourcedefinitions",
    "CustomResourceDefinition",
    namespaced=False,
)


class ObjectKey(msgspec.Struct, frozen=True, order=True, gc=False):
    """Names one object of a type; `namespace` is empty for cluster-scoped types.

    `str()` gives `namespace/name`, or `name`.
    """

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


class OwnerRef(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """The owner that garbage collection follows."""

    kind: str = ""
    name: str = ""
    uid: str = ""
    api_version: str = ""
    controller: bool = False


class Meta(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """An object's metadata without managedFields, which decoding skips and never keeps.

    The annotation that `kubectl apply` leaves (a whole copy of the manifest) is dropped as well.
    Values are as the API server wrote them; labels and annotations must not be changed by readers.
    """

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: dt.datetime | None = None
    deletion_timestamp: dt.datetime | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    finalizers: tuple[str, ...] = ()
    owner_references: tuple[OwnerRef, ...] = ()

    def __post_init__(self) -> None:
        if LAST_APPLIED in self.annotations:
            del self.annotations[LAST_APPLIED]

    @property
    def key(self) -> ObjectKey:
        """Return the object's key."""
        return ObjectKey(self.namespace, self.name)

    @property
    def controller(self) -> OwnerRef | None:
        """Return the owner that controls this object, or None."""
        return next((owner for owner in self.owner_references if owner.controller), None)
