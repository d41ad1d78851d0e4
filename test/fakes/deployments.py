"""FlinkDeployments in few words: specs, statuses, facts, and the situation that a plan is made from."""

import datetime as dt
import itertools
from typing import Any

import attrs
from attrs import evolve

from flinkop.api import codec, recorded_spec
from flinkop.api.common import JobSpec, JobState, KubernetesDeploymentMode, UpgradeMode
from flinkop.api.flink_version import FlinkVersion
from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.status import (
    FlinkDeploymentStatus,
    FlinkJobState,
    JobManagerDeploymentStatus as JobManager,
    JobStatus,
    ReconciliationState,
    ReconciliationStatus,
)
from flinkop.controllers.flinkdeployment.observation import (
    CheckpointFacts,
    JobManagerFacts,
    Observation,
    Rest,
    RestFacts,
    TaskManagerFacts,
)
from flinkop.controllers.flinkdeployment.planning.situation import Situation
from flinkop.flink.models import JobOverview, TaskCounts
from flinkop.flink.states import JobState as FlinkState
from flinkop.lifecycle import record, specdiff
from flinkop.lifecycle.specdiff import SpecDiff
from flinkop.stages.cluster_options import ClusterOptions

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
NOW_MS = 1767225600000
OLD_ID = "0" * 31 + "a"


def application(**job: Any) -> FlinkDeploymentSpec:
    """Return an application's spec; `job` are fields of its JobSpec, `image` is the cluster's."""
    image = job.pop("image", "flink:1.20")
    configuration = job.pop("flink_configuration", {})
    nonce = job.pop("restart_nonce", None)
    return FlinkDeploymentSpec(
        job=JobSpec(**{"jar_uri": "local:///a.jar", "parallelism": 2, **job}),
        image=image,
        flink_configuration=configuration,
        restart_nonce=nonce,
        flink_version=FlinkVersion.V1_20,
        service_account="flink",
    )


def session(**fields: Any) -> FlinkDeploymentSpec:
    """Return a session cluster's spec."""
    return evolve(application(), job=None, **fields)


def standalone(spec: FlinkDeploymentSpec) -> FlinkDeploymentSpec:
    """Return `spec` in standalone mode."""
    return evolve(spec, mode=KubernetesDeploymentMode.STANDALONE)


def with_job(spec: FlinkDeploymentSpec, **fields: Any) -> FlinkDeploymentSpec:
    """Return `spec` with other fields of its job; a session's as it is."""
    return spec if spec.job is None else evolve(spec, job=evolve(spec.job, **fields))


def status_of(
    spec: FlinkDeploymentSpec,
    *,
    generation: int = 1,
    state: ReconciliationState = ReconciliationState.DEPLOYED,
    recorded_state: JobState = JobState.RUNNING,
    mode: UpgradeMode | None = UpgradeMode.STATELESS,
    first: bool = False,
    stable: bool = True,
    job: FlinkJobState | None = FlinkJobState.RUNNING,
    job_id: str | None = OLD_ID,
    job_manager: JobManager = JobManager.READY,
    error: str | None = None,
    path: str | None = None,
) -> FlinkDeploymentStatus:
    """Return the status that tells of `spec` as recorded."""
    spec = with_job(spec, state=recorded_state)
    if mode is not None:
        spec = with_job(spec, upgrade_mode=mode)
    text = recorded_spec.encode(spec, first)
    runs = spec.job is not None
    return FlinkDeploymentStatus(
        error=error,
        observed_generation=generation,
        job_manager_deployment_status=job_manager,
        job_status=JobStatus(
            job_id=job_id if runs else None,
            state=job if runs else None,
            upgrade_savepoint_path=path,
        ),
        reconciliation_status=ReconciliationStatus(
            reconciliation_timestamp=1,
            last_reconciled_spec=text,
            last_stable_spec=text if stable else None,
            state=state,
        ),
    )


def upgrading(spec: FlinkDeploymentSpec, generation: int, **more: Any) -> FlinkDeploymentStatus:
    """Return the status written ahead of deploying `spec`."""
    options = {
        "state": ReconciliationState.UPGRADING,
        "recorded_state": JobState.SUSPENDED,
        "stable": False,
        "job": FlinkJobState.FINISHED,
        "job_manager": JobManager.MISSING,
        **more,
    }
    return status_of(spec, generation=generation, **options)


