"""The CRDs on a real API server: installable every way, open to what is legal, closed to what is not."""

import copy
import urllib.error
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fakes.controlplane import ControlPlane, unique_name

from flinkop.api import codec, recorded_spec, transitions

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

ROOT = Path(__file__).resolve().parents[2]
CRDS = ROOT / "manifests" / "crds"
PLURALS = ("flinkdeployments", "flinksessionjobs", "flinkstatesnapshots")
NAMES = tuple(f"crd/{plural}.flink.apache.org" for plural in PLURALS)
JOB = {"jarURI": "local:///job.jar", "parallelism": 1}
BASE = {"image": "flink:1.20", "flinkVersion": "v1_20", "serviceAccount": "flink"}


def established(plane):
    """Wait until the API server serves all kinds."""
    for plural in PLURALS:
        plane.api.wait_for(f"/apis/flink.apache.org/v1beta1/{plural}", 30)


@pytest.fixture(scope="module")
def served(control_plane):
    """The shared control plane with our CRDs on it."""
    control_plane.kubectl("apply", "--server-side", "--force-conflicts", "-k", str(CRDS))
    established(control_plane)
    return control_plane


class Resource:
    """One custom resource on the API server."""

    def __init__(self, plane: ControlPlane, namespace: str, kind: str) -> None:
        self.plane = plane
        self.kind = kind
        self.name = unique_name("x")
        self.collection = f"/apis/flink.apache.org/v1beta1/namespaces/{namespace}/{kind.lower()}s"
        self.path = f"{self.collection}/{self.name}"

    def create(self, spec):
        """Create it with a spec, or without when None."""
        body = {
            "apiVersion": "flink.apache.org/v1beta1",
            "kind": self.kind,
            "metadata": {"name": self.name},
        }
        if spec is not None:
            body["spec"] = spec
        return self.plane.api.request("POST", self.collection, body)

    def get(self):
        """The stored object."""
        return self.plane.api.request("GET", self.path)

    def update(self, change):
        """Replace the object after `change` was done to it; the refusal's message, or None."""
        return self._put(self.path, change)

    def update_status(self, status):
        """Replace the status."""
        assert self._put(f"{self.path}/status", lambda stored: stored.update(status=status)) is None

    def _put(self, path, change):
        stored = self.get()
        change(stored)
        try:
            self.plane.api.request("PUT", path, stored)
        except urllib.error.HTTPError as error:
            with error:
                answer = msgspec.json.decode(error.read())
            if answer["reason"] != "Invalid":
                raise
            return answer["message"]
        return None


def record(spec, *, kind="FlinkDeployment"):
    """A status in which `spec` was reconciled."""
    decode = (
        codec.decode_flinkdeployment_spec
        if kind == "FlinkDeployment"
        else codec.decode_flinksessionjob_spec
    )
    text = recorded_spec.encode(decode(spec), True)
    return {"reconciliationStatus": {"lastReconciledSpec": text, "state": "DEPLOYED"}}


def test_they_can_be_created_replaced_and_applied(own_control_plane):
    """`kubectl create`, `replace`, `apply --server-side`, and even plain `apply`."""
    plane = own_control_plane
    plane.kubectl("create", "-k", str(CRDS))
    established(plane)
    plane.kubectl("replace", "-k", str(CRDS))
    plane.kubectl("apply", "--server-side", "--force-conflicts", "-k", str(CRDS))
    plane.kubectl("delete", "-k", str(CRDS), "--wait")
    plane.kubectl("apply", "-k", str(CRDS))
    plane.kubectl("apply", "-k", str(CRDS))
    established(plane)
    for name in NAMES:
        conditions = plane.kubectl("get", name, "-o", "jsonpath={.status.conditions[*].type}")
        assert "NonStructuralSchema" not in conditions


def test_a_resource_without_a_spec_is_accepted(served, namespace):
    """Canaries have none."""
    resource = Resource(served, namespace, "FlinkDeployment")
    resource.create(None)
    assert codec.decode_flinkdeployment_spec(resource.get().get("spec")) is not None


