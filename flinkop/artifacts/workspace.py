"""A directory of this process alone, under one that others may use too.

What an earlier process left behind is removed by the next: each holds a lock on its directory for as
long as it lives, and a directory whose lock is free has no owner any more. Other files are let alone:
users may keep jars of their own under the same base.
"""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

_PREFIX: Final = "flinkop-"
_BASE_LOCK: Final = ".flinkop-lock"
_LOCK: Final = "lock"


class Workspace:
    """A directory that is locked; `release` removes it. Blocks on disk: call it in a thread.

    Attributes:
        path: the directory, readable by this user only.
    """

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock

    @classmethod
    def claim(cls, base: Path) -> "Workspace":
        """Make a directory under `base`, which is made too, and sweep those that nobody owns.

        Raises:
            OSError: the base cannot be made or written.
        """
        base.mkdir(parents=True, exist_ok=True)
        guard = _open_lock(base / _BASE_LOCK)
        try:
            fcntl.flock(
                guard, fcntl.LOCK_EX
            )  # held for moments: nobody sees a directory without lock
            _sweep(base)
            path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
            lock = _open_lock(path / _LOCK)
            fcntl.flock(lock, fcntl.LOCK_EX)
        finally:
            os.close(guard)
        return cls(path, lock)

    def release(self) -> None:
        """Remove the directory with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def is_inside(path: Path, base: Path) -> bool:
    """Tell whether a real path is in a directory that `claim` made under `base`, whoever owns it."""
    base = base.resolve()
    return path.is_relative_to(base) and str(path.relative_to(base)).startswith(_PREFIX)


def _open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def _sweep(base: Path) -> None:
    for path in base.glob(_PREFIX + "*"):
        if path.is_dir() and not path.is_symlink() and _is_abandoned(path):
            shutil.rmtree(path, ignore_errors=True)


def _is_abandoned(path: Path) -> bool:
    try:
        lock = _open_lock(path / _LOCK)
    except OSError:  # somebody else's
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True
