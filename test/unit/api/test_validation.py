"""The rules for single fields: what each finds, where, and in which words."""

import pytest

from flinkop.api import validation
from flinkop.api.common import IngressSpec, JobSpec, Resource, ResourceRequirements
from flinkop.api.flink_version import FlinkVersion
from flinkop.api.wire import DecodeError


@pytest.mark.parametrize("name", ["a", "a1", "basic-example", "a" * 45, "a-" + "b" * 43])
def test_names_flink_can_use_pass(name):
    """D1: up to 45 characters."""
    assert validation.name_is_invalid(name) is None
    assert validation.deployment_name_is_invalid(name) is None


@pytest.mark.parametrize(
    "name", ["", "A", "1a", "-a", "a-", "a" * 46, "a.b", "a_b", "a\n", "a٢", None]
)
def test_names_flink_cannot_use_are_found(name):
    """D1: full match, ASCII digits only."""
    found = validation.name_is_invalid(name)
    assert found is not None
    assert (found.field_path, found.reason) == ("metadata.name", "InvalidName")
    assert "at most 45" in found.message


def test_a_missing_deployment_name_is_told_apart_from_an_invalid_one():
    """S1: absence is named as such."""
    missing = validation.deployment_name_is_invalid(None)
    invalid = validation.deployment_name_is_invalid("A")
    assert missing is not None
    assert missing.reason == "DeploymentNameMissing"
    assert invalid is not None
    assert invalid.reason == "InvalidName"


def test_required_fields():
    """D2, D20, S2, D8."""
    assert validation.flink_version_is_missing(FlinkVersion.V1_20) is None
    assert validation.flink_version_is_missing(None) is not None
    assert validation.service_account_is_missing("") is None
    assert validation.service_account_is_missing(None) is not None
    assert validation.job_is_missing(JobSpec()) is None
    assert validation.job_is_missing(None) is not None
    assert validation.ingress_template_is_missing(None) is None
    assert validation.ingress_template_is_missing(IngressSpec(template="x")) is None
    assert validation.ingress_template_is_missing(IngressSpec()) is not None


@pytest.mark.parametrize("value", ["text", 5, [], None, True])
def test_a_configuration_that_is_no_object_is_found(value):
    """The API server lets it through."""
    found = validation.flink_configuration_is_no_object(value)
    assert found is not None
    assert found.field_path == "spec.flinkConfiguration"
    assert validation.flink_configuration_is_no_object({}) is None


def test_log_files_that_flink_does_not_read_are_found():
    """D9."""
    assert validation.log_file_is_unknown(None) is None
    assert (
        validation.log_file_is_unknown({"logback-console.xml": "", "log4j-console.properties": ""})
        is None
    )
    found = validation.log_file_is_unknown({"log4j.properties": ""})
    assert found is not None
    assert found.field_path == "spec.logConfiguration[log4j.properties]"
    assert "log4j-console.properties and logback-console.xml" in found.message


def test_replicas_and_parallelism():
    """D13, D16, J6, J7."""
    assert validation.jobmanager_replicas_are_too_few(1) is None
    assert validation.jobmanager_replicas_are_too_few(0) is not None
    assert validation.taskmanager_replicas_are_too_few(None) is None
    assert validation.taskmanager_replicas_are_too_few(-1) is not None
    assert validation.parallelism_is_too_low(JobSpec(parallelism=1), None) is None
    assert validation.parallelism_is_too_low(JobSpec(parallelism=-3), 2) is None
    found = validation.parallelism_is_too_low(JobSpec(parallelism=-3), None)
    assert found is not None
    assert "-3" in found.message


@pytest.mark.parametrize(
    ("nonce", "path", "recorded", "found"),
    [
        (1, None, None, False),
        (None, None, JobSpec(), False),
        (1, None, JobSpec(savepoint_redeploy_nonce=1), False),
        (1, "s3://x", JobSpec(), False),
        (1, " ", JobSpec(), True),
        (2, None, JobSpec(savepoint_redeploy_nonce=1), True),
    ],
)
def test_redeployment_from_a_savepoint_needs_a_path(nonce, path, recorded, found):
    """D19."""
    job = JobSpec(savepoint_redeploy_nonce=nonce, initial_savepoint_path=path)
    assert (validation.redeploy_path_is_missing(job, recorded) is not None) is found


