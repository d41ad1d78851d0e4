"""FlinkSessionJobs in few words: specs, statuses, facts, and the situation that a plan is made from."""

import datetime as dt
import itertools
from typing import Any

import attrs
from attrs import evolve
from fakes.deployments import NOW, OLD_ID, answered, job

from flinkop.api import recorded_spec
from flinkop.api.common import JobSpec, JobState, UpgradeMode
from flinkop.api.flink_version import FlinkVersion
from flinkop.api.flinksessionjob import FlinkSessionJobSpec
from flinkop.api.status import (
    FlinkJobState,
    FlinkSessionJobStatus,
    JobManagerDeploymentStatus as JobManager,
    JobStatus,
    ReconciliationState,
    ReconciliationStatus,
)
from flinkop.controllers.flinksessionjob import plan, progress
from flinkop.controllers.flinksessionjob.assessed import Assessed, Subject
from flinkop.controllers.flinksessionjob.observation import Observation, Submitted
from flinkop.controllers.flinksessionjob.planning import steps
from flinkop.controllers.flinksessionjob.planning.situation import Situation
from flinkop.controllers.jobs.facts import CheckpointFacts, RestFacts
from flinkop.controllers.jobs.steps import Inquiry, Say
from flinkop.flink.models import JobOverview
from flinkop.kube.meta import ObjectKey
from flinkop.lifecycle import record, specdiff
from flinkop.stages.cluster_options import ClusterOptions
from flinkop.stages.session_clusters import SessionCluster

CLUSTER = SessionCluster(
    ObjectKey("ns", "cluster"),
    mark="1",
    up=True,
    version=FlinkVersion.V1_20,
    state=JobManager.READY,
)
SOME_CHECKPOINTS = CheckpointFacts("s3://checkpoints/chk-5")


def session_job(**fields: Any) -> FlinkSessionJobSpec:
    """Return a session job's spec; `fields` are of its JobSpec but for `restart_nonce`."""
    nonce = fields.pop("restart_nonce", None)
    return FlinkSessionJobSpec(
        job=JobSpec(**{"jar_uri": "https://jars/a.jar", "parallelism": 2, **fields}),
        restart_nonce=nonce,
        deployment_name="cluster",
    )


JOB = session_job()
STATEFUL = session_job(upgrade_mode=UpgradeMode.SAVEPOINT)
LAST_STATE = session_job(upgrade_mode=UpgradeMode.LAST_STATE)


def changed(spec: FlinkSessionJobSpec, **fields: Any) -> FlinkSessionJobSpec:
    """Return `spec` with other fields of its job."""
    assert spec.job is not None
    return evolve(spec, job=evolve(spec.job, **fields))


def suspended(spec: FlinkSessionJobSpec) -> FlinkSessionJobSpec:
    """Return `spec` asking for no job."""
    return changed(spec, state=JobState.SUSPENDED)


def status_of(
    spec: FlinkSessionJobSpec = JOB,
    *,
    generation: int = 1,
    state: ReconciliationState = ReconciliationState.DEPLOYED,
    recorded_state: JobState = JobState.RUNNING,
    mode: UpgradeMode = UpgradeMode.STATELESS,
    first: bool = False,
    stable: bool = True,
    job: FlinkJobState | None = FlinkJobState.RUNNING,
    job_id: str | None = OLD_ID,
    error: str | None = None,
    path: str | None = None,
    timestamp: int = 1,
) -> FlinkSessionJobStatus:
    """Return the status that tells of `spec` as recorded."""
    text = recorded_spec.encode(changed(spec, state=recorded_state, upgrade_mode=mode), first)
    return FlinkSessionJobStatus(
        error=error,
        observed_generation=generation,
        job_status=JobStatus(job_id=job_id, state=job, upgrade_savepoint_path=path),
        reconciliation_status=ReconciliationStatus(
            reconciliation_timestamp=timestamp,
            last_reconciled_spec=text,
            last_stable_spec=text if stable else None,
            state=state,
        ),
    )


def attempted(
    spec: FlinkSessionJobSpec = JOB, generation: int = 1, **more: Any
) -> FlinkSessionJobStatus:
    """Return the status written ahead of submitting `spec`."""
    return status_of(
        spec,
        generation=generation,
        **{
            "state": ReconciliationState.UPGRADING,
            "recorded_state": JobState.SUSPENDED,
            "stable": False,
            "job": FlinkJobState.RECONCILING,
            **more,
        },
    )


