"""Plans: total, careful in every situation, and leading home from wherever a crash left things."""

import contextlib

from attrs import evolve
from fakes.clustermodel import BusyError, CrashError, World
from fakes.deployments import (
    answered,
    application,
    job,
    job_manager,
    session,
    situation,
    standalone,
    status_of,
    task_managers,
    with_job,
)
from fakes.plans import cleaned, planned
from hypothesis import example, given, settings, strategies as st

from flinkop.api.common import JobState, KubernetesDeploymentMode, UpgradeMode
from flinkop.api.status import (
    FlinkDeploymentStatus,
    FlinkJobState,
    JobManagerDeploymentStatus as JobManager,
    LifecycleState,
    ReconciliationState,
)
from flinkop.controllers.flinkdeployment import progress
from flinkop.controllers.flinkdeployment.assessed import Subject
from flinkop.controllers.flinkdeployment.observation import (
    Observation,
    PodFailure,
)
from flinkop.controllers.flinkdeployment.planning import steps
from flinkop.controllers.jobs.facts import (
    JobFailure,
    Rest,
    RestFacts,
)
from flinkop.flink.interpret import FailureCause
from flinkop.flink.states import JobState as FlinkState
from flinkop.lifecycle import record, state

OURS, OTHER = "0" * 31 + "a", "f" * 32

# --- any situation at all

modes = st.sampled_from([lambda spec: spec, standalone])
native_specs = st.builds(
    application,
    image=st.sampled_from(["a", "b"]),
    state=st.sampled_from(JobState),
    upgrade_mode=st.sampled_from(UpgradeMode),
    initial_savepoint_path=st.sampled_from([None, "s3://s"]),
    savepoint_redeploy_nonce=st.sampled_from([None, 1]),
) | st.builds(session, image=st.sampled_from(["a", "b"]))
specs = st.builds(lambda mode, spec: mode(spec), modes, native_specs)
recorded_statuses = st.builds(
    status_of,
    specs,
    generation=st.integers(1, 3),
    state=st.sampled_from(ReconciliationState),
    recorded_state=st.sampled_from(JobState),
    mode=st.sampled_from(UpgradeMode),
    first=st.booleans(),
    stable=st.booleans(),
    job=st.sampled_from([None, *FlinkJobState]),
    job_id=st.sampled_from([None, OURS]),
    job_manager=st.sampled_from(JobManager),
    error=st.sampled_from([None, "Job Not Found", "{}"]),
    path=st.sampled_from([None, "s3://p"]),
)
statuses = st.just(FlinkDeploymentStatus()) | recorded_statuses
managers = st.none() | st.builds(
    job_manager,
    st.integers(-1, 3),
    ours=st.booleans(),
    deleting=st.booleans(),
    available=st.booleans(),
    available_for=st.sampled_from([0.0, 100.0]),
    replica_failure=st.sampled_from([None, "quota"]),
)
jobs = st.builds(
    job, st.sampled_from(FlinkState), st.sampled_from([OURS, OTHER]), running=st.integers(0, 2)
)
answers = st.sampled_from([RestFacts(), RestFacts(Rest.ABSENT), RestFacts(Rest.FAILED)]) | (
    st.builds(
        lambda jobs, failure, info: answered(*jobs, job_failure=failure, cluster_info=info),
        st.lists(jobs, max_size=2),
        st.sampled_from([None, JobFailure((FailureCause("a: b", "b"), FailureCause("c", "c")))]),
        st.sampled_from([None, {"state-size": "5"}]),
    )
)
observations = st.builds(
    Observation,
    job_manager=managers,
    task_managers=st.none()
    | st.builds(task_managers, st.integers(1, 3), ours=st.booleans(), deleting=st.booleans()),
    pods=st.booleans(),
    pod_failure=st.sampled_from(
        [None, PodFailure("ErrImagePull", "x"), PodFailure("Unschedulable", "x", fatal=False)]
    ),
    rest=answers,
    session_jobs=st.sampled_from([(), ("a",)]),
    has_ingress=st.booleans(),
)


