"""Which ports a configuration of the reference opens for Prometheus."""

import pytest

from flinkop.config import checking, reporters
from flinkop.config.errors import ConfigValueError
from flinkop.config.flink_conf import FlinkConf

R = "kubernetes.operator.metrics.reporter."
PROM = {f"{R}prom.factory.class": reporters.PROMETHEUS}


def read(**entries):
    """The reporters that entries give beside one called prom."""
    return reporters.prometheus(FlinkConf(PROM | entries))


def test_defaults():
    """Flink's port, and odd characters of label values rewritten, as dashboards know them."""
    assert read() == (reporters.PrometheusReporter("prom", (9249,), filter_values=True),)


@pytest.mark.parametrize(
    ("text", "ports"),
    [("9999", (9999,)), ("9250-9252", (9250, 9251, 9252)), ("1, 3-4", (1, 3, 4))],
)
def test_ports(text, ports):
    """One, a range, or a list of both."""
    assert read(**{f"{R}prom.port": text})[0].ports == ports


@pytest.mark.parametrize("text", ["x", "0", "70000", "5-3", "1;2", "-1"])
def test_what_is_no_port_is_refused(text):
    """With the key, at the start and by the check."""
    key = f"{R}prom.port"
    with pytest.raises(ConfigValueError, match="not a port"):
        read(**{key: text})
    assert "not a port" in checking.check(FlinkConf(PROM | {key: text}))[0].message


def test_label_values_may_stay_as_they_are():
    """`filterLabelValueCharacters: false`."""
    assert not read(**{f"{R}prom.filterLabelValueCharacters": "false"})[0].filter_values
    with pytest.raises(ConfigValueError, match="filterLabelValueCharacters"):
        read(**{f"{R}prom.filterLabelValueCharacters": "maybe"})


def test_a_list_of_reporters_limits_them():
    """Those that it does not name are not there."""
    other = {f"{R}other.factory.class": reporters.PROMETHEUS}
    assert [one.name for one in read(**other)] == ["other", "prom"]
    listed = {"kubernetes.operator.metrics.reporters": "other, third"}
    assert [one.name for one in read(**other, **listed)] == ["other"]


def test_reporters_that_are_not_there_are_told():
    """The start is not refused."""
    conf = FlinkConf({f"{R}slf4j.factory.class": "org.apache.flink.metrics.slf4j.Slf4jReporter"})
    assert reporters.prometheus(conf) == ()
    [finding] = checking.check(conf)
    assert finding.level is checking.Level.WARNING
    assert finding.message.endswith("has no effect: there is no Slf4jReporter.")


def test_plain_metric_options_are_the_clusters():
    """Without the operator's prefix they configure Flink."""
    assert reporters.prometheus(FlinkConf({"metrics.reporter.prom.factory.class": "x"})) == ()
