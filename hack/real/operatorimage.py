"""An image of the checkout's flinkop for a cluster without a registry: Debian's Python, the pinned packages, the source."""

import hashlib
import shutil
from pathlib import Path

from hack.clusters.progress import Progress
from hack.real import commands
from hack.real.errors import NotPossibleError
from hack.real.scripts import ROOT, Scripts

REFERENCE = "localhost/flinkop:real"
_SUITE = "bookworm"
_PYTHON = "3.11"
"""Of that suite."""


def load(scripts: Scripts, progress: Progress) -> str:
    """Build the image where need be and give it to the node; returns its reference, or "" when it cannot be built."""
    if absent := commands.missing(["debootstrap"]):
        progress.line(f"no image of flinkop: no {absent[0]}")
        return ""
    image = scripts.image_file("flinkop")
    work = scripts.work / "build" / "flinkop"
    try:
        base = _base_layer(scripts, work, progress)
        packages = _packages(work, progress)
    except NotPossibleError as error:
        progress.line(f"no image of flinkop: {error}")
        return ""
    source = work / "source"
    shutil.rmtree(source, ignore_errors=True)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "flinkop", source / "flinkop", ignore=ignored)
    scripts.make_image(
        image,
        *("--name", REFERENCE),
        *("--layer", str(base)),
        *("--file", f"{packages}:/opt/packages"),
        *("--file", f"{source}:/opt/flinkop"),
        *("--env", "PYTHONPATH=/opt/flinkop:/opt/packages"),
        *("--env", "PYTHONUNBUFFERED=1"),
        *("--entrypoint=python3", "--entrypoint=-m", "--entrypoint=flinkop"),
    )
    scripts.load(image)
    progress.line(f"{REFERENCE} is there")
    return REFERENCE


def _base_layer(scripts: Scripts, work: Path, progress: Progress) -> Path:
    layer = scripts.work / "layers" / f"{_SUITE}-python.tar"
    if layer.exists():
        return layer
    progress.line(f"making a layer of Debian {_SUITE} with Python, once")
    root, part = work / "root", layer.with_suffix(".part")
    shutil.rmtree(root, ignore_errors=True)
    include = "--include=python3-minimal,libpython3-stdlib,ca-certificates"
    log = work / "debootstrap.log"
    commands.run(["debootstrap", "--variant=minbase", include, _SUITE, str(root)], log, limit=600)
    for folder in ("dev", "proc", "sys", "var/cache/apt", "var/lib/apt/lists", "usr/share/doc"):
        shutil.rmtree(root / folder, ignore_errors=True)
        (root / folder).mkdir()
    commands.run(["tar", "--numeric-owner", "-C", str(root), "-cf", str(part), "."], log, limit=300)
    part.rename(layer)
    shutil.rmtree(root, ignore_errors=True)
    return layer


def _packages(work: Path, progress: Progress) -> Path:
    pins = ROOT / "requirements" / "run.txt"
    digest = hashlib.sha256(pins.read_bytes()).hexdigest()[:12]
    packages = work / f"packages-{digest}"
    if packages.exists():
        return packages
    progress.line("installing flinkop's packages for it, once")
    part = work / "packages.part"
    shutil.rmtree(part, ignore_errors=True)
    pip = [str(ROOT / ".venv" / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    options = ["--no-deps", "--only-binary=:all:", "--python-version", _PYTHON, "--no-compile"]
    commands.run(
        [*pip, *options, "--require-hashes", "--target", str(part), "-r", str(pins)],
        work / "pip.log",
        limit=300,
    )
    part.rename(packages)
    return packages
