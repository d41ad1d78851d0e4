"""What is wrong with a snapshot's spec, in the order of the rules (api.md 4.4)."""

import pytest
from attrs import evolve
from fakes.snapshots import BEGUN, PENDING, TAKEN, checkpoint, savepoint

from flinkop.api.flinkstatesnapshot import (
    CheckpointSpec,
    FlinkStateSnapshotSpec,
    JobKind,
    JobReference,
)
from flinkop.controllers.flinkstatesnapshot.validator import Candidate, first_problem


def problem(spec, status=PENDING, *, found=True):
    return first_problem(Candidate("ns", spec, status, found))


@pytest.mark.parametrize("spec", [savepoint(), checkpoint()])
def test_one_wish_and_a_job(spec):
    """All is well."""
    assert problem(spec) is None


@pytest.mark.parametrize(
    ("spec", "word"),
    [
        (FlinkStateSnapshotSpec(), "neither"),
        (evolve(savepoint(), checkpoint=CheckpointSpec()), "both"),
        (evolve(savepoint(already_exists=True), checkpoint=CheckpointSpec()), "both"),
    ],
)
def test_exactly_one_of_the_two(spec, word):
    """N1, before anything else."""
    found = problem(spec, found=False)
    assert (found.field_path, found.reason) == ("spec", "SnapshotTypeUnclear")
    assert word in found.message


def test_a_savepoint_that_exists_needs_nothing_else():
    """N2: no job, no path, nothing."""
    assert problem(savepoint(job=None, already_exists=True), found=False) is None


def test_anything_else_needs_a_job():
    """N3."""
    found = problem(savepoint(job=None))
    assert (found.field_path, found.reason) == ("spec.jobReference", "JobReferenceMissing")


@pytest.mark.parametrize(
    "job",
    [JobReference(), JobReference(name="a"), JobReference(kind=JobKind.FLINK_DEPLOYMENT, name="")],
)
def test_half_a_reference_finds_nothing(job):
    """N4: it resolves to nothing."""
    found = problem(savepoint(job=job), found=False)
    assert found.reason == "JobReferenceIncomplete"


def test_the_job_has_to_be_there():
    """N4, before it is triggered; afterwards the plan decides."""
    found = problem(savepoint(), found=False)
    assert found.reason == "TargetNotFound"
    assert "FlinkDeployment ns/basic was not found" in found.message
    for status in (BEGUN, TAKEN):
        assert problem(savepoint(), status, found=False) is None
