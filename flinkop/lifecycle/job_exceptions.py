"""Which exceptions of a job become Events, and how they read (behaviour.md O-50); pure.

Flink keeps a job's exceptions as long as its JobManager lives. Each is told once: what was told last is
remembered in memory, and read back from the Events themselves after a restart of the operator.
"""

import contextlib
import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from attrs import field, frozen

from flinkop import javahash
from flinkop.clock import epoch_ms
from flinkop.lifecycle import annotations

TIMESTAMP: Final = "exception-timestamp"
"""Annotation with the exception's time; an Event may be written much later, and more than once."""

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_EVENT_LIFE_MS: Final = 30 * 60 * 1000  # older Events are taken for expired


@frozen(kw_only=True)
class JobException:
    """One entry of Flink's exception history.

    Attributes:
        time_ms: when it was thrown, in milliseconds since 1970.
        name: its Java class.
        stack_trace: what Java prints of it.
        task_name: the task that failed.
        endpoint: address of the TaskManager.
        task_manager_id: id of the TaskManager.
        failure_labels: labels that Flink's failure enrichers gave it.
    """

    time_ms: int
    name: str = ""
    stack_trace: str = ""
    task_name: str | None = None
    endpoint: str | None = None
    task_manager_id: str | None = None
    failure_labels: Mapping[str, str] = field(factory=dict)


@frozen
class Memory:
    """What was told last of a resource: the job, and its newest exception then; None for nothing."""

    job_id: str
    last_ms: int | None


@frozen
class Limits:
    """How many exceptions are told at a time, and how many lines of each."""

    count: int
    lines: int


@frozen
class Report:
    """One exception as an Event tells it; `key` stands for its message in the Event's identity."""

    message: str
    key: str
    annotations: Mapping[str, str]


@frozen
class Reports:
    """What is to be told, newest first, what to remember, and how many were left out for the limit."""

    reports: tuple[Report, ...]
    memory: Memory
    left_out: int = 0


def needs_events(
    memory: Memory | None, exceptions: Collection[JobException], now: dt.datetime
) -> bool:
    """Whether it takes the existing Events to know what was told before.

    Only of the first look at a resource, and when its newest exception is so young that the Event of
    an earlier operator may still be there.
    """
    if memory is not None or not exceptions:
        return False
    return _newest_ms(exceptions) >= _expired_ms(now)


def told_until(events: Iterable[tuple[Mapping[str, str], dt.datetime]]) -> int | None:
    """Return the time of the newest exception that `JobException` Events tell of, None without any.

    Args:
        events: of each Event of a resource its annotations and when it was created, which stands in
            for an annotation that is missing or cannot be read.
    """
    return max(
        (_read_time(notes.get(TIMESTAMP), created) for notes, created in events),
        default=None,
    )


def judge(
    memory: Memory | None,
    job_id: str,
    exceptions: Collection[JobException],
    now: dt.datetime,
    limits: Limits,
    *,
    told_ms: int | None = None,
) -> Reports:
    """Return which of a job's exceptions are to be told now.

    Args:
        memory: what the last look returned, None at the first.
        job_id: the job that runs now; of another one than remembered, everything is new.
        exceptions: the history, in any order.
        now: the present.
        limits: how much is told; the newest are.
        told_ms: what `told_until` says, where `needs_events` asks for it.
    """
    memory = memory or Memory(job_id, _first_memory(exceptions, now, told_ms))
    if not exceptions:
        return Reports((), memory)
    last_ms = memory.last_ms if memory.job_id == job_id else None
    ordered = sorted(exceptions, key=lambda exception: exception.time_ms, reverse=True)
    new = [one for one in ordered if last_ms is None or one.time_ms > last_ms]
    told = new[: max(0, limits.count)]
    return Reports(
        tuple(_report(exception, limits.lines) for exception in told),
        Memory(job_id, ordered[0].time_ms),
        len(new) - len(told),
    )


def _first_memory(
    exceptions: Collection[JobException], now: dt.datetime, told_ms: int | None
) -> int | None:
    if not exceptions:
        return None
    newest_ms, expired_ms = _newest_ms(exceptions), _expired_ms(now)
    if newest_ms < expired_ms:
        return newest_ms
    return expired_ms if told_ms is None else told_ms


def _report(exception: JobException, lines: int) -> Report:
    text = _head(exception.stack_trace, max(0, lines)) or exception.name
    return Report(
        message=text.strip(),
        key=f"jobmanager-exception-{javahash.hexadecimal(javahash.of_list(text))}",
        annotations=_annotations(exception),
    )


def _head(trace: str, lines: int) -> str:
    """Return the first lines, each with its end, and how many more there are; empty for a blank trace.

    Letter for letter as the reference does it, because the Event's identity is made of it.
    """
    if not trace.strip():
        return ""
    every = trace.rstrip("\n").split("\n")
    more = f"... ({len(every) - lines} more lines)" if len(every) > lines else ""
    return "".join(f"{line}\n" for line in every[:lines]) + more


def _annotations(exception: JobException) -> dict[str, str]:
    return annotations.cleaned(
        {
            TIMESTAMP: _iso(exception.time_ms),
            "task-name": exception.task_name,
            "endpoint": exception.endpoint,
            "tm-id": exception.task_manager_id,
            **{f"failure-label-{name}": value for name, value in exception.failure_labels.items()},
        }
    )


def _iso(time_ms: int) -> str:
    """Return the time as Java's Instant prints it: milliseconds only where there are any."""
    moment = _EPOCH + dt.timedelta(milliseconds=time_ms)
    spec = "milliseconds" if moment.microsecond else "seconds"
    return moment.replace(tzinfo=None).isoformat(timespec=spec) + "Z"


def _read_time(text: str | None, otherwise: dt.datetime) -> int:
    moment = otherwise
    with contextlib.suppress(ValueError):
        read = dt.datetime.fromisoformat(text or "")
        moment = read if read.tzinfo else otherwise
    return epoch_ms(moment)


def _newest_ms(exceptions: Collection[JobException]) -> int:
    return max(exception.time_ms for exception in exceptions)


def _expired_ms(now: dt.datetime) -> int:
    return epoch_ms(now) - _EVENT_LIFE_MS
