"""Programs started beside a test, the demo or the benchmark: found by pid, ended with all they started.

Each writes what it says to a log file, so that nothing blocks on a full pipe and the last lines
are there when it ends too early.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
"""The checkout."""


class ProgramError(RuntimeError):
    """A program ended or did not become ready; the message ends with its last log lines."""


class Program:
    """A running child process in its own process group.

    Attributes:
        name: what messages call it.
        log: the file that holds its standard output and error.
    """

    def __init__(self, name: str, command: Sequence[str], log: Path, **env: str) -> None:
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment(env),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def tail(self, lines: int = 20) -> str:
        """Its last log lines."""
        text = self.log.read_text(errors="replace").splitlines()
        return "\n".join(text[-lines:])

    def check(self) -> None:
        """Raise when it has ended."""
        if not self.running:
            code = self._process.returncode
            raise ProgramError(
                f"{self.name} ended with code {code}. Its last lines:\n{self.tail()}"
            )

    def wait_answers(self, url: str, seconds: float) -> None:
        """Wait until `url` answers with 200; raise when that takes longer, or the program ended."""
        deadline = time.monotonic() + seconds
        while not answers(url):
            self.check()
            if time.monotonic() > deadline:
                text = f"{self.name} did not answer at {url} within {seconds:.0f} s."
                raise ProgramError(f"{text} Its last lines:\n{self.tail()}")
            pause(0.05)

    def wait_said(self, text: str, seconds: float) -> None:
        """Wait until its log has `text`; raise when that takes longer, or the program ended."""
        deadline = time.monotonic() + seconds
        while text not in self.log.read_text(errors="replace"):
            self.check()
            if time.monotonic() > deadline:
                raise ProgramError(f"{self.name} did not say {text!r} within {seconds:.0f} s.")
            pause(0.05)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program alone."""
        if self.running:
            self._process.send_signal(number)

    def stop(self, grace: float = 15.0) -> int:
        """End it and all it started: SIGTERM, and SIGKILL after `grace` seconds; returns its code."""
        self.signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(grace)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        return self._process.wait()


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs a module with this interpreter."""
    return [sys.executable, "-m", module, *arguments]


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Our environment with the checkout and its test helpers importable, and `extra`."""
    path = os.pathsep.join((str(ROOT), str(ROOT / "test")))
    return {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", **extra}


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(url: str) -> bool:
    """Whether a GET of `url` gives 200 within a second."""
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310 -- our own address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def pause(seconds: float) -> None:
    """Wait between two looks at a process: there is nothing to be told by."""
    time.sleep(seconds)


@contextlib.contextmanager
def running(program: Program) -> Iterator[Program]:
    """End the program when the block ends, however it ends."""
    try:
        yield program
    finally:
        program.stop()
