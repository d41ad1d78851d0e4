"""flinksim on a real API server: pods that kwok runs become clusters, and clusters act on Kubernetes."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from fakes.flinkcluster import APPLICATION, HA, config_map, deploy, deployment, job_id, undeploy
from flinksim.server import simulation

from flinkop.flink import interpret
from flinkop.flink.address import Cluster, Template
from flinkop.flink.interpret import Done
from flinkop.flink.rest import FlinkClient
from flinkop.flink.transport import direct_transports
from flinkop.kube import config
from flinkop.kube.client import KubeClient
from flinkop.kube.errors import ApiError
from flinkop.kube.meta import CONFIGMAPS, DEPLOYMENTS, EVENTS, PODS, ObjectKey

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

ROOT = Path(__file__).parents[3]
ID = job_id(1)
APP = {**APPLICATION, "$internal.pipeline.job-id": ID}


async def eventually(look, seconds=30.0):
    """What `look` returns once that is something."""
    async with asyncio.timeout(seconds):
        while True:
            if found := await look():
                return found
            await asyncio.sleep(0.02)


class World:
    """A namespace with its simulation, and what tests ask about it."""

    def __init__(self, kube, namespace, sim, transports):
        self.kube, self.namespace, self.sim = kube, namespace, sim
        self._transports = transports

    def flink(self, name):
        return FlinkClient(self._transports(Cluster(self.namespace, name))).once(2.0)

    def cluster(self, name):
        return self.sim.world.cluster(self.namespace, name)

    async def deploy(self, name, conf, **annotations):
        await deploy(self.kube, self.namespace, name, conf, annotations)

    async def running(self, name):
        """The job, once all its tasks run."""

        async def look():
            leader = self.cluster(name).leader
            found = [job for job in leader.jobs.values() if job.tasks_running] if leader else []
            return found and found[0]

        return await eventually(look)

    async def pods(self, name, component="jobmanager"):
        selector = f"app={name},component={component}"
        return (await self.kube.list_all(PODS, self.namespace, label_selector=selector)).items

    async def ha_maps(self, name):
        page = await self.kube.list_all(
            CONFIGMAPS, self.namespace, label_selector=f"app={name},configmap-type"
        )
        return {one["metadata"]["name"]: one["data"] for one in page.items}

    async def checkpointed(self, name):
        """The newest checkpoint that is in the job's ConfigMap."""

        async def look():
            data = (await self.ha_maps(name)).get(f"{name}-{ID}-config-map", {})
            return [key for key in data if key.startswith("checkpointID-")]

        return (await eventually(look))[0]

    async def pod_deleted(self, name):
        """Delete the JobManager's pod and wait until another one runs the job."""
        (pod,) = await self.pods(name)
        await self.kube.delete(PODS, ObjectKey(self.namespace, pod["metadata"]["name"]))

        async def look():
            leader = self.cluster(name).leader
            return leader is not None and leader.uid != pod["metadata"]["uid"]

        await eventually(look)
        return await self.running(name)

    def runs(self, name):
        return self.cluster(name).dump()["runs"][""]


async def world_of(control_plane, namespace, **options):
    """Everything started, to be used as `async for`."""
    credentials = await config.load(str(control_plane.kubeconfig))
    async with (
        KubeClient(credentials, user_agent="test") as kube,
        simulation(kube, namespaces=[namespace], **options) as sim,
        direct_transports(Template(sim.url + "/{namespace}/{name}")) as transports,
    ):
        yield World(kube, namespace, sim, transports)
    for _ in range(5):
        await asyncio.sleep(0.01)  # closed connections take some turns of the loop to be gone


@pytest.fixture
async def world(control_plane, namespace):
    async for made in world_of(control_plane, namespace):
        yield made


@pytest.fixture
async def world_with_pods(control_plane, namespace):
    async for made in world_of(control_plane, namespace, task_managers="pods"):
        yield made


