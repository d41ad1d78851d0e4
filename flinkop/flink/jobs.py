"""Calls with what belongs to them: a jar that is tidied up after its run, a cancellation with its meaning."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
from attrs import frozen

from flinkop.flink import errors, interpret
from flinkop.flink.rest import FlinkClient

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


async def cancel(client: FlinkClient, job_id: str) -> interpret.CancelOutcome:
    """Ask the job to cancel, within the client's timeout, and say what came of it; raises nothing of Flink's."""
    try:
        await client.cancel(job_id)
    except errors.FlinkError as error:
        outcome = interpret.cancel_outcome(error)
        _log.info("cancel was not accepted", job=job_id, outcome=outcome.value, error=str(error))
        return outcome
    return interpret.CancelOutcome.ACCEPTED


@asynccontextmanager
async def uploaded(client: FlinkClient, jar: Path) -> AsyncIterator[str]:
    """Have the jar in the cluster, under the id that is yielded, for as long as the block lasts (S-21, S-24).

    Raises:
        FlinkError: the upload failed.
        OSError: the jar cannot be read.
    """
    jar_id = (await client.upload_jar(jar)).jar_id
    try:
        yield jar_id
    finally:
        try:
            await client.delete_jar(jar_id)
        except errors.FlinkError as error:
            _log.warning("uploaded jar was not deleted", jar=jar_id, error=str(error))


async def run(client: FlinkClient, jar_id: str, job: JarJob) -> str:
    """Run an uploaded jar, within the client's timeout; return the job's id (S-23).

    Raises:
        FlinkError: it failed. The job may exist all the same unless that is an `HttpError`.
    """
    return await client.run_jar(
        jar_id,
        job_id=job.job_id,
        entry_class=job.entry_class,
        args=job.args,
        parallelism=job.parallelism,
        allow_non_restored_state=job.allow_non_restored_state,
        savepoint_path=job.savepoint_path,
        configuration=job.configuration,
        timeout=client.timeout,
    )
