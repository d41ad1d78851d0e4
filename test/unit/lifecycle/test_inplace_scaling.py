"""When a standalone cluster is scaled where it stands (behaviour.md R-114)."""

import pytest
from attrs import evolve

from flinkop.lifecycle import inplace_scaling
from flinkop.lifecycle.inplace_scaling import Scaling, StandaloneCluster
from flinkop.lifecycle.specdiff import DiffType

REACTIVE = StandaloneCluster(
    change=DiffType.SCALE, settled=True, application=True, reactive=True, replicas=2, wanted=3
)
SESSION = evolve(REACTIVE, application=False, reactive=False)


@pytest.mark.parametrize("cluster", [REACTIVE, SESSION])
@pytest.mark.parametrize(("wanted", "replicas"), [(3, 3), (1, 1), (2, None)])
def test_scaled_to_what_is_wanted(cluster, wanted, replicas):
    """Up and down; what is there already is a success without a deed."""
    assert inplace_scaling.of_standalone(evolve(cluster, wanted=wanted)) == Scaling(replicas)


@pytest.mark.parametrize("cluster", [REACTIVE, SESSION])
@pytest.mark.parametrize(
    "fact",
    [
        {"change": DiffType.IGNORE},
        {"change": DiffType.UPGRADE},
        {"change": DiffType.SAVEPOINT_REDEPLOY},
        {"settled": False},
        {"replicas": None},
    ],
    ids=str,
)
def test_what_needs_a_new_cluster(cluster, fact):
    """More than scale changes, or there is nothing whole to be scaled."""
    assert inplace_scaling.of_standalone(evolve(cluster, **fact)) is None


def test_an_application_with_a_fixed_parallelism():
    """Without the reactive mode more TaskManagers would idle, and fewer would stop the job."""
    assert inplace_scaling.of_standalone(evolve(REACTIVE, reactive=False)) is None
