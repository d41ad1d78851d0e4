"""What a REST handler gets and how it says no."""

from typing import Any

from attrs import define, field
from flinksim.cluster import Cluster
from flinksim.job import Failure, Job
from flinksim.jobmanager import JobManager


@define
class Call:
    """A request as handlers see it."""

    cluster: Cluster
    manager: JobManager
    parameters: dict[str, str]
    query: dict[str, str]
    body: dict[str, Any] = field(factory=dict)
    upload: str | None = None

    @property
    def version(self) -> tuple[int, int]:
        return self.manager.settings.version

    def job(self) -> Job:
        job_id = self.parameters["jobid"]
        found = self.manager.jobs.get(job_id)
        if found is None:
            raise Refusal(
                404,
                trace("org.apache.flink.runtime.rest.NotFoundException", f"Job {job_id} not found"),
            )
        return found


class Refusal(Exception):  # noqa: N818 - an answer of the API
    """An answer with a status and a list of errors."""

    def __init__(self, status: int, *errors: str) -> None:
        super().__init__(status, *errors)
        self.status = status
        self.errors = list(errors)


def trace(java_class: str, message: str) -> str:
    """Return an error the way Flink prints it since 1.9: the stack trace as one string."""
    return Failure(java_class, message).stack_trace


def refuse(status: int, message: str) -> Refusal:
    return Refusal(
        status, trace("org.apache.flink.runtime.rest.handler.RestHandlerException", message)
    )


def server_error(java_class: str, message: str) -> Refusal:
    inner = trace(java_class, message)
    return Refusal(
        500,
        "Internal server error.",
        f"<Exception on server side:\n{inner}\nEnd of exception on server side>",
    )
