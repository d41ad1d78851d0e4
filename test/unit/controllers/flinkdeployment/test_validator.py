"""Rules D1 to D21 and J1 to J7, each once broken and once kept (api.md 4.2)."""

import pytest
from attrs import evolve
from fakes.deployments import application, session, status_of, with_job

from flinkop.api.common import (
    IngressSpec,
    JobManagerSpec,
    JobState,
    KubernetesDeploymentMode,
    Resource,
    ResourceRequirements,
    TaskManagerSpec,
    UpgradeMode,
)
from flinkop.api.flink_version import FlinkVersion
from flinkop.api.status import FlinkDeploymentStatus
from flinkop.builders.identity import ClusterIdentity
from flinkop.config import flatten
from flinkop.config.flink_conf import FlinkConf
from flinkop.controllers.flinkdeployment import validator

K = "kubernetes.operator."
MEMORY = Resource(memory="1g")
APP = evolve(
    application(),
    job_manager=JobManagerSpec(resource=MEMORY),
    task_manager=TaskManagerSpec(resource=MEMORY),
)
SESSION = evolve(APP, job=None)
HA = {"high-availability.type": "kubernetes", "high-availability.storageDir": "s3://h"}


def first(spec, status=None, *, name="basic", size=0, base=None):
    own = flatten.flatten(spec.flink_configuration)
    return validator.first_problem(
        validator.Candidate(
            identity=ClusterIdentity("ns", name, "uid", 1),
            spec=spec,
            status=status or FlinkDeploymentStatus(),
            conf=FlinkConf(base or {}).with_(own),
            size=size,
        )
    )


def placed(spec, part, value):
    """Return `spec` with another job_manager or task_manager."""
    if part == "job_manager":
        return evolve(spec, job_manager=value)
    return evolve(spec, task_manager=value)


def having(entries, spec=APP):
    return evolve(spec, flink_configuration=entries)


def reason(*args, **kwargs):
    problem = first(*args, **kwargs)
    return problem.reason if problem else None


@pytest.mark.parametrize("spec", [APP, SESSION, having(HA)])
def test_a_good_spec_has_no_problem(spec):
    """All rules kept."""
    assert first(spec) is None
    assert first(spec, status_of(spec)) is None


@pytest.mark.parametrize("version", list(FlinkVersion))
def test_every_known_version_is_accepted(version):
    """D3 is not kept on purpose: 1.13 and 1.14 run too."""
    assert first(evolve(APP, flink_version=version)) is None


def test_names():
    """D1."""
    assert reason(APP, name="Basic") == "InvalidName"
    assert reason(APP, name="b" * 45) is None
    assert reason(APP, name="b" * 46) == "InvalidName"


def test_a_version_is_needed():
    """D2."""
    assert reason(evolve(APP, flink_version=None)) == "FlinkVersionMissing"


@pytest.mark.parametrize(
    ("recorded_state", "recorded_mode", "version", "mode", "broken"),
    [
        ("suspended", "last-state", "v1_19", "last-state", True),
        ("suspended", "last-state", "v1_19", "savepoint", True),
        ("suspended", "last-state", "v1_19", "stateless", False),
        ("suspended", "last-state", "v1_20", "last-state", False),
        ("suspended", "savepoint", "v1_19", "last-state", False),
        ("running", "last-state", "v1_19", "last-state", False),
    ],
)
def test_no_version_change_after_a_suspension_with_last_state(
    recorded_state, recorded_mode, version, mode, broken
):
    """D4: what the metadata was written with has to read it."""
    status = status_of(
        evolve(APP, flink_version=FlinkVersion(version)),
        recorded_state=JobState(recorded_state),
        mode=UpgradeMode(recorded_mode),
    )
    dirs = {"state.checkpoints.dir": "s3://c", "state.savepoints.dir": "s3://s"}
    spec = having(dirs, with_job(APP, upgrade_mode=UpgradeMode(mode)))
    assert (reason(spec, status) == "VersionChangedAfterLastState") is broken


