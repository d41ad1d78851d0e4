"""Which of the job's exceptions are told of as Events; pure (behaviour.md O-34, O-50)."""

from attrs import evolve

from flinkop.controllers.jobs.assessed import Assessed, JobSubject, StatusT
from flinkop.events import reasons
from flinkop.events.draft import EventDraft, warning
from flinkop.lifecycle import job_exceptions
from flinkop.lifecycle.exception_looks import Known
from flinkop.lifecycle.job_exceptions import Report


def assess(found: Assessed[StatusT], subject: JobSubject[StatusT]) -> Assessed[StatusT]:
    """Return `found` with the Events about exceptions that nobody was told of, if they were looked for."""
    history, known = subject.rest.exceptions, subject.exceptions
    if history is None:
        return found
    made = job_exceptions.judge(
        known.told if known is not None else None,
        history.look.job_id,
        history.exceptions,
        subject.now,
        subject.exception_limits,
        told_ms=history.told_ms,
    )
    found = evolve(found, exceptions=Known(history.look, made.memory, made.left_out))
    return found.say(*(_draft(report) for report in made.reports))


def _draft(report: Report) -> EventDraft:
    draft = warning(reasons.JOB_EXCEPTION, reasons.JOB, report.message, key=report.key)
    return evolve(draft, annotations=report.annotations)
