"""All that a plan for a session job is made from, and small questions about it."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import ClassVar

from attrs import evolve, field, frozen

from flinkop.api.common import JobSpec, UpgradeMode
from flinkop.api.flink_version import FlinkVersion
from flinkop.api.flinksessionjob import FlinkSessionJobSpec
from flinkop.api.flinkstatesnapshot import JobKind, SnapshotType
from flinkop.api.status import FlinkSessionJobStatus
from flinkop.controllers.flinksessionjob.observation import Observation
from flinkop.controllers.jobs.facts import RestFacts
from flinkop.controllers.jobs.situation import JobSituation
from flinkop.events import reasons
from flinkop.lifecycle import record
from flinkop.lifecycle.failure import Limits
from flinkop.lifecycle.snapshot_facts import SnapshotFacts
from flinkop.lifecycle.specdiff import SpecDiff
from flinkop.stages.cluster_options import ClusterOptions


@frozen
class Situation(JobSituation[FlinkSessionJobStatus]):
    """All that a plan is made from.

    Attributes:
        namespace: namespace of the resource.
        name: its name.
        created: when it was created.
        spec: the spec to reach: the user's, or the last good one when the user's was refused.
        generation: the generation `spec` belongs to.
        status: status after observation.
        observation: the facts.
        now: wall time.
        new_job_id: makes a job id, 32 hexadecimal digits.
        new_trigger_id: makes the id of a savepoint or checkpoint to be triggered, 32 hexadecimal digits.
        diff: recorded spec against `spec`; None before the first deployment.
        options: options of the job, the cluster's below them.
        user_mode: upgradeMode in the user's own spec, valid or not.
        zone: zone in which schedules of the user are read.
        remembered: when this process last triggered a periodic snapshot, by type.
        label_selector: what resources of the operator's must be found by.
        last_error: `status.error` as the API server has it: what was told already.
        limits: how much of a failure goes into `status.error`.
        deleted_at: when the user deleted the resource.
    """

    namespace: str
    name: str
    created: dt.datetime
    spec: FlinkSessionJobSpec
    generation: int
    status: FlinkSessionJobStatus
    observation: Observation
    now: dt.datetime
    new_job_id: Callable[[], str]
    new_trigger_id: Callable[[], str]
    diff: SpecDiff | None = None
    options: ClusterOptions = field(factory=ClusterOptions)
    user_mode: UpgradeMode = UpgradeMode.STATELESS
    zone: dt.tzinfo = dt.UTC
    remembered: Mapping[SnapshotType, dt.datetime] = field(factory=dict)
    label_selector: str | None = None
    last_error: str | None = None
    limits: Limits = field(factory=Limits)
    deleted_at: dt.datetime | None = None

    job_kind: ClassVar = JobKind.FLINK_SESSION_JOB
    component: ClassVar = reasons.JOB

    @property
    def job(self) -> JobSpec | None:
        """The job that `spec` asks for."""
        return self.spec.job

    @property
    def flink_version(self) -> FlinkVersion | None:
        """The Flink of the cluster."""
        cluster = self.observation.cluster
        return cluster.version if cluster is not None else None

    @property
    def rest(self) -> RestFacts:
        """What the JobManager said."""
        return self.observation.rest

    @property
    def snapshots(self) -> tuple[SnapshotFacts, ...] | None:
        """The FlinkStateSnapshots of the job."""
        return self.observation.snapshots

    @property
    def cluster_name(self) -> str:
        """Name of the session cluster."""
        return self.spec.deployment_name or ""

    @property
    def target(self) -> record.Target:
        """What a record of this spec says."""
        return record.Target(
            spec=self.spec,
            generation=self.generation,
            now_ms=self.now_ms,
            name=self.name,
            user_suspended=self.wants_suspended,
        )

    def restoring(self, mode: UpgradeMode) -> "Situation":
        """Return this with `mode` as what the next start restores from."""
        job = self.spec.job
        spec = evolve(self.spec, job=evolve(job, upgrade_mode=mode) if job else None)
        return evolve(self, spec=spec)

    def having(self, status: FlinkSessionJobStatus) -> "Situation":
        """Return this with another status."""
        return evolve(self, status=status)
