"""The operator as a Deployment of the cluster that it works in, from `manifests/`, with the rights that those give."""

import os
import subprocess
from pathlib import Path
from typing import Any, Final

import yaml
from fakes.apiuser import ApiUser
from fakes.programs import ROOT
from fakes.realflink import KUBECONFIG

IMAGE: Final = os.environ.get("FLINKOP_REAL_OPERATOR_IMAGE", "")
NAMESPACE: Final = "flinkop"
"""Where the manifests put it."""


class InsideOperator:
    """`kubectl apply -k manifests`, for one namespace."""

    def __init__(self, api: ApiUser, watched: str, folder: Path) -> None:
        self._api = api
        self._folder = folder
        name, _, tag = IMAGE.rpartition(":")
        self._overlay = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": [os.path.relpath(ROOT / "manifests", folder.resolve())],
            "images": [{"name": "flinkop", "newName": name, "newTag": tag}],
            "patches": [{"patch": yaml.safe_dump(_settings(watched))}],
        }

    def start(self) -> None:
        """Apply the manifests and wait until it is ready, and so leads."""
        (self._folder / "kustomization.yaml").write_text(yaml.safe_dump(self._overlay))
        self._kubectl("apply", "--server-side", "--force-conflicts", "-k", str(self._folder))
        self._api.until(f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments", _is_available)

    def stop(self) -> None:
        """Take it away; the CRDs stay, other scenarios have use for them."""
        self._api.delete(f"/api/v1/namespaces/{NAMESPACE}")
        for kind in ("clusterroles", "clusterrolebindings"):
            self._api.delete(f"/apis/rbac.authorization.k8s.io/v1/{kind}/{NAMESPACE}")

    def log(self) -> str:
        """What it has said."""
        pods = f"/api/v1/namespaces/{NAMESPACE}/pods"
        return "".join(self._api.text(f"{pods}/{pod}/log") for pod in self._api.list(pods))

    def _kubectl(self, *arguments: str) -> None:
        command = ["kubectl", "--kubeconfig", KUBECONFIG, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert not done.returncode, done.stderr


def _settings(watched: str) -> dict[str, Any]:
    options = {
        "kubernetes.operator.leader-election.enabled": True,
        "kubernetes.operator.leader-election.lease-name": "flinkop-lease",
        "kubernetes.operator.watched.namespaces": watched,
    }
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "flink-operator-config"},
        "data": {"config.yaml": yaml.safe_dump(options)},
    }


def _is_available(deployments: Any) -> bool:
    return bool(deployments["flinkop"].get("status", {}).get("availableReplicas"))
