"""What the operator stands on moves: the clock, its rights."""

import asyncio

import attrs
import pytest
import yaml
from fakes import kubeconfigs
from fakes.controlplane import unique_name
from fakes.faultproxy import FaultProxy
from fakes.faultrules import Match
from fakes.operators import inside
from fakes.programs import ROOT
from fakes.steppedclock import SteppedClock
from fakes.survivalstage import SERVICE_ACCOUNTS, staged

from flinkop.kube.meta import LEASES, ResourceType

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

ROLES = ResourceType("rbac.authorization.k8s.io", "v1", "roles", "Role")
BINDINGS = ResourceType("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding")
HOUR = 3600.0


@pytest.mark.parametrize("step", [HOUR, -HOUR], ids=["forth", "back"])
async def test_a_clock_step(stage, step):
    """The leader leads on, what runs is left alone, and what is asked for afterwards takes no longer."""
    clock = SteppedClock()
    log = stage.proxy.log
    async with inside(stage.replica("a"), clock=clock) as operator:
        await stage.create("before")
        await stage.stable("before")
        await stage.create("under-way")
        await stage.witness.until(lambda: stage.witness.deployment("under-way"))
        clock.step(step)
        renewed = len(log.select(Match(verb="update", resource="leases")))
        await stage.create("after")
        await stage.stable("under-way", "after", seconds=30)
        await log.wait_count(Match(verb="update", resource="leases"), renewed + 4)
        assert not operator.done()
        lease = await stage.client.get(LEASES, stage.key("lease"))
        assert lease["spec"]["holderIdentity"] == "a"
        assert lease["spec"]["leaseTransitions"] == 0
        for name in ("before", "under-way", "after"):
            assert len(stage.uids(name)) == 1


async def test_a_namespace_that_is_forbidden(plane, tmp_path):
    """It alone stays behind, at few requests; once it is allowed it joins."""
    names = unique_name("allowed"), unique_name("forbidden")
    async with staged(plane, tmp_path, *names) as stage:
        await allow(stage, names[0])
        limited = await asyncio.to_thread(plane.kubeconfig_for, "operator", names[0])
        async with FaultProxy(kubeconfigs.load(limited)) as proxy:
            kubeconfig = proxy.write_kubeconfig(tmp_path / "limited")
            async with inside(attrs.evolve(stage.setup, kubeconfig=kubeconfig)):
                await stage.create("one")
                await stage.create("one", names[1])
                await stage.stable("one")
                await stage.change("one", restartNonce=1)
                await stage.stable("one", generation=2)
                assert stage.witness.status(f"{names[1]}/one") == {}
                assert len(proxy.log.select(Match(namespace=names[1]))) < 40
                await allow(stage, names[1])
                await stage.stable(f"{names[1]}/one")
                assert len(stage.uids("one")) == 2


async def allow(stage, namespace):
    """Give the operator's account in the first namespace its rights in `namespace`."""
    about = {"name": "operator"}
    (role,) = yaml.safe_load_all((ROOT / "manifests/rbac/clusterrole.yaml").read_text())
    await stage.client.create(
        ROLES,
        namespace,
        {
            "apiVersion": ROLES.api_version,
            "kind": "Role",
            "metadata": about,
            "rules": role["rules"],
        },
    )
    if namespace == stage.namespace:
        await stage.client.create(SERVICE_ACCOUNTS, namespace, {"metadata": about})
    body = {
        "apiVersion": BINDINGS.api_version,
        "kind": "RoleBinding",
        "metadata": about,
        "roleRef": {"apiGroup": ROLES.group, "kind": "Role", **about},
        "subjects": [{"kind": "ServiceAccount", "namespace": stage.namespace, **about}],
    }
    await stage.client.create(BINDINGS, namespace, body)