@pytest.mark.parametrize("value", ["text", 5, 1.5, True, ["a", {"b": None}], {"a": {"b": None}}])
def test_any_flink_configuration_is_stored_as_it_is(served, namespace, value):
    """Any JSON value passes, nulls inside included, and decodes."""
    resource = Resource(served, namespace, "FlinkDeployment")
    resource.create({**BASE, "flinkConfiguration": value})
    stored = resource.get()["spec"]
    assert stored["flinkConfiguration"] == value
    assert codec.decode_flinkdeployment_spec(stored).flink_configuration == value


def test_what_the_server_prunes_and_what_it_keeps(served, namespace):
    """Unknown members go, pod templates stay whole, large nonces stay exact."""
    resource = Resource(served, namespace, "FlinkDeployment")
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "x", "labels": {"a": "b"}},
        "spec": {
            "hostnameOverride": "h",
            "containers": [
                {"name": "c", "ports": [{"containerPort": 80}], "resources": {"limits": {"cpu": 1}}}
            ],
        },
    }
    spec = {**BASE, "podTemplate": pod, "restartNonce": 2**53 + 1}
    resource.create({**spec, "unknown": 1})
    assert resource.get()["spec"] == spec


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"flinkVersion": "v9_9"}, "spec.flinkVersion"),
        ({"job": {"state": "paused"}}, "spec.job.state"),
        ({"job": {"parallelism": "two"}}, "spec.job.parallelism"),
        ({"jobManager": {"resource": {"cpu": "500m"}}}, "spec.jobManager.resource.cpu"),
    ],
)
def test_wrong_types_and_words_are_refused_by_the_server(served, namespace, change, path):
    """The schema's own share of validation."""
    resource = Resource(served, namespace, "FlinkDeployment")
    resource.create(BASE)
    assert path in resource.update(lambda stored: stored["spec"].update(change))


SPECS: dict[str, dict[str, Any]] = {
    "session": BASE,
    "session native": {**BASE, "mode": "native"},
    "session standalone": {**BASE, "mode": "standalone"},
    "application": {**BASE, "job": JOB},
    "application standalone": {**BASE, "job": JOB, "mode": "standalone"},
}


@pytest.mark.parametrize("before", SPECS)
def test_transition_rules_agree_with_their_twins(served, namespace, before):
    """From one deployed spec to every other, CEL and Python refuse the same, with the same words."""
    resource = Resource(served, namespace, "FlinkDeployment")
    resource.create(SPECS[before])
    resource.update_status(record(SPECS[before]))
    last = codec.decode_flinkdeployment_spec(SPECS[before])
    for after in SPECS.values():
        spec = codec.decode_flinkdeployment_spec(after)
        expected = transitions.first_broken(transitions.FLINKDEPLOYMENT, spec, last)
        refused = resource.update(
            lambda stored, spec=after: stored.update(spec=copy.deepcopy(spec))
        )
        assert (refused is None) == (expected is None)
        if expected is not None:
            assert expected.message in refused
            assert expected.field_path in refused
        else:
            resource.update(lambda stored: stored.update(spec=copy.deepcopy(SPECS[before])))


def test_before_anything_is_reconciled_everything_may_change(served, namespace):
    """Only what runs is protected."""
    resource = Resource(served, namespace, "FlinkDeployment")
    resource.create(BASE)
    for spec in SPECS.values():
        assert resource.update(lambda stored, spec=spec: stored.update(spec=spec)) is None


def test_the_way_back_to_what_is_deployed_is_open(served, namespace):
    """A resource that is already in a forbidden state can be labelled, reported on and corrected."""
    resource = Resource(served, namespace, "FlinkDeployment")
    resource.create({**BASE, "mode": "standalone"})
    resource.update_status(record({**BASE, "job": JOB}))
    assert resource.update(lambda stored: stored["metadata"].update(labels={"a": "b"})) is None
    resource.update_status({**record({**BASE, "job": JOB}), "error": "x"})
    assert resource.update(lambda stored: stored["spec"].update(image="other")) is None
    assert resource.update(lambda stored: stored["spec"].update(job=JOB, mode="native")) is None
    assert resource.update(lambda stored: stored["spec"].pop("job")) is not None


