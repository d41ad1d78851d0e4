"""Which change of which object leads to a reconcile of which FlinkSessionJob (behaviour.md 1.2)."""

from collections.abc import Callable

import msgspec
from attrs import frozen

from flinkop.kube import meta
from flinkop.kube.objects import CustomObject
from flinkop.lifecycle import snapshot_objects
from flinkop.runtime.lister import Lister
from flinkop.runtime.result import Lane, Request
from flinkop.stages import references

Enqueue = Callable[[Request, Lane], None]


class _Reconciliation(msgspec.Struct):
    state: str | None = None


class _Status(msgspec.Struct, rename="camel"):
    job_manager_deployment_status: str | None = None
    reconciliation_status: _Reconciliation | None = None


_cluster = msgspec.json.Decoder(_Status)


@frozen
class ClusterSignal:
    """The part of a FlinkDeployment whose change is worth a look at its session jobs."""

    uid: str
    generation: int
    deleting: bool
    job_manager: str | None
    reconciliation: str | None


def cluster_signal(found: CustomObject | None) -> ClusterSignal | None:
    """Return the signal; None for a cluster that is not there."""
    if found is None:
        return None
    status = _read(found)
    recon = status.reconciliation_status
    return ClusterSignal(
        uid=found.metadata.uid,
        generation=found.metadata.generation,
        deleting=found.metadata.deletion_timestamp is not None,
        job_manager=status.job_manager_deployment_status,
        reconciliation=recon.state if recon is not None else None,
    )


@frozen
class Watches:
    """The handlers, all of which end in `enqueue`.

    Attributes:
        enqueue: takes a name.
        session_jobs: FlinkSessionJobs, indexed by `references.BY_CLUSTER`.
    """

    enqueue: Enqueue
    session_jobs: Lister[CustomObject]

    def on_resource(self, old: CustomObject | None, new: CustomObject | None) -> None:
        """A FlinkSessionJob: its spec, its deletion, or its coming into view (L-3)."""
        if new is None:
            if old is not None:
                self._add(old.metadata, "resync")
            return
        if old is None or old.metadata.uid != new.metadata.uid:
            self._add(new.metadata, "resync" if memoryview(new.status) else "user")
            return
        changed = old.metadata.generation != new.metadata.generation
        deleted = (
            old.metadata.deletion_timestamp is None and new.metadata.deletion_timestamp is not None
        )
        if changed or deleted:
            self._add(new.metadata, "user")

    def on_cluster(self, old: CustomObject | None, new: CustomObject | None) -> None:
        """A FlinkDeployment: there, ready, replaced, going, gone; its session jobs are looked at."""
        found = new or old
        if found is None:
            return
        jobs = self.session_jobs.by_index(references.BY_CLUSTER, str(found.metadata.key))
        if not jobs or cluster_signal(old) == cluster_signal(new):
            return
        listed = old is None and bool(memoryview(found.status))
        for job in jobs:
            self._add(job.metadata, "resync" if listed else "user")

    def on_snapshot(self, old: CustomObject | None, new: CustomObject | None) -> None:
        """A FlinkStateSnapshot that is complete may be one too many."""
        if new is None or not snapshot_objects.is_completed(new.metadata.labels):
            return
        if old is not None and snapshot_objects.is_completed(old.metadata.labels):
            return
        for value in references.job_of_snapshot(new):
            kind, namespace, name = value.split("/", 2)
            if kind == meta.FLINKSESSIONJOBS.kind:
                self.enqueue(Request(namespace, name), "resync")

    def _add(self, metadata: meta.Meta, lane: Lane) -> None:
        self.enqueue(Request(metadata.namespace, metadata.name), lane)


def _read(found: CustomObject) -> _Status:
    try:
        return _cluster.decode(found.status) if memoryview(found.status) else _Status()
    except msgspec.MsgspecError:
        return _Status()
