"""What HA ConfigMaps tell, in the layout of each Flink version (behaviour.md 3.14, kubernetes-objects.md 2.2)."""

import pytest

from flinkop.lifecycle import ha_metadata
from flinkop.lifecycle.ha_metadata import HaFacts, HaMap

JOB = "0" * 32
CHECKPOINT = frozenset({"counter", "checkpointID-0000000000000000007"})
EMPTY = frozenset({"counter"})
LEADERS = frozenset({"org.apache.flink.k8s.leader.dispatcher", f"jobGraph-{JOB}"})


@pytest.mark.parametrize(
    ("maps", "facts"),
    [
        ([], HaFacts(available=False)),
        ([HaMap("a-cluster-config-map", LEADERS)], HaFacts(available=False)),
        ([HaMap("flink-config-a", frozenset({"flink-conf.yaml"}))], HaFacts(available=False)),
        ([HaMap(f"a-{JOB}-config-map", EMPTY)], HaFacts(available=True)),
        (
            [HaMap(f"a-{JOB}-config-map", CHECKPOINT), HaMap("a-cluster-config-map", LEADERS)],
            HaFacts(available=True, has_checkpoint=True),
        ),
        (
            [HaMap(f"a-{JOB}-jobmanager-leader", CHECKPOINT)],
            HaFacts(available=True, has_checkpoint=True),
        ),
        ([HaMap("a-dispatcher-leader", LEADERS)], HaFacts(available=False)),
        ([HaMap(f"a-{JOB}-config-map", CHECKPOINT, deleting=True)], HaFacts(available=False)),
    ],
)
def test_what_there_is(maps, facts):
    """Maps of jobs count, those of the cluster and those that go do not."""
    assert ha_metadata.judge(maps) == facts


def test_job_graphs():
    """Under their names of before and since Flink 2.0."""
    keys = frozenset({f"jobGraph-{JOB}", f"executionPlan-{JOB}", "counter"})
    assert ha_metadata.job_graphs(HaMap("a", keys)) == [f"executionPlan-{JOB}", f"jobGraph-{JOB}"]
