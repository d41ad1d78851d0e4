"""What happens in the exhaustive lives: small alphabets, each around one subject."""

import functools
from collections.abc import Mapping
from typing import Final

from attrs import frozen
from fakes.statemodel.exploring import Happening
from fakes.statemodel.happenings import EVENTS, ORDERS, TIMES
from fakes.statemodel.operator import Look, look
from fakes.statemodel.world import World

_LOOKS: Final = {
    "a look in silence": Look(deaf=True),
    "a look without statistics": Look(blind=True),
    "a look that misses what was made": Look(late="made"),
    "a look that misses what is going": Look(late="going"),
}
_DELETION: Final = "the resource is deleted"
_LIFE: Final = tuple(name for name in EVENTS if name != _DELETION)
_UPS_AND_DOWNS: Final = (
    "job runs",
    "a checkpoint completes",
    "the cancellation completes",
    "the stop completes",
    "the JobManager starts",
    "the JobManager is killed",
    "what was deleted is gone",
)
_LONG: Final = "past the readiness timeout"


@frozen
class Family:
    """Where lives begin, and what can happen in them besides looks.

    Attributes:
        alphabet: what can happen, by name.
        options: edits of the spec before it is applied.
        runs: whether the job runs already.
    """

    alphabet: Mapping[str, Happening]
    options: tuple[str, ...] = ()
    runs: bool = True


def _edit(name: str, world: World) -> bool:
    return world.edit(name)


def _order(name: str, world: World) -> bool:
    return world.give(name)


def _look(how: Look, world: World) -> bool:
    look(world, how)
    return True


def _alphabet(
    *edits: str,
    events: tuple[str, ...] = _LIFE,
    orders: tuple[str, ...] = (),
    times: tuple[str, ...] = (),
    looks: int = 0,
) -> dict[str, Happening]:
    return {
        **{f"edit: {name}": functools.partial(_edit, name) for name in edits},
        **{name: EVENTS[name] for name in events},
        **{f"the next request: {name}": functools.partial(_order, name) for name in orders},
        **{f"time: {name}": TIMES[name] for name in times},
        **{name: functools.partial(_look, how) for name, how in list(_LOOKS.items())[:looks]},
    }


FAMILIES: Final[Mapping[str, Family]] = {
    "suspended and resumed": Family(_alphabet("image b", "suspend", "run")),
    "changing its mode": Family(_alphabet("image b", "stateless", "savepoint", "last-state")),
    "redeployed": Family(_alphabet("image b", "redeploy", "stateless")),
    "changing its Flink": Family(_alphabet("version", "ha"), options=("cancel for last-state",)),
    "first deployed": Family(
        _alphabet("image b", "suspend", "run", "redeploy", "savepoint", "stateless", looks=4),
        runs=False,
    ),
    "asking Flink in vain": Family(
        _alphabet(
            "image b",
            "suspend",
            events=(*_UPS_AND_DOWNS, "triggers are forgotten"),
            orders=ORDERS,
            times=(_LONG,),
            looks=2,
        )
    ),
    "restarted after failures": Family(_alphabet("image b", looks=4), options=("restart failed",)),
    "rolled back": Family(
        _alphabet(
            "broken image",
            "image a",
            "invalid",
            events=(*_UPS_AND_DOWNS, "job fails", "the Deployment is deleted by hand"),
            times=(_LONG,),
        ),
        options=("rollback",),
    ),
    "left alone": Family(
        _alphabet("image b", "suspend", looks=1, times=("a day",)),
        options=("no recovery", "no fallback"),
    ),
    "deleted": Family(
        _alphabet(
            "image b",
            "savepoint on deletion",
            events=(*_LIFE, _DELETION),
            orders=("refuse", "hang"),
        ),
        options=("savepoint on deletion",),
    ),
}
