"""Asking Flink about one job, as far as the list of jobs does not tell (behaviour.md O-34, O-35, O-60 to O-65).

Errors are facts, too, or leave things to the next look; none is raised.
"""

from typing import Any, Final

import structlog
from attrs import evolve
from msgspec import structs

from flinkop.api.status import CommonStatus, FlinkJobState
from flinkop.controllers.jobs import job_progress
from flinkop.controllers.jobs.facts import CheckpointError, CheckpointFacts, JobFailure, RestFacts
from flinkop.events import reasons
from flinkop.flink import errors as flink_errors, interpret
from flinkop.flink.checkpoints import CheckpointStats
from flinkop.flink.interpret import Done, Failed, Pending
from flinkop.flink.rest import FlinkClient
from flinkop.flink.states import JobState
from flinkop.lifecycle import record
from flinkop.lifecycle.exception_looks import History, Known
from flinkop.lifecycle.upgrade import Checkpoints
from flinkop.stages.context import ReconcileContext
from flinkop.stages.exception_history import ExceptionHistory

_log = structlog.get_logger(__name__)

_STATISTICS_MS: Final = 3_500
"""For so long Flink may answer with older statistics of a job: `web.refresh-interval` by default, and a bit."""


async def look(client: FlinkClient, status: CommonStatus, facts: RestFacts) -> RestFacts:
    """Return `facts` with what is to be known of the job in `status`: why it failed, what it has left, what is under way."""
    if job_progress.is_cancelling(status):
        facts = await _once_settled(client, status, facts)
    facts = evolve(facts, job_failure=await _job_failure(client, status, facts))
    return await _triggered(client, status, facts)


async def _once_settled(client: FlinkClient, status: CommonStatus, facts: RestFacts) -> RestFacts:
    """Return `facts` in which a cancelled job has ended only when its statistics are its last.

    Until then the checkpoint they name may be older than its last one, and its files may be gone. Both times
    are those of the JobManager's clock.
    """
    job = facts.job(status.job_status.job_id)
    if job is None or not job.state.is_terminal or job.end_time < 0:
        return facts
    try:
        now = (await client.job(job.jid)).now
    except flink_errors.FlinkError as error:
        _log.info("it cannot be told how long ago the job ended", error=str(error))
        return facts
    if not 0 <= now - job.end_time < _STATISTICS_MS:
        return facts
    going = structs.replace(job, state=JobState.CANCELLING)
    return evolve(facts, jobs=tuple(going if one is job else one for one in facts.jobs))


async def _job_failure(
    client: FlinkClient, status: CommonStatus, facts: RestFacts
) -> JobFailure | None:
    """O-35: ask for the cause once, when the job is first seen FAILED."""
    job = facts.job(status.job_status.job_id)
    known = status.job_status.state is FlinkJobState.FAILED
    if job is None or known or job.state.value != FlinkJobState.FAILED:
        return None
    try:
        result = (await client.execution_result(job.jid)).result
    except flink_errors.FlinkError as error:
        _log.info("the cause of the job's failure cannot be read", error=str(error))
        return None
    cause = result.failure_cause if result else None
    return JobFailure(interpret.failure_chain(cause)) if cause else None


async def _triggered(client: FlinkClient, status: CommonStatus, facts: RestFacts) -> RestFacts:
    """Look after what is being taken, and what was last taken of a job that has ended (O-60 to O-65)."""
    job = facts.job(status.job_status.job_id)
    if job is None:
        return facts
    known = status.job_status.state
    news = known is None or not known.is_terminal or record.is_stopping(status)
    if job.state.is_terminal and news:
        facts = evolve(facts, checkpoints=await checkpoints(client, job.jid))
    savepoint = status.job_status.savepoint_info
    if savepoint is not None and savepoint.trigger_id:
        outcome = await _savepoint(client, job.jid, savepoint.trigger_id)
        facts = evolve(facts, savepoint=outcome)
    checkpoint = status.job_status.checkpoint_info
    if checkpoint is not None and checkpoint.trigger_id:
        outcome = await _checkpoint(client, job.jid, checkpoint.trigger_id)
        facts = evolve(facts, checkpoint=outcome)
    return facts


async def exceptions(
    history: ExceptionHistory,
    client: FlinkClient,
    ctx: ReconcileContext[Any, Any],
    facts: RestFacts,
    known: Known | None,
) -> History | None:
    """O-34: those of a job that had ended before this process saw it are told already."""
    status: CommonStatus = ctx.status
    job = facts.job(status.job_status.job_id)
    if job is None:
        return None
    state = status.job_status.state
    if state is not None and state.is_terminal:
        seen = known is not None and known.look.job_id == job.jid
        if not seen:
            return None
    return await history.read(client, ctx.about, job, known, ctx.now)


async def checkpoints(client: FlinkClient, job_id: str) -> CheckpointFacts:
    """Ask for the job's newest restore point (behaviour.md 4.4)."""
    stats: CheckpointStats | flink_errors.FlinkError
    try:
        stats = await client.checkpoint_stats(job_id)
    except flink_errors.FlinkError as error:
        stats = error
    try:
        last = interpret.last_checkpoint(stats)
    except flink_errors.FlinkError as error:
        text = f"Could not observe latest savepoint information: {error}"
        return CheckpointFacts(error=CheckpointError(reasons.ERROR, text))
    if last is not None and not last.is_addressable:
        text = "Latest checkpoint not externally addressable, Manual restore required."
        return CheckpointFacts(
            error=CheckpointError(reasons.CHECKPOINT_NOT_FOUND, text, is_final=True)
        )
    pending = interpret.pending_since(stats) if isinstance(stats, CheckpointStats) else None
    times = Checkpoints(completed_at=last.timestamp if last else None, pending_at=pending)
    return CheckpointFacts(path=last.path if last else None, times=times)


async def _savepoint(
    client: FlinkClient, job_id: str, trigger_id: str
) -> Pending | Done | Failed | None:
    """Ask how far a savepoint is; None when nobody answers."""
    try:
        return interpret.stop_outcome(await client.savepoint_status(job_id, trigger_id))
    except flink_errors.FlinkError as error:
        return None if flink_errors.is_absent(error) else interpret.stop_outcome(error)


async def _checkpoint(
    client: FlinkClient, job_id: str, trigger_id: str
) -> Pending | Done | Failed | None:
    """Ask how far a triggered checkpoint is; None when nobody answers. Its path does not matter here (O-65)."""
    try:
        outcome = interpret.checkpoint_outcome(await client.checkpoint_status(job_id, trigger_id))
    except flink_errors.FlinkError as error:
        return None if flink_errors.is_absent(error) else interpret.failed_call(error)
    return Done("") if isinstance(outcome, interpret.Triggered) else outcome
