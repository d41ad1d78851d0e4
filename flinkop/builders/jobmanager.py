"""The JobManager's Deployment, native and standalone (`kubernetes-objects.md` 1.2 to 1.6, 6.1)."""

from collections.abc import Sequence
from typing import Any

import attrs

from flinkop.builders import checks, memory, mounts, pod as pods
from flinkop.builders.configmap import POD_TEMPLATE_FILE
from flinkop.builders.errors import BuildError
from flinkop.builders.identity import NATIVE, ClusterIdentity, jobmanager_labels
from flinkop.config import flink_options as opt
from flinkop.config.flink_conf import FlinkConf
from flinkop.config.local_files import LocalFiles

ARTIFACTS_VOLUME = "user-artifacts-volume"
CONFIG_VOLUME = "flink-config-volume"
POD_TEMPLATE_VOLUME = "pod-template-volume"
POD_TEMPLATE_DIR = "/opt/flink/pod-template"
USER_LIB_DIR = "/opt/flink/usrlib"


@attrs.frozen(kw_only=True)
class JobManagerInputs:
    """What the Deployment is made of beside the configuration.

    Attributes:
        identity: The cluster.
        kind: NATIVE or STANDALONE.
        conf: The deployed configuration.
        template: The role's pod template, a copy that may be used up.
        args: Arguments of the main container.
        append_args: Whether `args` follow those of the template instead of replacing them.
        config_files: File names of the configuration, in mount order.
        has_taskmanager_template: Whether the ConfigMap with the TaskManagers' template is mounted.
        needs_user_lib: Whether the user's class path needs its directory (6.2).
        local_files: Files of the operator.
    """

    identity: ClusterIdentity
    kind: str
    conf: FlinkConf
    template: dict[str, Any]
    args: Sequence[str]
    config_files: Sequence[str]
    local_files: LocalFiles
    append_args: bool = False
    has_taskmanager_template: bool = False
    needs_user_lib: bool = False


def deployment(inputs: JobManagerInputs) -> dict[str, Any]:
    """Return the Deployment."""
    conf, identity = inputs.conf, inputs.identity
    selector = jobmanager_labels(identity.name, inputs.kind)
    # The selector's labels win, also where the reference lets the user's break the Deployment (6.1).
    labels = {**conf.get(opt.JM_LABELS), **selector}
    annotations = dict(conf.get(opt.JM_ANNOTATIONS))
    metadata: dict[str, Any] = {
        "name": identity.name,
        "labels": labels,
        "ownerReferences": [identity.owner(controller=False)],
    }
    if annotations:
        metadata["annotations"] = annotations
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {
            "replicas": conf.get(opt.JM_REPLICAS),
            "selector": {"matchLabels": selector},
            "template": _pod(inputs, labels, annotations),
        },
    }


def _pod(
    inputs: JobManagerInputs, labels: dict[str, str], annotations: dict[str, str]
) -> dict[str, Any]:
    conf, name = inputs.conf, inputs.identity.name
    pod = pods.Pod(inputs.template)
    _init(pod, conf)
    pod.label(labels, annotations)
    pods.add_secrets_env(pod, conf)
    pods.mount_secrets(pod, conf)
    pod.main["command"] = [conf.get(opt.ENTRY_PATH)]
    before = pod.main.get("args", []) if inputs.append_args else []
    pod.main["args"] = [*before, *inputs.args]
    if inputs.kind != NATIVE or conf.get(opt.HADOOP_MOUNT_ENABLED):
        mounts.mount_hadoop(pod, name, conf, inputs.local_files)
    if inputs.kind != NATIVE or conf.get(opt.KERBEROS_MOUNT_ENABLED):
        mounts.mount_kerberos(pod, name, conf)
    mount_config(pod, inputs.identity, conf, inputs.config_files)
    if inputs.has_taskmanager_template:
        source = {
            "name": inputs.identity.pod_template_map,
            "items": mounts.items([POD_TEMPLATE_FILE]),
        }
        pod.add_volume(POD_TEMPLATE_VOLUME, {"configMap": source})
        pod.mount(POD_TEMPLATE_VOLUME, POD_TEMPLATE_DIR)
    if inputs.needs_user_lib and not _mounted(pod, USER_LIB_DIR):
        pod.add_volume("user-lib-dir", {"emptyDir": {}})
        pod.mount("user-lib-dir", USER_LIB_DIR)
    return pod.finish()


def mount_config(
    pod: pods.Pod, identity: ClusterIdentity, conf: FlinkConf, files: Sequence[str]
) -> None:
    """Mount the ConfigMap with Flink's configuration over the whole conf directory."""
    source = {"name": identity.config_map, "items": mounts.items(list(files))}
    pod.add_volume(CONFIG_VOLUME, {"configMap": source})
    pod.mount(CONFIG_VOLUME, conf.get(opt.CONF_DIR))


def _mounted(pod: pods.Pod, path: str) -> bool:
    return any(
        str(mount.get("mountPath", "")).startswith(path)
        for mount in pod.main.get("volumeMounts", [])
    )


def _init(pod: pods.Pod, conf: FlinkConf) -> None:
    """Step 1 of 1.2."""
    spec = pod.spec
    account = spec.get("serviceAccount") or spec.get("serviceAccountName")
    pod.use_service_account(pods.resolve(conf, opt.JM_SERVICE_ACCOUNT, account))
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
    log_dir = conf.get(opt.LOG_DIR)
    if log_dir is not None:
        pod.add_env("FLINK_LOG_DIR", log_dir)
