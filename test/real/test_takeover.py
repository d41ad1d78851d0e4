"""What the reference operator runs is taken over while it runs."""

import pytest
from fakes.flinkuser import FlinkDeployment
from fakes.leftbehind import disown
from fakes.realflink import Operator, stateful, wait_checkpoint
from fakes.realplace import RealPlace


@pytest.mark.parametrize(
    ("recorded", "mode"),
    [("real-running", "native"), ("real-upgraded", "native"), ("real-standalone", "standalone")],
)
def test_a_running_job_is_taken_over_without_a_restart(
    place: RealPlace, operator: Operator, recorded: str, mode: str
) -> None:
    """Same Deployment, untouched, same run of the job; the next upgrade keeps its state."""
    cluster = place.stable({**stateful("savepoint"), "mode": mode})
    runs = 1
    if recorded == "real-upgraded":
        cluster.wait_stable(cluster.change(restartNonce=1))
        runs = 2
    place.wait_counting(cluster, runs)
    wait_checkpoint(cluster)
    before = metadata(cluster)
    operator.kill()
    disown(cluster, recorded)
    assert "Ready" not in str(cluster.status["conditions"])
    operator.start()
    cluster.wait_condition("Ready")
    cluster.wait_stable()

    more = place.ledger(cluster).total + 20
    ledger = place.wait_ledger(cluster, lambda found: found.total >= more, f"counted to {more}")
    assert len(ledger.runs) == runs
    assert metadata(cluster) == before

    cluster.wait_stable(cluster.change(restartNonce=7))
    assert place.wait_counting(cluster, runs + 1).repeated()[-1] == 0
    cluster.delete()
    cluster.wait_nothing_left()


def metadata(cluster: FlinkDeployment) -> tuple[str, int]:
    """What changes when its JobManager is made anew, or touched."""
    found = cluster.job_manager
    assert found is not None
    return found["metadata"]["uid"], found["metadata"]["generation"]
