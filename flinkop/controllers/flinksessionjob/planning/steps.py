"""The words that plans for session jobs are made of: those of all jobs, and the submission."""

from attrs import frozen

from flinkop.api.flinksessionjob import FlinkSessionJobSpec
from flinkop.api.status import FlinkSessionJobStatus
from flinkop.controllers.jobs.steps import Inquiry, JobStep, Plan


@frozen
class SubmitJob:
    """Begin to submit the job under an id that is in the status already; its end brings the next look."""

    spec: FlinkSessionJobSpec
    job_id: str
    savepoint_path: str | None = None


@frozen
class AbandonSubmission:
    """Stop what goes before Flink is asked to run the job; from then on its answer is waited for."""


Step = JobStep[FlinkSessionJobStatus] | SubmitJob | AbandonSubmission

Made = Plan[FlinkSessionJobStatus, Step]
"""A plan for a FlinkSessionJob."""

Outcome = Made | Inquiry
