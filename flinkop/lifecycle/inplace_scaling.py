"""Whether a change of scale can be carried out in the running cluster, without a restart; pure.

A native cluster with the adaptive scheduler gives each vertex of a running job other bounds (R-110 to R-113).

A standalone cluster has as many TaskManagers as their Deployment says. What comes of another number
is up to Flink: with `scheduler-mode: reactive` an application always takes all slots there are, and a
session cluster is a pool of slots anyway (behaviour.md 3.12, R-114).
"""

from collections.abc import Mapping
from typing import NamedTuple

from attrs import frozen

from flinkop.lifecycle.specdiff import DiffType


@frozen
class StandaloneCluster:
    """What the rule for standalone clusters looks at.

    Attributes:
        change: the greatest change between the recorded spec and the wanted one.
        settled: whether the recorded spec is what runs: deployed, not suspended, no upgrade under way.
        application: whether the cluster is made for one job.
        reactive: whether it runs with `scheduler-mode: reactive`.
        replicas: of the TaskManagers' Deployment, None when that is absent or going.
        wanted: TaskManagers that the wanted spec needs.
    """

    change: DiffType
    settled: bool
    application: bool
    reactive: bool
    replicas: int | None
    wanted: int


@frozen
class Scaling:
    """The change can be carried out in place.

    Attributes:
        replicas: what the TaskManagers' Deployment is to be scaled to, None when it is so already.
    """

    replicas: int | None


def of_standalone(cluster: StandaloneCluster) -> Scaling | None:
    """Return how the change is carried out in place; None when only a new cluster gives what is wanted.

    The reference restarts session clusters here: it asks for the reactive mode, in which no session
    cluster starts. Jobs that lose a TaskManager by it go on from their last checkpoint.
    """
    if cluster.change is not DiffType.SCALE or not cluster.settled or cluster.replicas is None:
        return None
    if cluster.application and not cluster.reactive:
        return None
    return Scaling(None if cluster.replicas == cluster.wanted else cluster.wanted)


class Bounds(NamedTuple):
    """The smallest and the largest parallelism that a vertex may run with."""

    lower: int
    upper: int


Requirements = Mapping[str, Bounds]
"""Bounds by vertex id."""


def of_native(
    current: Requirements, before: Mapping[str, str], wanted: Mapping[str, str]
) -> Requirements | None:
    """Return the bounds that carry out the wanted overrides; None when only an upgrade does (R-111).

    Args:
        current: bounds of the running job.
        before: `pipeline.jobvertex-parallelism-overrides` of what runs, as texts by vertex id.
        wanted: those of the wanted spec.
    """
    if not before or not wanted:
        return None
    bounds: dict[str, Bounds] = {}
    for vertex, now in current.items():
        if vertex in wanted:
            if not wanted[vertex].strip().isdigit():
                return None
            upper = int(wanted[vertex])
            bounds[vertex] = Bounds(min(upper, now.lower), upper)
        elif vertex in before:  # what it had without the override, nobody knows any more
            return None
        else:
            bounds[vertex] = now
    return bounds
