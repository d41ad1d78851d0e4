"""What the reference operator runs is taken over while it runs."""

from fakes.flinkuser import FlinkDeployment
from fakes.leftbehind import disown
from fakes.realflink import Operator, stateful, wait_checkpoint
from fakes.realplace import RealPlace


def test_a_running_job_is_taken_over_without_a_restart(
    place: RealPlace, operator: Operator
) -> None:
    """Same Deployment, untouched, same run of the job; the next upgrade keeps its state."""
    cluster = place.stable(stateful("last-state"))
    wait_checkpoint(cluster)
    before = metadata(cluster)
    operator.kill()
    disown(cluster)
    assert "Ready" not in str(cluster.status["conditions"])
    operator.start()
    cluster.wait_condition("Ready")
    cluster.wait_stable()

    more = place.ledger(cluster).total + 20
    ledger = place.wait_ledger(cluster, lambda found: found.total >= more, f"counted to {more}")
    assert len(ledger.runs) == 1
    assert metadata(cluster) == before

    cluster.wait_stable(cluster.change(restartNonce=1))
    assert place.wait_counting(cluster, 2).runs[1].snapshot
    cluster.delete()
    cluster.wait_nothing_left()


def metadata(cluster: FlinkDeployment) -> tuple[str, int]:
    """What changes when its JobManager is made anew, or touched."""
    found = cluster.job_manager
    assert found is not None
    return found["metadata"]["uid"], found["metadata"]["generation"]
