"""Rules that kinds with a job share: J1 to J5, what a job's state needs of the Flink configuration (api.md 4.2); pure.

Those that need the spec alone are in `api.validation`.
"""

from typing import Final

from flinkop.api.common import JobSpec, UpgradeMode
from flinkop.api.validation import Problem
from flinkop.config import flink_options, options
from flinkop.config.flink_conf import FlinkConf
from flinkop.config.option import Option

_LARGEST_SPEC: Final = 400_000


def first_problem(job: JobSpec, conf: FlinkConf) -> Problem | None:
    """Return the first of J1 to J5 that `job` breaks with the effective configuration `conf`."""
    return _checkpoint_directory_is_missing(job, conf) or _savepoint_directory_is_missing(job, conf)


def spec_is_too_large(size: int, remedy: str) -> Problem | None:
    """Return the problem of a spec whose recorded copies, two of them, do not fit into the status.

    Args:
        size: bytes of the spec as JSON.
        remedy: what makes it smaller, in words.
    """
    if size <= _LARGEST_SPEC:
        return None
    return Problem(
        "spec",
        "SpecTooLarge",
        f"the spec has {size} bytes, and its recorded copies would not fit into the status: "
        f"keep it below {_LARGEST_SPEC} bytes, for example by {remedy}",
    )


def _checkpoint_directory_is_missing(job: JobSpec, conf: FlinkConf) -> Problem | None:
    """J1: state can only be carried over when checkpoints have a place."""
    if job.upgrade_mode is UpgradeMode.STATELESS or not _is_blank(
        conf, flink_options.CHECKPOINT_DIR
    ):
        return None
    return _missing(
        flink_options.CHECKPOINT_DIR,
        "CheckpointDirectoryMissing",
        f"spec.job.upgradeMode is {job.upgrade_mode}",
    )


def _savepoint_directory_is_missing(job: JobSpec, conf: FlinkConf) -> Problem | None:
    """J2 to J5, in this order, and only while no savepoint directory is set."""
    if not _is_blank(conf, flink_options.SAVEPOINT_DIR):
        return None
    causes = (
        (job.upgrade_mode is UpgradeMode.SAVEPOINT, "spec.job.upgradeMode is savepoint"),
        (
            job.savepoint_trigger_nonce is not None,
            "spec.job.savepointTriggerNonce asks for savepoints",
        ),
        (
            options.PERIODIC_SAVEPOINT_INTERVAL.key in conf,
            f"{options.PERIODIC_SAVEPOINT_INTERVAL.key} asks for periodic savepoints",
        ),
        (
            conf.has(options.LAST_STATE_MAX_CHECKPOINT_AGE),
            f"{options.LAST_STATE_MAX_CHECKPOINT_AGE.key} may lead to an upgrade by savepoint",
        ),
    )
    for applies, cause in causes:
        if applies:
            return _missing(flink_options.SAVEPOINT_DIR, "SavepointDirectoryMissing", cause)
    return None


def _missing(option: Option[str | None], reason: str, cause: str) -> Problem:
    return Problem(
        f"spec.flinkConfiguration[{option.key}]",
        reason,
        f"{cause}, but {option.key} is not set: set it to a directory that outlives the pods",
    )


def _is_blank(conf: FlinkConf, option: Option[str | None]) -> bool:
    return not (conf.get(option) or "").strip()
