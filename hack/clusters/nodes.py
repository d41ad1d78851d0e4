"""Nodes without machines: kwok answers for them."""

import time
from typing import Any

from hack.clusters.apiserver import ApiServer
from hack.clusters.errors import ControlPlaneError

PODS_PER_NODE = 1000


def create(api: ApiServer, count: int) -> None:
    """Create `count` nodes, each with room for a thousand pods of any size."""
    for index in range(count):
        api.create("/api/v1/nodes", _node(f"node-{index}"))


def wait_ready(api: ApiServer, seconds: float) -> None:
    """Wait until every node is Ready and free of the taint that keeps pods away until then.

    Raises:
        ControlPlaneError: kwok or the controller manager did not get there within `seconds`.
    """
    deadline = time.monotonic() + seconds
    while unready := [
        node["metadata"]["name"]
        for node in api.request("GET", "/api/v1/nodes")["items"]
        if not _is_ready(node)
    ]:
        if time.monotonic() >= deadline:
            raise ControlPlaneError(f"not ready after {seconds:.0f} s: {', '.join(unready)}")
        time.sleep(0.05)


def _is_ready(node: dict[str, Any]) -> bool:
    conditions = node["status"].get("conditions", [])
    ready = any(part["type"] == "Ready" and part["status"] == "True" for part in conditions)
    return ready and not node["spec"].get("taints")


def _node(name: str) -> dict[str, Any]:
    room = {"cpu": "1000", "memory": "4Ti", "ephemeral-storage": "4Ti", "pods": str(PODS_PER_NODE)}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
                "type": "kwok",
            },
            "annotations": {"kwok.x-k8s.io/node": "fake"},
        },
        "status": {"allocatable": room, "capacity": room},
    }