async def test_application_runs(world):
    """A Deployment and its ConfigMap make a job that runs and is found by its id."""
    await world.deploy("a", APP)
    await world.running("a")
    (job,) = await world.flink("a").jobs_overview()
    assert (job.jid, interpret.running_state(job)) == (ID, "RUNNING")
    assert not await world.ha_maps("a")


async def test_late_configuration(world):
    """A JobManager waits for its ConfigMap, which comes after its Deployment."""
    await world.kube.create(DEPLOYMENTS, world.namespace, deployment("a"))
    await eventually(lambda: _available(world, "a"))
    assert world.cluster("a").leader is None
    await world.kube.create(CONFIGMAPS, world.namespace, config_map("a", APP))
    await world.running("a")


async def test_recovery_from_ha(world):
    """A deleted JobManager pod is followed by one that recovers from the ConfigMaps, with nothing lost."""
    await world.deploy("a", {**APP, **HA})
    await world.running("a")
    await world.checkpointed("a")
    job = await world.pod_deleted("a")
    assert job.submission.restore is not None
    assert [run["lost"] for run in world.runs("a")] == [0, 0]
    assert not world.sim.world.ledger.doubled


async def test_start_from_scratch_without_ha(world):
    """Without HA the next JobManager's job starts empty."""
    await world.deploy("a", APP)
    await world.running("a")
    job = await world.pod_deleted("a")
    assert job.submission.restore is None


async def test_last_state_over_a_deleted_deployment(world):
    """HA ConfigMaps outlive the Deployment, and a new one goes on from them."""
    await world.deploy("a", {**APP, **HA})
    await world.running("a")
    await world.checkpointed("a")
    await undeploy(world.kube, world.namespace, "a")

    async def gone():
        return not await world.pods("a") and not world.cluster("a").jobmanagers

    await eventually(gone)
    assert not await world.flink("a").answers()
    assert set(await world.ha_maps("a")) == {"a-cluster-config-map", f"a-{ID}-config-map"}
    await eventually(lambda: _deployment_gone(world, "a"))
    await world.deploy("a", {**APP, **HA})
    job = await world.running("a")
    assert job.submission.restore is not None
    assert world.runs("a")[-1]["lost"] == 0


async def _deployment_gone(world, name):
    try:
        await world.kube.get(DEPLOYMENTS, ObjectKey(world.namespace, name))
    except ApiError:
        return True
    return False


async def test_stop_with_savepoint_cleans_ha(world):
    """After a stop only the leaders stay in HA, and the savepoint is named."""
    await world.deploy("a", {**APP, **HA})
    await world.running("a")
    flink = world.flink("a")
    request = await flink.stop_with_savepoint(ID, target=None)

    async def stopped():
        outcome = interpret.stop_outcome(await flink.savepoint_status(ID, request))
        return None if isinstance(outcome, interpret.Pending) else outcome

    assert isinstance(await eventually(stopped), Done)

    async def cleaned():
        maps = await world.ha_maps("a")
        return set(maps) == {"a-cluster-config-map"} and not any(
            "jobGraph" in key for key in maps["a-cluster-config-map"]
        )

    await eventually(cleaned)


async def test_annotation_orders(world):
    """A pod's annotation can hold orders."""
    await world.deploy("a", APP, **{"flinksim/control": '{"rate": 5, "delays": {"checkpoint": 1}}'})
    await world.running("a")
    assert world.cluster("a").knobs().rate == 5


def waiting(pod):
    return [
        status.get("state", {}).get("waiting", {}).get("reason")
        for status in pod["status"].get("containerStatuses", [])
    ]