def job_manager(
    generation: int = 1,
    *,
    ours: bool = True,
    deleting: bool = False,
    available: bool = True,
    age: float = 1000.0,
    available_for: float = 1000.0,
    replica_failure: str | None = None,
    uid: str = "deployment-uid",
) -> JobManagerFacts:
    """Return the facts of a JobManager Deployment."""
    return JobManagerFacts(
        uid=uid,
        ours=ours,
        generation=generation,
        deleting=deleting,
        available=available,
        age=age,
        replica_failure=replica_failure,
        available_for=available_for if available else 0.0,
    )


def task_managers(
    replicas: int = 2, *, ours: bool = True, deleting: bool = False, uid: str = "task-managers-uid"
) -> TaskManagerFacts:
    """Return the facts of a standalone cluster's TaskManager Deployment."""
    return TaskManagerFacts(uid=uid, ours=ours, deleting=deleting, replicas=replicas)


def job(
    state: FlinkState = FlinkState.RUNNING,
    jid: str = OLD_ID,
    *,
    running: int = 2,
    finished: int = 0,
    total: int = 2,
) -> JobOverview:
    """Return a job as Flink lists it."""
    return JobOverview(
        jid=jid,
        name="example",
        state=state,
        start_time=1000,
        tasks=TaskCounts(total=total, running=running, finished=finished),
    )


def answered(*jobs: JobOverview, **more: Any) -> RestFacts:
    """Return the answer of a JobManager that has these jobs; one that has ended has left no checkpoint."""
    if any(job.state.is_terminal for job in jobs):
        more = {"checkpoints": CheckpointFacts(), **more}
    return RestFacts(Rest.ANSWERED, jobs=jobs, **more)


def up(*jobs: JobOverview, generation: int = 1) -> Observation:
    """Return the facts of a cluster that is up and has these jobs, by default the one recorded."""
    return Observation(job_manager=job_manager(generation), rest=answered(*(jobs or (job(),))))


GONE = Observation(remains=False)
"""Nothing is there, and the API server has said so."""


def difference(status: FlinkDeploymentStatus, spec: FlinkDeploymentSpec) -> SpecDiff | None:
    """Compare the recorded spec with `spec`, as the controller does."""
    recorded = record.last_reconciled(status)
    if recorded is None:
        return None
    return specdiff.diff(
        codec.encode(recorded.spec, codec.Omit.NOTHING),
        codec.encode(spec, codec.Omit.NOTHING),
        standalone=recorded.spec.effective_mode is KubernetesDeploymentMode.STANDALONE,
    )


OPTIONS = {field.name for field in attrs.fields(ClusterOptions)}


def situation(
    spec: FlinkDeploymentSpec,
    status: FlinkDeploymentStatus | None = None,
    observation: Observation = GONE,
    *,
    generation: int = 1,
    **more: Any,
) -> Situation:
    """Return what a plan is made from; `user_mode` is that of `spec`, and HA as now, unless told otherwise.

    `more` are fields of Situation and of ClusterOptions alike.
    """
    status = status or FlinkDeploymentStatus()
    numbers = itertools.count(1)
    chosen = {name: more.pop(name) for name in list(more) if name in OPTIONS}
    options = ClusterOptions(**{"savepoint_directory": "s3://savepoints", **chosen})
    fields: dict[str, Any] = {
        "diff": difference(status, spec),
        "task_managers": 2 if spec.job else None,
        "user_mode": spec.job.upgrade_mode if spec.job else UpgradeMode.STATELESS,
        "new_job_id": lambda: f"new-{next(numbers)}",
        "new_trigger_id": lambda: f"trigger-{next(numbers)}",
        "wants_ha": options.high_availability,
        "last_error": status.error,
        "last_job_manager": status.job_manager_deployment_status,
        **more,
    }
    return Situation(
        namespace="ns",
        name="basic",
        created=NOW - dt.timedelta(days=30),
        spec=spec,
        generation=generation,
        status=status,
        observation=observation,
        now=NOW,
        options=options,
        **fields,
    )
