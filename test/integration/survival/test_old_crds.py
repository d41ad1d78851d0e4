"""CRDs that are older than the operator: nothing is done that they could not remember."""

import asyncio
import json

import pytest
from fakes.faultrules import Match
from fakes.operators import apart
from fakes.survivalstage import CRDS

from flinkop.kube.meta import DEPLOYMENTS

pytestmark = [pytest.mark.integration, pytest.mark.timeout(150)]

CRD = "flinkdeployments.flink.apache.org"
PATH = "/spec/versions/0/schema/openAPIV3Schema/properties/status/properties/conditions"


@pytest.fixture
async def old_crds(plane):
    """The CRD of FlinkDeployments as it was before 1.15, without conditions."""
    change = json.dumps([{"op": "remove", "path": PATH}])
    await asyncio.to_thread(plane.kubectl, "patch", "crd", CRD, "--type=json", "-p", change)
    yield
    await asyncio.to_thread(replace_crds, plane)


def replace_crds(plane):
    """What a user does about it."""
    plane.kubectl("apply", "--server-side", "--force-conflicts", "-k", CRDS)


@pytest.mark.usefixtures("old_crds")
async def test_nothing_is_done_until_they_are_replaced(stage):
    """An Event says why; no Deployment is made; with the new CRDs it goes on by itself."""
    async with apart(stage.setup) as operator:
        await stage.create()
        said = await operator.until_said("older than this operator")
        assert "drops status.conditions" in said["event"]
        assert "replaced" in said["event"]
        [made, *_] = await stage.proxy.log.wait_count(Match(verb="create", resource="events"))
        assert "older than this operator" in made.request.json()["message"]
        assert (await stage.client.list_all(DEPLOYMENTS, stage.namespace)).items == []
        assert stage.proxy.log.select(Match(verb="create", resource="deployments")) == []
        await asyncio.to_thread(replace_crds, stage.plane)
        await stage.stable()
        assert len(stage.uids()) == 1
    assert not operator.said("Traceback")
