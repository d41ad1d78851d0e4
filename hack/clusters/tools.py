"""The binaries of a control plane, and helm: which, in which version, and how to tell that they are right."""

import hashlib
import json
import re
import shutil
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

from hack.clusters import paths

KUBERNETES = "k8s.io/kubernetes"
ETCD = "go.etcd.io/etcd/server/v3"
KWOK = "sigs.k8s.io/kwok"
HELM = "helm.sh/helm/v3"


@dataclass(frozen=True)
class Tool:
    """A binary: its name, the Go module that pins its version, its package, how it tells."""

    name: str
    module: str
    package: str
    version_arguments: tuple[str, ...] = ("--version",)

    @property
    def pinned(self) -> str:
        """The version in tools/go.mod, without the leading v."""
        return module_version(self.module)

    def accepts(self, version: str) -> bool:
        """Whether a binary found on PATH will do: any patch release of the pinned minor.

        Cases differ between minors: etcd before 3.6 has no progress requests, which streaming
        lists need; other Kubernetes minors have other defaults.
        """
        return bool(version) and version.split(".")[:2] == self.pinned.split(".")[:2]


TOOLS = (
    Tool("kwokctl", KWOK, f"{KWOK}/cmd/kwokctl"),
    Tool("kwok", KWOK, f"{KWOK}/cmd/kwok"),
    Tool("etcd", ETCD, ETCD),
    Tool("kubectl", KUBERNETES, f"{KUBERNETES}/cmd/kubectl", ("version", "--client")),
    Tool("kube-scheduler", KUBERNETES, f"{KUBERNETES}/cmd/kube-scheduler"),
    Tool("kube-controller-manager", KUBERNETES, f"{KUBERNETES}/cmd/kube-controller-manager"),
    Tool("kube-apiserver", KUBERNETES, f"{KUBERNETES}/cmd/kube-apiserver"),
    Tool("helm", HELM, f"{HELM}/cmd/helm", ("version", "--template", "{{.Version}}")),
)


@dataclass(frozen=True)
class Binary:
    """A verified file: where it is, what it said about itself, its SHA-256."""

    path: str
    version: str
    sha256: str

    @classmethod
    def examine(cls, tool: Tool, path: Path) -> "Binary | None":
        """Run the file and take its checksum; None when it does not run or does not tell."""
        version = ask_version(tool, path)
        return cls(str(path), version, checksum(path)) if version else None

    def intact(self) -> bool:
        """Whether the file is still byte for byte the one that was examined."""
        path = Path(self.path)
        return path.is_file() and checksum(path) == self.sha256


def module_version(module: str) -> str:
    """The version of a module in tools/go.mod, without the leading v."""
    text = (paths.TOOLS_MODULE / "go.mod").read_text()
    found = re.search(rf"^\s*{re.escape(module)} v(\S+)", text, re.MULTILINE)
    if not found:
        raise LookupError(f"{module} is not in tools/go.mod")
    return found[1]


def ask_version(tool: Tool, path: Path) -> str:
    """The version a binary reports, such as `1.34.4`; empty when it does not run."""
    command = [str(path), *tool.version_arguments]
    try:
        asked = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r"(\d+\.\d+\.\d+)", asked.stdout)
    return found[1] if found and asked.returncode == 0 else ""


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def on_path() -> dict[str, Binary]:
    """What PATH offers in the right version, by name."""
    found = {}
    for tool in TOOLS:
        path = shutil.which(tool.name)
        version = ask_version(tool, Path(path)) if path else ""
        if path and tool.accepts(version):
            found[tool.name] = Binary(path, version, checksum(Path(path)))
    return found


def read_manifest(file: Path) -> dict[str, Binary]:
    """The binaries a manifest lists, if each is intact; else nothing, so that all is made anew."""
    try:
        listed = json.loads(file.read_text())
        binaries = {name: Binary(**fields) for name, fields in listed.items()}
    except (OSError, ValueError, TypeError):
        return {}
    return binaries if all(binary.intact() for binary in binaries.values()) else {}


def write_manifest(file: Path, binaries: dict[str, Binary]) -> None:
    """Record the binaries; the last step, so that a manifest vouches for complete files."""
    fields = {name: asdict(binary) for name, binary in sorted(binaries.items())}
    part = file.with_suffix(".part")
    part.write_text(json.dumps(fields, indent=1) + "\n")
    part.rename(file)
