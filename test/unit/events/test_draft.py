"""What Events are called: names recorded from a real cluster under the reference (behaviour.md E-2)."""

import pytest
from attrs import evolve

from flinkop.events.draft import (
    EventDraft,
    EventType,
    InvolvedObject,
    normal as normal_draft,
    warning as warning_draft,
)

DEPLOYMENT = "JobManagerDeployment"
HA = InvolvedObject(
    "flink.apache.org/v1beta1",
    "FlinkDeployment",
    "flink",
    "real-ha",
    "f759e045-fa86-4d89-bb04-440b7c60baea",
)
OLDER = InvolvedObject(
    HA.api_version, HA.kind, HA.namespace, HA.name, "42c83f3f-e963-4bfb-a54c-cf46d667777b"
)
SESSION = InvolvedObject(
    HA.api_version, HA.kind, HA.namespace, "real-ses", "11eb2302-ed42-4b04-a4c8-3a3e80536101"
)
SESSION_JOB = InvolvedObject(
    HA.api_version,
    "FlinkSessionJob",
    HA.namespace,
    "real-job",
    "491bd820-a934-4d96-901f-9eae873dd8e0",
)
CHANGE = "UPGRADE change(s) detected (Diff: FlinkDeploymentSpec[...]), starting reconciliation."
MOUNT = 'MountVolume.SetUp failed for volume "pod-template-volume" : configmap "pod-template-real-ha" not found'


@pytest.mark.parametrize(
    ("about", "draft", "name"),
    [
        (
            HA,
            normal_draft("JobStatusChanged", "Job", "Job status changed from CREATED to RUNNING"),
            "Job.1119057256",
        ),
        (
            HA,
            normal_draft(
                "JobStatusChanged", "Job", "Job status changed from RECONCILING to CREATED"
            ),
            "Job.929465102",
        ),
        (
            HA,
            normal_draft("Submit", DEPLOYMENT, "Starting deployment"),
            "JobManagerDeployment.1590133599",
        ),
        (
            HA,
            normal_draft("SpecChanged", DEPLOYMENT, CHANGE, key="SpecChange: 2"),
            "JobManagerDeployment.716647642",
        ),
        (
            HA,
            normal_draft("SpecChanged", DEPLOYMENT, CHANGE, key="SpecChange: 3"),
            "JobManagerDeployment.2021041371",
        ),
        (
            OLDER,
            normal_draft("SpecChanged", DEPLOYMENT, CHANGE, key="SpecChange: 2"),
            "JobManagerDeployment.1371169700",
        ),
        (
            HA,
            normal_draft("Suspended", DEPLOYMENT, "Suspending existing deployment."),
            "JobManagerDeployment.923764613",
        ),
        (HA, warning_draft("FailedMount", DEPLOYMENT, MOUNT), "JobManagerDeployment.244194556"),
        (
            SESSION,
            normal_draft("Cleanup", "Operator", "Cleaning up FlinkDeployment"),
            "Operator.731744076",
        ),
        (
            SESSION_JOB,
            normal_draft("Cleanup", "Operator", "Cleaning up FlinkSessionJob"),
            "Operator.2011031352",
        ),
        (SESSION_JOB, normal_draft("Submit", "Job", "Starting deployment"), "Job.1120769392"),
    ],
)
def test_names_are_those_of_the_reference(about, draft, name):
    """Both operators merge into the same Event."""
    assert draft.object_name(about) == name


def test_a_name_is_never_negative():
    """The sign bit is cut off, as the reference does."""
    name = EventDraft(EventType.NORMAL, "polygenelubricants", "X", "").object_name(
        InvolvedObject("", "", "", "", "")
    )
    assert name.startswith("X.")
    assert int(name.partition(".")[2]) >= 0


def test_a_key_stands_for_the_message():
    """Texts that vary have one identity; without a key each text is another Event."""
    one, other = (normal_draft("R", "C", text, key="k") for text in ("a", "b"))
    assert one.object_name(HA) == other.object_name(HA)
    one, other = (normal_draft("R", "C", text) for text in ("a", "b"))
    assert one.object_name(HA) != other.object_name(HA)


def test_drafts_are_told_apart_by_type_and_object():
    """A warning is not the normal event of that text, and another uid is another object."""
    text = ("R", "C", "m")
    assert normal_draft(*text).object_name(HA) != warning_draft(*text).object_name(HA)
    assert normal_draft(*text).object_name(HA) != normal_draft(*text).object_name(OLDER)
    assert normal_draft(*text, once=True).once
    assert not normal_draft(*text).once


def test_annotations_are_no_part_of_the_identity():
    """The same exception at another time is the same Event."""
    draft = warning_draft("JobException", "Job", "boom", key="k")
    later = evolve(draft, annotations={"exception-timestamp": "2026-01-01T00:00:00Z"})
    assert later.object_name(HA) == draft.object_name(HA)
    assert later != draft
    assert {draft, later} == {later, draft}
