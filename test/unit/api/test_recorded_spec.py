"""The remembered spec: the reference's own text, byte for byte, and its older generations."""

import pytest

from flinkop.api import recorded_spec
from flinkop.api.common import JobSpec, JobState, ResourceRequirements, TaskManagerSpec
from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.flinksessionjob import FlinkSessionJobSpec
from flinkop.api.recorded_spec import Form
from flinkop.api.wire import DecodeError

APPLICATION = (
    '{"spec":{"job":{"jarURI":"local:///opt/flink/examples/streaming/StateMachineExample.jar",'
    '"parallelism":2,"entryClass":null,"args":["--rps","30"],"state":"suspended",'
    '"savepointTriggerNonce":null,"initialSavepointPath":null,"checkpointTriggerNonce":null,'
    '"upgradeMode":"savepoint","allowNonRestoredState":null,"savepointRedeployNonce":null,'
    '"autoscalerResetNonce":null},"restartNonce":null,"flinkConfiguration":'
    '{"execution.checkpointing.interval":"5s","state.savepoints.dir":"file:///flink-data/savepoints",'
    '"taskmanager.numberOfTaskSlots":"2"},"image":"flink:1.20.5","imagePullPolicy":"IfNotPresent",'
    '"serviceAccount":"flink","flinkVersion":"v1_20","ingress":null,"podTemplate":{"spec":{"containers":'
    '[{"name":"flink-main-container","volumeMounts":[{"mountPath":"/flink-data","name":"data"}]}],'
    '"volumes":[{"hostPath":{"path":"/srv/flink-data","type":"Directory"},"name":"data"}]}},'
    '"jobManager":{"resource":{"cpu":1.0,"memory":"1024m","ephemeralStorage":null},"resources":null,'
    '"replicas":1,"podTemplate":null},"taskManager":{"resource":{"cpu":0.1,"memory":"1024m",'
    '"ephemeralStorage":null},"resources":null,"replicas":null,"podTemplate":null},'
    '"logConfiguration":null,"mode":null},"resource_metadata":'
    '{"apiVersion":"flink.apache.org/v1beta1","firstDeployment":false}}'
)
SESSION = (
    '{"spec":{"job":null,"restartNonce":null,"flinkConfiguration":{"taskmanager.numberOfTaskSlots":"2"},'
    '"image":"flink:2.2.1","imagePullPolicy":null,"serviceAccount":"flink","flinkVersion":"v2_2",'
    '"ingress":{"template":"x","className":null,"annotations":null,"labels":null,'
    '"tls":[{"hosts":["h"]}]},"podTemplate":null,"jobManager":null,"taskManager":{"resource":null,'
    '"resources":{"requests":{"cpu":"1","memory":"2g"}},"replicas":2,"podTemplate":null},'
    '"logConfiguration":null,"mode":"standalone"},"resource_metadata":'
    '{"apiVersion":"flink.apache.org/v1beta1","firstDeployment":true}}'
)
SESSION_JOB = (
    '{"spec":{"job":{"jarURI":"https://x/TestJob.jar","parallelism":1,"entryClass":null,"args":[],'
    '"state":"running","savepointTriggerNonce":null,"initialSavepointPath":null,'
    '"checkpointTriggerNonce":null,"upgradeMode":"stateless","allowNonRestoredState":null,'
    '"savepointRedeployNonce":null,"autoscalerResetNonce":null},"restartNonce":null,'
    '"flinkConfiguration":{},"deploymentName":"real-ses"},"resource_metadata":'
    '{"apiVersion":"flink.apache.org/v1beta1","firstDeployment":true}}'
)


@pytest.mark.parametrize("text", [APPLICATION, SESSION], ids=["application", "session"])
def test_the_text_of_the_reference_comes_back_byte_for_byte(text):
    """Order, nulls, defaults and floats are the reference's."""
    recorded = recorded_spec.decode(text)
    assert recorded_spec.encode(recorded.spec, recorded.first_deployment) == text


