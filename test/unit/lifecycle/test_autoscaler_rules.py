"""Rule D21: options of the autoscaler (api.md 4.6)."""

import pytest

from flinkop.config.errors import ConfigError
from flinkop.config.flink_conf import FlinkConf
from flinkop.lifecycle import autoscaler_rules

P = "job.autoscaler."


def found(**options):
    conf = {P + k.replace("__", "-").replace("_", "."): v for k, v in options.items()}
    return check({P + "enabled": "true", **conf})


def check(conf):
    return autoscaler_rules.first_problem(FlinkConf(conf))


def with_option(key, value, *more):
    return check({P + "enabled": "true", P + key: value, **{P + k: "true" for k in more}})


def test_defaults_are_within_their_ranges():
    """Switched on alone it is fine."""
    assert found() is None


def test_nothing_is_checked_while_it_is_off():
    """The rules are for those who use it."""
    assert check({P + "scale-up.max-factor": "x"}) is None
    assert check({P + "enabled": "false", P + "scale-up.max-factor": "x"}) is None


def test_a_switch_that_is_neither_on_nor_off():
    """The validator tells it as a problem of the configuration."""
    with pytest.raises(ConfigError, match="write true or false"):
        check({P + "enabled": "yes"})


RANGES = [
    ("scale-down.max-factor", ["0", "5"], ["-0.1"], None),
    ("scale-up.max-factor", ["0", "1e9"], ["-1"], None),
    ("utilization.target", ["0", "1", "0.5"], ["-0.1", "1.1", "NaN"], None),
    ("target.utilization.boundary", ["0", "9"], ["-1"], None),
    ("utilization.max", ["0.7", "1"], ["0.69", "1.01"], None),
    ("utilization.min", ["0", "0.7"], ["-0.1", "0.71"], None),
    ("memory.gc-pressure.threshold", ["0", "1"], ["1.1"], None),
    ("memory.heap-usage.threshold", ["0", "1"], ["-1"], None),
    (
        "observed-scalability.coefficient-min",
        ["0.01", "1"],
        ["0", "1.1"],
        "observed-scalability.enabled",
    ),
    (
        "scaling.effectiveness.threshold",
        ["0", "1"],
        ["2"],
        "scaling.effectiveness.detection.enabled",
    ),
    ("memory.tuning.overhead", ["0", "1"], ["2"], "memory.tuning.enabled"),
]


@pytest.mark.parametrize(("key", "good", "bad", "switch"), RANGES, ids=[r[0] for r in RANGES])
def test_numbers_must_lie_in_their_range(key, good, bad, switch):
    """Ranges are inclusive; behind a switch they count only when it is on."""
    more = [switch] if switch else []
    for value in good:
        assert with_option(key, value, *more) is None
    for value in bad:
        problem = with_option(key, value, *more)
        assert problem is not None
        assert problem.field_path == f"spec.flinkConfiguration[{P}{key}]"
        if switch:
            assert with_option(key, value) is None


def test_the_words_of_a_number_out_of_range():
    """Key, range, and what it is; an open end is infinite."""
    assert with_option("utilization.target", "2").message == (
        "AutoScalerOption job.autoscaler.utilization.target is invalid, must be within [0, 1], but is 2"
    )
    assert "[0, +Infinity]" in with_option("scale-up.max-factor", "-1").message


@pytest.mark.parametrize("text", ["x", "", "1_000", "\u0661"])
def test_what_is_no_number(text):
    """Flink reads digits and dots only."""
    problem = with_option("scale-up.max-factor", text)
    assert problem is not None
    assert "invalid value in the autoscaler config" in problem.message


def test_bounds_follow_the_target():
    """`utilization.max` and `.min` are judged by the target in force; without a readable one, not."""
    assert with_option("utilization.max", "0.6") is not None
    conf = {P + "enabled": "true", P + "utilization.target": "0.5", P + "utilization.max": "0.6"}
    assert check(conf) is None
    assert check({**conf, P + "utilization.min": "0.6"}) is not None
    assert "target" in check({**conf, P + "utilization.target": "x"}).field_path


def test_older_keys_count():
    """Prefix of the operator, and the old name of the target; the newer key wins."""
    old = "kubernetes.operator." + P
    assert check({old + "enabled": "true", old + "scale-up.max-factor": "-1"}) is not None
    assert with_option("target.utilization", "2") is not None
    conf = {P + "enabled": "true", P + "target.utilization": "2", P + "utilization.target": "0.5"}
    assert check(conf) is None


@pytest.mark.parametrize(
    "periods",
    [
        "",
        "09:13:17-11:15:18;14:01:20-16:00:00",
        "* * * ? * 2,5 && 14:01:20-16:00:00",
        "9:30-10:50",
        "09:30:15:500-10:00:00:001",
        "* * 9-11,14-16 * * ?",
        " 9:30-10:50 ; ",
    ],
)
def test_excluded_periods_that_can_be_read(periods):
    """Recorded cases: daily ranges, cron expressions, one of each."""
    assert with_option("excluded.periods", periods) is None


@pytest.mark.parametrize(
    "periods",
    [
        "09:13:17-08:15:18",
        "09:13:17-25:15:18",
        "09:13:17-11:15:18;18:01:20-16:00:00",
        "09:13:17-11:15:18 && 12:01:20-16:00:00",
        "* * * ? * 2,5 && 18:01:20-16:00:00",
        "* * * ? * 2,5 && * * 11-13 * * ?",
        "10:00-10:00",
        "a && b && c",
        "* * * * *",
        "ü ü ü ü ü ü",
        "10:60-11:00",
    ],
)
def test_excluded_periods_that_cannot(periods):
    """Recorded cases: backward ranges, impossible times, two of a kind, too few fields."""
    problem = with_option("excluded.periods", periods)
    assert problem is not None
    assert "excluded.periods" in problem.message


def test_the_window_is_at_least_the_interval():
    """Also its default, and both as the effective configuration has them."""
    interval = "kubernetes.operator.reconcile.interval"
    assert with_option("metrics.window", "60 s") is None
    assert with_option("metrics.window", "59 s") is not None
    assert check({P + "enabled": "true", P + "metrics.window": "20 s", interval: "15 s"}) is None
    assert check({P + "enabled": "true", interval: "20 min"}) is not None
    assert "invalid value" in with_option("metrics.window", "x").message


def test_every_fault_can_be_found():
    """One that cannot be read does not hide the others; only the first is told."""
    conf = FlinkConf(
        {
            P + "enabled": "true",
            P + "utilization.target": "x",
            P + "excluded.periods": "never",
            P + "metrics.window": "x",
        }
    )
    keys = [problem.field_path for problem in autoscaler_rules._problems(conf)]
    assert [k.rpartition("job.autoscaler.")[2] for k in keys] == [
        "utilization.target]",
        "excluded.periods]",
        "metrics.window]",
    ]
