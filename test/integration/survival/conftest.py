"""One control plane for all tests of survival; not the run's shared one, because they take things away from it."""

import pytest
from fakes.controlplane import ControlPlane
from fakes.survivalstage import install_crds, staged


@pytest.fixture(scope="session")
def bare_plane():
    """A control plane; whether our CRDs are on it is left to the test."""
    with ControlPlane.create() as plane:
        yield plane


@pytest.fixture
def plane(bare_plane):
    """The control plane with our CRDs on it."""
    install_crds(bare_plane)
    return bare_plane


@pytest.fixture
async def stage(plane, tmp_path):
    """A stage with a namespace of the test's own."""
    async with staged(plane, tmp_path) as made:
        yield made
