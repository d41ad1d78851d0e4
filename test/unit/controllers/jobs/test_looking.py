"""What Flink tells of a job, and when it can be relied on."""

import pytest
from attrs import evolve
from fakes.deployments import OLD_ID, status_of
from fakes.plans import APP
from fakes.scripted_transport import ScriptedTransport, ok, refused

from flinkop.api.common import UpgradeMode
from flinkop.api.status import FlinkJobState, ReconciliationState
from flinkop.controllers.jobs import looking
from flinkop.controllers.jobs.facts import Rest, RestFacts
from flinkop.flink.models import JobOverview
from flinkop.flink.rest import FlinkClient
from flinkop.flink.states import JobState

ENDED = 10_000
STATISTICS = {"latest": {"completed": None, "savepoint": None, "restored": None}, "history": []}


def facts():
    """A job that was cancelled, as the list of jobs has it."""
    job = JobOverview(jid=OLD_ID, name="a", state=JobState.CANCELED, end_time=ENDED)
    return RestFacts(Rest.ANSWERED, jobs=(job,))


def cancelling():
    """The status of a job that was told to cancel, to start again from its last checkpoint."""
    status = status_of(APP, mode=UpgradeMode.SAVEPOINT, job=FlinkJobState.CANCELLING)
    recon = evolve(status.reconciliation_status, state=ReconciliationState.UPGRADING)
    return evolve(status, reconciliation_status=recon)


def details(now):
    """The job's details at that time of the JobManager."""
    return ok({"jid": OLD_ID, "state": "CANCELED", "end-time": ENDED, "now": now})


async def looked(*script, status=None):
    """What a look makes of them, and what was asked."""
    transport = ScriptedTransport(list(script))
    seen = await looking.look(FlinkClient(transport), status or cancelling(), facts())
    return seen, [asked.path for asked in transport.asked]


@pytest.mark.parametrize("later", [0, 3_000])
async def test_a_job_that_was_just_cancelled_still_counts_as_cancelling(later):
    """For three seconds Flink answers with statistics from before: the checkpoint they name may be gone."""
    seen, asked = await looked(details(ENDED + later))
    assert seen.jobs[0].state is JobState.CANCELLING
    assert seen.checkpoints is None
    assert asked == [f"/v1/jobs/{OLD_ID}"]


@pytest.mark.parametrize("answer", [details(ENDED + 4_000), refused(500, "x"), details(-1)])
async def test_after_that_its_last_checkpoint_is_asked_for(answer):
    """So it is when nobody can tell how long ago it ended."""
    seen, asked = await looked(answer, ok(STATISTICS))
    assert seen.jobs[0].state is JobState.CANCELED
    assert seen.checkpoints is not None
    assert asked[-1] == f"/v1/jobs/{OLD_ID}/checkpoints"


async def test_a_job_that_somebody_cancelled_is_not_waited_for():
    """Nothing would look again soon."""
    seen, _ = await looked(ok(STATISTICS), status=status_of(APP))
    assert seen.jobs[0].state is JobState.CANCELED
    assert seen.checkpoints is not None
