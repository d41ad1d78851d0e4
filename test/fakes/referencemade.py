"""Clusters as the reference makes them, and statuses as its releases write them, on a real API server.

The objects are those that were recorded from it (`test/golden/v*`), under a name and owner of the test's own.
"""

import json
import time
import urllib.error
from collections.abc import Mapping
from typing import Any

import msgspec
from attrs import frozen
from fakes import goldencase
from fakes.apiuser import SECONDS, Objects
from fakes.countedoperator import OWN
from fakes.flinkuser import FlinkDeployment, Place, call, merged
from fakes.goldencase import GoldenCase
from fakes.leanapi import CRS
from fakes.programs import pause

from flinkop.api import codec
from flinkop.builders.identity import GENERATION_ANNOTATION

JOB_ID = "0123456789abcdef0123456789abcdef"
RELEASES = ("1.0", "1.5", "1.16")
"""One for each form of the recorded spec."""

_API_VERSION = "flink.apache.org/v1beta1"
_COLLECTIONS = {"Deployment": "deployments", "Service": "services", "ConfigMap": "configmaps"}
_OFTEN = {"execution.checkpointing.interval": "1 s"}
_FINALIZER = "flinkdeployments.flink.apache.org/finalizer"


@frozen
class Made:
    """A FlinkDeployment of the reference and its cluster, which runs.

    Attributes:
        cluster: the resource.
        spec: its spec.
        release: of the reference that made it.
    """

    cluster: FlinkDeployment
    spec: Mapping[str, Any]
    release: str

    def recorded(self, generation: int = 1, **job: Any) -> str:
        """Return the text that the release would record of the spec, with other fields of its job."""
        spec = merged(self.spec, {"job": job}) if job else self.spec
        raw = msgspec.json.encode(dict(spec))
        document = codec.encode(codec.decode_flinkdeployment_spec(raw), codec.Omit.NOTHING)
        if self.release == "1.0":
            return _compact({**document, "apiVersion": _API_VERSION})
        metadata: dict[str, Any] = {"apiVersion": _API_VERSION}
        if self.release == "1.5":
            metadata["metadata"] = {"generation": generation}
        metadata["firstDeployment"] = generation == 1
        return _compact({"spec": document, "resource_metadata": metadata})

    def write(self, status: Mapping[str, Any]) -> None:
        """Write a status as the reference does."""
        self.cluster.change_status(**status)

    def running(self) -> dict[str, Any]:
        """Return the status that the release has of a cluster that runs."""
        runs = self.spec.get("job") is not None
        text = self.recorded(state="running", upgradeMode="stateless") if runs else self.recorded()
        status: dict[str, Any] = {
            "jobManagerDeploymentStatus": "READY",
            "jobStatus": {"savepointInfo": {"savepointHistory": []}},
            "reconciliationStatus": {
                "lastReconciledSpec": text,
                "lastStableSpec": text,
                "reconciliationTimestamp": 1650000000000,
                "state": "DEPLOYED",
            },
        }
        job = status["jobStatus"]
        if runs:
            [seen] = call("GET", f"{self.cluster.rest}/jobs/overview")["jobs"]
            started = str(seen["start-time"])
            job.update(jobId=seen["jid"], jobName=seen["name"], state="RUNNING")
            job.update(startTime=started, updateTime=started)
        if self.release == "1.0":
            job["savepointInfo"].update(triggerId="", triggerTimestamp=0)
            return status
        status["lifecycleState"] = "STABLE"
        if runs:
            selector = f"component=taskmanager,app={self.cluster.name}"
            status["taskManager"] = {"labelSelector": selector, "replicas": 1}
        if self.release == "1.16":
            job["checkpointInfo"] = {"lastPeriodicCheckpointTimestamp": 0}
            status["observedGeneration"] = 1
        return status

    def add_snapshot(self) -> str:
        """Add a FlinkStateSnapshot that the release took of the job; returns its path in the API."""
        collection = f"{CRS}/namespaces/{self.cluster.place.namespace}/flinkstatesnapshots"
        name = f"{self.cluster.name}-savepoint"
        labels = {
            "job-reference.kind": "FlinkDeployment",
            "job-reference.name": self.cluster.name,
            "snapshot.state": "COMPLETED",
            "snapshot.trigger-type": "MANUAL",
            "snapshot.type": "SAVEPOINT",
        }
        body = {
            "apiVersion": _API_VERSION,
            "kind": "FlinkStateSnapshot",
            "metadata": {
                "name": name,
                "labels": {**OWN, **labels},
                "finalizers": ["flinkstatesnapshots.flink.apache.org/finalizer"],
            },
            "spec": {
                "jobReference": {"kind": "FlinkDeployment", "name": self.cluster.name},
                "savepoint": {"disposeOnDelete": True, "formatType": "CANONICAL"},
            },
        }
        status = {
            "failures": 0,
            "path": "s3://bucket/sp/savepoint-012345-f0e9bfae4e2d",
            "resultTimestamp": "2026-01-01T13:03:06.967649804Z",
            "state": "COMPLETED",
            "triggerId": "fe6f815bfed47362947bf4fa7a95a59a",
            "triggerTimestamp": "2026-01-01T13:02:56.811497591Z",
        }
        self.cluster.api.request("POST", collection, body)
        self.cluster.api.patch(f"{collection}/{name}/status", {"status": status})
        return f"{collection}/{name}"

    def objects(self) -> dict[str, tuple[str, str]]:
        """Return uid and version of all that the cluster consists of, its HA metadata apart."""
        place, found = self.cluster.place, {}
        for kind, collection in (
            ("Deployment", place.apps("deployments")),
            ("Service", place.core("services")),
            ("ConfigMap", place.core("configmaps")),
        ):
            for name, item in place.api.list(collection).items():
                metadata = item["metadata"]
                if kind != "ConfigMap" or metadata.get("ownerReferences"):
                    found[f"{kind}/{name}"] = (metadata["uid"], metadata["resourceVersion"])
        return found


