"""The test control plane keeps its own promises."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.controlplane import ControlPlane, ControlPlaneError, unique_name

from hack.clusters import processes, records

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

_ABANDON = """
import os, signal, sys
sys.path.insert(0, {repository!r})
from hack.clusters.cluster import ControlPlane
plane = ControlPlane.create({name!r}, nodes=1)
print(plane.server, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_pods_become_ready(control_plane, namespace):
    """A Deployment's pods are scheduled, started by kwok, and counted as ready."""
    control_plane.kubectl("-n", namespace, "create", "deployment", "web", "--image=web")
    control_plane.kubectl(
        "-n", namespace, "wait", "deployment/web", "--for=condition=Available", "--timeout=60s"
    )


def test_version(control_plane):
    """The API server reports the pinned version, so that clients see what they would outside."""
    assert control_plane.api.request("GET", "/version")["gitVersion"] == "v1.34.4"


def test_service_account_has_its_own_rights(control_plane, namespace):
    """A service account's kubeconfig works, and RBAC holds."""
    kubeconfig = control_plane.kubeconfig_for("default", namespace)
    who = control_plane.kubectl("--kubeconfig", str(kubeconfig), "auth", "whoami", "-o", "json")
    name = json.loads(who)["status"]["userInfo"]["username"]
    assert name == f"system:serviceaccount:{namespace}:default"
    with pytest.raises(ControlPlaneError, match="forbidden"):
        control_plane.kubectl("--kubeconfig", str(kubeconfig), "get", "pods")


def test_side_by_side(control_plane, own_control_plane):
    """Two clusters share neither address nor objects."""
    assert control_plane.server != own_control_plane.server
    own_control_plane.create_namespace("only-here")
    assert "only-here" not in control_plane.kubectl("get", "namespaces")


def test_name_taken(own_control_plane):
    """A second cluster of the same name is refused, and the first goes on."""
    with pytest.raises(ControlPlaneError, match="lives already"):
        ControlPlane.create(own_control_plane.name)
    assert own_control_plane.api.answers("/readyz")


def test_leftovers_of_a_killed_run_are_collected(pytestconfig):
    """A cluster whose process was killed goes with the next collection: processes, files, record."""
    name = unique_name("killed")
    script = _ABANDON.format(repository=str(pytestconfig.rootpath), name=name)
    subprocess.run([sys.executable, "-c", script], check=False, capture_output=True)
    record = records.read(name)
    assert record
    workdir = Path(record.workdir)
    assert processes.belonging_to(workdir)
    assert name in records.collect()
    assert not processes.belonging_to(workdir)
    assert not workdir.exists()
    assert records.read(name) is None


def test_collection_spares_the_living(own_control_plane):
    """Clusters whose process lives, or that were asked to stay, are left alone."""
    assert own_control_plane.name not in records.collect()
    own_control_plane.keep()
    assert own_control_plane.name not in records.collect()
    assert own_control_plane.api.answers("/readyz")


def test_api_server_restarts_on_the_same_port(own_control_plane):
    """The API server goes away and comes back where it was, with what was stored."""
    plane = own_control_plane
    plane.create_namespace("before")
    plane.stop_component("kube-apiserver")
    assert not plane.api.answers("/readyz")
    plane.start_component("kube-apiserver")
    assert "before" in plane.kubectl("get", "namespaces")
    plane.create_namespace("after")


def test_killed_component_comes_back(own_control_plane):
    """A component that was killed outright can be started again."""
    own_control_plane.stop_component("kube-controller-manager", kill=True)
    assert not own_control_plane.components.running("kube-controller-manager")
    own_control_plane.start_component("kube-controller-manager")
    own_control_plane.create_namespace("needs-a-service-account")


def test_paused_api_server_is_silent_and_goes_on(own_control_plane):
    """A frozen API server answers nothing, and answers again once it is let go."""
    plane = own_control_plane
    plane.components.pause("kube-apiserver")
    with socket.create_connection(("127.0.0.1", int(plane.server.rpartition(":")[2]))) as silent:
        silent.settimeout(0.3)
        silent.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        with pytest.raises(TimeoutError):
            silent.recv(1)
    plane.components.resume("kube-apiserver")
    plane.api.wait_for("/readyz", 30)


def test_delete_leaves_nothing():
    """After the end there is no process, file or record, and a second end is fine."""
    with ControlPlane.create(nodes=1) as plane:
        record = records.read(plane.name)
        plane.delete()
    assert record
    assert not processes.belonging_to(Path(record.workdir))
    assert not Path(record.workdir).exists()
