"""A namespace on real nodes: the counting job for everybody, and a witness that reads what it wrote.

State is on a directory of one node, which outlives pods. The witness is a pod beside them that makes it
writable and repeats on its standard output what the jobs write to their ledger, and which savepoints there are.
"""

import base64
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from fakes.apiuser import ApiUser
from fakes.controlplane import unique_name
from fakes.flinkuser import FlinkDeployment, Place, merged
from fakes.ledger import Ledger
from fakes.programs import pause

JAR: Final = "local:///opt/flink/usrlib/numbers.jar"
JOB: Final = "numbers-job"
SECONDS: Final = float(os.environ.get("FLINKOP_REAL_SECONDS", "300"))
_STATE: Final = os.environ.get("FLINKOP_REAL_STATE", "/var/tmp/flinkop-real")  # noqa: S108 - on the node
_WATCH: Final = """
touch /data/ledger && chmod 0777 /data && chmod 0666 /data/ledger
before=
while sleep 1; do
  now=$(cd /data/savepoints 2>/dev/null && ls | tr '\\n' ' ')
  [ "$now" = "$before" ] || echo "-savepoints $now"
  before=$now
done &
exec tail -n +1 -F /data/ledger
"""


class RealPlace(Place):
    """A namespace in which applications count, each under its own name."""

    def __init__(self, api: ApiUser, namespace: str, image: str) -> None:
        super().__init__(api, namespace, sim="")
        self._image = image

    def prepare(self) -> None:
        """Put the job's jar and the witness there."""
        jar = Path(os.environ["FLINKOP_REAL_JOB"]).read_bytes()
        body = {
            "metadata": {"name": JOB},
            "binaryData": {"numbers.jar": base64.b64encode(jar).decode()},
        }
        self.api.request("POST", self.core("configmaps"), body)
        container = {
            "name": "witness",
            "image": self._image,
            "imagePullPolicy": "IfNotPresent",
            "command": ["sh", "-c", _WATCH],
            "securityContext": {"runAsUser": 0},
            "volumeMounts": [{"name": "state", "mountPath": "/data"}],
        }
        spec = {
            "containers": [container],
            "volumes": [self._volume()],
            "terminationGracePeriodSeconds": 0,
        }
        witness = {"metadata": {"name": "witness"}, "spec": spec}
        self.api.request("POST", self.core("pods"), witness)
        self.api.until(self.core("pods"), _runs)

    def pod_template(self) -> dict[str, Any]:
        """Pods with the job's jar where Flink looks for it, and the directory for state."""
        mounts = [
            {"name": "state", "mountPath": "/data"},
            {"name": "job", "mountPath": "/opt/flink/usrlib/numbers.jar", "subPath": "numbers.jar"},
        ]
        volumes = [self._volume(), {"name": "job", "configMap": {"name": JOB}}]
        container = {"name": "flink-main-container", "volumeMounts": mounts}
        return {"spec": {"containers": [container], "volumes": volumes}}

    def create(
        self, spec: Mapping[str, Any] | None = None, name: str | None = None, **metadata: Any
    ) -> FlinkDeployment:
        """Create a FlinkDeployment whose job, if it has one, keeps its ledger under the resource's name."""
        name = name or unique_name("f")
        given = dict(spec or {})
        given.setdefault("podTemplate", self.pod_template())
        if given.get("job", {}).get("jarURI") == JAR:
            given = merged(given, {"job": {"args": arguments(name, *given["job"].get("args", ()))}})
        return super().create(given, name, **metadata)

    def ledger(self, cluster: FlinkDeployment) -> Ledger:
        """What the job of a cluster has written until now."""
        return Ledger.read(self._witnessed(), cluster.name)

    def wait_ledger(
        self, cluster: FlinkDeployment, reached: Callable[[Ledger], Any], what: str
    ) -> Ledger:
        """Wait until a job's ledger is as `reached` wants; a log cannot be watched."""
        deadline = time.monotonic() + SECONDS
        while not reached(ledger := self.ledger(cluster)):
            assert time.monotonic() < deadline, f"{cluster.name} has not {what}"
            pause(0.3)
        return ledger

    def wait_counting(self, cluster: FlinkDeployment, runs: int) -> Ledger:
        """Wait until the job was started so many times and counts; the count has to be exact until there."""

        def reached(ledger: Ledger) -> bool:
            return len(ledger.runs) >= runs and bool(ledger.runs[-1].numbers)

        ledger = self.wait_ledger(cluster, reached, f"counted in {runs} runs")
        assert not ledger.faults
        assert len(ledger.runs) == runs
        return ledger

    def savepoints(self) -> set[str]:
        """The savepoints whose files are there, by the names of their directories."""
        lines = self._witnessed().splitlines()
        found = [line.split()[1:] for line in lines if line.startswith("-savepoints ")]
        return set(found[-1]) if found else set()

    def _witnessed(self) -> str:
        return self.api.text(f"{self.core('pods')}/witness/log")

    def _volume(self) -> dict[str, Any]:
        path = f"{_STATE}/{self.namespace}"
        return {"name": "state", "hostPath": {"path": path, "type": "DirectoryOrCreate"}}


def arguments(name: str, *others: str) -> list[str]:
    """Arguments of the counting job."""
    return ["--name", name, *others]


def _runs(pods: Mapping[str, Any]) -> bool:
    return bool(pods["witness"]["status"].get("phase") == "Running")
