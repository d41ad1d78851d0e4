"""What `manifests/` installs is enough to run a job, and no more than that."""

import json
import shlex

import pytest
import yaml
from fakes.controlplane import ControlPlane
from fakes.flinkuser import call
from fakes.programs import ROOT
from fakes.scene import Scene

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

SAMPLES = ROOT / "manifests" / "samples"
RECIPES = "<!-- these lines are run by test/e2e/test_manifests.py -->\n"


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A control plane with everything in `manifests/`, and the operator with its own rights only."""
    plane = ControlPlane.create()
    scene = Scene(plane, tmp_path_factory.mktemp("logs"))
    try:
        scene.install_crds()
        plane.kubectl("apply", "--server-side", "-k", str(ROOT / "manifests"))
        scene.install_job_account("default")
        scene.start_sim()
        # kwok only pretends to run the installed Deployment: the operator runs here instead.
        rights = plane.kubeconfig_for("flinkop", "flinkop")
        scene.start_operator(kubeconfig=rights, options=installed_options(plane))
        yield scene
    finally:
        scene.close()


def installed_options(plane):
    """The configuration that the manifests give the operator."""
    shown = plane.kubectl(
        "-n", "flinkop", "get", "configmap", "flink-operator-config", "-o", "json"
    )
    lines = json.loads(shown)["data"]["config.yaml"].splitlines()
    return dict(line.split(": ", 1) for line in lines)


def wait_lifecycle(scene, name, state):
    """Wait until a FlinkDeployment's lifecycle state is `state`."""
    scene.plane.kubectl(
        "wait",
        f"flinkdeployment/{name}",
        f"--for=jsonpath={{.status.lifecycleState}}={state}",
        "--timeout=60s",
    )


def forbidden(scene):
    """What the operator was refused, by its log."""
    text = scene.operator.log.read_text()
    return [line for line in text.splitlines() if "forbidden" in line.lower()]


def recipes():
    """The commands of the page, which follow its mark up to the next blank line."""
    page = (ROOT / "docs" / "job-lifecycle.md").read_text(encoding="utf-8")
    block = page.partition(RECIPES)[2].partition("\n\n")[0]
    return [shlex.split(line) for line in block.splitlines()]


def test_the_installed_deployment_is_accepted(scene):
    """Its pods pass the `restricted` pod security that its namespace enforces."""
    wait = ("wait", "-n", "flinkop", "deployment/flinkop", "--for=condition=Available")
    scene.plane.kubectl(*wait, "--timeout=30s")


@pytest.mark.parametrize("sample", ["basic", "session", "standalone"])
def test_a_sample_runs_with_the_installed_rights(scene, sample):
    """From applied to STABLE, restarted and deleted, and nothing is refused on the way."""
    kubectl = scene.plane.kubectl
    kubectl("apply", "-f", str(SAMPLES / f"{sample}.yaml"))
    wait_lifecycle(scene, sample, "STABLE")
    former = kubectl("get", "deployment", sample, "-o", "jsonpath={.metadata.uid}")
    nonce = json.dumps({"spec": {"restartNonce": 1}})
    kubectl("patch", "flinkdeployment", sample, "--type", "merge", "-p", nonce)
    kubectl(
        "wait",
        f"flinkdeployment/{sample}",
        "--for=jsonpath={.status.observedGeneration}=2",
        "--timeout=60s",
    )
    wait_lifecycle(scene, sample, "STABLE")
    assert kubectl("get", "deployment", sample, "-o", "jsonpath={.metadata.uid}") != former
    kubectl("delete", "flinkdeployment", sample, "--timeout=60s")
    assert forbidden(scene) == []


def test_a_sample_is_scaled_with_the_installed_rights(scene):
    """A standalone job gets more TaskManagers, and its JobManager stays."""
    kubectl = scene.plane.kubectl
    kubectl("apply", "-f", str(SAMPLES / "standalone.yaml"))
    wait_lifecycle(scene, "standalone", "STABLE")
    former = kubectl("get", "deployment", "standalone", "-o", "jsonpath={.metadata.uid}")
    kubectl("scale", "flinkdeployment/standalone", "--replicas=2")
    kubectl(
        "wait",
        "deployment/standalone-taskmanager",
        "--for=jsonpath={.status.availableReplicas}=2",
        "--timeout=60s",
    )
    assert kubectl("get", "deployment", "standalone", "-o", "jsonpath={.metadata.uid}") == former
    kubectl("delete", "flinkdeployment", "standalone", "--timeout=60s")
    assert forbidden(scene) == []


