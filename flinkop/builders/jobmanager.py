"""The JobManager's Deployment, native and standalone (`kubernetes-objects.md` 1.2 to 1.6, 6.1)."""

from collections.abc import Sequence
from typing import Any

import attrs

from flinkop.builders import checks, deployment as deployments, memory, mounts, pod as pods, userlib
from flinkop.builders.configmap import POD_TEMPLATE_FILE
from flinkop.builders.errors import BuildError
from flinkop.builders.identity import jobmanager_labels
from flinkop.config import flink_options as opt
from flinkop.config.flink_conf import FlinkConf

ARTIFACTS_VOLUME = "user-artifacts-volume"
POD_TEMPLATE_VOLUME = "pod-template-volume"
POD_TEMPLATE_DIR = "/opt/flink/pod-template"
USER_LIB_VOLUME = "user-lib-dir"


@attrs.frozen(kw_only=True)
class JobManager:
    """What only a JobManager has.

    Attributes:
        template: The role's pod template, a copy that may be used up.
        args: Arguments of the main container.
        has_taskmanager_template: Whether the ConfigMap with the TaskManagers' template is mounted.
        needs_user_lib: Whether the user's class path needs its directory (6.2).
    """

    template: dict[str, Any]
    args: Sequence[str]
    has_taskmanager_template: bool = False
    needs_user_lib: bool = False


def deployment(inputs: deployments.Inputs, own: JobManager) -> dict[str, Any]:
    """Return the Deployment."""
    identity = inputs.identity
    role = deployments.Role(
        name=identity.name,
        selector=jobmanager_labels(identity.name, inputs.kind),
        labels=opt.JM_LABELS,
        annotations=opt.JM_ANNOTATIONS,
        replicas=opt.JM_REPLICAS,
    )
    pod = pods.Pod(own.template)
    _init(pod, inputs.conf)
    deployments.label(pod, inputs, role)
    deployments.fill(pod, inputs, own.args)
    if own.has_taskmanager_template:
        source = {"name": identity.pod_template_map, "items": mounts.items([POD_TEMPLATE_FILE])}
        pod.add_volume(POD_TEMPLATE_VOLUME, {"configMap": source})
        pod.mount(POD_TEMPLATE_VOLUME, POD_TEMPLATE_DIR)
    if own.needs_user_lib and not _mounted(pod, userlib.DIR):
        pod.add_volume(USER_LIB_VOLUME, {"emptyDir": {}})
        pod.mount(USER_LIB_VOLUME, userlib.DIR)
    return deployments.frame(pod, inputs, role)


def _mounted(pod: pods.Pod, path: str) -> bool:
    return any(
        str(mount.get("mountPath", "")).startswith(path)
        for mount in pod.main.get("volumeMounts", [])
    )


def _init(pod: pods.Pod, conf: FlinkConf) -> None:
    """Step 1 of 1.2."""
    spec = pod.spec
    pods.use_service_account(pod, conf, opt.JM_SERVICE_ACCOUNT)
    host_network = conf.get(opt.HOST_NETWORK)
    spec["hostNetwork"] = host_network
    policy = str(spec.get("dnsPolicy") or "").strip() or "ClusterFirst"
    spec["dnsPolicy"] = "ClusterFirstWithHostNet" if host_network else policy
    pods.use_scheduling(pod, conf, opt.JM_NODE_SELECTOR, opt.JM_TOLERATIONS)
    pod.add_volume(ARTIFACTS_VOLUME, {"emptyDir": {}})
    pod.mount(ARTIFACTS_VOLUME, conf.get(opt.ARTIFACTS_DIR))
    pods.use_image(pod, conf)
    cores = conf.get(opt.JM_CPU)
    if cores <= 0:
        raise BuildError(f"{opt.JM_CPU.key} is {cores}. Give the JobManager CPU.")
    pod.use_resources(
        memory.mebibytes(memory.jobmanager(conf).process),
        conf.get(opt.JM_MEMORY_LIMIT_FACTOR),
        cores,
        conf.get(opt.JM_CPU_LIMIT_FACTOR),
    )
    if not host_network:
        pod.add_port("rest", conf.get(opt.REST_PORT))
        pod.add_port("jobmanager-rpc", conf.get(opt.RPC_PORT))
        pod.add_port("blobserver", checks.fixed_port(conf, opt.BLOB_PORT))
    for name, value in conf.prefix("containerized.master.env.").items():
        pod.add_env(name, value)
    pod.add_env_from(
        "_POD_IP_ADDRESS", {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}}
    )
    pods.add_log_dir(pod, conf)