def up(*jobs: JobOverview, **more: Any) -> Observation:
    """Return the facts of a cluster that answers; of the jobs, by default the one recorded, only that is told."""
    submitted = more.pop("submitted", Submitted())
    absent_for = more.pop("absent_for", 0.0)
    cluster = more.pop("cluster", CLUSTER)
    rest = answered(*(jobs or (job(),)), **more)
    return Observation(cluster, rest=rest, submitted=submitted, absent_for=absent_for)


def without_job(**more: Any) -> Observation:
    """Return the facts of a cluster that answers and does not know the job."""
    return evolve(up(**more), rest=answered())


def down(**cluster: Any) -> Observation:
    """Return the facts of a cluster that is not ready."""
    gone = evolve(CLUSTER, **{"up": False, "state": JobManager.DEPLOYING, **cluster})
    return Observation(gone, rest=RestFacts())


OPTIONS = {one.name for one in attrs.fields(ClusterOptions)}


def situation(
    spec: FlinkSessionJobSpec = JOB,
    status: FlinkSessionJobStatus | None = None,
    observation: Observation | None = None,
    *,
    generation: int = 1,
    **more: Any,
) -> Situation:
    """Return what a plan is made from; `more` are fields of Situation and of ClusterOptions alike."""
    status = status or FlinkSessionJobStatus()
    numbers = itertools.count(1)
    chosen = {name: more.pop(name) for name in list(more) if name in OPTIONS}
    recorded = record.last_reconciled(status)
    fields: dict[str, Any] = {
        "diff": specdiff.between(recorded.spec, spec) if recorded is not None else None,
        "user_mode": spec.job.upgrade_mode if spec.job else UpgradeMode.STATELESS,
        "last_error": status.error,
        **more,
    }
    return Situation(
        namespace="ns",
        name="example",
        created=NOW - dt.timedelta(days=30),
        spec=spec,
        generation=generation,
        status=status,
        observation=up() if observation is None else observation,
        now=NOW,
        new_job_id=lambda: f"new-{next(numbers)}",
        new_trigger_id=lambda: f"trigger-{next(numbers)}",
        options=ClusterOptions(**{"savepoint_directory": "s3://savepoints", **chosen}),
        **fields,
    )


def assess(
    status: FlinkSessionJobStatus,
    observation: Observation,
    spec: FlinkSessionJobSpec = JOB,
    **more: Any,
) -> Assessed:
    """Return what the facts mean."""
    return progress.assess(Subject(status, observation, spec, NOW, **more))


def planned(at: Situation, checkpoints: CheckpointFacts = SOME_CHECKPOINTS) -> steps.Made:
    """Return the plan, with what it asks for answered."""
    made = plan.plan(at)
    if isinstance(made, Inquiry):
        seen = evolve(at.observation, rest=evolve(at.rest, checkpoints=checkpoints))
        made = plan.plan(evolve(at, observation=seen))
    assert not isinstance(made, Inquiry)
    return made


def looked(at: Situation) -> Situation:
    """Return `at` with what its facts say in its status, as a reconcile has it before it plans."""
    found = assess(at.status, at.observation, at.spec, options=at.options)
    recorded = record.last_reconciled(found.status)
    diff = specdiff.between(recorded.spec, at.spec) if recorded is not None else None
    return evolve(at, status=found.status, diff=diff)


def names(made: steps.Made) -> list[str]:
    """Return the steps by name; events by their reason."""
    return [one.draft.reason if isinstance(one, Say) else type(one).__name__ for one in made.steps]


def recorded_job(status: FlinkSessionJobStatus) -> JobSpec:
    """Return the job of the recorded spec, which must be there."""
    found = record.last_reconciled(status)
    assert found is not None
    assert found.spec.job is not None
    return found.spec.job


def note(made: steps.Made) -> str:
    """Return the reason of what is said to be done or waited for; "" when nothing is."""
    return made.note.reason if made.note is not None else ""


def stall(made: steps.Made) -> str:
    """Return the reason and the message of what keeps it from going on; "" when nothing does."""
    return f"{made.stall.reason}: {made.stall.message}" if made.stall is not None else ""


def error(status: FlinkSessionJobStatus) -> str:
    """Return `status.error`, "" when there is none."""
    return status.error or ""


def job_of(spec: FlinkSessionJobSpec) -> JobSpec:
    """Return the job of a spec, which must be there."""
    assert spec.job is not None
    return spec.job
