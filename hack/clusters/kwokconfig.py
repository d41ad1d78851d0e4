"""The configuration given to kwokctl: what runs, on which ports, tuned for many small objects."""

import json
from dataclasses import dataclass
from typing import Any

from hack.clusters import tools
from hack.clusters.toolset import Toolset

API_GROUP = "config.kwok.x-k8s.io/v1alpha1"
COMPONENTS = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kwok-controller",
)
"""As kwokctl names their pid files and logs."""

_OPTION_OF = {
    "etcd": "etcdBinary",
    "kube-apiserver": "kubeApiserverBinary",
    "kube-controller-manager": "kubeControllerManagerBinary",
    "kube-scheduler": "kubeSchedulerBinary",
    "kubectl": "kubectlBinary",
    "kwok": "kwokControllerBinary",
}

_HOUR_MS = 3_600_000

# No controller whose objects nobody creates here: each costs an informer's memory.
_UNUSED_CONTROLLERS = (
    "bootstrap-signer-controller",
    "certificatesigningrequest-approving-controller",
    "certificatesigningrequest-cleaner-controller",
    "certificatesigningrequest-signing-controller",
    "clusterrole-aggregation-controller",
    "cronjob-controller",
    "ephemeral-volume-controller",
    "horizontal-pod-autoscaler-controller",
    "node-ipam-controller",
    "node-route-controller",
    "persistentvolume-attach-detach-controller",
    "persistentvolume-binder-controller",
    "persistentvolume-expander-controller",
    "persistentvolume-protection-controller",
    "persistentvolumeclaim-protection-controller",
    "replicationcontroller-controller",
    "service-cidr-controller",
    "service-lb-controller",
    "token-cleaner-controller",
    "ttl-after-finished-controller",
    "ttl-controller",
    "volumeattributesclass-protection-controller",
)

_EXTRA_ARGUMENTS: dict[str, dict[str, str]] = {
    # A test's data need not survive a power cut.
    "etcd": {"unsafe-no-fsync": "true"},
    "kube-apiserver": {
        # Bound to loopback, there is no address to advertise, and nobody asks for it.
        "advertise-address": "127.0.0.1",
        "endpoint-reconciler-type": "none",
        # The default has 254 addresses; each Flink cluster's REST Service takes one.
        "service-cluster-ip-range": "10.128.0.0/14",
        "shutdown-delay-duration": "0s",
    },
    "kube-controller-manager": {
        "controllers": ",".join(["*", *(f"-{name}" for name in _UNUSED_CONTROLLERS)]),
        "kube-api-qps": "2000",
        "kube-api-burst": "4000",
        "concurrent-deployment-syncs": "10",
        "concurrent-replicaset-syncs": "10",
        "leader-elect": "false",
    },
    "kube-scheduler": {
        "kube-api-qps": "2000",
        "kube-api-burst": "4000",
        "leader-elect": "false",
    },
}


@dataclass(frozen=True)
class Ports:
    """One loopback port per listener."""

    api: int
    etcd: int
    etcd_peer: int
    controller_manager: int
    scheduler: int
    kwok: int


def render(toolset: Toolset, ports: Ports) -> str:
    """The configuration as YAML documents (JSON is YAML)."""
    return "---\n".join(json.dumps(part) + "\n" for part in (_kwokctl(toolset, ports), _kwok()))


def _kwokctl(toolset: Toolset, ports: Ports) -> dict[str, Any]:
    binaries = {
        option: toolset.binaries[name].path
        for name, option in _OPTION_OF.items()
        if name in toolset.binaries
    }
    return {
        "apiVersion": API_GROUP,
        "kind": "KwokctlConfiguration",
        "options": {
            **binaries,
            "runtime": "binary",
            "kubeVersion": f"v{tools.module_version(tools.KUBERNETES)}",
            "bindAddress": "127.0.0.1",
            "kubeApiserverPort": ports.api,
            "etcdPort": ports.etcd,
            "etcdPeerPort": ports.etcd_peer,
            "kubeControllerManagerPort": ports.controller_manager,
            "kubeSchedulerPort": ports.scheduler,
            "kwokControllerPort": ports.kwok,
            # Nodes are never late: a restarted API server must not have them drained, and an idle
            # cluster should be idle.
            "nodeLeaseDurationSeconds": 4 * _HOUR_MS // 1000,
            "nodeStatusUpdateFrequencyMilliseconds": _HOUR_MS,
            "kubeControllerManagerNodeMonitorPeriodMilliseconds": _HOUR_MS // 60,
            "kubeControllerManagerNodeMonitorGracePeriodMilliseconds": 12 * _HOUR_MS,
        },
        "componentsPatches": [
            {
                "name": name,
                "extraArgs": [{"key": key, "value": value} for key, value in arguments.items()],
            }
            for name, arguments in _EXTRA_ARGUMENTS.items()
        ],
    }


def _kwok() -> dict[str, Any]:
    return {
        "apiVersion": API_GROUP,
        "kind": "KwokConfiguration",
        "options": {
            "cidr": "10.64.0.0/12",
            "podPlayStageParallelism": 16,
            "nodePlayStageParallelism": 4,
            # Given a configuration, kwok applies no defaults of its own to these.
            "nodeLeaseParallelism": 4,
            "podsOnNodeSyncParallelism": 1,
            "enablePodsOnNodeSyncListPager": False,
            "enablePodsOnNodeSyncStreamWatch": False,
            "enableDebuggingHandlers": False,
        },
    }
