"""What this process has heard from Flink about triggers and disposals.

Kept in memory alone, and lost with the process on purpose: a trigger that Flink does not know was either
never received, or forgotten with its JobManager. Who has heard of it before can tell; who has not asks
for it once more under the same id, which starts nothing that is under way already.
"""

import datetime as dt

from attrs import define, field, frozen

from flinkop.kube.meta import ObjectKey


@frozen
class _Trigger:
    trigger_id: str
    quiet_since: dt.datetime
    heard: bool


@define
class Contact:
    """Remembers, for each snapshot, its newest trigger and its disposal."""

    _triggers: dict[ObjectKey, _Trigger] = field(factory=dict)
    _disposals: dict[ObjectKey, tuple[str, str]] = field(factory=dict)

    def heard(self, key: ObjectKey, trigger_id: str, now: dt.datetime) -> None:
        """Note that Flink knows the trigger."""
        self._triggers[key] = _Trigger(trigger_id, now, heard=True)

    def silent(self, key: ObjectKey, trigger_id: str, now: dt.datetime) -> float:
        """Note that there is no sign of the trigger; return for how many seconds that has been so."""
        known = self._triggers.get(key)
        if known is None or known.trigger_id != trigger_id:
            self._triggers[key] = _Trigger(trigger_id, now, heard=False)
            return 0.0
        return max((now - known.quiet_since).total_seconds(), 0.0)

    def has_heard(self, key: ObjectKey, trigger_id: str) -> bool:
        """Return whether Flink knew the trigger before."""
        known = self._triggers.get(key)
        return known is not None and known.trigger_id == trigger_id and known.heard

    def disposing(self, key: ObjectKey, uid: str, request: str) -> None:
        """Note that Flink disposes of the snapshot's savepoint under this request."""
        self._disposals[key] = (uid, request)

    def disposal(self, key: ObjectKey, uid: str) -> str | None:
        """Return the request under which Flink disposes of the savepoint; not that of an earlier bearer of the name."""
        known, request = self._disposals.get(key, ("", ""))
        return request if known == uid and request else None

    def end_disposal(self, key: ObjectKey) -> None:
        """Note that there is nothing to ask about any more."""
        self._disposals.pop(key, None)

    def forget(self, key: ObjectKey) -> None:
        """Drop what is remembered of a snapshot."""
        self._triggers.pop(key, None)
        self._disposals.pop(key, None)
