"""The binaries, ready to use: from the cache, from PATH, or built."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from hack.clusters import build, locks, paths, tools
from hack.clusters.errors import ControlPlaneError
from hack.clusters.progress import Progress


@dataclass(frozen=True)
class Toolset:
    """Where each binary is. One that is missing here is downloaded by kwokctl itself."""

    binaries: dict[str, tools.Binary]

    def path(self, name: str) -> str:
        """The path of a binary that has to be there, kubectl or kwokctl say."""
        try:
            return self.binaries[name].path
        except KeyError:
            raise ControlPlaneError(
                f"{name} is neither built nor on PATH: run `python3 hack/controlplane.py tools`"
            ) from None


def ready(progress: Progress | None = None) -> Toolset:
    """All binaries, verified; built first where need be (minutes, once per change of the pins).

    Safe to call from several processes at once: one builds, the others wait.
    `FLINKOP_TOOLS=build` ignores PATH; `FLINKOP_TOOLS=download` lets a kwokctl that is on PATH
    download the rest.

    Raises:
        ControlPlaneError: they can neither be found nor built.
    """
    progress = progress or Progress()
    source = os.environ.get("FLINKOP_TOOLS", "auto")
    if source == "download":
        return _downloading(progress)
    directory = paths.cache_root() / "tools" / build.fingerprint()
    manifest = directory / "manifest.json"
    with locks.exclusive(
        directory.with_suffix(".lock"),
        lambda: progress.beat("another run is getting the tools ready; waiting for it"),
    ):
        found = {} if source == "build" else tools.on_path()
        missing = [tool for tool in tools.TOOLS if tool.name not in found]
        cached = tools.read_manifest(manifest) if missing else {}
        if any(tool.name not in cached for tool in missing):
            cached = _build(missing, directory, progress)
    return Toolset({**cached, **found})


def _build(
    missing: list[tools.Tool], directory: Path, progress: Progress
) -> dict[str, tools.Binary]:
    part = directory.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    build.build(missing, part, progress)
    shutil.rmtree(directory, ignore_errors=True)
    part.rename(directory)
    binaries = {}
    for tool in missing:
        binary = tools.Binary.examine(tool, directory / tool.name)
        if not binary or binary.version != tool.pinned:
            said = binary.version if binary else "nothing"
            raise ControlPlaneError(
                f"{directory / tool.name} was built from {tool.module} {tool.pinned}"
                f" but answers {said}: delete {directory} and try again"
            )
        binaries[tool.name] = binary
    tools.write_manifest(directory / "manifest.json", binaries)
    progress.line(f"{len(binaries)} tools ready in {directory}")
    return binaries


def _downloading(progress: Progress) -> Toolset:
    found = tools.on_path()
    if "kwokctl" not in found:
        raise ControlPlaneError("FLINKOP_TOOLS=download needs kwokctl on PATH (brew install kwok)")
    wanted = [tool.name for tool in tools.TOOLS if tool.name not in found]
    progress.line(f"kwokctl will download {', '.join(wanted) or 'nothing'}")
    return Toolset(found)
