"""What informers tell of themselves, as the probes read it."""

from collections.abc import Iterable
from typing import Final, Protocol

from flinkop.health.probes import InformerState
from flinkop.runtime.informer import InformerStatistics, PartStatistics
from flinkop.runtime.reflector import State

_MENDED_BY_PEOPLE: Final = frozenset({State.CRD_MISSING, State.FORBIDDEN})
"""A restart would not help, and the other resources and namespaces go on."""


class Informer(Protocol):
    """The part of `runtime.informer.Informer` that is read here."""

    def has_synced(self) -> bool:
        """Return whether absence from the cache means absence."""
        ...

    def statistics(self) -> InformerStatistics:
        """Return a snapshot of the insides."""
        ...


def states(informers: Iterable[Informer]) -> list[InformerState]:
    """Return one state per informer and namespace.

    A missing CRD and a forbidden namespace count as in step, with a detail: neither a restart nor
    taking the pod out of service would mend them.
    """
    found: list[InformerState] = []
    for informer in informers:
        statistics = informer.statistics()
        if statistics.parts:
            found += [_part(statistics.resource, part) for part in statistics.parts]
        else:
            # A selector may match no namespace at all; then there is nothing to wait for.
            found.append(InformerState(statistics.resource, informer.has_synced(), "no namespace"))
    return found


def _part(resource: str, part: PartStatistics) -> InformerState:
    name = f"{resource} in {part.namespace}" if part.namespace else resource
    detail = ": ".join(filter(None, ("" if part.state is State.SYNCED else part.state, part.error)))
    return InformerState(name, part.synced or part.state in _MENDED_BY_PEOPLE, detail)
