"""What a user of flinkop does in a test: describe a cluster, wait for a state, look at what there is."""

import copy
import http.client
import json
import time
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any, Self

from fakes.apiuser import SECONDS, ApiUser, Objects, Refused
from fakes.controlplane import unique_name
from fakes.leanapi import CRS
from fakes.programs import pause

APP: Mapping[str, Any] = {
    "image": "flink:1.20",
    "flinkVersion": "v1_20",
    "serviceAccount": "flink",
    "flinkConfiguration": {"taskmanager.numberOfTaskSlots": "2"},
    "jobManager": {"resource": {"memory": "1024m", "cpu": 0.5}},
    "taskManager": {"resource": {"memory": "1024m", "cpu": 0.5}},
    "job": {
        "jarURI": "local:///opt/flink/examples/streaming/StateMachineExample.jar",
        "parallelism": 2,
        "upgradeMode": "stateless",
    },
}
"""A small application that every rule accepts."""

HA: Mapping[str, Any] = {
    "high-availability.type": "kubernetes",
    "high-availability.storageDir": "file:///data/ha",
}
"""Configuration with which Flink keeps HA metadata in ConfigMaps."""


CHECKPOINTS: Mapping[str, Any] = {
    "taskmanager.numberOfTaskSlots": "2",
    "execution.checkpointing.interval": "1 s",
    "execution.checkpointing.dir": "file:///data/checkpoints",
    "execution.checkpointing.savepoint-dir": "file:///data/savepoints",
}
"""Configuration of a job that has state."""


HOLD = "example.com/hold"
"""A finalizer that nobody takes off but the test."""


