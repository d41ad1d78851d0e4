"""All that a plan is made from, and small questions about it."""

import datetime as dt
from collections.abc import Callable, Mapping

from attrs import evolve, field, frozen

from flinkop import clock
from flinkop.api.common import JobState, KubernetesDeploymentMode, UpgradeMode
from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.flinkstatesnapshot import SnapshotType
from flinkop.api.status import (
    FlinkDeploymentStatus,
    FlinkJobState,
    JobManagerDeploymentStatus,
    ReconciliationState,
)
from flinkop.controllers.flinkdeployment.observation import Observation
from flinkop.lifecycle import ha_zookeeper, record
from flinkop.lifecycle.failure import Limits
from flinkop.lifecycle.ha_zookeeper import ZooKeeper
from flinkop.lifecycle.specdiff import DiffType, SpecDiff
from flinkop.stages.cluster_options import ClusterOptions


def _in_config_maps(_spec: FlinkDeploymentSpec) -> ZooKeeper | None:
    return None


@frozen
class Situation:
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
        task_managers: number of TaskManagers that `spec` asks for.
        options: options of the cluster that runs, with those of the operator as `spec` has them.
        wants_ha: whether the cluster of `spec` is to keep HA metadata.
        zookeeper_of: where in ZooKeeper the cluster of a spec keeps HA metadata; None for ConfigMaps.
        wanted_overrides: parallelism of single vertices that `spec` asks for, as texts by vertex id.
        may_rescale: whether scaling the running job is worth trying; false once it was refused.
        user_mode: upgradeMode in the user's own spec, valid or not; a recorded mode is no substitute,
            because it tells how the last restore was made (behaviour.md Q-32).
        zone: zone in which schedules of the user are read.
        remembered: when this process last triggered a periodic snapshot, by type.
        label_selector: what resources of the operator's must be found by.
        last_error: `status.error` as the API server has it: what was told already.
        last_job_manager: `status.jobManagerDeploymentStatus` as the API server has it.
        limits: how much of a failure goes into `status.error`.
    """

    namespace: str
    name: str
    created: dt.datetime
    spec: FlinkDeploymentSpec
    generation: int
    status: FlinkDeploymentStatus
    observation: Observation
    now: dt.datetime
    new_job_id: Callable[[], str]
    new_trigger_id: Callable[[], str]
    diff: SpecDiff | None = None
    task_managers: int | None = None
    options: ClusterOptions = field(factory=ClusterOptions)
    wants_ha: bool = False
    zookeeper_of: Callable[[FlinkDeploymentSpec], ZooKeeper | None] = _in_config_maps
    wanted_overrides: Mapping[str, str] = field(factory=dict)
    may_rescale: bool = True
    user_mode: UpgradeMode = UpgradeMode.STATELESS
    zone: dt.tzinfo = dt.UTC
    remembered: Mapping[SnapshotType, dt.datetime] = field(factory=dict)
    label_selector: str | None = None
    last_error: str | None = None
    last_job_manager: JobManagerDeploymentStatus | None = None
    limits: Limits = field(factory=Limits)

    @property
    def now_ms(self) -> int:
        """Wall time in epoch milliseconds."""
        return clock.epoch_ms(self.now)

    @property
    def target(self) -> record.Target:
        """What a record of this spec says."""
        return record.Target(
            spec=self.spec,
            generation=self.generation,
            now_ms=self.now_ms,
            name=self.name,
            task_managers=self.task_managers,
            user_suspended=self.wants_suspended,
        )

    @property
    def wants_suspended(self) -> bool:
        """Whether the user asks for the job to be down."""
        return self.spec.job is not None and self.spec.job.state is JobState.SUSPENDED

    @property
    def recon(self) -> ReconciliationState:
        """How far the recorded spec has got."""
        return self.status.reconciliation_status.state

    @property
    def is_newer(self) -> bool:
        """Whether `spec` is of another generation than the one last acted on."""
        return self.generation != self.status.observed_generation

    @property
    def differs(self) -> bool:
        """Whether the spec asks for something that the recorded one does not."""
        return self.diff is not None and self.diff.type > DiffType.IGNORE

    @property
    def redeploys(self) -> bool:
        """Whether the user asks for a start from `initialSavepointPath`, whatever runs now (R-20)."""
        return self.diff is not None and self.diff.type is DiffType.SAVEPOINT_REDEPLOY

    @property
    def job_ended(self) -> bool:
        """Whether the job has ended for good."""
        state = self.status.job_status.state
        return state is not None and state.is_terminal

    @property
    def job_runs(self) -> bool:
        """Whether the job is RUNNING."""
        return self.status.job_status.state is FlinkJobState.RUNNING

    @property
    def is_standalone(self) -> bool:
        """Whether the operator makes the TaskManagers."""
        return self.spec.effective_mode is KubernetesDeploymentMode.STANDALONE

    @property
    def finds_ha_metadata(self) -> bool:
        """Whether the cluster of `spec` looks for HA metadata where the one that runs keeps them."""
        return ha_zookeeper.is_same(self.options.zookeeper, self.zookeeper_of(self.spec))

    @property
    def snapshots_as_resources(self) -> bool:
        """Whether snapshots are recorded as FlinkStateSnapshots: wanted by the user, and possible."""
        return self.options.snapshot_resources and self.observation.snapshots is not None

    @property
    def recorded_mode(self) -> UpgradeMode:
        """How the last start restored, or the next one is going to."""
        recorded = record.last_reconciled(self.status)
        job = recorded.spec.job if recorded else None
        return job.upgrade_mode if job else UpgradeMode.STATELESS

    def restoring(self, mode: UpgradeMode) -> "Situation":
        """Return this with `mode` as what the next start restores from."""
        job = self.spec.job
        spec = evolve(self.spec, job=evolve(job, upgrade_mode=mode) if job else None)
        return evolve(self, spec=spec)

    def having(self, status: FlinkDeploymentStatus) -> "Situation":
        """Return this with another status."""
        return evolve(self, status=status)


def recorded_as_down(status: FlinkDeploymentStatus) -> bool:
    """Whether the recorded job is suspended: by wish, or because it was cancelled, or for an upgrade."""
    recorded = record.last_reconciled(status)
    job = recorded.spec.job if recorded else None
    return job is not None and job.state is JobState.SUSPENDED


def is_first_attempt(status: FlinkDeploymentStatus) -> bool:
    """Whether no deployment of the resource was ever completed."""
    upgrading = status.reconciliation_status.state is ReconciliationState.UPGRADING
    return upgrading and record.is_first_deployment(status)
