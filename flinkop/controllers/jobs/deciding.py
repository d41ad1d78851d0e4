"""The upgrade decision, asked with what is known of a job; pure (behaviour.md 3.4)."""

from flinkop.controllers.jobs.situation import JobSituation, StatusT
from flinkop.lifecycle.upgrade import Facts


def facts(at: JobSituation[StatusT], *, accessible: bool) -> Facts:
    """Return what the upgrade decision is made from, as far as it concerns the job.

    Args:
        at: the situation.
        accessible: whether Flink can be asked and told.
    """
    status, options = at.status, at.options
    checkpoints = at.rest.checkpoints
    start = status.job_status.start_time
    return Facts(
        mode=at.user_mode,
        job=status.job_status.state,
        accessible=accessible,
        now_ms=at.now_ms,
        started_ms=int(start) if start is not None and start.isdigit() else None,
        path=status.job_status.upgrade_savepoint_path,
        savepoint_directory=options.savepoint_directory is not None,
        fallback=options.last_state_fallback,
        max_age=options.max_checkpoint_age,
        cancel_instead=options.last_state_cancel,
        checkpoints=checkpoints.times if checkpoints is not None else None,
    )
