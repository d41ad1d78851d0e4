"""The recorder: merged, spaced out, in order, and harmless when it fails."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from attrs import evolve
from fakes.clock import FakeClock
from fakes.events import FakeEvents
from structlog.testing import capture_logs

from flinkop.events import recorder as recorder_module
from flinkop.events.draft import InvolvedObject, normal, warning
from flinkop.events.recorder import Recorder
from flinkop.kube import errors

ABOUT = InvolvedObject("flink.apache.org/v1beta1", "FlinkDeployment", "ns", "basic", "uid-1")
DRAFT = normal("Submit", "JobManagerDeployment", "Starting deployment")
NAME = DRAFT.object_name(ABOUT)


class Desk:
    """A running recorder, its clock, and what it wrote."""

    def __init__(self):
        self.clock = FakeClock()
        self.server = FakeEvents()
        self.recorder = Recorder(self.server, self.clock)

    async def say(self, *drafts, about=ABOUT):
        for draft in drafts:
            self.recorder.emit(about, draft)
        await self.recorder._flush(5)

    @property
    def verbs(self):
        return [verb for verb, _ in self.server.calls]


@asynccontextmanager
async def running():
    desk = Desk()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(desk.recorder.run())
        try:
            yield desk
        finally:
            task.cancel()


async def test_a_new_event_is_created_whole():
    """The fields that kubectl and the reference's users select by (E-1)."""
    async with running() as desk:
        await desk.say(DRAFT)
        assert desk.server.stored == {
            NAME: {
                "apiVersion": "v1",
                "kind": "Event",
                "metadata": {"name": NAME, "namespace": "ns"},
                "involvedObject": {
                    "apiVersion": "flink.apache.org/v1beta1",
                    "kind": "FlinkDeployment",
                    "name": "basic",
                    "namespace": "ns",
                    "uid": "uid-1",
                },
                "type": "Normal",
                "reason": "Submit",
                "message": "Starting deployment",
                "source": {"component": "JobManagerDeployment"},
                "firstTimestamp": "2026-01-01T00:00:00Z",
                "lastTimestamp": "2026-01-01T00:00:00Z",
                "count": 1,
            }
        }


async def test_repetitions_are_counted_and_written_now_and_then():
    """Within 30 s only counted; the next one after that writes count, time and newest text."""
    changed = [warning("R", "C", f"text {i}", key="k") for i in range(4)]
    name = changed[0].object_name(ABOUT)
    async with running() as desk:
        await desk.say(*changed[:3])
        assert desk.verbs == ["create"]
        desk.clock.advance(30)
        await desk.say(changed[3])
        assert desk.verbs == ["create", "patch"]
        event = desk.server.stored[name]
        assert (event["count"], event["message"]) == (4, "text 3")
        assert event["lastTimestamp"] == "2026-01-01T00:00:30Z"
        assert event["firstTimestamp"] == "2026-01-01T00:00:00Z"


async def test_spacing_begins_anew_with_each_write():
    """At most one write per identity and 30 s."""
    async with running() as desk:
        for _ in range(100):
            await desk.say(DRAFT)
            desk.clock.advance(1)
        assert desk.verbs == ["create", "patch", "patch", "patch"]


async def test_wall_time_does_not_matter():
    """A clock step neither holds events back nor releases them."""
    async with running() as desk:
        await desk.say(DRAFT)
        desk.clock.step(3600)
        await desk.say(DRAFT)
        assert desk.verbs == ["create"]


async def test_some_events_are_written_once():
    """E-4: SpecChanged exists once per generation, also when an earlier process wrote it."""
    once = normal("SpecChanged", "C", "m", key="SpecChange: 2", once=True)
    async with running() as desk:
        await desk.say(once, once)
        desk.clock.advance(3600)
        await desk.say(once)
        assert desk.verbs == ["create"]
    async with running() as later:
        later.server.stored = desk.server.stored
        await later.say(once, once)
        assert later.verbs == ["create", "get"]
        assert later.server.stored[once.object_name(ABOUT)]["count"] == 1


