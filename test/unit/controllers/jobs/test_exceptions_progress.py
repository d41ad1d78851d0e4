"""Which of a job's exceptions become Events, and what is remembered of them."""

from fakes.deployments import (
    NOW,
    NOW_MS,
    OLD_ID,
    answered,
    application,
    job,
    job_manager,
    status_of,
    up,
)

from flinkop.controllers.flinkdeployment import (
    progress,
)
from flinkop.controllers.flinkdeployment.assessed import Assessed, Subject
from flinkop.controllers.flinkdeployment.observation import Observation
from flinkop.controllers.jobs import (
    exceptions_progress,
)
from flinkop.events.draft import EventType
from flinkop.lifecycle.exception_looks import History, Known, Look
from flinkop.lifecycle.job_exceptions import JobException, Limits, Memory

APP = application()
STATUS = status_of(APP)
LOOK = Look(OLD_ID, 7, NOW)
TRACE = "java.lang.IllegalStateException: boom\n\tat A.b\n\tat C.d\n"


def exceptions(*texts):
    """One exception for each text, a second apart, the first one the oldest."""
    return tuple(
        JobException(time_ms=NOW_MS - 10_000 + 1000 * number, stack_trace=text, task_name="Map")
        for number, text in enumerate(texts)
    )


def subject(*texts, known=None, **more):
    """A job that has thrown these."""
    history = History(LOOK, exceptions(*texts))
    facts = Observation(job_manager=job_manager(), rest=answered(job(), exceptions=history))
    return Subject(STATUS, facts, APP, NOW, exceptions=known, **more)


def assess(*texts, **more):
    """Look at it."""
    return exceptions_progress.assess(Assessed(STATUS), subject(*texts, **more))


def test_an_exception_becomes_an_event():
    """O-50: a Warning of the job with the head of its stack trace, and where it was in annotations."""
    [draft] = assess(TRACE, exception_limits=Limits(count=10, lines=1)).drafts
    assert (draft.type, draft.reason, draft.component) == (EventType.WARNING, "JobException", "Job")
    assert draft.message == "java.lang.IllegalStateException: boom\n... (2 more lines)"
    assert draft.key.startswith("jobmanager-exception-")
    assert draft.annotations == {"exception-timestamp": "2025-12-31T23:59:50Z", "task-name": "Map"}


def test_what_is_remembered_goes_with_the_events():
    """The look, the newest that was told, and how many were too many."""
    found = assess("one", "two", "three", exception_limits=Limits(count=2, lines=5))
    assert [draft.message for draft in found.drafts] == ["three", "two"]
    assert found.exceptions == Known(LOOK, Memory(OLD_ID, NOW_MS - 8000), left_out=1)
    assert assess("one", "two", "three", known=found.exceptions).drafts == ()


def test_the_status_is_left_alone():
    """Exceptions are told, not recorded."""
    found, quiet = progress.assess(subject(TRACE)), progress.assess(subject())
    assert [draft.reason for draft in found.drafts] == ["JobException"]
    assert (found.status, quiet.drafts) == (quiet.status, ())


def test_nobody_looked():
    """Nothing is told and nothing remembered."""
    nothing = Subject(STATUS, up(), APP, NOW)
    assert exceptions_progress.assess(Assessed(STATUS), nothing) == Assessed(STATUS)
