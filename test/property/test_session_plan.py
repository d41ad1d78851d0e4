"""Plans for session jobs hold what they promise in every situation, also in those that nobody thought of."""

from attrs import evolve
from fakes.deployments import OLD_ID, answered, job
from fakes.sessionjobs import (
    CLUSTER,
    JOB,
    LAST_STATE,
    STATEFUL,
    changed,
    looked,
    planned,
    recorded_job,
    session_job,
    situation,
    status_of,
    suspended,
)
from hypothesis import given, strategies as st

from flinkop.api.common import JobState, UpgradeMode
from flinkop.api.status import (
    FlinkJobState,
    FlinkSessionJobStatus,
    ReconciliationState,
    SavepointInfo,
    SnapshotTriggerType,
)
from flinkop.controllers.flinksessionjob.observation import Handover, Observation, Submitted
from flinkop.controllers.flinksessionjob.planning import cleanup
from flinkop.controllers.flinksessionjob.planning.steps import SubmitJob
from flinkop.controllers.jobs.facts import CheckpointFacts, Rest, RestFacts
from flinkop.controllers.jobs.steps import CancelJob, Plan, ReleaseFinalizer, StopJob, WriteAhead
from flinkop.flink.interpret import Done, Failed, Pending
from flinkop.flink.states import JobState as FlinkState
from flinkop.lifecycle import record

SPECS = st.sampled_from(
    [
        JOB,
        STATEFUL,
        LAST_STATE,
        changed(JOB, parallelism=4),
        changed(STATEFUL, parallelism=4),
        changed(LAST_STATE, parallelism=4),
        changed(STATEFUL, savepoint_redeploy_nonce=1, initial_savepoint_path="s3://chosen"),
        suspended(JOB),
        suspended(STATEFUL),
        session_job(initial_savepoint_path="s3://first"),
    ]
)
PATHS = st.sampled_from([None, "s3://known", "KUBERNETES_OPERATOR_LAST_STATE"])


@st.composite
def statuses(draw):
    """A status that some operator may have left."""
    if draw(st.booleans()) and draw(st.booleans()):
        return FlinkSessionJobStatus()
    status = status_of(
        draw(SPECS),
        generation=draw(st.integers(1, 2)),
        state=draw(st.sampled_from([ReconciliationState.DEPLOYED, ReconciliationState.UPGRADING])),
        recorded_state=draw(st.sampled_from(JobState)),
        mode=draw(st.sampled_from([UpgradeMode.STATELESS, UpgradeMode.SAVEPOINT])),
        first=draw(st.booleans()),
        stable=draw(st.booleans()),
        job=draw(st.none() | st.sampled_from(FlinkJobState)),
        job_id=draw(st.sampled_from([None, OLD_ID])),
        error=draw(st.sampled_from([None, "{}", "Job Not Found"])),
        path=draw(PATHS),
    )
    if draw(st.booleans()):
        return status
    info = SavepointInfo(
        trigger_id="t",
        trigger_timestamp=draw(st.sampled_from([1, 1767225599000])),
        trigger_type=draw(st.sampled_from(SnapshotTriggerType)),
    )
    return evolve(status, job_status=evolve(status.job_status, savepoint_info=info))


@st.composite
def observations(draw):
    """What may be found."""
    cluster = draw(
        st.none()
        | st.sampled_from(
            [
                CLUSTER,
                evolve(CLUSTER, up=False),
                evolve(CLUSTER, deleting=True),
                evolve(CLUSTER, up=False, deleting=True),
            ]
        )
    )
    rest = RestFacts(draw(st.sampled_from([Rest.NOT_ASKED, Rest.ABSENT, Rest.FAILED])))
    if cluster is not None and cluster.up and draw(st.booleans()):
        jobs = [job(draw(st.sampled_from(FlinkState)))] if draw(st.booleans()) else []
        rest = answered(
            *jobs,
            savepoint=draw(
                st.none()
                | st.sampled_from(
                    [Pending(), Done("s3://s"), Failed("no", "no"), Failed("?", "?", unknown=True)]
                )
            ),
        )
        if draw(st.booleans()):
            rest = evolve(rest, checkpoints=CheckpointFacts("s3://chk"))
    submitted = Submitted(
        draw(st.sampled_from(Handover)),
        final=draw(st.booleans()),
        wait=draw(st.sampled_from([0.0, 5.0])),
    )
    absent_for = draw(st.sampled_from([0.0, 20.0]))
    return Observation(
        cluster,
        cluster_known=draw(st.booleans()),
        rest=rest,
        submitted=submitted,
        absent_for=absent_for,
        snapshots=draw(st.sampled_from([None, ()])),
    )


@given(SPECS, statuses(), observations(), st.integers(1, 3), st.booleans(), st.booleans())
def test_plans(spec, status, seen, generation, ha, failed_again):  # noqa: PLR0917 - drawn
    """A job is submitted only under an id that is written, and none is started beside another."""
    at = situation(
        spec,
        status,
        seen,
        generation=generation,
        high_availability=ha,
        restart_failed=failed_again,
    )
    at = looked(at)
    made = planned(at)
    ahead = [one.status for one in made.steps if isinstance(one, WriteAhead)]
    known = ahead[-1] if ahead else at.status
    for step in made.steps:
        if isinstance(step, SubmitJob):
            assert seen.cluster is not None
            assert seen.cluster.up
            assert step.job_id == known.job_status.job_id
            assert known.job_status.state is FlinkJobState.RECONCILING
            assert known.reconciliation_status.state is ReconciliationState.UPGRADING
            assert seen.rest.state is Rest.ANSWERED or not record.last_reconciled(status)
            live = seen.rest.job(at.status.job_status.job_id)
            assert live is None or live.state.is_terminal
            stateless = recorded_job(known).upgrade_mode is UpgradeMode.STATELESS
            assert step.savepoint_path is None if stateless else True
            assert step.savepoint_path != "KUBERNETES_OPERATOR_LAST_STATE"
        if isinstance(step, CancelJob | StopJob):
            assert ahead or record.is_stopping(at.status)
            assert step.job_id == known.job_status.job_id


@given(SPECS, statuses(), observations(), st.booleans(), st.booleans())
def test_cleanups(spec, status, seen, ha, last_savepoint):
    """A resource is let go only where its job is not left running."""
    at = situation(spec, status, seen, high_availability=ha, savepoint_on_deletion=last_savepoint)
    at = looked(at)
    made = cleanup.cleanup(at)
    assert isinstance(made, Plan)
    released = any(isinstance(step, ReleaseFinalizer) for step in made.steps)
    listed = seen.rest.job(status.job_status.job_id)
    alive = listed is not None and not listed.state.is_terminal
    if released and alive:
        # Nothing else than its resource's own record says that it is down, or its cluster takes it along.
        recorded = record.last_reconciled(at.status)
        assert (
            recorded is None or recorded_job(at.status).state is JobState.SUSPENDED or at.job_ended
        )
