"""The steps of a snapshot, and what its status says after each (behaviour.md N-2 to N-8, Q-15)."""

import datetime as dt

import pytest
from attrs import evolve

from flinkop.api.flinkstatesnapshot import FlinkStateSnapshotStatus, SnapshotState
from flinkop.lifecycle import snapshot_states as states

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
STAMP = "2026-01-01T00:00:00Z"
ID = "0" * 32
PENDING = FlinkStateSnapshotStatus()


def after(seconds):
    return NOW + dt.timedelta(seconds=seconds)


def test_the_way_of_a_snapshot_that_is_taken():
    """Id and time before Flink is asked; path and time of the result at the end, errors gone."""
    begun = states.in_progress(evolve(PENDING, error="old", failures=2), ID, NOW)
    assert (begun.state, begun.trigger_id) == (SnapshotState.IN_PROGRESS, ID)
    assert (begun.trigger_timestamp, begun.result_timestamp) == (STAMP, None)
    taken = states.completed(begun, "s3://p", after(5))
    assert taken == FlinkStateSnapshotStatus(
        state=SnapshotState.COMPLETED,
        trigger_id=ID,
        trigger_timestamp=STAMP,
        result_timestamp="2026-01-01T00:00:05Z",
        path="s3://p",
        failures=2,
    )


def test_one_that_existed_has_both_times_and_no_id():
    """Nothing was triggered."""
    assert states.registered(PENDING, "s3://p", NOW) == FlinkStateSnapshotStatus(
        state=SnapshotState.COMPLETED,
        trigger_timestamp=STAMP,
        result_timestamp=STAMP,
        path="s3://p",
    )


def test_one_that_is_abandoned_has_no_path():
    """The reason is plain text."""
    begun = evolve(states.in_progress(PENDING, ID, NOW), path="x")
    found = states.abandoned(begun, "the job is gone", after(1))
    assert (found.state, found.path, found.error) == (
        SnapshotState.ABANDONED,
        None,
        "the job is gone",
    )
    assert found.result_timestamp == "2026-01-01T00:00:01Z"


@pytest.mark.parametrize(
    ("limit", "before", "state"),
    [
        (-1, 0, SnapshotState.TRIGGER_PENDING),
        (-1, 1000, SnapshotState.TRIGGER_PENDING),
        (0, 0, SnapshotState.FAILED),
        (2, 1, SnapshotState.TRIGGER_PENDING),
        (2, 2, SnapshotState.FAILED),
        (-7, 3, SnapshotState.TRIGGER_PENDING),
    ],
)
def test_how_often_an_attempt_is_repeated(limit, before, state):
    """`backoffLimit` retries, none with 0, without bound when it is negative (N-7)."""
    found = states.failed(evolve(PENDING, failures=before), "{}", NOW, backoff_limit=limit)
    assert (found.state, found.failures, found.error) == (state, before + 1, "{}")
    assert found.result_timestamp == STAMP
    assert states.is_final(found) == (state is SnapshotState.FAILED)


def test_waits_double_up_to_an_hour():
    """10 s first; no exponent is too large."""
    waits = [states.retry_seconds(failures) for failures in (0, 1, 2, 3, 9, 10, 11, 10**9)]
    assert waits == [10, 10, 20, 40, 2560, 3600, 3600, 3600]


def test_a_retry_is_due_when_its_wait_is_over():
    """Counted from the failure that the status tells of."""
    failed = states.failed(PENDING, "{}", NOW, backoff_limit=-1)
    assert states.seconds_to_retry(failed, NOW) == 10
    assert states.seconds_to_retry(failed, after(4)) == 6
    assert states.seconds_to_retry(failed, after(11)) == 0
    # A clock that went back does not make anybody wait longer than the wait itself.
    assert states.seconds_to_retry(failed, after(-100)) == 10


def test_nothing_waits_that_has_not_failed():
    """Nor what has no time to count from, nor what is not pending."""
    assert states.seconds_to_retry(PENDING, NOW) == 0
    assert states.seconds_to_retry(evolve(PENDING, failures=1), NOW) == 0
    odd = evolve(PENDING, failures=1, result_timestamp="yesterday")
    assert states.seconds_to_retry(odd, NOW) == 0
    ended = evolve(PENDING, state=SnapshotState.FAILED, failures=1, result_timestamp=STAMP)
    assert states.seconds_to_retry(ended, NOW) == 0


def test_times_of_the_reference_are_read():
    """It writes nanoseconds; what has no zone is UTC."""
    assert states.moment("2026-01-01T00:00:00.123456789Z") == NOW.replace(microsecond=123456)
    assert states.moment("2026-01-01T00:00:00") == NOW
    assert states.moment(None) is None


def test_the_table_names_each_step_once_and_leads_to_an_end():
    """Every state can be left or is final; final ones are never left."""
    table = states.TRANSITIONS
    assert len({(one.before, one.after) for one in table}) == len(table)
    left = {one.before for one in table}
    assert left == {SnapshotState.TRIGGER_PENDING, SnapshotState.IN_PROGRESS}
    final = set(SnapshotState) - left
    assert final <= {one.after for one in table}
    for state in SnapshotState:
        assert states.is_final(evolve(PENDING, state=state)) == (state in final)
