"""`flinkop crds apply` brings any cluster's CRDs up to date."""

import json
import subprocess

import pytest
from fakes.programs import environment, python

from flinkop.crds import documents

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

NAMES = [one["metadata"]["name"] for one in documents.made()]


def apply(plane, *arguments):
    """Run the command; return what it says of each CRD."""
    command = python("flinkop", "crds", "apply", "--kubeconfig", str(plane.kubeconfig), *arguments)
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment({}))
    return dict(line.split(": ", 1) for line in done.stdout.splitlines())


def test_created_unchanged_changed(own_control_plane):
    """Also those that something else has written; a dry run writes nothing."""
    plane = own_control_plane
    assert apply(plane, "--dry-run") == dict.fromkeys(NAMES, "created (dry run)")
    assert apply(plane) == dict.fromkeys(NAMES, "created")
    assert apply(plane) == dict.fromkeys(NAMES, "unchanged")
    [name] = [name for name in NAMES if name.startswith("flinkstatesnapshots")]
    old = json.dumps(
        {"metadata": {"labels": {"by": "me"}}, "spec": {"names": {"shortNames": ["old"]}}}
    )
    plane.kubectl("patch", "crd", name, "--type", "merge", "-p", old)
    assert apply(plane, "--dry-run")[name] == "changed (dry run)"
    assert apply(plane)[name] == "changed"
    stored = json.loads(plane.kubectl("get", "crd", name, "-o", "json"))
    assert stored["spec"]["names"]["shortNames"] == ["flinksnp"]
    assert stored["metadata"]["labels"] == {"by": "me"}


def test_without_a_cluster_it_says_so(tmp_path):
    """Exit code 2, and the way out."""
    command = python("flinkop", "crds", "apply", "--kubeconfig", str(tmp_path / "none"))
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment({}))
    assert done.returncode == 2
    assert "set KUBECONFIG or pass --kubeconfig" in done.stderr
