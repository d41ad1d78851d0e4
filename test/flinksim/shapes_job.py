"""Answers about a job, as Flink of each version shapes them."""

import base64
from typing import Any

from flinksim.graph import SLOT_GROUP, SOURCE, Vertex
from flinksim.job import STATES, Failure, Job, Operation

_TASK_STATES = (
    "DEPLOYING", "RUNNING", "CANCELED", "SCHEDULED", "FINISHED",
    "CANCELING", "RECONCILING", "FAILED", "INITIALIZING", "CREATED",
)  # fmt: skip


def ms(moment: float | None) -> int:
    return -1 if moment is None else int(moment * 1000)


def _version(job: Job) -> tuple[int, int]:
    return job.host.settings.version


def _task_state(job: Job) -> str:
    if job.tasks_running:
        return "RUNNING"
    return {
        "RUNNING": "SCHEDULED", "CANCELLING": "CANCELING", "CANCELED": "CANCELED", "FINISHED": "FINISHED",
        "FAILED": "FAILED" if job.ever_ran else "CANCELED", "FAILING": "CANCELING", "RESTARTING": "CANCELED",
    }.get(job.state, "CREATED")  # fmt: skip


def has_tasks(job: Job) -> bool:
    """Before its graph exists, or when it never came to exist, a job has no tasks."""
    return job.state != "INITIALIZING" and not (
        job.state == "FAILED" and job.submission.failure is not None
    )


def overview(job: Job) -> dict[str, Any]:
    state = _task_state(job).lower()
    total = job.task_total if has_tasks(job) else 0
    tasks = {
        "running": 0, "canceling": 0, "canceled": 0, "total": total, "created": 0, "scheduled": 0,
        "deploying": 0, "reconciling": 0, "finished": 0, "initializing": 0, "failed": 0,
    }  # fmt: skip
    tasks[state] = total
    now = job.host.scheduler.now()
    body = {
        "jid": job.id,
        "name": job.submission.name,
        "start-time": ms(job.started),
        "end-time": ms(job.ended),
        "duration": ms((job.ended or now) - job.started),
        "state": job.state,
        "last-modification": ms(job.modified),
        "tasks": tasks,
    }
    if _version(job) >= (2, 2):
        body["pending-operators"] = 0
    return body


def details(job: Job) -> dict[str, Any]:
    now = job.host.scheduler.now()
    body: dict[str, Any] = {
        "jid": job.id,
        "name": job.submission.name,
        "isStoppable": False,
        "state": job.state,
    }
    if _version(job) >= (1, 20):
        body["job-type"] = "STREAMING"
    body |= {
        "start-time": ms(job.started),
        "end-time": ms(job.ended),
        "duration": ms((job.ended or now) - job.started),
        "maxParallelism": -1,
        "now": ms(now),
        "timestamps": {state: ms(job.timestamps[state]) for state in STATES},
        "vertices": [_vertex(job, vertex, now) for vertex in job.vertices]
        if has_tasks(job)
        else [],
        "status-counts": _counts(_task_state(job), len(job.vertices)),
        "plan": _plan(job),
    }
    if _version(job) >= (2, 2):
        body["pending-operators"] = 0
    return body


def _counts(state: str, number: int) -> dict[str, int]:
    return dict.fromkeys(_TASK_STATES, 0) | {state: number}


def _vertex(job: Job, vertex: Vertex, now: float) -> dict[str, Any]:
    since = job.timestamps["RUNNING"] or None
    return {
        "id": vertex.id,
        "slotSharingGroupId": SLOT_GROUP,
        "name": vertex.name,
        "maxParallelism": 128,
        "parallelism": vertex.parallelism,
        "status": _task_state(job),
        "start-time": ms(since),
        "end-time": ms(job.ended),
        "duration": -1 if since is None else ms((job.ended or now) - since),
        "tasks": _counts(_task_state(job), vertex.parallelism),
        "metrics": {
            "read-bytes": 0,
            "read-bytes-complete": job.tasks_running,
            "write-bytes": 0,
            "write-bytes-complete": job.tasks_running,
            "read-records": 0 if vertex.id == SOURCE else job.counter(),
            "read-records-complete": job.tasks_running,
            "write-records": job.counter() if vertex.id == SOURCE else 0,
            "write-records-complete": job.tasks_running,
            "accumulated-backpressured-time": 0,
            "accumulated-idle-time": 0,
            "accumulated-busy-time": 0.0,
        },
    }


def plan(job: Job) -> dict[str, Any]:
    return {"plan": _plan(job)}


def _plan(job: Job) -> dict[str, Any]:
    return {
        "jid": job.id,
        "name": job.submission.name,
        "type": "STREAMING",
        "nodes": [_node(vertex) for vertex in reversed(job.vertices)],
    }


def _node(vertex: Vertex) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": vertex.id,
        "parallelism": vertex.parallelism,
        "operator": "",
        "operator_strategy": "",
        "description": vertex.description,
    }
    if vertex.inputs:
        body["inputs"] = [
            {"num": number, "id": source, "ship_strategy": "HASH", "exchange": "pipelined_bounded"}
            for number, source in enumerate(vertex.inputs)
        ]
    return body | {"optimizer_properties": {}}


