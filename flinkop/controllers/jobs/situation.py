"""What planning for a job takes to know; each kind has a class of its own for it."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Protocol, Self, TypeVar

from flinkop import clock
from flinkop.api.common import JobSpec, JobState, UpgradeMode
from flinkop.api.flink_version import FlinkVersion
from flinkop.api.flinkstatesnapshot import JobKind, SnapshotType
from flinkop.api.status import CommonStatus, FlinkJobState, ReconciliationState
from flinkop.controllers.jobs.facts import RestFacts
from flinkop.lifecycle import record
from flinkop.lifecycle.failure import Limits
from flinkop.lifecycle.snapshot_facts import SnapshotFacts
from flinkop.lifecycle.specdiff import DiffType, SpecDiff
from flinkop.stages.cluster_options import ClusterOptions

StatusT = TypeVar("StatusT", bound=CommonStatus)


class JobSituation(Protocol[StatusT]):
    """All that the plans which kinds share are made from; the attributes are those of each kind's Situation."""

    @property
    def job_kind(self) -> JobKind: ...  # noqa: D102 - see the classes
    @property
    def component(self) -> str: ...  # noqa: D102
    @property
    def namespace(self) -> str: ...  # noqa: D102
    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def created(self) -> dt.datetime: ...  # noqa: D102
    @property
    def generation(self) -> int: ...  # noqa: D102
    @property
    def job(self) -> JobSpec | None: ...  # noqa: D102
    @property
    def flink_version(self) -> FlinkVersion | None: ...  # noqa: D102
    @property
    def diff(self) -> SpecDiff | None: ...  # noqa: D102
    @property
    def status(self) -> StatusT: ...  # noqa: D102
    @property
    def rest(self) -> RestFacts: ...  # noqa: D102
    @property
    def snapshots(self) -> tuple[SnapshotFacts, ...] | None: ...  # noqa: D102
    @property
    def now(self) -> dt.datetime: ...  # noqa: D102
    @property
    def new_trigger_id(self) -> Callable[[], str]: ...  # noqa: D102
    @property
    def options(self) -> ClusterOptions: ...  # noqa: D102
    @property
    def user_mode(self) -> UpgradeMode: ...  # noqa: D102
    @property
    def zone(self) -> dt.tzinfo: ...  # noqa: D102
    @property
    def remembered(self) -> Mapping[SnapshotType, dt.datetime]: ...  # noqa: D102
    @property
    def label_selector(self) -> str | None: ...  # noqa: D102
    @property
    def last_error(self) -> str | None: ...  # noqa: D102
    @property
    def limits(self) -> Limits: ...  # noqa: D102
    def having(self, status: StatusT) -> Self: ...  # noqa: D102

    @property
    def now_ms(self) -> int:
        """Wall time in epoch milliseconds."""
        return clock.epoch_ms(self.now)

    @property
    def wants_suspended(self) -> bool:
        """Whether the user asks for the job to be down."""
        return self.job is not None and self.job.state is JobState.SUSPENDED

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
    def snapshots_as_resources(self) -> bool:
        """Whether snapshots are recorded as FlinkStateSnapshots: wanted by the user, and possible."""
        return self.options.snapshot_resources and self.snapshots is not None

    @property
    def recorded_mode(self) -> UpgradeMode:
        """How the last start restored, or the next one is going to."""
        recorded = record.last_reconciled(self.status)
        job = recorded.spec.job if recorded else None
        return job.upgrade_mode if job else UpgradeMode.STATELESS


def recorded_as_down(status: CommonStatus) -> bool:
    """Whether the recorded job is suspended: by wish, or because it was cancelled, or for an upgrade."""
    recorded = record.last_reconciled(status)
    job = recorded.spec.job if recorded else None
    return job is not None and job.state is JobState.SUSPENDED


def known_path(status: CommonStatus) -> str | None:
    """Return the newest restore path in a status, also of one from before it had a field of its own."""
    info = status.job_status.savepoint_info
    last = info.last_savepoint if info else None
    return status.job_status.upgrade_savepoint_path or (last.location if last else None) or None
