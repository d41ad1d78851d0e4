"""Real Flink on real nodes: what the environment says about it, and the operator beside the tests.

FLINKOP_REAL_KUBECONFIG   a cluster whose nodes run pods
FLINKOP_REAL_IMAGE        an image of Flink that those nodes have or can pull
FLINKOP_REAL_VERSION      its `flinkVersion`, such as v1_20
FLINKOP_REAL_JOB          the jar of the counting job (`test/real/job`)
FLINKOP_REAL_SECONDS      how long to wait for anything, 300 by default
"""

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from fakes.apiuser import ApiUser
from fakes.flinkuser import APP, CHECKPOINTS, HA, FlinkDeployment, merged
from fakes.programs import Program, free_port, pause, python
from fakes.realplace import JAR, SECONDS

KUBECONFIG: Final = os.environ.get("FLINKOP_REAL_KUBECONFIG", "")
IMAGE: Final = os.environ.get("FLINKOP_REAL_IMAGE", "flink:1.20")
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
    """`flinkop run` as a process that tests may kill.

    Attributes:
        log: what all its processes said.
    """

    def __init__(self, namespace: str, logs: Path) -> None:
        self._namespace = namespace
        self.log = logs / "flinkop.log"
        self._program: Program | None = None

    def start(self) -> None:
        """Start it and wait until it is ready."""
        port = free_port()
        command = python("flinkop", "run", "--kubeconfig", KUBECONFIG)
        command += ["--namespace", self._namespace, "--log-format", "console"]
        command += ["--health-host", "127.0.0.1", "--health-port", str(port)]
        self._program = Program("flinkop", command, self.log)
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
    """A small application with the image under test that counts, `change` merged in."""
    little = {"resource": {"cpu": 0.1, "memory": "1024m"}}
    base = {
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "flinkVersion": os.environ.get("FLINKOP_REAL_VERSION", "v1_20"),
        "jobManager": little,
        "taskManager": little,
        "job": {"jarURI": JAR},
    }
    return merged(merged(APP, base), change)


def session(**change: Any) -> dict[str, Any]:
    """A small session cluster."""
    return merged(spec(job=None), change)


def stateful(mode: str, *, ha: bool = True, **change: Any) -> dict[str, Any]:
    """An application whose job has state."""
    configuration = {**CHECKPOINTS, **(HA if ha else {})}
    base = spec(flinkConfiguration=configuration, job={"upgradeMode": mode, "parallelism": 1})
    return merged(base, change)


def restored(cluster: FlinkDeployment) -> Any:
    """What the job that runs now was restored from, as Flink tells it; None when it began empty."""
    return job_answer(cluster, "checkpoints")["latest"]["restored"]


def job_answer(cluster: FlinkDeployment, path: str) -> Any:
    """What Flink answers about the job."""
    return flink_answer(cluster, f"jobs/{cluster.status['jobStatus']['jobId']}/{path}")


def jobs_of(cluster: FlinkDeployment) -> list[Any]:
    """The jobs that a cluster's JobManager knows: id and state of each."""
    found: list[Any] = flink_answer(cluster, "jobs")["jobs"]
    return found


def flink_answer(cluster: FlinkDeployment, path: str) -> Any:
    """What Flink answers."""
    return cluster.api.get(proxied(cluster, f"/{path}"))


def proxied(cluster: FlinkDeployment, path: str) -> str:
    """A path of Flink's REST API, through the API server's service proxy."""
    return f"{cluster.place.core('services')}/{cluster.name}-rest:8081/proxy{path}"


def wait_checkpoint(cluster: FlinkDeployment) -> None:
    """Wait until this run of the job has completed a checkpoint; Flink has nothing to watch."""
    deadline = time.monotonic() + SECONDS
    while not job_answer(cluster, "checkpoints")["counts"]["completed"]:
        assert time.monotonic() < deadline, f"{cluster.name} completes no checkpoint"
        pause(0.5)
