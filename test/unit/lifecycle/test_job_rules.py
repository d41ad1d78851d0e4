"""Rules J1 to J5 (api.md 4.2)."""

import pytest

from flinkop.api.common import JobSpec, UpgradeMode
from flinkop.config.flink_conf import FlinkConf
from flinkop.lifecycle import job_rules

SAVEPOINTS = {"execution.checkpointing.savepoint-dir": "s3://s"}
CHECKPOINTS = {"execution.checkpointing.dir": "s3://c"}
BOTH = {**SAVEPOINTS, **CHECKPOINTS}


def found(conf, **job):
    return job_rules.first_problem(JobSpec(**job), FlinkConf(conf))


@pytest.mark.parametrize("mode", list(UpgradeMode))
def test_with_both_directories_everything_is_allowed(mode):
    """Any mode, nonces, intervals."""
    conf = {**BOTH, "kubernetes.operator.periodic.savepoint.interval": "1 h"}
    assert found(conf, upgrade_mode=mode, savepoint_trigger_nonce=1) is None


def test_stateless_jobs_need_no_directory():
    """J1 is for modes that carry state."""
    assert found({}) is None


@pytest.mark.parametrize("mode", [UpgradeMode.SAVEPOINT, UpgradeMode.LAST_STATE])
@pytest.mark.parametrize("blank", [None, "", "  "])
def test_state_needs_a_place_for_checkpoints(mode, blank):
    """J1: absent and blank alike; the message names the new key."""
    conf = {**SAVEPOINTS, **({} if blank is None else {"state.checkpoints.dir": blank})}
    problem = found(conf, upgrade_mode=mode)
    assert problem is not None
    assert problem.reason == "CheckpointDirectoryMissing"
    assert problem.field_path == "spec.flinkConfiguration[execution.checkpointing.dir]"
    assert str(mode) in problem.message


@pytest.mark.parametrize("key", ["execution.checkpointing.dir", "state.checkpoints.dir"])
def test_either_key_of_the_checkpoint_directory_counts(key):
    """J1: older names stay valid."""
    assert found({key: "s3://c"}, upgrade_mode=UpgradeMode.LAST_STATE) is None


@pytest.mark.parametrize(
    "key",
    [
        "execution.checkpointing.savepoint-dir",
        "state.savepoints.dir",
        "savepoints.state.backend.fs.dir",
    ],
)
def test_any_key_of_the_savepoint_directory_counts(key):
    """J2 to J5 do not apply then."""
    conf = {**CHECKPOINTS, key: "s3://s"}
    assert found(conf, upgrade_mode=UpgradeMode.SAVEPOINT, savepoint_trigger_nonce=1) is None


@pytest.mark.parametrize(
    ("conf", "job", "word"),
    [
        ({}, {"upgrade_mode": UpgradeMode.SAVEPOINT}, "upgradeMode is savepoint"),
        ({}, {"savepoint_trigger_nonce": 0}, "savepointTriggerNonce"),
        ({"kubernetes.operator.periodic.savepoint.interval": ""}, {}, "periodic.savepoint"),
        (
            {"kubernetes.operator.job.upgrade.last-state.max.allowed.checkpoint.age": "1 h"},
            {},
            "max.allowed.checkpoint.age",
        ),
    ],
)
def test_savepoints_need_a_place(conf, job, word):
    """J2 to J5, each alone."""
    problem = found({**CHECKPOINTS, **conf}, **job)
    assert problem is not None
    assert problem.reason == "SavepointDirectoryMissing"
    assert word in problem.message
    assert "execution.checkpointing.savepoint-dir is not set" in problem.message


def test_the_order_of_the_rules():
    """J1 before J2 before J3."""
    job = {"upgrade_mode": UpgradeMode.SAVEPOINT, "savepoint_trigger_nonce": 1}
    assert found({}, **job).reason == "CheckpointDirectoryMissing"
    assert "upgradeMode" in found(CHECKPOINTS, **job).message