def merged(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `change` merged into it at any depth; None takes a key away."""
    result = copy.deepcopy(dict(base))
    for key, value in change.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(result.get(key), Mapping):
            result[key] = merged(result[key], value)
        else:
            result[key] = copy.deepcopy(value)
    return result


def app(**change: Any) -> dict[str, Any]:
    """The spec of an application, `APP` with changes merged in."""
    return merged(APP, change)


def session(**change: Any) -> dict[str, Any]:
    """The spec of a session cluster."""
    return merged(APP, {"job": None, **change})


def stateful(mode: str, /, *, ha: bool = True, **change: Any) -> dict[str, Any]:
    """The spec of an application whose job has state."""
    configuration = {**CHECKPOINTS, **(HA if ha else {})}
    return merged(app(flinkConfiguration=configuration, job={"upgradeMode": mode}), change)


class Place:
    """A namespace in which things are tried.

    Attributes:
        api: calls as cluster-admin.
        namespace: its name.
        sim: base address of flinksim.
    """

    def __init__(self, api: ApiUser, namespace: str, sim: str) -> None:
        self.api = api
        self.namespace = namespace
        self.sim = sim

    def core(self, plural: str) -> str:
        """The path of a collection of the core API."""
        return f"/api/v1/namespaces/{self.namespace}/{plural}"

    def apps(self, plural: str) -> str:
        """The path of a collection of apps/v1."""
        return f"/apis/apps/v1/namespaces/{self.namespace}/{plural}"

    @property
    def ingresses(self) -> str:
        """The path of the Ingresses."""
        return f"/apis/networking.k8s.io/v1/namespaces/{self.namespace}/ingresses"

    def flink(self, name: str | None = None) -> "FlinkDeployment":
        """A handle on a FlinkDeployment that may or may not exist."""
        return FlinkDeployment(self, name or unique_name("f"))

    def create(
        self, spec: Mapping[str, Any] | None = None, name: str | None = None, **metadata: Any
    ) -> "FlinkDeployment":
        """Create a FlinkDeployment, by default a plain application."""
        return self.flink(name).create(APP if spec is None else spec, **metadata)

    def stable(
        self, spec: Mapping[str, Any] | None = None, name: str | None = None
    ) -> "FlinkDeployment":
        """Create a FlinkDeployment and wait until it is STABLE."""
        return self.create(spec, name).wait_stable()


class FlinkDeployment:
    """One FlinkDeployment, as a test sees it."""

    def __init__(self, place: Place, name: str) -> None:
        self.place = place
        self.api = place.api
        self.name = name
        self.collection = f"{CRS}/namespaces/{place.namespace}/flinkdeployments"
        self.path = f"{self.collection}/{name}"

    # --- changing

    def create(self, spec: Mapping[str, Any], **metadata: Any) -> Self:
        """Create it."""
        body = {
            "apiVersion": "flink.apache.org/v1beta1",
            "kind": "FlinkDeployment",
            "metadata": {"name": self.name, **metadata},
            "spec": dict(spec),
        }
        self.api.request("POST", self.collection, body)
        return self

    def change(self, **spec: Any) -> int:
        """Merge-patch the spec; returns the new generation."""
        patched = self.api.patch(self.path, {"spec": spec})
        generation: int = patched["metadata"]["generation"]
        return generation

    def change_status(self, **status: Any) -> None:
        """Merge-patch the status, as nobody but the operator should."""
        self.api.patch(f"{self.path}/status", {"status": status})

    def delete(self) -> None:
        """Ask for the deletion."""
        self.api.delete(self.path)

    def hold_job_manager(self) -> None:
        """Keep its JobManager Deployment from going away when it is deleted."""
        self._hold(self._deployment(self.name))

    def let_job_manager_go(self) -> None:
        """Undo that; what else keeps the Deployment is left alone."""
        self._let_go(self._deployment(self.name))

    def hold_task_managers(self) -> None:
        """The same for a standalone cluster's TaskManagers."""
        self._hold(self._deployment(self.workers))

    def let_task_managers_go(self) -> None:
        """Undo that."""
        self._let_go(self._deployment(self.workers))

    def start_task_manager(self) -> None:
        """Start a TaskManager as a native JobManager would, one that takes its time to go when it is told to."""
        labels = {"app": self.name, "component": "taskmanager", "type": "flink-native-kubernetes"}
        owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": self.name, "uid": self.uid}
        body = {
            "metadata": {
                "name": self.native_worker,
                "labels": labels,
                "finalizers": [HOLD],
                "ownerReferences": [owner],
            },
            # On a node kwok would let it go at once.
            "spec": {
                "schedulerName": "none",
                "containers": [{"name": "flink-main-container", "image": "flink"}],
            },
        }
        self.api.request("POST", self.place.core("pods"), body)

    def let_task_manager_go(self) -> None:
        """Let it go."""
        self._let_go(f"{self.place.core('pods')}/{self.native_worker}")

    def order(self, **orders: Any) -> None:
        """Tell flinksim how this cluster is to behave."""
        self._sim("PUT", orders)

    def no_orders(self) -> None:
        """Let flinksim behave as usual again."""
        self._sim("DELETE")

    # --- looking

    def get(self) -> Any:
        """The resource as stored."""
        found = self.api.get(self.path)
        assert found is not None, f"{self.name} is gone"
        return found

    @property
    def status(self) -> Any:
        """Its status, {} when there is none."""
        return self.get().get("status", {})

    @property
    def job_manager(self) -> Any | None:
        """Its JobManager Deployment."""
        return self.api.get(f"{self.place.apps('deployments')}/{self.name}")

    @property
    def workers(self) -> str:
        """The name of a standalone cluster's TaskManager Deployment."""
        return f"{self.name}-taskmanager"

    @property
    def native_worker(self) -> str:
        """The name of the TaskManager that `start_task_manager` starts."""
        return f"{self.name}-taskmanager-1-1"

    @property
    def task_managers(self) -> Any | None:
        """That Deployment."""
        return self.api.get(f"{self.place.apps('deployments')}/{self.workers}")

    @property
    def uid(self) -> str:
        """The uid of its JobManager Deployment: another one after each restart."""
        found = self.job_manager
        assert found is not None, f"{self.name} has no JobManager"
        uid: str = found["metadata"]["uid"]
        return uid

    def error(self) -> Any:
        """`status.error`, decoded."""
        return json.loads(self.status["error"])

    def events(self, reason: str) -> list[Any]:
        """Events about the resource with this reason."""
        return self._named(self.api.list(self.place.core("events")), reason)

    def objects(self) -> dict[str, list[str]]:
        """Names of all that exists of it, by kind; kinds of which there is nothing are left out."""
        place = self.place
        collections = {
            "Deployment": place.apps("deployments"),
            "ReplicaSet": place.apps("replicasets"),
            "Pod": place.core("pods"),
            "Service": place.core("services"),
            "ConfigMap": place.core("configmaps"),
            "Ingress": place.ingresses,
        }
        found = {
            kind: sorted(
                name for name, item in self.api.list(collection).items() if self._is_mine(item)
            )
            for kind, collection in collections.items()
        }
        return {kind: names for kind, names in found.items() if names}

    def ha_config_maps(self) -> list[str]:
        """ConfigMaps in which Flink keeps HA metadata."""
        maps = self.api.list(self.place.core("configmaps"), label_selector=f"app={self.name}")
        return [name for name, one in maps.items() if not one["metadata"].get("ownerReferences")]

    @property
    def rest(self) -> str:
        """The address of its Flink REST API."""
        return f"{self.place.sim}/{self.place.namespace}/{self.name}"

    def requirements(self) -> dict[str, Any]:
        """Bounds of the running job's vertices."""
        job = self.status["jobStatus"]["jobId"]
        found: dict[str, Any] = call("GET", f"{self.rest}/jobs/{job}/resource-requirements")
        return found

    def vertices(self) -> list[str]:
        """Ids of the running job's vertices."""
        return sorted(self.requirements())

    def submit_by_hand(self) -> str:
        """Upload and run a jar through Flink's REST API, past the operator; returns the job's id."""
        head = '--x\r\nContent-Disposition: form-data; name="jarfile"; filename="a.jar"\r\n'
        raw = f"{head}Content-Type: application/x-java-archive\r\n\r\nPK\r\n--x--\r\n".encode()
        form = "multipart/form-data; boundary=x"
        jar = call("POST", f"{self.rest}/jars/upload", raw=raw, kind=form)["filename"]
        name = jar.rsplit("/", 1)[-1]
        job: str = call("POST", f"{self.rest}/jars/{name}/run", {"parallelism": 1})["jobid"]
        return job

    def savepoint_by_hand(self) -> str:
        """Take a savepoint through Flink's REST API, past the operator; returns its path."""
        [jobmanager] = self.sim()["jobmanagers"]
        [job] = [one["id"] for one in jobmanager["jobs"] if one["state"] == "RUNNING"]
        savepoints = f"{self.rest}/jobs/{job}/savepoints"
        asked = call("POST", savepoints, {"target-directory": "file:///data/by-hand"})
        deadline = time.monotonic() + SECONDS
        while (found := call("GET", f"{savepoints}/{asked['request-id']}"))["status"]["id"] != (
            "COMPLETED"
        ):
            assert time.monotonic() < deadline, found
            pause(0.05)
        path: str = found["operation"]["location"]
        return path

    def lose_job_manager(self) -> None:
        """Delete its JobManager Deployment, past the operator."""
        self.api.delete(f"{self.place.apps('deployments')}/{self.name}")

    def age_job_manager(self) -> None:
        """Have its JobManager Deployment look as if it had been available for years."""
        found = self.job_manager
        assert found is not None, f"{self.name} has no JobManager"
        long_ago = {"lastTransitionTime": "2020-01-01T00:00:00Z"}
        conditions = [{**one, **long_ago} for one in found["status"]["conditions"]]
        path = f"{self.place.apps('deployments')}/{self.name}/status"
        self.api.patch(path, {"status": {"conditions": conditions}})

    def lose_metadata(self) -> None:
        """Delete Flink's HA metadata, past the operator."""
        for name in self.ha_config_maps():
            self.api.delete(f"{self.place.core('configmaps')}/{name}")

    def look(self) -> int:
        """Have the operator look now, not after its interval; returns the new generation."""
        nonce = {"kubernetes.operator.look": unique_name("n")}
        return self.change(flinkConfiguration=nonce)

    def sim(self) -> Any:
        """What flinksim knows about the cluster."""
        return self._sim("GET")

    def runs(self) -> list[Any]:
        """Flinksim's record of all runs of its jobs, oldest first."""
        runs = [run for by_job in self.sim()["runs"].values() for run in by_job]
        return sorted(runs, key=lambda run: run["started"])

    def ends(self) -> list[str | None]:
        """How each run ended; None for the one that goes on."""
        return [run["end"] for run in self.runs()]

    # --- waiting

    def until(
        self, reached: Callable[[Any], Any], seconds: float = SECONDS, *, what: str = ""
    ) -> Any:
        """Wait until `reached(resource)` is true; returns the resource."""

        def look(objects: Objects) -> Any:
            return self.name in objects and reached(objects[self.name]) and objects[self.name]

        selector = f"metadata.name={self.name}"
        try:
            return self.api.until(self.collection, look, seconds=seconds, field_selector=selector)
        except AssertionError as error:
            raise AssertionError(f"{self.name} did not become {what or 'so'}: {error}") from None

    def wait_lifecycle(self, state: str, generation: int | None = None) -> Self:
        """Wait for a lifecycle state, of `generation` at least, and for the conditions to follow."""
        what = f"{state} with generation {generation}"
        self.until(lambda obj: _is_in(obj, state, generation), what=what)
        return self

    def wait_stable(self, generation: int | None = None) -> Self:
        """Wait until it is STABLE and up, with `generation` observed.

        STABLE alone tells less: back at a spec that was good before, a cluster is STABLE before it is up.
        """
        what = f"STABLE and up with generation {generation}"
        self.until(lambda obj: _is_in(obj, "STABLE", generation) and _is_up(obj), what=what)
        return self

    def wait_job(self, state: str) -> Self:
        """Wait for a state of the job."""
        self.until(lambda obj: job_state(obj) == state, what=f"{state} (job)")
        return self

    def wait_condition(self, kind: str, truth: str = "True") -> Any:
        """Wait until a condition has a status; returns the condition."""
        obj = self.until(lambda obj: condition(obj, kind).get("status") == truth, what=kind)
        return condition(obj, kind)

    def wait_stalled(self, reason: str) -> Any:
        """Wait until it says that somebody has to change something, for this reason; returns the condition."""

        def reached(obj: Any) -> bool:
            found = condition(obj, "Stalled")
            return (found.get("status"), found.get("reason")) == ("True", reason)

        return condition(self.until(reached, what=f"Stalled ({reason})"), "Stalled")

    def wait_runs(self, reached: Callable[[list[Any]], Any]) -> list[Any]:
        """Wait until the job's runs are as `reached(runs)` wants; Flink cannot be watched."""
        deadline = time.monotonic() + SECONDS
        while not reached(runs := self.runs()):
            assert time.monotonic() < deadline, f"not reached: {runs}"
            pause(0.05)
        return runs

    def wait_sim(self, reached: Callable[[Any], Any]) -> Any:
        """Wait until what flinksim knows of it is as `reached(cluster)` wants; Flink cannot be watched."""
        deadline = time.monotonic() + SECONDS
        while not reached(found := self.sim()):
            assert time.monotonic() < deadline, f"not reached: {found}"
            pause(0.05)
        return found

    def wait_checkpoint(self) -> Self:
        """Wait until the job that runs has completed a checkpoint since it started."""
        self.wait_runs(lambda runs: runs and runs[-1]["checkpoints"] > 0)
        return self

    def wait_noticed(self, generation: int) -> Self:
        """Wait until the conditions are about `generation`, whatever they say."""
        self.until(
            lambda obj: condition(obj, "Ready").get("observedGeneration") == generation,
            what=f"conditions about generation {generation}",
        )
        return self

    def wait_error(self, *words: str) -> Any:
        """Wait until the values in `status.error` have all the words; returns it decoded."""

        def reached(obj: Any) -> bool:
            error = obj.get("status", {}).get("error") or "null"
            text = "\n".join(leaves(json.loads(error)))
            return all(word in text for word in words)

        return json.loads(self.until(reached, what=f"in error: {words}")["status"]["error"])

    def wait_event(self, reason: str, *, words: str = "") -> Any:
        """Wait for an Event with this reason whose message has `words`; returns it."""

        def look(objects: Objects) -> Any:
            return next((e for e in self._named(objects, reason) if words in e["message"]), None)

        return self.api.until(self.place.core("events"), look)

    def wait_new_job_manager(self, former: str) -> Self:
        """Wait until the JobManager Deployment is another than the one with uid `former`."""

        def look(objects: Objects) -> bool:
            found = objects.get(self.name)
            return found is not None and found["metadata"]["uid"] != former

        self.api.until(self.place.apps("deployments"), look)
        return self

    def wait_deployments(self, *names: str) -> Self:
        """Wait until of its Deployments exactly those with these names are there."""

        def look(objects: Objects) -> bool:
            return {self.name, self.workers} & objects.keys() == set(names)

        self.api.until(self.place.apps("deployments"), look)
        return self

    def wait_gone(self) -> Self:
        """Wait until the resource is gone."""
        selector = f"metadata.name={self.name}"
        self.api.until(self.collection, lambda objects: not objects, field_selector=selector)
        return self

    def wait_nothing_left(self) -> Self:
        """Wait until the resource and all that was made for it are gone."""
        self.wait_gone()
        place = self.place
        for collection in (
            place.apps("deployments"),
            place.apps("replicasets"),
            place.core("pods"),
            place.core("services"),
            place.core("configmaps"),
            place.ingresses,
        ):
            self.api.until(collection, self._has_none)
        return self

    def wait_pods(self, reached: Callable[[Objects], Any]) -> Any:
        """Wait until its pods are as `reached(pods by name)` wants."""
        return self.api.until(
            self.place.core("pods"), reached, label_selector=f"app={self.name},component=jobmanager"
        )

    def _deployment(self, name: str) -> str:
        return f"{self.place.apps('deployments')}/{name}"

    def _hold(self, path: str) -> None:
        self._change_finalizers(path, lambda found: [*found, HOLD])

    def _let_go(self, path: str) -> None:
        self._change_finalizers(path, lambda found: [one for one in found if one != HOLD])

    def _change_finalizers(self, path: str, change: Callable[[list[str]], list[str]]) -> None:
        found = self.api.get(path)
        assert found is not None, f"there is no {path}"
        metadata = found["metadata"]
        finalizers = change(metadata.get("finalizers", []))
        version = metadata["resourceVersion"]
        try:
            self.api.patch(
                path, {"metadata": {"finalizers": finalizers, "resourceVersion": version}}
            )
        except Refused as error:
            if error.status != http.client.CONFLICT:
                raise
            self._change_finalizers(path, change)

    def _has_none(self, objects: Objects) -> bool:
        return not any(self._is_mine(item) for item in objects.values())

    def _is_mine(self, item: Any) -> bool:
        metadata = item["metadata"]
        owners = {owner["name"] for owner in metadata.get("ownerReferences", ())}
        return (
            self.name in {metadata["name"], *owners}
            or metadata.get("labels", {}).get("app") == self.name
        )

    def _named(self, objects: Objects, reason: str) -> list[Any]:
        return [
            event
            for event in objects.values()
            if event["involvedObject"]["name"] == self.name
            and event["involvedObject"]["kind"] == "FlinkDeployment"
            and event["reason"] == reason
        ]

    def _sim(self, method: str, body: Any = None) -> Any:
        url = f"{self.place.sim}/_control/{self.place.namespace}/{self.name}"
        return call(method, url, body)


def call(
    method: str, url: str, body: Any = None, *, raw: bytes | None = None, kind: str = ""
) -> Any:
    """One HTTP call with a JSON body, or `raw` of some kind; returns the decoded answer."""
    data = raw if raw is not None or body is None else json.dumps(body).encode()
    headers = {"Content-Type": kind or "application/json"}
    request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310 - our own address
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return json.loads(answer.read() or b"null")


def leaves(value: Any) -> list[str]:
    """All texts in a decoded JSON value."""
    if isinstance(value, Mapping):
        return [text for inner in value.values() for text in leaves(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in leaves(inner)]
    return [] if value is None else [str(value)]


def job_state(obj: Any) -> str | None:
    """`status.jobStatus.state`."""
    state: str | None = obj.get("status", {}).get("jobStatus", {}).get("state")
    return state


def condition(obj: Any, kind: str) -> Any:
    """A condition of a resource, {} when there is none."""
    found = obj.get("status", {}).get("conditions", ())
    return next((one for one in found if one["type"] == kind), {})


def _is_in(obj: Any, state: str, generation: int | None) -> bool:
    """Whether a lifecycle state is reached, with `generation` observed."""
    status = obj.get("status", {})
    observed = status.get("observedGeneration") or 0
    return status.get("lifecycleState") == state and observed >= (generation or 0)


def _is_up(obj: Any) -> bool:
    """Whether the job runs or has finished, or the session cluster answers."""
    return condition(obj, "Running").get("status") == "True" or job_state(obj) == "FINISHED"
