"""The upgrade decision, asked with what this reconcile knows; pure (behaviour.md 3.4)."""

from attrs import evolve

from flinkop.api.status import JobManagerDeploymentStatus as JobManager
from flinkop.controllers.flinkdeployment import progress
from flinkop.controllers.flinkdeployment.planning.situation import Situation
from flinkop.controllers.jobs import deciding as job_deciding, job_progress
from flinkop.lifecycle import upgrade
from flinkop.lifecycle.upgrade import ClusterFacts, Decision, Facts, Question


def decide(at: Situation) -> Decision | Question:
    """Return how the running job is taken down so that the next start has its state."""
    return upgrade.decide(facts(at))


def facts(at: Situation) -> Facts:
    """Return what the upgrade decision is made from."""
    status = at.status
    running = progress.deployed_spec(status)
    manager = at.observation.job_manager
    ready = status.job_manager_deployment_status is JobManager.READY
    return evolve(
        job_deciding.facts(at, accessible=ready),
        version_changed=running is not None and running.flink_version != at.spec.flink_version,
        ha_metadata=_ha_metadata(at),
        cluster=ClusterFacts(
            job_manager=status.job_manager_deployment_status,
            high_availability=_can_have_ha_metadata(at),
            recorded_mode=at.recorded_mode,
            never_started=manager is not None and manager.never_available,
            job_unknown=status.error == job_progress.JOB_NOT_FOUND,
        ),
    )


def _ha_metadata(at: Situation) -> bool | None:
    """Whether there is HA metadata that the wanted cluster can use; None when nobody looked."""
    if not _can_have_ha_metadata(at):
        return False
    return at.observation.ha.available if at.observation.ha is not None else None


def _can_have_ha_metadata(at: Situation) -> bool:
    return at.options.high_availability and at.wants_ha and at.finds_ha_metadata
