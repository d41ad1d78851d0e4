"""The job that another resource names: its state, and the way to its Flink (behaviour.md N-1)."""

import pytest
from attrs import evolve
from fakes.caches import FakeCache, custom_object
from fakes.deployments import application, session, status_of

from flinkop.api import codec
from flinkop.api.common import JobState
from flinkop.api.flink_version import FlinkVersion
from flinkop.api.flinkstatesnapshot import JobKind
from flinkop.api.status import FlinkJobState, LifecycleState
from flinkop.config.flink_conf import FlinkConf
from flinkop.config.snapshot import ConfigSnapshot
from flinkop.flink import features
from flinkop.flink.address import Cluster
from flinkop.kube.meta import ObjectKey
from flinkop.stages import references
from flinkop.stages.targets import Access, Target, Targets

BASIC, JOB = ObjectKey("ns", "basic"), ObjectKey("ns", "job")
DEPLOYMENT, SESSION_JOB = JobKind.FLINK_DEPLOYMENT, JobKind.FLINK_SESSION_JOB
SETTINGS = ConfigSnapshot.make(FlinkConf({}), {}, {})
DIRECTORY = "execution.checkpointing.savepoint-dir"


def deployment(spec=None, status=None, name="basic", **metadata):
    spec = application() if spec is None else spec
    return custom_object(
        name,
        spec=spec if isinstance(spec, dict) else codec.encode_spec(spec),
        status=None if status is None else codec.encode_status(status),
        **metadata,
    )


def session_job(status=None, cluster="basic", job=None, **conf):
    spec = {"deploymentName": cluster, "flinkConfiguration": conf, "job": job or {}}
    return custom_object("job", spec=spec, status=status)


def recorded(lifecycle_state, stable):
    status = status_of(application(), job=FlinkJobState.RECONCILING, stable=stable)
    return evolve(status, lifecycle_state=lifecycle_state)


def targets(*deployments, jobs=(), synced=True, jobs_synced=True):
    indexers = {references.BY_CLUSTER: references.cluster_of_session_job}
    return Targets(
        FakeCache(*deployments, synced=synced),
        FakeCache(*jobs, indexers=indexers, synced=jobs_synced),
    )


def access(*deployments, jobs=(), kind=DEPLOYMENT, key=BASIC):
    found = targets(*deployments, jobs=jobs).access(Target(kind, key), SETTINGS)
    assert found is not None
    return found


def test_the_job_of_a_deployment():
    """As its status tells."""
    found = targets(deployment(status=status_of(application(), job_id="a" * 32))).find(
        DEPLOYMENT, BASIC
    )
    assert found is not None
    assert (found.state, found.job_id, found.deleting) == (FlinkJobState.RUNNING, "a" * 32, False)
    assert found.runs
    assert str(found) == "FlinkDeployment basic"


def test_there_is_none():
    """Neither by another kind, nor by another name."""
    one = targets(deployment(), jobs=[session_job()])
    assert one.find(DEPLOYMENT, JOB) is None
    assert one.find(SESSION_JOB, BASIC) is None
    assert one.access(Target(DEPLOYMENT, JOB), SETTINGS) is None
    assert one.access(Target(SESSION_JOB, BASIC), SETTINGS) is None


@pytest.mark.parametrize(
    ("state", "job_id", "runs"),
    [
        (FlinkJobState.RUNNING, "a", True),
        (FlinkJobState.RUNNING, None, False),
        (FlinkJobState.RESTARTING, "a", False),
        (None, "a", False),
    ],
)
def test_a_job_runs_when_it_is_running_and_known(state, job_id, runs):
    """Nothing else lets Flink be asked."""
    assert Target(DEPLOYMENT, BASIC, state=state, job_id=job_id).runs is runs


def test_a_job_of_which_nobody_can_tell():
    """RECONCILING is the operator's own word for that."""
    assert Target(DEPLOYMENT, BASIC, state=FlinkJobState.RECONCILING, job_id="a").may_run
    assert not Target(DEPLOYMENT, BASIC, state=FlinkJobState.RECONCILING).may_run
    assert not Target(DEPLOYMENT, BASIC, state=FlinkJobState.RUNNING, job_id="a").may_run


def test_that_there_is_one_is_known_without_reading_it():
    """Of either kind."""
    one = targets(custom_object(status={"jobStatus": 5}), jobs=[session_job()])
    assert one.exists(DEPLOYMENT, BASIC)
    assert not one.exists(DEPLOYMENT, JOB)
    assert one.exists(SESSION_JOB, JOB)
    assert not one.exists(SESSION_JOB, BASIC)


def test_absence_counts_only_when_all_can_be_seen():
    """For a session job its own cache and that of its cluster."""
    assert targets().are_known(DEPLOYMENT, "ns")
    assert targets(jobs_synced=False).are_known(DEPLOYMENT, "ns")
    assert not targets(jobs_synced=False).are_known(SESSION_JOB, "ns")
    assert not targets(synced=False).are_known(SESSION_JOB, "ns")
    assert not targets(synced=False).are_known(DEPLOYMENT, "ns")


@pytest.mark.parametrize(
    ("spec", "status", "starting"),
    [
        (application(), None, True),
        (application(), {"lifecycle_state": LifecycleState.DEPLOYED, "stable": False}, True),
        (application(), {"lifecycle_state": LifecycleState.UPGRADING, "stable": True}, False),
        (application(), {"lifecycle_state": LifecycleState.FAILED, "stable": False}, False),
        (application(state=JobState.SUSPENDED), None, False),
        (session(), None, False),
        ({"job": 5}, None, False),
    ],
)
def test_a_job_that_starts_for_the_first_time(spec, status, starting):
    """It has not run yet, and nothing says that it never will."""
    made = recorded(**status) if status is not None else None
    found = targets(deployment(spec, made)).find(DEPLOYMENT, BASIC)
    assert found is not None
    assert found.starting is starting


