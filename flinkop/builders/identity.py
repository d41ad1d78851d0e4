"""Who a cluster is, and how its objects are called and labelled."""

from typing import Any

import attrs

API_VERSION = "flink.apache.org/v1beta1"
KIND = "FlinkDeployment"
GENERATION_ANNOTATION = "flinkdeployment.flink.apache.org/generation"
NATIVE = "flink-native-kubernetes"
STANDALONE = "flink-standalone-kubernetes"
MAIN_CONTAINER = "flink-main-container"
_TASK_MANAGERS = "-taskmanager"


@attrs.frozen
class ClusterIdentity:
    """The FlinkDeployment that a cluster belongs to; its name is the cluster id.

    Attributes:
        namespace: Namespace of the resource and of all objects.
        name: Name of the resource.
        uid: Uid of the resource.
        generation: `metadata.generation` of the spec that is deployed.
    """

    namespace: str
    name: str
    uid: str
    generation: int

    @property
    def rest_service(self) -> str:
        """Name of the Service for Flink's REST API."""
        return f"{self.name}-rest"

    @property
    def config_map(self) -> str:
        """Name of the ConfigMap with Flink's configuration."""
        return f"flink-config-{self.name}"

    @property
    def pod_template_map(self) -> str:
        """Name of the ConfigMap with the TaskManagers' pod template."""
        return f"pod-template-{self.name}"

    @property
    def taskmanager_deployment(self) -> str:
        """Name of the TaskManagers' Deployment (standalone)."""
        return taskmanager_deployment(self.name)

    def owner(self, *, controller: bool) -> dict[str, Any]:
        """Return an owner reference to the resource."""
        return {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "name": self.name,
            "uid": self.uid,
            "blockOwnerDeletion": True,
            "controller": controller,
        }


def taskmanager_deployment(name: str) -> str:
    """Return the name of the TaskManagers' Deployment of the standalone cluster `name`."""
    return f"{name}{_TASK_MANAGERS}"


def cluster_names(deployment: str) -> list[str]:
    """Return the names of the clusters that may have a Deployment of this name."""
    return list(dict.fromkeys((deployment, deployment.removesuffix(_TASK_MANAGERS))))


def common_labels(name: str, kind: str) -> dict[str, str]:
    """Return the labels of Services and ConfigMaps; `kind` is NATIVE or STANDALONE."""
    return {"app": name, "type": kind}


def jobmanager_labels(name: str, kind: str) -> dict[str, str]:
    """Return the labels by which JobManager pods are selected."""
    return {"app": name, "component": "jobmanager", "type": kind}


def taskmanager_labels(name: str, kind: str) -> dict[str, str]:
    """Return the labels by which TaskManager pods are selected.

    Standalone TaskManagers carry `app` and `type` too: the reference selects by `component` alone
    beside `app` and `type` (`kubernetes-objects.md` 6.1).
    """
    return {"app": name, "component": "taskmanager", "type": kind}
