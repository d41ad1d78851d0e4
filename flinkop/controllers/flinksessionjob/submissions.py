"""Submissions under way: fetching the jar, uploading it, running it, away from the workers.

Each may take minutes, of which nothing may be spent in a reconcile. Promises: one submission per resource at a
time; its end, however it comes, leads to a look at the resource; what is remembered is lost with the process on
purpose, because the status names the id under which whoever comes next looks for the job, or submits it again.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Final, Protocol

import structlog
from attrs import define, field, frozen

from flinkop.artifacts.errors import ArtifactError
from flinkop.controllers.flinksessionjob.observation import Handover, Submitted
from flinkop.flink import errors as flink_errors, interpret, jobs
from flinkop.flink.address import Cluster
from flinkop.flink.jobs import JarJob
from flinkop.flink.rest import FlinkClient
from flinkop.kube.meta import ObjectKey
from flinkop.lifecycle.failure import Failure, FailureType
from flinkop.runtime.ratelimiter import RetrySchedule

_log = structlog.get_logger(__name__)

_AT_ONCE: Final = 8
"""Submissions to one JobManager, which compiles each job's graph itself."""
_SCHEDULE: Final = RetrySchedule(cap=300.0, max_attempts=-1)
_NOTHING: Final = Submitted()
_UNDER_WAY: Final = Submitted(Handover.UNDER_WAY)
_DUPLICATE: Final = "DuplicateJobSubmissionException"
_SERVER_SIDE: Final = "<Exception on server side:\n"
_CAUSES: Final = 3


class Jar(Protocol):
    """A jar on disk."""

    @property
    def path(self) -> Path:
        """The file."""
        ...


@frozen
class Submission:
    """A job to be submitted.

    Attributes:
        cluster: where.
        client: the way there, with the time that Flink may take.
        jar: makes the jar be on disk for as long as it is open.
        job: what to run.
        made_from: what it was made from: with another, one that failed for good is tried again.
    """

    cluster: Cluster
    client: FlinkClient
    jar: Callable[[], AbstractAsyncContextManager[Jar]]
    job: JarJob
    made_from: object = None


@define(eq=False)
class _Run:
    """One submission, from its beginning to its end."""

    what: Submission
    task: asyncio.Task[None] | None = None
    asked: bool = False
    known: Submitted = _UNDER_WAY
    retry_at: float = 0.0
    failures: int = 0


@define(eq=False)
class Submissions:
    """All submissions of this process; `wake` is called at the end of each."""

    wake: Callable[[ObjectKey], None]
    _runs: dict[ObjectKey, _Run] = field(factory=dict)
    _slots: dict[Cluster, asyncio.Semaphore] = field(factory=dict)
    _tasks: asyncio.TaskGroup | None = None
    _stopped: asyncio.Event = field(factory=asyncio.Event)

    async def run(self) -> None:
        """Own the submissions, until `stop` or cancellation, which ends them."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            await self._stopped.wait()
            for one in self._runs.values():
                if one.task is not None:
                    one.task.cancel()

    async def stop(self) -> None:
        """Let `run` end."""
        self._stopped.set()

    def begin(self, key: ObjectKey, what: Submission) -> None:
        """Submit `what` for the resource `key`, unless that is being done already."""
        known = self._runs.get(key)
        if known is not None and known.known.handover is Handover.UNDER_WAY:
            return
        if self._tasks is None:
            raise RuntimeError("nobody runs the submissions")
        same = known is not None and known.what.job.job_id == what.job.job_id
        begun = _Run(what, failures=known.failures if known is not None and same else 0)
        self._runs[key] = begun
        begun.task = self._tasks.create_task(self._carry_out(key, begun), name=f"submission {key}")

    def known(self, key: ObjectKey, job_id: str | None, made_from: object) -> Submitted:
        """Return how far the submission of this job of `key` is."""
        found = self._runs.get(key)
        if found is None or found.what.job.job_id != job_id:
            return _NOTHING if found is None or not _is_under_way(found) else found.known
        if found.known.final and found.what.made_from != made_from:
            return _NOTHING
        wait = max(found.retry_at - asyncio.get_running_loop().time(), 0.0)
        shown = found.known
        return Submitted(shown.handover, shown.failure, shown.reason, shown.final, wait)

    def abandon(self, key: ObjectKey) -> None:
        """End what is under way for `key`, if Flink was not asked to run the job yet."""
        found = self._runs.get(key)
        if found is not None and not found.asked and found.task is not None:
            found.task.cancel()

    def forget(self, key: ObjectKey) -> None:
        """Drop what is remembered about a resource that is gone."""
        found = self._runs.pop(key, None)
        if found is not None and found.task is not None:
            found.task.cancel()

    async def _carry_out(self, key: ObjectKey, run: _Run) -> None:
        outcome = Submitted()
        try:
            outcome = await self._submitted(run)
        except asyncio.CancelledError:
            outcome = Submitted(Handover.UNKNOWN if run.asked else Handover.REFUSED)
            raise
        finally:
            self._end(run, outcome)
            self.wake(key)

    def _end(self, run: _Run, outcome: Submitted) -> None:
        if outcome.failure is not None:
            run.failures += 1
            delay = _SCHEDULE.delay(run.failures) or 0.0
            run.retry_at = asyncio.get_running_loop().time() + delay
            _log.warning(
                f"A job was not submitted: {outcome.failure.message}", job=run.what.job.job_id
            )
        run.known = outcome

    async def _submitted(self, run: _Run) -> Submitted:
        what = run.what
        slots = self._slots.setdefault(what.cluster, asyncio.Semaphore(_AT_ONCE))
        try:
            async with what.jar() as jar, slots, jobs.uploaded(what.client, jar.path) as jar_id:
                run.asked = True
                await jobs.run(what.client, jar_id, what.job)
        except ArtifactError as error:
            failure = Failure(FailureType.RECONCILIATION, str(error))
            return Submitted(Handover.REFUSED, failure, type(error).__name__, not error.retryable)
        except flink_errors.HttpError as error:
            if _DUPLICATE in error.text:
                return Submitted(Handover.ACCEPTED)
            return _not_run(error, Handover.REFUSED)
        except (flink_errors.FlinkError, OSError) as error:
            return _not_run(error, Handover.UNKNOWN if run.asked else Handover.REFUSED)
        return Submitted(Handover.ACCEPTED)


def _is_under_way(run: _Run) -> bool:
    return run.known.handover is Handover.UNDER_WAY


def _not_run(error: Exception, handover: Handover) -> Submitted:
    """Return what is said about Flink's refusal, with the causes that it names."""
    text = error.text if isinstance(error, flink_errors.HttpError) else str(error)
    text = text.partition(_SERVER_SIDE)[2] or text
    causes = interpret.causes_in(text, _CAUSES)
    message = " -> ".join(cause.message for cause in causes if cause.message) or str(error)
    status = getattr(error, "status", None)
    metadata = {"httpResponseCode": status} if status else {}
    failure = Failure(FailureType.RECONCILIATION, f"Could not submit the job: {message}", metadata)
    return Submitted(handover, failure, "SubmissionFailed")
