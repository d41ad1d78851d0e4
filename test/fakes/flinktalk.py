"""Conversations with Flink's REST API: the same calls for a real JobManager, to record, and for flinksim, to compare.

A conversation is a generator: it yields a `Call` and is sent what was answered. Whoever leads it makes
the call, keeps the answer under the call's name (the last one where a call is repeated), and waits a
little before a call that is `again`.
"""

from collections.abc import Callable, Generator
from typing import Any

from attrs import frozen

UNKNOWN = "f" * 32
"""An id that nothing has."""


@frozen
class Call:
    """One request.

    Attributes:
        name: what its answer is kept as.
        jar: whether it uploads one, in place of a JSON body.
        again: whether it is made after another that said to wait.
    """

    name: str
    method: str
    path: str
    body: Any = None
    jar: bool = False
    again: bool = False


@frozen
class Answer:
    """A status code and a decoded body."""

    status: int
    body: Any


Talk = Generator[Call, Answer, None]
Work = Generator[Call, Answer, Answer]


def running(job: str) -> Talk:
    """About a job that runs and has completed a checkpoint."""
    yield from _looks(job)
    details = yield Call("job", "GET", f"/jobs/{job}")
    vertex = details.body["vertices"][0]["id"]
    yield Call("vertex-metrics", "GET", f"/jobs/{job}/vertices/{vertex}/subtasks/metrics")
    yield Call("job-result", "GET", f"/jobs/{job}/execution-result")
    taken = yield from _operation(
        job, "savepoint", {"target-directory": "file:///data/savepoints", "formatType": "CANONICAL"}
    )
    yield from _operation(job, "checkpoint", {"checkpointType": "FULL"})
    # Flink answers from a cache of three seconds.
    yield from _until(
        "after-savepoint",
        f"/jobs/{job}/checkpoints",
        lambda found: found.body["latest"]["savepoint"] is not None,
    )
    yield from _disposal(taken.body["operation"]["location"])
    yield from refusals(job)


def refusals(job: str) -> Talk:
    """What is not there, or not understood."""
    yield Call("no-job", "GET", f"/jobs/{UNKNOWN}")
    yield Call("no-job-checkpoints", "GET", f"/jobs/{UNKNOWN}/checkpoints")
    yield from _operation(UNKNOWN, "savepoint", {}, "no-job-savepoint")
    yield Call("no-job-stop", "POST", f"/jobs/{UNKNOWN}/stop", {})
    yield Call("no-job-cancel", "PATCH", f"/jobs/{UNKNOWN}?mode=cancel")
    yield Call("no-savepoint", "GET", f"/jobs/{job}/savepoints/{UNKNOWN}")
    yield Call("no-checkpoint", "GET", f"/jobs/{job}/checkpoints/{UNKNOWN}")
    yield Call("no-disposal", "GET", f"/savepoint-disposal/{UNKNOWN}")
    yield Call("unknown-field", "POST", f"/jobs/{job}/savepoints", {"no-such-field": 1})
    yield Call("bad-id", "GET", "/jobs/short")
    yield Call("no-such-path", "GET", "/no-such-path")


def restored(job: str) -> Talk:
    """About a job that went on from a savepoint, until it is stopped."""
    yield Call("job-checkpoints", "GET", f"/jobs/{job}/checkpoints")
    yield Call("job", "GET", f"/jobs/{job}")
    asked = yield Call("stop-asked", "POST", f"/jobs/{job}/stop", {"drain": False})
    yield from _polled("stop", f"/jobs/{job}/savepoints/{asked.body['request-id']}")
    yield from _until(
        "job-stopped", f"/jobs/{job}", lambda found: found.body["state"] == "FINISHED"
    )
    yield Call("result-stopped", "GET", f"/jobs/{job}/execution-result")
    yield Call("cancel-stopped", "PATCH", f"/jobs/{job}?mode=cancel")


