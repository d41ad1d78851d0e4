"""The TaskManagers' Deployment of a standalone cluster (`kubernetes-objects.md` 6.1)."""

from typing import Any

from flinkop.builders import arguments, checks, deployment as deployments, memory, pod as pods
from flinkop.builders.identity import STANDALONE, taskmanager_labels
from flinkop.config import flink_options as opt
from flinkop.config.flink_conf import FlinkConf


def deployment(
    inputs: deployments.Inputs, template: dict[str, Any], *, unlimited_network: bool
) -> dict[str, Any]:
    """Return the Deployment.

    Two faults of the reference are not repeated: image, pull policy and service account of the pod
    template count as they do for the JobManager, and without CPU a TaskManager gets one core for each
    slot, where the reference asks for -1.0 cores.

    Args:
        inputs: What the JobManager's Deployment is made of, too.
        template: The role's pod template, a copy that may be used up.
        unlimited_network: Whether the network memory of this Flink version has no maximum (5.4).
    """
    identity = inputs.identity
    role = deployments.Role(
        name=identity.taskmanager_deployment,
        selector=taskmanager_labels(identity.name, STANDALONE),
        labels=opt.TM_LABELS,
        annotations=opt.TM_ANNOTATIONS,
        replicas=opt.TM_REPLICAS,
    )
    pod = pods.Pod(template)
    _init(pod, inputs.conf, unlimited_network=unlimited_network)
    deployments.label(pod, inputs, role)
    deployments.fill(pod, inputs, arguments.TASKMANAGER)
    return deployments.frame(pod, inputs, role)


def _init(pod: pods.Pod, conf: FlinkConf, *, unlimited_network: bool) -> None:
    """Step 1 of 1.2, less what only a JobManager has: volumes, host network."""
    pods.use_service_account(pod, conf, opt.TM_SERVICE_ACCOUNT)
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
    pods.add_log_dir(pod, conf)
