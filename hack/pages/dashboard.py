"""The Grafana dashboard, from a table of its panels."""

import itertools
from collections.abc import Iterator
from typing import Any, Final

from attrs import field, frozen

_COLUMNS: Final = 24
_HEIGHT: Final = 8
_OPERATOR: Final = 'namespace=~"$operator_namespace"'
_R: Final = "flink_k8soperator_namespace"
_SELECTED: Final = 'resourcens=~"$resource_namespace"'


@frozen
class Line:
    """One query, and what its lines are called."""

    query: str
    legend: str


@frozen
class Panel:
    """One diagram.

    Attributes:
        title: what it shows.
        lines: its queries.
        unit: Grafana's name of the unit.
        width: columns of 24.
        kind: Grafana's name of the kind of diagram.
        text: what to make of it.
    """

    title: str
    lines: tuple[Line, ...]
    unit: str = "short"
    width: int = 8
    kind: str = field(default="timeseries", kw_only=True)
    text: str = field(default="", kw_only=True)


def _states(*states: str, kind: str = "FlinkDeployment") -> tuple[Line, ...]:
    return tuple(
        Line(
            f'sum(max by (resourcens) ({_R}_Lifecycle_State_{state}_Count{{resourcetype="{kind}",{_SELECTED}}}))',
            state,
        )
        for state in states
    )


def _stat(title: str, query: str, unit: str = "short") -> Panel:
    return Panel(title, (Line(query, ""),), unit, 4, kind="stat")


def _quantiles(metric: str, by: str) -> tuple[Line, ...]:
    return tuple(
        Line(
            f"histogram_quantile({quantile}, sum by (le, {by}) (rate({metric}_bucket[$__rate_interval])))",
            f"{{{{{by}}}}} p{round(quantile * 100)}",
        )
        for quantile in (0.5, 0.99)
    )


def _rate(metric: str, *by: str, having: str = "") -> Line:
    labels = " ".join(f"{{{{{name}}}}}" for name in by)
    return Line(
        f"sum by ({', '.join(by)}) (rate({metric}{{{having}}}[$__rate_interval])) > 0", labels
    )


_ALL_STATES: Final = (
    "CREATED",
    "SUSPENDED",
    "UPGRADING",
    "DEPLOYED",
    "STABLE",
    "ROLLING_BACK",
    "ROLLED_BACK",
    "FAILED",
    "DELETING",
)
ROWS: Final[tuple[tuple[str, tuple[Panel, ...]], ...]] = (
    (
        "Resources",
        (
            _stat(
                "FlinkDeployments",
                f'sum(max by (resourcens) ({_R}_Count{{resourcetype="FlinkDeployment",{_SELECTED}}}))',
            ),
            _stat(
                "FlinkSessionJobs",
                f'sum(max by (resourcens) ({_R}_Count{{resourcetype="FlinkSessionJob",{_SELECTED}}})) or vector(0)',
            ),
            _stat("Failed", _states("FAILED")[0].query),
            _stat("Cores", f"sum(max by (resourcens) ({_R}_ResourceUsage_Cpu{{{_SELECTED}}}))"),
            _stat(
                "Memory",
                f"sum(max by (resourcens) ({_R}_ResourceUsage_Memory{{{_SELECTED}}}))",
                "bytes",
            ),
            _stat(
                "State",
                f"sum(max by (resourcens) ({_R}_ResourceUsage_StateSize{{{_SELECTED}}}))",
                "bytes",
            ),
            Panel("FlinkDeployments by state", _states(*_ALL_STATES), width=12),
            Panel(
                "Not STABLE, by namespace",
                (
                    Line(
                        f'max by (resourcens) ({_R}_Count{{resourcetype="FlinkDeployment",{_SELECTED}}})'
                        f" - max by (resourcens) ({_R}_Lifecycle_State_STABLE_Count"
                        f'{{resourcetype="FlinkDeployment",{_SELECTED}}}) > 0',
                        "{{resourcens}}",
                    ),
                ),
                width=12,
                text="Those that are suspended on purpose count, too.",
            ),
            Panel(
                "Time of transitions (median)",
                tuple(
                    Line(
                        "max(flink_k8soperator_FlinkDeployment_Lifecycle_Transition_"
                        f'{way}_TimeSeconds{{quantile="0.5"}})',
                        way,
                    )
                    for way in ("Submission", "Stabilization", "Upgrade", "Suspend", "Resume")
                ),
                "s",
            ),
            Panel(
                "JobManagers",
                tuple(
                    Line(
                        f"sum(max by (resourcens) ({_R}_JmDeploymentStatus_{status}_Count{{{_SELECTED}}}))",
                        status,
                    )
                    for status in ("READY", "DEPLOYED_NOT_READY", "DEPLOYING", "MISSING", "ERROR")
                ),
            ),
            Panel(
                "Flink versions",
                (
                    Line(
                        f"sum by (FlinkMinorVersion) (max by (resourcens, FlinkMinorVersion) ({_R}_FlinkMinorVersion_Count{{{_SELECTED}}}))",
                        "{{FlinkMinorVersion}}",
                    ),
                ),
            ),
        ),
    ),
    (
        "Reconciles",
        (
            Panel(
                "Reconciles", (_rate("flinkop_reconciles_total", "controller", "result"),), "ops"
            ),
            Panel(
                "Time of a reconcile", _quantiles("flinkop_reconcile_seconds", "controller"), "s"
            ),
            Panel("Wait for a worker", _quantiles("flinkop_workqueue_wait_seconds", "queue"), "s"),
            Panel(
                "Queue",
                (
                    Line("sum by (queue) (flinkop_workqueue_depth)", "{{queue}} ready"),
                    Line("sum by (queue) (flinkop_workqueue_processing)", "{{queue}} at work"),
                    Line("sum by (queue) (flinkop_workqueue_failing)", "{{queue}} failing"),
                ),
            ),
            Panel(
                "Longest run",
                (Line("max by (queue) (flinkop_workqueue_longest_run_seconds)", "{{queue}}"),),
                "s",
            ),
            Panel(
                "Requests to Flink",
                (_rate("flinkop_flink_requests_total", "endpoint", "code"),),
                "ops",
            ),
        ),
    ),
    (
        "API server",
        (
            Panel("Requests", (_rate("flinkop_client_requests_total", "verb", "resource"),), "ops"),
            Panel(
                "Answers that are no success",
                (_rate("flinkop_client_requests_total", "code", having='code!~"2.."'),),
                "ops",
            ),
            Panel("Time to an answer", _quantiles("flinkop_client_request_seconds", "verb"), "s"),
            Panel(
                "Watches that are not in step",
                (
                    Line(
                        'sum by (resource, state) (flinkop_informer_state{state!="synced"}) > 0',
                        "{{resource}} {{state}}",
                    ),
                ),
            ),
            Panel(
                "Objects in caches",
                (Line("max by (resource) (flinkop_informer_objects)", "{{resource}}"),),
            ),
            Panel(
                "Watches begun anew",
                (_rate("flinkop_informer_watch_restarts_total", "resource", "reason"),),
                "ops",
            ),
        ),
    ),
    (
        "Process",
        (
            Panel(
                "Leader",
                (Line("max by (lease, pod) (flinkop_leader)", "{{pod}} {{lease}}"),),
                width=6,
            ),
            Panel(
                "Memory",
                (
                    Line(
                        f"max by (host) (flink_k8soperator_Status_JVM_Memory_Heap_Used{{{_OPERATOR}}})",
                        "{{host}}",
                    ),
                ),
                "bytes",
                6,
            ),
            Panel(
                "CPU",
                (
                    Line(
                        f"rate(flink_k8soperator_Status_JVM_CPU_Time{{{_OPERATOR}}}[$__rate_interval]) / 1e9",
                        "{{host}}",
                    ),
                ),
                width=6,
                text="In cores.",
            ),
            Panel(
                "Longest pauses of the event loop",
                (
                    Line(
                        "histogram_quantile(0.99, sum by (le) (rate(flinkop_event_loop_pause_seconds_bucket[$__rate_interval])))",
                        "p99",
                    ),
                ),
                "s",
                6,
            ),
        ),
    ),
)


