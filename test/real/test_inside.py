"""The operator in the cluster, as a Deployment under its own rights, from `manifests/`."""

from collections.abc import Iterator

import pytest
from fakes import realnamespace
from fakes.insideoperator import IMAGE, InsideOperator
from fakes.realflink import PatientUser, restored, session, stateful
from fakes.realplace import RealPlace

pytestmark = pytest.mark.skipif(
    not IMAGE, reason="needs an image of flinkop: FLINKOP_REAL_OPERATOR_IMAGE"
)


@pytest.fixture(scope="module")
def place(user: PatientUser) -> Iterator[RealPlace]:
    """A namespace that no operator outside watches."""
    with realnamespace.opened(user) as made:
        yield made


@pytest.fixture(scope="module")
def inside(
    place: RealPlace, user: PatientUser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[InsideOperator]:
    """The operator, for that namespace."""
    running = InsideOperator(user, place.namespace, tmp_path_factory.mktemp("overlay"))
    running.start()
    yield running
    for name in place.api.list(place.flink().collection):
        place.flink(name).delete()
        place.flink(name).wait_gone()
    running.stop()


def test_its_rights_are_enough(place: RealPlace, inside: InsideOperator) -> None:
    """Jobs are deployed, upgraded in each mode, suspended and deleted; nothing is forbidden to it."""
    cluster = place.stable(stateful("savepoint"))
    place.wait_counting(cluster, 1)
    cluster.wait_stable(cluster.change(restartNonce=1))
    assert restored(cluster)["is_savepoint"]
    assert place.wait_counting(cluster, 2).repeated() == [0]
    cluster.wait_stable(cluster.change(restartNonce=2, job={"upgradeMode": "last-state"}))
    assert place.wait_counting(cluster, 3).runs[2].snapshot
    cluster.delete()
    cluster.wait_nothing_left()
    assert "forbidden" not in inside.log().lower()


def test_a_standalone_session_cluster(place: RealPlace, inside: InsideOperator) -> None:
    """Its TaskManagers are a Deployment of the operator's."""
    cluster = place.stable({**session(), "mode": "standalone"})
    assert cluster.task_managers is not None
    cluster.delete()
    cluster.wait_nothing_left()
    assert "forbidden" not in inside.log().lower()
