"""Which change of which object leads to a reconcile of which FlinkDeployment (behaviour.md 1.2).

Handlers run for every watch event: they compare a few fields and put a name into the queue.
"""

from attrs import frozen

from flinkop.builders.identity import cluster_names
from flinkop.controllers.flinkdeployment import ownership, signals
from flinkop.kube import meta
from flinkop.kube.objects import CustomObject, DeploymentView, PodView
from flinkop.runtime.lister import Lister
from flinkop.runtime.result import Request
from flinkop.stages import references, waking
from flinkop.stages.waking import Enqueue


@frozen
class Watches:
    """The handlers, all of which end in `enqueue`.

    Attributes:
        enqueue: takes a name.
        deployments: those of Flink clusters.
        pods: those of JobManagers, indexed by `signals.BY_CLUSTER`.
    """

    enqueue: Enqueue
    deployments: Lister[DeploymentView]
    pods: Lister[PodView]

    def on_resource(self, old: CustomObject | None, new: CustomObject | None) -> None:
        """A FlinkDeployment: its spec, its deletion, or its coming into view (L-3)."""
        waking.wake(self.enqueue, old, new)

    def on_deployment(self, old: DeploymentView | None, new: DeploymentView | None) -> None:
        """A JobManager Deployment: available, failing, gone with its pods; one of TaskManagers: gone.

        One of nobody that is gone may have had the name of one of ours.
        """
        found = new or old
        if found is None:
            return
        if new is not None and new.metadata.deletion_timestamp is not None:
            return  # what counts is when it is gone
        if new is None and self._has_pods(found.metadata.key):
            return  # and its pods with it
        if new is not None and signals.job_manager_signal(old) == signals.job_manager_signal(new):
            return
        for name in _clusters(found.metadata, gone=new is None):
            self.enqueue(Request(found.metadata.namespace, name), "user")

    def on_pod(self, old: PodView | None, new: PodView | None) -> None:
        """A JobManager pod: when the reason why it does not run changes, or it outlived its Deployment."""
        if new is None:
            if old is not None and not self.has_job_manager(old):
                self._enqueue_cluster(old)
            return
        if signals.pod_failure(new) != (signals.pod_failure(old) if old is not None else None):
            self._enqueue_cluster(new)

    def on_session_job(self, old: CustomObject | None, new: CustomObject | None) -> None:
        """A FlinkSessionJob that is gone may have kept its cluster from being deleted."""
        if new is None and old is not None:
            name = references.deployment_of(old)
            if name is not None:
                self.enqueue(Request(old.metadata.namespace, name), "user")

    def on_snapshot(self, old: CustomObject | None, new: CustomObject | None) -> None:
        """A FlinkStateSnapshot that is complete may be one too many."""
        for job in waking.jobs_with_one_more(meta.FLINKDEPLOYMENTS.kind, old, new):
            self.enqueue(job, "resync")

    def has_job_manager(self, pod: PodView) -> bool:
        """Return whether the Deployment that a JobManager pod belongs to is there."""
        name = pod.metadata.labels.get("app", "")
        return self.deployments.get(meta.ObjectKey(pod.metadata.namespace, name)) is not None

    def _has_pods(self, deployment: meta.ObjectKey) -> bool:
        return bool(self.pods.by_index(signals.BY_CLUSTER, str(deployment)))

    def _enqueue_cluster(self, pod: PodView) -> None:
        name = pod.metadata.labels.get("app")
        if name:
            self.enqueue(Request(pod.metadata.namespace, name), "user")


def _clusters(deployment: meta.Meta, *, gone: bool) -> list[str]:
    """Return the FlinkDeployments that a Deployment concerns: its owners, or who bears its name or labels."""
    owners = [
        one.name for one in deployment.owner_references if one.kind == meta.FLINKDEPLOYMENTS.kind
    ]
    if owners:
        return owners
    named = ownership.cluster_without_owner(deployment)
    free = cluster_names(deployment.name) if gone else []  # a FlinkDeployment may wait for its name
    return list(dict.fromkeys([*([named] if named else []), *free]))


def cluster_of_pod(pod: PodView) -> tuple[str, ...]:
    """Index of pods: the key of their cluster."""
    name = pod.metadata.labels.get("app")
    return (f"{pod.metadata.namespace}/{name}",) if name else ()
