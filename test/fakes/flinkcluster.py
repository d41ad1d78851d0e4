"""The two objects that make a JobManager run: its Deployment and its ConfigMap. For tests of flinksim."""

from collections.abc import Mapping
from typing import Any

from flinkop.kube.client import KubeClient
from flinkop.kube.meta import CONFIGMAPS, DEPLOYMENTS, ObjectKey

APPLICATION: Mapping[str, str] = {
    "$internal.flink.version": "v1_20",
    "execution.target": "kubernetes-application",
    "execution.shutdown-on-application-finish": "false",
    "parallelism.default": "2",
    "taskmanager.numberOfTaskSlots": "2",
    "state.savepoints.dir": "file:///data/savepoints",
}
SESSION: Mapping[str, str] = {
    "$internal.flink.version": "v2_2",
    "execution.target": "kubernetes-session",
    "taskmanager.numberOfTaskSlots": "2",
    "state.savepoints.dir": "file:///data/savepoints",
}
HA: Mapping[str, str] = {
    "high-availability.type": "kubernetes",
    "high-availability.storageDir": "file:///data/ha",
    "execution.checkpointing.interval": "200 ms",
    "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
    "state.checkpoints.dir": "file:///data/checkpoints",
}


def job_id(number: int) -> str:
    """A job id that is easy to read."""
    return f"{number:032x}"


def config_map(name: str, conf: Mapping[str, str]) -> dict[str, Any]:
    text = "".join(f"{key}: {value}\n" for key, value in conf.items())
    labels = {"app": name, "type": "flink-native-kubernetes"}
    return {
        "metadata": {"name": f"flink-config-{name}", "labels": labels},
        "data": {"flink-conf.yaml": text},
    }


def deployment(name: str, annotations: Mapping[str, str] | None = None) -> dict[str, Any]:
    labels = {"app": name, "component": "jobmanager", "type": "flink-native-kubernetes"}
    container = {"name": "flink-main-container", "image": "flink:1.20"}
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels, "annotations": dict(annotations or {})},
                "spec": {"containers": [container]},
            },
        },
    }


async def deploy(
    client: KubeClient,
    namespace: str,
    name: str,
    conf: Mapping[str, str],
    annotations: Mapping[str, str] | None = None,
) -> None:
    """Create both, the Deployment first, as the client does."""
    await client.create(DEPLOYMENTS, namespace, deployment(name, annotations))
    await client.create(CONFIGMAPS, namespace, config_map(name, conf))


async def undeploy(client: KubeClient, namespace: str, name: str) -> None:
    """Delete both; HA ConfigMaps stay."""
    await client.delete(DEPLOYMENTS, ObjectKey(namespace, name), propagation="Foreground")
    await client.delete(CONFIGMAPS, ObjectKey(namespace, f"flink-config-{name}"))
