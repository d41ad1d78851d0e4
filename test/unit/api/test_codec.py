"""Reading and writing specs and statuses: names, defaults, unknown members, error paths."""

from types import MappingProxyType

import msgspec
import pytest

from flinkop.api import codec, common, recorded_spec, status
from flinkop.api.flink_version import FlinkVersion
from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.flinksessionjob import FlinkSessionJobSpec
from flinkop.api.wire import DecodeError

FULL = {
    "job": {
        "jarURI": "local:///opt/job.jar",
        "parallelism": 2,
        "entryClass": "x.Main",
        "args": ["--a", "b"],
        "state": "suspended",
        "savepointTriggerNonce": 1,
        "initialSavepointPath": "s3://a",
        "checkpointTriggerNonce": 2,
        "upgradeMode": "last-state",
        "allowNonRestoredState": False,
        "savepointRedeployNonce": 3,
        "autoscalerResetNonce": 4,
    },
    "restartNonce": 9007199254740993,
    "flinkConfiguration": {"a": {"b": [1, None, 2.5]}, "c.d": "e"},
    "image": "flink:2.2",
    "imagePullPolicy": "Always",
    "serviceAccount": "flink",
    "flinkVersion": "v2_2",
    "ingress": {
        "template": "{{name}}.example.com",
        "className": "nginx",
        "annotations": {"a": "b"},
        "labels": {"c": "d"},
        "tls": [{"hosts": ["h"], "secretName": "s"}],
    },
    "podTemplate": {"spec": {"containers": [{"name": "x", "unknown": 1}]}},
    "jobManager": {
        "resource": {"cpu": 0.5, "memory": "2048m", "ephemeralStorage": "1Gi"},
        "replicas": 2,
        "podTemplate": {"metadata": {"labels": {"a": "b"}}},
    },
    "taskManager": {
        "resources": {
            "claims": [{"name": "gpu"}],
            "limits": {"memory": "4g"},
            "requests": {"cpu": "1", "memory": "2g"},
        },
        "replicas": 3,
        "podTemplate": {},
    },
    "logConfiguration": {"log4j-console.properties": "x = y"},
    "mode": "standalone",
}


def test_every_member_survives_reading_and_writing():
    """What is written equals what was read, in the same order."""
    written = codec.encode_spec(codec.decode_flinkdeployment_spec(msgspec.json.encode(FULL)))
    assert msgspec.json.encode(written) == msgspec.json.encode(FULL)


def test_values_have_their_types():
    """Enumerations, tuples and numbers arrive as such."""
    spec = codec.decode_flinkdeployment_spec(FULL)
    assert spec.flink_version is FlinkVersion.V2_2
    assert spec.mode is common.KubernetesDeploymentMode.STANDALONE
    assert spec.job is not None
    assert spec.job.upgrade_mode is common.UpgradeMode.LAST_STATE
    assert spec.job.state is common.JobState.SUSPENDED
    assert spec.job.args == ("--a", "b")


@pytest.mark.parametrize(
    "raw", [None, b"", b"null", b"{}", {}, msgspec.Raw(b"{}"), memoryview(b"{}"), b'{"job":null}']
)
def test_absent_documents_are_empty_specs(raw):
    """A resource without a spec, such as a canary, is legal."""
    assert codec.decode_flinkdeployment_spec(raw) == FlinkDeploymentSpec()


def test_defaults_are_those_of_the_reference():
    """`api.md` 2.4."""
    job = codec.decode_flinksessionjob_spec(b'{"job":{"args":null,"state":null}}').job
    assert job == common.JobSpec(
        args=(),
        state=common.JobState.RUNNING,
        upgrade_mode=common.UpgradeMode.STATELESS,
        parallelism=0,
    )
    manager = codec.decode_flinkdeployment_spec(b'{"jobManager":{}}').job_manager
    assert manager == common.JobManagerSpec(replicas=1)
    assert codec.decode_flinkdeployment_spec(b"{}").flink_configuration == {}


def test_presence_of_empty_objects_is_kept():
    """`jobManager: {}` differs from no `jobManager`, because the diff says so."""
    spec = codec.decode_flinkdeployment_spec(b'{"jobManager":{},"ingress":{}}')
    assert codec.encode_spec(spec) == {"jobManager": {}, "ingress": {}}


def test_unknown_members_are_kept_and_do_not_count_in_comparisons():
    """Members of later versions are given back as they came."""
    document = {"future": {"x": None}, "job": {"later": [1], "parallelism": 1}}
    spec = codec.decode_flinkdeployment_spec(document)
    assert codec.encode_spec(spec) == {
        "job": {"parallelism": 1, "later": [1]},
        "future": {"x": None},
    }
    assert spec == codec.decode_flinkdeployment_spec({"job": {"parallelism": 1}})


@pytest.mark.parametrize("value", ["text", 5, [1, 2], True, {"a": None}])
def test_any_flink_configuration_is_carried(value):
    """The API server lets any JSON value through; the validator reports it, not the decoder."""
    assert (
        codec.decode_flinkdeployment_spec({"flinkConfiguration": value}).flink_configuration
        == value
    )


