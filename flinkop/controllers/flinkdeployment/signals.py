"""What of a Deployment or a pod matters here; pure.

Read by the observer, and by the watches to tell a change worth a reconcile from noise.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Final

from attrs import frozen

from flinkop.controllers.flinkdeployment.observation import NO_GENERATION, PodFailure
from flinkop.events import reasons
from flinkop.kube.objects import ContainerStatus, DeploymentView, PodView
from flinkop.stages import references

BY_CLUSTER: Final = references.BY_CLUSTER
"""Index of pods by `namespace/app label`, and of session jobs by `namespace/deploymentName`."""

TASK_MANAGERS: Final = "taskmanager"
"""Label `component` of the Deployment with a standalone cluster's TaskManagers."""

_FIRST_LOOK_SECONDS: Final = 1
_LATE_LOOK_SECONDS: Final = 60
_UNSTARTED: Final = ("PodReadyToStartContainers", "Initialized")


@frozen
class JobManagerSignal:
    """The part of a JobManager Deployment whose change is worth a look.

    That its deletion has begun is not: what counts is when it is gone.
    """

    available: bool = False
    failure: str | None = None


def job_manager_signal(found: DeploymentView | None) -> JobManagerSignal:
    """Return the signal; the neutral one for an absent Deployment, and for one of TaskManagers.

    Of these only the end is of interest: whether a job has the slots it needs is asked of Flink.
    """
    if found is None or found.metadata.labels.get("component") == TASK_MANAGERS:
        return JobManagerSignal()
    return JobManagerSignal(
        available=found.status.available_replicas > 0,
        failure=replica_failure(found),
    )


def pod_failure(pod: PodView) -> PodFailure | None:
    """Return why a pod's containers do not run, or that no node takes it (O-21, O-22)."""
    for status in (*pod.container_statuses, *pod.init_container_statuses):
        failure = _container_failure(status)
        if failure is not None:
            return failure
    for condition in pod.conditions:
        if condition.type == "PodScheduled" and condition.reason == reasons.UNSCHEDULABLE:
            text = f"no node can take the JobManager's pod: {condition.message}"
            return PodFailure(reasons.UNSCHEDULABLE, text, fatal=False)
    return None


def _container_failure(status: ContainerStatus) -> PodFailure | None:
    waiting = status.state.waiting
    if waiting is None or waiting.reason not in reasons.WAITING_FAILURES:
        return None
    ended = status.last_state.terminated
    if waiting.reason == reasons.CRASH_LOOP_BACK_OFF and ended is not None and ended.message:
        return PodFailure(waiting.reason, f"[{status.name}] CrashLoop - {ended.message}")
    return PodFailure(waiting.reason, f"[{status.name}] {waiting.message}")


def is_unstarted(pod: PodView) -> bool:
    """Whether a pod waits for its volumes or network (O-23)."""
    conditions = {c.type: c.status for c in pod.conditions}
    started = next((conditions[name] for name in _UNSTARTED if name in conditions), None)
    return conditions.get("Ready") == "False" and started == "False"


def replica_failure(found: DeploymentView) -> str | None:
    """Return why no pod could be created: quota, admission, service account (O-20)."""
    for condition in found.status.conditions:
        if (
            condition.type == "ReplicaFailure"
            and condition.status == "True"
            and condition.reason == reasons.FAILED_CREATE
        ):
            return condition.message
    return None


def available_since(found: DeploymentView) -> str | None:
    """Return when a replica became available, in RFC 3339; None while none is."""
    for condition in found.status.conditions:
        if condition.type == "Available" and condition.status == "True":
            return condition.last_transition_time
    return None


def was_never_available(found: DeploymentView, pods: Sequence[PodView]) -> bool:
    """Return whether no JobManager of this Deployment ever ran (behaviour.md 3.4).

    The Deployment's controller says that none is available at its first look, in the second of the creation
    or the next. On a busy control plane that look comes later; then pods that have never started prove it.
    """
    created = found.metadata.creation_timestamp
    for condition in found.status.conditions:
        if condition.type != "Available" or condition.status != "False":
            continue
        changed = condition.last_transition_time
        if created is None or changed is None:
            return False
        late = (dt.datetime.fromisoformat(changed) - created).total_seconds()
        unstarted = bool(pods) and not any(_has_started(pod) for pod in pods)
        return late <= _FIRST_LOOK_SECONDS or (late <= _LATE_LOOK_SECONDS and unstarted)
    return False


def _has_started(pod: PodView) -> bool:
    """Whether the pod's main container ran at least once."""
    return any(
        status.ready or status.restart_count or status.state.waiting is None
        for status in pod.container_statuses
    )


def number(text: str | None) -> int:
    """Return the generation in an annotation; releases before 1.1, and recoveries by any, set none."""
    return int(text) if text is not None and text.isdigit() else NO_GENERATION
