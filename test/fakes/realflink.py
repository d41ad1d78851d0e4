"""Real Flink on real nodes: what the environment says about it, and the operator beside the tests.

FLINKOP_REAL_KUBECONFIG   a cluster whose nodes run pods
FLINKOP_REAL_IMAGE        an image of Flink that those nodes have or can pull
FLINKOP_REAL_VERSION      its `flinkVersion`, such as v1_20
FLINKOP_REAL_BATCH        jar and arguments of a job that ends by itself
FLINKOP_REAL_SECONDS      how long to wait for anything, 300 by default
"""

import os
import shlex
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from fakes.apiuser import ApiUser
from fakes.flinkuser import APP, merged
from fakes.programs import Program, free_port, python

KUBECONFIG: Final = os.environ.get("FLINKOP_REAL_KUBECONFIG", "")
SECONDS: Final = float(os.environ.get("FLINKOP_REAL_SECONDS", "300"))
_APPLY: Final = "application/apply-patch+yaml"


class PatientUser(ApiUser):
    """Calls as the kubeconfig's user; waits as long as real pods need."""

    def until(self, collection: str, reached: Any, *, seconds: float = 0.0, **query: str) -> Any:
        """Watch until `reached`, for `FLINKOP_REAL_SECONDS` at least."""
        return super().until(collection, reached, seconds=max(seconds, SECONDS), **query)

    def apply(self, path: str, body: Mapping[str, Any]) -> None:
        """Apply an object from the server's side, as ours."""
        self.request("PATCH", f"{path}?fieldManager=flinkop-test&force=true", body, _APPLY)


class Operator:
    """`flinkop run` as a process that tests may kill."""

    def __init__(self, namespace: str, logs: Path) -> None:
        self._namespace = namespace
        self._logs = logs
        self._program: Program | None = None

    def start(self) -> None:
        """Start it and wait until it is ready."""
        port = free_port()
        command = python("flinkop", "run", "--kubeconfig", KUBECONFIG)
        command += ["--namespace", self._namespace, "--log-format", "console"]
        command += ["--health-host", "127.0.0.1", "--health-port", str(port)]
        self._program = Program("flinkop", command, self._logs / "flinkop.log")
        self._program.wait_answers(f"http://127.0.0.1:{port}/readyz", 120)

    def kill(self) -> None:
        """End it at once, in the middle of whatever it does."""
        if self._program:
            self._program.signal(signal.SIGKILL)
            self._program.stop()

    def stop(self) -> None:
        """End it."""
        if self._program:
            self._program.stop()

    def check(self) -> None:
        """Raise when it has ended."""
        if self._program:
            self._program.check()


def spec(**change: Any) -> dict[str, Any]:
    """A small application with the image under test, `change` merged in."""
    little = {"resource": {"cpu": 0.1, "memory": "1024m"}}
    base = {
        "image": os.environ.get("FLINKOP_REAL_IMAGE", "flink:1.20"),
        "imagePullPolicy": "IfNotPresent",
        "flinkVersion": os.environ.get("FLINKOP_REAL_VERSION", "v1_20"),
        "jobManager": little,
        "taskManager": little,
    }
    return merged(merged(APP, base), change)


def batch() -> dict[str, Any]:
    """The jar and arguments of a job that ends by itself."""
    default = "local:///opt/flink/examples/streaming/WordCount.jar"
    jar, *arguments = shlex.split(os.environ.get("FLINKOP_REAL_BATCH", default))
    return {"jarURI": jar, "args": arguments, "parallelism": 1}
