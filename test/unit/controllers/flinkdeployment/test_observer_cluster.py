"""When the observer asks Flink for cluster info and for exceptions, and what it says of the cluster's Deployments."""

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest
from fakes.deployments import NOW, OLD_ID, application, job, status_of

from flinkop.api.status import FlinkJobState, JobManagerDeploymentStatus as JobManager
from flinkop.controllers.flinkdeployment.observation import TaskManagerFacts
from flinkop.controllers.flinkdeployment.observer import Observer
from flinkop.events.draft import InvolvedObject
from flinkop.flink.checkpoints import Checkpoint, CheckpointStats, LatestCheckpoints
from flinkop.flink.models import ExceptionEntry, ExceptionHistory as Remembered
from flinkop.flink.states import JobState as FlinkState
from flinkop.kube.meta import Meta, ObjectKey, OwnerRef
from flinkop.kube.objects import Condition, DeploymentSpec, DeploymentStatus, DeploymentView
from flinkop.lifecycle.exception_looks import Known, Look
from flinkop.lifecycle.job_exceptions import Memory
from flinkop.stages import ha_metadata
from flinkop.stages.cluster_options import ClusterOptions
from flinkop.stages.exception_history import ExceptionHistory
from flinkop.stages.remains import Remains
from flinkop.stages.snapshots import Snapshots

APP = application()


class Flink:
    """A JobManager with a job and some TaskManagers; counts how often it is asked what."""

    def __init__(self) -> None:
        self.jobs = (job(FlinkState.RUNNING, running=0),)
        self.task_managers = 0
        self.read = 0
        self.exceptions_read = 0

    def within(self, _what: object) -> "Flink":
        return self

    once = within
    speaking = within

    async def jobs_overview(self) -> Any:
        return self.jobs

    async def config(self) -> Any:
        self.read += 1
        return SimpleNamespace(flink_version="1.20.5", flink_revision="abc")

    async def taskmanagers(self) -> Any:
        return ("tm",) * self.task_managers

    async def exceptions(self, _job_id: str) -> Any:
        self.exceptions_read += 1
        return Remembered(entries=(ExceptionEntry(timestamp=1, stacktrace="boom"),))

    async def checkpoint_stats(self, _job_id: str) -> Any:
        return CheckpointStats(latest=LatestCheckpoints(completed=Checkpoint(state_size=7)))


def deployment(**condition: Any) -> DeploymentView:
    """A JobManager Deployment of the resource, available unless told otherwise."""
    available = Condition(type="Available", **{"status": "True", **condition})
    owner = OwnerRef(api_version="", kind="FlinkDeployment", name="basic", uid="u")
    metadata = Meta(name="basic", namespace="ns", uid="d", owner_references=(owner,))
    up = available.status == "True"
    status = DeploymentStatus(available_replicas=int(up), conditions=(available,))
    return DeploymentView(metadata=metadata, status=status)


@pytest.fixture
def flink():
    """The JobManager's REST API."""
    return Flink()


class Scene:
    """One resource, looked at again and again."""

    def __init__(self, flink: Flink) -> None:
        self.found = deployment(last_transition_time="2025-12-31T23:59:55Z")
        self.task_managers: DeploymentView | None = None
        none = SimpleNamespace(get=lambda _key: None, by_index=lambda *_: ())
        deployments: Any = SimpleNamespace(get=self.deployment)
        lister: Any = none
        client: Any = flink
        kube: Any = None
        no_zookeeper: Any = None
        self.observer = Observer(
            deployments,
            lister,
            None,
            lister,
            lambda _c: client,
            kube,
            ha_metadata.HaMetadata(kube, no_zookeeper),
            ExceptionHistory(kube),
            Snapshots(None),
            lambda _found: None,
            Remains(kube),
        )

    def deployment(self, key: ObjectKey) -> DeploymentView | None:
        """The Deployment by that name."""
        return {"basic": self.found, "basic-taskmanager": self.task_managers}[key.name]

    async def look(
        self,
        state: FlinkJobState,
        *,
        ready: JobManager = JobManager.READY,
        after: float = 0.0,
        deleting: bool = False,
        known: Known | None = None,
    ) -> Any:
        """Observe with a status that says `state`, `after` seconds from now."""
        ctx: Any = SimpleNamespace(
            key=ObjectKey("ns", "basic"),
            about=InvolvedObject("", "FlinkDeployment", "ns", "basic", "u"),
            now=NOW + dt.timedelta(seconds=after),
            spec=APP,
            status=status_of(APP, job=state, job_manager=ready),
            deleting=deleting,
        )
        return await self.observer.observe(ctx, ClusterOptions(job_manager_cpu=0.5), known)


@pytest.fixture
def scene(flink):
    """The scene."""
    return Scene(flink)


