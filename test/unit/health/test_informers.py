"""Informers' statistics become states that probes can judge."""

import pytest

from flinkop.health import informers
from flinkop.health.probes import InformerState, judge, limited, synced
from flinkop.runtime.informer import InformerStatistics, PartStatistics
from flinkop.runtime.reflector import State


class Informer:
    """Tells what it is given."""

    def __init__(self, *parts, has_synced=True):
        self._statistics = InformerStatistics("pods", 0, 0, 0, parts)
        self._synced = has_synced

    def has_synced(self):
        return self._synced

    def statistics(self):
        return self._statistics


def part(state, *, synced=False, namespace="a", error=""):
    return PartStatistics(namespace, state, error, synced, "", 0.0, 0, 0)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (part(State.SYNCED, synced=True), InformerState("pods in a", synced=True)),
        (part(State.SYNCED, synced=True, namespace=""), InformerState("pods", synced=True)),
        (part(State.SYNCING), InformerState("pods in a", synced=False, detail="syncing")),
        (
            part(State.FORBIDDEN, error="may not list"),
            InformerState("pods in a", synced=True, detail="forbidden: may not list"),
        ),
        (
            part(State.CRD_MISSING),
            InformerState("pods in a", synced=True, detail="crd-missing"),
        ),
        (
            part(State.DEGRADED, synced=True),
            InformerState("pods in a", synced=True, detail="degraded"),
        ),
        (part(State.DEGRADED), InformerState("pods in a", synced=False, detail="degraded")),
    ],
)
def test_parts(given, expected):
    """What only people can mend does not count as out of step, but is told."""
    assert informers.states([Informer(given)]) == [expected]


@pytest.mark.parametrize("has_synced", [True, False])
def test_no_namespace(has_synced):
    """Without any namespace to watch the informer itself says whether it is in step."""
    (state,) = informers.states([Informer(has_synced=has_synced)])
    assert state.synced is has_synced


def test_verdict():
    """A forbidden namespace is named and leaves the verdict good."""

    def states():
        return informers.states([Informer(part(State.FORBIDDEN))])

    verdict = judge([synced(states), limited(states)])
    assert verdict.good
    assert str(verdict) == "[+]synced ok\n[ ]limited pods in a (forbidden)"
