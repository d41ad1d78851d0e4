"""The TaskManagers' Deployment of a standalone cluster (`kubernetes-objects.md` 6.1)."""

from collections.abc import Sequence
from typing import Any

from flinkop.builders import checks, memory, mounts, pod as pods
from flinkop.builders.identity import STANDALONE, ClusterIdentity, taskmanager_labels
from flinkop.builders.jobmanager import mount_config
from flinkop.config import flink_options as opt
from flinkop.config.flink_conf import FlinkConf
from flinkop.config.local_files import LocalFiles


def deployment(
    identity: ClusterIdentity,
    conf: FlinkConf,
    template: dict[str, Any],
    config_files: Sequence[str],
    local_files: LocalFiles,
    *,
    unlimited_network: bool,
) -> dict[str, Any]:
    """Return the Deployment.

    Two faults of the reference are not repeated: image, pull policy and service account of the pod
    template count as they do for the JobManager, and without CPU a TaskManager gets one core for each
    slot, where the reference asks for -1.0 cores.
    """
    selector = taskmanager_labels(identity.name, STANDALONE)
    labels = {**conf.get(opt.TM_LABELS), **selector}
    annotations = dict(conf.get(opt.TM_ANNOTATIONS))
    pod = pods.Pod(template)
    _init(pod, conf, unlimited_network=unlimited_network)
    pod.label(labels, annotations)
    pods.add_secrets_env(pod, conf)
    pods.mount_secrets(pod, conf)
    pod.main["command"] = [conf.get(opt.ENTRY_PATH)]
    pod.main["args"] = ["taskmanager"]
    mounts.mount_hadoop(pod, identity.name, conf, local_files)
    mounts.mount_kerberos(pod, identity.name, conf)
    mount_config(pod, identity, conf, config_files)
    metadata: dict[str, Any] = {
        "name": identity.taskmanager_deployment,
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
            "replicas": conf.get(opt.TM_REPLICAS),
            "selector": {"matchLabels": selector},
            "template": pod.finish(),
        },
    }


def _init(pod: pods.Pod, conf: FlinkConf, *, unlimited_network: bool) -> None:
    spec = pod.spec
    account = spec.get("serviceAccount") or spec.get("serviceAccountName")
    pod.use_service_account(pods.resolve(conf, opt.TM_SERVICE_ACCOUNT, account))
    pods.use_scheduling(pod, conf, opt.TM_NODE_SELECTOR, opt.TM_TOLERATIONS)
    pods.use_image(pod, conf)
    pod.use_resources(
        memory.mebibytes(memory.taskmanager(conf, unlimited_network=unlimited_network).process),
        conf.get(opt.TM_MEMORY_LIMIT_FACTOR),
        memory.taskmanager_cores(conf),
        conf.get(opt.TM_CPU_LIMIT_FACTOR),
    )
    pod.add_port("taskmanager-rpc", checks.fixed_port(conf, opt.TASKMANAGER_RPC_PORT))
    for name, value in conf.prefix("containerized.taskmanager.env.").items():
        pod.add_env(name, value)
    log_dir = conf.get(opt.LOG_DIR)
    if log_dir is not None:
        pod.add_env("FLINK_LOG_DIR", log_dir)
