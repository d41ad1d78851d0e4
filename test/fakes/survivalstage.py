"""A place to try an operator in: namespaces, a simulated Flink, a fault proxy, and an onlooker."""

import asyncio
import contextlib

import attrs
from fakes import kubeconfigs
from fakes.controlplane import ControlPlane, unique_name
from fakes.faultproxy import FaultProxy
from fakes.flinkuser import app
from fakes.leanapi import CRS
from fakes.operators import Setup, apart
from fakes.programs import ROOT
from fakes.witness import Witness
from flinksim.server import Simulation, simulation

from flinkop.kube import config, errors
from flinkop.kube.client import KubeClient
from flinkop.kube.meta import (
    FLINKDEPLOYMENTS,
    FLINKSESSIONJOBS,
    FLINKSTATESNAPSHOTS,
    NAMESPACES,
    ObjectKey,
    ResourceType,
)

SERVICE_ACCOUNTS = ResourceType("", "v1", "serviceaccounts", "ServiceAccount")
QUICK = {
    "kubernetes.operator.retry.initial.interval": "1 s",
    "kubernetes.operator.observer.progress-check.interval": "5 s",
}
"""Shorter waits after an error than the usual 5 s."""
LEASE_SECONDS = 4.0
RENEW_SECONDS = 3.0
ELECTION = {
    "kubernetes.operator.leader-election.lease-duration": f"{LEASE_SECONDS:.0f} s",
    "kubernetes.operator.leader-election.renew-deadline": f"{RENEW_SECONDS:.0f} s",
    "kubernetes.operator.leader-election.retry-period": "500 ms",
}
USUAL_ELECTION = {
    "kubernetes.operator.leader-election.lease-duration": "15 s",
    "kubernetes.operator.leader-election.renew-deadline": "10 s",
    "kubernetes.operator.leader-election.retry-period": "2 s",
}
KINDS = (FLINKDEPLOYMENTS, FLINKSESSIONJOBS, FLINKSTATESNAPSHOTS)
CRDS = str(ROOT / "manifests" / "crds")


def install_crds(plane):
    """Install the CRDs, unless they are there, and wait until they are served."""
    paths = [f"{CRS}/{rt.plural}" for rt in KINDS]
    if not all(plane.api.answers(path) for path in paths):
        plane.kubectl("apply", "--server-side", "-k", CRDS)
    for path in paths:
        plane.api.wait_for(path, 30)


def remove_crds(plane):
    """Delete the CRDs and wait until they are gone."""
    plane.kubectl("delete", "-k", CRDS, "--ignore-not-found", "--wait", "--timeout=60s")


@attrs.define
class Stage:
    """What a test has: a namespace, a client past the proxy, Flink, an onlooker, and the proxy."""

    plane: ControlPlane
    namespace: str
    client: KubeClient
    sim: Simulation
    proxy: FaultProxy
    witness: Witness
    setup: Setup

    def replica(self, identity: str, **change) -> Setup:
        """An operator with leader election in short times."""
        conf = {**self.setup.conf, **ELECTION, **change.pop("conf", {})}
        return attrs.evolve(
            self.setup,
            identity=identity,
            lease="lease",
            lease_namespace=self.namespace,
            conf_dir=self.setup.conf_dir / identity,
            conf=conf,
            **change,
        )

    async def create(self, name="one", namespace=None, **spec):
        """Create a small application."""
        body = {
            "apiVersion": FLINKDEPLOYMENTS.api_version,
            "kind": FLINKDEPLOYMENTS.kind,
            "metadata": {"name": name},
            "spec": app(**spec),
        }
        return await self.client.create(FLINKDEPLOYMENTS, namespace or self.namespace, body)

    async def change(self, name="one", **spec):
        """Merge-patch the spec."""
        return await self.client.merge_patch(FLINKDEPLOYMENTS, self.key(name), {"spec": spec})

    async def delete(self, name="one"):
        """Ask for the deletion."""
        await self.client.delete(FLINKDEPLOYMENTS, self.key(name))

    async def stable(self, *names, generation=1, seconds=60.0):
        """Wait until all are STABLE."""
        await self.witness.stable(*names or ("one",), generation=generation, seconds=seconds)

    def key(self, name):
        """Of an object in the namespace."""
        return ObjectKey(self.namespace, name)

    def uids(self, name="one"):
        """Uids of all JobManager Deployments that ever had this name."""
        return self.witness.uids.get(str(self.key(name)), [])

    def runs(self, name="one"):
        """All runs of a job that Flink has seen."""
        found = self.sim.world.ledger.of(self.namespace, name)
        return [run for runs in found.values() for run in runs]

    async def all_watching(self, plural="flinkdeployments"):
        """Wait until the operator has watches open on a type."""
        await self.proxy.log.wait_for(lambda _: any(self.watches(plural)))

    def watches(self, plural="flinkdeployments"):
        """Watches that are open and answered."""
        return [
            exchange
            for exchange in self.proxy.log.exchanges
            if exchange.request.watch
            and exchange.request.resource == plural
            and exchange.status == 200
            and exchange.ended is None
        ]


@contextlib.asynccontextmanager
async def staged(plane, tmp_path, *namespaces):
    """A stage in new namespaces; the first is the stage's own."""
    names = namespaces or (unique_name("survival"),)
    async with (
        KubeClient(await config.load(str(plane.kubeconfig))) as client,
        FaultProxy(kubeconfigs.load(plane.kubeconfig)) as proxy,
        asyncio.TaskGroup() as group,
    ):
        for name in names:
            await asyncio.to_thread(plane.create_namespace, name)
            await client.create(SERVICE_ACCOUNTS, name, {"metadata": {"name": "flink"}})
        witness = Witness(client, *names)
        watching = group.create_task(witness.run())
        try:
            async with simulation(client, namespaces=names) as sim:
                setup = Setup(
                    kubeconfig=proxy.write_kubeconfig(tmp_path / "kubeconfig"),
                    rest_template=f"{sim.url}/{{namespace}}/{{name}}",
                    conf_dir=tmp_path / "conf",
                    namespaces=names,
                    conf=QUICK,
                )
                yield Stage(plane, names[0], client, sim, proxy, witness, setup)
        finally:
            watching.cancel()
            for name in names:
                await _clear(client, name)


@contextlib.asynccontextmanager
async def two_replicas(stage, tmp_path, **conf):
    """A leader behind the stage's proxy, and a standby with warm caches behind one of its own."""
    async with FaultProxy(stage.proxy.upstream) as proxy:
        leader, standby = stage.replica("first", conf=conf), stage.replica("second", conf=conf)
        standby = attrs.evolve(standby, kubeconfig=proxy.write_kubeconfig(tmp_path / "second"))
        async with apart(leader) as first:
            await first.until_said("Up: controllers")
            async with apart(standby) as second:
                await second.until_said("Up: caches")
                yield first, second, proxy


async def _clear(client, namespace):
    """Delete a namespace, and let go of what only an operator would release."""
    for kind in (FLINKDEPLOYMENTS, FLINKSTATESNAPSHOTS):
        with contextlib.suppress(errors.NotFound):
            found = await client.list_all(kind, namespace)
            for item in found.items:
                key = ObjectKey(namespace, item["metadata"]["name"])
                free = {"metadata": {"finalizers": None}}
                with contextlib.suppress(errors.NotFound):
                    await client.merge_patch(kind, key, free)
    await client.delete(NAMESPACES, ObjectKey("", namespace))
