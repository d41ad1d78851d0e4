"""What the facts say about a standalone cluster's TaskManagers; pure.

    JobManager there, TaskManagers absent ──> lost: made again
    JobManager gone, TaskManagers there ────> left over: deleted before anything else is made
    a Deployment of somebody else by their name ──> nothing is done

A native JobManager makes its TaskManagers itself, and they go with it.
"""

from attrs import frozen

from flinkop.api.common import JobState, KubernetesDeploymentMode
from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.status import FlinkDeploymentStatus, ReconciliationState
from flinkop.builders.identity import taskmanager_deployment
from flinkop.controllers.flinkdeployment import progress
from flinkop.controllers.flinkdeployment.observation import Observation, TaskManagerFacts
from flinkop.lifecycle import inplace_scaling, record
from flinkop.lifecycle.inplace_scaling import Scaling
from flinkop.lifecycle.specdiff import DiffType


def is_standalone(spec: FlinkDeploymentSpec) -> bool:
    """Whether the operator makes the cluster's TaskManagers."""
    return spec.effective_mode is KubernetesDeploymentMode.STANDALONE


def own(seen: Observation) -> TaskManagerFacts | None:
    """Return the Deployment of this cluster's TaskManagers, None when there is none of ours."""
    found = seen.task_managers
    return found if found is not None and found.ours else None


def left_over(seen: Observation) -> TaskManagerFacts | None:
    """Return the TaskManagers of a cluster whose JobManager is gone."""
    return own(seen) if seen.job_manager is None else None


def name_taken(name: str, spec: FlinkDeploymentSpec, seen: Observation) -> str | None:
    """Return the name of a Deployment of somebody else where that of the TaskManagers is to be."""
    found = seen.task_managers
    taken = found is not None and not found.ours and is_standalone(spec)
    return taskmanager_deployment(name) if taken else None


def go_with_the_job_manager(
    seen: Observation, *, high_availability: bool
) -> TaskManagerFacts | None:
    """Return the TaskManagers that may be deleted together with their JobManager.

    A JobManager that loses its TaskManagers may give its job up, and then removes the HA metadata:
    where there is any, it has to be gone first, and they are left over (behaviour.md 4.8).
    """
    found = own(seen)
    return None if found is None or found.deleting or high_availability else found


@frozen
class Lost:
    """The cluster is there but for its TaskManagers; `spec` is the deployed one."""

    spec: FlinkDeploymentSpec


def lost(status: FlinkDeploymentStatus, seen: Observation) -> Lost | None:
    """Tell whether the TaskManagers are gone while somebody needs them.

    The reference does not look; there a job waits for slots until its next restart.
    """
    main, deployed = seen.job_manager, progress.deployed_spec(status)
    if main is None or main.deleting or seen.task_managers is not None:
        return None
    if deployed is None or not is_standalone(deployed):
        return None
    if deployed.job is None:
        return Lost(deployed)
    state = status.job_status.state
    ended = state is not None and state.is_terminal
    wanted = deployed.job.state is JobState.RUNNING and not ended
    return Lost(deployed) if wanted else None


def scaling(
    status: FlinkDeploymentStatus,
    seen: Observation,
    *,
    change: DiffType,
    reactive: bool,
    wanted: int | None,
) -> Scaling | None:
    """Return how a change is carried out in the running cluster, None when it cannot be (R-114).

    Args:
        status: status after observation.
        seen: the facts.
        change: the greatest change between the recorded spec and the wanted one.
        reactive: whether the job takes whatever slots there are.
        wanted: TaskManagers that the wanted spec needs.
    """
    recorded = record.last_reconciled(status)
    if recorded is None or not is_standalone(recorded.spec) or wanted is None:
        return None
    job = recorded.spec.job
    runs = job is None or job.state is JobState.RUNNING
    main, found = seen.job_manager, own(seen)
    whole = main is not None and not main.deleting and found is not None and not found.deleting
    return inplace_scaling.of_standalone(
        inplace_scaling.StandaloneCluster(
            change=change,
            settled=runs and status.reconciliation_status.state is ReconciliationState.DEPLOYED,
            application=job is not None,
            reactive=reactive,
            replicas=found.replicas if found is not None and whole else None,
            wanted=wanted,
        )
    )
