"""The generated parts of the pages are those that the code gives."""

import subprocess
import sys
from pathlib import Path

import pytest

from flinkop.config import artifact_options
from flinkop.lifecycle import snapshot_states
from hack import update_docs

ROOT = Path(__file__).resolve().parents[3]


def test_the_checked_in_pages_are_up_to_date():
    """What `make verify` runs."""
    subprocess.run([sys.executable, ROOT / "hack" / "update_docs.py", "--check"], check=True)


def test_every_step_of_a_snapshot_is_drawn():
    """From the first state to the final ones."""
    drawn = update_docs.snapshot_diagram().splitlines()
    for one in snapshot_states.TRANSITIONS:
        assert any(line.startswith(f"    {one.before} --> {one.after}: ") for line in drawn)
    assert "    [*] --> TRIGGER_PENDING" in drawn
    assert [line.split()[0] for line in drawn if line.endswith("[*]")] == [
        *("ABANDONED", "COMPLETED", "FAILED")
    ]


def test_every_option_about_jars_is_in_the_table():
    """The reference's and our own, with their defaults as users write them."""
    table = update_docs.artifact_table()
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
