"""Exceptions of a job over time: each is told once, whenever the operator looks or is restarted."""

import datetime as dt

from hypothesis import given, strategies as st

from flinkop.lifecycle import job_exceptions
from flinkop.lifecycle.job_exceptions import JobException, Limits

NOW_MS = 1767225600000
times = st.integers(NOW_MS - 1_000_000, NOW_MS).map(lambda ms: JobException(time_ms=ms))
looks = st.lists(
    st.tuples(st.lists(times, max_size=5), st.booleans(), st.sampled_from(["one", "two"])),
    max_size=10,
)


@given(looks)
def test_each_exception_is_told_once(found_in_turn):
    """As long as they come in order, within half an hour; after a restart Events tell what was told."""
    now = dt.datetime.fromtimestamp(NOW_MS / 1000, dt.UTC)
    memory, told, events, history, thrown = None, [], [], [], set()
    job = "one"
    for found, restarted, next_job in found_in_turn:
        if next_job != job:
            # Its exceptions have other times: what Events tell of the old job is older.
            job, history = next_job, []
        latest = max((one.time_ms for one in told), default=0)
        new = [one for one in found if one.time_ms > latest and one.time_ms not in thrown]
        thrown |= {one.time_ms for one in new}
        history = [*history, *new]
        memory = None if restarted else memory
        told_ms = None
        if job_exceptions.needs_events(memory, history, now):
            told_ms = job_exceptions.told_until(events)
        result = job_exceptions.judge(memory, job, history, now, Limits(100, 5), told_ms=told_ms)
        memory = result.memory
        reported = {report.annotations["exception-timestamp"] for report in result.reports}
        assert len(reported) == len({one.time_ms for one in new})
        assert result.left_out == 0
        told += new
        events += [(report.annotations, now) for report in result.reports]


@given(st.lists(times, max_size=20), st.integers(0, 5), st.none() | st.integers(0, NOW_MS))
def test_the_newest_are_told(history, count, last_ms):
    """Newest first, no more than the limit, the rest counted, all remembered."""
    now = dt.datetime.fromtimestamp(NOW_MS / 1000, dt.UTC)
    memory = job_exceptions.Memory("job", last_ms)
    result = job_exceptions.judge(memory, "job", history, now, Limits(count, 5))
    new = sorted((one.time_ms for one in history if one.time_ms > (last_ms or 0)), reverse=True)
    stamps = [
        dt.datetime.fromisoformat(report.annotations["exception-timestamp"])
        for report in result.reports
    ]
    assert stamps == sorted(stamps, reverse=True)
    assert len(stamps) == min(count, len(new))
    assert result.left_out == len(new) - len(stamps)
    if history:
        assert result.memory.last_ms == max(one.time_ms for one in history)


@given(st.text(), st.text(), st.dictionaries(st.text(), st.text()), st.integers(0, 9))
def test_any_exception_can_be_told(name, trace, labels, lines):
    """With a key of hexadecimal digits and annotations on one line each."""
    now = dt.datetime.fromtimestamp(NOW_MS / 1000, dt.UTC)
    exception = JobException(
        time_ms=NOW_MS, name=name, stack_trace=trace, task_name=trace, failure_labels=labels
    )
    [report] = job_exceptions.judge(None, "job", [exception], now, Limits(1, lines)).reports
    assert int(report.key.removeprefix("jobmanager-exception-"), 16) < 2**32
    assert not any(c in value for value in report.annotations.values() for c in "\r\n\t\0")
