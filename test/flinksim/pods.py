"""The lean pods that the simulation watches, and the statuses it gives them."""

from typing import Any

import msgspec

from flinkop.kube.meta import Meta
from flinkop.kube.objects import Condition, ContainerStatus

SELECTOR = "type in (flink-native-kubernetes,flink-standalone-kubernetes),component in (jobmanager,taskmanager)"

_MESSAGES = {
    "ImagePullBackOff": 'Back-off pulling image "{image}"',
    "ErrImagePull": 'failed to pull and unpack image "{image}": not found',
    "CrashLoopBackOff": "back-off 5m0s restarting failed container=flink-main-container pod={pod}",
    "RunContainerError": "failed to create containerd task: failed to create shim task",
    "CreateContainerConfigError": 'secret "missing" not found',
    "OOMKilled": "container was killed for want of memory",
    "FailedMount": 'MountVolume.SetUp failed for volume "flink-config-volume" : configmap "flink-config-{name}" not found',
}
HELD = "flinksim: held"


class SimPodStatus(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    phase: str = ""
    pod_ip: str = msgspec.field(default="", name="podIP")
    reason: str = ""
    conditions: tuple[Condition, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()


class SimContainer(msgspec.Struct, frozen=True, gc=False):
    name: str = ""
    args: tuple[str, ...] = ()


class SimPodSpec(msgspec.Struct, frozen=True, gc=False):
    containers: tuple[SimContainer, ...] = ()


class CommandedPod(msgspec.Struct, frozen=True, gc=False):
    """What a pod's containers are told to run: read once, when it starts."""

    metadata: Meta
    spec: SimPodSpec = SimPodSpec()

    @property
    def args(self) -> tuple[str, ...]:
        main = (one.args for one in self.spec.containers if one.name == "flink-main-container")
        return next(main, ())


class SimPod(msgspec.Struct, frozen=True, gc=False):
    metadata: Meta
    status: SimPodStatus = SimPodStatus()

    @property
    def cluster(self) -> tuple[str, str]:
        return self.metadata.namespace, self.metadata.labels.get("app", "")

    @property
    def is_jobmanager(self) -> bool:
        return self.metadata.labels.get("component") == "jobmanager"

    @property
    def is_standalone(self) -> bool:
        return self.metadata.labels.get("type") == "flink-standalone-kubernetes"

    @property
    def is_held(self) -> bool:
        return self.status.reason == HELD

    @property
    def runs(self) -> bool:
        if self.metadata.deletion_timestamp is not None or self.is_held:
            return False
        return any(one.type == "Ready" and one.status == "True" for one in self.status.conditions)

    @property
    def attempt(self) -> int:
        """The number of the JobManager's life in a task manager's name."""
        parts = self.metadata.name.rsplit("-", 2)
        return int(parts[1]) if len(parts) == 3 and parts[1].isdigit() else 0


def held(pod: SimPod, order: str, message: str | None) -> dict[str, Any]:
    """Return a status in which the pod does not run, and why.

    The phase is Running even where a kubelet says Pending: kwok plays every pending pod to Ready again.
    kwok may have been first, so that the pod was Ready for a moment; its REST API never answered, though.
    """
    name = pod.metadata.labels.get("app", "")
    text = message or _MESSAGES.get(order, "simulated").format(
        image="flink", pod=pod.metadata.name, name=name
    )
    mount = order == "FailedMount"
    waiting = {"reason": "ContainerCreating"} if mount else {"reason": order, "message": text}
    container: dict[str, Any] = {
        "name": "flink-main-container", "image": "flink", "imageID": "", "ready": False,
        "restartCount": 5 if order == "CrashLoopBackOff" else 0, "state": {"waiting": waiting},
    }  # fmt: skip
    if order == "CrashLoopBackOff" and message:
        container["lastState"] = {
            "terminated": {"exitCode": 1, "reason": "Error", "message": message}
        }
    conditions = {
        "PodScheduled": True, "Initialized": True, "PodReadyToStartContainers": not mount,
        "ContainersReady": False, "Ready": False,
    }  # fmt: skip
    return {
        "phase": "Running",
        "reason": HELD,
        "conditions": [
            {"type": kind, "status": str(status)} for kind, status in conditions.items()
        ],
        "containerStatuses": [container],
    }


def released() -> dict[str, Any]:
    """Return a status from which kwok plays the pod to Ready, with an address of its choice."""
    gone = ("reason", "conditions", "containerStatuses", "podIP", "podIPs", "hostIP", "hostIPs")
    return {"phase": "Pending"} | dict.fromkeys(gone)


def restarted(pod: SimPod, at: str) -> dict[str, Any]:
    """Return a status after the container was restarted in place."""
    count = max((one.restart_count for one in pod.status.container_statuses), default=0) + 1
    ended = {"exitCode": 137, "reason": "Error", "finishedAt": at}
    return {
        "containerStatuses": [
            {
                "name": "flink-main-container", "image": "flink", "imageID": "", "ready": True, "restartCount": count,
                "state": {"running": {"startedAt": at}}, "lastState": {"terminated": ended},
            }
        ]
    }  # fmt: skip


def mount_event(pod: SimPod, message: str | None, at: str) -> dict[str, Any]:
    """Return the Event of a kubelet that cannot mount a volume."""
    text = message or _MESSAGES["FailedMount"].format(name=pod.metadata.labels.get("app", ""))
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"generateName": f"{pod.metadata.name}.", "namespace": pod.metadata.namespace},
        "involvedObject": {
            "apiVersion": "v1", "kind": "Pod", "name": pod.metadata.name,
            "namespace": pod.metadata.namespace, "uid": pod.metadata.uid,
        },
        "reason": "FailedMount",
        "message": text,
        "type": "Warning",
        "count": 1,
        "firstTimestamp": at,
        "lastTimestamp": at,
        "source": {"component": "kubelet", "host": "flinksim"},
    }  # fmt: skip


def taskmanager(name: str, settings: Any, owner_uid: str) -> dict[str, Any]:
    """Return a task manager's pod as the JobManager makes it (`kubernetes-objects.md` 2.1)."""
    conf = settings.conf
    account = conf.get("kubernetes.taskmanager.service-account") or conf.get(
        "kubernetes.service-account", "default"
    )
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": settings.namespace,
            "labels": {"app": settings.name, "component": "taskmanager", "type": "flink-native-kubernetes"},
            "ownerReferences": [
                {
                    "apiVersion": "apps/v1", "kind": "Deployment", "name": settings.name, "uid": owner_uid,
                    "controller": True, "blockOwnerDeletion": True,
                }
            ],
        },
        "spec": {
            "restartPolicy": "Never",
            "serviceAccountName": account,
            "containers": [
                {
                    "name": "flink-main-container",
                    "image": conf.get("kubernetes.container.image.ref", "flink"),
                    "command": ["/docker-entrypoint.sh"],
                    "args": ["bash", "-c", f"kubernetes-taskmanager.sh -Dtaskmanager.resource-id='{name}' "],
                    "ports": [{"name": "taskmanager-rpc", "containerPort": 6122}],
                }
            ],
        },
    }  # fmt: skip