def make(place: Place, case: str, release: str = "1.16", **change: Any) -> Made:
    """Create a FlinkDeployment and the objects that the reference made for it; wait until it runs.

    `case` is the golden one; `change` is merged into its spec.
    """
    golden = goldencase.case(case)
    spec = merged(golden.document["spec"], {"jobManager": {"replicas": 1}})
    spec = merged(spec, {"flinkConfiguration": _OFTEN})
    spec = merged(spec, change)
    cluster = place.flink()
    cluster.create(spec, labels=OWN, finalizers=[_FINALIZER])
    _create_objects(cluster, golden, owned=release != "1.0")
    _wait_up(cluster)
    if spec.get("job") is not None:
        cluster.wait_checkpoint()
    return Made(cluster, spec, release)


def _wait_up(cluster: FlinkDeployment) -> None:
    """Wait until its JobManager is available, and flinksim plays it."""

    def available(objects: Objects) -> bool:
        found = objects.get(cluster.name, {}).get("status", {})
        return bool(found.get("availableReplicas"))

    cluster.api.until(cluster.place.apps("deployments"), available)
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            if cluster.sim()["jobmanagers"]:
                return
        except urllib.error.HTTPError:
            pass  # it has not heard of the cluster yet
        assert time.monotonic() < deadline, "flinksim does not play the cluster"
        pause(0.05)


def _create_objects(cluster: FlinkDeployment, golden: GoldenCase, *, owned: bool) -> None:
    """The Deployment first; by its uid it owns the others, but for a standalone cluster's TaskManagers."""
    place = cluster.place
    renamed = {
        golden.identity.uid: cluster.get()["metadata"]["uid"],
        f'"{golden.identity.name}': f'"{cluster.name}',
        f"flink-config-{golden.identity.name}": f"flink-config-{cluster.name}",
        f"cluster-id: {golden.identity.name}\\n": f"cluster-id: {cluster.name}\\n",
        f"job-result-store/{golden.identity.name}/": f"job-result-store/{cluster.name}/",
        goldencase.JOB_ID: JOB_ID,
        '/generation": "2"': '/generation": "1"',
        "execution.checkpointing.interval: 5 min\\n": "",
        "blob.server.port": "execution.checkpointing.interval: 1 s\\nblob.server.port",
        '"replicas": 2': '"replicas": 1',
    }
    text = json.dumps(list(golden.recorded().values()))
    for old, new in renamed.items():
        text = text.replace(old, new)
    bodies = {f"{body['kind']}/{body['metadata']['name']}": body for body in json.loads(text)}
    main = bodies.pop(f"Deployment/{cluster.name}")
    if not owned:
        del main["metadata"]["ownerReferences"]
        del main["metadata"]["annotations"][GENERATION_ANNOTATION]
    uid = place.api.request("POST", place.apps("deployments"), main)["metadata"]["uid"]
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": cluster.name, "uid": uid}
    for body in bodies.values():
        collection = _COLLECTIONS[body["kind"]]
        if body["kind"] == "Deployment":
            place.api.request("POST", place.apps(collection), body)
            continue
        body["metadata"]["ownerReferences"] = [
            {**owner, "controller": True, "blockOwnerDeletion": True}
        ]
        place.api.request("POST", place.core(collection), body)


def _compact(document: Mapping[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"))
