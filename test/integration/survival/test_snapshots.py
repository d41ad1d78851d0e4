"""Snapshots when the operator is killed around any of its writes, and when their CRD comes and goes."""

import asyncio
import signal

import pytest
from fakes.faultrules import Hold, Match
from fakes.operators import apart
from fakes.survivalstage import CRDS, install_crds, staged

from flinkop.kube.meta import FLINKSTATESNAPSHOTS

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

DIRECTORY = {"execution.checkpointing.savepoint-dir": "file:///data/savepoints"}
CRD = f"{CRDS}/flinkstatesnapshots.flink.apache.org.yaml"


async def make_snapshot(stage, name):
    """Ask for a savepoint of the job `one`."""
    body = {
        "apiVersion": FLINKSTATESNAPSHOTS.api_version,
        "kind": FLINKSTATESNAPSHOTS.kind,
        "metadata": {"name": name},
        "spec": {
            "jobReference": {"kind": "FlinkDeployment", "name": "one"},
            "savepoint": {},
            "backoffLimit": 0,
        },
    }
    return await stage.client.create(FLINKSTATESNAPSHOTS, stage.namespace, body)


async def completed(stage, name):
    """Wait until a snapshot is COMPLETED; returns its path."""
    witness = stage.witness
    await witness.until(
        lambda: witness.snapshot(name).get("state") == "COMPLETED", what=f"{name} COMPLETED"
    )
    return witness.snapshot(name)["path"]


def savepoints(stage):
    """Paths of all savepoints that Flink has."""
    return {one.path for one in stage.sim.world.storage.all() if one.is_savepoint}


def triggers(stage):
    """How often Flink was asked for a savepoint."""
    cluster = stage.sim.world.clusters[stage.namespace, "one"]
    return cluster.recorder.counts().get("POST /jobs/:jobid/savepoints", 0)


async def kill_at(stage, operator, name, match, nth, *, after):
    """Hold a write, before it is made or before its answer arrives, and kill the operator meanwhile."""
    rule = stage.proxy.add(match, Hold(after=after), nth=nth)
    asked = len(stage.proxy.log.select(match))
    await make_snapshot(stage, name)
    await stage.proxy.log.wait_for(lambda _: rule.applied)
    if after:  # the API server has made it
        await stage.proxy.log.wait_for(
            lambda log: any(e.upstream_status for e in log.select(match)[asked + nth - 1 :])
        )
    operator.signal(signal.SIGKILL)
    await operator.until_ended()
    stage.proxy.clear()


async def test_killed_between_the_status_and_the_trigger(stage):
    """The next operator finds the id in the status, and asks Flink for it for the first time."""
    status = Match(verb="patch", resource="flinkstatesnapshots", subresource="status")
    async with apart(stage.setup) as operator:
        await stage.create(flinkConfiguration=DIRECTORY)
        await stage.stable()
        await kill_at(stage, operator, "s", status, 1, after=True)
    await stage.witness.until(lambda: stage.witness.snapshot("s").get("triggerId"))
    chosen = stage.witness.snapshot("s")
    assert chosen["state"] == "IN_PROGRESS"
    assert triggers(stage) == 0
    async with apart(stage.setup):
        path = await completed(stage, "s")
    assert stage.witness.snapshot("s")["triggerId"] == chosen["triggerId"]
    assert savepoints(stage) == {path}
    assert triggers(stage) == 1


async def test_killed_around_each_of_its_writes(stage):
    """Each snapshot is taken once, and none has a savepoint that nobody knows of."""
    async with apart(stage.setup):
        await stage.create(flinkConfiguration=DIRECTORY)
        await stage.stable()
    paths = set()
    for nth in range(1, 6):
        for after in (False, True):
            name = f"s-{nth}-{'after' if after else 'before'}"
            match = Match(resource="flinkstatesnapshots", name=name, write=True)
            async with apart(stage.setup) as operator:
                await operator.until_said("Up: controllers")
                await kill_at(stage, operator, name, match, nth, after=after)
            async with apart(stage.setup):
                paths.add(await completed(stage, name))
            assert savepoints(stage) == paths, name
    assert len(paths) == 10


async def test_their_crd_comes_after_the_operator(bare_plane, tmp_path):
    """Without it the option counts as false, which is said; once it is there snapshots are taken."""
    await asyncio.to_thread(install_crds, bare_plane)
    await asyncio.to_thread(bare_plane.kubectl, "delete", "-f", CRD, "--wait")
    async with staged(bare_plane, tmp_path) as stage, apart(stage.setup) as operator:
        said = await operator.until_said("FlinkStateSnapshots cannot be used")
        assert "kubernetes.operator.snapshot.resource.enabled counts as false" in said["event"]
        await stage.create(flinkConfiguration=DIRECTORY)
        await stage.stable()
        await asyncio.to_thread(install_crds, bare_plane)
        await make_snapshot(stage, "s")
        assert await completed(stage, "s") in savepoints(stage)
        assert len(operator.said("FlinkStateSnapshots cannot be used")) == 1
        assert operator.code is None
