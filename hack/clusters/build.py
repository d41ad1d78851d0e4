"""Building the binaries from pinned Go modules, in one `go build` so that they share packages."""

import hashlib
import os
import platform
import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from hack.clusters import golang, paths, tools
from hack.clusters.errors import ControlPlaneError
from hack.clusters.progress import Progress

_VERSION = "k8s.io/component-base/version"
_NAMES = {"server": "etcd"}
"""`go build` names a binary after its package, etcd's is `server`."""


def fingerprint() -> str:
    """Of everything that decides what is built: pins, checksums, flags, platform."""
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum"):
        digest.update((paths.TOOLS_MODULE / name).read_bytes())
    digest.update(" ".join([*_flags(), platform.system(), platform.machine()]).encode())
    return digest.hexdigest()[:16]


def build(wanted: list[tools.Tool], directory: Path, progress: Progress) -> None:
    """Build `wanted` into `directory`.

    Raises:
        ControlPlaneError: no Go, modules that cannot be fetched, or a package that does not build.
    """
    go = golang.toolchain(progress)
    packages = [tool.package for tool in wanted]
    progress.line(f"building {len(wanted)} tools with {go}; about 5 to 10 minutes on 2 cores, once")
    total = _fetch(go, packages, progress)
    command = [str(go), "build", "-v", *_flags(), "-o", f"{directory}{os.sep}", *packages]
    if shutil.which("nice"):
        command = ["nice", "-n", "10", *command]
    _Build(directory, total, [tool.name for tool in wanted], progress).run(command)


class _Build:
    """One run of `go build -v`: counts packages as they compile, names binaries as they appear."""

    def __init__(self, directory: Path, total: int, wanted: list[str], progress: Progress) -> None:
        self._directory = directory
        self._total = total
        self._wanted = wanted
        self._progress = progress
        self._compiled = 0
        self._built: list[str] = []
        self._complaints: list[str] = []

    def run(self, command: list[str]) -> None:
        with subprocess.Popen(
            command, cwd=paths.TOOLS_MODULE, env=_environment(), text=True, stderr=subprocess.PIPE
        ) as process:
            if process.stderr is None:
                raise AssertionError
            for line in _lines_or_silence(process.stderr):
                self._take(line)
        self._look()
        if process.returncode:
            text = "\n".join(self._complaints[-20:])
            raise ControlPlaneError(f"go build failed ({process.returncode}):\n{text}")
        for made, name in _NAMES.items():
            if (self._directory / made).exists():
                (self._directory / made).rename(self._directory / name)

    def _take(self, line: str | None) -> None:
        if line is not None and " " in line:
            self._complaints.append(line)
        elif line:
            self._compiled += 1
        self._look()
        left = [name for name in self._wanted if name not in self._built]
        self._progress.beat(
            f"compiled {self._compiled} of at most {self._total} packages;"
            f" {len(self._built)} of {len(self._wanted)} tools linked,"
            f" next {', '.join(left)}"
        )

    def _look(self) -> None:
        for file in sorted(self._directory.iterdir()):
            name = _NAMES.get(file.name, file.name)
            if name in self._wanted and name not in self._built:
                self._built.append(name)
                self._progress.line(f"linked {name} ({len(self._built)} of {len(self._wanted)})")


def _fetch(go: Path, packages: list[str], progress: Progress) -> int:
    """Bring in the modules' sources; returns how many packages there are to compile."""
    command = [str(go), "list", "-deps", "-f", "{{.ImportPath}}", *packages]
    with subprocess.Popen(
        command,
        cwd=paths.TOOLS_MODULE,
        env=_environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        if process.stdout is None or process.stderr is None:
            raise AssertionError
        listed: list[str] = []
        reader = threading.Thread(target=listed.extend, args=(process.stdout,), daemon=True)
        reader.start()
        fetched, complaints = 0, []
        for line in _lines_or_silence(process.stderr):
            if line and line.startswith("go: downloading"):
                fetched += 1
            elif line:
                complaints.append(line)
            progress.beat(f"fetching Go modules: {fetched}")
        reader.join()
    if process.returncode:
        text = "\n".join(complaints[-10:])
        raise ControlPlaneError(
            f"the Go modules cannot be fetched:\n{text}\n"
            "Check the network (GOPROXY), or put the binaries on PATH"
        )
    return len(listed)


def _lines_or_silence(stream: IO[str], silence: float = 1.0) -> Iterator[str | None]:
    """The lines of a stream, with None for each second without one, so that life can be shown."""
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def read() -> None:
        for line in stream:
            lines.put(line.rstrip("\n"))
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=silence)
        except queue.Empty:
            yield None
            continue
        if line is None:
            return
        yield line


def _environment() -> dict[str, str]:
    own = {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local", "GOWORK": "off"}
    return {**os.environ, **own}


def _flags() -> list[str]:
    version = tools.module_version(tools.KUBERNETES)
    major, minor, _ = version.split(".", 2)
    helm = tools.HELM
    stamped = {
        f"{_VERSION}.gitVersion": f"v{version}",
        f"{_VERSION}.gitMajor": major,
        f"{_VERSION}.gitMinor": minor,
        f"{helm}/internal/version.version": f"v{tools.module_version(helm)}",
        # What charts are rendered and linted for when no cluster is asked.
        f"{helm}/pkg/chartutil.k8sVersionMajor": major,
        f"{helm}/pkg/chartutil.k8sVersionMinor": minor,
        f"{helm}/pkg/lint/rules.k8sVersionMajor": major,
        f"{helm}/pkg/lint/rules.k8sVersionMinor": minor,
    }
    stamps = [f"-X {name}={value}" for name, value in stamped.items()]
    return ["-trimpath", "-buildvcs=false", "-ldflags", " ".join(["-s -w", *stamps])]
