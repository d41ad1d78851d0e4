"""One control plane with flinksim and the operator for the whole run; one namespace per test.

The operator watches all namespaces, so tests cost only what they do themselves and run in any
order. A test that stops or counts things starts its own.
"""

from contextlib import closing

import pytest
from fakes import lifecycles
from fakes.apiuser import ApiUser
from fakes.controlplane import ControlPlane, unique_name
from fakes.countedoperator import LABEL
from fakes.flinkuser import Place
from fakes.scene import Scene
from fakes.zookeeper import keeper, zookeeper

__all__ = ["keeper", "zookeeper"]

OPTIONS = {
    # A JobManager that hangs is not waited for so long.
    "kubernetes.operator.flink.client.timeout": "3 s",
    "kubernetes.operator.label.selector": f"{LABEL}!=true",
    # The web server of the tests is beside them.
    "kubernetes.operator.user.artifacts.allowed-schemes": "https;http",
    "kubernetes.operator.user.artifacts.allowed-networks": "127.0.0.0/8",
}
"""What the shared operator is configured with."""


@pytest.fixture(scope="session")
def stage(tmp_path_factory):
    """Everything running, the operator as a process."""
    scene = Scene(ControlPlane.create(nodes=4), tmp_path_factory.mktemp("stage"))
    try:
        scene.install_crds()
        scene.start_sim()
        scene.start_operator(options=OPTIONS)
        yield scene
        scene.check()
        # Whatever the tests did to it, the operator was never surprised, and did nothing undrawn.
        log = (scene.logs / "flinkop.log").read_text()
        assert "Traceback" not in log
        assert lifecycles.impossible(log) == []
    finally:
        scene.close()


@pytest.fixture(scope="session")
def user(stage):
    """Calls as cluster-admin."""
    with closing(ApiUser(stage.plane.kubeconfig)) as api:
        yield api


def new_place(stage, user):
    """A namespace with the service account that Flink's pods use."""
    namespace = unique_name("e2e")
    stage.check()
    stage.plane.create_namespace(namespace)
    place = Place(user, namespace, f"http://127.0.0.1:{stage.sim_port}")
    user.request("POST", place.core("serviceaccounts"), {"metadata": {"name": "flink"}})
    return place


@pytest.fixture
def place(stage, user):
    """A namespace of the test's own."""
    return new_place(stage, user)


@pytest.fixture
def other_place(stage, user):
    """Another namespace."""
    return new_place(stage, user)


@pytest.fixture(scope="module")
def shared_place(stage, user):
    """A namespace for all tests of a file that each bring a resource of their own."""
    return new_place(stage, user)


@pytest.fixture(scope="module")
def doomed_place(stage, user):
    """A namespace that a test of the file deletes."""
    return new_place(stage, user)
