"""When a job's exception history is worth asking for, and what a look at it found; pure.

The history can only have changed when the job has, which the list of jobs tells. But Flink answers from a copy
of the job that it keeps for a moment (`web.refresh-interval`, 3 s), so an answer right after a change may be
from before it: the history is read once more later, and then not again until the job changes.
"""

import datetime as dt
from typing import Final

from attrs import frozen

from flinkop.lifecycle.job_exceptions import JobException, Memory

_COPY_LIVES: Final = dt.timedelta(seconds=5)
"""Longer than Flink keeps its copy of a job, unless it is configured to keep it longer than by default."""


@frozen
class Look:
    """A look at a job's exception history.

    Attributes:
        job_id: the job.
        modified_ms: when the job had last changed, by Flink's clock (`last-modification`).
        at: when it was looked at, by ours.
        settled: whether an earlier look, long enough ago, found the same `modified_ms`.
    """

    job_id: str
    modified_ms: int
    at: dt.datetime
    settled: bool = False


@frozen
class History:
    """What was found.

    Attributes:
        look: when, and of which job.
        exceptions: all that Flink remembers, in any order.
        told_ms: what `job_exceptions.told_until` says, where it was asked.
    """

    look: Look
    exceptions: tuple[JobException, ...]
    told_ms: int | None = None


@frozen
class Known:
    """What the process remembers of a resource: the last look, and what was told of it.

    `left_out` exceptions of that look were not told, because there were too many.
    """

    look: Look
    told: Memory
    left_out: int = 0


def is_due(last: Look | None, job_id: str, modified_ms: int, now: dt.datetime) -> bool:
    """Whether the history may hold what the last look did not show."""
    if last is None or not _same(last, job_id, modified_ms):
        return True
    return not last.settled and now - last.at >= _COPY_LIVES


def following(last: Look | None, job_id: str, modified_ms: int, now: dt.datetime) -> Look:
    """Return the look that is taken now because it `is_due`."""
    settled = last is not None and _same(last, job_id, modified_ms)
    return Look(job_id, modified_ms, now, settled)


def _same(last: Look, job_id: str, modified_ms: int) -> bool:
    return (last.job_id, last.modified_ms) == (job_id, modified_ms)
