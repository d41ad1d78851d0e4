"""What another operator left behind (`test/golden/adoption`), and what flinkop makes of it, round after round.

The world is as small as it can be: one Deployment, the jobs its JobManager knows, HA metadata, a status. Decisions
are those of the operator's own pure rooms.
"""

from pathlib import Path
from typing import Any

import msgspec
import yaml
from attrs import define, evolve, field, frozen
from fakes.deployments import NOW, difference
from fakes.plans import planned

from flinkop.api import codec
from flinkop.api.common import JobState, UpgradeMode
from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.status import FlinkDeploymentStatus
from flinkop.builders import effective_conf
from flinkop.builders.identity import ClusterIdentity
from flinkop.config import flatten
from flinkop.config.flink_conf import FlinkConf
from flinkop.config.layers import ConfigLayers
from flinkop.config.snapshot import ConfigSnapshot
from flinkop.controllers.flinkdeployment import progress
from flinkop.controllers.flinkdeployment.assessed import Subject
from flinkop.controllers.flinkdeployment.observation import (
    NO_GENERATION,
    CheckpointFacts,
    JobManagerFacts,
    Observation,
    PodFailure,
    Rest,
    RestFacts,
    TaskManagerFacts,
)
from flinkop.controllers.flinkdeployment.planning import steps
from flinkop.controllers.flinkdeployment.planning.situation import Situation
from flinkop.flink.interpret import Done, Failed
from flinkop.flink.models import JobOverview, TaskCounts
from flinkop.flink.states import JobState as FlinkState
from flinkop.lifecycle import autoscaled, record, state
from flinkop.lifecycle.ha_metadata import HaFacts
from flinkop.stages import cluster_options
from flinkop.stages.cluster_options import ClusterOptions
from flinkop.stages.status_patch import merge_difference

FIXTURES = Path(__file__).parent.parent / "golden" / "adoption"
NAME = "basic"
FROM_METADATA = "HA"
"""How a start from HA metadata is told."""

_ROUNDS = 20
_LAYERS = ConfigLayers(FlinkConf({}))
_SETTINGS = ConfigSnapshot.make(FlinkConf({}), {}, {})


def names(pattern: str = "*") -> list[str]:
    """Return the names of the fixtures that match."""
    return sorted(path.stem for path in FIXTURES.glob(f"{pattern}.yaml"))


def load(name: str) -> "Fixture":
    """Read a fixture."""
    text = (FIXTURES / f"{name}.yaml").read_text(encoding="utf-8")
    return Fixture(name, yaml.load(text, Loader=yaml.CSafeLoader))


@define
class Fixture:
    """One resource as another operator left it, what there is besides, and what is to come of it."""

    name: str
    document: dict[str, Any]

    @property
    def expect(self) -> dict[str, Any]:
        """What is to come of it."""
        found: dict[str, Any] = self.document["expect"]
        return found

    @property
    def generation(self) -> int:
        """`metadata.generation`."""
        found: int = self.document["generation"]
        return found

    @property
    def spec(self) -> FlinkDeploymentSpec:
        """The user's spec."""
        return codec.decode_flinkdeployment_spec(msgspec.json.encode(self.document["spec"]))

    @property
    def status(self) -> FlinkDeploymentStatus:
        """The status as it was left."""
        return codec.decode_flinkdeployment_status(msgspec.json.encode(self.document["status"]))


@define
class Start:
    """A job that was started: its id, what from, and with which arguments."""

    job_id: str | None
    source: str | None
    args: tuple[str, ...]


@frozen
class Left:
    """What an operator has left behind that died after one of its steps."""

    status: dict[str, Any]
    deployment: dict[str, Any] | None
    jobs: list[dict[str, Any]]
    metadata: str | None
    newest: str | None


