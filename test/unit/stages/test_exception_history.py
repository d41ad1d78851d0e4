"""What is read to tell of a job's exceptions, from whom, and when nothing is."""

import datetime as dt
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from attrs import evolve
from fakes.deployments import NOW, NOW_MS, OLD_ID, job
from fakes.scripted_transport import ScriptedTransport, ok, refused
from structlog.testing import capture_logs

from flinkop.events.draft import InvolvedObject
from flinkop.flink.rest import FlinkClient
from flinkop.flink.states import JobState as FlinkState
from flinkop.kube import errors
from flinkop.lifecycle.exception_looks import Known, Look
from flinkop.lifecycle.job_exceptions import JobException, Memory
from flinkop.stages.exception_history import ExceptionHistory

ABOUT = InvolvedObject("flink.apache.org/v1beta1", "FlinkDeployment", "ns", "basic", "uid-1")
RUNNING = msgspec.structs.replace(job(), last_modification=70, duration=60_000)
ENTRY: dict[str, Any] = {
    "exceptionName": "java.lang.IllegalStateException",
    "stacktrace": "java.lang.IllegalStateException: boom\n\tat A.b(A.java:1)\n",
    "timestamp": NOW_MS,
    "taskName": "Map (1/2)",
    "endpoint": "10.0.0.1:6122",
    "taskManagerId": "tm-1",
    "failureLabels": {"type": "user"},
}
KNOWN = Known(Look(OLD_ID, 70, NOW, settled=True), Memory(OLD_ID, None))


class Desk:
    """A history reader with a JobManager and an API server that say what the test wants."""

    def __init__(self, *entries, events=(), error=None):
        answer = ok({"exceptionHistory": {"entries": list(entries), "truncated": False}})
        self.flink = ScriptedTransport([error or answer])
        self.events: Any = events
        self.listed: list[Any] = []
        kube: Any = self
        self.reader = ExceptionHistory(kube)

    async def list_all(self, rt, namespace, *, field_selector):
        self.listed.append((rt.plural, namespace, field_selector))
        if isinstance(self.events, Exception):
            raise self.events
        return SimpleNamespace(items=self.events)

    async def read(self, job=RUNNING, known=None, after=0.0):
        now = NOW + dt.timedelta(seconds=after)
        return await self.reader.read(FlinkClient(self.flink), ABOUT, job, known, now)


def event(created="2026-01-01T00:00:00Z", **annotations):
    return {"metadata": {"creationTimestamp": created, "annotations": annotations}}


async def test_what_flink_remembers():
    """Each exception with where it was thrown, and the look that found it."""
    found = await Desk(ENTRY).read()
    assert found.exceptions == (
        JobException(
            time_ms=NOW_MS,
            name="java.lang.IllegalStateException",
            stack_trace=ENTRY["stacktrace"],
            task_name="Map (1/2)",
            endpoint="10.0.0.1:6122",
            task_manager_id="tm-1",
            failure_labels={"type": "user"},
        ),
    )
    assert found.look == Look(OLD_ID, 70, NOW)


async def test_older_flink_says_less():
    """Up to 1.17 the address has another name, and there are no labels."""
    entry = {"timestamp": 5, "stacktrace": "x", "location": "10.0.0.2:1", "taskName": None}
    [found] = (await Desk(entry).read()).exceptions
    assert (found.endpoint, found.failure_labels, found.task_name) == ("10.0.0.2:1", {}, None)


async def test_a_job_that_has_not_changed_costs_nothing():
    """Neither Flink nor the API server is asked."""
    desk = Desk(ENTRY)
    assert await desk.read(known=KNOWN, after=60) is None
    assert desk.flink.asked == []
    changed = msgspec.structs.replace(RUNNING, last_modification=71)
    assert (await desk.read(changed, known=KNOWN, after=60)).look.modified_ms == 71


async def test_a_job_that_has_only_begun_is_left_alone():
    """Its tasks change all the time then; one that starts for longer may be in trouble."""
    young = msgspec.structs.replace(job(running=0), last_modification=70, duration=4999)
    desk = Desk(ENTRY)
    assert await desk.read(young) is None
    assert desk.flink.asked == []
    assert await desk.read(msgspec.structs.replace(young, duration=5000)) is not None
    failed = msgspec.structs.replace(young, state=FlinkState.FAILED)
    assert await desk.read(failed) is not None


async def test_events_of_an_earlier_process_tell_what_was_told():
    """They are listed at the first look alone, and only when they may still be there."""
    desk = Desk(ENTRY, events=[event(**{"exception-timestamp": "2025-12-31T23:59:00Z"})])
    found = await desk.read()
    assert found.told_ms == NOW_MS - 60_000
    selector = "involvedObject.uid=uid-1,reason=JobException"
    assert desk.listed == [("events", "ns", selector)]
    await desk.read(known=evolve(KNOWN, look=Look(OLD_ID, 1, NOW)))
    await Desk(evolve_entry(NOW_MS - 3_600_000)).read()
    assert len(desk.listed) == 1


def evolve_entry(timestamp):
    return {**ENTRY, "timestamp": timestamp}


async def test_an_event_without_annotation_tells_by_its_age():
    """Somebody may have taken it off; an Event that does not even say when it was made counts as new."""
    assert (await Desk(ENTRY, events=[event("2025-12-31T23:59:59Z")]).read()).told_ms == (
        NOW_MS - 1000
    )
    bare = {"metadata": {}}
    assert (await Desk(ENTRY, events=[bare]).read()).told_ms == NOW_MS


@pytest.mark.parametrize(
    "trouble",
    [
        {"error": refused(500, "boom")},
        {"events": errors.Forbidden("no", status=403)},
        {"events": errors.Unreachable("gone")},
    ],
    ids=["Flink", "forbidden", "unreachable"],
)
async def test_errors_are_only_logged(trouble):
    """Nothing is known then, so the next look asks again."""
    with capture_logs() as logs:
        assert await Desk(ENTRY, **trouble).read() is None
    assert [entry["log_level"] for entry in logs] == ["info"]
