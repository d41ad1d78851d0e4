"""Processes known by more than a number: a pid alone may have been given to another since."""

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_START_TIME = 19
"""Index of the start time in /proc/PID/stat, counted after the closing parenthesis of the name."""


@dataclass(frozen=True)
class Process:
    """A pid together with the start time that tells it from a later process of the same pid."""

    pid: int
    started: str

    def alive(self) -> bool:
        """Whether that very process still runs (a zombie does not)."""
        return _started(self.pid) == self.started

    def send(self, number: signal.Signals) -> None:
        """Send a signal, unless the process is gone or the pid is somebody else's by now."""
        if self.alive():
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return


def find(pid: int) -> Process | None:
    """The process that has this pid now, or None."""
    started = _started(pid)
    return Process(pid, started) if started else None


def current() -> Process:
    """This process."""
    return Process(os.getpid(), _started(os.getpid()))


def belonging_to(directory: Path) -> list[Process]:
    """Processes of this user that work in `directory` or name it in their command line.

    Both are asked because a process has its working directory from its first moment, but
    kwokctl itself works elsewhere and only names the directory.
    """
    found = []
    for pid in _pids():
        if pid != os.getpid() and _mentions(pid, str(directory)):
            process = find(pid)
            if process:
                found.append(process)
    return found


def end(processes: list[Process], grace: float = 5.0, poll: float = 0.02) -> None:
    """Ask processes to end, and kill what is still there after `grace` seconds."""
    for process in processes if grace > 0 else []:
        process.send(signal.SIGTERM)
    if not wait_gone(processes, grace, poll):
        for process in processes:
            process.send(signal.SIGKILL)
        wait_gone(processes, 10.0, poll)


def wait_gone(processes: list[Process], seconds: float, poll: float = 0.02) -> bool:
    """Whether all of them ended within `seconds`."""
    deadline = time.monotonic() + seconds
    while any(process.alive() for process in processes):
        if time.monotonic() >= deadline:
            return False
        time.sleep(poll)
    return True


def command_line(pid: int) -> list[str]:
    """The arguments a process was started with; empty when it is gone."""
    try:
        raw = (_PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return [] if _PROC.is_dir() else _ps(pid, "args=").split()
    return [part.decode(errors="replace") for part in raw.split(b"\0")[:-1]]


def _started(pid: int) -> str:
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return "" if _PROC.is_dir() else _ps(pid, "lstart=")
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else fields[_START_TIME]


def _pids() -> list[int]:
    if _PROC.is_dir():
        return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]
    listed = subprocess.run(["ps", "-axo", "pid="], capture_output=True, text=True, check=False)
    return [int(word) for word in listed.stdout.split()]


def _mentions(pid: int, directory: str) -> bool:
    try:
        if _PROC.is_dir() and (_PROC / str(pid)).stat().st_uid != os.getuid():
            return False
        cwd = str((_PROC / str(pid) / "cwd").readlink())
    except OSError:
        cwd = ""
    if cwd == directory or cwd.startswith(directory + "/"):
        return True
    return any(directory + "/" in f"{part}/" for part in command_line(pid))


def _ps(pid: int, column: str) -> str:
    asked = subprocess.run(
        ["ps", "-ww", "-o", column, "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return asked.stdout.strip()
