"""What the chart installs is enough to run jobs, in its narrowest form, and goes without harming them."""

import json

import pytest
from fakes import helm
from fakes.controlplane import ControlPlane
from fakes.programs import ROOT
from fakes.scene import Scene

from flinkop.config import flat_file

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

SAMPLES = ROOT / "manifests" / "samples"
NARROW = {
    "watchNamespaces": ["default"],
    "replicas": 2,
    "networkPolicy": {"create": True},
    "leaderElection": {"flowSchema": {"create": True}},
}
"""One namespace only, and everything that core Kubernetes has a kind for."""


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A control plane with the chart installed for one namespace, and the operator with the chart's rights."""
    plane = ControlPlane.create()
    scene = Scene(plane, tmp_path_factory.mktemp("logs"))
    try:
        install(plane, "install", "flinkop", "--create-namespace", "--wait", "--timeout=60s")
        scene.start_sim()
        start_operator(scene)
        yield scene
    finally:
        scene.close()


def start_operator(scene):
    """Start what kwok only pretends to run: the operator, as the installed Deployment has it."""
    rights = scene.plane.kubeconfig_for("flink-operator", "flink")
    scene.start_operator(kubeconfig=rights, options=installed_options(scene.plane))


def install(plane, verb, release, *arguments, **values):
    """Run `helm install` or `upgrade` in the namespace `flink`."""
    command = (verb, release, str(helm.CHART), "--namespace", "flink", *arguments)
    return helm.in_cluster(plane, *command, values=NARROW | values)


def installed_options(plane):
    """The configuration that the chart gives the operator; the port is another one here."""
    shown = plane.kubectl("-n", "flink", "get", "configmap", "flink-operator-config", "-o", "json")
    entries, _ = flat_file.parse(json.loads(shown)["data"]["flink-conf.yaml"])
    return entries


def wait_stable(scene, name):
    """Wait until a FlinkDeployment is STABLE."""
    condition = "--for=jsonpath={.status.lifecycleState}=STABLE"
    scene.plane.kubectl("wait", f"flinkdeployment/{name}", condition, "--timeout=60s")


def forbidden(scene):
    """What the operator was refused, by its log."""
    text = scene.operator.log.read_text()
    return [line for line in text.splitlines() if "forbidden" in line.lower()]


def nonce(scene, name, value):
    """Restart a FlinkDeployment."""
    patch = json.dumps({"spec": {"restartNonce": value}})
    scene.plane.kubectl("patch", "flinkdeployment", name, "--type", "merge", "-p", patch)


@pytest.mark.parametrize("sample", ["basic", "standalone"])
def test_jobs_run_with_the_rights_in_one_namespace(scene, sample):
    """From applied to STABLE, restarted, with a savepoint, and deleted; nothing is refused on the way."""
    kubectl = scene.plane.kubectl
    kubectl("apply", "-f", str(SAMPLES / f"{sample}.yaml"))
    wait_stable(scene, sample)
    former = kubectl("get", "deployment", sample, "-o", "jsonpath={.metadata.uid}")
    nonce(scene, sample, 1)
    kubectl(
        "wait",
        f"flinkdeployment/{sample}",
        "--for=jsonpath={.status.observedGeneration}=2",
        "--timeout=60s",
    )
    wait_stable(scene, sample)
    assert kubectl("get", "deployment", sample, "-o", "jsonpath={.metadata.uid}") != former
    if sample == "basic":
        kubectl("apply", "-f", str(SAMPLES / "savepoint.yaml"))
        completed = "--for=jsonpath={.status.state}=COMPLETED"
        kubectl("wait", "flinkstatesnapshot/basic-savepoint", completed, "--timeout=60s")
        kubectl("delete", "flinkstatesnapshot", "basic-savepoint", "--timeout=60s")
    kubectl("delete", "flinkdeployment", sample, "--timeout=60s")
    assert forbidden(scene) == []


def test_an_upgrade_and_an_uninstall_leave_jobs_crds_and_accounts(scene):
    """The Deployment goes; what jobs stand on stays, and the release can be installed again."""
    plane = scene.plane
    plane.kubectl("apply", "-f", str(SAMPLES / "basic.yaml"))
    wait_stable(scene, "basic")
    job = plane.kubectl("get", "deployment", "basic", "-o", "jsonpath={.metadata.uid}")
    before = pod_checksum(plane)
    install(
        plane,
        *("upgrade", "flinkop", "--wait", "--timeout=60s"),
        defaultConfiguration={"flink-conf.yaml": "parallelism.default: 2\n"},
    )
    assert pod_checksum(plane) != before
    scene.stop_operator()
    command = ("uninstall", "flinkop", "--namespace", "flink", "--wait", "--timeout=60s")
    helm.run(*command, "--kubeconfig", str(plane.kubeconfig))
    assert plane.kubectl("-n", "flink", "get", "deployments", "-o", "name") == ""
    assert plane.kubectl("get", "deployment", "basic", "-o", "jsonpath={.metadata.uid}") == job
    plane.kubectl("get", "serviceaccount/flink", "role/flink", "rolebinding/flink-role-binding")
    install(plane, "install", "flinkop", "--wait", "--timeout=60s")
    start_operator(scene)
    plane.kubectl("delete", "flinkdeployment", "basic", "--timeout=60s")


def pod_checksum(plane):
    """What changes in the pod template when the configuration does."""
    path = r"jsonpath={.spec.template.metadata.annotations.checksum/configuration}"
    return plane.kubectl("-n", "flink", "get", "deployment", "flinkop", "-o", path)


def test_crds_of_somebody_else_are_left_alone_and_told(scene):
    """A second release does not take them over, and the notes name the way."""
    said = install(
        scene.plane,
        *("install", "second", "--dry-run=server"),
        nameOverride="second",
        operatorServiceAccount={"name": "second"},
        rbac={"create": False},
        jobServiceAccount={"create": False},
        defaultConfiguration={"create": False},
    )
    assert "kind: CustomResourceDefinition" not in said
    assert said.count("was there already and is left as it is") == 3
    assert "flinkop crds apply" in said
