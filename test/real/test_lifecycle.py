"""What a user does with a FlinkDeployment, with real JobManagers, TaskManagers and jobs."""

import pytest
from fakes.flinkuser import FlinkDeployment, job_state
from fakes.realflink import Operator, jobs_of, session, spec
from fakes.realplace import RealPlace

pytestmark = pytest.mark.usefixtures("operator")

_GONE = ("Pod", "Deployment", "ReplicaSet", "Service", "ConfigMap")


def task_managers(cluster: FlinkDeployment) -> int:
    """How many TaskManagers `status.clusterInfo` counts, by memory: each process has as much."""
    return int(cluster.status["clusterInfo"]["total-memory"]) // 2**30 - 1


def test_an_application_from_its_first_day_to_its_last(place: RealPlace) -> None:
    """Created, changed, suspended, resumed, deleted; nothing stays behind."""
    cluster = place.stable(spec())
    status = cluster.status
    assert status["jobStatus"]["state"] == "RUNNING"
    major, minor = spec()["flinkVersion"].removeprefix("v").split("_")
    assert status["clusterInfo"]["flink-version"].startswith(f"{major}.{minor}.")
    assert task_managers(cluster) >= 1
    assert "error" not in status

    former = cluster.uid
    generation = cluster.change(job={"parallelism": 1})
    cluster.wait_new_job_manager(former).wait_stable(generation)

    generation = cluster.change(job={"state": "suspended"})
    cluster.wait_lifecycle("SUSPENDED", generation)
    assert not set(_GONE) & set(cluster.objects())

    generation = cluster.change(job={"state": "running"})
    cluster.wait_stable(generation)
    assert cluster.wait_condition("Ready")["observedGeneration"] == generation

    cluster.delete()
    cluster.wait_nothing_left()


def test_a_session_cluster(place: RealPlace) -> None:
    """STABLE as soon as its JobManager answers; deleted without a trace."""
    cluster = place.stable(session())
    assert cluster.status["jobManagerDeploymentStatus"] == "READY"
    cluster.delete()
    cluster.wait_nothing_left()


def test_a_job_that_ends_by_itself(place: RealPlace) -> None:
    """FINISHED is as good as RUNNING, and the JobManager stays to be asked."""
    cluster = (
        place.create(spec(job={"args": ["--end", "20"], "parallelism": 1}))
        .wait_job("FINISHED")
        .wait_stable()
    )
    assert cluster.job_manager is not None
    assert cluster.status["jobManagerDeploymentStatus"] == "READY"
    cluster.delete()


def test_an_image_that_does_not_exist_is_told_and_mended(place: RealPlace) -> None:
    """What the node says is in status and Event; the next spec has a way out."""
    cluster = place.create(spec(image="localhost:1/no-such-image:1"))
    error = cluster.wait_error("no-such-image")
    assert error["additionalMetadata"]["reason"] in {"ErrImagePull", "ImagePullBackOff"}
    assert cluster.wait_condition("Stalled")["reason"] == "JobManagerFailed"
    cluster.wait_stable(cluster.change(image=spec()["image"]))
    assert "error" not in cluster.status
    cluster.delete()


def test_a_service_account_that_comes_later(place: RealPlace) -> None:
    """Kubernetes refuses the pods, which is told; the cluster starts once the account is there."""
    cluster = place.create(session(serviceAccount="latecomer"))
    assert cluster.wait_error("latecomer")["additionalMetadata"]["reason"] == "FailedCreate"
    accounts = place.core("serviceaccounts")
    place.api.request("POST", accounts, {"metadata": {"name": "latecomer"}})
    cluster.wait_stable()
    assert "error" not in cluster.status
    cluster.delete()


def test_a_main_class_that_is_not_there(place: RealPlace) -> None:
    """The JobManager cannot start, again and again."""
    cluster = place.create(spec(job={"entryClass": "no.such.Main"}))
    error = cluster.wait_error("flink-main-container")
    assert error["additionalMetadata"]["reason"] == "CrashLoopBackOff"
    cluster.delete()
    cluster.wait_nothing_left()


def test_a_jobmanager_that_is_deleted_comes_back(place: RealPlace) -> None:
    """Without HA the job starts anew under its id, and nobody says that it was lost."""
    cluster = place.stable(spec())
    selector = f"app={cluster.name},component=jobmanager"
    (pod,) = place.api.list(place.core("pods"), label_selector=selector)
    place.api.delete(f"{place.core('pods')}/{pod}")
    cluster.until(lambda found: job_state(found) != "RUNNING", what="interrupted")
    cluster.wait_job("RUNNING").wait_stable()
    assert not cluster.events("Missing")
    cluster.delete()


@pytest.mark.parametrize("moment", ["recorded", "deleting", "gone"])
def test_an_operator_killed_in_the_middle_of_a_restart(
    place: RealPlace, operator: Operator, moment: str
) -> None:
    """The next one finishes what was begun: one JobManager, one job, of the newest generation."""
    cluster = place.stable(spec())
    former = cluster.uid
    generation = cluster.change(restartNonce=1)
    if moment == "recorded":
        cluster.until(lambda found: found["status"]["lifecycleState"] == "UPGRADING")
    elif moment == "deleting":
        place.api.until(place.apps("deployments"), lambda found: _is_going(found, cluster.name))
    else:
        cluster.wait_new_job_manager(former)
    operator.kill()
    operator.start()
    cluster.wait_new_job_manager(former).wait_stable(generation)
    (job,) = jobs_of(cluster)
    assert job == {"id": cluster.status["jobStatus"]["jobId"], "status": "RUNNING"}
    cluster.delete()


def _is_going(found: object, name: str) -> bool:
    """Whether the Deployment is being deleted, or gone already."""
    assert isinstance(found, dict)
    return name not in found or "deletionTimestamp" in found[name]["metadata"]
