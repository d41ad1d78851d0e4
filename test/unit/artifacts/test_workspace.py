"""A directory of this process alone."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from flinkop.artifacts import workspace
from flinkop.artifacts.workspace import Workspace


def test_claim_and_release(tmp_path):
    """It is made with its base, private, and leaves nothing behind but the base."""
    claimed = Workspace.claim(tmp_path / "a" / "b")
    assert stat.S_IMODE(claimed.path.stat().st_mode) == 0o700
    (claimed.path / "1.jar").write_bytes(b"x")
    claimed.release()
    assert [one.name for one in (tmp_path / "a" / "b").iterdir()] == [".flinkop-lock"]


def test_only_abandoned_ones_are_swept(tmp_path):
    """What a dead process left goes; a living one's, and everybody else's, stays."""
    code = (
        "import os, pathlib, sys; from flinkop.artifacts.workspace import Workspace;"
        "made = Workspace.claim(pathlib.Path(sys.argv[1])); print(made.path.name);"
        "(made.path / '1.jar').write_bytes(b'x'); sys.stdout.flush(); os._exit(9)"
    )
    dead = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=False
    ).stdout.strip()
    assert (tmp_path / dead / "1.jar").exists()
    users = tmp_path / "my.jar"
    users.write_bytes(b"x")
    (tmp_path / "flinkop-notes").write_bytes(b"x")
    first = Workspace.claim(tmp_path)
    second = Workspace.claim(tmp_path)
    assert not (tmp_path / dead).exists()
    assert first.path.exists()
    assert second.path.exists()
    assert users.exists()
    first.release()
    assert second.path.exists()
    second.release()


def test_links_are_not_followed(tmp_path):
    """A link that looks like one of ours leads nowhere."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "kept").write_bytes(b"x")
    base = tmp_path / "base"
    base.mkdir()
    (base / "flinkop-evil").symlink_to(other)
    Workspace.claim(base).release()
    assert (other / "kept").exists()


def test_a_base_that_cannot_be_made(tmp_path):
    """The error is the system's."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match="file"):
        Workspace.claim(tmp_path / "file" / "base")


def test_what_is_inside(tmp_path):
    """Files of any store are inside, those beside them are not."""
    claimed = Workspace.claim(tmp_path)
    assert workspace.is_inside((claimed.path / "1.jar").resolve(), tmp_path)
    assert not workspace.is_inside((tmp_path / "my.jar").resolve(), tmp_path)
    assert not workspace.is_inside((tmp_path.parent / "flinkop-x").resolve(), tmp_path)
    claimed.release()


def test_no_lock_is_left_open(tmp_path):
    """Claiming and releasing leaves no file descriptor behind."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        Workspace.claim(tmp_path).release()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
