"""A model of one FlinkDeployment: the API server, one cluster, one user, and operators that crash.

Small enough to be obviously right: what plans lead to is judged by it, round after round.
"""

from attrs import define, evolve, field
from fakes.deployments import answered, application, difference, job, situation, with_job
from fakes.plans import planned

from flinkop.api.common import JobState, KubernetesDeploymentMode, UpgradeMode
from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.status import FlinkDeploymentStatus, ReconciliationState
from flinkop.controllers.flinkdeployment import plan, progress
from flinkop.controllers.flinkdeployment.assessed import Subject
from flinkop.controllers.flinkdeployment.observation import (
    JobManagerFacts,
    Observation,
    TaskManagerFacts,
)
from flinkop.controllers.flinkdeployment.planning import steps
from flinkop.controllers.flinkdeployment.planning.situation import Situation
from flinkop.controllers.jobs.facts import RestFacts
from flinkop.flink.states import JobState as FlinkState
from flinkop.lifecycle import deployment_states, record, state
from flinkop.lifecycle.upgrade import Question


class CrashError(Exception):
    """The operator died."""


class BusyError(Exception):
    """The name is still taken: this reconcile ends, the next one begins with fresh facts."""


@define
class Cluster:
    """A JobManager Deployment and the job it was made for."""

    uid: str
    generation: int
    job_id: str | None
    image: str | None
    available: bool = False
    deleting: bool = False
    job_state: FlinkState = FlinkState.CREATED


@define
class Workers:
    """The TaskManagers' Deployment of a standalone cluster."""

    uid: str
    image: str | None
    deleting: bool = False


