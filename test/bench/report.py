"""The results beside the budgets of the design, as a table."""

from typing import Any

import attrs
from rich.console import Console
from rich.table import Table

WAVES = ("create", "restart", "delete")


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
    share = max(1.0, results["count"] / 500)
    alone, idle = results["alone"], results["idle"]
    create, restart, delete = results["create"], results["restart"], results["delete"]
    upgrade = results["upgrade"]
    return [
        *wave(results, "create", "all created → all STABLE", 1.2),
        Row("  CPU of flinkop", create["cpu_seconds"], "s", 12 * share),
        Row("  create → JobManager, p50", create["jobmanager_p50_seconds"], "s", 6 * share),
        Row("  create → JobManager, p99", create["jobmanager_p99_seconds"], "s", 15 * share),
        Row("  create → STABLE, p50", create["stable_p50_seconds"], "s"),
        Row("  create → STABLE, p99", create["stable_p99_seconds"], "s"),
        Row("  requests per resource", create["requests_per_resource"], "", 12),
        *wave(results, "restart", "all restarted → all STABLE", 1.2),
        Row("  CPU of flinkop", restart["cpu_seconds"], "s", 12 * share),
        Row("  requests per resource", restart["requests_per_resource"], ""),
        Row("  Flink requests per resource", restart["flink_requests_per_resource"], ""),
        Row("all upgraded with state → all STABLE", upgrade["all_seconds"], "s"),
        Row("  CPU of flinkop", upgrade["cpu_seconds"], "s"),
        Row("  upgrade → STABLE, p50", upgrade["stable_p50_seconds"], "s"),
        Row("  upgrade → STABLE, p99", upgrade["stable_p99_seconds"], "s"),
        Row("  requests per upgrade", upgrade["requests_per_resource"], ""),
        Row("  Flink requests per upgrade", upgrade["flink_requests_per_resource"], ""),
        *wave(results, "delete", "all deleted → all gone", None, 20 * share),
        Row("  CPU of flinkop", delete["cpu_seconds"], "s"),
        Row("  requests per resource", delete["requests_per_resource"], ""),
        Row("alone: create → JobManager", alone["create_to_jobmanager_seconds"], "s", 0.1),
        Row("alone: create → STABLE", alone["create_to_stable_seconds"], "s", 2),
        Row("alone: restart → old stopped", alone["restart_to_old_stopped_seconds"], "s", 1),
        Row("alone: restart → new JobManager", alone["restart_to_jobmanager_seconds"], "s", 1),
        Row("alone: restart → STABLE", alone["restart_to_stable_seconds"], "s", 3),
        Row("alone: delete → gone", alone["delete_seconds"], "s"),
        Row("resident memory, all running", idle["resident_mib"], "MiB", 100),
        Row("resident memory, peak", results["peak_resident_mib"], "MiB"),
        Row("idle: share of a core", 100 * idle["cpu_share_of_a_core"], "%", 2),
        Row("idle: API writes", idle["api_writes"], "", 0),
        Row("longest pause of the event loop", milliseconds(results), "ms", 50),
    ]


def wave(
    results: dict[str, Any],
    phase: str,
    what: str,
    ratio: float | None,
    seconds: float | None = None,
) -> list[Row]:
    """The lines that a wave has for both: how long it took, and how much longer than the bare client."""
    ours, bare = results[phase]["all_seconds"], results["bare"][phase]["all_seconds"]
    return [
        Row(what, ours, "s", seconds),
        Row("  the bare client", bare, "s"),
        Row("  as a multiple of the bare client", ours / bare, "x", ratio),
    ]


def milliseconds(results: dict[str, Any]) -> float | None:
    """The longest pause in milliseconds, when the operator told it."""
    seconds = results["longest_loop_pause_seconds"]
    return None if seconds is None else seconds * 1000


