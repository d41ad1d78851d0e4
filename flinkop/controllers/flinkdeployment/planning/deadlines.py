"""Moments at which something happens by itself; pure."""

import datetime as dt

from flinkop.api.common import JobState
from flinkop.api.status import ReconciliationState
from flinkop.controllers.flinkdeployment.planning.situation import Situation
from flinkop.lifecycle import record


def rollback(at: Situation) -> dt.datetime | None:
    """Return when the recorded spec is given up if it is not stable by then (R-95); None for never."""
    status = at.status
    if (
        not at.options.rollback
        or at.recon is not ReconciliationState.DEPLOYED
        or record.is_stable(status)
    ):
        return None
    stable, failing = record.last_stable(status), record.last_reconciled(status)
    if stable is None or failing is None:
        return None
    suspended = stable.spec.job is not None and stable.spec.job.state is JobState.SUSPENDED
    if suspended or stable.spec.flink_version != failing.spec.flink_version:
        return None
    since = dt.datetime.fromtimestamp(
        status.reconciliation_status.reconciliation_timestamp / 1000, dt.UTC
    )
    return since + at.options.readiness_timeout


def retirement(at: Situation) -> dt.datetime | None:
    """Return when the JobManager of a job that ended goes (R-85); None for a job that has not."""
    updated = at.status.job_status.update_time
    if at.spec.job is None or not at.job_ended or updated is None or not updated.isdigit():
        return None
    ended = dt.datetime.fromtimestamp(int(updated) / 1000, dt.UTC)
    return ended + at.options.shutdown_ttl
