"""The results beside the budgets of the design, as a table."""

from typing import Any

import attrs
from rich.console import Console
from rich.table import Table


@attrs.frozen
class Row:
    """One line: what, the measured value, its unit, and the budget it is built for.

    `budget` may be a number (at most that) or None where there is none.
    """

    what: str
    value: float | None
    unit: str
    budget: float | None = None

    @property
    def within(self) -> bool | None:
        """Whether the budget is kept; None where there is nothing to judge."""
        if self.value is None or self.budget is None:
            return None
        return self.value <= self.budget


def rows(results: dict[str, Any]) -> list[Row]:
    """The table's lines. Budgets of the mass phases are for 500 on two cores, and grow above that."""
    alone, bare, create = results["alone"], results["bare"], results["create"]
    restart, delete, idle = results["restart"], results["delete"], results["idle"]
    upgrade = results["upgrade"]
    base = bare["create_all_stable_seconds"]
    share = max(1.0, results["count"] / 500)
    return [
        Row("bare client: all created → STABLE", base, "s"),
        Row("bare client: CPU for that", bare["create_cpu_seconds"], "s"),
        Row("  CPU of the API server", bare["create_api_server_cpu_seconds"], "s"),
        Row("all created → all STABLE", create["all_seconds"], "s"),
        Row("  as a multiple of the bare client", create["all_seconds"] / base, "x", 1.2),
        Row("  CPU for that", create["cpu_seconds"], "s", 12 * share),
        Row("  CPU of the API server", create["api_server_cpu_seconds"], "s"),
        Row("  create → JobManager, p50", create["jobmanager_p50_seconds"], "s", 6 * share),
        Row("  create → JobManager, p99", create["jobmanager_p99_seconds"], "s", 15 * share),
        Row("  create → STABLE, p50", create["stable_p50_seconds"], "s"),
        Row("  create → STABLE, p99", create["stable_p99_seconds"], "s"),
        Row("  requests per resource", create["requests_per_resource"], "", 12),
        Row("  writes per resource", create["writes_per_resource"], ""),
        Row("alone: create → JobManager", alone["create_to_jobmanager_seconds"], "s", 0.1),
        Row("alone: create → STABLE", alone["create_to_stable_seconds"], "s", 2),
        Row("alone: restart → old stopped", alone["restart_to_old_stopped_seconds"], "s", 1),
        Row("alone: restart → new JobManager", alone["restart_to_jobmanager_seconds"], "s", 1),
        Row("alone: restart → STABLE", alone["restart_to_stable_seconds"], "s", 3),
        Row("alone: delete → gone", alone["delete_seconds"], "s"),
        Row("all restarted → all STABLE", restart["all_seconds"], "s"),
        Row("  as a multiple of the bare client", restart["all_seconds"] / base, "x", 1.2),
        Row("  CPU for that", restart["cpu_seconds"], "s", 12 * share),
        Row("  CPU of the API server", restart["api_server_cpu_seconds"], "s"),
        Row("  requests per resource", restart["requests_per_resource"], ""),
        Row("  Flink requests per resource", restart["flink_requests_per_resource"], ""),
        Row("all upgraded with state → all STABLE", upgrade["all_seconds"], "s"),
        Row("  as a multiple of the bare client", upgrade["all_seconds"] / base, "x"),
        Row("  CPU for that", upgrade["cpu_seconds"], "s"),
        Row("  upgrade → STABLE, p50", upgrade["stable_p50_seconds"], "s"),
        Row("  upgrade → STABLE, p99", upgrade["stable_p99_seconds"], "s"),
        Row("  requests per upgrade", upgrade["requests_per_resource"], ""),
        Row("  Flink requests per upgrade", upgrade["flink_requests_per_resource"], ""),
        Row("all deleted → all gone", delete["all_seconds"], "s", 20 * share),
        Row("  CPU for that", delete["cpu_seconds"], "s"),
        Row("  CPU of the API server", delete["api_server_cpu_seconds"], "s"),
        Row("resident memory, all running", idle["resident_mib"], "MiB", 100),
        Row("resident memory, peak", results["peak_resident_mib"], "MiB"),
        Row("idle: share of a core", 100 * idle["cpu_share_of_a_core"], "%", 2),
        Row("idle: API writes", idle["api_writes"], "", 0),
        Row("longest pause of the event loop", milliseconds(results), "ms", 50),
    ]


def milliseconds(results: dict[str, Any]) -> float | None:
    """The longest pause in milliseconds, when the operator told it."""
    seconds = results["longest_loop_pause_seconds"]
    return None if seconds is None else seconds * 1000


def show(results: dict[str, Any], console: Console) -> None:
    """Print the table and the calls by verb and kind."""
    table = Table(title=f"flinkop with {results['count']} FlinkDeployments", title_justify="left")
    table.add_column("what")
    for column in ("measured", "budget"):
        table.add_column(column, justify="right")
    table.add_column("")
    for row in rows(results):
        verdict = {True: "ok", False: "over", None: ""}[row.within]
        table.add_row(row.what, number(row.value, row.unit), number(row.budget, row.unit), verdict)
    console.print(table)
    for phase in ("create", "idle", "restart", "upgrade", "delete"):
        for where, what in (("API server", "calls"), ("Flink", "flink_calls")):
            told = ", ".join(f"{one} {count}" for one, count in results[phase][what].items())
            line = f"calls to {where} during {phase}: {told or 'none'}"
            console.print(line, markup=False, highlight=False)


def number(value: float | None, unit: str) -> str:
    """A number as a person reads it."""
    if value is None:
        return "-"
    text = f"{value:.0f}" if float(value).is_integer() else f"{value:.2f}"
    if abs(value) >= 100:
        text = f"{value:.0f}"
    return f"{text} {unit}".strip()
