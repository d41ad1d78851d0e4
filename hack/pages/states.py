"""The states of resources as diagrams and tables."""

from collections.abc import Iterable

from flinkop.lifecycle import deployment_states, snapshot_states

Step = deployment_states.Transition | snapshot_states.Transition


def snapshots() -> str:
    """Return the states of a FlinkStateSnapshot as a diagram."""
    return diagram(snapshot_states.TRANSITIONS)


def deployments() -> str:
    """Return the states of a FlinkDeployment as a diagram."""
    return diagram(deployment_states.TRANSITIONS)


def meanings() -> str:
    """Return what each state of a FlinkDeployment says, as a table."""
    rows = [f"| `{state}` | {text} |" for state, text in deployment_states.MEANINGS.items()]
    return "\n".join(["| `lifecycleState` | |", "| --- | --- |", *rows])


def diagram(table: Iterable[Step]) -> str:
    """Return a state diagram; it begins where the table does, and ends in what is never left."""
    table = list(table)
    steps = [f"    {one.before} --> {one.after}: {words(one.when)}" for one in table]
    ends = sorted({one.after for one in table} - {one.before for one in table})
    lines = [
        "stateDiagram-v2",
        f"    [*] --> {table[0].before}",
        *steps,
        *(f"    {end} --> [*]" for end in ends),
    ]
    return "\n".join(["```mermaid", *lines, "```"])


def words(text: str) -> str:
    """Return a label without what ends one in the diagram's language."""
    return text.replace(":", ",").replace(";", ",")
