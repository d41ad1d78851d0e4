"""Which change of which object leads to a reconcile of which FlinkSessionJob (behaviour.md 1.2)."""

import msgspec
from attrs import frozen

from flinkop.kube import meta
from flinkop.kube.objects import CustomObject
from flinkop.runtime.lister import Lister
from flinkop.stages import references, waking
from flinkop.stages.waking import Enqueue


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
        waking.wake(self.enqueue, old, new)

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
            self.enqueue(waking.request(job.metadata), "resync" if listed else "user")

    def on_snapshot(self, old: CustomObject | None, new: CustomObject | None) -> None:
        """A FlinkStateSnapshot that is complete may be one too many."""
        for job in waking.jobs_with_one_more(meta.FLINKSESSIONJOBS.kind, old, new):
            self.enqueue(job, "resync")


def _read(found: CustomObject) -> _Status:
    try:
        return _cluster.decode(found.status) if memoryview(found.status) else _Status()
    except msgspec.MsgspecError:
        return _Status()