def session_rows(results: dict[str, Any]) -> list[Row]:
    """The lines about session jobs. Budgets are those of as many application clusters, where there are any."""
    share = max(1.0, results["jobs"] / 500)
    create, idle = results["create"], results["idle"]
    lists = idle["flink_calls"].get("GET /jobs/overview", 0) / results["clusters"]
    per_interval = lists / max(idle["seconds"] / 60, 1)
    return [
        Row("all created → all STABLE", create["all_seconds"], "s"),
        Row("  CPU of flinkop", create["cpu_seconds"], "s", 12 * share),
        Row("  create → STABLE, p50", create["stable_p50_seconds"], "s"),
        Row("  create → STABLE, p99", create["stable_p99_seconds"], "s"),
        Row("  requests per resource", create["requests_per_resource"], "", 12),
        Row("  Flink requests per resource", create["flink_requests_per_resource"], ""),
        Row("all deleted → all gone", results["delete"]["all_seconds"], "s", 20 * share),
        Row("  CPU of flinkop", results["delete"]["cpu_seconds"], "s"),
        Row("resident memory, all running", idle["resident_mib"], "MiB", 100),
        Row("idle: share of a core", 100 * idle["cpu_share_of_a_core"], "%", 2 * share),
        Row("idle: API writes", idle["api_writes"], "", 0),
        Row("idle: lists of jobs per cluster and minute", per_interval, "", 2),
        Row(
            "longest pause of the event loop",
            1000 * (results["longest_loop_pause_seconds"] or 0.0),
            "ms",
            50,
        ),
    ]


def show(results: dict[str, Any], console: Console) -> None:
    """Print the results beside their budgets, who used the CPU, and the calls by verb and kind."""
    if "create" in results:
        _show_deployments(results, console)
    sessions = results.get("sessions")
    if sessions is not None:
        title = f"flinkop with {sessions['jobs']} session jobs on {sessions['clusters']} clusters"
        console.print(_table(title, session_rows(sessions)))
        for phase in ("create", "idle"):
            told = ", ".join(f"{one} {n}" for one, n in sessions[phase]["flink_calls"].items())
            line = f"calls to Flink during {phase}: {told or 'none'}"
            console.print(line, markup=False, highlight=False)


def _table(title: str, lines: list[Row]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("what")
    for column in ("measured", "budget"):
        table.add_column(column, justify="right")
    table.add_column("")
    for row in lines:
        verdict = {True: "ok", False: "over", None: ""}[row.within]
        table.add_row(row.what, number(row.value, row.unit), number(row.budget, row.unit), verdict)
    return table


def _show_deployments(results: dict[str, Any], console: Console) -> None:
    console.print(_table(f"flinkop with {results['count']} FlinkDeployments", rows(results)))
    console.print(machine(results))
    for phase in ("create", "idle", "restart", "upgrade", "delete"):
        for where, what in (("the API server", "calls"), ("Flink", "flink_calls")):
            told = ", ".join(f"{one} {count}" for one, count in results[phase][what].items())
            line = f"calls to {where} during {phase}: {told or 'none'}"
            console.print(line, markup=False, highlight=False)


def machine(results: dict[str, Any]) -> Table:
    """CPU milliseconds per resource of each program in each wave, the bare client's beside flinkop's."""
    title = "CPU milliseconds per resource: with the bare client → with flinkop"
    table = Table(title=title, title_justify="left")
    table.add_column("program")
    used = []
    for phase in WAVES:
        table.add_column(phase, justify="right")
        used.append((results["bare"][phase], results[phase]))
    for name in results["create"]["machine_cpu_seconds"]:
        pairs = [[row["machine_cpu_seconds"].get(name, 0.0) for row in both] for both in used]
        table.add_row(name, *(milliseconds_each(pair, results["count"]) for pair in pairs))
    sums = [[sum(row["machine_cpu_seconds"].values()) for row in both] for both in used]
    table.add_row("all", *(milliseconds_each(pair, results["count"]) for pair in sums))
    return table


def milliseconds_each(pair: list[float], count: int) -> str:
    """CPU seconds without and with flinkop, as milliseconds for each resource."""
    bare, ours = (1000 * seconds / count for seconds in pair)
    return f"{bare:.1f} → {ours:.1f}"


def number(value: float | None, unit: str) -> str:
    """A number as a person reads it."""
    if value is None:
        return "-"
    text = f"{value:.0f}" if float(value).is_integer() else f"{value:.2f}"
    if abs(value) >= 100:
        text = f"{value:.0f}"
    return f"{text} {unit}".strip()
