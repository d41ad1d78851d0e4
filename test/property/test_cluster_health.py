"""A job's health over time."""

from hypothesis import given, strategies as st

from flinkop.lifecycle import cluster_health
from flinkop.lifecycle.cluster_health import HealthRules, Observed

counts = st.integers(0, 200)
rules = st.builds(
    HealthRules, st.integers(0, 1000), st.integers(0, 100), st.none() | st.integers(0, 1000)
)
observations = st.lists(st.builds(Observed, st.integers(0, 5000), counts, counts), min_size=1)


@given(observations, rules)
def test_whatever_is_seen(seen, by):
    """There is a verdict with a reason, what is remembered is no older than what was, and it keeps."""
    last = None
    for observed in seen:
        found = cluster_health.judge(last, observed, by)
        assert found.health_result.healthy == (not found.health_result.error)
        assert found.num_restarts_evaluation_time_stamp <= found.time_stamp
        assert found.num_completed_checkpoints_increased_time_stamp <= found.time_stamp
        if last is not None:
            assert found.time_stamp >= last.time_stamp
            assert (
                found.num_restarts_evaluation_time_stamp >= last.num_restarts_evaluation_time_stamp
            )
        last = cluster_health.decode(found.encode())
        assert last == found


@given(st.lists(st.tuples(st.integers(1, 100), st.booleans())), rules)
def test_a_job_that_is_well(steps, by):
    """Never restarted beyond the threshold and with a checkpoint at each look, it is healthy."""
    time = restarts = 0
    last = None
    for checkpoints, (passed, restarted) in enumerate(steps):
        time += passed
        restarts += restarted and restarts < by.restarts_threshold
        last = cluster_health.judge(last, Observed(time, restarts, checkpoints), by)
        assert last.health_result.healthy


@given(rules, st.integers(1, 100))
def test_a_job_that_restarts_all_the_time(by, beyond):
    """More often than the threshold within the window, it is unhealthy, and later well again."""
    first = cluster_health.judge(None, Observed(0, 0, 0), by)
    window = by.restarts_window_ms
    bad = cluster_health.judge(first, Observed(window, by.restarts_threshold + beyond, 0), by)
    assert not bad.health_result.healthy
    later = cluster_health.judge(bad, Observed(window + 1, bad.num_restarts, 1), by)
    assert later.health_result.healthy
