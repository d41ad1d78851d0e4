"""What this version cannot do yet, refused in words instead of done halfway; pure.

A job whose state has to be carried over is never started empty by mistake: as long as restoring is
not there, a spec that asks for it is refused and the last good spec stays in force. The list shrinks
with each release; `docs/compatibility.md` shows it to users.
"""

from collections.abc import Iterator

from flinkop.api.common import JobSpec
from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.validation import Problem
from flinkop.config import options
from flinkop.config.flink_conf import FlinkConf
from flinkop.lifecycle import autoscaler_rules

REASON = "NotYetSupported"


def first_problem(
    spec: FlinkDeploymentSpec, recorded: JobSpec | None, conf: FlinkConf
) -> Problem | None:
    """Return the first thing in `spec` that this version cannot do.

    Args:
        spec: the user's spec.
        recorded: job of the last reconciled spec, None before the first deployment.
        conf: effective configuration of `spec`.
    """
    return next(_problems(spec, recorded, conf), None)


def without_effect(conf: FlinkConf) -> Iterator[str]:
    """Yield what `conf` asks for that is accepted and does nothing yet, in words for an Event."""
    if autoscaler_rules.is_enabled(conf):
        yield "job.autoscaler.enabled is set, and flinkop cannot scale jobs yet: the job keeps its parallelism"


def _problems(
    spec: FlinkDeploymentSpec, recorded: JobSpec | None, conf: FlinkConf
) -> Iterator[Problem]:
    if spec.job is not None:
        yield from _job_problems(spec.job, recorded)
        yield from _option_problems(conf)


def _job_problems(job: JobSpec, recorded: JobSpec | None) -> Iterator[Problem]:
    if recorded is None:
        return
    nonces = (
        ("savepointTriggerNonce", job.savepoint_trigger_nonce, recorded.savepoint_trigger_nonce),
        ("checkpointTriggerNonce", job.checkpoint_trigger_nonce, recorded.checkpoint_trigger_nonce),
    )
    for name, wanted, handled in nonces:
        if wanted is not None and wanted != handled:
            yield Problem(
                f"spec.job.{name}",
                REASON,
                f"spec.job.{name} has a new value, and flinkop cannot take or use savepoints and checkpoints yet: "
                "set it back",
            )


def _option_problems(conf: FlinkConf) -> Iterator[Problem]:
    for interval in (options.PERIODIC_SAVEPOINT_INTERVAL, options.PERIODIC_CHECKPOINT_INTERVAL):
        if conf.get(interval).strip() not in ("", "0"):
            yield _option_problem(interval.key, "take periodic savepoints and checkpoints")


def _option_problem(key: str, what: str) -> Problem:
    return Problem(
        f"spec.flinkConfiguration[{key}]",
        REASON,
        f"{key} is set, and flinkop cannot {what} yet: remove the option",
    )
