"""A namespace on real nodes, with the CRDs, Flink's service account and what the counting job needs."""

import contextlib
from collections.abc import Iterator
from typing import Final

import yaml
from fakes.apiuser import Refused
from fakes.controlplane import unique_name
from fakes.programs import ROOT
from fakes.realflink import IMAGE, PatientUser
from fakes.realplace import RealPlace

_CRDS: Final = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_CONFLICT: Final = 409


@contextlib.contextmanager
def opened(user: PatientUser) -> Iterator[RealPlace]:
    """Make a namespace, and delete it at the end."""
    for file in sorted((ROOT / "manifests" / "crds").glob("*.flink.apache.org.yaml")):
        crd = yaml.safe_load(file.read_text())
        user.apply(f"{_CRDS}/{crd['metadata']['name']}", crd)
    namespace = unique_name("real")
    user.request("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
    _install_job_account(user, namespace)
    made = RealPlace(user, namespace, IMAGE)
    made.prepare()
    try:
        yield made
    finally:
        user.delete(f"/api/v1/namespaces/{namespace}")


def _install_job_account(user: PatientUser, namespace: str) -> None:
    groups = {
        "ServiceAccount": f"/api/v1/namespaces/{namespace}/serviceaccounts",
        "Role": f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles",
        "RoleBinding": f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings",
    }
    for name in ("serviceaccount.yaml", "role.yaml"):
        for body in yaml.safe_load_all((ROOT / "manifests" / "job" / name).read_text()):
            try:
                user.request("POST", groups[body["kind"]], body)
            except Refused as error:
                if error.status != _CONFLICT:
                    raise
