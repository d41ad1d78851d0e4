"""When snapshots are due (behaviour.md R-86 to R-89)."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve

from flinkop.api.flink_version import FlinkVersion
from flinkop.api.flinkstatesnapshot import SnapshotState, SnapshotType
from flinkop.api.status import SnapshotTriggerType
from flinkop.lifecycle import periodic
from flinkop.lifecycle.periodic import Due, Wish
from flinkop.lifecycle.snapshot_facts import SnapshotFacts

NOW = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
BERLIN = ZoneInfo("Europe/Berlin")
MANUAL, PERIODIC = SnapshotTriggerType.MANUAL, SnapshotTriggerType.PERIODIC
NOTHING = Wish(
    type=SnapshotType.SAVEPOINT,
    running=True,
    in_flight=False,
    nonce=None,
    handled_nonce=None,
    expression="",
    flink_version=FlinkVersion.V1_20,
)


def judge(last=NOW - 10 * MINUTE, now=NOW, zone=dt.UTC, **wish):
    return periodic.judge(evolve(NOTHING, **wish), last, now, zone)


def test_nothing_is_asked_for():
    """No nonce, no expression: nothing, and nothing to wait for."""
    assert judge() == Due()
    assert judge(expression="  ") == Due()


@pytest.mark.parametrize(
    ("nonce", "handled", "trigger"),
    [(1, None, MANUAL), (2, 1, MANUAL), (0, None, MANUAL), (1, 1, None), (None, 1, None)],
)
def test_a_new_nonce_asks_for_one(nonce, handled, trigger):
    """Another number than the one handled; taking the nonce away asks for nothing."""
    assert judge(nonce=nonce, handled_nonce=handled).trigger is trigger


@pytest.mark.parametrize(
    ("expression", "last", "trigger", "at"),
    [
        ("10m", NOW - 10 * MINUTE, PERIODIC, NOW),
        ("10 min", NOW - 9 * MINUTE, None, NOW + MINUTE),
        ("60 s", NOW - 2 * MINUTE, PERIODIC, NOW - MINUTE),
        ("60000", NOW - MINUTE, PERIODIC, NOW),
        ("60001", NOW - MINUTE, None, NOW + dt.timedelta(milliseconds=1)),
        ("0", NOW - MINUTE, None, None),
        ("0 s", NOW - MINUTE, None, None),
        ("0 0 12 * * ?", NOW - MINUTE, PERIODIC, NOW),
        ("0 0 12 * * ?", NOW, None, NOW + dt.timedelta(days=1)),
        ("0 1 12 * * ?", NOW - MINUTE, None, NOW + MINUTE),
        ("0 0/5 * ? * *", NOW - 60 * MINUTE, PERIODIC, NOW - 55 * MINUTE),
        ("0 0 0 1 1 ? 2025", NOW, None, None),
        ("400000 d", NOW, None, NOW + dt.timedelta(days=365_000)),
    ],
)
def test_the_clock_asks_for_one(expression, last, trigger, at):
    """Durations count from the last one; of a cron expression the first moment after it counts."""
    assert judge(last=last, expression=expression) == Due(trigger, at)


def test_it_is_due_at_the_moment_that_was_told():
    """A timer set to it finds it due, at most once."""
    for expression in ("7 min", "0 3 12 * * ?"):
        waiting = judge(last=NOW - MINUTE, expression=expression)
        assert waiting.at is not None
        assert judge(last=NOW - MINUTE, now=waiting.at, expression=expression).trigger is PERIODIC
        assert judge(last=waiting.at, now=waiting.at, expression=expression).trigger is None


def test_cron_speaks_of_the_zone_and_durations_do_not():
    """Noon in Berlin is 11:00 UTC in winter; a day lasts 24 hours also when clocks change."""
    noon = judge(last=NOW, expression="0 0 12 * * ?", zone=BERLIN).at
    assert noon == dt.datetime(2026, 1, 2, 11, tzinfo=dt.UTC)
    last = dt.datetime(2026, 3, 28, 12, tzinfo=BERLIN)
    assert judge(last=last, expression="24 h", zone=BERLIN).at == dt.datetime(
        2026, 3, 29, 11, tzinfo=dt.UTC
    )


def test_the_nonce_comes_first():
    """Both at once: the manual one, and the periodic one stays due."""
    assert judge(nonce=1, expression="1 min") == Due(MANUAL, NOW - 9 * MINUTE)


@pytest.mark.parametrize("how", [{"running": False}, {"in_flight": True}])
def test_not_now(how):
    """A job that does not run, or takes one already, is left alone: the next look comes by itself."""
    assert judge(nonce=1, expression="1 min", **how) == Due()


@pytest.mark.parametrize("expression", ["10 minutos", "every day", "0 0 25 * * ?", "-1", "1h30m"])
def test_what_is_neither_duration_nor_cron(expression):
    """A warning that quotes it; manual ones work all the same."""
    found = judge(expression=expression, nonce=1)
    assert found.trigger is MANUAL
    assert found.at is None
    assert found.warning is not None
    assert found.warning.startswith(f"no periodic savepoints: {expression!r} is neither a duration")
    assert judge(expression=expression, running=False).warning == found.warning


def test_the_warning_names_the_field():
    """Whoever meant cron reads what is wrong with it."""
    found = judge(expression="0 0 25 * * ?", type=SnapshotType.CHECKPOINT)
    assert found.warning is not None
    assert "periodic checkpoints" in found.warning
    assert "hours: 25 is out of range" in found.warning


@pytest.mark.parametrize("version", [None, FlinkVersion.V1_16])
@pytest.mark.parametrize("wish", [{"nonce": 1}, {"expression": "1 min"}])
def test_checkpoints_need_a_later_flink(version, wish):
    """Before 1.17 they cannot be triggered: a warning for those who ask; savepoints can."""
    of_checkpoints = {"type": SnapshotType.CHECKPOINT, "flink_version": version}
    found = judge(**of_checkpoints, **wish)
    assert found == Due(warning="checkpoints can only be triggered on Flink 1.17 or later")
    assert judge(**of_checkpoints) == Due()
    assert judge(flink_version=version, **wish).trigger is not None
    later = {**of_checkpoints, "flink_version": FlinkVersion.V1_17}
    assert judge(**later, **wish).trigger is not None


CREATED = NOW - dt.timedelta(days=1)


def snapshot(minutes_ago, **facts):
    options = {
        "name": "s",
        "type": SnapshotType.SAVEPOINT,
        "trigger": PERIODIC,
        "state": SnapshotState.COMPLETED,
        **facts,
    }
    return SnapshotFacts(created=NOW - minutes_ago * MINUTE, **options)


def last(*snapshots, legacy_ms=0, remembered=None):
    return periodic.last_periodic(SnapshotType.SAVEPOINT, CREATED, legacy_ms, snapshots, remembered)


def test_the_first_period_begins_with_the_resource():
    """Before any snapshot."""
    assert last() == CREATED


def test_what_counts_as_the_last_one():
    """Periodic ones of the type that completed or still may: a restart takes none twice."""
    counted = [SnapshotState.COMPLETED, SnapshotState.TRIGGER_PENDING, SnapshotState.IN_PROGRESS]
    for state in SnapshotState:
        expected = NOW - 5 * MINUTE if state in counted else CREATED
        assert last(snapshot(5, state=state)) == expected
    assert last(snapshot(5, type=SnapshotType.CHECKPOINT)) == CREATED
    for trigger in set(SnapshotTriggerType) - {PERIODIC}:
        assert last(snapshot(5, trigger=trigger)) == CREATED
    assert last(snapshot(9), snapshot(5), snapshot(7)) == NOW - 5 * MINUTE


def test_the_latest_of_all_sources_counts():
    """Also when snapshot resources were switched off after some had been taken."""
    legacy = NOW - 3 * MINUTE
    legacy_ms = int(legacy.timestamp() * 1000)
    assert last(legacy_ms=legacy_ms) == legacy
    assert last(snapshot(5), legacy_ms=legacy_ms) == legacy
    assert last(snapshot(1), legacy_ms=legacy_ms) == NOW - MINUTE


def test_a_failed_one_waits_a_period_while_it_is_remembered():
    """Memory says when it was triggered, however that ended; the next process tries at once."""
    failed = snapshot(2, state=SnapshotState.FAILED)
    assert last(failed, remembered=failed.created) == failed.created
    assert last(failed) == CREATED
