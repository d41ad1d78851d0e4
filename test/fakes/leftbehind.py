"""A running cluster as the reference operator leaves it: its status, in the form that a real one was recorded in."""

import json
from typing import Any

import yaml
from fakes.adopted import FIXTURES
from fakes.flinkuser import FlinkDeployment, merged

_OWN = ("jobId", "jobName", "startTime", "upgradeSavepointPath")
"""What a job's status says of this job and no other."""


def disown(cluster: FlinkDeployment, recorded: str) -> None:
    """Replace the status of a job that runs by what the reference would have written of it.

    Everything else in the namespace looks alike already (`docs/real-flink.md`); no operator may run meanwhile.
    `recorded` is the fixture of `test/golden/adoption` whose form it gets.
    """
    found = cluster.get()
    fixture = yaml.safe_load((FIXTURES / f"{recorded}.yaml").read_text(encoding="utf-8"))
    found["status"] = _status(found, fixture["status"])
    cluster.api.request("PUT", f"{cluster.path}/status", found)


def _status(found: Any, recorded: Any) -> Any:
    job = {key: value for key, value in found["status"]["jobStatus"].items() if key in _OWN}
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
    """A spec as the reference writes it down: all fields, and the mode of the upgrade that brought it."""
    whole = {
        **recorded["spec"],
        **spec,
        "job": {
            **recorded["spec"]["job"],
            **spec["job"],
            "upgradeMode": recorded["spec"]["job"]["upgradeMode"],
        },
    }
    for process in ("jobManager", "taskManager"):
        former = recorded["spec"][process]
        resource = {**former["resource"], **spec[process]["resource"]}
        whole[process] = {**former, **spec[process], "resource": resource}
    return json.dumps({**recorded, "spec": whole}, separators=(",", ":"))
