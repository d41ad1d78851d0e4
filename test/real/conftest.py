"""Tests that need nodes which run pods; `docs/real-flink.md` says how to give them some."""

import os
import signal
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from fakes import debris, realnamespace
from fakes.realflink import KUBECONFIG, Operator, PatientUser
from fakes.realplace import SECONDS, RealPlace


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what is in this directory when there is no cluster to run it on."""
    here = Path(__file__).parent
    for item in items:
        if here not in item.path.parents:
            continue
        item.add_marker(pytest.mark.real)
        item.add_marker(pytest.mark.timeout(SECONDS * 5))
        if not KUBECONFIG:
            reason = (
                "needs nodes that run pods: set FLINKOP_REAL_KUBECONFIG, see docs/real-flink.md"
            )
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Collect what there is to see of a scenario that failed, before its cluster is deleted."""
    report = yield
    fixtures = getattr(item, "funcargs", {})
    place = fixtures.get("place")
    folder = os.environ.get("FLINKOP_REAL_DEBRIS")
    if report.failed and place is not None and folder:
        kept = Path(folder) / item.name
        debris.collect(place.api, place.namespace, kept)
        if (operator := fixtures.get("operator")) is not None:
            (kept / "flinkop.log").write_text(operator.log.read_text())
        if (inside := fixtures.get("inside")) is not None:
            (kept / "flinkop-inside.log").write_text(inside.log())
    return report


@pytest.fixture(autouse=True)
def _cleared(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a scenario leaves must not take the next one's CPU."""
    yield
    if "place" in request.fixturenames:
        place: RealPlace = request.getfixturevalue("place")
        for name in place.api.list(place.flink().collection):
            place.flink(name).delete()


@pytest.fixture(scope="session")
def user() -> Iterator[PatientUser]:
    """Calls to the cluster; whoever ends the run has the fixtures take away what they made."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    api = PatientUser(Path(KUBECONFIG))
    yield api
    api.close()


@pytest.fixture(scope="session")
def place(user: PatientUser) -> Iterator[RealPlace]:
    """A namespace of this run."""
    with realnamespace.opened(user) as made:
        yield made


@pytest.fixture(scope="session")
def operator(place: RealPlace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """The operator, for this run's namespace only."""
    running = Operator(place.namespace, tmp_path_factory.mktemp("operator"))
    running.start()
    yield running
    for name in place.api.list(place.flink().collection):
        place.flink(name).delete()
    for name in place.api.list(place.flink().collection):
        place.flink(name).wait_gone()
    running.check()
    running.stop()
