"""Stopping and starting single processes of a cluster, with the very same command line."""

import json
import os
import platform
import signal
import subprocess
from pathlib import Path

from hack.clusters import processes
from hack.clusters.errors import ControlPlaneError
from hack.clusters.kwokconfig import COMPONENTS
from hack.clusters.processes import Process

_GRACE_SECONDS = 2.0
"""The API server would wait a minute for watches that nobody ends."""


class Components:
    """The processes of one cluster, by name; `directory` is kwokctl's directory of the cluster."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def running(self, name: str) -> Process | None:
        """The component's process, or None while it is stopped."""
        try:
            process = processes.find(int(self._pid_file(name).read_text()))
        except (OSError, ValueError):
            return None
        if process and process in processes.belonging_to(self._directory):
            return process
        return None

    def stop(self, name: str, *, kill: bool = False) -> None:
        """End a component and wait until it is gone; `kill` gives it no chance to say goodbye."""
        process = self.running(name)
        if process:
            arguments = processes.command_line(process.pid)
            self._command_file(name).write_text(json.dumps(arguments))
            processes.end([process], grace=0 if kill else _GRACE_SECONDS)
            self._pid_file(name).unlink(missing_ok=True)

    def pause(self, name: str) -> None:
        """Freeze a component: its connections stay open and silent."""
        self._signal(name, signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """Let a frozen component go on."""
        self._signal(name, signal.SIGCONT)

    def start(self, name: str) -> None:
        """Start a stopped component again; does not wait until it is ready."""
        if self.running(name):
            return
        try:
            arguments = json.loads(self._command_file(name).read_text())
        except OSError:
            raise ControlPlaneError(f"{name} was not stopped by stop()") from None
        environment = dict(os.environ)
        if platform.machine() not in ("x86_64", "AMD64"):
            environment["ETCD_UNSUPPORTED_ARCH"] = _go_arch()
        # The shell ends at once, so the component becomes nobody's child and leaves no zombie here.
        started = subprocess.run(
            ["/bin/sh", "-c", '"$@" >>"$0" 2>&1 </dev/null & echo $!', self.log(name), *arguments],
            cwd=self._directory,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            start_new_session=True,
        )
        self._pid_file(name).write_text(started.stdout.strip())

    def log(self, name: str) -> Path:
        """The file of everything the component said."""
        return self._directory / "logs" / f"{name}.log"

    def complaints(self) -> str:
        """The last lines of every log, for an error message."""
        parts = []
        for name in COMPONENTS:
            try:
                lines = self.log(name).read_text(errors="replace").splitlines()[-5:]
            except OSError:
                continue
            parts.append(f"--- {name}\n" + "\n".join(line[:300] for line in lines))
        return "\n".join(parts)

    def _signal(self, name: str, number: signal.Signals) -> None:
        process = self.running(name)
        if not process:
            raise ControlPlaneError(f"{name} does not run")
        process.send(number)

    def _pid_file(self, name: str) -> Path:
        if name not in COMPONENTS:
            raise ControlPlaneError(f"no component {name!r}: there are {', '.join(COMPONENTS)}")
        return self._directory / "pids" / f"{name}.pid"

    def _command_file(self, name: str) -> Path:
        return self._directory / f"{name}.command.json"


def _go_arch() -> str:
    return {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