@st.composite
def situations(draw):
    """Any status, facts and spec; the status is as the observation leaves it."""
    spec, observation = draw(specs), draw(observations)
    before = draw(statuses)
    recorded = record.last_reconciled(before)
    if recorded is not None and _kind(recorded.spec) != _kind(spec):
        spec = recorded.spec  # the validator does not let a cluster change its kind
    at = situation(spec, before)
    status = progress.assess(Subject(before, observation, spec, at.now)).status
    return situation(
        spec,
        status,
        observation,
        generation=draw(st.integers(1, 3)),
        high_availability=draw(st.booleans()),
        reactive=draw(st.booleans()),
        task_managers=draw(st.integers(1, 3)),
        recovery=draw(st.booleans()),
        savepoint_on_deletion=draw(st.booleans()),
        manage_ingress=draw(st.booleans()),
        user_mode=draw(st.sampled_from(UpgradeMode)),
    )


def _kind(spec):
    return spec.job is None, spec.effective_mode


def steps_of(made, kind):
    return [s for s in made.steps if isinstance(s, kind)]


@given(situations())
def test_every_situation_has_a_plan(at):
    """No exception, a reason in words, a next look unless nothing is left, a status that sums up."""
    for made in (planned(at), cleaned(at)):
        assert made.reason
        assert made.wait in vars(steps.Wait).values()
        summed = state.summarize(made.status, generation=1, now="t", stall=made.stall)
        assert summed.lifecycle_state is not None
        assert {c.type for c in summed.conditions} >= {"Ready", "Reconciling", "Stalled"}
        truths = {c.type: c.status for c in summed.conditions}
        assert truths["Ready"] == "False" or truths["Reconciling"] == "False"


@given(situations())
def test_nothing_is_submitted_beside_an_old_cluster(at):
    """Only when none is there, or the one of this very generation that nobody is deleting."""
    facts, workers = at.observation.job_manager, at.observation.task_managers
    for submit in steps_of(planned(at), steps.Submit):
        assert facts is None or (
            facts.ours and not facts.deleting and facts.generation == submit.generation
        )
        assert facts is not None or workers is None or not workers.ours


ALONE = (steps.Submit, steps.DeleteHaMetadata, steps.DropJobGraphs, steps.ReleaseFinalizer)


@given(situations())
def test_nothing_is_begun_beside_the_remains_of_a_cluster(at):
    """Not before the API server says that nothing is left, and never with pods in the cache."""
    if at.observation.job_manager is not None:
        return
    known = record.last_reconciled(at.status) is not None
    for made in (planned(at, remains=True), cleaned(at, remains=True)):
        begun = [kind for kind in ALONE if steps_of(made, kind)]
        assert not begun or not (known or at.observation.pods)
    if at.observation.pods:
        assert not steps_of(planned(at), steps.Submit)


@given(situations())
def test_taskmanagers_end_with_or_after_their_jobmanager(at):
    """Never before it, and with HA only when it is gone: it could give its job up without them."""
    facts = at.observation.job_manager
    for made in (planned(at), cleaned(at)):
        if steps_of(made, steps.DeleteTaskManagers) and facts is not None and facts.ours:
            assert steps_of(made, steps.DeleteCluster)
            assert not at.options.high_availability


@given(situations())
def test_taskmanagers_are_made_and_scaled_beside_a_jobmanager(at):
    """One that stays, and only in a standalone cluster."""
    facts = at.observation.job_manager
    made = planned(at)
    for step in (
        *steps_of(made, steps.RestoreTaskManagers),
        *steps_of(made, steps.ScaleTaskManagers),
    ):
        assert facts is not None
        assert facts.ours
        assert not facts.deleting
        assert at.spec.effective_mode is KubernetesDeploymentMode.STANDALONE
        assert (at.observation.task_managers is None) is isinstance(step, steps.RestoreTaskManagers)