async def test_an_event_of_an_earlier_process_is_taken_over():
    """Its count goes on."""
    async with running() as desk:
        desk.server.stored[NAME] = {"metadata": {"name": NAME}, "count": 7}
        await desk.say(DRAFT)
        assert desk.verbs == ["create", "get", "patch"]
        assert desk.server.stored[NAME]["count"] == 8
        await desk.say(DRAFT)
        assert len(desk.verbs) == 3


async def test_an_expired_event_starts_again():
    """The API server forgets Events after an hour."""
    async with running() as desk:
        await desk.say(DRAFT, DRAFT)
        desk.server.stored.clear()
        desk.clock.advance(3600)
        await desk.say(DRAFT)
        assert desk.verbs == ["create", "patch", "create"]
        assert desk.server.stored[NAME]["count"] == 1
        desk.clock.advance(60)
        await desk.say(DRAFT)
        assert desk.server.stored[NAME]["count"] == 2


@pytest.mark.parametrize(
    "error",
    [
        errors.Forbidden("no", status=403),
        errors.Unreachable("gone"),
        errors.FencedError("not leading"),
    ],
)
async def test_a_failed_write_is_counted_and_harms_nobody(error):
    """E-7 without its end: an Event is not worth a reconcile; the next draft is written."""
    async with running() as desk:
        desk.server.failing = [error]
        await desk.say(DRAFT)
        assert desk.recorder.dropped == 1
        await desk.say(DRAFT)
        assert desk.server.stored[NAME]["count"] == 1
        assert desk.recorder.dropped == 1


async def test_a_failed_repetition_waits_for_its_next_turn():
    """The count is kept."""
    async with running() as desk:
        await desk.say(DRAFT)
        desk.clock.advance(30)
        desk.server.failing = [errors.Unreachable("gone")]
        await desk.say(DRAFT, DRAFT)
        assert desk.verbs == ["create", "patch"]
        desk.clock.advance(30)
        await desk.say(DRAFT)
        assert desk.server.stored[NAME]["count"] == 4


async def test_events_of_one_identity_are_written_in_order():
    """The newest text is the last one, however many are under way."""
    async with running() as desk:
        drafts = [warning("R", "C", f"text {i}", key="k") for i in range(20)]
        name = drafts[0].object_name(ABOUT)
        for draft in drafts:
            desk.recorder.emit(ABOUT, draft)
            desk.clock.advance(60)
        await desk.recorder._flush(5)
        assert desk.server.stored[name]["message"] == "text 0"
        assert desk.server.stored[name]["count"] == 1
        desk.clock.advance(60)
        for draft in drafts[1:]:
            desk.recorder.emit(ABOUT, draft)
        await desk.recorder._flush(5)
        assert desk.verbs.count("create") == 1


async def test_a_full_queue_drops_the_newest(monkeypatch):
    """Nothing blocks and memory stays bounded; what was dropped is counted."""
    monkeypatch.setattr(recorder_module, "_WAITING", 8)
    desk = Desk()
    for i in range(100):
        desk.recorder.emit(ABOUT, normal("R", "C", f"text {i}"))
    assert desk.recorder.dropped == 92
    async with asyncio.TaskGroup() as group:
        task = group.create_task(desk.recorder.run())
        await desk.recorder._flush(5)
        task.cancel()
    assert len(desk.server.stored) == 8
    assert f"text {99}" not in {e["message"] for e in desk.server.stored.values()}


async def test_what_was_taken_is_written_before_the_end():
    """`stop` lets `run` end when nothing is left to write."""
    desk = Desk()
    async with asyncio.TaskGroup() as group:
        running_task = group.create_task(desk.recorder.run())
        desk.recorder.emit(ABOUT, DRAFT)
        await desk.recorder.stop(5)
    assert desk.verbs == ["create"]
    assert not running_task.cancelled()