def dashboard() -> dict[str, Any]:
    """Return the dashboard as Grafana imports it."""
    return {
        "title": "flinkop",
        "uid": "flinkop",
        "description": "The Flink operator and what it manages",
        "tags": ["flink", "flinkop"],
        "timezone": "browser",
        "refresh": "30s",
        "schemaVersion": 39,
        "time": {"from": "now-3h", "to": "now"},
        "templating": {
            "list": [
                {
                    "name": "datasource",
                    "label": "Data source",
                    "type": "datasource",
                    "query": "prometheus",
                },
                _variable(
                    "operator_namespace",
                    "Operator's namespace",
                    "flink_k8soperator_Status_JVM_CPU_Time",
                    "namespace",
                ),
                _variable("resource_namespace", "Namespace", f"{_R}_Count", "resourcens"),
            ]
        },
        "panels": list(_panels()),
    }


def queries() -> Iterator[str]:
    """Yield every query, as Prometheus gets it but for Grafana's variables."""
    for _, panels in ROWS:
        for panel in panels:
            yield from (line.query for line in panel.lines)


def _variable(name: str, label: str, metric: str, of: str) -> dict[str, Any]:
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "query": {"query": f"label_values({metric}, {of})", "refId": name},
        "refresh": 2,
        "includeAll": True,
        "multi": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def _panels() -> Iterator[dict[str, Any]]:
    numbers = itertools.count(1)
    top = 0
    for title, panels in ROWS:
        place = {"x": 0, "y": top, "w": _COLUMNS, "h": 1}
        yield {"id": next(numbers), "type": "row", "title": title, "gridPos": place, "panels": []}
        top += 1
        left = tallest = 0
        for panel in panels:
            height = _HEIGHT if panel.kind == "timeseries" else _HEIGHT // 2
            if left + panel.width > _COLUMNS:
                top, left, tallest = top + tallest, 0, 0
            place = {"x": left, "y": top, "w": panel.width, "h": height}
            yield _panel(panel, next(numbers), place)
            left, tallest = left + panel.width, max(tallest, height)
        top += tallest


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + index), "expr": line.query, "legendFormat": line.legend}
            for index, line in enumerate(panel.lines)
        ],
    }
    if panel.text:
        made["description"] = panel.text
    return made