def test_the_samples_of_snapshots_work_with_the_installed_rights(scene):
    """Taken, registered, disposed of; and a deletion that has to look at the namespace."""
    kubectl = scene.plane.kubectl
    kubectl("apply", "-f", str(SAMPLES / "basic.yaml"))
    wait_lifecycle(scene, "basic", "STABLE")
    for sample in ("savepoint", "checkpoint", "existing-savepoint"):
        kubectl("apply", "-f", str(SAMPLES / f"{sample}.yaml"))
    names = ("basic-savepoint", "basic-checkpoint", "existing-savepoint")
    for name in names:
        kubectl(
            "wait",
            f"flinkstatesnapshot/{name}",
            "--for=jsonpath={.status.state}=COMPLETED",
            "--timeout=60s",
        )
    kubectl("delete", "flinksnp", "basic-checkpoint", "existing-savepoint", "--timeout=60s")
    suspended = json.dumps({"spec": {"job": {"state": "suspended"}}})
    kubectl("patch", "flinkdeployment", "basic", "--type", "merge", "-p", suspended)
    wait_lifecycle(scene, "basic", "SUSPENDED")
    kubectl("delete", "flinksnp", "basic-savepoint", "--wait=false")
    kubectl("delete", "flinkdeployment", "basic", "--timeout=60s")
    kubectl("wait", "--for=delete", "flinkstatesnapshot/basic-savepoint", "--timeout=60s")
    assert forbidden(scene) == []


def test_a_session_job_runs_with_the_installed_rights(scene):
    """Submitted, changed, deleted; its jar, which is somewhere else, is left out."""
    kubectl = scene.plane.kubectl
    kubectl("apply", "-f", str(SAMPLES / "session.yaml"))
    [document] = yaml.safe_load_all((SAMPLES / "session-job.yaml").read_text())
    del document["spec"]["job"]["jarURI"]
    kubectl("apply", "-f", "-", stdin=json.dumps(document))
    ready = ("wait", "flinksessionjob/session-job", "--for=condition=Ready", "--timeout=60s")
    kubectl(*ready)
    change = json.dumps({"spec": {"restartNonce": 1}})
    kubectl("patch", "flinksessionjob", "session-job", "--type", "merge", "-p", change)
    kubectl(
        "wait",
        "flinksessionjob/session-job",
        "--for=jsonpath={.status.observedGeneration}=2",
        "--timeout=60s",
    )
    kubectl(*ready)
    kubectl("delete", "flinksessionjob", "session-job", "--timeout=60s")
    kubectl("delete", "flinkdeployment", "session", "--timeout=60s")
    assert forbidden(scene) == []


def test_the_recipes_of_the_docs_work_with_the_installed_rights(scene):
    """Each command of the page on the life of a job, as it stands: upgraded, suspended, resumed, saved, deleted."""
    kubectl = scene.plane.kubectl
    kubectl("apply", "-f", str(SAMPLES / "stateful.yaml"))
    said = []
    for program, *arguments in recipes():
        assert program == "kubectl"
        said.append(kubectl(*arguments))
    assert any(text.startswith("file:/data/savepoints/savepoint-") for text in said)
    assert any("JobStatusChanged" in text for text in said)
    runs = call("GET", f"http://127.0.0.1:{scene.sim_port}/_control/default/orders")["runs"]
    assert [run["lost"] for by_job in runs.values() for run in by_job] == [0, 0, 0]
    assert forbidden(scene) == []


def test_the_operator_leads_by_the_lease_it_may_write(scene):
    """The installed configuration elects a leader through a Lease in the operator's namespace."""
    holder = scene.plane.kubectl(
        "-n", "flinkop", "get", "lease", "flinkop-lease", "-o", "jsonpath={.spec.holderIdentity}"
    )
    assert holder


def test_the_watched_namespaces_are_changed_without_a_restart(scene):
    """A resource outside waits until its namespace is on the list."""
    kubectl, log = scene.plane.kubectl, scene.operator
    options = installed_options(scene.plane) | {
        "kubernetes.operator.dynamic.namespaces.enabled": "true"
    }
    scene.configure(options | {"kubernetes.operator.watched.namespaces": "elsewhere"})
    log.wait_said("Changing the watched namespaces from all to elsewhere", 30)
    kubectl("apply", "-f", str(SAMPLES / "basic.yaml"))
    scene.configure(options | {"kubernetes.operator.watched.namespaces": "elsewhere,default"})
    assert kubectl("get", "flinkdeployment", "basic", "-o", "jsonpath={.status}") == ""
    log.wait_said("from elsewhere to default, elsewhere", 30)
    wait_lifecycle(scene, "basic", "STABLE")
    kubectl("delete", "flinkdeployment", "basic", "--timeout=60s")
