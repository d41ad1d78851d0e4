"""Indexes of caches: who names whom."""

import msgspec
import pytest

from flinkop.api.flinkstatesnapshot import JobKind
from flinkop.kube.meta import ObjectKey
from flinkop.kube.objects import CustomObject
from flinkop.stages import references


def resource(spec=None):
    document = {"metadata": {"name": "x", "namespace": "ns"}}
    if spec is not None:
        document["spec"] = spec
    return msgspec.json.decode(msgspec.json.encode(document), type=CustomObject)


def test_session_jobs_name_their_cluster():
    """`namespace/name`."""
    assert references.cluster_of_session_job(resource({"deploymentName": "basic"})) == ("ns/basic",)


@pytest.mark.parametrize("spec", [None, {}, {"deploymentName": 5}, {"deploymentName": None}])
def test_a_session_job_that_names_none(spec):
    """Or that cannot be read."""
    assert references.deployment_of(resource(spec)) is None
    assert references.cluster_of_session_job(resource(spec)) == ()


def test_snapshots_name_their_job_by_kind_and_name():
    """A FlinkDeployment and a FlinkSessionJob of the same name are two jobs (Q-14)."""
    found = {
        kind: references.job_of_snapshot(
            resource({"jobReference": {"kind": kind, "name": "a"}, "savepoint": {}})
        )
        for kind in JobKind
    }
    assert found[JobKind.FLINK_DEPLOYMENT] == ("FlinkDeployment/ns/a",)
    assert found[JobKind.FLINK_SESSION_JOB] == ("FlinkSessionJob/ns/a",)
    for kind, (value,) in found.items():
        assert value == references.job_value(kind, ObjectKey("ns", "a"))


@pytest.mark.parametrize(
    "spec",
    [
        None,
        {},
        {"jobReference": None},
        {"jobReference": "a"},
        {"jobReference": {"kind": "FlinkDeployment"}},
        {"jobReference": {"name": "a"}},
        {"jobReference": {"kind": "", "name": "a"}},
    ],
)
def test_a_snapshot_that_names_none(spec):
    """Half a reference is none."""
    assert references.job_of_snapshot(resource(spec)) == ()
