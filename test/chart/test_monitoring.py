"""Alerts and dashboard ask for metrics that there are."""

import json
import re

import pytest
import yaml
from fakes import helm
from fakes.programs import ROOT
from fakes.scrape import Scrape

from flinkop.config.reporters import PROMETHEUS
from hack.pages import dashboard, exercised

pytestmark = pytest.mark.chart

ALERTS = yaml.safe_load((helm.CHART / "files" / "monitoring" / "alerts.yaml").read_text())
RULES = {rule["alert"]: rule for group in ALERTS for rule in group["rules"]}
QUERIES = [*(rule["expr"] for rule in RULES.values()), *dashboard.queries()]
SELECTOR = re.compile(r"\b(flink(?:op)?_[a-zA-Z0-9_]+)(?:\{([^}]*)\})?")
GIVEN_BY_PROMETHEUS = {"pod", "le"}


@pytest.fixture(scope="module")
def labels():
    """The labels of each series name, as scraped from an operator that has seen one of everything."""
    found: dict[str, set[str]] = {}
    for name, pairs in Scrape(exercised.metrics().text()).samples:
        found.setdefault(name, set()).update(label for label, _ in pairs)
    return found


@pytest.mark.parametrize("query", QUERIES)
def test_each_query_finds_its_series(query, labels):
    """By name, by the labels it selects, and by those it groups by."""
    asked = SELECTOR.findall(query)
    assert asked
    for name, selected in asked:
        assert name in labels
        assert set(re.findall(r"(\w+)\s*[!=]", selected)) <= labels[name]
    grouped = {
        word.strip() for words in re.findall(r"by \(([^)]*)\)", query) for word in words.split(",")
    }
    for label in grouped - GIVEN_BY_PROMETHEUS:
        assert any(label in labels[name] for name, _ in asked)


@pytest.mark.parametrize("alert", sorted(RULES))
def test_each_alert_says_what_it_is_about(alert):
    """A severity, two sentences whose labels the query keeps, and a runbook."""
    rule = RULES[alert]
    assert rule["labels"]["severity"] in {"warning", "critical"}
    texts = rule["annotations"]
    assert set(texts) == {"summary", "description"}
    used = set(re.findall(r"\$labels\.(\w+)", " ".join(texts.values())))
    kept = {
        word.strip()
        for words in re.findall(r"by \(([^)]*)\)", rule["expr"])
        for word in words.split(",")
    }
    assert used <= kept or "by" not in rule["expr"]
    assert f"### {alert}\n" in (ROOT / "docs" / "runbooks.md").read_text()


def test_every_runbook_belongs_to_an_alert():
    """None is left over."""
    text = (ROOT / "docs" / "runbooks.md").read_text()
    assert set(re.findall(r"^### (\w+)$", text, re.MULTILINE)) == set(RULES)


def test_rules_are_rendered_with_links_and_without_those_that_are_switched_off():
    """The texts of alerts pass Helm unchanged."""
    rendered = helm.render(
        {
            "metrics": {
                "prometheusRule": {
                    "create": True,
                    "labels": {"release": "prometheus"},
                    "ruleLabels": {"team": "streaming"},
                    "runbookBase": "https://example.com/runbooks",
                    "disabled": ["FlinkopAbsent"],
                }
            }
        }
    ).one("PrometheusRule")
    assert rendered["metadata"]["labels"]["release"] == "prometheus"
    rules = {rule["alert"]: rule for group in rendered["spec"]["groups"] for rule in group["rules"]}
    assert set(rules) == set(RULES) - {"FlinkopAbsent"}
    for alert, rule in rules.items():
        link = rule["annotations"].pop("runbook_url")
        assert link == f"https://example.com/runbooks#{alert.lower()}"
        assert rule["labels"].pop("team") == "streaming"
        assert rule == RULES[alert]


def test_the_dashboard_is_rendered_whole():
    """In a ConfigMap that Grafana's sidecar finds."""
    rendered = helm.render(None, "metrics.dashboard.create=true", "metrics.dashboard.namespace=mon")
    found = rendered.one("ConfigMap", "flinkop-dashboard")
    assert found["metadata"]["namespace"] == "mon"
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(found["data"]["flinkop.json"]) == dashboard.dashboard()


def test_panels_do_not_overlap():
    """Each place on the dashboard is taken once."""
    taken = set()
    for panel in dashboard.dashboard()["panels"]:
        place = panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken
                assert x < 24
                taken.add((x, y))


@pytest.mark.parametrize(
    ("text", "adds"),
    [
        ("a: b\n", True),
        (f"kubernetes.operator.metrics.reporter.prom.factory.class: {PROMETHEUS}\n", False),
    ],
)
def test_a_port_for_metrics_is_served(text, adds):
    """By the user's reporter, or by one that the chart configures."""
    rendered = helm.render(
        {"metrics": {"port": 9999}, "defaultConfiguration": {"flink-conf.yaml": text}}
    )
    added = "kubernetes.operator.metrics.reporter.chart.port: 9999" in rendered.configuration[1]
    assert added is adds
