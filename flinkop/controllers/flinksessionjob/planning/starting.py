"""Bringing a session job up: what is written ahead, what it restores from, the submission; pure.

    write ahead (spec, mode, job id, restore path) ─> submit under that id ─> accepted, or found ─> DEPLOYED

Flink runs no two jobs of one id. As long as nobody can say whether a submission reached it, the very same is
repeated; a new spec, and with it a new id, has its turn when it is known how that ended (R-75, T-3, T-4).
"""

import datetime as dt
from typing import Final

from attrs import evolve

from flinkop.api.common import UpgradeMode
from flinkop.api.flinksessionjob import FlinkSessionJobSpec
from flinkop.api.status import FlinkJobState, FlinkSessionJobStatus
from flinkop.controllers.flinksessionjob.observation import Handover
from flinkop.controllers.flinksessionjob.planning.situation import Situation
from flinkop.controllers.flinksessionjob.planning.steps import Made, Outcome, Step, SubmitJob
from flinkop.controllers.jobs import situation, telling
from flinkop.controllers.jobs.steps import Plan, Say, Wait, WriteAhead
from flinkop.events import reasons
from flinkop.events.draft import normal, warning
from flinkop.flink.states import JobState as FlinkState
from flinkop.lifecycle import record
from flinkop.lifecycle.state import Note, Stall
from flinkop.lifecycle.upgrade import LAST_STATE_PATH, UPGRADE_FAILED

_SUBMITTING: Final = Note("SubmittingJob", "the job is being submitted to its session cluster")
# The text is a contract (behaviour.md 0.5, Q-27).
_NO_KNOWN_PATH: Final = (
    "Job is in terminal state but last checkpoint is unknown, possibly due to an unrecoverable restore error. "
    "Manual restore required."
)


def first_deployment(at: Situation) -> Outcome:
    """R-2: from nothing to submitted."""
    if at.wants_suspended:
        mended = evolve(at.status, error=None)  # of a spec that was refused, and is good now
        return Plan("the job is to be suspended and was never deployed: nothing to do", mended)
    path = (at.job.initial_savepoint_path if at.job else None) or None
    at = at.restoring(UpgradeMode.SAVEPOINT if path else UpgradeMode.STATELESS)
    return deploy(from_path(at, path) if path else at, "first deployment")


def from_path(at: Situation, path: str | None) -> Situation:
    """Return `at` with the restore path in its status."""
    job = evolve(at.status.job_status, upgrade_savepoint_path=path)
    return at.having(evolve(at.status, job_status=job))


def deploy(at: Situation, reason: str, said: tuple[Step, ...] = ()) -> Outcome:
    """Write the attempt ahead, and begin it; the job of before has ended."""
    if (
        _mode(at) is not UpgradeMode.STATELESS
        and situation.known_path(at.status) == LAST_STATE_PATH
    ):
        return telling.refused(at, UPGRADE_FAILED, _NO_KNOWN_PATH, telling.way_out(at.status))
    written = _attempt(at)
    return _submit(written, reason, (*said, WriteAhead(written.status)))


def is_attempted(status: FlinkSessionJobStatus) -> bool:
    """Whether the id in the status is that of the job that is about to be submitted (R-75)."""
    job = status.job_status
    return job.job_id is not None and job.state is FlinkJobState.RECONCILING


def proceed(at: Situation) -> Outcome:
    """UPGRADING was found in the status: go on from wherever it was left."""
    submitted, job_id = at.observation.submitted, at.status.job_status.job_id
    listed = at.rest.job(job_id)
    if not is_attempted(at.status) and (listed is None or listed.state.is_terminal):
        return _begin_anew(at)
    if not is_attempted(at.status) and listed is not None and listed.state is FlinkState.CANCELLING:
        return Plan("waiting for the end of the old job", at.status, wait=Wait.PROBE)
    if listed is not None or submitted.handover is Handover.ACCEPTED:
        return _is_there(at)
    if submitted.handover is Handover.UNDER_WAY:
        return Plan(_SUBMITTING.message, at.status, wait=Wait.PROGRESS, note=_SUBMITTING)
    if submitted.handover is Handover.REFUSED and at.is_newer:
        return _begin_anew(at)
    if submitted.failure is not None and (submitted.final or submitted.wait > 0):
        return _failed(at)
    return _submit(at, "submitting the job")