@pytest.mark.parametrize("levels", [65, 500, 100_000])
def test_absurd_nesting_is_one_typed_error(levels):
    """Neither parsing nor anything after it may run out of stack."""
    nested = b'{"flinkConfiguration":' + b'{"a":' * levels + b"1" + b"}" * levels + b"}"
    with pytest.raises(DecodeError, match="nested"):
        codec.decode_flinkdeployment_spec(nested)
    with pytest.raises(DecodeError, match="nested"):
        recorded_spec.decode(nested.decode())


def test_reasonable_nesting_is_carried():
    """Every real option is far below the limit."""
    value: object = 1
    for _ in range(60):
        value = {"a": [value]} if isinstance(value, int) else {"a": value}
    assert (
        codec.decode_flinkdeployment_spec({"flinkConfiguration": value}).flink_configuration
        == value
    )


def test_integers_in_either_json_spelling_are_read():
    """`2` and `2.0` are one JSON number; quantities may be integers."""
    spec = codec.decode_flinkdeployment_spec(
        b'{"restartNonce":2.0,"jobManager":{"resource":{"cpu":1},"resources":{"requests":{"cpu":1}}}}'
    )
    assert spec.restart_nonce == 2
    assert spec.job_manager is not None
    assert spec.job_manager.resource == common.Resource(cpu=1.0)
    assert spec.job_manager.resources == common.ResourceRequirements(requests={"cpu": "1"})


WRONG = [
    ({"job": []}, "spec.job", "an object", "a list"),
    ({"job": {"args": "x"}}, "spec.job.args", "a list", "a string ('x')"),
    ({"job": {"args": ["a", 5]}}, "spec.job.args[1]", "a string", "an integer (5)"),
    ({"job": {"jarURI": 5}}, "spec.job.jarURI", "a string", "an integer (5)"),
    ({"job": {"parallelism": "2"}}, "spec.job.parallelism", "an integer", "a string ('2')"),
    ({"job": {"parallelism": 1.5}}, "spec.job.parallelism", "an integer", "a number (1.5)"),
    ({"job": {"parallelism": True}}, "spec.job.parallelism", "an integer", "a boolean (true)"),
    ({"job": {"allowNonRestoredState": 1}}, "spec.job.allowNonRestoredState", "true or false", "1"),
    ({"job": {"state": "paused"}}, "spec.job.state", "running, suspended", "'paused'"),
    ({"job": {"upgradeMode": []}}, "spec.job.upgradeMode", "savepoint, last-state", "a list"),
    ({"flinkVersion": "v9_9"}, "spec.flinkVersion", "v2_4", "'v9_9'"),
    ({"mode": "hybrid"}, "spec.mode", "native, standalone", "'hybrid'"),
    ({"image": {}}, "spec.image", "a string", "an object"),
    ({"podTemplate": "x"}, "spec.podTemplate", "an object", "a string"),
    ({"taskManager": {"podTemplate": 1}}, "spec.taskManager.podTemplate", "an object", "1"),
    (
        {"jobManager": {"resource": {"cpu": "500m"}}},
        "spec.jobManager.resource.cpu",
        "a number",
        "'500m'",
    ),
    (
        {"jobManager": {"resources": {"limits": {"cpu": 1.5}}}},
        "spec.jobManager.resources.limits[cpu]",
        "a quantity",
        "1.5",
    ),
    (
        {"jobManager": {"resources": {"claims": [1]}}},
        "spec.jobManager.resources.claims[0]",
        "an object",
        "1",
    ),
    ({"logConfiguration": {"a.b": 1}}, "spec.logConfiguration[a.b]", "a string", "1"),
    ({"logConfiguration": []}, "spec.logConfiguration", "an object", "a list"),
    ({"ingress": {"tls": [{}, {"hosts": [1]}]}}, "spec.ingress.tls[1].hosts[0]", "a string", "1"),
    ({"ingress": {"tls": [{}, "x"]}}, "spec.ingress.tls[1]", "an object", "'x'"),
    ([], "spec", "an object", "a list"),
]


@pytest.mark.parametrize(("document", "path", "expected", "found"), WRONG)
def test_wrong_types_are_reported_with_their_exact_path(document, path, expected, found):
    """One typed error says where, what is expected and what is there."""
    with pytest.raises(DecodeError) as refused:
        codec.decode_flinkdeployment_spec(msgspec.json.encode(document))
    assert refused.value.path == path
    assert expected in refused.value.message
    assert found in refused.value.message
    assert str(refused.value) == f"{path} {refused.value.message}"


@pytest.mark.parametrize("raw", [b"{", b"\xff", b'{"a":"\xff"}', b"{} x"])
def test_what_is_no_json_is_one_typed_error(raw):
    """Broken bytes raise DecodeError as well."""
    with pytest.raises(DecodeError, match="spec is not JSON"):
        codec.decode_flinkdeployment_spec(raw)