def test_the_way_to_a_deployment():
    """Address, timeout, version and directories from what is deployed, with what is wanted now over it."""
    deployed = application(flink_configuration={"rest.port": "9000", DIRECTORY: "s3://old"})
    wanted = application(
        flink_configuration={
            "rest.port": "7000",
            DIRECTORY: " s3://new ",
            "kubernetes.operator.savepoint.trigger.grace-period": "5 s",
            "kubernetes.operator.checkpoint.trigger.grace-period": "6 s",
        }
    )
    found = access(deployment(wanted, status_of(deployed)))
    assert found == Access(
        Cluster("ns", "basic", port=9000),
        timeout=10.0,
        flink=features.Version(1, 20),
        savepoint_directory="s3://new",
        savepoint_grace=5.0,
        checkpoint_grace=6.0,
    )


def test_the_way_to_one_that_was_never_deployed():
    """By what it wants to be."""
    assert access(deployment(application(flink_configuration={"rest.port": "9"}))).cluster.port == 9


@pytest.mark.parametrize("blank", ["", "  "])
def test_a_blank_directory_is_none(blank):
    """Nobody can write there."""
    spec = application(flink_configuration={DIRECTORY: blank})
    assert access(deployment(spec)).savepoint_directory is None


@pytest.mark.parametrize(
    "wanted",
    [{"flinkConfiguration": "text"}, {"job": 5}, {"flinkConfiguration": {"rest.port": "x"}}],
)
def test_a_wish_that_cannot_be_read_leaves_the_way_open(wanted):
    """What is deployed answers at the address it was deployed with."""
    deployed = application(flink_configuration={"rest.port": "9000", DIRECTORY: "s3://old"})
    found = access(deployment(wanted, status_of(deployed)))
    assert (found.cluster.port, found.savepoint_directory) == (9000, "s3://old")


def test_what_cannot_be_read_at_all_leaves_the_defaults():
    """Its own resource says what is wrong with it."""
    assert access(deployment({"job": 5})) == Access(Cluster("ns", "basic"))
    bad = application(flink_configuration={"rest.port": "x"})
    assert access(deployment(bad)) == Access(Cluster("ns", "basic"), flink=features.Version(1, 20))
    broken = deployment(application(flink_configuration={"rest.port": "9"}))
    status = {"reconciliationStatus": {"lastReconciledSpec": "no json"}}
    odd = custom_object(spec=codec.encode_spec(application()), status=status)
    assert access(odd).cluster.port == 8081
    assert access(broken).cluster.port == 9


def test_the_job_of_a_session_job():
    """Its own state; Flink is its cluster's."""
    status = {"jobStatus": {"state": "RUNNING", "jobId": "b" * 32}}
    cluster = deployment(session(flink_version=FlinkVersion.V1_17))
    one = targets(cluster, jobs=[session_job(status)])
    found = one.find(SESSION_JOB, JOB)
    assert found is not None
    assert (found.runs, found.job_id) == (True, "b" * 32)
    reached = one.access(found, SETTINGS)
    assert reached is not None
    assert reached.cluster == Cluster("ns", "basic")
    assert reached.flink == features.Version(1, 17)


def test_a_session_job_has_its_own_directory_by_any_of_its_names():
    """Its configuration lies over its cluster's, and says nothing about the address."""
    cluster = deployment(session(flink_configuration={DIRECTORY: "s3://cluster"}))
    own = session_job(None, **{"state.savepoints.dir": "s3://job", "rest.port": "1"})
    found = access(cluster, jobs=[own], kind=SESSION_JOB, key=JOB)
    assert (found.savepoint_directory, found.cluster.port) == ("s3://job", 8081)
    plain = access(cluster, jobs=[session_job()], kind=SESSION_JOB, key=JOB)
    assert plain.savepoint_directory == "s3://cluster"
    odd = custom_object("job", spec={"deploymentName": "basic", "job": 5})
    assert access(cluster, jobs=[odd], kind=SESSION_JOB, key=JOB).savepoint_directory


def test_a_session_job_without_its_cluster_cannot_be_reached():
    """Its state is known all the same."""
    status = {"jobStatus": {"state": "RUNNING", "jobId": "b"}}
    for cluster in ("other", None):
        one = targets(jobs=[session_job(status, cluster=cluster)])
        found = one.find(SESSION_JOB, JOB)
        assert found is not None
        assert found.runs
        assert one.access(found, SETTINGS) is None


def test_a_starting_session_job():
    """As for deployments."""
    found = targets(jobs=[session_job(job={"state": "running"})]).find(SESSION_JOB, JOB)
    assert found is not None
    assert found.starting
    odd = custom_object("job", spec={"deploymentName": "basic", "job": 5})
    other = targets(jobs=[odd]).find(SESSION_JOB, JOB)
    assert other is not None
    assert not other.starting


def test_what_is_read_may_be_kept_until_its_version_changes():
    """A change of the job's resource, or of its cluster's, makes another version."""
    one = targets(deployment(session()), jobs=[session_job()])

    def version(kind, key):
        found = one.find(kind, key)
        assert found is not None
        return found.version

    before = version(DEPLOYMENT, BASIC), version(SESSION_JOB, JOB)
    assert (version(DEPLOYMENT, BASIC), version(SESSION_JOB, JOB)) == before
    cache = one.deployments
    assert isinstance(cache, FakeCache)
    cache.put(deployment(session(), generation=2))
    after = version(DEPLOYMENT, BASIC), version(SESSION_JOB, JOB)
    assert after[0] != before[0]
    assert after[1] != before[1]
