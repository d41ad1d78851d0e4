"""What a session job's spec may not say (api.md 4.3)."""

import pytest
from attrs import evolve
from fakes.sessionjobs import JOB, LAST_STATE, STATEFUL, changed, session_job, status_of

from flinkop.api.flinksessionjob import FlinkSessionJobSpec
from flinkop.api.status import FlinkSessionJobStatus
from flinkop.artifacts.terms import Terms
from flinkop.config.flink_conf import FlinkConf
from flinkop.controllers.flinksessionjob import validator

CONF = FlinkConf(
    {
        "execution.checkpointing.dir": "s3://checkpoints",
        "execution.checkpointing.savepoint-dir": "s3://savepoints",
    }
)


def reason(spec, status=None, **more):
    """The reason of the first problem; None when all is well."""
    fields = {"conf": CONF, "terms": Terms(), **more}
    found = validator.first_problem(
        validator.Candidate(spec, status or FlinkSessionJobStatus(), **fields)
    )
    return found.reason if found is not None else None


@pytest.mark.parametrize("spec", [JOB, STATEFUL, LAST_STATE, session_job(jar_uri=None)])
def test_a_good_spec(spec):
    """Also without a jar."""
    assert reason(spec) is None


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        (evolve(JOB, deployment_name=None), "DeploymentNameMissing"),
        (evolve(JOB, deployment_name="Upper"), "InvalidName"),
        (FlinkSessionJobSpec(deployment_name="cluster"), "JobMissing"),
        (session_job(jar_uri="jars/a.jar"), "InvalidUri"),
        (session_job(jar_uri="ftp://jars/a.jar"), "RefusedScheme"),
        (session_job(jar_uri="https://10.0.0.1/a.jar"), "RefusedHost"),
        (session_job(parallelism=0), "ParallelismTooLow"),
    ],
)
def test_what_is_refused(spec, wrong):
    """S1, S2, S4, S5, J7."""
    assert reason(spec) == wrong


def test_a_job_stays_on_its_cluster():
    """S3, once something was reconciled."""
    elsewhere = evolve(JOB, deployment_name="another")
    assert reason(elsewhere) is None
    assert reason(elsewhere, status_of()) == "DeploymentNameChanged"


def test_an_application_takes_no_session_jobs():
    """S6."""
    assert reason(JOB, application=True) == "NoSessionCluster"


def test_state_needs_its_places():
    """S8; unknown while the cluster is."""
    assert reason(STATEFUL, conf=FlinkConf()) == "CheckpointDirectoryMissing"
    assert reason(STATEFUL, conf=None) is None


def test_a_redeployment_needs_a_path():
    """D19, here as well: it would start empty."""
    wanted = changed(STATEFUL, savepoint_redeploy_nonce=1)
    assert reason(wanted, status_of(STATEFUL)) == "SavepointPathMissing"


def test_a_spec_that_would_not_fit_into_the_status():
    """It is recorded twice."""
    assert reason(JOB, size=400_001) == "SpecTooLarge"


def test_configuration_that_cannot_be_read():
    """It is a problem of the spec, not an error."""
    conf = FlinkConf({"job.autoscaler.enabled": "perhaps"})
    assert reason(JOB, conf=conf) == "InvalidConfiguration"
