"""The generated parts of the pages are those that the code gives."""

import subprocess
import sys
from pathlib import Path

import pytest

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


def test_a_part_is_put_between_its_marks():
    """Everything around it stays."""
    page = "a\n<!-- x: by hand -->\nold\n<!-- end of x -->\nb\n"
    made = update_docs.filled(page, "x", "new")
    assert made == "a\n<!-- x: by hand -->\nnew\n<!-- end of x -->\nb\n"
    assert update_docs.filled(made, "x", "new") == made
    with pytest.raises(ValueError, match="marks of 'y'"):
        update_docs.filled(page, "y", "new")
