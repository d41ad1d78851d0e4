"""What of Deployments and pods matters (behaviour.md O-20 to O-23)."""

import msgspec
import pytest

from flinkop.controllers.flinkdeployment import signals
from flinkop.controllers.flinkdeployment.observation import PodFailure
from flinkop.controllers.flinkdeployment.signals import JobManagerSignal
from flinkop.events import reasons
from flinkop.kube.objects import DeploymentView, PodView


def pod(**status):
    document = {"metadata": {"name": "jm"}, "status": status}
    return msgspec.json.decode(msgspec.json.encode(document), type=PodView)


def deployment(conditions=(), available=0, **metadata):
    document = {
        "metadata": {"name": "basic", **metadata},
        "status": {"availableReplicas": available, "conditions": list(conditions)},
    }
    return msgspec.json.decode(msgspec.json.encode(document), type=DeploymentView)


def container(reason, message="why", name="main", ended=None):
    last = {} if ended is None else {"terminated": {"exitCode": 1, "message": ended}}
    state = {"waiting": {"reason": reason, "message": message}}
    return {"name": name, "state": state, "lastState": last}


def condition(kind, status, reason="", message=""):
    return {"type": kind, "status": status, "reason": reason, "message": message}


@pytest.mark.parametrize("reason", sorted(reasons.WAITING_FAILURES))
def test_a_container_that_cannot_start(reason):
    """O-21: container and message, reason as Kubernetes has it."""
    found = signals.pod_failure(pod(containerStatuses=[container(reason)]))
    assert found == PodFailure(reason, "[main] why")


def test_a_crash_loop_is_told_by_what_the_container_said():
    """O-22: its last words, if there are any."""
    looping = container("CrashLoopBackOff", "back-off", ended="no such class")
    found = signals.pod_failure(pod(containerStatuses=[looping]))
    assert found == PodFailure("CrashLoopBackOff", "[main] CrashLoop - no such class")
    for silent in (container("CrashLoopBackOff"), container("CrashLoopBackOff", ended="")):
        assert signals.pod_failure(pod(containerStatuses=[silent])) == PodFailure(
            "CrashLoopBackOff", "[main] why"
        )


def test_containers_come_before_init_containers():
    """O-21: in that order; those that wait for something ordinary do not count."""
    init = container("ErrImagePull", name="init")
    main = container("ErrImagePull")
    waiting = container("ContainerCreating")
    both = pod(containerStatuses=[waiting, main], initContainerStatuses=[init])
    assert signals.pod_failure(both) == PodFailure("ErrImagePull", "[main] why")
    one = pod(containerStatuses=[waiting], initContainerStatuses=[init])
    assert signals.pod_failure(one) == PodFailure("ErrImagePull", "[init] why")
    assert signals.pod_failure(pod(containerStatuses=[waiting, {"name": "x"}])) is None
    assert signals.pod_failure(pod()) is None


def test_a_pod_that_no_node_takes():
    """It may still find one: not fatal."""
    waiting = condition("PodScheduled", "False", "Unschedulable", "0/3 nodes")
    found = signals.pod_failure(pod(conditions=[condition("Ready", "False"), waiting]))
    assert found == PodFailure(
        "Unschedulable", "no node can take the JobManager's pod: 0/3 nodes", fatal=False
    )
    assert signals.pod_failure(pod(conditions=[condition("PodScheduled", "True")])) is None


@pytest.mark.parametrize(
    ("conditions", "unstarted"),
    [
        ({"Ready": "False", "PodReadyToStartContainers": "False"}, True),
        ({"Ready": "False", "PodReadyToStartContainers": "True", "Initialized": "False"}, False),
        ({"Ready": "False", "Initialized": "False"}, True),
        ({"Ready": "False", "Initialized": "True"}, False),
        ({"Ready": "True", "Initialized": "False"}, False),
        ({"Ready": "False"}, False),
        ({}, False),
    ],
)
def test_a_pod_that_waits_for_its_volumes(conditions, unstarted):
    """O-23: not ready, and not even ready to start; the newer condition decides where it is."""
    found = pod(conditions=[condition(k, v) for k, v in conditions.items()])
    assert signals.is_unstarted(found) is unstarted


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (condition("ReplicaFailure", "True", "FailedCreate", "quota"), "quota"),
        (condition("ReplicaFailure", "False", "FailedCreate", "quota"), None),
        (condition("ReplicaFailure", "True", "FailedDelete", "x"), None),
        (condition("Progressing", "False", "ProgressDeadlineExceeded", "x"), None),
    ],
)
def test_pods_that_cannot_be_created(entry, message):
    """O-20: quota, admission, service account; being slow is no failure."""
    found = deployment([condition("Available", "False"), entry])
    assert signals.replica_failure(found) == message


def test_the_signal_is_what_is_worth_a_look():
    """Availability and failures; an absent Deployment is neutral, so that its making is no news."""
    assert signals.job_manager_signal(None) == JobManagerSignal()
    assert signals.job_manager_signal(deployment()) == JobManagerSignal()
    assert signals.job_manager_signal(deployment(available=1)).available
    failing = deployment([condition("ReplicaFailure", "True", "FailedCreate", "quota")])
    assert signals.job_manager_signal(failing).failure == "quota"


def test_since_when_it_is_available():
    """The moment of the condition, as Kubernetes wrote it; none while it is not."""
    since = {**condition("Available", "True"), "lastTransitionTime": "2026-01-01T00:00:00Z"}
    assert signals.available_since(deployment([since])) == "2026-01-01T00:00:00Z"
    assert signals.available_since(deployment([{**since, "status": "False"}])) is None
    assert signals.available_since(deployment()) is None


@pytest.mark.parametrize(
    ("text", "number"), [("7", 7), ("0", 0), (None, -1), ("", -1), ("x", -1), ("-3", -1)]
)
def test_generations_in_annotations(text, number):
    """2.2: absent and unreadable ones match nothing."""
    assert signals.number(text) == number


CREATED = "2026-01-01T00:00:00Z"


def unavailable(since):
    """A Deployment of which no replica is available since some time."""
    known = {**condition("Available", "False"), "lastTransitionTime": since}
    return deployment([known], creationTimestamp=CREATED)


@pytest.mark.parametrize(
    ("since", "pods", "never"),
    [
        ("2026-01-01T00:00:00Z", (), True),
        ("2026-01-01T00:00:01Z", (), True),
        ("2026-01-01T00:00:05Z", (), False),
        ("2026-01-01T00:00:05Z", [container("ErrImagePull")], True),
        ("2026-01-01T00:00:05Z", [container("CrashLoopBackOff") | {"restartCount": 1}], False),
        (
            "2026-01-01T00:00:05Z",
            [{"name": "main", "state": {"running": {}}, "ready": True}],
            False,
        ),
        ("2026-01-01T00:05:00Z", [container("ErrImagePull")], False),
    ],
)
def test_whether_a_jobmanager_ever_ran(since, pods, never):
    """Proven by the first look of the Deployment's controller, or by pods that never started."""
    found = [pod(containerStatuses=list(pods))] if pods else []
    assert signals.was_never_available(unavailable(since), found) is never


def test_a_jobmanager_that_is_available_ran():
    """Nor does a Deployment say so that nobody has looked at."""
    assert not signals.was_never_available(deployment([condition("Available", "True")]), [])
    assert not signals.was_never_available(deployment(), [])