def test_sizes():
    """A spec that could not be recorded twice in the status is refused in words, not by etcd."""
    assert reason(APP, size=400_000) is None
    assert reason(APP, size=400_001) == "SpecTooLarge"


@pytest.mark.parametrize(
    "key", ["kubernetes.namespace", "kubernetes.cluster-id", "high-availability.cluster-id"]
)
def test_keys_the_operator_sets_itself(key):
    """D5: also from the defaults, and nested."""
    assert reason(having({key: "x"})) == "ForbiddenKey"
    assert reason(APP, base={key: "x"}) == "ForbiddenKey"
    first_part, _, rest = key.partition(".")
    assert reason(having({first_part: {rest: "x"}})) == "ForbiddenKey"
    problem = first(having({key: "x"}))
    assert problem is not None
    assert key in problem.message


def test_rollback_needs_high_availability():
    """D6."""
    key = K + "deployment.rollback.enabled"
    assert reason(having({key: "true"})) == "RollbackNeedsHa"
    assert reason(having({key: "true", **HA})) is None
    assert reason(having({key: "false"})) is None


def test_health_checks_need_recovery():
    """D7: both keys are named."""
    check, recovery = K + "cluster.health-check.enabled", K + "jm-deployment-recovery.enabled"
    problem = first(having({check: "true", recovery: "false"}))
    assert problem is not None
    assert problem.reason == "HealthCheckNeedsRecovery"
    assert first(having({check: "true"})) is None
    assert check in problem.message
    assert recovery in problem.message
    assert reason(having({recovery: "false"})) is None


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (None, "IngressTemplateMissing"),
        ("{{name}}.{{namespace}}.example.com", None),
        ("example.com/{{namespace}}/{{name}}(/|$)(.*)", None),
        ("http://[::1", "InvalidIngressTemplate"),
    ],
)
def test_ingress_templates(template, expected):
    """D8."""
    assert reason(evolve(APP, ingress=IngressSpec(template=template))) == expected


def test_log_files():
    """D9."""
    assert reason(evolve(APP, log_configuration={"log4j-console.properties": ""})) is None
    assert reason(evolve(APP, log_configuration={"log4j.properties": ""})) == "UnknownLogFile"


def test_rules_of_the_job():
    """D10: J1 and J2 are in, J6 and J7 after them."""
    stateful = with_job(APP, upgrade_mode=UpgradeMode.SAVEPOINT)
    assert reason(stateful) == "CheckpointDirectoryMissing"
    assert reason(having({"state.checkpoints.dir": "s3://c"}, stateful)) == (
        "SavepointDirectoryMissing"
    )
    assert reason(with_job(APP, parallelism=0)) == "ParallelismTooLow"
    replicas = TaskManagerSpec(resource=MEMORY, replicas=2)
    assert reason(evolve(with_job(APP, parallelism=0), task_manager=replicas)) is None
    none = TaskManagerSpec(resource=MEMORY, replicas=0)
    assert reason(evolve(APP, task_manager=none)) == "TooFewReplicas"


@pytest.mark.parametrize("part", ["job_manager", "task_manager"])
@pytest.mark.parametrize("spec", [APP, SESSION])
def test_memory_is_needed(part, spec):
    """D11, D14: from the spec in either form, or from Flink's options; also without the block."""
    kind = JobManagerSpec if part == "job_manager" else TaskManagerSpec
    key = f"{part.replace('_', '')}.memory.process.size"
    for lacking in (
        None,
        kind(),
        kind(resource=Resource()),
        kind(resources=ResourceRequirements(limits={"cpu": "1"})),
    ):
        lean = placed(spec, part, lacking)
        problem = first(lean)
        assert problem is not None
        assert problem.reason == "MemoryMissing"
        assert f"spec.{part.split('_', maxsplit=1)[0]}Manager.resource.memory" in problem.message
        assert first(having({key: "2g"}, lean)) is None
    memory = {"memory": "2Gi"}
    for section in (ResourceRequirements(limits=memory), ResourceRequirements(requests=memory)):
        given = kind(resources=section)
        assert first(placed(spec, part, given)) is None


