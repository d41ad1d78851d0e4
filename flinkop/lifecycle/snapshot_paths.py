"""Which savepoints and checkpoints somebody names, so that they must not be disposed of; pure."""

import re
from collections.abc import Iterable
from typing import Final

from flinkop.api.common import JobSpec
from flinkop.api.status import CommonStatus, JobStatus
from flinkop.lifecycle import record

_SCHEME_AND_HOST: Final = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*:(//[^/]*)?")


def named_by_resource(job: JobSpec | None, status: CommonStatus) -> frozenset[str]:
    """Return the paths that a resource names: the job in its spec, its status, its recorded specs."""
    recorded = (record.last_reconciled(status), record.last_stable(status))
    jobs = (known.spec.job for known in recorded if known is not None)
    return named_paths(status.job_status, job, *jobs)


def named_paths(status: JobStatus, *jobs: JobSpec | None) -> frozenset[str]:
    """Return the paths that a job's status and specs name.

    They are what the next start, a restart, a rollback or a savepoint redeployment restores from.
    """
    last = status.savepoint_info.last_savepoint if status.savepoint_info else None
    paths = (
        status.upgrade_savepoint_path,
        last.location if last else None,
        *(job.initial_savepoint_path for job in jobs if job is not None),
    )
    return frozenset(path for path in paths if path)


def places(paths: Iterable[str | None]) -> frozenset[str]:
    """Return the places of those paths that are there, to be compared with `place`."""
    return frozenset(place(path) for path in paths if path)


def place(path: str) -> str:
    """Return `path` in the one form in which paths that may mean the same place are equal.

    `file:/a/b`, `/a//b/` and `/a/b/_metadata` are one savepoint, `s3://x/a` and `s3a://x/a` too.
    Scheme and host are left out altogether, as people leave them out where they are the default:
    the names that Flink gives are random enough, and a mistake keeps one savepoint too many.
    """
    bare = _SCHEME_AND_HOST.sub("", path)
    return re.sub("/+", "/", bare).rstrip("/").removesuffix("/_metadata")
