"""What another operator left is gone on with: a fixture for each form and phase (`test/golden/adoption`)."""

import json
from pathlib import Path

import pytest
import yaml
from fakes import adopted, referenceform
from fakes.adopted import World

from flinkop.api import codec, recorded_spec
from flinkop.api.recorded_spec import Form
from flinkop.lifecycle import record

NAMES = adopted.names()
STEADY = [name for name in NAMES if "adds" in adopted.load(name).expect]
SESSION_JOBS = adopted.FIXTURES / "sessionjobs"


@pytest.mark.parametrize("name", NAMES)
def test_it_ends_as_it_should(name):
    """No job is started twice, none without its state, and nothing is done that need not be."""
    fixture = adopted.load(name)
    world = World(fixture).settle()
    expect = fixture.expect
    for one, wanted in zip(world.starts, expect["starts"], strict=True):
        assert one.source == wanted["from"]
        assert wanted.get("args", list(one.args)) == list(one.args)
        job_id = str(one.job_id)
        fresh = wanted.get("id") == "new"
        assert job_id.startswith("new-") if fresh else job_id == wanted.get("id", job_id)
    assert world.deletes == expect["deletes"]
    assert world.status.lifecycle_state == expect["lifecycle"]
    job = world.status.job_status
    if "jobId" in expect:
        assert job.job_id == expect["jobId"]
    if "path" in expect:
        assert job.upgrade_savepoint_path == expect["path"]
    if "savepoint" in expect:
        assert job.savepoint_info
        assert job.savepoint_info.last_savepoint
        assert job.savepoint_info.last_savepoint.location == expect["savepoint"]


@pytest.mark.parametrize("name", STEADY)
def test_a_steady_one_gets_no_more_than_conditions(name):
    """And what its release did not know yet; then nothing is written any more."""
    fixture = adopted.load(name)
    world = World(fixture).settle()
    assert sorted(world.written()) == fixture.expect["adds"]
    kinds = [one.type for one in world.status.conditions]
    assert kinds == ["Running", "Ready", "Reconciling", "Stalled"]
    before = world.status.reconciliation_status
    assert before == fixture.status.reconciliation_status
    writes = len(world.left)
    world.settle()
    assert len(world.left) == writes


@pytest.mark.parametrize("name", STEADY)
def test_the_reference_keeps_its_own_conditions(name):
    """`Running` stays as it is, to the time."""
    old = adopted.load(name).status.conditions
    new = World(adopted.load(name)).settle().status.conditions
    assert new[: len(old)] == old


@pytest.mark.parametrize("name", [name for name in NAMES if name != "1.16-unknown-fields"])
def test_what_we_leave_has_the_form_of_the_reference(name):
    """All that is written on the way: known members, their types, and recorded specs in their order."""
    world = World(adopted.load(name)).settle()
    theirs = adopted.load(name).document["status"].get("reconciliationStatus", {}).values()
    for left in world.left:
        status = json.loads(json.dumps(left.status))
        recon = status["reconciliationStatus"]
        for key, text in list(recon.items()):
            if text in theirs:  # not ours: it is kept to the letter
                del recon[key]
        assert referenceform.problems(status) == []


@pytest.mark.parametrize("name", NAMES)
def test_each_form_is_told_apart(name):
    """1.0, 1.1 to 1.9, and later."""
    fixture = adopted.load(name)
    form = {"1.0": Form.BARE, "1.16": Form.SINCE_1_10}.get(
        fixture.document["release"], Form.WITH_METADATA
    )
    recorded = record.last_reconciled(fixture.status)
    assert recorded
    assert recorded.form is form


@pytest.mark.parametrize("name", adopted.names("real-*"))
def test_cluster_info_comes_to_the_same_texts(name):
    """total-cpu and total-memory are written as the reference writes them, so that they stay as they are."""
    fixture = adopted.load(name)
    info, options = fixture.status.cluster_info, adopted.options_of(fixture)
    up = 0 if name == "real-suspended" else 1
    assert options.total_cpu(up) == info["total-cpu"]
    assert options.total_memory(up) == info["total-memory"]


@pytest.mark.parametrize("path", sorted(SESSION_JOBS.glob("*.yaml")), ids=lambda path: path.stem)
def test_session_jobs_are_read(path: Path):
    """Their job ids are made in three ways, and nobody takes them apart (behaviour.md 2.2)."""
    document = yaml.safe_load(path.read_text())
    status = codec.decode_flinksessionjob_status(document["status"])
    assert status.job_status.job_id == document["status"]["jobStatus"]["jobId"]
    text = status.reconciliation_status.last_reconciled_spec
    assert text
    recorded = recorded_spec.decode_sessionjob(text)
    assert recorded.spec.deployment_name == "session"
    assert recorded.spec.job == codec.decode_flinksessionjob_spec(document["spec"]).job
    assert (
        recorded.form
        is (Form.BARE, Form.WITH_METADATA, Form.SINCE_1_10)[["1.0", "1.5", "1.16"].index(path.stem)]
    )