@define
class World:
    """All there is; `broken` collects what must never happen.

    A Deployment of a JobManager that is deleted in the background goes at once and leaves its pods, the
    `remains`, for a while.
    """

    spec: FlinkDeploymentSpec = field(factory=application)
    generation: int = 1
    user_mode: UpgradeMode = UpgradeMode.STATELESS
    high_availability: bool = False
    status: FlinkDeploymentStatus = field(factory=FlinkDeploymentStatus)
    cluster: Cluster | None = None
    workers: Workers | None = None
    remains: bool = False
    metadata: bool = False
    writes: int = 0
    broken: list[str] = field(factory=list)
    _made: int = 0
    _dies_between: bool = False

    @property
    def is_standalone(self) -> bool:
        """Whether the operator makes the TaskManagers."""
        return self.spec.effective_mode is KubernetesDeploymentMode.STANDALONE

    # --- the user

    def change(self, spec: FlinkDeploymentSpec) -> None:
        """Apply a new spec, if it differs."""
        if spec != self.spec:
            self.spec = spec
            self.generation += 1

    # --- the cluster's own life

    def delete_completes(self, what: str) -> None:
        """Kubernetes has removed what was being deleted, `cluster` or `workers`."""
        if what == "cluster":
            self.remains = False
        found: Cluster | Workers | None = getattr(self, what)
        if found is not None and found.deleting:
            setattr(self, what, None)

    def starts(self) -> None:
        """The JobManager comes up."""
        if self.cluster is not None and not self.cluster.deleting:
            self.cluster.available = True

    def job_becomes(self, state: FlinkState) -> None:
        """The job moves, if it can."""
        cluster = self.cluster
        if cluster is not None and cluster.available and not cluster.job_state.is_terminal:
            cluster.job_state = state
            self.metadata = self.metadata or self.high_availability

    def vanishes(self, what: str) -> None:
        """Somebody deletes the Deployment of `cluster` or `workers`, in the background."""
        if what == "cluster":
            self._cluster_goes()
        setattr(self, what, None)

    def _cluster_goes(self) -> None:
        self.remains = self.remains or self.cluster is not None
        self.cluster = None

    # --- the operator

    def observe(self, *, late_cache: bool = False) -> Observation:
        """Return what the observer would find; a late cache has not seen the Deployment yet."""
        cluster = self.cluster
        workers = None
        if self.workers is not None and not late_cache:
            workers = TaskManagerFacts(self.workers.uid, True, self.workers.deleting, 1)
        if cluster is None or late_cache:
            return Observation(task_managers=workers, pods=self.remains and not late_cache)
        facts = JobManagerFacts(
            uid=cluster.uid,
            ours=True,
            generation=cluster.generation,
            deleting=cluster.deleting,
            available=cluster.available,
            age=1000.0,
        )
        facts = evolve(facts, available_for=900.0 if cluster.available else 0.0)
        rest = RestFacts()
        if cluster.available and not cluster.deleting:
            jobs = (job(cluster.job_state, cluster.job_id),) if cluster.job_id else ()
            rest = answered(*jobs)
        return Observation(job_manager=facts, task_managers=workers, rest=rest)

    def reconcile(
        self,
        *,
        crash_after: int | None = None,
        late_cache: bool = False,
        half_submit: bool = False,
    ) -> steps.Made:
        """Look, plan, act; dying after `crash_after` steps, or between the two Deployments."""
        self._dies_between = half_submit
        observation = self.observe(late_cache=late_cache)
        assessed = progress.assess(
            Subject(self.status, observation, self.spec, situation(self.spec).now)
        )
        at = self._situation(assessed.status, observation)
        asked = plan.plan(at)
        if asked == steps.Inquiry(Question.JOB_MANAGER) and self.cluster is not None:
            raise BusyError  # the API server knows better than the cache
        made = planned(at, remains=self.remains or self.cluster is not None)
        for done, step in enumerate(made.steps):
            if done == crash_after:
                raise CrashError
            self._do(step)
        if crash_after is not None and crash_after >= len(made.steps):
            raise CrashError
        self._write(made.status)
        return made

    def _situation(self, status: FlinkDeploymentStatus, observation: Observation) -> Situation:
        spec, generation = self.spec, self.generation
        recorded = record.last_reconciled(status)
        if self.user_mode is not UpgradeMode.STATELESS and recorded is not None:  # L-30
            upgrading = status.reconciliation_status.state is ReconciliationState.UPGRADING
            spec = with_job(recorded.spec, state=JobState.RUNNING) if upgrading else recorded.spec
            generation = status.observed_generation or generation
        return situation(
            spec,
            status,
            observation,
            generation=generation,
            diff=difference(status, spec),
            high_availability=self.high_availability,
            user_mode=self.user_mode,
            new_job_id=self._new_id,
        )

    def _new_id(self) -> str:
        self._made += 1
        return f"{self._made:032x}"

    def _write(self, status: FlinkDeploymentStatus) -> None:
        status = state.summarize(status, generation=self.generation, now="t", stall=None)
        before, after = self.status.lifecycle_state, status.lifecycle_state
        if not deployment_states.is_possible(before, after):
            self.broken.append(f"{before} became {after}")
        if status != self.status:
            self.writes += 1
            self.status = status

    def _do(self, step: steps.Step) -> None:
        match step:
            case steps.WriteAhead(status):
                self._write(status)
            case steps.DeleteCluster():
                self._delete_cluster(step)
            case steps.DeleteTaskManagers(uid):
                self._delete_workers(uid)
            case steps.RestoreTaskManagers(spec):
                self._make_workers(spec)
            case steps.DeleteHaMetadata() | steps.DropJobGraphs():
                if self.remains:
                    self.broken.append("metadata changed beside a JobManager")
                self.metadata = False
            case steps.Submit():
                self._submit(step)
            case _:
                pass

    def _delete_cluster(self, step: steps.DeleteCluster) -> None:
        if self.status.reconciliation_status.state is not ReconciliationState.UPGRADING:
            self.broken.append("deleted before it was written ahead")
        if self.cluster is None or self.cluster.uid != step.uid:
            return
        if step.foreground:
            self.cluster.deleting = True
        else:
            self._cluster_goes()

    def _delete_workers(self, uid: str) -> None:
        if self.workers is None or self.workers.uid != uid:
            return
        self.workers.deleting = True
        if self.high_availability and (self.cluster is not None or self.remains):
            self.broken.append("a JobManager with metadata lost its TaskManagers")

    def _submit(self, step: steps.Submit) -> None:
        if step.job_id != self.status.job_status.job_id:
            self.broken.append("submitted under an id that is not durable")
        if step.generation != self.status.observed_generation:
            self.broken.append("submitted for a generation that is not written ahead")
        recorded = record.last_reconciled(self.status)
        first = recorded is not None and recorded.first_deployment
        if self.user_mode is not UpgradeMode.STATELESS and not first:
            self.broken.append("a job with state was started without it")
        if self.cluster is not None:
            if self.cluster.generation == step.generation and not self.cluster.deleting:
                self._make_workers(step.spec)
                return  # adopted
            raise BusyError
        if self.remains:
            self.broken.append("started beside an old JobManager")
        if self.workers is not None:
            self.broken.append("started beside old TaskManagers")
        if self.metadata and step.job_id is not None:
            self.broken.append("started over metadata of an earlier run")
        self._made += 1
        uid = f"deployment-{self._made}"
        self.cluster = Cluster(uid, step.generation, step.job_id, step.spec.image)
        self._make_workers(step.spec)

    def _make_workers(self, spec: FlinkDeploymentSpec) -> None:
        if self._dies_between:
            raise CrashError
        if not self.is_standalone:
            return
        if self.workers is not None and self.workers.deleting:
            raise BusyError
        if self.workers is None:
            self._made += 1
            self.workers = Workers(f"deployment-{self._made}", spec.image)
