"""Makes and deletes the FlinkStateSnapshots of a job."""

from attrs import define

from flinkop.controllers.jobs import steps
from flinkop.kube import errors, meta
from flinkop.kube.client import KubeClient
from flinkop.kube.objects import CustomObject
from flinkop.stages.snapshots import Snapshots


@define
class SnapshotRecorder:
    """Writes snapshots; `snapshots` is told, so that the next look does not miss them."""

    kube: KubeClient
    snapshots: Snapshots

    async def create(self, namespace: str, step: steps.CreateSnapshot) -> None:
        """Make the snapshot, if there is none by its name.

        Raises:
            errors.ApiError: the API server refused or could not be reached.
        """
        try:
            made = await self.kube.create(
                meta.FLINKSTATESNAPSHOTS, namespace, step.body, into=CustomObject
            )
        except errors.AlreadyExists:
            return
        self.snapshots.note_write(made)

    async def delete(self, namespace: str, step: steps.DeleteSnapshot) -> None:
        """Ask for the deletion of a snapshot; raises as `create` does."""
        key = meta.ObjectKey(namespace, step.name)
        try:
            await self.kube.delete(meta.FLINKSTATESNAPSHOTS, key)
        except errors.NotFound:
            return