@pytest.mark.parametrize("memory", ["1024m", "1Gi", "0", "1e9"])
def test_readable_resources_pass(memory):
    """4.5: zero memory passes in the deprecated form."""
    resource = Resource(memory=memory, ephemeral_storage="-1Gi")
    assert (
        validation.resource_is_invalid(resource, "JobManager", "spec.jobManager.resource") is None
    )
    assert validation.resource_is_invalid(None, "JobManager", "spec.jobManager.resource") is None


def test_a_fraction_is_refused_with_what_to_write_instead():
    """`1.5Gi` is what people write; the reference refuses it too."""
    found = validation.resource_is_invalid(
        Resource(memory="1.5Gi"), "JobManager", "spec.jobManager.resource"
    )
    assert found is not None
    assert found.field_path == "spec.jobManager.resource.memory"
    assert "write '1536Mi'" in found.message
    decimal = validation.resource_is_invalid(Resource(memory="0.5g"), "JobManager", "x")
    assert decimal is not None
    assert "write '500000000'" in decimal.message


def test_both_faults_of_a_resource_are_told():
    """4.5: texts are joined."""
    found = validation.resource_is_invalid(
        Resource(memory="abc", ephemeral_storage="lots"), "TaskManager", "spec.taskManager.resource"
    )
    assert found is not None
    assert "TaskManager resource.memory: 'abc'" in found.message
    assert "TaskManager resource.ephemeralStorage: 'lots'" in found.message


@pytest.mark.parametrize(
    ("resources", "fault"),
    [
        (None, None),
        (ResourceRequirements(), None),
        (
            ResourceRequirements(
                requests={"cpu": "500m", "memory": "2g"}, limits={"memory": "2048m"}
            ),
            None,
        ),
        (ResourceRequirements(requests={"nvidia.com/gpu": "0"}), None),
        (ResourceRequirements(requests={"memory": "-1"}), "requests[memory]: '-1' is negative"),
        (ResourceRequirements(limits={"memory": "0"}), "limits[memory]: '0' is not positive"),
        (
            ResourceRequirements(limits={"memory": "1.5Gi"}),
            "limits[memory]: '1.5Gi' has a fraction",
        ),
        (ResourceRequirements(requests={"cpu": "0"}), "requests[cpu]: '0' is not positive"),
        (ResourceRequirements(requests={"cpu": "x"}), "requests[cpu]: 'x' is not a quantity"),
        (ResourceRequirements(requests={"gpu": "-1"}), "requests[gpu]: '-1' is negative"),
        (
            ResourceRequirements(requests={"cpu": "2"}, limits={"cpu": "1500m"}),
            "requests[cpu]: the request '2' is above the limit '1500m'",
        ),
        (
            ResourceRequirements(requests={"memory": "3g"}, limits={"memory": "2Gi"}),
            "requests[memory]: the request '3g' is above the limit '2Gi'",
        ),
    ],
)
def test_resources_of_kubernetes_form(resources, fault):
    """4.5: readable, positive, requests within limits, with memory read Flink's way."""
    found = validation.resources_are_invalid(resources, "JobManager", "spec.jobManager.resources")
    if fault is None:
        assert found is None
    else:
        assert found is not None
        assert found.message.startswith(f"JobManager resources.{fault}")
        assert found.field_path == "spec.jobManager.resources." + fault.split(":", 1)[0]


def test_what_could_not_be_decoded_is_a_problem_too():
    """The decoder's error carries path and text."""
    problem = validation.Problem.of(
        DecodeError("spec.job.args[1]", "must be a string, but is null")
    )
    assert problem == validation.Problem(
        "spec.job.args[1]",
        "WrongType",
        "spec.job.args[1] must be a string, but is null: correct the value",
    )
