"""What of a FlinkDeployment is assessed."""

import datetime as dt

from attrs import field, frozen

from flinkop.api.common import JobSpec
from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.status import FlinkDeploymentStatus
from flinkop.controllers.flinkdeployment.observation import Observation
from flinkop.controllers.jobs import assessed
from flinkop.controllers.jobs.facts import RestFacts
from flinkop.lifecycle import job_exceptions
from flinkop.lifecycle.cluster_health import HealthRecord
from flinkop.lifecycle.exception_looks import Known
from flinkop.lifecycle.failure import Limits
from flinkop.stages.cluster_options import ClusterOptions

Assessed = assessed.Assessed[FlinkDeploymentStatus]
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
    def rest(self) -> RestFacts:
        """What the JobManager said."""
        return self.observation.rest

    @property
    def job(self) -> JobSpec | None:
        """The job that the user wants now."""
        return self.spec.job
