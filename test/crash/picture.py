"""What a scenario leads to, told so that two runs of it can be compared; pure.

Everything that the API server stores of a namespace is in it, and what Flink knows of the jobs. What differs
from run to run by nature is replaced by a word for what it is: times, uids, ids, the hash in a pod's name.
Events are left out: an operator that dies takes those with it that it had not written yet.
"""

import copy
import difflib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from flinksim.ledger import Run

Picture = dict[str, Any]

_NOBODY_ASKED = {"kube-root-ca.crt", "default"}
"""Objects that Kubernetes puts into each namespace."""
_BOOKKEEPING = ("uid", "resourceVersion", "creationTimestamp", "managedFields", "selfLink")
_WORDS = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uid>"),
    (re.compile(r"savepoint-[0-9a-f]{6}-[0-9a-f]{12}"), "savepoint-<id>"),
    (re.compile(r"chk-\d+"), "chk-<number>"),
    (re.compile(r"(checkpointID-)\d+"), r"\1<number>"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "<other id>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "<time>"),
    (re.compile(r"\b1\d{12}\b"), "<time>"),
    (re.compile(r"\b10(\.\d{1,3}){3}\b"), "<address>"),
)
_A_TIME = 10**12
"""Milliseconds since 1970 are larger, whatever else is counted is smaller."""


def picture(
    objects: Iterable[Mapping[str, Any]],
    runs: Iterable[Run],
    savepoints: int,
    *,
    namespace: str,
    vague: Iterable[str] = (),
) -> Picture:
    """Return the picture of a namespace.

    Args:
        objects: everything that is stored there, each with its `kind`.
        runs: all runs of jobs there, oldest first.
        savepoints: how many savepoints of theirs exist.
        namespace: its name.
        vague: what differs from run to run, such as `FlinkDeployment/status/jobStatus/savepointInfo`.
    """
    found = [one for one in objects if one["metadata"]["name"] not in _NOBODY_ASKED]
    words = {namespace: "<namespace>", **_roles(found)}
    told: Picture = {}
    for one in found:
        if one["kind"] != "Pod":
            told.setdefault(one["kind"], []).append(_told(one))
    told["Pods"] = dict(Counter(_pod(one) for one in found if one["kind"] == "Pod"))
    told["Runs"] = [_run(run) for run in runs]
    told["Savepoints"] = savepoints
    for path in vague:
        _blur(told, path.split("/"))
    reworded: Picture = _reworded(told, words)
    for kind in {one["kind"] for one in found} & reworded.keys():
        reworded[kind].sort(key=lambda one: str(one["metadata"]["name"]))
    return reworded


def difference(wanted: Picture, found: Picture) -> str:
    """Return what differs, line by line; "" when nothing does."""
    lines = difflib.unified_diff(
        _lines(wanted), _lines(found), "undisturbed", "found", lineterm="", n=1
    )
    return "\n".join(lines)


def _roles(objects: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the words for uids and for the ids of jobs that a status names."""
    words = {}
    for one in objects:
        if one["kind"] != "Pod":
            words[one["metadata"]["uid"]] = f"<uid of {one['kind']}>"
        job = ((one.get("status") or {}).get("jobStatus") or {}).get("jobId")
        if job:
            words[job] = f"<job of {one['kind']}>"
    return words


def _told(one: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = copy.deepcopy(dict(one))
    metadata = told["metadata"]
    for key in _BOOKKEEPING:
        metadata.pop(key, None)
    # Known only if a checkpoint was there when the operator looked.
    (told.get("status") or {}).get("clusterInfo", {}).pop("state-size", None)
    if one["kind"] == "Deployment":
        metadata.pop("generation", None)  # how often the API server counted, not what it holds
        told["status"] = {"available": told.get("status", {}).get("availableReplicas", 0)}
    if one["kind"] == "ConfigMap" and not metadata.get("ownerReferences"):
        # Flink's own: what a checkpoint is called counts, the pointer to it is another each time.
        told["data"] = sorted(told.get("data") or {})
        metadata.pop("annotations", None)
    if one["kind"] == "Service" and told["spec"].get("clusterIP") != "None":
        for key in ("clusterIP", "clusterIPs"):
            told["spec"].pop(key, None)
    return {key: _decoded(value) for key, value in told.items()}


def _blur(value: Any, path: list[str]) -> None:
    """Put a word in the place of what is at `path`, in each entry of a list on the way."""
    if isinstance(value, list):
        for inner in value:
            _blur(inner, path)
    elif isinstance(value, dict) and path[0] in value:
        if path[1:]:
            _blur(value[path[0]], path[1:])
        else:
            value[path[0]] = "<varies>"


def _decoded(value: Any) -> Any:
    """Return `value` with the JSON inside its texts as JSON, so that a difference can be read."""
    if isinstance(value, dict):
        return {key: _decoded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_decoded(inner) for inner in value]
    if isinstance(value, str) and value.startswith("{"):
        try:
            return _decoded(json.loads(value))
        except ValueError:
            return value
    return value


def _pod(one: Mapping[str, Any]) -> str:
    labels = one["metadata"].get("labels", {})
    going = ", going" if one["metadata"].get("deletionTimestamp") else ""
    return f"{labels.get('component')} {one['status'].get('phase')}{going}"


def _run(run: Run) -> dict[str, Any]:
    return {
        "job": run.job_id,
        "ran": run.running_since is not None,
        "restored": run.restored_from is not None,
        "ended": run.ended is not None,
    }


def _reworded(value: Any, words: Mapping[str, str]) -> Any:
    """Return `value` with words for what differs from run to run, at any depth, in keys as well."""
    if isinstance(value, dict):
        return {_worded(key, words): _reworded(inner, words) for key, inner in value.items()}
    if isinstance(value, list):
        return [_reworded(inner, words) for inner in value]
    if isinstance(value, str):
        return _worded(value, words)
    if isinstance(value, int) and value > _A_TIME:
        return "<time>"
    return value


def _worded(text: str, words: Mapping[str, str]) -> str:
    for one, word in words.items():
        text = text.replace(one, word)
    for pattern, word in _WORDS:
        text = pattern.sub(word, text)
    return text


def _lines(told: Picture) -> list[str]:
    return json.dumps(told, indent=1, sort_keys=True).splitlines()