def test_memory_that_does_not_add_up():
    """D14: the reason of Flink's own calculation is told."""
    lean = evolve(APP, task_manager=None)
    problem = first(having({"taskmanager.memory.process.size": "100m"}, lean))
    assert problem is not None
    assert problem.reason == "MemoryMissing"


@pytest.mark.parametrize("part", ["job_manager", "task_manager"])
def test_contents_of_resources(part):
    """D12, D15."""
    kind = JobManagerSpec if part == "job_manager" else TaskManagerSpec
    broken = kind(resource=Resource(memory="1.5Gi"))
    assert reason(placed(APP, part, broken)) == "InvalidResource"
    broken = kind(resources=ResourceRequirements(limits={"memory": "1Gi", "cpu": "0"}))
    assert reason(placed(APP, part, broken)) == "InvalidResource"


def test_replicas_of_jobmanagers():
    """D13: at least one; standbys need high availability."""

    def with_replicas(replicas, entries):
        manager = JobManagerSpec(resource=MEMORY, replicas=replicas)
        return having(entries, evolve(APP, job_manager=manager))

    assert reason(with_replicas(0, {})) == "TooFewReplicas"
    assert reason(with_replicas(1, {})) is None
    assert reason(with_replicas(2, {})) == "StandbyNeedsHa"
    assert reason(with_replicas(2, HA)) is None


def test_replicas_of_taskmanagers_of_a_session_cluster():
    """D16."""
    manager = TaskManagerSpec(resource=MEMORY, replicas=0)
    assert reason(evolve(SESSION, task_manager=manager)) == "TooFewReplicas"


def test_what_a_cluster_is_stays():
    """D17, D18: only once something was reconciled."""
    assert reason(APP, status_of(SESSION)) == "JobAddedToSessionCluster"
    assert reason(SESSION, status_of(APP)) == "JobRemovedFromApplicationCluster"
    standalone = evolve(APP, mode=KubernetesDeploymentMode.STANDALONE)
    assert reason(standalone, status_of(APP)) == "ModeSwitchedToStandalone"
    assert reason(APP, status_of(standalone)) == "ModeSwitchedToNative"
    native = evolve(APP, mode=KubernetesDeploymentMode.NATIVE)
    assert reason(native, status_of(APP)) is None


def test_a_redeployment_needs_a_path():
    """D19: only for a nonce that is new."""
    spec = with_job(APP, savepoint_redeploy_nonce=1)
    assert reason(spec) is None
    assert reason(spec, status_of(APP)) == "SavepointPathMissing"
    assert reason(spec, status_of(spec)) is None


def test_a_service_account_is_needed():
    """D20."""
    assert reason(evolve(APP, service_account=None)) == "ServiceAccountMissing"
    assert reason(evolve(APP, service_account="")) is None


def test_options_of_the_autoscaler():
    """D21: session clusters too."""
    bad = {"job.autoscaler.enabled": "true", "job.autoscaler.utilization.target": "2"}
    for spec in (APP, SESSION):
        assert reason(having(bad, spec)) == "InvalidAutoscalerOption"


def test_what_cannot_be_read_is_a_problem():
    """An internal error of the reference; here it is told like any other fault."""
    for key, value in (
        (K + "deployment.rollback.enabled", "maybe"),
        ("job.autoscaler.enabled", "yes"),
        ("taskmanager.memory.process.size", "much"),
    ):
        lean = evolve(APP, task_manager=None)
        problem = first(having({"jobmanager.memory.process.size": "1g", key: value}, lean))
        assert problem is not None
        assert problem.reason in ("InvalidConfiguration", "MemoryMissing")


def test_defaults_of_the_operator_count():
    """They can satisfy a rule or break it."""
    lean = evolve(APP, job_manager=None, task_manager=None)
    memory = {
        "jobmanager.memory.process.size": "1600m",
        "taskmanager.memory.process.size": "1728m",
    }
    assert first(lean, base=memory) is None
    assert first(session(), base=memory) is None
    assert reason(APP, base={K + "deployment.rollback.enabled": "true"}) == "RollbackNeedsHa"