@given(situations())
def test_the_deed_follows_the_word(at):
    """A job id and a generation are durable before they are submitted, an upgrade before it deletes."""
    made = planned(at)
    durable = at.status
    for step in made.steps:
        match step:
            case steps.WriteAhead(status):
                durable = status
            case steps.Submit():
                assert step.job_id == durable.job_status.job_id or at.spec.job is None
                assert step.generation == durable.observed_generation
            case steps.DeleteCluster() | steps.CancelJob():
                recon = durable.reconciliation_status.state
                moving = recon in (ReconciliationState.UPGRADING, ReconciliationState.ROLLING_BACK)
                given_up = durable.job_manager_deployment_status is JobManager.MISSING
                assert moving or given_up or record.last_reconciled(durable) is None
            case _:
                pass


@given(situations())
def test_others_belongings_are_not_touched(at):
    """A Deployment of somebody else is neither deleted nor built over."""
    facts, workers = at.observation.job_manager, at.observation.task_managers
    standalone = at.spec.effective_mode is KubernetesDeploymentMode.STANDALONE
    for made in (planned(at), cleaned(at)):
        if facts is not None and not facts.ours:
            assert not steps_of(made, steps.DeleteCluster)
            assert not steps_of(made, steps.Submit)
        if workers is not None and not workers.ours:
            assert not steps_of(made, steps.DeleteTaskManagers)
            assert not steps_of(made, steps.Submit) or not standalone


@given(situations())
def test_a_resource_goes_only_when_nothing_of_it_is_left(at):
    """The finalizer is released last, and alone."""
    made = cleaned(at)
    seen = at.observation
    ours = [facts for facts in (seen.job_manager, seen.task_managers) if facts and facts.ours]
    released = bool(steps_of(made, steps.ReleaseFinalizer))
    pods = seen.pods and seen.job_manager is None
    assert released is not bool(ours or pods)
    assert not steps_of(made, steps.Submit)
    if released:
        assert isinstance(made.steps[-1], steps.ReleaseFinalizer)


# --- a life in a model

actions = st.one_of(
    st.tuples(st.just("image"), st.sampled_from(["a", "b", "c"])),
    st.tuples(st.just("want"), st.sampled_from(JobState)),
    st.tuples(st.just("mode"), st.sampled_from(UpgradeMode)),
    st.tuples(st.just("crash"), st.integers(0, 6)),
    st.tuples(st.just("late"), st.integers(0, 6)),
    st.tuples(st.just("reconcile"), st.none()),
    st.tuples(st.just("half"), st.none()),
    st.tuples(st.just("gone"), st.sampled_from(["cluster", "workers"])),
    st.tuples(st.just("starts"), st.none()),
    st.tuples(st.just("vanishes"), st.sampled_from(["cluster", "workers"])),
    st.tuples(
        st.just("job"),
        st.sampled_from(["RUNNING", "CANCELED", "RESTARTING", "FAILED", "FINISHED"]),
    ),
)
worlds = st.builds(
    World,
    spec=st.builds(
        lambda mode, spec: mode(spec),
        modes,
        st.sampled_from([application(), session(), application(initial_savepoint_path="s3://s")]),
    ),
    high_availability=st.booleans(),
)


def attempt(world, **options):
    """Let an operator reconcile, which may die or find the name taken."""
    with contextlib.suppress(CrashError, BusyError):
        world.reconcile(**options)