async def test_waiting_for_the_end_has_its_own_end():
    """A stop is not held up by an API server that does not answer."""
    desk = Desk()
    desk.recorder.emit(ABOUT, DRAFT)
    await desk.recorder.stop(1)  # nobody writes
    assert desk.server.calls == []


async def test_memory_of_identities_is_bounded(monkeypatch):
    """The oldest are forgotten; a forgotten one is found again in the API server."""
    monkeypatch.setattr(recorder_module, "_REMEMBERED", 2)
    async with running() as desk:
        drafts = [normal("R", "C", f"text {i}") for i in range(3)]
        for draft in drafts:
            await desk.say(draft)
        desk.server.calls.clear()
        await desk.say(drafts[2])
        assert desk.verbs == []
        await desk.say(drafts[0])
        assert desk.verbs == ["create", "get", "patch"]


def annotated(**annotations):
    """Return a repetition of one Event with these annotations."""
    return evolve(warning("R", "C", "text", key="k"), annotations=annotations)


async def test_annotations_are_replaced():
    """E-6: by those of the repetition, whoever wrote the Event; what says nothing of them leaves them."""
    first, second, bare = annotated(a="1", b="1"), annotated(a="2", c="2"), annotated()
    name = first.object_name(ABOUT)
    async with running() as desk:
        await desk.say(first)
        assert desk.server.stored[name]["metadata"]["annotations"] == {"a": "1", "b": "1"}
        desk.clock.advance(30)
        await desk.say(second)
        assert desk.server.stored[name]["metadata"]["annotations"] == {"a": "2", "c": "2"}
        desk.clock.advance(30)
        await desk.say(bare)
        event = desk.server.stored[name]
        assert (event["count"], event["metadata"]["annotations"]) == (3, {"a": "2", "c": "2"})
    async with running() as later:
        later.server.stored = desk.server.stored
        await later.say(annotated(d="3"))
        assert later.server.stored[name]["metadata"]["annotations"] == {"d": "3"}


async def test_annotations_of_a_failed_write_go_with_the_next():
    """What an Event may have on it is remembered although nobody knows whether it was written."""
    name = annotated().object_name(ABOUT)
    async with running() as desk:
        await desk.say(annotated(a="1"))
        desk.clock.advance(30)
        desk.server.failing = [errors.Unreachable("gone")]
        await desk.say(annotated(b="2"))
        desk.clock.advance(30)
        await desk.say(annotated(c="3"))
        assert desk.server.stored[name]["metadata"]["annotations"] == {"c": "3"}


async def test_long_messages_are_cut():
    """The API server has a limit."""
    async with running() as desk:
        await desk.say(normal("R", "C", "x" * 5000, key="k"))
        (event,) = desk.server.stored.values()
        assert len(event["message"]) == 1024
        assert event["message"].endswith("…")


async def test_each_written_event_is_told_in_the_log():
    """As the reference's audit has it, with the resource it is about (behaviour.md 7.3)."""
    about = evolve(ABOUT, kind="FlinkStateSnapshot")
    async with running() as desk:
        with capture_logs() as logs:
            await desk.say(normal("Submit", "C", "text"))
            await desk.say(warning("Error", "C", "boom"))
            await desk.say(warning("SnapshotAbandoned", "Snapshot", "gone"), about=about)
            await desk.say(normal("Submit", "C", "text"))
    assert [entry["event"] for entry in logs] == [
        ">>> Event[Job]       | Info    | SUBMIT          | text",
        ">>> Event[Job]       | Warning | ERROR           | boom",
        ">>> Event[Snapshot]  | Warning | SNAPSHOTABANDONED | gone",
    ]
    assert {(entry["namespace"], entry["name"]) for entry in logs} == {
        (ABOUT.namespace, ABOUT.name)
    }
