"""When a job's exceptions are asked for again (behaviour.md O-50)."""

import datetime as dt

from flinkop.lifecycle import exception_looks
from flinkop.lifecycle.exception_looks import Look

NOW = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)


def is_due(last, after, modified_ms=7, job_id="job"):
    """Whether a look is due that many seconds after `NOW`."""
    return exception_looks.is_due(last, job_id, modified_ms, NOW + dt.timedelta(seconds=after))


def test_a_job_that_is_new_or_has_changed_is_asked_at_once():
    """Nothing is known, another job is, or the job has changed since."""
    assert is_due(None, 0)
    settled = Look("job", 7, NOW, settled=True)
    assert is_due(settled, 0, job_id="other")
    assert is_due(settled, 0, modified_ms=8)


def test_what_was_read_right_after_a_change_is_read_once_more():
    """Not before Flink has let go of its copy, and not for ever."""
    first = exception_looks.following(None, "job", 7, NOW)
    assert not is_due(first, 0)
    assert not is_due(first, 4.9)
    assert is_due(first, 5)
    second = exception_looks.following(first, "job", 7, NOW + dt.timedelta(seconds=5))
    assert not is_due(second, 10_000)


def test_each_change_begins_it_anew():
    """A settled look at an earlier state says nothing of this one."""
    settled = Look("job", 7, NOW, settled=True)
    assert exception_looks.following(settled, "job", 8, NOW) == Look("job", 8, NOW)
    assert exception_looks.following(settled, "other", 7, NOW) == Look("other", 7, NOW)
