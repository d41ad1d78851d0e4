"""Series are named and labelled exactly as the reference's (operations.md 2.2)."""

from prometheus_client import CollectorRegistry, generate_latest

from flinkop.metrics.scope import Scope, Variables, sanitise
from flinkop.metrics.series import SeriesRegistry


def test_variables_from_environment():
    """The three variables have defaults; an empty value counts as given."""
    assert Variables.from_environment({}) == Variables(
        "localhost", "default", "flink-kubernetes-operator"
    )
    given = {"HOSTNAME": "h", "OPERATOR_NAMESPACE": "", "OPERATOR_NAME": "n"}
    assert Variables.from_environment(given) == Variables("h", "", "n")


def test_sanitise():
    """Letters, digits, colon and underscore stay."""
    assert sanitise("my-ns.1:a_Z é") == "my_ns_1:a_Z__"


def test_gauge_text(series):
    """Help, type, name, labels and sanitised values are the reference's, byte by byte."""
    labels = {"resourcens": "team-a", "resourcetype": "FlinkDeployment"}
    kind = 'resourcens="team_a",resourcetype="FlinkDeployment"'
    series.gauge(Scope.NAMESPACE, "Lifecycle.State.STABLE.Count", labels).units += 3
    registry = CollectorRegistry(auto_describe=False)
    registry.register(series)
    name = "flink_k8soperator_namespace_Lifecycle_State_STABLE_Count"
    assert generate_latest(registry).decode().splitlines() == [
        f"# HELP {name} Count (scope: k8soperator_namespace_Lifecycle_State_STABLE)",
        f"# TYPE {name} gauge",
        f'{name}{{host="pod_1",name="flinkop",namespace="flink_system",{kind}}} 3.0',
    ]


def test_raw_label_values():
    """Label values stay as they are when asked for."""
    series = SeriesRegistry(Variables(host="a-b"), sanitise_values=False)
    series.gauge(Scope.SYSTEM, "X")
    (metric,) = series.collect()
    assert metric.samples[0].labels["host"] == "a-b"


def test_histogram(series, scrape):
    """A histogram is a summary with six quantiles and a count, without sum and creation time."""
    histogram = series.histogram(Scope.SYSTEM, "A.TimeSeconds", size=10)
    for value in range(1, 4):
        histogram.update(value)
    found = scrape()
    name = "flink_k8soperator_A_TimeSeconds"
    assert found.families[name].type == "summary"
    assert found.value(name, quantile="0.5") == 2
    assert found.value(f"{name}_count") == 3
    quantiles = {
        labels["quantile"]
        for labels in map(dict, (k[1] for k in found.samples))
        if "quantile" in labels
    }
    assert quantiles == {"0.5", "0.75", "0.95", "0.98", "0.99", "0.999"}
    assert "_sum" not in found.text
    assert "_created" not in found.text


def test_reading(series, scrape):
    """A reading is looked up at each scrape, and registered once."""
    numbers = iter([1, 2, 3])
    for _ in range(2):
        series.reading(Scope.SYSTEM, "R", lambda: next(numbers))
    assert [scrape().value("flink_k8soperator_R") for _ in range(2)] == [1, 2]


def test_same_series(series):
    """The same path and labels give the same series, in whatever order the labels come."""
    one = series.gauge(Scope.NAMESPACE, "Count", {"a": "1", "b": "2"})
    assert series.gauge(Scope.NAMESPACE, "Count", {"b": "2", "a": "1"}) is one
