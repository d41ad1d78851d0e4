"""What of a job or a snapshot matters here; pure.

Read by the watches, to tell a change worth a reconcile from noise, and by an index of the caches.
"""

from typing import Final

import msgspec
from attrs import frozen

from flinkop.api.flinkstatesnapshot import SnapshotState
from flinkop.kube.objects import CustomObject
from flinkop.stages import references

WAITING: Final = "waiting"
"""Index of the snapshots to which a change of their job may matter, by `references.job_value`."""

_ENDED: Final = (
    SnapshotState.COMPLETED.value,
    SnapshotState.ABANDONED.value,
    SnapshotState.FAILED.value,
)


class _JobStatus(msgspec.Struct, rename="camel"):
    state: str | None = None
    job_id: str | None = None
    upgrade_savepoint_path: str | None = None


class _Status(msgspec.Struct, rename="camel"):
    job_status: _JobStatus | None = None
    lifecycle_state: str | None = None


class _SnapshotStatus(msgspec.Struct):
    state: str | None = None


_job: Final = msgspec.json.Decoder(_Status)
_snapshot: Final = msgspec.json.Decoder(_SnapshotStatus)


@frozen
class JobSignal:
    """The part of a job's resource whose change is worth a look at its snapshots.

    Attributes:
        generation: of its spec: it may name another savepoint directory now, or no restore point.
        lifecycle: of the resource.
        state: of the job.
        job_id: of the job.
        restore_point: what the job would be started from.
        deleting: whether the resource is being deleted.
    """

    generation: int
    lifecycle: str | None
    state: str | None
    job_id: str | None
    restore_point: str | None
    deleting: bool


def job_signal(resource: CustomObject | None) -> JobSignal | None:
    """Return the signal of a FlinkDeployment or FlinkSessionJob; None when it is not there."""
    if resource is None:
        return None
    metadata = resource.metadata
    status = _status(resource)
    job = status.job_status or _JobStatus()
    return JobSignal(
        generation=metadata.generation,
        lifecycle=status.lifecycle_state,
        state=job.state,
        job_id=job.job_id,
        restore_point=job.upgrade_savepoint_path,
        deleting=metadata.deletion_timestamp is not None,
    )


def _status(resource: CustomObject) -> _Status:
    try:
        return _job.decode(resource.status) if memoryview(resource.status) else _Status()
    except msgspec.MsgspecError:
        return _Status()


def waiting_for_job(snapshot: CustomObject) -> tuple[str, ...]:
    """Index of snapshots: the job of one that has not ended yet, or whose files may have to go."""
    if snapshot.metadata.deletion_timestamp is None and has_ended(snapshot):
        return ()
    return references.job_of_snapshot(snapshot)


def has_ended(snapshot: CustomObject) -> bool:
    """Return whether the snapshot is in a final state."""
    try:
        raw = snapshot.status
        return bool(memoryview(raw)) and _snapshot.decode(raw).state in _ENDED
    except msgspec.MsgspecError:
        return False
