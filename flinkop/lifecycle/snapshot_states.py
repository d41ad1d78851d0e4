"""The states of a FlinkStateSnapshot, and what its status says after each step from one to the next.

`TRANSITIONS` is the whole of it: `docs/snapshots.md` draws it, and the tests hold every plan to it.
Rules N-2 to N-8 of behaviour.md. Nothing is decided here: a step is named, its status comes back.
"""

import datetime as dt
from typing import Final

from attrs import evolve, frozen

from flinkop import clock
from flinkop.api.flinkstatesnapshot import FlinkStateSnapshotStatus, SnapshotState

_FIRST_RETRY_SECONDS: Final = 10.0
_LAST_RETRY_SECONDS: Final = 3600.0
_MOST_DOUBLINGS: Final = 16


@frozen
class Transition:
    """A step that a snapshot can take; `when` reads on after "when"."""

    before: SnapshotState
    after: SnapshotState
    when: str


TRANSITIONS: Final = (
    Transition(
        SnapshotState.TRIGGER_PENDING, SnapshotState.IN_PROGRESS, "its job runs: Flink is asked"
    ),
    Transition(
        SnapshotState.TRIGGER_PENDING, SnapshotState.COMPLETED, "the savepoint already exists"
    ),
    Transition(SnapshotState.TRIGGER_PENDING, SnapshotState.ABANDONED, "its job does not run"),
    Transition(
        SnapshotState.TRIGGER_PENDING,
        SnapshotState.TRIGGER_PENDING,
        "it cannot be triggered, and a retry is left",
    ),
    Transition(
        SnapshotState.TRIGGER_PENDING,
        SnapshotState.FAILED,
        "it cannot be triggered, and no retry is left",
    ),
    Transition(SnapshotState.IN_PROGRESS, SnapshotState.COMPLETED, "Flink has taken it"),
    Transition(
        SnapshotState.IN_PROGRESS, SnapshotState.ABANDONED, "its job stops or is gone meanwhile"
    ),
    Transition(
        SnapshotState.IN_PROGRESS, SnapshotState.TRIGGER_PENDING, "it fails, and a retry is left"
    ),
    Transition(SnapshotState.IN_PROGRESS, SnapshotState.FAILED, "it fails, and no retry is left"),
)


def is_final(status: FlinkStateSnapshotStatus) -> bool:
    """Whether nothing more happens by itself: COMPLETED, ABANDONED, and FAILED without a retry."""
    return status.state not in (SnapshotState.TRIGGER_PENDING, SnapshotState.IN_PROGRESS)


def in_progress(
    status: FlinkStateSnapshotStatus, trigger_id: str, now: dt.datetime
) -> FlinkStateSnapshotStatus:
    """Return the status of an attempt that begins under this id."""
    return evolve(
        status,
        state=SnapshotState.IN_PROGRESS,
        trigger_id=trigger_id,
        trigger_timestamp=clock.rfc3339(now),
    )


def completed(
    status: FlinkStateSnapshotStatus, path: str | None, now: dt.datetime
) -> FlinkStateSnapshotStatus:
    """Return the status of a snapshot that is at `path`."""
    return evolve(
        status,
        state=SnapshotState.COMPLETED,
        path=path,
        error=None,
        result_timestamp=clock.rfc3339(now),
    )


def registered(
    status: FlinkStateSnapshotStatus, path: str | None, now: dt.datetime
) -> FlinkStateSnapshotStatus:
    """Return the status of a savepoint that was there already: both times are now (N-4)."""
    return completed(evolve(status, trigger_timestamp=clock.rfc3339(now)), path, now)


def abandoned(
    status: FlinkStateSnapshotStatus, why: str, now: dt.datetime
) -> FlinkStateSnapshotStatus:
    """Return the status of a snapshot without a running job; `why` is for people (N-8)."""
    return evolve(
        status,
        state=SnapshotState.ABANDONED,
        path=None,
        error=why,
        result_timestamp=clock.rfc3339(now),
    )


def failed(
    status: FlinkStateSnapshotStatus, error: str, now: dt.datetime, *, backoff_limit: int
) -> FlinkStateSnapshotStatus:
    """Return the status after an attempt that failed: waiting for the next, or FAILED for good (N-7).

    Args:
        status: the status before.
        error: the failure as JSON text.
        now: when it failed; the wait before the next attempt begins here.
        backoff_limit: `spec.backoffLimit`; negative means that there is always a next one.
    """
    failures = status.failures + 1
    last = backoff_limit >= 0 and failures > backoff_limit
    return evolve(
        status,
        state=SnapshotState.FAILED if last else SnapshotState.TRIGGER_PENDING,
        failures=failures,
        error=error,
        result_timestamp=clock.rfc3339(now),
    )


def retry_seconds(failures: int) -> float:
    """Return the wait after the n-th failure: 10 s, doubling, at most an hour (Q-15)."""
    doublings = min(max(failures - 1, 0), _MOST_DOUBLINGS)
    return min(_FIRST_RETRY_SECONDS * 2.0**doublings, _LAST_RETRY_SECONDS)


def seconds_to_retry(status: FlinkStateSnapshotStatus, now: dt.datetime) -> float:
    """Return how long the next attempt has to wait; 0 when it is due.

    Read from the status, so that an operator that starts anew waits no less and no more.
    """
    if status.state is not SnapshotState.TRIGGER_PENDING or not status.failures:
        return 0.0
    failed_at = moment(status.result_timestamp)
    if failed_at is None:
        return 0.0
    wait = retry_seconds(status.failures)
    return min(max(wait - (now - failed_at).total_seconds(), 0.0), wait)


def moment(text: str | None) -> dt.datetime | None:
    """Return a time of the status; None when it is absent or no time."""
    try:
        found = dt.datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return found if found is None or found.tzinfo is not None else found.replace(tzinfo=dt.UTC)
