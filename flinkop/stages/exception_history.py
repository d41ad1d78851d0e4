"""Reads a job's exception history, as far as it takes to tell of each exception once (behaviour.md O-50)."""

import datetime as dt
from typing import Any, Final

import structlog
from attrs import define

from flinkop.events import reasons
from flinkop.events.draft import InvolvedObject
from flinkop.flink import errors as flink_errors, interpret
from flinkop.flink.models import ExceptionEntry, JobOverview
from flinkop.flink.rest import FlinkClient
from flinkop.flink.states import JobState
from flinkop.kube import errors as kube_errors, meta
from flinkop.kube.client import KubeClient
from flinkop.lifecycle import exception_looks, job_exceptions
from flinkop.lifecycle.exception_looks import History, Known
from flinkop.lifecycle.job_exceptions import JobException, Memory

_log = structlog.get_logger(__name__)

_STARTING: Final = (JobState.INITIALIZING, JobState.CREATED)
_YOUNG_MS: Final = 5000


@define
class ExceptionHistory:
    """Asks Flink, and the API server for Events of an earlier process; `kube` is the way to those."""

    kube: KubeClient

    async def read(
        self,
        client: FlinkClient,
        about: InvolvedObject,
        job: JobOverview,
        known: Known | None,
        now: dt.datetime,
    ) -> History | None:
        """Return the history of `job`, which belongs to `about`.

        None when it cannot have changed since the look that `known` remembers, when the job has only
        begun to start, and when something cannot be read: that is logged, and tried at the next look.
        """
        last = known.look if known is not None else None
        modified_ms = job.last_modification
        if _is_beginning(job) or not exception_looks.is_due(last, job.jid, modified_ms, now):
            return None
        look = exception_looks.following(last, job.jid, modified_ms, now)
        told = known.told if known is not None else None
        try:
            entries = (await client.exceptions(job.jid)).entries
            exceptions = tuple(_exception(entry) for entry in entries)
            return History(look, exceptions, await self._told_ms(about, told, exceptions, now))
        except (flink_errors.FlinkError, kube_errors.ApiError) as error:
            _log.info("the exceptions of the job cannot be told", error=str(error))
            return None

    async def _told_ms(
        self,
        about: InvolvedObject,
        told: Memory | None,
        exceptions: tuple[JobException, ...],
        now: dt.datetime,
    ) -> int | None:
        """Read the Events of an earlier process, where it takes them to know what it told."""
        if not job_exceptions.needs_events(told, exceptions, now):
            return None
        selector = f"involvedObject.uid={about.uid},reason={reasons.JOB_EXCEPTION}"
        page = await self.kube.list_all(meta.EVENTS, about.namespace, field_selector=selector)
        return job_exceptions.told_until(_told(event, now) for event in page.items)


def _is_beginning(job: JobOverview) -> bool:
    """Whether it starts for the first time: it is looked at often then, and has hardly failed already."""
    return interpret.running_state(job) in _STARTING and job.duration < _YOUNG_MS


def _exception(entry: ExceptionEntry) -> JobException:
    return JobException(
        time_ms=entry.timestamp,
        name=entry.exception_name,
        stack_trace=entry.stacktrace,
        task_name=entry.task_name,
        endpoint=entry.where,
        task_manager_id=entry.task_manager_id,
        failure_labels=entry.failure_labels or {},
    )


def _told(event: dict[str, Any], now: dt.datetime) -> tuple[dict[str, str], dt.datetime]:
    """Return an Event's annotations, and when it was made."""
    metadata = event["metadata"]
    created = metadata.get("creationTimestamp")
    return metadata.get("annotations") or {}, dt.datetime.fromisoformat(created) if created else now
