"""When the benchmark counts a resource as having got there."""

import msgspec
from bench.timeline import Event, Timeline


def unconnected():
    """A timeline that is fed by hand."""
    return Timeline(None)  # type: ignore[arg-type]


def heard(timeline, *events):
    """Feed events as the two watches would, in this order."""
    for custom, event in events:
        decoded = msgspec.convert(event, Event)
        timeline.hear(decoded, custom=custom)


def resource(lifecycle, generation=1, what="MODIFIED"):
    """An event of a FlinkDeployment that has observed its generation."""
    status = {"lifecycleState": lifecycle, "observedGeneration": generation}
    meta = {"name": "a", "generation": generation}
    return True, {"type": what, "object": {"metadata": meta, "status": status}}


def deployment(uid, what="ADDED"):
    """An event of its JobManager Deployment."""
    return False, {"type": what, "object": {"metadata": {"name": "a", "uid": uid}}}


def test_stable_counts_when_both_watches_told_it():
    """The two watches may be out of step: the later one completes the wave."""
    timeline = unconnected()
    wave = timeline.begin("stable", ["a"])
    wave.asked["a"] = 0.0
    heard(timeline, resource("STABLE"))
    assert not wave.complete.is_set()
    heard(timeline, deployment("1"))
    assert wave.complete.is_set()
    assert wave.missing() == []


def test_a_restart_needs_another_deployment_and_the_next_generation():
    """What was STABLE before the restart does not count for it."""
    timeline = unconnected()
    heard(timeline, resource("STABLE"), deployment("1"))
    wave = timeline.begin("stable", ["a"])
    heard(timeline, resource("STABLE", generation=1))
    assert wave.missing() == ["a"]
    heard(timeline, deployment("1", "DELETED"), deployment("2"))
    assert "a" in wave.stopped
    assert wave.missing() == ["a"]
    heard(timeline, resource("STABLE", generation=2))
    assert wave.missing() == []


def test_a_deleted_resource_is_gone():
    """Deletion is complete when the resource's own DELETED event came."""
    timeline = unconnected()
    heard(timeline, resource("STABLE"), deployment("1"))
    wave = timeline.begin("gone", ["a"])
    heard(timeline, deployment("1", "DELETED"))
    assert not wave.complete.is_set()
    heard(timeline, resource("STABLE", what="DELETED"))
    assert wave.complete.is_set()