async def test_task_managers_that_come_with_the_job_are_counted(flink, scene):
    """Nothing is asked while the job starts; when it runs they are counted, with its state's size."""
    first = await scene.look(FlinkJobState.RECONCILING, ready=JobManager.DEPLOYING)
    assert (first.rest.cluster_info, flink.read) == (None, 0)
    flink.jobs, flink.task_managers = (job(),), 2
    running = await scene.look(FlinkJobState.CREATED)
    assert running.rest.cluster_info["total-cpu"] == "2.5"
    assert running.rest.cluster_info["state-size"] == "7"


async def test_a_steady_cluster_is_asked_seldom(flink, scene):
    """Nothing started or ended: no more than every five minutes."""
    flink.jobs = (job(),)
    await scene.look(FlinkJobState.RUNNING)
    assert (await scene.look(FlinkJobState.RUNNING, after=299)).rest.cluster_info is None
    assert (await scene.look(FlinkJobState.RUNNING, after=300)).rest.cluster_info is not None
    assert flink.read == 2


async def test_a_job_that_ends_takes_its_task_managers_with_it(flink, scene):
    """Cluster info is read again, without a size of state."""
    flink.jobs = (job(),)
    await scene.look(FlinkJobState.RUNNING)
    flink.jobs = (job(FlinkState.FINISHED, running=0, finished=2),)
    info = (await scene.look(FlinkJobState.RUNNING, after=1)).rest.cluster_info
    assert info is not None
    assert "state-size" not in info


async def test_a_forgotten_resource_is_asked_anew(flink, scene):
    """Nothing is kept of what is gone."""
    flink.jobs = (job(),)
    await scene.look(FlinkJobState.RUNNING)
    scene.observer.forget(ObjectKey("ns", "basic"))
    await scene.look(FlinkJobState.RUNNING)
    assert flink.read == 2


async def test_how_long_a_jobmanager_is_available(scene):
    """From the condition's last change, not from the Deployment's creation."""
    facts = (await scene.look(FlinkJobState.RUNNING)).job_manager
    assert facts.available_for == pytest.approx(5.0)


@pytest.mark.parametrize(
    "found",
    [deployment(status="False", last_transition_time="2025-12-31T23:00:00Z"), deployment()],
    ids=["unavailable", "no time"],
)
async def test_no_time_of_being_available(scene, found):
    """0 while it is not, and where Kubernetes does not say since when."""
    scene.found = found
    assert (await scene.look(FlinkJobState.RUNNING)).job_manager.available_for == 0.0


@pytest.mark.parametrize(("owner", "ours"), [("u", True), ("other", False)])
async def test_task_managers_of_a_standalone_cluster(scene, owner, ours):
    """Found by their Deployment's name; whose they are is told by its owner alone."""
    assert (await scene.look(FlinkJobState.RUNNING)).task_managers is None
    owners = (OwnerRef(api_version="", kind="FlinkDeployment", name="basic", uid=owner),)
    metadata = Meta(name="basic-taskmanager", namespace="ns", uid="t", owner_references=owners)
    scene.task_managers = DeploymentView(metadata=metadata, spec=DeploymentSpec(replicas=3))
    facts = (await scene.look(FlinkJobState.RUNNING)).task_managers
    assert facts == TaskManagerFacts(uid="t", ours=ours, deleting=False, replicas=3)


async def test_exceptions_are_read_with_the_job(flink, scene):
    """What a look found goes to whoever remembers it, and is given to the next look."""
    flink.jobs = (job(),)
    found = (await scene.look(FlinkJobState.RUNNING)).rest.exceptions
    assert [one.stack_trace for one in found.exceptions] == ["boom"]
    known = Known(found.look, Memory(OLD_ID, 1))
    assert (await scene.look(FlinkJobState.RUNNING, known=known)).rest.exceptions is None
    assert flink.exceptions_read == 1


async def test_exceptions_of_a_job_that_had_ended_are_told_already(flink, scene):
    """O-34; unless this process saw it end, and may have read too early."""
    flink.jobs = (job(FlinkState.CANCELED),)
    other = Known(Look("other", -1, NOW), Memory("other", 1))
    for known in (None, other):
        assert (await scene.look(FlinkJobState.CANCELED, known=known)).rest.exceptions is None
    assert (await scene.look(FlinkJobState.RUNNING)).rest.exceptions is not None
    seen = Known(Look(OLD_ID, -1, NOW), Memory(OLD_ID, 1))
    assert (
        await scene.look(FlinkJobState.CANCELED, known=seen, after=5)
    ).rest.exceptions is not None


async def test_nobody_reads_of_exceptions_while_the_resource_goes(flink, scene):
    """Nor where the job is not found."""
    flink.jobs = (job(),)
    assert (await scene.look(FlinkJobState.RUNNING, deleting=True)).rest.exceptions is None
    flink.jobs = ()
    await scene.look(FlinkJobState.RUNNING)
    assert flink.exceptions_read == 0
