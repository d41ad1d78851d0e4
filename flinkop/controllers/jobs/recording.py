"""Makes and deletes the FlinkStateSnapshots of a job."""

import structlog
from attrs import define

from flinkop.controllers.jobs import steps
from flinkop.kube import errors, meta
from flinkop.kube.client import KubeClient
from flinkop.kube.objects import CustomObject
from flinkop.stages.snapshots import Snapshots

_log = structlog.get_logger(__name__)


@define
class SnapshotRecorder:
    """Writes snapshots; `snapshots` is told, so that the next look does not miss them."""

    kube: KubeClient
    snapshots: Snapshots

    async def create(self, namespace: str, step: steps.CreateSnapshot) -> None:
        """Make the snapshot, if there is none by its name, and its namespace is not being deleted.

        Raises:
            errors.ApiError: the API server refused or could not be reached.
        """
        try:
            made = await self.kube.create(
                meta.FLINKSTATESNAPSHOTS, namespace, step.body, into=CustomObject
            )
        except errors.AlreadyExists:
            return
        except errors.Forbidden as error:
            if not error.namespace_ends:
                raise
            _log.info("the namespace is being deleted: no snapshot is recorded any more")
            return
        self.snapshots.note_write(made)

    async def delete(self, namespace: str, step: steps.DeleteSnapshot) -> None:
        """Ask for the deletion of a snapshot; raises as `create` does."""
        key = meta.ObjectKey(namespace, step.name)
        try:
            await self.kube.delete(meta.FLINKSTATESNAPSHOTS, key)
        except errors.NotFound:
            return
