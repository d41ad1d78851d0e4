"""Which savepoints somebody names."""

import pytest
from attrs import evolve
from fakes.deployments import application, session, status_of, with_job

from flinkop.api.status import FlinkDeploymentStatus, JobStatus, Savepoint, SavepointInfo
from flinkop.lifecycle import snapshot_paths


def test_nothing_is_named():
    """By a new resource, and by a session cluster."""
    assert (
        snapshot_paths.named_by_resource(application().job, FlinkDeploymentStatus()) == frozenset()
    )
    cluster = session()
    assert snapshot_paths.named_by_resource(cluster.job, status_of(cluster)) == frozenset()


def test_everything_a_deployment_may_restore_from():
    """The user's spec, the recorded and the stable one, and both paths of the job's status."""
    spec = application(initial_savepoint_path="/wanted")
    status = status_of(with_job(spec, initial_savepoint_path="/recorded"), path="/upgrade")
    stable = status_of(with_job(spec, initial_savepoint_path="/stable"))
    job_status = evolve(
        status.job_status,
        savepoint_info=SavepointInfo(last_savepoint=Savepoint(location="/last")),
    )
    status = evolve(
        status,
        job_status=job_status,
        reconciliation_status=evolve(
            status.reconciliation_status,
            last_stable_spec=stable.reconciliation_status.last_reconciled_spec,
        ),
    )
    assert snapshot_paths.named_by_resource(spec.job, status) == {
        "/wanted",
        "/recorded",
        "/stable",
        "/upgrade",
        "/last",
    }


def test_empty_paths_name_nothing():
    """As they restore nothing."""
    info = SavepointInfo(last_savepoint=Savepoint(location=""))
    job = application(initial_savepoint_path="").job
    assert snapshot_paths.named_paths(JobStatus(savepoint_info=info), job, None) == frozenset()


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/a/savepoint-1", "/a/savepoint-1"),
        ("/a/savepoint-1/", "/a/savepoint-1"),
        ("/a//savepoint-1/_metadata", "/a/savepoint-1"),
        ("/a/savepoint-1/_metadata/", "/a/savepoint-1"),
        ("file:/a/savepoint-1", "/a/savepoint-1"),
        ("file:///a/savepoint-1", "/a/savepoint-1"),
        ("s3://bucket/a/savepoint-1", "/a/savepoint-1"),
        ("s3a://bucket/a/savepoint-1", "/a/savepoint-1"),
        ("abfss://c@x.dfs.core.windows.net:443/a/savepoint-1", "/a/savepoint-1"),
        ("hdfs://namenode:8020/a/savepoint-1", "/a/savepoint-1"),
        ("/a/b:c", "/a/b:c"),
        ("KUBERNETES_OPERATOR_LAST_STATE", "KUBERNETES_OPERATOR_LAST_STATE"),
    ],
)
def test_one_place_written_in_many_ways(path, place):
    """Scheme, host, doubled and trailing slashes and the metadata file make no difference."""
    assert snapshot_paths.place(path) == place
    assert snapshot_paths.places([path, None, ""]) == {place}
