"""What one reconcile works with: the object as it was read, decoded, and the moment it began."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from attrs import frozen
from msgspec import Raw

from flinkop.api.wire import DecodeError
from flinkop.config.snapshot import ConfigSnapshot
from flinkop.events.draft import EventDraft, InvolvedObject
from flinkop.events.recorder import Recorder
from flinkop.kube.meta import ObjectKey, ResourceType
from flinkop.kube.objects import CustomObject
from flinkop.lifecycle import job_exceptions
from flinkop.lifecycle.failure import Limits
from flinkop.runtime.result import Request
from flinkop.stages.status_patch import StatusDocument

SpecT = TypeVar("SpecT")
StatusT = TypeVar("StatusT")


@frozen
class ReconcileContext(Generic[SpecT, StatusT]):
    """Everything a stage may know, frozen at the start of the reconcile.

    Attributes:
        request: what is being reconciled.
        obj: the resource as the cache or the last write gave it.
        about: the resource as Events name it.
        spec: the user's spec; an empty one when it cannot be read.
        unreadable: why the spec cannot be read, if it cannot.
        status: the status as last acknowledged by the API server.
        document: where the next status is written.
        settings: the configuration in force.
        now: wall time.
        recorder: takes Events.
    """

    request: Request
    obj: CustomObject
    about: InvolvedObject
    spec: SpecT
    unreadable: DecodeError | None
    status: StatusT
    document: StatusDocument
    settings: ConfigSnapshot
    now: dt.datetime
    recorder: Recorder

    @property
    def key(self) -> ObjectKey:
        """The resource's namespace and name."""
        return self.obj.metadata.key

    @property
    def generation(self) -> int:
        """`metadata.generation` of the user's spec."""
        return self.obj.metadata.generation

    @property
    def deleting(self) -> bool:
        """Whether the user deleted the resource."""
        return self.obj.metadata.deletion_timestamp is not None

    @property
    def error_limits(self) -> Limits:
        """How much of an error is shown in the resource's namespace."""
        shape = self.settings.operator_config(self.key.namespace).errors
        return Limits(shape.field_max_length, shape.max_causes, shape.labels)

    @property
    def exception_limits(self) -> job_exceptions.Limits:
        """How much of a job's exceptions is told in Events in the resource's namespace."""
        shape = self.settings.operator_config(self.key.namespace).errors
        return job_exceptions.Limits(shape.event_limit, shape.event_stacktrace_lines)

    def say(self, *drafts: EventDraft) -> None:
        """Emit Events about the resource."""
        for draft in drafts:
            self.recorder.emit(self.about, draft)


@frozen
class Kind(Generic[SpecT, StatusT]):
    """What making a context takes to know of a kind.

    Attributes:
        rt: its resource type.
        empty: a spec that stands for one that cannot be read.
        read_spec: decodes a spec; raises DecodeError.
        read_status: decodes a status; raises DecodeError.
        write_status: gives a status its wire form.
    """

    rt: ResourceType
    empty: SpecT
    read_spec: Callable[[Raw], SpecT]
    read_status: Callable[[Raw], StatusT]
    write_status: Callable[[StatusT], Mapping[str, Any]]

    def document(self, raw: Raw) -> Mapping[str, Any]:
        """Return a stored status as it would be written; {} for a resource that has none yet."""
        return self.write_status(self.read_status(raw)) if memoryview(raw) else {}


def make(
    kind: Kind[SpecT, StatusT],
    request: Request,
    obj: CustomObject,
    *,
    settings: ConfigSnapshot,
    now: dt.datetime,
    recorder: Recorder,
    noted: Callable[[CustomObject], None],
) -> ReconcileContext[SpecT, StatusT]:
    """Make the context of one reconcile of `obj`; `noted` is told each object that a write returns.

    Raises:
        DecodeError: the status cannot be read.
    """
    unreadable = None
    try:
        spec = kind.read_spec(obj.spec)
    except DecodeError as error:
        spec, unreadable = kind.empty, error
    status = kind.read_status(obj.status)
    metadata = obj.metadata
    return ReconcileContext(
        request=request,
        obj=obj,
        about=InvolvedObject(
            kind.rt.api_version, kind.rt.kind, metadata.namespace, metadata.name, metadata.uid
        ),
        spec=spec,
        unreadable=unreadable,
        status=status,
        document=StatusDocument(
            rt=kind.rt,
            key=metadata.key,
            uid=metadata.uid,
            resource_version=metadata.resource_version,
            document=kind.write_status(status) if memoryview(obj.status) else {},
            parse=kind.document,
            noted=noted,
        ),
        settings=settings,
        now=now,
        recorder=recorder,
    )
