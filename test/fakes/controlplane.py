"""The real control plane for tests: API server, etcd, controllers, scheduler and kwok.

A test asks for the fixture `control_plane` (shared by the whole run, also by xdist workers) and
for `namespace` (its own). A test that stops components or counts requests asks for
`own_control_plane`. Everything on a ControlPlane blocks: from a coroutine, go through
`asyncio.to_thread`.
"""

import os
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).resolve().parent.parent.parent
if str(_REPOSITORY) not in sys.path:
    sys.path.insert(0, str(_REPOSITORY))

from hack.clusters import locks, paths, ports, processes, records, tools  # noqa: E402
from hack.clusters.cluster import ControlPlane  # noqa: E402
from hack.clusters.errors import ControlPlaneError  # noqa: E402

__all__ = [
    "ControlPlane",
    "ControlPlaneError",
    "control_plane",
    "namespace",
    "own_control_plane",
    "ports",
    "processes",
    "records",
    "tools",
    "unique_name",
]

SHARED_NODES = 4
"""Room for 4000 pods."""


def unique_name(prefix: str) -> str:
    """A name that no other test has, valid in Kubernetes."""
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="session")
def control_plane(request: pytest.FixtureRequest) -> Iterator[ControlPlane]:
    """The run's control plane; `FLINKOP_CLUSTER=NAME` takes one that is up already instead.

    The first worker that asks starts it and the process that leads the run owns it; that process
    ends it when all workers are done, see `end_shared`.
    """
    given = os.environ.get("FLINKOP_CLUSTER")
    if given:
        yield ControlPlane.attach(given)
        return
    worker = hasattr(request.config, "workerinput")
    leader = os.getppid() if worker else os.getpid()
    name = _shared_name(leader)
    with locks.exclusive(paths.run_root() / f"{name}.lock"):
        if records.read(name):
            yielded = ControlPlane.attach(name)
        else:
            owner = processes.find(leader)
            yielded = ControlPlane.create(name, nodes=SHARED_NODES, owner=owner)
    yield yielded


@pytest.fixture
def namespace(control_plane: ControlPlane) -> Iterator[str]:
    """A namespace of the test's own, with its default service account; deleted afterwards."""
    name = unique_name("test")
    control_plane.create_namespace(name)
    yield name
    control_plane.delete_namespace(name)


@pytest.fixture
def own_control_plane() -> Iterator[ControlPlane]:
    """A control plane of the test's own, to be stopped, paused and restarted at will (4 s)."""
    with ControlPlane.create() as plane:
        yield plane


def end_shared(config: pytest.Config) -> None:
    """End the run's control plane; called once all tests of all workers are done."""
    if hasattr(config, "workerinput"):
        return
    name = _shared_name(os.getpid())
    record = records.read(name)
    if record:
        record.erase()
    (paths.run_root() / f"{name}.lock").unlink(missing_ok=True)


def _shared_name(leader: int) -> str:
    return f"run{leader}"
