"""The HA metadata that Flink keeps: looked at, cleared of job graphs, deleted (behaviour.md 3.14).

It outlives the cluster, which is what recovery and last-state upgrades live on. In ConfigMaps, which nobody
owns, or in ZooKeeper. It is read when a decision needs it; a watch would cost an event for each checkpoint of
each job.
"""

from typing import Final

from attrs import frozen

from flinkop.builders.identity import NATIVE
from flinkop.kube import errors, meta
from flinkop.kube.client import KubeClient
from flinkop.kube.objects import ConfigMapView, Partial
from flinkop.lifecycle import ha_metadata
from flinkop.lifecycle.ha_metadata import HaFacts, HaMap
from flinkop.lifecycle.ha_zookeeper import ZooKeeper
from flinkop.stages.ha_zookeeper import HaZooKeeper
from flinkop.zookeeper.client import ZooKeeperClient

_AUTOSCALER: Final = "autoscaler"


@frozen
class HaMetadata:
    """Deals with the HA metadata of clusters; a cluster is named as its resource is.

    `where` is the place in ZooKeeper that a cluster's configuration names, None for ConfigMaps.
    """

    kube: KubeClient
    zookeeper: HaZooKeeper

    async def look(
        self, cluster: meta.ObjectKey, where: ZooKeeper | None, job_id: str | None = None
    ) -> HaFacts:
        """Return whether there is metadata to recover the job `job_id` from, None for any job.

        Raises:
            errors.ApiError: the API server refused or could not be reached: nothing is known then.
            ZooKeeperError: likewise for ZooKeeper.
        """
        if where is not None:
            return await self.zookeeper.look(where)
        maps = await self._config_maps(cluster)
        return ha_metadata.judge(map(_as_map, maps), job_id)

    async def delete(self, cluster: meta.ObjectKey, where: ZooKeeper | None) -> None:
        """Delete all of it; raises as `look` does."""
        if where is not None:
            await self.zookeeper.delete(where)
            return
        for found in await self._config_maps(cluster):
            try:
                await self.kube.delete(meta.CONFIGMAPS, found.metadata.key)
            except errors.NotFound:
                continue

    async def drop_job_graphs(self, cluster: meta.ObjectKey, where: ZooKeeper | None) -> None:
        """Remove the pointers to job graphs, and leave checkpoints alone; raises as `look` does."""
        if where is not None:
            await self.zookeeper.drop_job_graphs(where)
            return
        for found in await self._config_maps(cluster):
            graphs = dict.fromkeys(ha_metadata.job_graphs(_as_map(found)))
            if graphs:
                await self.kube.merge_patch(
                    meta.CONFIGMAPS, found.metadata.key, {"data": graphs}, into=Partial
                )

    async def _config_maps(self, cluster: meta.ObjectKey) -> list[ConfigMapView]:
        """Return what Flink keeps for recovery; the autoscaler's memory is not among it."""
        page = await self.kube.list_all(
            meta.CONFIGMAPS,
            cluster.namespace,
            label_selector=f"app={cluster.name},type={NATIVE}",
            into=ConfigMapView,
        )
        return [m for m in page.items if m.metadata.labels.get("component") != _AUTOSCALER]


def make(kube: KubeClient) -> HaMetadata:
    """Return what deals with HA metadata wherever it is; in ZooKeeper, too, only while this process leads."""
    return HaMetadata(kube, HaZooKeeper(ZooKeeperClient(), kube.check_fence))


def _as_map(found: ConfigMapView) -> HaMap:
    metadata = found.metadata
    return HaMap(metadata.name, found.data_keys, metadata.deletion_timestamp is not None)
