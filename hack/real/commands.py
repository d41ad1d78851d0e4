"""Running other people's programs: what they say goes to a log, and to the person when they fail."""

import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from hack.real.errors import NotPossibleError

_SHOWN_LINES = 15


def missing(names: Iterable[str]) -> list[str]:
    """The commands among `names` that are not on PATH."""
    return [name for name in names if shutil.which(name) is None]


def run(
    command: list[str], log: Path, *, limit: float, env: Mapping[str, str] | None = None
) -> None:
    """Run a command to its end; its output is added to `log`.

    Raises:
        NotPossibleError: it failed, or took longer than `limit` seconds.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    shown = " ".join([Path(command[0]).name, *command[1:]])
    with log.open("a") as file:
        try:
            done = subprocess.run(
                command,
                stdout=file,
                stderr=file,
                stdin=subprocess.DEVNULL,
                env=env,
                timeout=limit,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise NotPossibleError(f"{shown} did not end within {limit:.0f} s; see {log}") from None
    if done.returncode:
        last = log.read_text(errors="replace").splitlines()[-_SHOWN_LINES:]
        text = "\n".join(last)
        raise NotPossibleError(f"{shown} failed ({done.returncode}). Its last lines:\n{text}")