def failed(job: str) -> Talk:
    """About a job whose task has thrown, and that is not started again."""
    yield from _until("job", f"/jobs/{job}", lambda found: found.body["state"] == "FAILED")
    yield Call("job-exceptions", "GET", f"/jobs/{job}/exceptions")
    yield Call("job-checkpoints", "GET", f"/jobs/{job}/checkpoints")
    yield Call("job-result", "GET", f"/jobs/{job}/execution-result")
    yield Call("jobs-overview", "GET", "/jobs/overview")


def session(entry: str) -> Talk:
    """Jars of a session cluster, and a job of one; `entry` is its main class."""
    yield Call("overview-empty", "GET", "/overview")
    yield Call("jars-empty", "GET", "/jars")
    uploaded = yield Call("jar-uploaded", "POST", "/jars/upload", jar=True)
    jar = uploaded.body["filename"].rsplit("/", 1)[-1]
    yield Call("jars", "GET", "/jars")
    how = {"entryClass": entry, "programArgsList": ["--name", "recorded"], "parallelism": 1}
    started = yield Call("jar-run", "POST", f"/jars/{jar}/run", how)
    job = started.body["jobid"]
    yield from _until("job", f"/jobs/{job}", lambda found: found.body["state"] == "RUNNING")
    ran = yield Call("jar-field", "POST", f"/jars/{jar}/run", {**how, "no-such-field": 1})
    yield Call("jar-field-cancelled", "PATCH", f"/jobs/{ran.body['jobid']}?mode=cancel")
    yield Call("no-jar-run", "POST", "/jars/nothing.jar/run", {})
    yield Call("no-jar-deleted", "DELETE", "/jars/nothing.jar")
    yield Call("jar-deleted", "DELETE", f"/jars/{jar}")
    yield Call("cancel-asked", "PATCH", f"/jobs/{job}?mode=cancel")
    yield from _until(
        "job-cancelled", f"/jobs/{job}", lambda found: found.body["state"] == "CANCELED"
    )
    yield Call("overview", "GET", "/overview")
    yield Call("jobs-overview", "GET", "/jobs/overview")


def _looks(job: str) -> Talk:
    yield Call("config", "GET", "/config")
    yield Call("overview", "GET", "/overview")
    yield Call("taskmanagers", "GET", "/taskmanagers")
    yield Call("jobmanager-config", "GET", "/jobmanager/config")
    yield Call("jobmanager-metrics", "GET", "/jobmanager/metrics?get=numRunningJobs")
    yield Call("jobs", "GET", "/jobs")
    yield Call("jobs-overview", "GET", "/jobs/overview")
    yield Call("job-config", "GET", f"/jobs/{job}/config")
    yield Call("job-plan", "GET", f"/jobs/{job}/plan")
    yield Call("job-exceptions", "GET", f"/jobs/{job}/exceptions")
    yield Call("job-metrics", "GET", f"/jobs/{job}/metrics?get=numRestarts")
    yield Call("job-checkpoints", "GET", f"/jobs/{job}/checkpoints")
    yield Call("job-checkpoints-config", "GET", f"/jobs/{job}/checkpoints/config")


def _operation(job: str, kind: str, body: Any, name: str = "") -> Work:
    name = name or kind
    asked = yield Call(f"{name}-asked", "POST", f"/jobs/{job}/{kind}s", body)
    return (yield from _polled(name, f"/jobs/{job}/{kind}s/{asked.body['request-id']}"))


def _disposal(path: str) -> Talk:
    asked = yield Call("disposal-asked", "POST", "/savepoint-disposal", {"savepoint-path": path})
    yield from _polled("disposal", f"/savepoint-disposal/{asked.body['request-id']}")


def _polled(name: str, path: str) -> Work:
    return (yield from _until(name, path, lambda found: found.body["status"]["id"] == "COMPLETED"))


def _until(name: str, path: str, reached: Callable[[Answer], bool]) -> Work:
    answer = yield Call(name, "GET", path)
    while answer.status == 200 and not reached(answer):
        answer = yield Call(name, "GET", path, again=True)
    return answer
