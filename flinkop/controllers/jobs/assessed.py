"""What is assessed, and what comes of it: a status, and what is worth an Event."""

import datetime as dt
from typing import Generic, Protocol, TypeVar

from attrs import evolve, frozen

from flinkop.api.common import JobSpec
from flinkop.api.status import CommonStatus
from flinkop.controllers.jobs.facts import RestFacts
from flinkop.events.draft import EventDraft
from flinkop.lifecycle import job_exceptions
from flinkop.lifecycle.cluster_health import HealthRecord
from flinkop.lifecycle.exception_looks import Known
from flinkop.lifecycle.failure import Limits
from flinkop.stages.cluster_options import ClusterOptions

StatusT = TypeVar("StatusT", bound=CommonStatus)
StatusT_co = TypeVar("StatusT_co", bound=CommonStatus, covariant=True)


@frozen
class Assessed(Generic[StatusT]):
    """What the facts mean.

    Attributes:
        status: the status after observation.
        drafts: what is worth an Event.
        health: how the job is, to be remembered until the next look; None when nobody asked.
        exceptions: which of its exceptions `drafts` and earlier ones tell of, to be remembered once the
            drafts are said; None when nobody asked.
    """

    status: StatusT
    drafts: tuple[EventDraft, ...] = ()
    health: HealthRecord | None = None
    exceptions: Known | None = None

    def say(self, *drafts: EventDraft) -> "Assessed[StatusT]":
        """Return this with `drafts` added."""
        return evolve(self, drafts=(*self.drafts, *drafts))

    def having(self, status: StatusT) -> "Assessed[StatusT]":
        """Return this with another status."""
        return evolve(self, status=status)


class JobSubject(Protocol[StatusT_co]):
    """What judging a job takes to know; each kind has a class of its own for it."""

    @property
    def status(self) -> StatusT_co:
        """Status before this reconcile."""
        ...

    @property
    def rest(self) -> RestFacts:
        """What Flink said in this reconcile."""
        ...

    @property
    def job(self) -> JobSpec | None:
        """The job as the user wants it now."""
        ...

    @property
    def now(self) -> dt.datetime:
        """Wall time."""
        ...

    @property
    def limits(self) -> Limits:
        """How much of a failure goes into `status.error`."""
        ...

    @property
    def options(self) -> ClusterOptions:
        """Options of the cluster, with those of the job over them."""
        ...

    @property
    def exceptions(self) -> Known | None:
        """Which of its exceptions this process has told of."""
        ...

    @property
    def exception_limits(self) -> job_exceptions.Limits:
        """How many of them are told at a time, and how much of each."""
        ...
