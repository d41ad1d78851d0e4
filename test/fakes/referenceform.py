"""The form of a FlinkDeployment's status as the reference reads it, 1.15 and later (api.md 3.2 to 3.4, 3.9).

Written down here once more, by hand, so that flinkop's own classes do not judge themselves.
"""

import json
from typing import Any

JOB_STATES = [
    "INITIALIZING",
    "CREATED",
    "RUNNING",
    "FAILING",
    "FAILED",
    "CANCELLING",
    "CANCELED",
    "FINISHED",
    "RESTARTING",
    "SUSPENDED",
    "RECONCILING",
]
TRIGGERS = ["MANUAL", "PERIODIC", "UPGRADE", "UNKNOWN"]
FORMATS = ["CANONICAL", "NATIVE", "UNKNOWN"]
LIFECYCLE = [
    "CREATED",
    "SUSPENDED",
    "UPGRADING",
    "DEPLOYED",
    "STABLE",
    "ROLLING_BACK",
    "ROLLED_BACK",
    "FAILED",
    "DELETING",
    "DELETED",
]

SAVEPOINT = {
    "timeStamp": int,
    "location": str,
    "triggerType": TRIGGERS,
    "formatType": FORMATS,
    "triggerNonce": int,
}
STATUS: dict[str, Any] = {
    "jobStatus": {
        "jobName": str,
        "jobId": str,
        "state": JOB_STATES,
        "startTime": str,
        "updateTime": str,
        "upgradeSavepointPath": str,
        "savepointInfo": {
            "lastSavepoint": SAVEPOINT,
            "triggerId": str,
            "triggerTimestamp": int,
            "triggerType": TRIGGERS,
            "formatType": FORMATS,
            "savepointHistory": [SAVEPOINT],
            "lastPeriodicSavepointTimestamp": int,
        },
        "checkpointInfo": {
            "lastCheckpoint": {
                "timeStamp": int,
                "triggerType": TRIGGERS,
                "formatType": ["FULL", "INCREMENTAL", "UNKNOWN"],
                "triggerNonce": int,
            },
            "triggerId": str,
            "triggerTimestamp": int,
            "triggerType": TRIGGERS,
            "formatType": ["FULL", "INCREMENTAL", "UNKNOWN"],
            "lastPeriodicCheckpointTimestamp": int,
        },
    },
    "error": str,
    "observedGeneration": int,
    "lifecycleState": LIFECYCLE,
    "clusterInfo": {str: str},
    "jobManagerDeploymentStatus": [
        "READY",
        "DEPLOYED_NOT_READY",
        "DEPLOYING",
        "MISSING",
        "ERROR",
    ],
    "reconciliationStatus": {
        "reconciliationTimestamp": int,
        "lastReconciledSpec": str,
        "lastStableSpec": str,
        "state": ["DEPLOYED", "UPGRADING", "ROLLING_BACK", "ROLLED_BACK"],
    },
    "taskManager": {"labelSelector": str, "replicas": int},
    "conditions": [
        {
            "lastTransitionTime": str,
            "message": str,
            "observedGeneration": int,
            "reason": str,
            "status": ["True", "False", "Unknown"],
            "type": str,
        }
    ],
}
RESOURCE = {"cpu": float, "memory": str, "ephemeralStorage": str}
RECORDED: dict[str, Any] = {
    "spec": {
        "job": {
            "jarURI": str,
            "parallelism": int,
            "entryClass": str,
            "args": [str],
            "state": ["running", "suspended"],
            "savepointTriggerNonce": int,
            "initialSavepointPath": str,
            "checkpointTriggerNonce": int,
            "upgradeMode": ["stateless", "savepoint", "last-state"],
            "allowNonRestoredState": bool,
            "savepointRedeployNonce": int,
            "autoscalerResetNonce": int,
        },
        "restartNonce": int,
        "flinkConfiguration": {str: object},
        "image": str,
        "imagePullPolicy": str,
        "serviceAccount": str,
        "flinkVersion": str,
        "ingress": object,
        "podTemplate": {str: object},
        "jobManager": {
            "resource": RESOURCE,
            "resources": {str: object},
            "replicas": int,
            "podTemplate": {str: object},
        },
        "taskManager": {
            "resource": RESOURCE,
            "resources": {str: object},
            "replicas": int,
            "podTemplate": {str: object},
        },
        "logConfiguration": {str: str},
        "mode": ["native", "standalone"],
    },
    # The one place where the reference refuses a member that it does not know.
    "resource_metadata": {"apiVersion": str, "firstDeployment": bool},
}
_OBJECTS = {"jobStatus", "reconciliationStatus", "clusterInfo", "savepointInfo", "checkpointInfo"}


def problems(status: dict[str, Any]) -> list[str]:
    """Return what of a status the reference could not read, or would read as something else."""
    found = _differences(status, STATUS, "status", nulls=False)
    recon = status.get("reconciliationStatus", {})
    for name in ("lastReconciledSpec", "lastStableSpec"):
        text = recon.get(name)
        if text is None:
            continue
        document = json.loads(text)
        found += _differences(document, RECORDED, name, nulls=True)
        found += _order(document, RECORDED, name)
        if text != json.dumps(document, separators=(",", ":"), ensure_ascii=False):
            found.append(f"{name}: not compact")
    return found


def _differences(value: Any, form: Any, path: str, *, nulls: bool) -> list[str]:
    if value is None:
        return [] if nulls else [f"{path}: null"]
    if isinstance(form, dict) and str in form:
        if not isinstance(value, dict):
            return [f"{path}: no object"]
        inner = form[str]
        return [
            p for key in value for p in _differences(value[key], inner, f"{path}.{key}", nulls=True)
        ]
    if isinstance(form, dict):
        if not isinstance(value, dict):
            return [f"{path}: no object"]
        unknown = [f"{path}.{key}: not known" for key in value if key not in form]
        known = [
            p
            for key, one in form.items()
            if key in value
            for p in _differences(value[key], one, f"{path}.{key}", nulls=nulls)
        ]
        return unknown + known
    if isinstance(form, list) and isinstance(form[0], str):
        return [] if value in form else [f"{path}: {value!r} is none of {form}"]
    if isinstance(form, list):
        if not isinstance(value, list):
            return [f"{path}: no list"]
        return [
            p
            for i, one in enumerate(value)
            for p in _differences(one, form[0], f"{path}[{i}]", nulls=nulls)
        ]
    if form is object:
        return []
    return [] if type(value) is form else [f"{path}: {value!r} is no {form.__name__}"]


def _order(value: Any, form: Any, path: str) -> list[str]:
    """All members, nulls too, stand in the reference's order, so that equal specs give equal texts."""
    if not isinstance(value, dict) or not isinstance(form, dict) or str in form:
        return []
    if list(value) != list(form):
        return [f"{path}: members are {list(value)}, not {list(form)}"]
    return [p for key, one in form.items() for p in _order(value[key], one, f"{path}.{key}")]
