"""Clusters built from recorded inputs equal what the reference built, field by field.

Not compared: the order of maps and lines, and paths of temporary files on the reference's side. What
flinkop does otherwise on purpose is written down in `expected_differences`.
"""

import copy
from typing import Any

import pytest
import yaml
from fakes import goldencase

from flinkop.builders import cluster
from flinkop.builders.effective_conf import NOT_FOR_FLINK
from flinkop.builders.errors import BuildError
from flinkop.config import flat_file, standard_file, structured

# The reference writes paths of its own temporary files here; they mean nothing in a pod.
TEMPORARY = ("kubernetes.pod-template-file.", "$internal.deployment.config-dir")
MAPS = ("kubernetes.jobmanager.annotations",)


def comparable(conf: dict[str, str]) -> dict[str, Any]:
    """Drop temporary paths and read maps whose order does not matter."""
    found: dict[str, Any] = {}
    for key, value in conf.items():
        if not key.startswith(TEMPORARY):
            found[key] = structured.parse_map(value) if key in MAPS else value
    for key in ("kubernetes.jobmanager.owner.reference",):
        if key in found:
            found[key] = structured.parse_maps(found[key])
    # One case was recorded with an operator configured by config.yaml, which writes lists as YAML flow text.
    for key in ("pipeline.jars", "$internal.application.program-args"):
        if key in found:
            found[key] = structured.parse_list(found[key])
    return found


def comparable_object(body: dict[str, Any]) -> dict[str, Any]:
    """Read the files inside ConfigMaps."""
    made = copy.deepcopy(body)
    if made["kind"] == "ConfigMap":
        for name, text in made["data"].items():
            if name == "flink-conf.yaml":
                made["data"][name] = comparable(flat_file.parse(text)[0])
            elif name == "config.yaml":
                made["data"][name] = comparable(standard_file.parse(text, legacy_lists=True))
            elif name.endswith(".yaml"):
                made["data"][name] = yaml.safe_load(text)
    return made


def expected_differences(name: str, recorded: dict[str, dict[str, Any]]) -> None:
    """Change recorded objects where flinkop differs on purpose, with the reason."""
    for body in recorded.values():
        for template in _pods(body):
            main = template["spec"]["containers"][-1]
            if template["spec"].get("hostNetwork"):
                # Trap 17: there is no port of that name with the host's network.
                main["startupProbe"]["httpGet"]["port"] = 8081
            labels = template["metadata"]["labels"]
            if labels["component"] == "overridden":
                # Trap 21: such a Deployment would not select its own pods, and the API server refuses it.
                labels["component"] = body["metadata"]["labels"]["component"] = "jobmanager"
            if body["metadata"]["name"].endswith("-taskmanager"):
                if "pod-template" in name:
                    # Trap 21: TaskManagers get image and account of their template, as JobManagers do.
                    main["image"] = "from-template:1"
                    template["spec"]["serviceAccount"] = "from-template"
                    template["spec"]["serviceAccountName"] = "from-template"
                resources = main["resources"]
                if resources["requests"]["cpu"] == "-1.0":
                    # Trap 21: the API server refuses negative CPU; one core for each slot instead.
                    resources["requests"]["cpu"] = resources["limits"]["cpu"] = "2.0"


def _pods(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [body["spec"]["template"]] if body["kind"] == "Deployment" else []


def built(objects: cluster.ClusterObjects) -> dict[str, dict[str, Any]]:
    """Return all objects by kind and name, accompanying ones without an owner."""
    bodies = [objects.deployment, *objects.accompanying]
    if objects.taskmanagers is not None:
        bodies.append(objects.taskmanagers)
    return {f"{body['kind']}/{body['metadata']['name']}": body for body in bodies}


@pytest.mark.parametrize("name", goldencase.names("*"))
def test_effective_configuration(name):
    """The configuration handed to the deployment equals the recorded one."""
    case = goldencase.case(name)
    recorded = goldencase.load(case.path / "config.yaml")
    conf = case.conf().without_prefixes(*NOT_FOR_FLINK).to_dict()
    assert comparable(conf) == comparable(recorded)


@pytest.mark.parametrize("name", goldencase.names("*"))
def test_objects(name):
    """Every object equals the recorded one, and there are no others."""
    case = goldencase.case(name)
    recorded = case.recorded()
    expected_differences(name, recorded)
    objects = built(case.build())
    assert sorted(objects) == sorted(recorded)
    for key, body in objects.items():
        assert comparable_object(body) == comparable_object(recorded[key]), key


@pytest.mark.parametrize("name", goldencase.names("*", failing=True))
def test_failures(name):
    """What the reference cannot deploy is refused."""
    with pytest.raises(BuildError):
        goldencase.case(name).build()
