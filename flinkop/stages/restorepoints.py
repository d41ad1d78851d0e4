"""Which resources name a savepoint as what their job starts from; such a savepoint is never disposed of.

A job that runs may still need the savepoint of its last upgrade: when it is lost and started again, that
is what it is started from, until a newer restore point is recorded. A rollback starts from what the last
stable spec names.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

import msgspec

from flinkop.kube.objects import CustomObject
from flinkop.lifecycle import snapshot_paths

T = TypeVar("T")

_SAME_IN_JSON: Final = re.compile(r"[\w.-]+", re.ASCII)


class _Job(msgspec.Struct, rename="camel"):
    initial_savepoint_path: str | None = None


class _Spec(msgspec.Struct):
    job: _Job | None = None


class _Recorded(msgspec.Struct):
    """A remembered spec: in its wrapper, or bare as the first release wrote it."""

    spec: _Spec | None = None
    job: _Job | None = None


class _Savepoint(msgspec.Struct):
    location: str | None = None


class _SavepointInfo(msgspec.Struct, rename="camel"):
    last_savepoint: _Savepoint | None = None


class _JobStatus(msgspec.Struct, rename="camel"):
    upgrade_savepoint_path: str | None = None
    savepoint_info: _SavepointInfo | None = None


class _Reconciliation(msgspec.Struct, rename="camel"):
    last_reconciled_spec: str | None = None
    last_stable_spec: str | None = None


class _Status(msgspec.Struct, rename="camel"):
    job_status: _JobStatus | None = None
    reconciliation_status: _Reconciliation | None = None


_spec: Final = msgspec.json.Decoder(_Spec)
_recorded: Final = msgspec.json.Decoder(_Recorded)
_status: Final = msgspec.json.Decoder(_Status)


def users_of(path: str, resources: Iterable[CustomObject]) -> tuple[str, ...]:
    """Return the names of the FlinkDeployments and FlinkSessionJobs that may start from `path`.

    Those that are being deleted start nothing any more.
    """
    wanted = snapshot_paths.place(path)
    last = wanted.rsplit("/", 1)[-1]
    mark = last.encode() if _SAME_IN_JSON.fullmatch(last) else b""
    found = {
        resource.metadata.name
        for resource in resources
        if resource.metadata.deletion_timestamp is None
        # Looked for in the bytes first: most resources name something else, and decoding costs more.
        and (mark in bytes(resource.spec) or mark in bytes(resource.status))
        and any(snapshot_paths.place(named) == wanted for named in _restore_points(resource))
    }
    return tuple(sorted(found))


def _restore_points(resource: CustomObject) -> Iterator[str]:
    """Yield the paths that a resource names; what of it cannot be read names none."""
    spec = _read(_spec, resource.spec) or _Spec()
    status = _read(_status, resource.status) or _Status()
    remembered = status.reconciliation_status or _Reconciliation()
    jobs = [spec.job]
    for text in (remembered.last_reconciled_spec, remembered.last_stable_spec):
        recorded = _read(_recorded, (text or "").encode()) or _Recorded()
        jobs += [recorded.job, recorded.spec.job if recorded.spec is not None else None]
    job_status = status.job_status or _JobStatus()
    info = job_status.savepoint_info or _SavepointInfo()
    candidates = (
        job_status.upgrade_savepoint_path,
        info.last_savepoint.location if info.last_savepoint is not None else None,
        *(job.initial_savepoint_path for job in jobs if job is not None),
    )
    yield from (one for one in candidates if one)


def _read(decoder: msgspec.json.Decoder[T], raw: bytes | msgspec.Raw) -> T | None:
    try:
        return decoder.decode(raw) if memoryview(raw) else None
    except msgspec.MsgspecError:
        return None
