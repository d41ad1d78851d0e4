"""The generated CRDs: what they accept, show and weigh; checked in and up to date."""

import json
import re
import subprocess
import sys
from pathlib import Path

import attrs
import pytest
import yaml

from flinkop.api import crd, schema
from flinkop.api.common import JobSpec
from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.flinksessionjob import FlinkSessionJobSpec
from flinkop.api.flinkstatesnapshot import (
    CheckpointSpec,
    FlinkStateSnapshotSpec,
    FlinkStateSnapshotStatus,
    JobReference,
    SavepointSpec,
)
from flinkop.api.status import FlinkDeploymentStatus, FlinkSessionJobStatus

ROOT = Path(__file__).resolve().parents[3]
ANNOTATION_LIMIT = 262144


@pytest.fixture(scope="module")
def crds():
    """The checked-in CRDs by plural."""
    files = (ROOT / "manifests" / "crds").glob("flink*.yaml")
    documents = [yaml.load(file.read_text(), Loader=yaml.CSafeLoader) for file in files]
    return {document["spec"]["names"]["plural"]: document for document in documents}


def nodes(tree, path=""):
    """Every schema below `tree`, with its path."""
    yield path, tree
    for name, member in tree.get("properties", {}).items():
        yield from nodes(member, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if key in tree:
            yield from nodes(tree[key], f"{path}/{key}")


def root_of(document):
    """The schema of a CRD's only version."""
    (version,) = document["spec"]["versions"]
    return version["schema"]["openAPIV3Schema"]


def at(document, path):
    """The schema of one field."""
    return dict(nodes(root_of(document)))[path]


def test_the_checked_in_files_are_up_to_date():
    """What `make verify` runs."""
    subprocess.run([sys.executable, ROOT / "hack" / "update_crds.py", "--check"], check=True)


def test_stale_files_are_told_by_name(tmp_path, monkeypatch):
    """The script says which file and what to do."""
    (tmp_path / "hack").mkdir()
    (tmp_path / "manifests" / "crds").mkdir(parents=True)
    script = (ROOT / "hack" / "update_crds.py").read_text()
    (tmp_path / "hack" / "update_crds.py").write_text(script)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    command = [sys.executable, tmp_path / "hack" / "update_crds.py"]
    stale = subprocess.run([*command, "--check"], capture_output=True, text=True, check=False)
    assert stale.returncode == 1
    assert "stale: flinkdeployments.flink.apache.org.yaml" in stale.stderr
    assert "make generate" in stale.stderr
    assert not list((tmp_path / "manifests" / "crds").iterdir())
    subprocess.run(command, check=True, capture_output=True)
    subprocess.run([*command, "--check"], check=True)


def test_nothing_is_refused_for_its_shape(crds):
    """`api.md` 1.3: types and enumerations only; what the reference accepts is accepted."""
    allowed = {
        "description",
        "type",
        "properties",
        "items",
        "additionalProperties",
        "enum",
        "anyOf",
        "x-kubernetes-int-or-string",
        "x-kubernetes-preserve-unknown-fields",
    }
    for document in crds.values():
        for path, node in nodes(root_of(document)):
            assert set(node) - {"x-kubernetes-validations"} <= allowed, path
            assert "x-kubernetes-validations" not in node or not path


def form(node):
    """A schema's type and enumeration in one word or more."""
    kind = node.get("type") or ("quantity" if "x-kubernetes-int-or-string" in node else "any")
    return {kind, *node.get("enum", ())}


@pytest.mark.parametrize("plural", ["flinkdeployments", "flinksessionjobs", "flinkstatesnapshots"])
def test_every_field_of_the_reference_is_there_with_its_type(crds, plural):
    """Recorded from the reference's CRDs, pod templates aside: same type, no word of an enumeration less."""
    fields = json.loads(Path(__file__).with_name("reference-fields.json").read_text())[plural]
    ours = dict(nodes(root_of(crds[plural])))
    for path, expected in fields.items():
        assert path in ours
        assert set(expected.split()) <= form(ours[path]), path
        if len(expected.split()) == 1:
            assert "enum" not in ours[path], path


def test_enumerations_are_those_of_the_reference(crds):
    """`api.md` 2, 3 and 6.3; nowhere else."""
    found = {
        path: node["enum"]
        for path, node in nodes(root_of(crds["flinkdeployments"]))
        if "enum" in node and "savepointInfo" not in path and "checkpointInfo" not in path
    }
    assert set(found) == {
        ".spec.flinkVersion",
        ".spec.mode",
        ".spec.job.state",
        ".spec.job.upgradeMode",
        ".status.jobStatus.state",
        ".status.lifecycleState",
        ".status.jobManagerDeploymentStatus",
        ".status.reconciliationStatus.state",
    }
    assert found[".spec.flinkVersion"][0] == "v1_13"
    assert found[".spec.flinkVersion"][-1] == "v2_4"
    assert sorted(found[".spec.job.upgradeMode"]) == ["last-state", "savepoint", "stateless"]


def test_flink_configuration_takes_any_json(crds):
    """No type, so that it equals the reference's."""
    for plural in ("flinkdeployments", "flinksessionjobs"):
        found = at(crds[plural], ".spec.flinkConfiguration")
        assert {key: value for key, value in found.items() if key != "description"} == {
            "x-kubernetes-preserve-unknown-fields": True
        }


def test_quantities_are_integers_or_strings(crds):
    """Resources, pod resources and ports alike."""
    form = {"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": True}
    document = crds["flinkdeployments"]
    pod = ".spec.taskManager.podTemplate.spec.containers/items"
    for path in (
        ".spec.jobManager.resources.limits/additionalProperties",
        ".spec.taskManager.resources.requests/additionalProperties",
        f"{pod}.resources.requests/additionalProperties",
        f"{pod}.livenessProbe.httpGet.port",
    ):
        assert at(document, path) == form


def test_pod_templates_are_whole_pods_without_descriptions(crds):
    """Three equal copies, as small as they can be."""
    document = crds["flinkdeployments"]
    copies = [
        at(document, f".spec.{path}podTemplate")["properties"]
        for path in ("", "jobManager.", "taskManager.")
    ]
    assert copies[0] == copies[1] == copies[2]
    assert list(copies[0]) == ["apiVersion", "kind", "metadata", "spec", "status"]
    assert '"description"' not in json.dumps(copies[0])
    assert {"hostnameOverride", "schedulingGroup", "resources"} <= set(
        copies[0]["spec"]["properties"]
    )
    assert copies[0]["metadata"]["properties"]["creationTimestamp"] == {"type": "string"}


def test_every_field_of_ours_is_described(crds):
    """What `kubectl explain` shows is never empty outside of pod templates."""
    for document in crds.values():
        for path, node in nodes(root_of(document)):
            if "podTemplate." not in path and "/" not in path:
                assert node.get("description"), path


def test_columns_scale_names_and_conditions(crds):
    """The contract first, ours after it."""
    document = crds["flinkdeployments"]
    (version,) = document["spec"]["versions"]
    columns = version["additionalPrinterColumns"]
    assert [column["name"] for column in columns][:2] == ["Job Status", "Lifecycle State"]
    assert columns[-1]["name"] == "Age"
    assert all(column.get("priority") == 1 for column in columns[2:-1])
    assert version["subresources"] == {
        "status": {},
        "scale": {
            "specReplicasPath": ".spec.taskManager.replicas",
            "statusReplicasPath": ".status.taskManager.replicas",
            "labelSelectorPath": ".status.taskManager.labelSelector",
        },
    }
    assert document["spec"]["names"]["shortNames"] == ["flinkdep"]
    assert document["spec"]["names"]["categories"] == ["flink"]
    assert "observedGeneration" in at(document, ".status.conditions/items")["properties"]
    (session,) = crds["flinksessionjobs"]["spec"]["versions"]
    assert session["subresources"] == {"status": {}}


def test_columns_and_names_of_snapshots(crds):
    """The reference's three columns, ours with `-o wide`, and the age."""
    document = crds["flinkstatesnapshots"]
    (version,) = document["spec"]["versions"]
    columns = version["additionalPrinterColumns"]
    shown = [column["name"] for column in columns if "priority" not in column]
    assert shown == ["Path", "Result Timestamp", "Snapshot State", "Age"]
    assert [column["name"] for column in columns][:3] == shown[:3]
    assert version["subresources"] == {"status": {}}
    assert document["spec"]["names"]["shortNames"] == ["flinksnp"]
    assert document["spec"]["names"]["categories"] == ["flink"]


def test_each_crd_fits_where_it_must(crds):
    """Below the request limit as a file, below the annotation limit as JSON."""
    for plural, document in crds.items():
        assert len(json.dumps(document, separators=(",", ":"))) < ANNOTATION_LIMIT
        assert (
            ROOT / "manifests" / "crds" / f"{plural}.flink.apache.org.yaml"
        ).stat().st_size < 2**20


@pytest.mark.parametrize(
    "cls",
    [
        FlinkDeploymentSpec,
        FlinkSessionJobSpec,
        FlinkDeploymentStatus,
        FlinkSessionJobStatus,
        JobSpec,
        FlinkStateSnapshotSpec,
        FlinkStateSnapshotStatus,
        JobReference,
        SavepointSpec,
        CheckpointSpec,
    ],
)
def test_docstrings_describe_exactly_the_attributes(cls):
    """A description for each attribute, and none for attributes that are gone."""
    names = [field.name for field in attrs.fields(cls) if field.name != "extra"]
    described = schema.attribute_descriptions(cls)
    assert sorted(described) == sorted(names)
    assert not [text for text in described.values() if re.search(r"\s{2}", text)]


def test_kinds_are_named_once():
    """The CRD's object name follows from plural and group."""
    assert [kind.crd_name for kind in crd.KINDS] == [
        "flinkdeployments.flink.apache.org",
        "flinksessionjobs.flink.apache.org",
        "flinkstatesnapshots.flink.apache.org",
    ]
