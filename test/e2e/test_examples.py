"""Manifests of every shape that people have: applied with kubectl, each runs.

They are our own, made after the public examples of the reference; `docs/compatibility.md` tells how
those fare themselves.
"""

import pytest
from fakes.flinkuser import condition
from fakes.programs import ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

EXAMPLES = ROOT / "test" / "e2e" / "examples"
LEFT_ALONE = {"canary"}
NAMES = sorted(path.stem for path in EXAMPLES.glob("*.yaml"))


@pytest.fixture(scope="module")
def applied(stage, shared_place):
    """All examples in one namespace, applied at once with strict validation; what kubectl said."""
    # Its savepoint is of another cluster, which this simulation has never seen.
    shared_place.flink("from-savepoint").order(unknown_savepoint="accept")
    apply = ("apply", "-n", shared_place.namespace, "--validate=strict", "-f", str(EXAMPLES))
    return stage.plane.kubectl(*apply)


@pytest.mark.parametrize("name", NAMES)
def test_an_example_runs(applied, shared_place, name):
    """STABLE with its objects, if it is meant to be."""
    assert f"flinkdeployment.flink.apache.org/{name} created" in applied
    cluster = shared_place.flink(name)
    if name in LEFT_ALONE:
        assert cluster.status == {}
    else:
        obj = cluster.wait_stable().get()
        assert condition(obj, "Ready")["status"] == "True"
        assert "error" not in obj["status"]


def test_applying_once_more_changes_nothing(stage, applied, shared_place):
    """What kubectl stored is what the files say: no field is lost or added on the way."""
    apply = ("apply", "-n", shared_place.namespace, "--validate=strict", "-f", str(EXAMPLES))
    lines = stage.plane.kubectl(*apply).splitlines()
    assert len(lines) >= len(NAMES)
    assert [line for line in lines if not line.endswith(" unchanged")] == []
