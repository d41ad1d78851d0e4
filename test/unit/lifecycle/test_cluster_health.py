"""Whether a job is healthy (behaviour.md O-80 to O-85)."""

import pytest

from flinkop.config import errors
from flinkop.config.flink_conf import FlinkConf
from flinkop.lifecycle import cluster_health
from flinkop.lifecycle.cluster_health import Health, HealthRecord, HealthRules, Observed

SECOND = 1000
MINUTE = 60 * SECOND
START = 1767225600000
RULES = HealthRules(
    restarts_window_ms=2 * MINUTE, restarts_threshold=64, progress_window_ms=20 * MINUTE
)
PREFIX = "kubernetes.operator.cluster.health-check."
WELL = Health(healthy=True, error="")


def look(last, after, restarts=0, checkpoints=0, by=RULES):
    """Look at the job `after` milliseconds."""
    return cluster_health.judge(last, Observed(START + after, restarts, checkpoints), by)


def test_the_first_look_only_remembers():
    """Counting begins there, so however many there were, it is healthy."""
    found = look(None, 0, restarts=1000, checkpoints=7)
    assert found == HealthRecord(
        time_stamp=START,
        num_restarts=1000,
        num_restarts_evaluation_time_stamp=START,
        num_completed_checkpoints=7,
        num_completed_checkpoints_increased_time_stamp=START,
        health_result=Health(healthy=True, error=None),
    )


def test_an_older_look_changes_nothing():
    """The clock went back: what is known stays."""
    last = look(look(None, 0), MINUTE)
    assert look(last, MINUTE - 1, restarts=1000) == last
    assert look(last, MINUTE).time_stamp == START + MINUTE


@pytest.mark.parametrize(
    ("after", "restarts", "healthy"),
    [
        (0, 64, True),
        (0, 65, False),
        (2 * MINUTE, 64, True),
        (2 * MINUTE, 65, False),
        (4 * MINUTE, 129, True),  # 64.5 in two minutes, which is 64
        (4 * MINUTE, 130, False),
        (20 * MINUTE, 649, True),
        (20 * MINUTE, 650, False),
    ],
)
def test_restarts_are_counted_over_a_window(after, restarts, healthy):
    """Of those since a longer time, the window's share counts; the threshold itself is healthy."""
    found = look(look(None, 0, restarts=10), after, restarts=10 + restarts).health_result
    assert found == (
        WELL if healthy else Health(healthy=False, error="Restart count hit threshold: 64")
    )


def test_counting_goes_on_for_a_window():
    """Looks within it count from the same point; the first one after it is the next point."""
    first = look(None, 0)
    within = look(first, 2 * MINUTE, restarts=40)
    assert (within.num_restarts, within.num_restarts_evaluation_time_stamp) == (0, START)
    beyond = look(within, 2 * MINUTE + 1, restarts=41)
    assert beyond.num_restarts == 41
    assert beyond.num_restarts_evaluation_time_stamp == START + 2 * MINUTE + 1


def test_fewer_restarts_are_another_job():
    """Counting begins anew, and it is healthy."""
    found = look(look(None, 0, restarts=1000), MINUTE, restarts=70)
    assert found.health_result == WELL
    assert (found.num_restarts, found.num_restarts_evaluation_time_stamp) == (70, START + MINUTE)


def test_checkpoints_must_go_on():
    """Without a new one for longer than the window it is unhealthy, with one again healthy."""
    first = look(None, 0, checkpoints=3)
    at_its_end = look(first, 20 * MINUTE, checkpoints=3)
    assert at_its_end.health_result == WELL
    too_long = look(at_its_end, 20 * MINUTE + 1, checkpoints=3)
    assert too_long.health_result == Health(
        healthy=False, error="Cluster is not able to complete checkpoints"
    )
    assert too_long.num_completed_checkpoints_increased_time_stamp == START
    again = look(too_long, 21 * MINUTE, checkpoints=4)
    assert again.health_result == WELL
    assert again.num_completed_checkpoints == 4
    assert again.num_completed_checkpoints_increased_time_stamp == START + 21 * MINUTE


def test_fewer_checkpoints_are_another_job():
    """Waiting begins anew."""
    found = look(look(None, 0, checkpoints=3), 30 * MINUTE, checkpoints=2)
    assert found.health_result == WELL
    assert found.num_completed_checkpoints == 2
    assert found.num_completed_checkpoints_increased_time_stamp == START + 30 * MINUTE


