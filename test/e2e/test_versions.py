"""Every Flink version that the API names deploys and runs."""

import pytest
from fakes.flinkuser import app

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

VERSIONS = [
    "v1_13", "v1_14", "v1_15", "v1_16", "v1_17", "v1_18", "v1_19", "v1_20",
    "v2_0", "v2_1", "v2_2", "v2_3", "v2_4",
]  # fmt: skip


@pytest.fixture(scope="module")
def clusters(shared_place):
    """One application of each version, all created at once."""
    return {version: shared_place.create(app(flinkVersion=version)) for version in VERSIONS}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_job_of_each_version_becomes_stable(clusters, version):
    """The job runs, and its cluster says which version it is."""
    cluster = clusters[version].wait_stable()
    status = cluster.status
    assert status["jobStatus"]["state"] == "RUNNING"
    major, minor = version.removeprefix("v").split("_")
    assert status["clusterInfo"]["flink-version"].startswith(f"{major}.{minor}.")
