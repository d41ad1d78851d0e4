"""The HA metadata that Flink keeps in ZooKeeper: looked at, cleared of job graphs, deleted (behaviour.md 3.14).

The address and the paths come from a user's spec. So nothing is deleted but what Flink makes itself: other
nodes may be somebody else's, whom the user could not reach without the operator.
"""

from collections.abc import Callable
from typing import Final

from attrs import define

from flinkop.lifecycle import ha_zookeeper
from flinkop.lifecycle.ha_metadata import HaFacts
from flinkop.lifecycle.ha_zookeeper import ZooKeeper
from flinkop.zookeeper.client import Nodes, ZooKeeperClient
from flinkop.zookeeper.errors import ZooKeeperError

_DEEPEST: Final = 8
"""Levels below a node of Flink's; it makes four."""


@define
class HaZooKeeper:
    """Deals with HA metadata in ZooKeeper.

    Its methods raise ZooKeeperError when there is no answer: nothing is known then, and what was to be
    deleted may be there still. Metadata that cannot be seen is never taken for none.

    Attributes:
        client: the way to ZooKeeper.
        fence: called before each deletion; raises when this process must not write any more.
    """

    client: ZooKeeperClient
    fence: Callable[[], None]

    async def look(self, where: ZooKeeper) -> HaFacts:
        """Return whether there is metadata to recover from."""
        return await self.client.run(
            where.ensemble, lambda nodes: ha_zookeeper.judge(_jobs(nodes, where))
        )

    async def delete(self, where: ZooKeeper) -> None:
        """Delete all of it."""
        await self.client.run(where.ensemble, lambda nodes: self._delete(nodes, where))

    async def drop_job_graphs(self, where: ZooKeeper) -> None:
        """Remove the pointers to job graphs, and leave checkpoints alone."""
        await self.client.run(where.ensemble, lambda nodes: self._drop_job_graphs(nodes, where))

    def _delete(self, nodes: Nodes, where: ZooKeeper) -> None:
        self._drop_job_graphs(nodes, where)
        for name in nodes.children(where.path) or ():
            if name in ha_zookeeper.FLINKS_OWN:
                self._delete_tree(nodes, f"{where.path}/{name}")
        self._delete_node(nodes, where.path)

    def _drop_job_graphs(self, nodes: Nodes, where: ZooKeeper) -> None:
        for path in where.job_graphs:
            for name in nodes.children(path) or ():
                if ha_zookeeper.is_job_id(name):
                    self._delete_tree(nodes, f"{path}/{name}")

    def _delete_tree(self, nodes: Nodes, path: str, depth: int = 0) -> None:
        if depth > _DEEPEST:
            raise ZooKeeperError(
                f"the node {path} is deeper than any of Flink's: it is not deleted"
            )
        for name in nodes.children(path) or ():
            self._delete_tree(nodes, f"{path}/{name}", depth + 1)
        self._delete_node(nodes, path)

    def _delete_node(self, nodes: Nodes, path: str) -> None:
        self.fence()
        nodes.delete(path)


def _jobs(nodes: Nodes, where: ZooKeeper) -> dict[str, bool]:
    """Return the jobs that have a node, and whether a checkpoint is in it."""
    found = [name for name in nodes.children(where.jobs) or () if ha_zookeeper.is_job_id(name)]
    return {job_id: bool(nodes.children(where.checkpoints(job_id))) for job_id in found}
