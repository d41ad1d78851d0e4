"""What of a FlinkSessionJob is assessed."""

import datetime as dt

from attrs import field, frozen

from flinkop.api.common import JobSpec
from flinkop.api.flinksessionjob import FlinkSessionJobSpec
from flinkop.api.status import FlinkSessionJobStatus
from flinkop.controllers.flinksessionjob.observation import Observation
from flinkop.controllers.jobs import assessed
from flinkop.controllers.jobs.facts import RestFacts
from flinkop.lifecycle import job_exceptions
from flinkop.lifecycle.exception_looks import Known
from flinkop.lifecycle.failure import Limits
from flinkop.stages.cluster_options import ClusterOptions

Assessed = assessed.Assessed[FlinkSessionJobStatus]
"""What comes of it."""


@frozen
class Subject:
    """What is being assessed: status and observation, with what they are judged by.

    Attributes:
        status: status before this reconcile.
        observation: facts of this reconcile.
        spec: the spec that the user wants now.
        now: wall time.
        limits: how much of a failure goes into `status.error`.
        options: options of the job, the cluster's below them.
        exceptions: which of its exceptions this process has told of.
        exception_limits: how many of them are told at a time, and how much of each.
    """

    status: FlinkSessionJobStatus
    observation: Observation
    spec: FlinkSessionJobSpec
    now: dt.datetime
    limits: Limits = field(factory=Limits)
    options: ClusterOptions = field(factory=ClusterOptions)
    exceptions: Known | None = None
    exception_limits: job_exceptions.Limits = field(
        factory=lambda: job_exceptions.Limits(count=10, lines=5)
    )

    @property
    def rest(self) -> RestFacts:
        """What the JobManager said."""
        return self.observation.rest

    @property
    def job(self) -> JobSpec | None:
        """The job that the user wants now."""
        return self.spec.job
