"""A running cluster as the reference operator leaves it: its status, in the form that a real one was recorded in."""

import json
from typing import Any

import yaml
from fakes.adopted import FIXTURES
from fakes.flinkuser import FlinkDeployment, merged

_FIXTURE = FIXTURES / "real-running.yaml"


def disown(cluster: FlinkDeployment) -> None:
    """Replace the status of a job that runs by what the reference would have written of it.

    Everything else in the namespace looks alike already (`docs/real-flink.md`); no operator may run meanwhile.
    """
    found = cluster.get()
    found["status"] = _status(found)
    cluster.api.request("PUT", f"{cluster.path}/status", found)


def _status(found: Any) -> Any:
    recorded = yaml.safe_load(_FIXTURE.read_text(encoding="utf-8"))["status"]
    job = {key: found["status"]["jobStatus"][key] for key in ("jobId", "jobName", "startTime")}
    spec = _as_recorded(found["spec"], json.loads(_spec_of(recorded)))
    reconciled = {"lastReconciledSpec": spec, "lastStableSpec": spec}
    return merged(
        recorded,
        {
            "clusterInfo": found["status"]["clusterInfo"],
            "jobStatus": job,
            "reconciliationStatus": reconciled,
            "taskManager": {
                "labelSelector": f"component=taskmanager,app={found['metadata']['name']}"
            },
            "observedGeneration": found["metadata"]["generation"],
        },
    )


def _spec_of(recorded: Any) -> str:
    text: str = recorded["reconciliationStatus"]["lastReconciledSpec"]
    return text


def _as_recorded(spec: Any, recorded: Any) -> str:
    """A spec as the reference writes it down: all fields, and the mode that the first deployment had."""
    whole = {
        **recorded["spec"],
        **spec,
        "job": {**recorded["spec"]["job"], **spec["job"], "upgradeMode": "stateless"},
    }
    for process in ("jobManager", "taskManager"):
        former = recorded["spec"][process]
        resource = {**former["resource"], **spec[process]["resource"]}
        whole[process] = {**former, **spec[process], "resource": resource}
    return json.dumps({**recorded, "spec": whole}, separators=(",", ":"))
