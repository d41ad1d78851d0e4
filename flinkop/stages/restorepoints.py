"""Which resources name a savepoint as what their job starts from; such a savepoint is never disposed of.

A job that runs may still need the savepoint of its last upgrade: when it is lost and started again, that
is what it is started from, until a newer restore point is recorded.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from flinkop.kube.objects import CustomObject

_SAME_IN_JSON: Final = re.compile(r"[\w.-]+", re.ASCII)
_FILE: Final = ("file://", "file:")


class _Job(msgspec.Struct, rename="camel"):
    initial_savepoint_path: str | None = None


class _Spec(msgspec.Struct):
    job: _Job | None = None


class _Savepoint(msgspec.Struct):
    location: str | None = None


class _SavepointInfo(msgspec.Struct, rename="camel"):
    last_savepoint: _Savepoint | None = None


class _JobStatus(msgspec.Struct, rename="camel"):
    upgrade_savepoint_path: str | None = None
    savepoint_info: _SavepointInfo | None = None


class _Status(msgspec.Struct, rename="camel"):
    job_status: _JobStatus | None = None


_spec: Final = msgspec.json.Decoder(_Spec)
_status: Final = msgspec.json.Decoder(_Status)


def users_of(path: str, resources: Iterable[CustomObject]) -> tuple[str, ...]:
    """Return the names of the FlinkDeployments and FlinkSessionJobs that may start from `path`.

    Those that are being deleted start nothing any more.
    """
    wanted = _plain(path)
    last = wanted.rsplit("/", 1)[-1]
    mark = last.encode() if _SAME_IN_JSON.fullmatch(last) else b""
    found = {
        resource.metadata.name
        for resource in resources
        if resource.metadata.deletion_timestamp is None
        # Looked for in the bytes first: most resources name something else, and decoding costs more.
        and (mark in bytes(resource.spec) or mark in bytes(resource.status))
        and any(_plain(named) == wanted for named in _restore_points(resource))
    }
    return tuple(sorted(found))


def _restore_points(resource: CustomObject) -> Iterator[str]:
    try:
        job = _spec.decode(resource.spec).job if memoryview(resource.spec) else None
        status = _status.decode(resource.status).job_status if memoryview(resource.status) else None
    except msgspec.MsgspecError:
        return
    info = status.savepoint_info if status is not None else None
    candidates = (
        job.initial_savepoint_path if job is not None else None,
        status.upgrade_savepoint_path if status is not None else None,
        info.last_savepoint.location if info is not None and info.last_savepoint else None,
    )
    yield from (one for one in candidates if one)


def _plain(path: str) -> str:
    """Return a path in the one of its spellings that all others come to."""
    for scheme in _FILE:
        if path.startswith(scheme):
            path = "/" + path.removeprefix(scheme).lstrip("/")
            break
    return path.rstrip("/")
