"""Answers: real JobManagers' JSON is decoded, and what is read of it is right."""

from pathlib import Path

import msgspec
import pytest

from flinkop.flink import checkpoints, models
from flinkop.flink.states import JobState

GOLDEN = Path(__file__).parents[2] / "golden" / "flink-rest"
KINDS = {
    "config": models.Config,
    "jobs": models.JobIds,
    "jobs-overview": models.JobsOverview,
    "job": models.Job,
    "job-exceptions": models.Exceptions,
    "job-checkpoints": checkpoints.CheckpointStats,
    "job-checkpoints-config": checkpoints.CheckpointConfig,
    "overview": models.Overview,
    "taskmanagers": models.TaskManagers,
}
FILES = sorted(path for path in GOLDEN.glob("*/*.json") if path.stem in KINDS)


def read(case, name):
    return msgspec.json.decode((GOLDEN / case / f"{name}.json").read_bytes(), type=KINDS[name])


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_real_answers_are_decoded(path):
    """Every recorded answer of Flink 1.20 and 2.2 fits its type."""
    msgspec.json.decode(path.read_bytes(), type=KINDS[path.stem])


def test_there_are_recorded_answers():
    """The test above has something to test."""
    assert len(FILES) >= 6 * len(KINDS)


@pytest.mark.parametrize(
    ("case", "version"), [("1.20-application", "1.20.5"), ("2.2-session", "2.2.1")]
)
def test_version(case, version):
    """The version comes from `/config` and `/overview` alike."""
    assert read(case, "config").flink_version == version
    assert read(case, "overview").flink_version == version


def test_overview_of_jobs():
    """A running job has its id, state, start and tasks."""
    (job,) = read("1.20-application", "jobs-overview").jobs
    assert job.jid == "768738f297cf7ad278658058b1c5ba5e"
    assert job.state is JobState.RUNNING
    assert job.start_time == 1795352545908
    assert (job.tasks.running, job.tasks.total) == (4, 4)


def test_restored_savepoint():
    """After an upgrade with a savepoint the statistics say what was restored."""
    restored = read("1.20-restored-savepoint", "job-checkpoints").latest.restored
    assert (restored.id, restored.is_savepoint) == (15, True)
    assert restored.external_path.startswith("file:/flink-data/savepoints/")


def test_job_vertices_and_plan():
    """Vertices and the nodes of the plan share their ids."""
    job = read("2.2-session", "job")
    assert {vertex.id for vertex in job.vertices} == {node.id for node in job.plan.nodes}


def test_unknown_states_are_in_transition():
    """A state word of a later Flink reads as RECONCILING instead of hiding all jobs."""
    body = b'{"jobs":[{"jid":"1","state":"DREAMING"},{"jid":"2","state":"RUNNING"}]}'
    first, second = msgspec.json.decode(body, type=models.JobsOverview).jobs
    assert first.state is JobState.RECONCILING
    assert second.state is JobState.RUNNING


def test_terminal_states():
    """Only FINISHED, FAILED and CANCELED are terminal; SUSPENDED is not."""
    assert {state for state in JobState if state.is_terminal} == {"FINISHED", "FAILED", "CANCELED"}


@pytest.mark.parametrize("key", ["endpoint", "location"])
def test_where_an_exception_happened(key):
    """Flink up to 1.17 says `location`, later ones `endpoint`."""
    body = msgspec.json.encode(
        {"exceptionHistory": {"entries": [{"exceptionName": "E", key: "host:1"}]}}
    )
    (entry,) = msgspec.json.decode(body, type=models.Exceptions).history.entries
    assert entry.where == "host:1"


def test_jar_id():
    """The id is what follows the last slash."""
    assert models.JarUpload(filename="/uploads/abc_job.jar").jar_id == "abc_job.jar"