def test_checkpoints_may_not_be_judged():
    """What is known of them stays as it is."""
    by = HealthRules(restarts_window_ms=MINUTE, restarts_threshold=1, progress_window_ms=None)
    found = look(look(None, 0, checkpoints=3), 999 * MINUTE, checkpoints=4, by=by)
    assert found.health_result == WELL
    assert found.num_completed_checkpoints == 3


def test_both_at_once():
    """The error tells of both."""
    found = look(look(None, 0), 21 * MINUTE, restarts=1000)
    assert found.health_result.error == (
        "Restart count hit threshold: 64|Cluster is not able to complete checkpoints"
    )


def test_a_window_of_nothing():
    """No restart is within it."""
    by = HealthRules(restarts_window_ms=0, restarts_threshold=0, progress_window_ms=None)
    assert look(look(None, 0), MINUTE, restarts=99, by=by).health_result == WELL


TEXT = (
    '{"timeStamp":1,"numRestarts":2,"numRestartsEvaluationTimeStamp":3,"numCompletedCheckpoints":4,'
    '"numCompletedCheckpointsIncreasedTimeStamp":5,"healthResult":{"healthy":false,"error":"x"}}'
)


def test_the_text_is_the_reference_s():
    """Names, order and layout, so that either operator goes on where the other left off."""
    record = cluster_health.decode(TEXT)
    assert record == HealthRecord(
        time_stamp=1,
        num_restarts=2,
        num_restarts_evaluation_time_stamp=3,
        num_completed_checkpoints=4,
        num_completed_checkpoints_increased_time_stamp=5,
        health_result=Health(healthy=False, error="x"),
    )
    assert record.encode() == TEXT
    assert look(None, 0).encode().endswith('"healthResult":{"healthy":true,"error":null}}')
    assert cluster_health.KEY == "ClusterHealthInfo"


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "x",
        "null",
        "[]",
        "{}",
        '{"timeStamp":1,"numRestarts":2}',
        TEXT.replace("2", '"two"'),
        TEXT.replace('{"healthy":false,"error":"x"}', "null"),
        "[" * 100_000,
    ],
)
def test_a_text_that_cannot_be_understood(text):
    """Counting begins anew."""
    assert cluster_health.decode(text) is None


def test_more_members_than_known():
    """Are left alone."""
    assert cluster_health.decode(TEXT[:-1] + ',"more":1}') == cluster_health.decode(TEXT)


def rules(**entries):
    conf = {
        "interval": "execution.checkpointing.interval",
        "timeout": "execution.checkpointing.timeout",
        "failures": "execution.checkpointing.tolerable-failed-checkpoints",
        "enabled": PREFIX + "checkpoint-progress.enabled",
        "window": PREFIX + "checkpoint-progress.window",
        "restarts_window": PREFIX + "restarts.window",
        "restarts": PREFIX + "restarts.threshold",
    }
    return cluster_health.rules(FlinkConf({conf[k]: v for k, v in entries.items()}))


def test_the_defaults():
    """64 restarts in 2 minutes; no checkpoints are asked of a job that makes none."""
    assert rules() == HealthRules(2 * MINUTE, 64, None)
    assert rules(restarts_window="10 s", restarts="3") == HealthRules(10 * SECOND, 3, None)


@pytest.mark.parametrize(
    ("entries", "window"),
    [
        ({"interval": "1 min"}, 20 * MINUTE),
        ({"interval": "0 s"}, None),
        ({"interval": "30 min"}, 60 * MINUTE),
        ({"interval": "1 min", "timeout": "2 min"}, 4 * MINUTE),
        ({"interval": "1 min", "timeout": "2 min", "failures": "3"}, 10 * MINUTE),
        ({"interval": "1 min", "failures": "-1"}, 20 * MINUTE),
        ({"interval": "1 min", "failures": str(2**31 - 1)}, 10 * MINUTE * (2**31 + 1)),
        ({"interval": "1 min", "window": "19 min"}, 20 * MINUTE),
        ({"interval": "1 min", "window": "21 min"}, 21 * MINUTE),
        ({"window": "21 min"}, 21 * MINUTE),
        ({"window": "1 min"}, 20 * MINUTE),
        ({"window": "21 min", "enabled": "false"}, None),
        ({"interval": "1 min", "enabled": "false"}, None),
    ],
)
def test_how_long_there_may_be_no_checkpoint(entries, window):
    """Long enough for as many failures as are tolerated, at least; not judged without checkpoints."""
    assert rules(**entries).progress_window_ms == window


def test_an_option_that_cannot_be_read():
    """Is an error of the configuration."""
    with pytest.raises(errors.ConfigValueError):
        rules(restarts="many")