def config(job: Job) -> dict[str, Any]:
    execution: dict[str, Any] = {
        "restart-strategy": "Cluster level default restart strategy",
        "job-parallelism": job.submission.parallelism,
        "object-reuse-mode": False,
        "user-config": {},
    }
    if _version(job) < (2, 0):
        execution = {"execution-mode": "PIPELINED"} | execution
    return {"jid": job.id, "name": job.submission.name, "execution-config": execution}


def exceptions(job: Job, limit: int | None) -> dict[str, Any]:
    kept = job.exceptions[: limit or 20]
    body: dict[str, Any] = {}
    if _version(job) < (2, 0):
        body = {
            "root-exception": kept[0].stack_trace if kept else None,
            "timestamp": ms(kept[0].at) if kept else None,
            "all-exceptions": [_former_exception(job, one) for one in kept if one.task],
            "truncated": False,
        }
    truncated = len(kept) < len(job.exceptions)
    return body | {
        "exceptionHistory": {
            "entries": [_exception(job, one) for one in kept],
            "truncated": truncated,
        }
    }


def _exception(job: Job, failure: Failure) -> dict[str, Any]:
    body: dict[str, Any] = {
        "exceptionName": failure.java_class,
        "stacktrace": failure.stack_trace,
        "timestamp": ms(failure.at),
    }
    if _version(job) >= (1, 18):
        body["failureLabels"] = {}
    if failure.task:
        body["taskName"] = f"{failure.task} (1/{job.width}) - execution #0"
        body |= _place(job)
    return body | {"concurrentExceptions": []}


def _former_exception(job: Job, failure: Failure) -> dict[str, Any]:
    """As it was told before there was a history."""
    return {
        "exception": failure.stack_trace,
        "task": f"{failure.task} (1/{job.width})",
        "timestamp": ms(failure.at),
    } | _place(job)


def _place(job: Job) -> dict[str, str]:
    where = "10.244.0.14:6122"
    body = {"taskManagerId": f"{job.host.settings.name}-taskmanager-1-1"}
    if _version(job) < (2, 0):
        body["location"] = where
    if _version(job) >= (1, 18):
        body["endpoint"] = where
    return body


def throwable(failure: Failure) -> dict[str, str]:
    serialized = base64.b64encode(f"java.io.Serializable {failure.java_class}".encode()).decode()
    return {
        "class": failure.java_class,
        "stack-trace": failure.stack_trace,
        "serialized-throwable": serialized,
    }


def execution_result(job: Job) -> dict[str, Any]:
    if not job.is_terminal:
        return {"status": {"id": "IN_PROGRESS"}}
    result: dict[str, Any] = {
        "id": job.id,
        "application-status": {"FINISHED": "SUCCEEDED", "CANCELED": "CANCELED"}.get(
            job.state, "FAILED"
        ),
        "accumulator-results": {},
        "net-runtime": ms((job.ended or job.started) - job.started),
    }
    if job.failure is not None:
        result["failure-cause"] = throwable(job.failure)
    return {"status": {"id": "COMPLETED"}, "job-execution-result": result}


def operation(one: Operation) -> dict[str, Any]:
    """A savepoint, stop or disposal."""
    if one.done is None:
        return {"status": {"id": "IN_PROGRESS"}, "operation": None}
    body: dict[str, Any] = {}
    if one.location is not None:
        body["location"] = one.location
    if one.failure is not None:
        body["failure-cause"] = throwable(one.failure)
    return {"status": {"id": "COMPLETED"}, "operation": body}


def checkpoint_operation(one: Operation) -> dict[str, Any]:
    if one.done is None:
        return {"status": {"id": "IN_PROGRESS"}, "operation": None}
    if one.failure is not None:
        return {
            "status": {"id": "COMPLETED"},
            "operation": {"failureCause": throwable(one.failure)},
        }
    return {"status": {"id": "COMPLETED"}, "operation": {"checkpointId": one.checkpoint}}


def requirements(job: Job) -> dict[str, Any]:
    return {
        vertex.id: {"parallelism": {"lowerBound": vertex.lower, "upperBound": vertex.upper}}
        for vertex in job.vertices
    }


def metrics(job: Job) -> dict[str, str]:
    now = job.host.scheduler.now()
    newest = job.checkpoints.completed
    return {
        "numRestarts": str(job.restarts),
        "fullRestarts": str(job.restarts),
        "uptime": str(ms(now - job.timestamps["RUNNING"]) if job.tasks_running else 0),
        "downtime": "0",
        "numberOfCompletedCheckpoints": str(job.checkpoints.counts["completed"]),
        "numberOfFailedCheckpoints": str(job.checkpoints.counts["failed"]),
        "numberOfInProgressCheckpoints": str(job.checkpoints.counts["in_progress"]),
        "lastCheckpointSize": str(newest.snapshot.counter if newest and newest.snapshot else -1),
    }
