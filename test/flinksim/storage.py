"""The file system of all simulated clusters, in memory: snapshots by path, job results by store.

A snapshot holds what the job's state was: its counter. Nothing else about state is simulated.
"""

import base64
import json
import re

from attrs import asdict, define

from flinkop.flink.checkpoints import NOT_ADDRESSABLE

_REMEMBERED = 20_000


@define
class Snapshot:
    path: str
    counter: int
    number: int
    job_id: str
    is_savepoint: bool = False
    format: str | None = None
    drained: bool = False


class Storage:
    def __init__(self) -> None:
        self._snapshots: dict[str, Snapshot] = {}
        self._gone: dict[str, None] = {}
        self._results: set[tuple[str, str]] = set()

    def put(self, snapshot: Snapshot) -> None:
        if snapshot.path != NOT_ADDRESSABLE:
            self._snapshots[_key(snapshot.path)] = snapshot

    def get(self, path: str) -> Snapshot | None:
        return self._snapshots.get(_key(path))

    def delete(self, path: str) -> bool:
        """Return whether there was something to delete."""
        found = self._snapshots.pop(_key(path), None)
        if found is not None:
            self._gone[_key(path)] = None
            if len(self._gone) > _REMEMBERED:
                del self._gone[next(iter(self._gone))]
        return found is not None

    def get_deleted(self, path: str) -> bool:
        """Return whether the path was there once and was deleted."""
        return _key(path) in self._gone

    @property
    def disposed(self) -> list[str]:
        return list(self._gone)

    def all(self) -> list[Snapshot]:
        return list(self._snapshots.values())

    def record_result(self, store: str, job_id: str) -> None:
        self._results.add((store, job_id))

    def has_result(self, store: str, job_id: str) -> bool:
        return (store, job_id) in self._results


def pointer(snapshot: Snapshot) -> str:
    """Return the text that an HA ConfigMap holds for a checkpoint; opaque to everybody else."""
    return base64.b64encode(json.dumps(asdict(snapshot)).encode()).decode()


def from_pointer(text: str) -> Snapshot | None:
    try:
        return Snapshot(**json.loads(base64.b64decode(text)))
    except (ValueError, TypeError):
        return None


def shown(path: str) -> str:
    """Return the path as Flink prints it: `file:///x` becomes `file:/x`."""
    return re.sub(r"^file:/{2,}", "file:/", path.rstrip("/"))


def _key(path: str) -> str:
    return shown(path).removeprefix("file:")
