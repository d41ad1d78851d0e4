"""What is assessed, and what comes of it: a status, and what is worth an Event; frozen values."""

import datetime as dt

from attrs import evolve, field, frozen

from flinkop import clock
from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.status import FlinkDeploymentStatus
from flinkop.controllers.flinkdeployment.observation import Observation
from flinkop.events.draft import EventDraft
from flinkop.lifecycle import job_exceptions
from flinkop.lifecycle.cluster_health import HealthRecord
from flinkop.lifecycle.exception_looks import Known
from flinkop.lifecycle.failure import Limits
from flinkop.stages.cluster_options import ClusterOptions


@frozen
class Assessed:
    """What the facts mean.

    Attributes:
        status: the status after observation.
        drafts: what is worth an Event.
        health: how the job is, to be remembered until the next look; None when nobody asked.
        exceptions: which of its exceptions `drafts` and earlier ones tell of, to be remembered once the
            drafts are said; None when nobody asked.
    """

    status: FlinkDeploymentStatus
    drafts: tuple[EventDraft, ...] = ()
    health: HealthRecord | None = None
    exceptions: Known | None = None

    def say(self, *drafts: EventDraft) -> "Assessed":
        """Return this with `drafts` added."""
        return evolve(self, drafts=(*self.drafts, *drafts))

    def having(self, status: FlinkDeploymentStatus) -> "Assessed":
        """Return this with another status."""
        return evolve(self, status=status)


@frozen
class Subject:
    """What is being assessed: status and observation, with what they are judged by.

    Attributes:
        status: status before this reconcile.
        observation: facts of this reconcile.
        spec: the spec that the user wants now.
        now: wall time.
        limits: how much of a failure goes into `status.error`.
        options: options of the cluster.
        health: how the job was at the last look of this process.
        exceptions: which of its exceptions this process has told of.
        exception_limits: how many of them are told at a time, and how much of each.
    """

    status: FlinkDeploymentStatus
    observation: Observation
    spec: FlinkDeploymentSpec
    now: dt.datetime
    limits: Limits = field(factory=Limits)
    options: ClusterOptions = field(factory=ClusterOptions)
    health: HealthRecord | None = None
    exceptions: Known | None = None
    exception_limits: job_exceptions.Limits = field(
        factory=lambda: job_exceptions.Limits(count=10, lines=5)
    )

    @property
    def now_ms(self) -> int:
        """Wall time in epoch milliseconds."""
        return clock.epoch_ms(self.now)
