"""FlinkStateSnapshots as the kinds see them whose jobs they are of: which there are, and whether there can be any."""

import datetime as dt
from typing import Final, Protocol, TypeVar

import msgspec
import structlog
from attrs import define, field

from flinkop.api.flinkstatesnapshot import JobKind, SnapshotState, SnapshotType
from flinkop.config import options
from flinkop.kube.meta import ObjectKey
from flinkop.kube.objects import CustomObject
from flinkop.lifecycle import snapshot_objects
from flinkop.lifecycle.snapshot_facts import SnapshotFacts
from flinkop.runtime.lister import Lister
from flinkop.stages import references

_log = structlog.get_logger(__name__)

T = TypeVar("T")

_EPOCH: Final = dt.datetime.fromtimestamp(0, dt.UTC)


class _Savepoint(msgspec.Struct, rename="camel"):
    path: str | None = None
    already_exists: bool | None = None


class _Checkpoint(msgspec.Struct):
    pass


class _Spec(msgspec.Struct):
    savepoint: _Savepoint | None = None
    checkpoint: _Checkpoint | None = None


class _Status(msgspec.Struct):
    state: SnapshotState = SnapshotState.TRIGGER_PENDING
    path: str | None = None


_spec = msgspec.json.Decoder(_Spec)
_status = msgspec.json.Decoder(_Status)


def facts_of(snapshot: CustomObject) -> SnapshotFacts | None:
    """Read what matters of a snapshot; None when it asks for nothing, or nothing that can be read."""
    metadata = snapshot.metadata
    spec = _read(_spec, snapshot.spec) or _Spec()
    kind = _type_of(spec)
    if kind is None:
        return None
    status = _read(_status, snapshot.status) or _Status()
    savepoint = spec.savepoint
    registered = savepoint.path if savepoint is not None and savepoint.already_exists else None
    return SnapshotFacts(
        name=metadata.name,
        uid=metadata.uid,
        type=kind,
        trigger=snapshot_objects.trigger_type(metadata.labels),
        state=status.state,
        path=status.path or registered,
        nonce=snapshot_objects.nonce(metadata.annotations),
        created=metadata.creation_timestamp or _EPOCH,
        deleting=metadata.deletion_timestamp is not None,
    )


def _type_of(spec: _Spec) -> SnapshotType | None:
    if spec.savepoint is not None:
        return SnapshotType.SAVEPOINT
    return SnapshotType.CHECKPOINT if spec.checkpoint is not None else None


class Cached(Protocol):
    """The part of `runtime.informer.Informer` that is read here."""

    @property
    def lister(self) -> Lister[CustomObject]:
        """Return what is cached."""
        ...

    def has_synced(self, namespace: str | None = None) -> bool:
        """Return whether absence from the cache means absence."""
        ...

    def note_write(self, obj: CustomObject) -> None:
        """Take the answer to a write."""
        ...


@define
class Snapshots:
    """The snapshots of all jobs.

    Attributes:
        cache: FlinkStateSnapshots, indexed by `references.BY_JOB`; None when the operator's option has
            switched them off.
    """

    cache: Cached | None
    _told: bool | None = field(default=None, init=False)

    def are_available(self, namespace: str | None = None) -> bool:
        """Return whether snapshots can be recorded as resources now.

        False while their CRD is not installed or the operator may not see them: the option
        `kubernetes.operator.snapshot.resource.enabled` counts as false then, for every resource. A change
        is said once in the log.
        """
        if self.cache is None:
            return False
        everywhere = self.cache.has_synced()
        if self._told is not everywhere:
            self._tell(everywhere)
        return everywhere if namespace is None else self.cache.has_synced(namespace)

    def of_job(self, kind: JobKind, key: ObjectKey) -> tuple[SnapshotFacts, ...]:
        """Return the snapshots of a job, oldest first."""
        if self.cache is None:
            return ()
        found = self.cache.lister.by_index(references.BY_JOB, references.job_value(kind, key))
        facts = (read for one in found if (read := facts_of(one)) is not None)
        return tuple(sorted(facts, key=lambda one: (one.created, one.name)))

    def note_write(self, snapshot: CustomObject) -> None:
        """Take what the API server answered when a snapshot was made."""
        if self.cache is not None:
            self.cache.note_write(snapshot)

    def _tell(self, available: bool) -> None:  # noqa: FBT001 - a fact
        key = options.SNAPSHOT_RESOURCE_ENABLED.key
        if not available:
            _log.warning(
                f"FlinkStateSnapshots cannot be used, {key} counts as false: "
                "their CRD is not installed, or the operator may not list them"
            )
        elif self._told is not None:
            _log.info(f"FlinkStateSnapshots can be used now, {key} counts as it is set")
        self._told = available


def _read(decoder: msgspec.json.Decoder[T], raw: msgspec.Raw) -> T | None:
    try:
        return decoder.decode(raw) if memoryview(raw) else None
    except msgspec.MsgspecError:
        return None
