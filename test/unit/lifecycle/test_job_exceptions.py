"""Which exceptions become Events, and how they read (behaviour.md O-50)."""

import datetime as dt

import pytest

from flinkop.lifecycle import job_exceptions
from flinkop.lifecycle.job_exceptions import JobException, Limits, Memory

NOW = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
NOW_MS = 1767268800000
MINUTE = 60_000
OLD = NOW_MS - 31 * MINUTE
YOUNG = NOW_MS - 29 * MINUTE
LIMITS = Limits(count=10, lines=5)


def exceptions(*times):
    return [JobException(time_ms=time, stack_trace=f"at {time}") for time in times]


def told(memory, history, job_id="job", limits=LIMITS, **more):
    """Return the times that are told, and what is remembered then."""
    found = job_exceptions.judge(memory, job_id, history, NOW, limits, **more)
    return [int(report.message[3:]) for report in found.reports], found.memory


def test_what_is_new_is_told_newest_first():
    """Strictly newer than what was told last, in whatever order Flink lists it."""
    times, memory = told(Memory("job", 5), exceptions(4, 7, 5, 9, 6))
    assert times == [9, 7, 6]
    assert memory == Memory("job", 9)
    assert told(memory, exceptions(4, 7, 5, 9, 6)) == ([], memory)


def test_no_more_than_the_limit():
    """The newest; the rest is counted, and not told later either."""
    found = job_exceptions.judge(Memory("job", 0), "job", exceptions(1, 2, 3), NOW, Limits(2, 5))
    assert [report.message for report in found.reports] == ["at 3", "at 2"]
    assert found.left_out == 1
    assert told(found.memory, exceptions(1, 2, 3))[0] == []
    assert told(Memory("job", 0), exceptions(1), limits=Limits(0, 5)) == ([], Memory("job", 1))


def test_an_empty_history_changes_nothing():
    """Memory stays as it is, also of another job."""
    assert told(Memory("job", 5), []) == ([], Memory("job", 5))
    assert told(Memory("other", 5), []) == ([], Memory("other", 5))


def test_of_another_job_everything_is_new():
    """Its history begins with it."""
    assert told(Memory("other", 9), exceptions(1, 2)) == ([2, 1], Memory("job", 2))


def test_the_first_look_at_a_job_without_exceptions():
    """Whatever comes after it is new, however old it is."""
    times, memory = told(None, [])
    assert (times, memory) == ([], Memory("job", None))
    assert told(memory, exceptions(OLD))[0] == [OLD]


def test_the_first_look_at_old_exceptions():
    """They were told long ago, and their Events have expired."""
    history = exceptions(OLD, OLD - 1)
    assert not job_exceptions.needs_events(None, history, NOW)
    assert told(None, history) == ([], Memory("job", OLD))


def test_the_first_look_at_young_exceptions():
    """What Events tell of is told; without any, what is younger than they get is new."""
    history = exceptions(YOUNG, YOUNG + 5, OLD)
    assert job_exceptions.needs_events(None, history, NOW)
    assert told(None, history)[0] == [YOUNG + 5, YOUNG]
    assert told(None, history, told_ms=YOUNG) == ([YOUNG + 5], Memory("job", YOUNG + 5))


def test_events_are_needed_once():
    """Not once anything is remembered, and not for nothing."""
    assert not job_exceptions.needs_events(Memory("job", None), exceptions(YOUNG), NOW)
    assert not job_exceptions.needs_events(None, [], NOW)
    assert job_exceptions.needs_events(None, exceptions(NOW_MS - 30 * MINUTE), NOW)


def test_what_events_tell_of():
    """The annotation counts; the Event's age where that is missing or no time."""
    created = NOW - dt.timedelta(hours=1)
    created_ms = NOW_MS - 60 * MINUTE
    assert job_exceptions.told_until([]) is None
    assert job_exceptions.told_until([({}, created)]) == created_ms
    for unreadable in ("", "yesterday", "2026-01-01T12:00:00"):
        events = [({"exception-timestamp": unreadable}, created)]
        assert job_exceptions.told_until(events) == created_ms
    annotated = {"exception-timestamp": "2026-01-01T11:30:00.123Z"}
    assert job_exceptions.told_until([({}, created), (annotated, created)]) == (
        NOW_MS - 30 * MINUTE + 123
    )


def test_what_was_written_is_read_back():
    """An operator that is restarted tells nothing twice."""
    history = exceptions(YOUNG + 1, YOUNG + 7)
    first = job_exceptions.judge(None, "job", history, NOW, LIMITS)
    events = [(report.annotations, NOW) for report in first.reports]
    assert told(None, history, told_ms=job_exceptions.told_until(events))[0] == []


TRACE = (
    "java.lang.RuntimeException: x\n\tat A.a(A.java:1)\n\tat A.b(A.java:2)\n\tat A.c(A.java:3)\n"
)


def report(lines=5, **fields):
    exception = JobException(time_ms=NOW_MS, **fields)
    found = job_exceptions.judge(Memory("job", None), "job", [exception], NOW, Limits(10, lines))
    return found.reports[0]


@pytest.mark.parametrize(
    ("trace", "lines", "message", "key"),
    [
        # Keys are those of a JVM: Integer.toHexString(Objects.hash(text)).
        (TRACE, 5, TRACE.strip(), "4c41ec5f"),
        (TRACE, 1, "java.lang.RuntimeException: x\n... (3 more lines)", "a9c97d54"),
        (TRACE, 0, "... (4 more lines)", "f66f6f32"),
        ("a\n\nb\n\n\n", 5, "a\n\nb", "55ba528"),
        ("a\n\nb\n\n\n", 2, "a\n\n... (1 more lines)", "5d592d0"),
        ("ü \U0001f600", 5, "ü \U0001f600", "11344e02"),
    ],
)
def test_how_an_exception_reads(trace, lines, message, key):
    """The head of its stack trace; the key is that of the reference, so Events are merged."""
    found = report(lines, stack_trace=trace)
    assert found.message == message
    assert found.key == f"jobmanager-exception-{key}"


def test_an_exception_without_a_stack_trace():
    """Its class is better than nothing."""
    assert report(name="java.lang.StackOverflowError", stack_trace=" \n ").message == (
        "java.lang.StackOverflowError"
    )


def test_where_it_happened():
    """As annotations; what is not known is left out, what Kubernetes would refuse too."""
    assert report().annotations == {"exception-timestamp": "2026-01-01T12:00:00Z"}
    found = report(
        task_name="Source:\n\tnumbers ",
        endpoint="10.0.0.1:6121",
        task_manager_id="basic-taskmanager-1-1",
        failure_labels={"type": "USER", "no key": "x", "team": "a\x00b"},
    )
    assert found.annotations == {
        "exception-timestamp": "2026-01-01T12:00:00Z",
        "task-name": "Source: numbers",
        "endpoint": "10.0.0.1:6121",
        "tm-id": "basic-taskmanager-1-1",
        "failure-label-type": "USER",
        "failure-label-team": "ab",
    }


@pytest.mark.parametrize(
    ("time_ms", "text"),
    [
        (1767225600000, "2026-01-01T00:00:00Z"),
        (1767225600005, "2026-01-01T00:00:00.005Z"),
        (1767225600120, "2026-01-01T00:00:00.120Z"),
    ],
)
def test_times_are_written_as_java_does(time_ms, text):
    """With milliseconds only where there are any."""
    [found] = job_exceptions.judge(
        Memory("job", None), "job", [JobException(time_ms=time_ms)], NOW, LIMITS
    ).reports
    assert found.annotations["exception-timestamp"] == text
