"""What the Deployments of JobManagers and TaskManagers have in common (`kubernetes-objects.md` 1.3, 6.1)."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from flinkop.builders import mounts, pod as pods
from flinkop.builders.identity import NATIVE, ClusterIdentity
from flinkop.config import flink_options as opt
from flinkop.config.flink_conf import FlinkConf
from flinkop.config.local_files import LocalFiles
from flinkop.config.option import Option


@attrs.frozen(kw_only=True)
class Inputs:
    """What both Deployments of a cluster are made of beside their pod templates.

    Attributes:
        identity: The cluster.
        kind: NATIVE or STANDALONE.
        conf: The deployed configuration.
        config_files: File names of the configuration, in mount order.
        local_files: Files of the operator.
    """

    identity: ClusterIdentity
    kind: str
    conf: FlinkConf
    config_files: Sequence[str]
    local_files: LocalFiles


@attrs.frozen(kw_only=True)
class Role:
    """What tells one Deployment from the other.

    Attributes:
        name: Name of the Deployment.
        selector: Labels by which it selects its pods.
        labels: Option with the user's labels. The selector's win, also where the reference lets the
            user's break the Deployment (6.1).
        annotations: Option with the user's annotations.
        replicas: Option with the number of pods.
    """

    name: str
    selector: Mapping[str, str]
    labels: Option[Mapping[str, str]]
    annotations: Option[Mapping[str, str]]
    replicas: Option[int]


def label(pod: pods.Pod, inputs: Inputs, role: Role) -> None:
    """Lay labels and annotations of the role over those of the pod's template."""
    pod.label(_labels(inputs, role), inputs.conf.get(role.annotations))


def fill(pod: pods.Pod, inputs: Inputs, args: Sequence[str]) -> None:
    """Steps 2 to 9 of 1.2 as far as they concern the pod: secrets, command, mounts."""
    conf, name = inputs.conf, inputs.identity.name
    pods.add_secrets_env(pod, conf)
    pods.mount_secrets(pod, conf)
    pod.main["command"] = [conf.get(opt.ENTRY_PATH)]
    pod.main["args"] = list(args)
    if inputs.kind != NATIVE or conf.get(opt.HADOOP_MOUNT_ENABLED):
        mounts.mount_hadoop(pod, name, conf, inputs.local_files)
    if inputs.kind != NATIVE or conf.get(opt.KERBEROS_MOUNT_ENABLED):
        mounts.mount_kerberos(pod, name, conf)
    mounts.mount_config(pod, inputs.identity.config_map, conf, inputs.config_files)


def frame(pod: pods.Pod, inputs: Inputs, role: Role) -> dict[str, Any]:
    """Return the Deployment around a finished pod."""
    annotations = dict(inputs.conf.get(role.annotations))
    metadata: dict[str, Any] = {
        "name": role.name,
        "labels": _labels(inputs, role),
        "ownerReferences": [inputs.identity.owner(controller=False)],
    }
    if annotations:
        metadata["annotations"] = annotations
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {
            "replicas": inputs.conf.get(role.replicas),
            "selector": {"matchLabels": dict(role.selector)},
            "template": pod.finish(),
        },
    }


def _labels(inputs: Inputs, role: Role) -> dict[str, str]:
    return {**inputs.conf.get(role.labels), **role.selector}