def act(world, name, value):
    """Let one thing happen."""
    match name:
        case "image":
            world.change(evolve(world.spec, image=value))
        case "want":
            world.change(with_job(world.spec, state=value))
        case "mode":
            world.user_mode = value
        case "crash":
            attempt(world, crash_after=value)
        case "late":
            # Only what was made a moment ago may be missing from a cache (T-42).
            fresh = world.cluster is not None and not world.cluster.available
            attempt(world, crash_after=value, late_cache=fresh)
        case "reconcile" | "half":
            attempt(world, half_submit=name == "half")
        case "gone":
            world.delete_completes(value)
        case "starts":
            world.starts()
        case "vanishes":
            # Without its JobManager its state would have to be restored: not yet.
            if value == "workers" or not world.high_availability:
                world.vanishes(value)
        case _:
            world.job_becomes(FlinkState(value))


def settle(world, rounds=8):
    """Let everything go its way: no more crashes, no more changes, Kubernetes and Flink do their part."""
    world.user_mode = UpgradeMode.STATELESS
    for _ in range(rounds):
        attempt(world)
        world.delete_completes("cluster")
        world.delete_completes("workers")
        world.starts()
        world.job_becomes(FlinkState.RUNNING)


@settings(deadline=None)
@given(worlds, st.lists(actions, max_size=14))
@example(World(), [("crash", 3), ("late", 6)])
@example(World(), [("reconcile", None), ("starts", None), ("job", "CANCELED"), ("crash", 3)])
def test_every_life_ends_well(world, happenings):
    """Whatever happened, what the user wants is there in the end, once, and all that was done was allowed."""
    for name, value in happenings:
        act(world, name, value)
        assert world.broken == []
    settle(world)
    assert world.broken == []
    lifecycle, cluster = world.status.lifecycle_state, world.cluster
    if world.spec.job is not None and world.spec.job.state is JobState.SUSPENDED:
        assert cluster is None
        assert world.workers is None
        assert lifecycle in (LifecycleState.SUSPENDED, LifecycleState.CREATED)
        return
    ended = world.status.job_status.state
    if cluster is None:  # nobody starts a job again that has ended by itself
        assert ended in (FlinkJobState.FINISHED, FlinkJobState.FAILED) or world.spec.job is None
        return
    failed = world.spec.job is not None and ended is FlinkJobState.FAILED
    assert lifecycle is (LifecycleState.FAILED if failed else LifecycleState.STABLE)
    assert cluster.image == world.spec.image
    assert world.workers is None or world.workers.image == cluster.image
    if world.is_standalone and not failed and ended is not FlinkJobState.FINISHED:
        assert world.workers is not None
    assert cluster.job_id == world.status.job_status.job_id
    assert world.status.observed_generation == world.generation


@settings(deadline=None)
@given(worlds, st.lists(actions, max_size=10))
def test_what_has_settled_costs_no_write(world, happenings):
    """An idle interval changes nothing."""
    for name, value in happenings:
        act(world, name, value)
    settle(world)
    before = world.writes
    made = world.reconcile()
    assert world.writes == before
    suspended = world.spec.job is not None and world.spec.job.state is JobState.SUSPENDED
    assert not steps_of(made, steps.Submit)
    assert not made.steps or suspended  # a suspended job's change is told once per generation


def test_a_standalone_life():
    """Both Deployments come and go; no new JobManager comes before the old TaskManagers are gone."""
    world = World(standalone(application()), high_availability=True)
    settle(world)
    old = world.workers
    assert old is not None
    world.change(evolve(world.spec, image="b"))
    attempt(world)
    world.delete_completes("cluster")
    for _ in range(2):
        attempt(world)
        assert world.cluster is None
        assert (world.workers, old.deleting) == (old, True)
    settle(world)
    assert world.workers is not old
    assert world.broken == []


def test_a_plain_life_takes_few_writes():
    """First deployment: two writes and one per visible state; an upgrade adds two before it starts."""
    world = World()
    world.reconcile()
    assert world.writes == 2
    settle(world)
    assert world.writes <= 4
    before = world.writes
    world.change(evolve(world.spec, image="b"))
    world.reconcile()
    world.delete_completes("cluster")
    world.reconcile()
    assert world.writes - before == 2
