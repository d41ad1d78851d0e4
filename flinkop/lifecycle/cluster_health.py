"""Whether a job restarts too often or makes no checkpoints any more (behaviour.md O-80 to O-85); pure.

What was found is remembered in the status, so that a restarted operator goes on counting:
`clusterInfo` has it as JSON under `KEY`, in the reference's layout. It is dropped on every deployment
and when a restart for bad health is decided (O-85).
"""

import datetime as dt
from typing import Final

import msgspec
from attrs import frozen

from flinkop.config import flink_options, options
from flinkop.config.flink_conf import FlinkConf

KEY: Final = "ClusterHealthInfo"
"""Where `status.clusterInfo` keeps the record."""

_MS: Final = dt.timedelta(milliseconds=1)


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict; `error` says in words what is wrong, several joined by `|`."""

    healthy: bool = True
    error: str | None = None


class HealthRecord(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is remembered; times in milliseconds since 1970.

    Attributes:
        time_stamp: when the job was last looked at.
        num_restarts: its restarts, as counted at `num_restarts_evaluation_time_stamp`.
        num_restarts_evaluation_time_stamp: since when restarts are counted.
        num_completed_checkpoints: its completed checkpoints.
        num_completed_checkpoints_increased_time_stamp: when they last became more.
        health_result: the verdict.
    """

    time_stamp: int
    num_restarts: int
    num_restarts_evaluation_time_stamp: int
    num_completed_checkpoints: int
    num_completed_checkpoints_increased_time_stamp: int
    health_result: Health = Health()

    def encode(self) -> str:
        """Return it as `clusterInfo` keeps it."""
        return msgspec.json.encode(self).decode()


def decode(text: str | None) -> HealthRecord | None:
    """Read what `clusterInfo` keeps; None without one, and when it cannot be understood.

    What other releases wrote differs: counting then starts anew, which is never wrong for long.
    """
    if text is None:
        return None
    try:
        return msgspec.json.decode(text, type=HealthRecord)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


@frozen
class Observed:
    """What Flink counts for the job, and when it was asked (milliseconds since 1970)."""

    time_ms: int
    restarts: int
    completed_checkpoints: int


@frozen
class HealthRules:
    """When a job is unhealthy; times in milliseconds.

    Attributes:
        restarts_window_ms: over which time restarts are counted.
        restarts_threshold: how many of them are still healthy.
        progress_window_ms: how long there may be no new checkpoint; None when that is not judged.
    """

    restarts_window_ms: int
    restarts_threshold: int
    progress_window_ms: int | None


def rules(conf: FlinkConf) -> HealthRules:
    """Read the rules from a job's effective configuration.

    Raises:
        ConfigValueError: an option cannot be read.
    """
    return HealthRules(
        restarts_window_ms=conf.get(options.HEALTH_RESTARTS_WINDOW) // _MS,
        restarts_threshold=conf.get(options.HEALTH_RESTARTS_THRESHOLD),
        progress_window_ms=_progress_window_ms(conf),
    )


def judge(last: HealthRecord | None, seen: Observed, by: HealthRules) -> HealthRecord:
    """Return what to remember, with the verdict, now that `seen` was found.

    A look that is older than the last one changes nothing: clocks may go back (O-81).
    """
    if last is None:
        return HealthRecord(
            time_stamp=seen.time_ms,
            num_restarts=seen.restarts,
            num_restarts_evaluation_time_stamp=seen.time_ms,
            num_completed_checkpoints=seen.completed_checkpoints,
            num_completed_checkpoints_increased_time_stamp=seen.time_ms,
        )
    if seen.time_ms < last.time_stamp:
        return last
    restarts, restarts_since, restarts_error = _restarts(last, seen, by)
    checkpoints, checkpoints_since, checkpoints_error = _checkpoints(last, seen, by)
    errors = [error for error in (restarts_error, checkpoints_error) if error is not None]
    return HealthRecord(
        time_stamp=seen.time_ms,
        num_restarts=restarts,
        num_restarts_evaluation_time_stamp=restarts_since,
        num_completed_checkpoints=checkpoints,
        num_completed_checkpoints_increased_time_stamp=checkpoints_since,
        health_result=Health(healthy=not errors, error="|".join(errors)),
    )


def _restarts(last: HealthRecord, seen: Observed, by: HealthRules) -> tuple[int, int, str | None]:
    """Judge restarts (O-82); return the count to go on from, since when, and what is wrong."""
    anew = (seen.restarts, seen.time_ms)
    if seen.restarts < last.num_restarts:
        return (*anew, None)
    since = last.num_restarts_evaluation_time_stamp
    elapsed, window = seen.time_ms - since, by.restarts_window_ms
    count = seen.restarts - last.num_restarts
    if elapsed > window:
        count = count * window // elapsed
    error = None
    if count > by.restarts_threshold:
        error = f"Restart count hit threshold: {by.restarts_threshold}"
    return (*(anew if elapsed > window else (last.num_restarts, since)), error)


def _checkpoints(
    last: HealthRecord, seen: Observed, by: HealthRules
) -> tuple[int, int, str | None]:
    """Judge checkpoints (O-83); return their number, since when it is that, and what is wrong."""
    known = last.num_completed_checkpoints
    since = last.num_completed_checkpoints_increased_time_stamp
    if by.progress_window_ms is None:
        return known, since, None
    if seen.completed_checkpoints != known:
        return seen.completed_checkpoints, seen.time_ms, None
    if since + by.progress_window_ms < seen.time_ms:
        return known, since, "Cluster is not able to complete checkpoints"
    return known, since, None


def _progress_window_ms(conf: FlinkConf) -> int | None:
    if not conf.get(options.HEALTH_PROGRESS_ENABLED):
        return None
    wanted = conf.get(options.HEALTH_PROGRESS_WINDOW)
    interval = conf.get(flink_options.CHECKPOINT_INTERVAL)
    if wanted is None and not interval:
        return None
    longest = max(interval or dt.timedelta(0), conf.get(flink_options.CHECKPOINT_TIMEOUT))
    # As numbers: jobs that tolerate any failure name the largest there is.
    attempts = max(0, conf.get(flink_options.TOLERABLE_CHECKPOINT_FAILURES)) + 2
    shortest = longest // _MS * attempts
    return shortest if wanted is None else max(wanted // _MS, shortest)
