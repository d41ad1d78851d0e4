"""Stage 4: write the next status when it differs, and the labels that follow from it."""

from collections.abc import Mapping

import structlog
from attrs import define

from flinkop.api import codec
from flinkop.api.flinkstatesnapshot import (
    FlinkStateSnapshotSpec,
    FlinkStateSnapshotStatus,
    SnapshotType,
)
from flinkop.kube import errors, meta
from flinkop.kube.client import KubeClient
from flinkop.kube.meta import ObjectKey
from flinkop.kube.objects import CustomObject
from flinkop.lifecycle import failure
from flinkop.metrics.resources import ResourceMetrics
from flinkop.stages.context import ReconcileContext

_log = structlog.get_logger(__name__)

Context = ReconcileContext[FlinkStateSnapshotSpec, FlinkStateSnapshotStatus]


@define
class StatusWriter:
    """Writes statuses and labels of FlinkStateSnapshots.

    Attributes:
        kube: the way to the API server.
        counts: is told what each snapshot is like; None when resources are not counted.
    """

    kube: KubeClient
    counts: ResourceMetrics | None = None

    async def write(self, ctx: Context, status: FlinkStateSnapshotStatus) -> None:
        """Write `status` if it differs, and count the snapshot.

        One that nothing has happened to gets no status (api.md 3.10).

        Raises:
            stages.status_patch.StatusConflict: somebody else changed the status.
            kube.errors.ApiError: the API server refused or could not be reached.
        """
        untouched = not ctx.document.document and status == FlinkStateSnapshotStatus()
        if not untouched and await ctx.document.write(self.kube, codec.encode_status(status)):
            audit(status)
        kind = ctx.spec.type
        if self.counts is not None and kind is not None and not ctx.deleting:
            checkpoint = kind is SnapshotType.CHECKPOINT
            self.counts.flinkstatesnapshot(ctx.key, status.state, checkpoint=checkpoint)

    async def label(self, ctx: Context, wanted: Mapping[str, str]) -> CustomObject | None:
        """Put labels on that are missing or wrong; return the object as it is then, None when all were right.

        They follow the status, never the other way round. A snapshot that is gone needs none.
        """
        present = ctx.obj.metadata.labels
        wrong = {name: value for name, value in wanted.items() if present.get(name) != value}
        if not wrong:
            return None
        patch = {"metadata": {"uid": ctx.about.uid, "labels": wrong}}
        try:
            return await self.kube.merge_patch(
                meta.FLINKSTATESNAPSHOTS, ctx.key, patch, into=CustomObject
            )
        except errors.NotFound:
            return None

    def forget(self, key: ObjectKey) -> None:
        """Stop counting a snapshot that is going or gone."""
        if self.counts is not None:
            self.counts.remove(meta.FLINKSTATESNAPSHOTS.kind, key)


def audit(status: FlinkStateSnapshotStatus) -> None:
    """Log a written status the way the reference does (behaviour.md 7.3)."""
    text = failure.words(status.error) if status.error else status.path or ""
    _log.info(f">>> {'Status[Snapshot]':<16} | {status.state.value:<15} | {text}")
