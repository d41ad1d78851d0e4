"""The counting job (`test/real/job`) as a jar: compiled once per change of its source, kept outside the checkout."""

import hashlib
import os
import shutil
from pathlib import Path

from hack.clusters import locks, paths
from hack.real import commands
from hack.real.errors import NotPossibleError

SOURCE = Path(__file__).resolve().parent.parent.parent / "test" / "real" / "job"
NAME = "numbers.jar"
_MAIN = "Numbers"
_RELEASE = "11"
"""The oldest Java that the images of Flink in question have."""


def ready() -> Path:
    """Return the jar: what FLINKOP_REAL_JOB names, or ours, compiled where need be.

    Raises:
        NotPossibleError: no JDK or Maven, or no class path to be had.
    """
    if given := os.environ.get("FLINKOP_REAL_JOB"):
        return Path(given)
    jar = paths.cache_root() / "real-job" / _fingerprint() / NAME
    with locks.exclusive(jar.parent.with_suffix(".lock")):
        if not jar.exists():
            _compile(jar)
    return jar


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for file in _sources():
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _sources() -> list[Path]:
    return sorted([*SOURCE.glob("*.java"), SOURCE / "pom.xml"])


def _compile(jar: Path) -> None:
    if absent := commands.missing(["javac", "jar", "mvn"]):
        raise NotPossibleError(
            f"the counting job cannot be compiled: no {', '.join(absent)}."
            " Install a JDK and Maven, or name its jar: FLINKOP_REAL_JOB"
        )
    part = jar.parent.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    classes, log = part / "classes", part / "compile.log"
    classes.mkdir(parents=True)
    class_path = part / "class-path"
    maven = ["mvn", "-q", "-B", "-f", str(SOURCE / "pom.xml"), "dependency:build-classpath"]
    commands.run([*maven, f"-Dmdep.outputFile={class_path}"], log, limit=300)
    java = [str(file) for file in _sources() if file.suffix == ".java"]
    options = ["--release", _RELEASE, "-cp", class_path.read_text(), "-d", str(classes)]
    commands.run(["javac", *options, *java], log, limit=120)
    commands.run(["jar", "cfe", str(part / NAME), _MAIN, "-C", str(classes), "."], log, limit=60)
    shutil.rmtree(classes)
    shutil.rmtree(jar.parent, ignore_errors=True)
    part.rename(jar.parent)
