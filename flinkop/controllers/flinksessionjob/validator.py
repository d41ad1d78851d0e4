"""Stage 2: what is wrong with a spec; pure (api.md 4.3, rules S1 to S9, in their order).

Where a jar may come from is the operator's business alone, so S4 and S5 are judged by its own configuration.
Names are looked up when the jar is fetched, and judged then: what they resolve to may change.
"""

from collections.abc import Iterator

from attrs import frozen

from flinkop.api import transitions, validation
from flinkop.api.flinksessionjob import FlinkSessionJobSpec
from flinkop.api.status import FlinkSessionJobStatus
from flinkop.api.validation import Problem
from flinkop.artifacts import policy
from flinkop.artifacts.errors import ArtifactError
from flinkop.artifacts.terms import Terms
from flinkop.config import errors
from flinkop.config.flink_conf import FlinkConf
from flinkop.lifecycle import autoscaler_rules, job_rules, record

"""Bytes of a recorded spec: it is kept twice beside the spec itself, and etcd takes 1.5 MiB in all."""


@frozen
class Candidate:
    """What is judged.

    Attributes:
        spec: the user's spec.
        status: its status, for rules about changes.
        terms: on which terms its jar is fetched.
        application: whether the FlinkDeployment that it names has a job of its own.
        conf: effective configuration; None while its cluster is not known.
        size: bytes of the spec as JSON.
    """

    spec: FlinkSessionJobSpec
    status: FlinkSessionJobStatus
    terms: Terms
    application: bool = False
    conf: FlinkConf | None = None
    size: int = 0


def first_problem(candidate: Candidate) -> Problem | None:
    """Return the first rule that `candidate` breaks, as the problem to report."""
    try:
        return next((p for p in _problems(candidate) if p is not None), None)
    except errors.ConfigError as error:
        return Problem("spec.flinkConfiguration", "InvalidConfiguration", str(error))


def _problems(it: Candidate) -> Iterator[Problem | None]:
    yield validation.deployment_name_is_invalid(it.spec.deployment_name)
    yield validation.job_is_missing(it.spec.job)
    yield _change_is_forbidden(it)
    yield _spec_is_too_large(it)
    yield _jar_is_refused(it)
    yield _cluster_is_an_application(it)
    yield from _job_problems(it)


def _change_is_forbidden(it: Candidate) -> Problem | None:
    """S3."""
    recorded = record.last_reconciled(it.status)
    return transitions.first_broken(
        transitions.FLINKSESSIONJOB, it.spec, recorded.spec if recorded else None
    )


def _spec_is_too_large(it: Candidate) -> Problem | None:
    return job_rules.spec_is_too_large(it.size, "moving configuration to the session cluster")


def _jar_is_refused(it: Candidate) -> Problem | None:
    """S4 and S5, as far as they need no look-up."""
    uri = it.spec.job.jar_uri if it.spec.job is not None else None
    if uri is None:
        return None
    try:
        policy.admit(uri, it.terms)
    except ArtifactError as error:
        return Problem("spec.job.jarURI", type(error).__name__, str(error))
    return None


def _cluster_is_an_application(it: Candidate) -> Problem | None:
    """S6."""
    if not it.application:
        return None
    return Problem(
        "spec.deploymentName",
        "NoSessionCluster",
        f"FlinkDeployment {it.spec.deployment_name} is an application cluster, which runs its own job alone: name one "
        "without spec.job",
    )


def _job_problems(it: Candidate) -> Iterator[Problem | None]:
    """S8, S9, and D19, which the reference has for FlinkDeployments alone."""
    job = it.spec.job
    if job is None:
        return
    if it.conf is not None:
        yield job_rules.first_problem(job, it.conf)
    yield validation.parallelism_is_too_low(job, None)
    recorded = record.last_reconciled(it.status)
    yield validation.redeploy_path_is_missing(job, recorded.spec.job if recorded else None)
    if it.conf is not None:
        yield autoscaler_rules.first_problem(it.conf)
