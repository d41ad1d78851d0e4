"""The generated parts of the pages are those that the code gives."""

import subprocess
import sys
from pathlib import Path

import pytest

from flinkop.api.status import LifecycleState
from flinkop.config import artifact_options
from flinkop.lifecycle import deployment_states, snapshot_states
from flinkop.lifecycle.upgrade import UPGRADE_FAILED, Suspend
from hack import update_docs
from hack.pages import artifacts, decisions, phases, states

ROOT = Path(__file__).resolve().parents[3]


def test_the_checked_in_pages_are_up_to_date():
    """What `make verify` runs."""
    subprocess.run([sys.executable, ROOT / "hack" / "update_docs.py", "--check"], check=True)


@pytest.mark.parametrize("table", [snapshot_states.TRANSITIONS, deployment_states.TRANSITIONS])
def test_every_step_between_states_is_drawn(table):
    """From the first state to the final ones, in labels that do not end the line too early."""
    drawn = states.diagram(table).splitlines()
    for one in table:
        start = f"    {one.before} --> {one.after}: "
        [line] = [line for line in drawn if line.startswith(start)]
        assert not set(":;") & set(line.removeprefix(start))
    assert f"    [*] --> {table[0].before}" in drawn
    final = {one.after for one in table} - {one.before for one in table}
    assert {line.split()[0] for line in drawn if line.endswith("[*]")} == {str(s) for s in final}


def test_every_state_is_explained():
    """One line each."""
    rows = states.meanings().splitlines()[2:]
    assert len(rows) == len(deployment_states.MEANINGS)
    assert rows[0].startswith(f"| `{LifecycleState.CREATED}` | ")


def test_every_way_a_job_ends_is_in_the_table_of_decisions():
    """Also that something is waited for, or refused."""
    table = decisions.table()
    ends = [row.end for _, _, row in decisions.rows()]
    assert {suspend.value for suspend in Suspend} <= set(ends)
    assert f"**refused**: `{UPGRADE_FAILED}`" in ends
    assert any(end.startswith("**waited for**") for end in ends)
    assert all(line.count("|") == 6 for line in table.splitlines())


def test_a_situation_is_told_once():
    """And with and without HA metadata only where that matters."""
    first = {words: asked for words, asked, _ in decisions.rows() if words}
    assert len(first) == len(decisions.SITUATIONS) + 1
    assert first["the job is RUNNING"] == "`savepoint`"
    assert first["the job is being cancelled already"] == "either"
    assert first["the JobManager Deployment is gone"] == "either, with HA metadata"


def test_the_phases_are_those_of_the_plans():
    """What is written before a job is stopped, and what is done when its savepoint is there."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in phases.table().splitlines()
    ]
    start = rows.index(["**Upgrade, by savepoint**", "", "", ""])
    stop, there, gone = rows[start + 1 : start + 4]
    assert "`triggerId`: a new one" in stop[1]
    assert stop[2].endswith("ask Flink to stop the job with a savepoint")
    assert "`jobStatus.upgradeSavepointPath`: s3://" in there[1]
    assert there[2].endswith("delete the JobManager Deployment")
    assert gone[2].endswith("make the cluster's objects")
    assert "`lifecycleState`: DEPLOYED" in gone[3]


def test_every_option_about_jars_is_in_the_table():
    """The reference's and our own, with their defaults as users write them."""
    table = artifacts.table()
    for row in (
        "| `allowed-schemes` | `https` | operator |",
        "| `http.header` | none | job or operator |",
        "| `disallow-restricted-hosts` | `true` | operator |",
        "| `max-size` | `1 gb` | operator |",
        "| `idle-timeout` | `30 s` | operator |",
        "| `cache-size` | `4 gb` | operator, read at its start |",
        "| `max-concurrent-downloads` | `8` | operator, read at its start |",
    ):
        assert row in table
    assert len(table.splitlines()) == 2 + 4 + len(artifact_options.all_options())


def test_a_part_is_put_between_its_marks():
    """Everything around it stays."""
    page = "a\n<!-- x: by hand -->\nold\n<!-- end of x -->\nb\n"
    made = update_docs.filled(page, "x", "new")
    assert made == "a\n<!-- x: by hand -->\nnew\n<!-- end of x -->\nb\n"
    assert update_docs.filled(made, "x", "new") == made
    with pytest.raises(ValueError, match="marks of 'y'"):
        update_docs.filled(page, "y", "new")
