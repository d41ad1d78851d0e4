"""The lifecycle states of a FlinkDeployment, and the steps from one to another; what `lifecycleState` can do.

`TRANSITIONS` is the whole of it: `docs/job-lifecycle.md` draws it, and the tests hold every status that is
written to it. Nothing is decided here; which state a status is in is the business of `state.lifecycle_state`.

Besides these, every state may become DELETING, and that one ends with the resource.
"""

from collections.abc import Mapping
from typing import Final

from attrs import frozen

from flinkop.api.status import LifecycleState

_CREATED = LifecycleState.CREATED
_SUSPENDED = LifecycleState.SUSPENDED
_UPGRADING = LifecycleState.UPGRADING
_DEPLOYED = LifecycleState.DEPLOYED
_STABLE = LifecycleState.STABLE
_ROLLING_BACK = LifecycleState.ROLLING_BACK
_ROLLED_BACK = LifecycleState.ROLLED_BACK
_FAILED = LifecycleState.FAILED
_DELETING = LifecycleState.DELETING

MEANINGS: Final[Mapping[LifecycleState, str]] = {
    _CREATED: "nothing was deployed yet",
    _UPGRADING: "the cluster is being made, replaced or taken down",
    _DEPLOYED: "the cluster is made; its job has not been seen running with this spec",
    _STABLE: "the job has been seen running, or has finished, with this spec",
    _SUSPENDED: "the job is down, and its state is kept",
    _FAILED: "the job has failed, or there is nothing to start it from, or its very first spec was refused",
    _ROLLING_BACK: "the new spec did not become stable in time: the last stable one is being deployed",
    _ROLLED_BACK: "the last stable spec was deployed again; the new one waits for a change of it",
    _DELETING: "the resource is being deleted, and what belongs to it is taken down first",
}
"""What each state says, for people."""


@frozen
class Transition:
    """A step that a FlinkDeployment can take; `when` reads on after "when"."""

    before: LifecycleState
    after: LifecycleState
    when: str


TRANSITIONS: Final = (
    Transition(_CREATED, _UPGRADING, "it is deployed for the first time"),
    Transition(_CREATED, _FAILED, "its first spec is refused"),
    Transition(_UPGRADING, _DEPLOYED, "the new cluster is made"),
    Transition(_UPGRADING, _SUSPENDED, "the job is down, as the spec asks"),
    Transition(_UPGRADING, _STABLE, "the old job goes on: it could not be stopped"),
    Transition(
        _UPGRADING, _FAILED, "the job ends while it is being stopped, and has to be looked at"
    ),
    Transition(_UPGRADING, _CREATED, "its first spec is suspended before anything of it was made"),
    Transition(_DEPLOYED, _STABLE, "the job runs"),
    Transition(_DEPLOYED, _FAILED, "the job fails"),
    Transition(_DEPLOYED, _UPGRADING, "the spec changes, or the job was cancelled by somebody"),
    Transition(_DEPLOYED, _SUSPENDED, "the job has ended already, and is suspended"),
    Transition(_DEPLOYED, _ROLLING_BACK, "it does not become stable in time"),
    Transition(_STABLE, _UPGRADING, "the spec changes, or the job was cancelled by somebody"),
    Transition(_STABLE, _DEPLOYED, "the job is scaled in place"),
    Transition(_STABLE, _FAILED, "the job fails"),
    Transition(
        _STABLE,
        _SUSPENDED,
        "the job has ended already, and is suspended; or it was cancelled, and the spec is refused",
    ),
    Transition(_SUSPENDED, _UPGRADING, "the job is resumed"),
    Transition(_FAILED, _CREATED, "its first spec is mended, and suspended"),
    Transition(_FAILED, _UPGRADING, "the spec changes, or failed jobs are to be restarted"),
    Transition(_FAILED, _STABLE, "the job is seen running again"),
    Transition(_FAILED, _DEPLOYED, "the lost cluster is made again"),
    Transition(_FAILED, _SUSPENDED, "the job is suspended"),
    Transition(_FAILED, _ROLLING_BACK, "it does not become stable in time"),
    Transition(_FAILED, _ROLLED_BACK, "after a rollback, the job is seen running again"),
    Transition(_ROLLING_BACK, _ROLLED_BACK, "the stable spec is deployed"),
    Transition(_ROLLING_BACK, _UPGRADING, "the spec changes meanwhile"),
    Transition(_ROLLED_BACK, _UPGRADING, "the spec changes"),
    Transition(_ROLLED_BACK, _DEPLOYED, "the spec is set back to the stable one, which runs"),
    Transition(_ROLLED_BACK, _FAILED, "the job fails"),
)


def is_possible(before: LifecycleState | None, after: LifecycleState | None) -> bool:
    """Whether a status may say `after` where it said `before`; a resource without a status is CREATED."""
    before, after = before or _CREATED, after or _CREATED
    if before is after or after is _DELETING:
        return True
    return any(one.before is before and one.after is after for one in TRANSITIONS)