def _begin_anew(at: Situation) -> Outcome:
    """Nothing of the recorded attempt exists: what is wanted now is attempted."""
    if record.is_first_deployment(at.status) and at.is_newer:  # P-7: a new spec wins
        return first_deployment(at.having(record.forget_first_attempt(at.status)))
    said: tuple[Step, ...] = telling.spec_changed(at) if at.is_newer else ()
    if at.is_newer and at.redeploys:
        return from_named_path(at, said)
    at = resuming(at)
    if at.wants_suspended:
        return suspended(at, said)
    return deploy(at, "the old job is gone: submitting the new one", said)


def from_named_path(at: Situation, said: tuple[Step, ...] = ()) -> Outcome:
    """R-20: start from `initialSavepointPath`; a job that is to be suspended starts from there later."""
    path = (at.job.initial_savepoint_path if at.job else None) or None
    at = from_path(at.restoring(UpgradeMode.SAVEPOINT), path)
    if at.wants_suspended:
        return suspended(at, said)
    return deploy(at, "savepointRedeployNonce changed", said)


def resuming(at: Situation) -> Situation:
    """Return `at` restoring as the job went down (R-26); who changes to stateless may start empty."""
    mode = at.recorded_mode
    if at.user_mode is UpgradeMode.STATELESS:
        mode = UpgradeMode.STATELESS
    return at.restoring(mode)


def suspended(at: Situation, said: tuple[Step, ...] = ()) -> Made:
    """The job is down as `job.state: suspended` asks, and its id is no longer that of a job."""
    status = record.deployed(at.status, at.target)
    job = evolve(status.job_status, state=FlinkJobState.FINISHED, job_id=None)
    return Plan("suspended", evolve(status, job_status=job), said)


def _attempt(at: Situation) -> Situation:
    """Return `at` with the status that is written ahead: the spec to reach, its restore, a new job's id."""
    written = record.before_attempt(at.status, at.target)
    job = evolve(
        written.job_status,
        job_id=at.new_job_id(),
        state=FlinkJobState.RECONCILING,
        start_time=None,
    )
    return at.having(evolve(written, job_status=job))


def _submit(at: Situation, reason: str, before: tuple[Step, ...] = ()) -> Made:
    """Begin to submit what `at.status` records."""
    recorded = record.last_reconciled(at.status)
    spec: FlinkSessionJobSpec = recorded.spec if recorded is not None else at.spec
    stateless = _recorded_mode(at) is UpgradeMode.STATELESS
    path = None if stateless else situation.known_path(at.status)
    say = Say(normal(reasons.SUBMIT, reasons.JOB, "Starting deployment"))
    job_id = at.status.job_status.job_id or ""
    return Plan(
        reason=reason,
        status=at.status,
        steps=(*before, say, SubmitJob(spec, job_id, path)),
        wait=Wait.PROGRESS,
        note=_SUBMITTING,
    )


def _is_there(at: Situation) -> Made:
    """The submission is done, whoever saw its end."""
    if at.is_newer:  # P-6, so that what the user wants by now is a change like any other
        status = record.already_upgraded(at.status)
        return Plan("the interrupted submission is done", status, again=True)
    status = record.deployed(at.status, at.restoring(_recorded_mode(at)).target)
    return Plan("the job is submitted", status, again=True)


def _failed(at: Situation) -> Made:
    """The last attempt came to nothing: said once, and tried again later if that may help."""
    submitted = at.observation.submitted
    if submitted.failure is None:
        return Plan("submitting the job again later", at.status)
    error = submitted.failure.to_json(at.limits)
    status = evolve(at.status, error=error)
    text = submitted.failure.message
    said = () if error == at.last_error else (Say(warning(reasons.ERROR, reasons.JOB, text)),)
    if submitted.final:
        return Plan(text, status, said, stall=Stall(submitted.reason, text))
    due = at.now + dt.timedelta(seconds=submitted.wait)
    note = Note(submitted.reason, text)
    return Plan(text, status, said, wait=Wait.INTERVAL, due=due, note=note)


def _mode(at: Situation) -> UpgradeMode:
    return at.job.upgrade_mode if at.job else UpgradeMode.STATELESS


def _recorded_mode(at: Situation) -> UpgradeMode:
    return at.recorded_mode
