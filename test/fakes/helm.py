"""The chart as helm makes it: rendered with values, linted, or installed in a control plane."""

import atexit
import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from fakes.controlplane import ControlPlane
from fakes.programs import ROOT

from hack.clusters import toolset

CHART = ROOT / "chart"
RELEASE = "flinkop"
_NOTES = "Notes"


class HelmError(RuntimeError):
    """Helm refused; the message is what it said."""


@functools.cache
def program() -> str:
    """The path of helm."""
    return toolset.ready().path("helm")


def run(*arguments: str, stdin: str = "", environ: Mapping[str, str] | None = None) -> str:
    """Run helm and return what it printed; HelmError when it fails."""
    done = subprocess.run(
        [program(), *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "HELM_NO_PLUGINS": "1", **(environ or {})},
    )
    if done.returncode:
        raise HelmError(done.stderr.strip())
    return done.stdout


class Rendered:
    """What a render gave: the objects, and the notes."""

    def __init__(self, documents: list[dict[str, Any]], notes: str) -> None:
        self.documents = documents
        self.notes = notes

    def all(self, kind: str) -> list[dict[str, Any]]:
        """All objects of a kind."""
        return [document for document in self.documents if document["kind"] == kind]

    def one(self, kind: str, name: str | None = None) -> dict[str, Any]:
        """The only object of a kind, or that with the name."""
        found = [
            document
            for document in self.all(kind)
            if name is None or document["metadata"]["name"] == name
        ]
        assert len(found) == 1, f"{len(found)} {kind} {name or ''}"
        return found[0]

    @property
    def kinds(self) -> set[str]:
        """Which kinds there are."""
        return {document["kind"] for document in self.documents}

    @property
    def pod(self) -> dict[str, Any]:
        """The spec of the operator's pods."""
        return dict(self.one("Deployment")["spec"]["template"]["spec"])

    @property
    def container(self) -> dict[str, Any]:
        """The operator's container, which is the first."""
        return dict(self.pod["containers"][0])

    @property
    def env(self) -> dict[str, Any]:
        """Its environment variables that are plain texts."""
        return {one["name"]: one.get("value") for one in self.container["env"]}

    @property
    def configuration(self) -> tuple[str, str]:
        """Name and text of the operator's configuration file."""
        data = self.one("ConfigMap", "flink-operator-config")["data"]
        [name] = [name for name in data if name in {"flink-conf.yaml", "config.yaml"}]
        return name, data[name]


def render(
    values: Mapping[str, Any] | None = None,
    *sets: str,
    namespace: str = "flink",
    crds: bool = False,
) -> Rendered:
    """Render the chart; CRDs only when asked for, because they take most of the time.

    Raises:
        HelmError: the chart refuses the values.
    """
    arguments = [argument for one in sets for argument in ("--set", one)]
    if not crds:
        arguments += ["--set", "crds.create=false"]
    said = _template(namespace, yaml.safe_dump(dict(values or {})), *arguments)
    documents = [one for one in yaml.load_all(said, yaml.CSafeLoader) if one]
    [notes] = [one for one in documents if one["kind"] == _NOTES]
    return Rendered([one for one in documents if one is not notes], notes["text"])


@functools.cache
def _template(namespace: str, values: str, *arguments: str) -> str:
    command = ("template", RELEASE, str(_with_notes()), "--namespace", namespace)
    return run(*command, "--values", "-", *arguments, stdin=values)


@functools.cache
def _with_notes() -> Path:
    """A copy of the chart that renders its notes as one more object: helm shows them on an install only."""
    copy = Path(tempfile.mkdtemp(prefix="flinkop-chart-"))
    atexit.register(shutil.rmtree, copy)
    shutil.copytree(CHART, copy, dirs_exist_ok=True)
    templates = copy / "templates"
    text = (templates / "NOTES.txt").read_text(encoding="utf-8")
    (templates / "_notes.tpl").write_text('{{ define "notes" }}' + text + "{{ end }}")
    (templates / "notes.yaml").write_text(
        f'kind: {_NOTES}\nmetadata: {{name: notes}}\ntext: {{{{ include "notes" . | toJson }}}}\n'
    )
    return copy


def in_cluster(plane: ControlPlane, *arguments: str, values: Mapping[str, Any]) -> str:
    """Run helm against a control plane with values."""
    command = (*arguments, "--kubeconfig", str(plane.kubeconfig), "--values", "-")
    return run(*command, stdin=yaml.safe_dump(dict(values)))
