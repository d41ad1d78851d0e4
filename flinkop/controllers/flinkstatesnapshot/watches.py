"""Which change of which object leads to a reconcile of which FlinkStateSnapshot (behaviour.md 1.2).

The reference's snapshots are woken by nothing but timers, because its index and its lookup disagree
(Q-13). Here a snapshot is found by kind and name of its job, in one step, and only while it waits for it.
"""

from attrs import frozen

from flinkop.api.flinkstatesnapshot import JobKind
from flinkop.controllers.flinkstatesnapshot import signals
from flinkop.kube import meta
from flinkop.kube.objects import CustomObject
from flinkop.runtime.lister import Lister
from flinkop.stages import references, waking
from flinkop.stages.waking import Enqueue


@frozen
class Watches:
    """The handlers, all of which end in `enqueue`.

    Attributes:
        enqueue: takes the name of a snapshot.
        snapshots: FlinkStateSnapshots, indexed by `signals.WAITING`.
        session_jobs: FlinkSessionJobs, indexed by `references.BY_CLUSTER`.
    """

    enqueue: Enqueue
    snapshots: Lister[CustomObject]
    session_jobs: Lister[CustomObject]

    def on_snapshot(self, old: CustomObject | None, new: CustomObject | None) -> None:
        """A FlinkStateSnapshot: its spec, its deletion, or its coming into view (L-3)."""
        waking.wake(self.enqueue, old, new)

    def on_deployment(self, old: CustomObject | None, new: CustomObject | None) -> None:
        """A FlinkDeployment: its own snapshots, and those of the session jobs on it."""
        found = new or old
        if found is None:
            return
        key = found.metadata.key
        waiting = list(self._waiting(JobKind.FLINK_DEPLOYMENT, key))
        for job in self.session_jobs.by_index(references.BY_CLUSTER, str(key)):
            waiting += self._waiting(JobKind.FLINK_SESSION_JOB, job.metadata.key)
        self._wake(waiting, old, new)

    def on_session_job(self, old: CustomObject | None, new: CustomObject | None) -> None:
        """A FlinkSessionJob: its snapshots."""
        found = new or old
        if found is not None:
            key = found.metadata.key
            self._wake(list(self._waiting(JobKind.FLINK_SESSION_JOB, key)), old, new)

    def _waiting(self, kind: JobKind, key: meta.ObjectKey) -> tuple[CustomObject, ...]:
        return self.snapshots.by_index(signals.WAITING, references.job_value(kind, key))

    def _wake(
        self, waiting: list[CustomObject], old: CustomObject | None, new: CustomObject | None
    ) -> None:
        # Compared only when somebody waits: most changes of most jobs concern no snapshot.
        if waiting and signals.job_signal(old) != signals.job_signal(new):
            for snapshot in waiting:
                self.enqueue(waking.request(snapshot.metadata), "user")
