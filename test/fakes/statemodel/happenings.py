"""What may happen in the state model, by name: the alphabet of its lives."""

import functools
from collections.abc import Callable, Mapping
from typing import Final

from fakes.statemodel.world import STEPS, World

from flinkop.flink.states import JobState as State

Happening = Callable[[World], bool]


def _job(state: State) -> Happening:
    return lambda world: world.job_becomes(state)


EVENTS: Final[Mapping[str, Happening]] = {
    "job runs": _job(State.RUNNING),
    "job fails": _job(State.FAILED),
    "job finishes": _job(State.FINISHED),
    "job restarts": _job(State.RESTARTING),
    "job is cancelled by somebody": _job(State.CANCELED),
    "a checkpoint completes": World.checkpoints,
    "the cancellation completes": World.cancel_completes,
    "the stop completes": World.stop_completes,
    "triggers are forgotten": World.forgets_triggers,
    "the JobManager starts": World.starts,
    "the JobManager is killed": World.killed,
    "the Deployment is deleted by hand": World.vanishes,
    "what was deleted is gone": World.goes,
    "HA metadata is deleted by hand": World.wiped,
    "the resource is deleted": World.delete,
}
ORDERS: Final = ("refuse", "fail", "hang", "stopping")
TIMES: Final[Mapping[str, Happening]] = {
    name: functools.partial(World.passes, name=name) for name in STEPS
}
