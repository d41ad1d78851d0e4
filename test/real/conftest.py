"""Tests that need nodes which run pods; `docs/real-flink.md` says how to give them some."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import yaml
from fakes.apiuser import Refused
from fakes.controlplane import unique_name
from fakes.flinkuser import Place
from fakes.programs import ROOT
from fakes.realflink import KUBECONFIG, SECONDS, Operator, PatientUser

_CRDS: Final = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_CONFLICT: Final = 409


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what is in this directory when there is no cluster to run it on."""
    here = Path(__file__).parent
    for item in items:
        if here not in item.path.parents:
            continue
        item.add_marker(pytest.mark.real)
        item.add_marker(pytest.mark.timeout(SECONDS * 5))
        if not KUBECONFIG:
            reason = (
                "needs nodes that run pods: set FLINKOP_REAL_KUBECONFIG, see docs/real-flink.md"
            )
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def user() -> Iterator[PatientUser]:
    """Calls to the cluster."""
    api = PatientUser(Path(KUBECONFIG))
    yield api
    api.close()


@pytest.fixture(scope="session")
def place(user: PatientUser) -> Iterator[Place]:
    """A namespace of this run, with the CRDs and Flink's service account; deleted at the end."""
    for file in sorted((ROOT / "manifests" / "crds").glob("*.flink.apache.org.yaml")):
        crd = yaml.safe_load(file.read_text())
        user.apply(f"{_CRDS}/{crd['metadata']['name']}", crd)
    namespace = unique_name("real")
    user.request("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
    _install_job_account(user, namespace)
    yield Place(user, namespace, sim="")
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


@pytest.fixture(scope="session")
def operator(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """The operator, for this run's namespace only."""
    running = Operator(place.namespace, tmp_path_factory.mktemp("operator"))
    running.start()
    yield running
    for name in place.api.list(place.flink().collection):
        place.flink(name).delete()
    for name in place.api.list(place.flink().collection):
        place.flink(name).wait_gone()
    running.check()
    running.stop()