def test_texts_of_older_releases_refuse_nothing(served, namespace):
    """Where the remembered text has another form, the controller's validator judges alone."""
    resource = Resource(served, namespace, "FlinkDeployment")
    resource.create({**BASE, "job": JOB})
    for text in ('{"apiVersion":"flink.apache.org/v1beta1","job":{}}', "", "junk"):
        resource.update_status({"reconciliationStatus": {"lastReconciledSpec": text}})
        assert (
            resource.update(lambda stored: stored.update(spec=dict(BASE, mode="standalone")))
            is None
        )
        assert resource.update(lambda stored: stored.update(spec={**BASE, "job": JOB})) is None


def test_a_session_job_stays_on_its_cluster(served, namespace):
    """S3, and the way back."""
    resource = Resource(served, namespace, "FlinkSessionJob")
    resource.create({"deploymentName": "one", "job": JOB})
    assert resource.update(lambda stored: stored["spec"].update(deploymentName="two")) is None
    resource.update_status(record({"deploymentName": "two", "job": JOB}, kind="FlinkSessionJob"))
    refused = resource.update(lambda stored: stored["spec"].update(deploymentName="one"))
    assert transitions.FLINKSESSIONJOB[0].message in refused
    assert resource.update(lambda stored: stored["spec"].pop("deploymentName")) is not None
    assert (
        resource.update(lambda stored: stored["spec"].update(job={**JOB, "parallelism": 2})) is None
    )
    resource.update_status(record({"deploymentName": "one", "job": JOB}, kind="FlinkSessionJob"))
    assert resource.update(lambda stored: stored["spec"].update(deploymentName="one")) is None


def test_scale_and_short_names_work(served, namespace):
    """`kubectl scale flinkdep`, `kubectl get flink`."""
    resource = Resource(served, namespace, "FlinkDeployment")
    resource.create({**BASE, "job": JOB, "taskManager": {"replicas": 1}})
    served.kubectl("-n", namespace, "scale", "flinkdep", resource.name, "--replicas=3")
    assert resource.get()["spec"]["taskManager"]["replicas"] == 3
    assert resource.name in served.kubectl("-n", namespace, "get", "flink")
    wide = served.kubectl("-n", namespace, "get", "flinkdep", "-o", "wide")
    assert wide.splitlines()[0].split()[:5] == ["NAME", "JOB", "STATUS", "LIFECYCLE", "STATE"]
    explained = served.kubectl("explain", "flinkdeployment.spec.job.upgradeMode")
    assert "How state is carried over an upgrade" in explained


def test_a_written_status_comes_back_as_it_was(served, namespace):
    """Nothing that we write into a status is pruned or changed by the server."""
    resource = Resource(served, namespace, "FlinkDeployment")
    resource.create({**BASE, "job": JOB})
    status = codec.decode_flinkdeployment_status(
        {
            **record({**BASE, "job": JOB}),
            "jobStatus": {
                "jobId": "0" * 32,
                "state": "RUNNING",
                "startTime": "1",
                "savepointInfo": {"lastSavepoint": {"location": "s3://x", "triggerNonce": 1}},
                "checkpointInfo": {"lastCheckpoint": {"formatType": "FULL"}},
            },
            "clusterInfo": {"flink-version": "1.20"},
            "taskManager": {"labelSelector": "a=b", "replicas": 2},
            "conditions": [
                {
                    "type": "Ready",
                    "status": "True",
                    "reason": "Running",
                    "message": "m",
                    "lastTransitionTime": "2026-01-01T00:00:00.5Z",
                    "observedGeneration": 3,
                }
            ],
            "lifecycleState": "STABLE",
            "observedGeneration": 3,
            "error": "e",
        }
    )
    written = codec.encode_status(status)
    resource.update_status(written)
    stored = resource.get()["status"]
    assert stored == written
    assert codec.decode_flinkdeployment_status(stored) == status