@define
class World:
    """All there is of one resource.

    Attributes:
        deployment: the JobManager Deployment: its `generation`, whether it is `silent` or `failing`.
        jobs: what the JobManager lists.
        metadata: id of the job whose HA metadata exists.
        newest: the newest restore point of the job, where it is known.
        starts: the jobs that were started.
        deletes: how many clusters were deleted.
        left: what was left behind after each step.
    """

    fixture: Fixture
    spec: FlinkDeploymentSpec = field(init=False)
    generation: int = field(init=False)
    status: FlinkDeploymentStatus = field(init=False)
    deployment: dict[str, Any] | None = field(init=False)
    jobs: list[dict[str, Any]] = field(init=False)
    metadata: str | None = field(init=False)
    newest: str | None = field(init=False)
    starts: list[Start] = field(factory=list)
    deletes: int = 0
    reasons: list[str] = field(factory=list)
    left: list[Left] = field(factory=list)
    _made: int = 0

    def __attrs_post_init__(self) -> None:
        cluster = self.fixture.document["cluster"]
        self.spec, self.generation = self.fixture.spec, self.fixture.generation
        self.status = self.fixture.status
        self.deployment = dict(cluster["deployment"]) if cluster["deployment"] else None
        self.jobs = [dict(job) for job in cluster["jobs"]]
        self.metadata = cluster["ha"]["job"] if cluster["ha"] else None
        self.newest = self.jobs[0].get("checkpoint") if self.jobs else None

    def settle(self) -> "World":
        """Reconcile until nothing happens any more."""
        for _ in range(_ROUNDS):
            before = (self.status, self.deployment, list(self.jobs), self.metadata)
            self.round()
            if before == (self.status, self.deployment, list(self.jobs), self.metadata):
                return self
        raise AssertionError(f"it does not settle: {self.reasons}")

    def round(self) -> steps.Plan:
        """Look, plan, act, as one reconcile."""
        status = record.with_generation(self.status)
        recorded = record.last_reconciled(status)
        spec, deployed = self.spec, progress.deployed_spec(status) or self.spec
        if recorded is not None and autoscaled.has_decisions(recorded.spec):
            conf = FlinkConf(flatten.flatten(spec.flink_configuration))
            spec = autoscaled.kept(spec, recorded.spec, conf)
        options = _options(deployed, spec)
        seen = self._observe(status)
        subject = Subject(status, seen, spec, NOW, options=options)
        status = progress.assess(subject).status
        metadata = self.metadata is not None
        made = planned(
            self._situation(spec, status, seen, options),
            ha=HaFacts(available=metadata, has_checkpoint=metadata),
            checkpoints=CheckpointFacts(self._newest(status)),
        )
        self.reasons.append(made.reason)
        for step in made.steps:
            self._do(step)
            self._leave()
        self._write(made.status, made)
        self._leave()
        return made

    def found(self, left: Left) -> "World":
        """Begin again from what somebody left behind."""
        self.status = codec.decode_flinkdeployment_status(msgspec.json.encode(left.status))
        self.deployment = dict(left.deployment) if left.deployment else None
        self.jobs = [dict(job) for job in left.jobs]
        self.metadata, self.newest = left.metadata, left.newest
        return self

    def change(self, spec: FlinkDeploymentSpec) -> "World":
        """The user applies another spec."""
        self.spec = spec
        self.generation += 1
        return self

    def written(self) -> dict[str, Any]:
        """Return the merge patch that was written of the status altogether."""
        before = codec.encode_status(self.fixture.status)
        document = self.fixture.document["status"]
        if "lifecycleState" not in document:  # has a default when it is read
            before.pop("lifecycleState")
        return merge_difference(before, codec.encode_status(self.status))

    # --- seeing

    def _situation(
        self,
        spec: FlinkDeploymentSpec,
        status: FlinkDeploymentStatus,
        seen: Observation,
        options: ClusterOptions,
    ) -> Situation:
        job = self.spec.job
        conf = FlinkConf(flatten.flatten(spec.flink_configuration))
        return Situation(
            namespace="ns",
            name=NAME,
            created=NOW,
            spec=spec,
            generation=self.generation,
            status=status,
            observation=seen,
            now=NOW,
            new_job_id=lambda: self._fresh("new"),
            new_trigger_id=lambda: self._fresh("trigger"),
            diff=difference(status, spec),
            task_managers=1 if job else None,
            options=options,
            wants_ha=effective_conf.is_ha(conf),
            user_mode=job.upgrade_mode if job else UpgradeMode.STATELESS,
            last_error=self.status.error,
            last_job_manager=self.status.job_manager_deployment_status,
        )

    def _observe(self, status: FlinkDeploymentStatus) -> Observation:
        found = self.deployment
        if found is None:
            return Observation(snapshots=())
        up = "failing" not in found and found.get("up", True)
        generation = found["generation"]
        facts = JobManagerFacts(
            uid="deployment",
            ours=True,
            generation=NO_GENERATION if generation is None else generation,
            deleting=False,
            available=up,
            age=1000.0,
            available_for=1000.0 if up else 0.0,
        )
        failure = PodFailure(found["failing"], "it fails") if "failing" in found else None
        workers = found.get("taskManagers")
        return Observation(
            job_manager=facts,
            task_managers=TaskManagerFacts("workers", True, False, workers) if workers else None,
            pod_failure=failure,
            rest=self._ask(status, silent=bool(found.get("silent"))) if up else RestFacts(),
            snapshots=(),
        )

    def _ask(self, status: FlinkDeploymentStatus, *, silent: bool) -> RestFacts:
        if silent:
            return RestFacts(Rest.ABSENT)
        jobs = tuple(_overview(job) for job in self.jobs)
        own = next((job for job in self.jobs if job["id"] == status.job_status.job_id), None)
        if own is None:
            return RestFacts(Rest.ANSWERED, jobs=jobs)
        checkpoints = None
        if FlinkState(own["state"]).is_terminal:
            checkpoints = CheckpointFacts(own.get("checkpoint"))
        info = status.job_status.savepoint_info
        return RestFacts(
            Rest.ANSWERED,
            jobs=jobs,
            checkpoints=checkpoints,
            savepoint=_savepoint(own, info.trigger_id if info else None),
        )

    def _newest(self, status: FlinkDeploymentStatus) -> str | None:
        found = (job for job in self.jobs if job["id"] == status.job_status.job_id)
        return next((job.get("checkpoint") for job in found), None)

    # --- acting

    def _do(self, step: steps.Step) -> None:
        match step:
            case steps.WriteAhead(status):
                self._write(status)
            case steps.CancelJob(job_id):
                self._end(job_id)
            case steps.DeleteCluster():
                self.deployment, self.jobs = None, []
                self.deletes += 1
            case steps.DeleteHaMetadata():
                self.metadata = None
            case steps.Submit():
                self._submit(step)
            case steps.StopJob():
                self._stop(step)
            case steps.TriggerSavepoint() | steps.RestoreTaskManagers():
                raise AssertionError(f"not foreseen: {step}")
            case _:
                pass

    def _end(self, job_id: str) -> None:
        for job in self.jobs:
            if job["id"] == job_id:
                job["state"] = FlinkState.CANCELED
                self.metadata = None

    def _stop(self, step: steps.StopJob) -> None:
        for job in self.jobs:
            if job["id"] == step.job_id:
                path = f"{step.directory}/savepoint-{step.trigger_id}"
                job["state"] = FlinkState.FINISHED
                job["checkpoint"] = self.newest = path
                job["savepoint"] = {"trigger": step.trigger_id, "path": path}
                self.metadata = None

    def _submit(self, step: steps.Submit) -> None:
        if self.deployment is not None:
            assert self.deployment["generation"] == step.generation, "another one is in the way"
            return
        assert self.status.job_status.job_id == step.job_id, "submitted under an id not written"
        source = step.savepoint_path
        if self.metadata is not None and step.spec.job is not None:
            assert step.job_id == self.metadata, "it would not find its metadata"
            source = FROM_METADATA
        if self.newest is not None and step.spec.job is not None:
            assert source in (FROM_METADATA, self.newest), f"{source} is not the newest"
        args = step.spec.job.args if step.spec.job else ()
        self.starts.append(Start(step.job_id, source, args))
        self.deployment = {"generation": step.generation}
        if step.job_id is not None:
            self._made += 1
            self.newest = f"file:/data/checkpoints/{step.job_id}/chk-{self._made}"
            self.jobs = [
                {"id": step.job_id, "state": FlinkState.RUNNING, "checkpoint": self.newest}
            ]
            if self._keeps_metadata(step.spec):
                self.metadata = step.job_id

    def _keeps_metadata(self, spec: FlinkDeploymentSpec) -> bool:
        return effective_conf.is_ha(FlinkConf(flatten.flatten(spec.flink_configuration)))

    def _write(self, status: FlinkDeploymentStatus, made: steps.Plan | None = None) -> None:
        job = self.spec.job
        self.status = state.summarize(
            status,
            generation=self.generation,
            now="2026-01-01T00:00:00Z",
            stall=made.stall if made else None,
            note=made.note if made else None,
            suspended=job is not None and job.state is JobState.SUSPENDED,
        )

    def _leave(self) -> None:
        left = Left(
            status=codec.encode_status(self.status),
            deployment=dict(self.deployment) if self.deployment else None,
            jobs=[dict(job) for job in self.jobs],
            metadata=self.metadata,
            newest=self.newest,
        )
        if not self.left or self.left[-1] != left:
            self.left.append(left)

    def _fresh(self, what: str) -> str:
        self._made += 1
        return f"{what}-{self._made}"


def _savepoint(job: dict[str, Any], trigger: str | None) -> Done | Failed | None:
    if not trigger:
        return None
    taken = job.get("savepoint")
    if taken is not None and taken["trigger"] == trigger:
        return Done(taken["path"])
    return Failed("no such savepoint", "", unknown=True)


def _overview(job: dict[str, Any]) -> JobOverview:
    return JobOverview(
        jid=job["id"],
        name=job.get("name", "State machine job"),
        state=FlinkState(job["state"]),
        start_time=job.get("start", 1767222010000),
        tasks=TaskCounts(total=2, running=2, finished=0),
    )


def options_of(fixture: Fixture) -> ClusterOptions:
    """Return the options of the cluster that runs."""
    return _options(progress.deployed_spec(fixture.status) or fixture.spec, fixture.spec)


def _options(deployed: FlinkDeploymentSpec, current: FlinkDeploymentSpec) -> ClusterOptions:
    identity = ClusterIdentity("ns", NAME, "uid", 1)
    base = _LAYERS.effective("ns", deployed.flink_version)
    conf = effective_conf.observe_conf(base, identity, deployed, current)
    options = cluster_options.from_conf(conf, _SETTINGS, _SETTINGS.operator)
    return evolve(options, health=None)