def test_numbers_beyond_any_double_are_refused():
    """An absurd cpu is a typed error, not an OverflowError."""
    with pytest.raises(DecodeError, match=r"spec\.jobManager\.resource\.cpu"):
        codec.decode_flinkdeployment_spec({"jobManager": {"resource": {"cpu": 10**400}}})


def test_an_absent_status_is_the_initial_one():
    """`behaviour.md` 0.1: never None."""
    initial = codec.decode_flinkdeployment_status(None)
    assert initial.job_manager_deployment_status is status.JobManagerDeploymentStatus.MISSING
    assert initial.reconciliation_status.state is status.ReconciliationState.UPGRADING
    assert initial.lifecycle_state is status.LifecycleState.CREATED
    assert initial.job_status.state is None
    assert codec.decode_flinksessionjob_status(b"{}") == status.FlinkSessionJobStatus()


def test_a_status_is_written_without_nulls_in_the_order_of_the_reference():
    """`api.md` 3.2."""
    written = codec.encode_status(
        status.FlinkDeploymentStatus(
            error="x",
            observed_generation=1,
            task_manager=status.TaskManagerInfo(label_selector="", replicas=0),
            conditions=(status.Condition(type="Running", status="True"),),
        )
    )
    assert list(written) == [
        "jobStatus",
        "error",
        "observedGeneration",
        "lifecycleState",
        "clusterInfo",
        "jobManagerDeploymentStatus",
        "reconciliationStatus",
        "taskManager",
        "conditions",
    ]
    assert written["taskManager"] == {"labelSelector": "", "replicas": 0}
    assert written["conditions"] == [{"status": "True", "type": "Running"}]
    assert written["jobStatus"] == {}
    assert written["reconciliationStatus"] == {"reconciliationTimestamp": 0, "state": "UPGRADING"}


def test_a_recorded_status_reads_and_writes_back():
    """A status of the reference comes back member by member."""
    document = {
        "jobStatus": {
            "jobName": "State machine job",
            "jobId": "768738f297cf7ad278658058b1c5ba5e",
            "state": "RUNNING",
            "startTime": "1795352545908",
            "updateTime": "1795352567823",
            "savepointInfo": {
                "lastSavepoint": {
                    "timeStamp": 5,
                    "location": "s3://x",
                    "triggerType": "MANUAL",
                    "formatType": "NATIVE",
                    "triggerNonce": 3,
                },
                "savepointHistory": [],
                "lastPeriodicSavepointTimestamp": 0,
            },
            "checkpointInfo": {"lastPeriodicCheckpointTimestamp": 0},
        },
        "observedGeneration": 1,
        "lifecycleState": "STABLE",
        "clusterInfo": {"flink-version": "1.20.5"},
        "jobManagerDeploymentStatus": "READY",
        "reconciliationStatus": {
            "reconciliationTimestamp": 1795352500000,
            "lastReconciledSpec": "{}",
            "state": "DEPLOYED",
        },
        "taskManager": {"labelSelector": "component=taskmanager,app=x", "replicas": 1},
        "conditions": [],
    }
    written = codec.encode_status(codec.decode_flinkdeployment_status(document))
    assert msgspec.json.encode(written) == msgspec.json.encode(document)


def test_statuses_are_read_leniently_where_nothing_depends_on_it():
    """Derived words of later versions and integers for times stop nothing."""
    read = codec.decode_flinkdeployment_status(
        {"lifecycleState": "PAUSED", "jobStatus": {"startTime": 5, "state": None}, "later": 1}
    )
    assert read.lifecycle_state is None
    assert read.job_status.start_time == "5"
    assert codec.encode_status(read)["later"] == 1


def test_a_status_that_decides_about_state_is_not_guessed():
    """An unknown reconciliation state is reported instead of read as the default."""
    with pytest.raises(DecodeError, match=r"status\.reconciliationStatus\.state must be one of"):
        codec.decode_flinkdeployment_status({"reconciliationStatus": {"state": "SIDEWAYS"}})


def test_session_jobs_are_read_with_the_same_rules():
    """The session job's own member and the shared ones."""
    spec = codec.decode_flinksessionjob_spec(
        {"deploymentName": "c", "job": {"jarURI": "https://x/y.jar"}}
    )
    assert spec == FlinkSessionJobSpec(
        deployment_name="c", job=common.JobSpec(jar_uri="https://x/y.jar")
    )


def test_writing_takes_other_mappings_too():
    """Code may hand in any mapping; raw members of the wire are plain dicts."""
    spec = FlinkDeploymentSpec(log_configuration=MappingProxyType({"a": "b"}))
    assert codec.encode_spec(spec) == {"logConfiguration": {"a": "b"}}
    assert common.ResourceRequirements(limits={"cpu": "1"}).in_effect
    assert not common.ResourceRequirements(requests={}).in_effect
    assert status.FlinkJobState.FAILED.is_terminal
    assert not status.FlinkJobState.SUSPENDED.is_terminal
