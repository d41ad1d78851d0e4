"""What the benchmark prints."""

from collections import Counter

from bench.report import Row, number
from bench.run import spread
from bench.scrape import parse, since, writes

METRICS = """\
# TYPE flinkop_client_requests_total counter
flinkop_client_requests_total{verb="create",resource="services",code="201"} 4.0
flinkop_client_requests_total{verb="create",resource="services",code="500"} 1.0
flinkop_client_requests_total{verb="watch",resource="pods",code="200"} 2.0
flinkop_client_requests_total{verb="replace",resource="leases",code="200"} 9.0
# TYPE flinkop_flink_requests_total counter
flinkop_flink_requests_total{method="GET",endpoint="/jobs/overview",code="200"} 6.0
flinkop_flink_requests_total{method="GET",endpoint="/jobs/overview",code="timeout"} 1.0
# TYPE flinkop_event_loop_longest_pause_seconds gauge
flinkop_event_loop_longest_pause_seconds 0.012
"""


def test_calls_are_read_from_the_metrics():
    """Codes are summed; reads and lease renewals are no writes."""
    scraped = parse(METRICS)
    assert scraped.calls[("create", "services")] == 5
    assert scraped.flink[("GET", "/jobs/overview")] == 7
    assert scraped.longest_pause == 0.012
    assert writes(scraped.calls) == 5


def test_calls_since_a_moment_leave_out_what_did_not_grow():
    """Only what was called between two scrapes is listed."""
    before = Counter({("get", "pods"): 2, ("watch", "pods"): 1})
    after = Counter({("get", "pods"): 5, ("watch", "pods"): 1})
    assert since(after, before) == {("get", "pods"): 3}


def test_a_row_is_judged_only_against_a_budget():
    """No budget or no value: nothing to judge."""
    assert Row("a", 1.0, "s", 2.0).within is True
    assert Row("a", 3.0, "s", 2.0).within is False
    assert Row("a", 3.0, "s").within is None
    assert Row("a", None, "s", 2.0).within is None


def test_numbers_are_short():
    """Whole numbers without a point, large ones rounded, the rest with two places."""
    assert [number(value, "s") for value in (2, 0.125, 123.4, None)] == [
        "2 s",
        "0.12 s",
        "123 s",
        "-",
    ]


def test_the_spread_of_many_values():
    """Median and 99th percentile of sorted seconds."""
    assert spread("x", [float(value) for value in range(100)]) == {
        "x_p50_seconds": 50.0,
        "x_p99_seconds": 99.0,
    }
    assert spread("x", []) == {}
