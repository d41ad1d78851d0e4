"""How long resources stay in each lifecycle state and take from one to another (operations.md 2.4)."""

import datetime as dt
from typing import Final

from attrs import define, frozen

from flinkop.api.status import LifecycleState as State
from flinkop.clock import Clock
from flinkop.kube.meta import ObjectKey
from flinkop.metrics.scope import Scope
from flinkop.metrics.series import SeriesRegistry

TERMINAL: Final = frozenset(
    {State.SUSPENDED, State.STABLE, State.ROLLED_BACK, State.FAILED, State.DELETED}
)


@frozen
class Transition:
    """A way from `source` to `target` whose duration is reported as `name`.

    `from_entry`: measured from the entry into `source`, otherwise from its last update.
    """

    name: str
    source: State
    target: State
    from_entry: bool = False


_RUNNING: Final = (State.DEPLOYED, State.STABLE, State.ROLLED_BACK)
TRANSITIONS: Final = (
    Transition("Resume", State.SUSPENDED, State.STABLE),
    Transition("Upgrade", State.STABLE, State.STABLE),
    *(Transition("Suspend", source, State.UPGRADING) for source in _RUNNING),
    *(Transition("Suspend", source, State.SUSPENDED) for source in _RUNNING),
    Transition("Stabilization", State.DEPLOYED, State.STABLE, from_entry=True),
    Transition("Rollback", State.DEPLOYED, State.ROLLED_BACK, from_entry=True),
    Transition("Submission", State.UPGRADING, State.DEPLOYED),
    Transition("Submission", State.ROLLING_BACK, State.ROLLED_BACK),
)


@define
class _Stay:
    state: State
    entered: dt.datetime
    last_update: dt.datetime


@define
class _Tracker:
    """The present state and, present one included, the states that still matter: few, so a list."""

    state: State
    stays: list[_Stay]

    def find(self, state: State) -> _Stay | None:
        return next((stay for stay in self.stays if stay.state is state), None)


class LifecycleTimes:
    """Keeps one tracker per resource and fills the histograms.

    Args:
        registry: Where the series live.
        clock: Tells the time.
        sample_size: Window of each histogram, in values.
        namespace_histograms: Whether values also go to histograms per namespace.
    """

    def __init__(
        self,
        registry: SeriesRegistry,
        clock: Clock,
        *,
        sample_size: int = 1000,
        namespace_histograms: bool = True,
    ) -> None:
        self._registry = registry
        self._clock = clock
        self._size = sample_size
        self._per_namespace = namespace_histograms
        self._trackers: dict[tuple[str, ObjectKey], _Tracker] = {}
        self._prepared: set[tuple[str, str]] = set()

    def observe(
        self, kind: str, key: ObjectKey, state: State, created: dt.datetime | None = None
    ) -> None:
        """Note that a resource is in `state` now.

        Args:
            kind: Such as `FlinkDeployment`.
            key: Names the resource.
            state: Its present state.
            created: Its creation time; matters only when it is seen for the first time.
        """
        now = self._clock.now()
        self._prepare(kind, key.namespace)
        tracker = self._trackers.get((kind, key))
        if tracker is None:
            since = created if created is not None and state is State.CREATED else now
            self._trackers[kind, key] = _Tracker(state, [_Stay(state, since, since)])
        elif tracker.state is not state:
            self._enter(kind, key.namespace, tracker, state, now)
        elif (stay := tracker.find(state)) is not None:
            stay.last_update = now

    def remove(self, kind: str, key: ObjectKey) -> None:
        """Forget a resource that is gone; nothing is recorded."""
        self._trackers.pop((kind, key), None)

    def _enter(
        self, kind: str, namespace: str, tracker: _Tracker, state: State, now: dt.datetime
    ) -> None:
        for way in TRANSITIONS:
            stay = tracker.find(way.source) if way.target is state else None
            if stay is not None:
                start = stay.entered if way.from_entry else stay.last_update
                self._record(kind, namespace, f"Transition.{way.name}", now - start)
        kept = [stay for stay in tracker.stays if stay.state is not state]
        cleared = [stay for stay in kept if _is_over(stay.state, state, tracker.state)]
        for stay in cleared:
            duration = stay.last_update - stay.entered
            self._record(kind, namespace, f"State.{stay.state}", duration)
        tracker.stays = [stay for stay in kept if stay not in cleared] + [_Stay(state, now, now)]
        tracker.state = state

    def _record(self, kind: str, namespace: str, what: str, duration: dt.timedelta) -> None:
        seconds = int(duration.total_seconds())
        path = f"Lifecycle.{what}.TimeSeconds"
        registry = self._registry
        registry.histogram(Scope.SYSTEM, f"{kind}.{path}", size=self._size).update(seconds)
        if self._per_namespace:
            labels = {"resourcens": namespace, "resourcetype": kind}
            registry.histogram(Scope.NAMESPACE, path, labels, size=self._size).update(seconds)

    def _prepare(self, kind: str, namespace: str) -> None:
        """Register all histograms of a kind and namespace when they are first seen."""
        if (kind, namespace) in self._prepared:
            return
        self._prepared.add((kind, namespace))
        labels = {"resourcens": namespace, "resourcetype": kind}
        states = [f"State.{state}" for state in State]
        ways = dict.fromkeys(f"Transition.{way.name}" for way in TRANSITIONS)
        for what in (*states, *ways):
            path = f"Lifecycle.{what}.TimeSeconds"
            self._registry.histogram(Scope.SYSTEM, f"{kind}.{path}", size=self._size)
            if self._per_namespace:
                self._registry.histogram(Scope.NAMESPACE, path, labels, size=self._size)


def _is_over(tracked: State, entered: State, left: State) -> bool:
    """Return whether a tracked state no longer matters once `entered` follows on `left`."""
    if entered in TERMINAL:
        return True
    return entered is State.UPGRADING and tracked is not left
