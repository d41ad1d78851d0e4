"""The shortest way through what matters most: a job with state is deployed, upgraded and deleted."""

import pytest
from fakes.realflink import restored, stateful
from fakes.realplace import RealPlace

pytestmark = pytest.mark.usefixtures("operator")


def test_a_savepoint_upgrade_counts_on_exactly(place: RealPlace) -> None:
    """The second run begins with what the first one's savepoint holds; nothing is left in the end."""
    cluster = place.stable(stateful("savepoint", ha=False))
    place.wait_counting(cluster, 1)

    cluster.wait_stable(cluster.change(restartNonce=1))
    ledger = place.wait_counting(cluster, 2)
    assert ledger.repeated() == [0]
    assert restored(cluster)["external_path"] == cluster.status["jobStatus"]["upgradeSavepointPath"]

    cluster.delete()
    cluster.wait_nothing_left()
    assert not place.ledger(cluster).faults