@pytest.mark.parametrize("reason", ["ImagePullBackOff", "CrashLoopBackOff", "FailedMount"])
async def test_held_pods(world, reason):
    """A JobManager pod is kept from running with a reason, and runs when the order is taken back."""
    world.sim.world.order("*", "a", {"pod": reason, "pod_message": "as ordered"})
    await world.deploy("a", APP)
    shown = "ContainerCreating" if reason == "FailedMount" else reason

    async def held():
        found = await world.pods("a")
        return bool(found) and found[0]["spec"].get("nodeName") and waiting(found[0]) == [shown]

    await eventually(held)
    assert not await world.flink("a").answers()
    if reason == "FailedMount":

        async def event():
            page = await world.kube.list_all(
                EVENTS, world.namespace, field_selector="reason=FailedMount"
            )
            return [one["message"] for one in page.items]

        assert "as ordered" in await eventually(event)
    world.sim.world.order("*", "a", {"pod": None})
    await world.running("a")
    await eventually(lambda: _available(world, "a"))


async def _available(world, name):
    found = await world.kube.get(DEPLOYMENTS, ObjectKey(world.namespace, name))
    return found["status"].get("availableReplicas")


async def test_running_pod_is_held(world):
    """An order for a pod that runs already takes its JobManager down, and it comes back afterwards."""
    await world.deploy("a", APP)
    await world.running("a")
    await eventually(lambda: _available(world, "a"))
    world.sim.world.order(world.namespace, "a", {"pod": "CrashLoopBackOff"})

    async def unavailable():
        return not await _available(world, "a")

    await eventually(unavailable)
    assert not await world.flink("a").answers()
    world.sim.world.order(world.namespace, "a", {"pod": None})
    await world.running("a")


async def test_task_manager_pods(world_with_pods):
    """Task managers are pods of the Deployment, a lost one is replaced, and all go with it."""
    world = world_with_pods
    await world.deploy("a", {**APP, "parallelism.default": "3"})
    job = await world.running("a")
    pods = {pod["metadata"]["name"]: pod for pod in await world.pods("a", "taskmanager")}
    assert set(pods) == {"a-taskmanager-1-1", "a-taskmanager-1-2"}
    owner = pods["a-taskmanager-1-1"]["metadata"]["ownerReferences"][0]
    assert (owner["kind"], owner["name"], owner["controller"]) == ("Deployment", "a", True)
    await world.kube.delete(PODS, ObjectKey(world.namespace, "a-taskmanager-1-1"))

    async def replaced():
        return job.restarts == 1 and job.tasks_running

    await eventually(replaced)
    assert {pod["metadata"]["name"] for pod in await world.pods("a", "taskmanager")} >= {
        "a-taskmanager-1-3"
    }
    await undeploy(world.kube, world.namespace, "a")

    async def gone():
        return not await world.pods("a", "taskmanager")

    await eventually(gone)


async def test_killed_container(world):
    """A killed JobManager is seen as a restart of its container."""
    await world.deploy("a", {**APP, **HA})
    await world.running("a")
    world.sim.world.order(world.namespace, "a", {"jobmanager": "kill"})
    await world.running("a")

    async def restarted():
        (pod,) = await world.pods("a")
        return pod["status"]["containerStatuses"][0]["restartCount"] == 1

    await eventually(restarted)


async def test_application_that_deletes_itself(world):
    """Without the option to stay, the Deployment is gone after the job's end."""
    await world.deploy("a", {**APP, "execution.shutdown-on-application-finish": "true"})
    await world.running("a")
    world.sim.world.order(world.namespace, "a", {"job": "finish"})
    await eventually(lambda: _deployment_gone(world, "a"))


async def test_as_a_program(control_plane, namespace):
    """The program says where it is once it listens, and ends cleanly on SIGTERM."""
    path = os.pathsep.join((str(ROOT), str(ROOT / "test")))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *(
            "-m",
            "flinksim",
            "--kubeconfig",
            str(control_plane.kubeconfig),
            "--namespaces",
            namespace,
        ),
        env={**os.environ, "PYTHONPATH": path},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(30):
            assert process.stdout is not None
            async for line in process.stdout:
                if line.startswith(b"flinksim ready at http://127.0.0.1:"):
                    break
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