def test_the_text_of_a_session_job_comes_back_byte_for_byte():
    """The same for the other kind."""
    recorded = recorded_spec.decode_sessionjob(SESSION_JOB)
    assert recorded.spec.deployment_name == "real-ses"
    assert recorded_spec.encode(recorded.spec, recorded.first_deployment) == SESSION_JOB


def test_nesting_and_types_of_the_configuration_are_kept():
    """`flinkConfiguration` is remembered as the user wrote it."""
    spec = FlinkDeploymentSpec(
        flink_configuration={"a": {"b": 1, "c": [1.5, None, True]}, "d.e": "1"}
    )
    text = recorded_spec.encode(spec, True)
    assert '"flinkConfiguration":{"a":{"b":1,"c":[1.5,null,true]},"d.e":"1"}' in text
    assert recorded_spec.decode(text).spec == spec


def test_the_first_release_wrote_a_bare_spec():
    """No wrapper: metadata is unknown, and the root's apiVersion is not a member of the spec."""
    recorded = recorded_spec.decode(
        '{"apiVersion":"flink.apache.org/v1beta1","image":"flink:1.15","job":{"parallelism":2}}'
    )
    assert recorded.form is Form.BARE
    assert recorded.first_deployment is None
    assert recorded.generation is None
    assert recorded.spec == FlinkDeploymentSpec(image="flink:1.15", job=JobSpec(parallelism=2))
    assert recorded.spec.extra == {}


def test_the_second_generation_carried_a_generation_in_its_metadata():
    """It is read, and not written again; firstDeployment came with 1.2."""
    recorded = recorded_spec.decode(
        '{"spec":{"job":{"state":"suspended"}},"resource_metadata":'
        '{"apiVersion":"flink.apache.org/v1beta1","metadata":{"generation":4}}}'
    )
    assert recorded.form is Form.WITH_METADATA
    assert recorded.generation == 4
    assert recorded.first_deployment is None
    assert recorded.spec.job == JobSpec(state=JobState.SUSPENDED)
    assert "generation" not in recorded_spec.encode(recorded.spec, recorded.first_deployment)


@pytest.mark.parametrize(
    "metadata",
    ["null", "5", '{"metadata":{}}', '{"metadata":null}', '{"metadata":{"generation":true}}'],
)
def test_metadata_that_says_nothing_stops_nothing(metadata):
    """Whatever stands there, the spec beside it counts."""
    recorded = recorded_spec.decode(f'{{"spec":{{"image":"i"}},"resource_metadata":{metadata}}}')
    assert recorded.spec.image == "i"
    assert recorded.first_deployment is None
    assert recorded.generation is None


def test_an_unknown_first_deployment_is_written_as_false():
    """The metadata never holds anything that the reference refuses."""
    text = recorded_spec.encode(FlinkSessionJobSpec(), None)
    assert text.endswith(
        '"resource_metadata":{"apiVersion":"flink.apache.org/v1beta1","firstDeployment":false}}'
    )


def test_resources_are_written_in_the_form_of_kubernetes():
    """Kubernetes' own types leave nulls out."""
    manager = TaskManagerSpec(resources=ResourceRequirements(limits={"cpu": "1"}))
    text = recorded_spec.encode(FlinkDeploymentSpec(task_manager=manager), False)
    assert '"resources":{"limits":{"cpu":"1"}}' in text


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", "p is not JSON"),
        ("[]", "p must be an object"),
        ('{"spec":[],"resource_metadata":{}}', "p.spec must be an object"),
        (
            '{"spec":{"job":{"args":[1]}},"resource_metadata":{}}',
            "p.spec.job.args[0] must be a string",
        ),
        ('{"job":5}', "p.job must be an object"),
    ],
)
def test_what_cannot_be_understood_is_one_typed_error(text, path):
    """The path leads into the remembered text."""
    with pytest.raises(DecodeError) as refused:
        recorded_spec.decode(text, "p")
    assert str(refused.value).startswith(path)
