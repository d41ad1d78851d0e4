"""Who names whom, as indexes of caches: session jobs their cluster, snapshots their job.

Indexers run for every watch event: they read the one or two members they need and nothing else. What
cannot be read names nobody; the validator of its kind says so.
"""

from typing import Final

import msgspec

from flinkop.api.flinkstatesnapshot import JobKind
from flinkop.kube.meta import ObjectKey
from flinkop.kube.objects import CustomObject

BY_CLUSTER: Final = "cluster"
"""Index of session jobs by `namespace/deploymentName`."""
BY_JOB: Final = "job"
"""Index of snapshots by `job_value`: kind and name together, because both kinds share their names (Q-14)."""


class _SessionJobSpec(msgspec.Struct):
    deployment: str | None = msgspec.field(name="deploymentName", default=None)


class _JobReference(msgspec.Struct):
    kind: str | None = None
    name: str | None = None


class _SnapshotSpec(msgspec.Struct):
    job: _JobReference | None = msgspec.field(name="jobReference", default=None)


_session_job = msgspec.json.Decoder(_SessionJobSpec)
_snapshot = msgspec.json.Decoder(_SnapshotSpec)


def deployment_of(job: CustomObject) -> str | None:
    """Return `spec.deploymentName` of a FlinkSessionJob; None when it cannot be read."""
    try:
        return _session_job.decode(job.spec).deployment
    except msgspec.MsgspecError:
        return None


def cluster_of_session_job(job: CustomObject) -> tuple[str, ...]:
    """Index of session jobs: the key of their cluster."""
    name = deployment_of(job)
    return (f"{job.metadata.namespace}/{name}",) if name else ()


def job_value(kind: JobKind, key: ObjectKey) -> str:
    """Return the value under which the snapshots of a job are filed: `<kind>/<namespace>/<name>`."""
    return f"{kind}/{key}"


def job_of_snapshot(snapshot: CustomObject) -> tuple[str, ...]:
    """Index of snapshots: the job they name."""
    try:
        job = _snapshot.decode(snapshot.spec).job
    except msgspec.MsgspecError:
        return ()
    if job is None or not job.kind or not job.name:
        return ()
    return (f"{job.kind}/{snapshot.metadata.namespace}/{job.name}",)
