"""Where things are kept: all of it outside the repository."""

import os
import tempfile
from pathlib import Path

TOOLS_MODULE = Path(__file__).resolve().parent.parent / "tools"
"""The Go module that pins every binary."""


def cache_root() -> Path:
    """Directory of everything that outlives a run: `FLINKOP_CACHE`, or flinkop in the XDG cache."""
    own = os.environ.get("FLINKOP_CACHE")
    if own:
        return Path(own).absolute()
    xdg = os.environ.get("XDG_CACHE_HOME")
    return (Path(xdg) if xdg else Path.home() / ".cache").absolute() / "flinkop"


def run_root() -> Path:
    """Directory of one record per cluster; what the garbage collector reads."""
    return cache_root() / "run"


def new_workdir(name: str) -> Path:
    """A new directory on the temporary disk for one cluster's data, logs and certificates."""
    return Path(tempfile.mkdtemp(prefix=f"flinkop-{name}-")).resolve()
