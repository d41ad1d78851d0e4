"""The process is killed between the two Deployments of standalone clusters, and at every step beside."""

import signal

import attrs
import pytest
from fakes.faultrules import Hold, Match
from fakes.operators import apart

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

PARALLEL = {"kubernetes.operator.reconcile.parallelism": "100"}
HA = {
    "high-availability.type": "kubernetes",
    "high-availability.storageDir": "file:///data/ha",
}
REACTIVE = {"scheduler-mode": "reactive"}


def workers(name):
    return f"{name}-taskmanager"


def made(name, **match):
    """The creation of an object with exactly this name."""
    return Match(
        verb="create",
        where=lambda r: "dryRun" not in r.query,
        body=lambda body: body["metadata"].get("name") == name,
        **match,
    )


def status(name):
    return Match(verb="patch", resource="flinkdeployments", subresource="status", name=name)


def removed(deployment):
    return Match(verb="delete", resource="deployments", name=deployment)


def starting(name):
    """The writes of a first deployment, each with which of its kind is meant."""
    return [
        (status(name), 1),
        (made(name, resource="deployments"), 1),
        (made(name, resource="services"), 1),
        (made(f"flink-config-{name}", resource="configmaps"), 1),
        (made(workers(name), resource="deployments"), 1),
        (status(name), 2),
    ]


def restarting(name):
    """The writes of a restart."""
    return [
        (status(name), 1),
        (removed(name), 1),
        (removed(workers(name)), 1),
        (made(name, resource="deployments"), 1),
        (made(workers(name), resource="deployments"), 1),
        (status(name), 2),
    ]


def scaling(name):
    """The writes of a change of scale."""
    scale = Match(verb="patch", resource="deployments", subresource="scale", name=workers(name))
    return [(scale, 1), (status(name), 1)]


def ending(name):
    """The writes of a deletion that make a difference."""
    return [(removed(name), 1), (removed(workers(name)), 1)]


def stuck(prefix, way):
    """Names of resources, and for each where it gets stuck: at each step, before the deed and after it."""
    return {
        f"{prefix}-{step}-{'after' if after else 'before'}": (step, after)
        for step in range(len(way("x")))
        for after in (False, True)
    }


def hold(proxy, way, resources):
    """Hold each resource where it is to get stuck."""
    rules = []
    for name, (step, after) in resources.items():
        match, nth = way(name)[step]
        rules.append(proxy.add(match, Hold(after=after), nth=nth))
    return rules


async def kill_when_stuck(stage, operator, rules):
    """Wait until each rule holds something, then kill the operator."""
    await stage.proxy.log.wait_for(lambda _: all(rule.applied for rule in rules))
    operator.signal(signal.SIGKILL)
    await operator.until_ended()
    stage.proxy.clear()


def assert_whole(stage, name, starts=1):
    """As many of each Deployment as there were starts, a run of the job in each, the last one lives."""
    assert len(stage.uids(name)) == starts, name
    assert len(stage.uids(workers(name))) == starts, name
    assert stage.witness.generation(name) == str(starts)
    assert stage.witness.deployment(workers(name)) is not None
    runs = stage.runs(name)
    assert len(runs) == starts, name
    assert runs[-1]["job_id"] == stage.witness.status(name)["jobStatus"]["jobId"]


@pytest.fixture
def setup(stage):
    """An operator that has many reconciles under way at once."""
    return attrs.evolve(stage.setup, conf={**stage.setup.conf, **PARALLEL})


async def test_killed_while_clusters_are_made(stage, setup):
    """The next process makes what is missing, and nothing twice."""
    resources = stuck("new", starting)
    rules = hold(stage.proxy, starting, resources)
    async with apart(setup) as operator:
        for name in resources:
            await stage.create(name, mode="standalone")
        await kill_when_stuck(stage, operator, rules)
    async with apart(setup):
        await stage.stable(*resources)
    for name in resources:
        assert_whole(stage, name)
    assert stage.sim.world.summary()["doubled"] == 0


@pytest.mark.parametrize("conf", [{}, HA], ids=["no HA", "HA"])
async def test_killed_while_clusters_are_replaced(stage, setup, conf):
    """Both old Deployments go before a new one comes, whoever deletes them."""
    resources = stuck("old", restarting)
    async with apart(setup) as operator:
        for name in resources:
            await stage.create(name, mode="standalone", flinkConfiguration=conf)
        await stage.stable(*resources)
        rules = hold(stage.proxy, restarting, resources)
        for name in resources:
            await stage.change(name, restartNonce=1)
        await kill_when_stuck(stage, operator, rules)
    async with apart(setup):
        await stage.stable(*resources, generation=2)
    for name in resources:
        assert_whole(stage, name, starts=2)
    assert stage.sim.world.summary()["doubled"] == 0


async def test_killed_while_clusters_are_scaled(stage, setup):
    """Scaled once or twice to the same number: the jobs go on."""
    resources = stuck("wide", scaling)
    spec = {"mode": "standalone", "taskManager": {"replicas": 1}, "flinkConfiguration": REACTIVE}
    async with apart(setup) as operator:
        for name in resources:
            await stage.create(name, **spec)
        await stage.stable(*resources)
        rules = hold(stage.proxy, scaling, resources)
        for name in resources:
            await stage.change(name, taskManager={"replicas": 2})
        await kill_when_stuck(stage, operator, rules)
    async with apart(setup):
        await stage.stable(*resources, generation=2)
    for name in resources:
        assert_whole(stage, name)
        assert stage.witness.deployment(workers(name)).spec.replicas == 2


async def test_killed_while_clusters_are_deleted(stage, setup):
    """The resource goes when both Deployments are gone."""
    ends = stuck("gone", ending)
    async with apart(setup) as operator:
        for name in ends:
            await stage.create(name, mode="standalone", flinkConfiguration=HA)
        await stage.stable(*ends)
        rules = hold(stage.proxy, ending, ends)
        for name in ends:
            await stage.delete(name)
        await kill_when_stuck(stage, operator, rules)
    async with apart(setup):
        await stage.witness.until(lambda: not any(map(stage.witness.resource, ends)))
    for name in ends:
        assert stage.witness.deployment(name) is None
        assert stage.witness.deployment(workers(name)) is None
