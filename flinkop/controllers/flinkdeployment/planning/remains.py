"""What is done only where nothing of the old cluster is left; pure (behaviour.md 4.8).

    JobManager Deployment gone ─> its pods in the cache: an event tells of their end
                               ─> none: the API server is asked ─> something left: looked at again
                                                                ─> nothing: what is due is done

Two JobManagers of one resource never run side by side, and HA metadata is not touched beside one that still
writes it. The Deployment's absence does not prove that: deleted in the background, by us or by hand, it
goes before what it owns.
"""

from typing import Final

from flinkop.api.status import ReconciliationState
from flinkop.controllers.flinkdeployment.planning.situation import Situation
from flinkop.controllers.flinkdeployment.planning.steps import (
    DeleteHaMetadata,
    DeleteTaskManagers,
    DropJobGraphs,
    Inquiry,
    Made,
    Outcome,
    Plan,
    ReleaseFinalizer,
    Submit,
    Wait,
)
from flinkop.lifecycle.upgrade import Question

_ALONE: Final = (Submit, DeleteTaskManagers, DeleteHaMetadata, DropJobGraphs, ReleaseFinalizer)
_MOVING: Final = (ReconciliationState.UPGRADING, ReconciliationState.ROLLING_BACK)


def once_gone(at: Situation, made: Outcome, *, known: bool) -> Outcome:
    """Return `made`, or what has to happen before it.

    Args:
        at: the situation that `made` is for.
        made: what is due.
        known: whether this resource had a cluster before; if not, a look at the cache has to do.
    """
    seen = at.observation
    if seen.job_manager is not None or isinstance(made, Inquiry) or not _needs_it_gone(at, made):
        return made
    if seen.pods:
        return Plan(
            "waiting for the old JobManager's pod to be gone", at.status, wait=Wait.PROGRESS
        )
    if not known:
        return made
    if seen.remains is None:
        return Inquiry(Question.REMAINS)
    if seen.remains:
        return Plan(
            "waiting for the rest of the old cluster to be gone", at.status, wait=Wait.PROBE
        )
    return made


def _needs_it_gone(at: Situation, made: Made) -> bool:
    """Whether a plan makes, deletes or lets go what another JobManager could use, or says that it is down."""
    if any(isinstance(step, _ALONE) for step in made.steps):
        return True
    return at.recon in _MOVING and made.status.reconciliation_status.state is not at.recon
