"""Who owns which cluster, on disk, so that the next run can clean up after a killed one."""

import contextlib
import json
import re
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from hack.clusters import locks, paths, processes
from hack.clusters.errors import ControlPlaneError
from hack.clusters.processes import Process

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?")


@dataclass(frozen=True)
class Record:
    """One cluster: where its files are, which ports are its own, which process it lives for."""

    name: str
    workdir: str
    ports: dict[str, int]
    owner: Process | None
    """None: kept until somebody asks for its end."""

    @property
    def orphaned(self) -> bool:
        """Whether the process it lives for is gone."""
        return self.owner is not None and not self.owner.alive()

    def save(self) -> None:
        """Write the record; the file appears whole or not at all."""
        file = _file(self.name)
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part")
        part.write_text(json.dumps(asdict(self), indent=1) + "\n")
        part.rename(file)

    def keep(self) -> "Record":
        """Let the cluster outlive its process."""
        kept = replace(self, owner=None)
        kept.save()
        return kept

    def erase(self) -> None:
        """End the cluster's processes, by its directory, and delete what it left on disk."""
        workdir = Path(self.workdir)
        processes.end(processes.belonging_to(workdir), grace=0)
        shutil.rmtree(workdir, ignore_errors=True)
        _file(self.name).unlink(missing_ok=True)


def check_name(name: str) -> str:
    """The name, when it can be part of file names and of kwokctl's; else ControlPlaneError."""
    if not _NAME.fullmatch(name):
        raise ControlPlaneError(f"cluster name {name!r}: use up to 40 of a-z, 0-9 and -")
    return name


def read(name: str) -> Record | None:
    """The record of that name, or None."""
    return _parse(_file(name))


def all_records() -> list[Record]:
    """Every record there is, orphaned ones included."""
    found = [_parse(file) for file in sorted(paths.run_root().glob("*.json"))]
    return [record for record in found if record]


def registry_lock() -> contextlib.AbstractContextManager[None]:
    """Hold while choosing a name and ports, or collecting."""
    return locks.exclusive(paths.run_root() / "lock")


def collect() -> list[str]:
    """Erase the clusters whose process is gone; returns their names."""
    with registry_lock():
        orphans = [record for record in all_records() if record.orphaned]
        for record in orphans:
            record.erase()
    return [record.name for record in orphans]


def _file(name: str) -> Path:
    return paths.run_root() / f"{name}.json"


def _parse(file: Path) -> Record | None:
    try:
        fields = json.loads(file.read_text())
        owner = fields.pop("owner")
        return Record(**fields, owner=Process(**owner) if owner else None)
    except (OSError, ValueError, TypeError, KeyError):
        return None
