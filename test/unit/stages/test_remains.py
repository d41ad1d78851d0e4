"""What counts as left of a cluster whose Deployment is gone."""

import pytest
from fakes import scriptedapi as script
from fakes.scriptedapi import ScriptedApi

from flinkop.kube import errors, meta
from flinkop.stages.remains import JOB_MANAGER, TASK_MANAGER, Remains

CLUSTER = meta.ObjectKey("ns", "basic")
LABELS = "app=basic,type in (flink-native-kubernetes,flink-standalone-kubernetes)"


def listed(*owners, name="a"):
    """A page with one object for each owner."""
    items = [
        {"metadata": {"name": name, "namespace": "ns", "ownerReferences": [owner] if owner else []}}
        for owner in owners
    ]
    return script.json({"metadata": {"resourceVersion": "5"}, "items": items})


@pytest.mark.parametrize(
    ("answers", "left", "asked"),
    [
        ([listed()], False, ["replicasets", "pods"]),
        ([listed(None)], True, ["replicasets"]),
        ([listed(), listed(None)], True, ["replicasets", "pods"]),
    ],
)
async def test_what_makes_pods_is_asked_for_before_pods(answers, left, asked):
    """In this order: what no longer exists when it is asked for can make nothing afterwards."""
    async with ScriptedApi(*answers) as api:
        found = await Remains(await api.client()).runs(CLUSTER, JOB_MANAGER, TASK_MANAGER)
    assert found is left
    assert [seen.path.rpartition("/")[2] for seen in api.requests] == asked
    for seen in api.requests:
        assert seen.query == {
            "labelSelector": f"{LABELS},component in (jobmanager,taskmanager)",
            "limit": "1",
        }


@pytest.mark.parametrize(
    ("owner", "counts"),
    [
        ({"kind": "Deployment", "name": "basic", "uid": "old"}, True),
        ({"kind": "Deployment", "name": "other", "uid": "x"}, False),
        ({"kind": "FlinkDeployment", "name": "basic", "uid": "x"}, False),
        (None, False),
    ],
)
async def test_configuration_of_the_old_deployment_counts(owner, counts):
    """HA metadata is nobody's, and stays."""
    async with ScriptedApi(listed(None, owner)) as api:
        assert await Remains(await api.client()).is_configured(CLUSTER) is counts
    assert api.requests[0].query["labelSelector"] == LABELS


async def test_nothing_is_known_when_the_api_server_does_not_say():
    """Neither that something is left nor that nothing is."""
    async with ScriptedApi(script.status(403, "Forbidden")) as api:
        remains = Remains(await api.client())
        with pytest.raises(errors.Forbidden):
            await remains.runs(CLUSTER, JOB_MANAGER)
