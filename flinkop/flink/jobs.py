"""Several calls as one act: stop a job and wait for its savepoint, submit a jar, wait for a result."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import structlog
from attrs import frozen

from flinkop.flink import errors, interpret, models
from flinkop.flink.rest import SUBMISSION_TIMEOUT, FlinkClient
from flinkop.flink.states import OperationStatus, SavepointFormat

_FIRST_POLL: Final = 0.01
_LAST_POLL: Final = 2.0

_log = structlog.get_logger(__name__)


@frozen
class JarJob:
    """A job to be started from a jar (S-23).

    Attributes:
        job_id: 32 hex digits, recorded before the submission.
        args: arguments of the program.
        savepoint_path: what to restore from.
        configuration: the whole configuration of the job.
    """

    job_id: str
    entry_class: str | None = None
    args: Sequence[str] = ()
    parallelism: int | None = None
    allow_non_restored_state: bool | None = None
    savepoint_path: str | None = None
    configuration: Mapping[str, str] | None = None


async def polls() -> AsyncIterator[None]:
    """Yield at once and then in growing distances: 10 ms, doubling, at most 2 s (S-5)."""
    pause = _FIRST_POLL
    while True:
        yield
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LAST_POLL)


async def cancel(client: FlinkClient, job_id: str) -> interpret.CancelOutcome:
    """Ask the job to cancel, within the client's timeout, and say what came of it; raises nothing of Flink's."""
    try:
        await client.cancel(job_id)
    except errors.FlinkError as error:
        outcome = interpret.cancel_outcome(error)
        _log.info("cancel was not accepted", job=job_id, outcome=outcome.value, error=str(error))
        return outcome
    return interpret.CancelOutcome.ACCEPTED


async def stop_with_savepoint(
    client: FlinkClient,
    job_id: str,
    *,
    target: str | None,
    timeout: float,  # noqa: ASYNC109 - the whole act has one budget
    drain: bool = False,
    format_type: SavepointFormat = SavepointFormat.CANONICAL,
    trigger_id: str | None = None,
) -> interpret.Done | interpret.Failed:
    """Stop the job with a savepoint and wait until it is there.

    Args:
        client: the cluster.
        job_id: the job, which must be RUNNING.
        target: directory of the savepoint.
        timeout: seconds for the trigger and all polls; the checkpoint timeout of the job.
        drain: whether sources emit the final watermark first.
        format_type: format of the savepoint.
        trigger_id: see `FlinkClient.stop_with_savepoint`; with it the whole act may be repeated.

    Raises:
        Timeout: no end within `timeout`; the job may still stop later.
        FlinkError: the trigger was refused, or asking for its end failed for good.
    """
    deadline = asyncio.get_running_loop().time() + timeout
    request = await client.within(timeout).stop_with_savepoint(
        job_id, target=target, drain=drain, format_type=format_type, trigger_id=trigger_id
    )
    async for _ in _polls_until(deadline, f"job {job_id} did not stop within {timeout:g} s"):
        answer = await _left(client, deadline).savepoint_status(job_id, request)
        outcome = interpret.stop_outcome(answer)
        if not isinstance(outcome, interpret.Pending):
            return outcome
    raise AssertionError  # pragma: no cover - the polls end only by raising


async def result(client: FlinkClient, job_id: str) -> models.ExecutionResult | None:
    """Return how the job ended, waiting for it within the client's timeout.

    Raises:
        Timeout: the job has not ended.
        FlinkError: the cluster cannot say.
    """
    deadline = asyncio.get_running_loop().time() + client.timeout
    async for _ in _polls_until(deadline, f"job {job_id} has no result yet"):
        answer = await _left(client, deadline).execution_result(job_id)
        if answer.status.id is OperationStatus.COMPLETED:
            return answer.result
    raise AssertionError  # pragma: no cover - the polls end only by raising


async def submit(
    client: FlinkClient,
    jar: Path,
    job: JarJob,
    *,
    timeout: float = SUBMISSION_TIMEOUT,  # noqa: ASYNC109
) -> str:
    """Upload the jar, run it, and delete the upload again; return the job's id (S-21 to S-24).

    Raises:
        FlinkError: upload or run failed. The job may exist after a `Timeout`: look for its id first.
        OSError: the jar cannot be read.
    """
    jar_id = (await client.upload_jar(jar)).jar_id
    try:
        return await client.run_jar(
            jar_id,
            job_id=job.job_id,
            entry_class=job.entry_class,
            args=job.args,
            parallelism=job.parallelism,
            allow_non_restored_state=job.allow_non_restored_state,
            savepoint_path=job.savepoint_path,
            configuration=job.configuration,
            timeout=timeout,
        )
    finally:
        try:
            await client.delete_jar(jar_id)
        except errors.FlinkError as error:
            _log.warning("uploaded jar was not deleted", jar=jar_id, error=str(error))


async def _polls_until(deadline: float, late: str) -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    async for poll in polls():
        if loop.time() >= deadline:
            raise errors.Timeout(late)
        yield poll


def _left(client: FlinkClient, deadline: float) -> FlinkClient:
    return client.within(
        min(client.timeout, max(0.001, deadline - asyncio.get_running_loop().time()))
    )
