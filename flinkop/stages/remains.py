"""What is left of a cluster whose JobManager Deployment is gone: proof that it is over.

A Deployment that is deleted in the background goes at once, and what it owned goes after it. A cluster is
over when nothing can make pods for it any more, and then no pod is left: ReplicaSets are asked for first,
JobManagers that start TaskManagers are among the pods. Read from the API server itself and not from a
cache, which may not have heard of a pod yet.
"""

from typing import Final

from attrs import frozen

from flinkop.builders.identity import NATIVE, STANDALONE
from flinkop.kube import meta
from flinkop.kube.client import KubeClient
from flinkop.kube.objects import Partial

JOB_MANAGER: Final = "jobmanager"
TASK_MANAGER: Final = "taskmanager"


@frozen
class Remains:
    """Looks for the remains of clusters; a cluster is named as its resource is."""

    kube: KubeClient

    async def runs(self, cluster: meta.ObjectKey, *components: str) -> bool:
        """Return whether pods of these components exist, or may still be made.

        Raises:
            errors.ApiError: the API server refused or could not be reached: nothing is known then.
        """
        selector = f"{_selector(cluster)},component in ({','.join(components)})"
        for rt in (meta.REPLICASETS, meta.PODS):
            page = await self.kube.list_page(
                rt, cluster.namespace, label_selector=selector, limit=1, into=Partial
            )
            if page.items:
                return True
        return False

    async def is_configured(self, cluster: meta.ObjectKey) -> bool:
        """Return whether ConfigMaps of the old Deployment exist, with which the next one's pods would start.

        HA metadata has no owner and does not count. Raises as `runs` does.
        """
        page = await self.kube.list_all(
            meta.CONFIGMAPS, cluster.namespace, label_selector=_selector(cluster), into=Partial
        )
        return any(
            owner.kind == meta.DEPLOYMENTS.kind and owner.name == cluster.name
            for found in page.items
            for owner in found.metadata.owner_references
        )


def _selector(cluster: meta.ObjectKey) -> str:
    return f"app={cluster.name},type in ({NATIVE},{STANDALONE})"
