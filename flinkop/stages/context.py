"""What one reconcile works with: the object as it was read, decoded, and the moment it began."""

import datetime as dt
from typing import Generic, TypeVar

from attrs import frozen

from flinkop.api.wire import DecodeError
from flinkop.config.snapshot import ConfigSnapshot
from flinkop.events.draft import EventDraft, InvolvedObject
from flinkop.events.recorder import Recorder
from flinkop.kube.meta import ObjectKey
from flinkop.kube.objects import CustomObject
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

    def say(self, *drafts: EventDraft) -> None:
        """Emit Events about the resource."""
        for draft in drafts:
            self.recorder.emit(self.about, draft)