SNAPSHOTS: dict[str, dict[str, Any]] = {
    "savepoint": {"jobReference": {"kind": "FlinkDeployment", "name": "a"}, "savepoint": {}},
    "checkpoint": {
        "jobReference": {"kind": "FlinkSessionJob", "name": "a"},
        "checkpoint": {},
        "backoffLimit": 0,
    },
    "existing": {
        "savepoint": {
            "alreadyExists": True,
            "disposeOnDelete": False,
            "formatType": "UNKNOWN",
            "path": "s3://x",
        }
    },
    "both": {"savepoint": {}, "checkpoint": {}, "backoffLimit": -7},
    "neither": {},
}


@pytest.mark.parametrize("spec", SNAPSHOTS.values(), ids=SNAPSHOTS)
def test_any_snapshot_that_the_reference_takes_is_stored_as_it_is(served, namespace, spec):
    """Empty objects included, whose presence is the wish; what is wrong is for the validator."""
    resource = Resource(served, namespace, "FlinkStateSnapshot")
    resource.create(spec)
    assert resource.get()["spec"] == spec


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"jobReference": {"kind": "Deployment"}}, "spec.jobReference.kind"),
        ({"savepoint": {"formatType": "canonical"}}, "spec.savepoint.formatType"),
        ({"backoffLimit": "2"}, "spec.backoffLimit"),
    ],
)
def test_wrong_types_and_words_of_snapshots_are_refused(served, namespace, change, path):
    """The schema's own share of validation."""
    resource = Resource(served, namespace, "FlinkStateSnapshot")
    resource.create({})
    assert path in resource.update(lambda stored: stored["spec"].update(change))


def test_a_written_snapshot_status_comes_back_and_is_shown(served, namespace):
    """Nothing of it is pruned; `kubectl get flinksnp` has the reference's columns, and `wait` works."""
    resource = Resource(served, namespace, "FlinkStateSnapshot")
    resource.create(SNAPSHOTS["savepoint"])
    label = {"snapshot.type": "SAVEPOINT", "snapshot.trigger-type": "MANUAL"}
    assert resource.update(lambda stored: stored["metadata"].update(labels=label)) is None
    status = codec.decode_flinkstatesnapshot_status(
        {
            "state": "COMPLETED",
            "triggerId": "0" * 32,
            "triggerTimestamp": "2026-01-01T00:00:00Z",
            "resultTimestamp": "2026-01-01T00:00:01Z",
            "path": "s3://x",
            "error": "e",
            "failures": 1,
        }
    )
    written = codec.encode_status(status)
    resource.update_status(written)
    assert resource.get()["status"] == written
    shown = served.kubectl("-n", namespace, "get", "flinksnp", resource.name)
    assert shown.splitlines()[0].split() == [
        *("NAME", "PATH", "RESULT", "TIMESTAMP", "SNAPSHOT", "STATE", "AGE")
    ]
    assert shown.splitlines()[1].split()[1:4] == ["s3://x", "2026-01-01T00:00:01Z", "COMPLETED"]
    wide = served.kubectl("-n", namespace, "get", "flink", "-o", "wide")
    assert "SAVEPOINT" in wide
    assert "MANUAL" in wide
    wait = ("wait", f"flinkstatesnapshot/{resource.name}", "--timeout=5s")
    served.kubectl("-n", namespace, *wait, "--for=jsonpath={.status.state}=COMPLETED")


@pytest.mark.parametrize(
    "sample", sorted((ROOT / "manifests" / "samples").glob("*.yaml")), ids=lambda path: path.name
)
def test_samples_pass_strict_validation(served, namespace, sample):
    """No sample has a field that the server does not know."""
    served.kubectl(
        "-n", namespace, "apply", "--dry-run=server", "--validate=strict", "-f", str(sample)
    )
