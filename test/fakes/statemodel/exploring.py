"""Every life of the state model up to a length: breadth first, states that are alike only once.

From each state that is new, the operator has to find its way home as well (`settling`).
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

import msgspec
from attrs import evolve, frozen
from fakes.statemodel.operator import Look, deeds, look
from fakes.statemodel.settling import settle
from fakes.statemodel.specs import spec_text
from fakes.statemodel.world import World

from flinkop.api import codec

_NAMES: Final = re.compile(r"\b(job|uid|trigger|chk|savepoint)-(\d+)")

Happening = Callable[[World], object]
Step = tuple[str, World]


@frozen
class Explored:
    """What was found.

    Attributes:
        states: how many different states there are.
        transitions: how many happenings led to them.
        fault: what is wrong, None when nothing is.
        path: what happened before it.
    """

    states: int
    transitions: int
    fault: str | None = None
    path: tuple[str, ...] = ()


def explore(start: World, alphabet: Mapping[str, Happening], length: int) -> Explored:
    """Let happen whatever can happen, `length` times in a row; stop at the first fault, by a shortest path.

    Besides `alphabet` the operator looks, and dies at each of its steps.
    """
    first = key(start)
    came: dict[str, tuple[str, str] | None] = {first: None}
    settles: set[str] = set()
    level = [(first, start)]
    transitions = 0
    for _ in range(length):
        following = []
        for before, world in level:
            for name, after in _steps(world, alphabet):
                transitions += 1
                known = key(after)
                if after.broken:
                    path = (*_path(came, before), name)
                    return Explored(len(came), transitions, "; ".join(after.broken), path)
                if known in came:
                    continue
                came[known] = (before, name)
                fault = _way_home(after, settles)
                if fault is not None:
                    return Explored(len(came), transitions, fault, _path(came, known))
                following.append((known, after))
        level = following
    return Explored(len(came), transitions)


def _steps(world: World, alphabet: Mapping[str, Happening]) -> Iterator[Step]:
    for name, happens in alphabet.items():
        after = world.copy()
        if happens(after):
            yield name, after
    after = world.copy()
    made = look(after)
    yield "look", after
    for count in range(1, deeds(made) + 1) if made is not None else ():
        died = world.copy()
        look(died, Look(dies_after=count))
        yield f"look, and die after {count}", died


def _way_home(world: World, settles: set[str]) -> str | None:
    passed: list[str] = []

    def is_known(now: World) -> bool:
        known = key(now)
        passed.append(known)
        return known in settles

    fault = settle(world.copy(), is_known)
    if fault is None:
        settles.update(passed)
    return fault


def _path(came: Mapping[str, tuple[str, str] | None], last: str) -> tuple[str, ...]:
    names = []
    origin = came[last]
    while origin is not None:
        before, name = origin
        names.append(name)
        origin = came[before]
    return tuple(reversed(names))


def key(world: World) -> str:
    """Return a text that is equal for worlds that are alike: names that were made up are numbered anew."""
    ledger = world.ledger
    text = "\n".join(
        (
            spec_text(world.spec),
            msgspec.json.encode(codec.encode_status(world.status)).decode(),
            str(
                (
                    world.generation,
                    world.deleted,
                    world.released,
                    world.seconds,
                    world.order,
                    world.keeps_checkpoints,
                )
            ),
            _deployment(world),
            str(world.processes),
            str(sorted(world.metadata.items())),
            str(evolve(ledger, good=frozenset(), also=frozenset())),
            str(sorted(ledger.also)),
            str(sorted(map(hash, ledger.good))),
        )
    )
    # What nothing leads to any more will not be restored.
    text += _files(world.files, text)
    numbers: dict[str, int] = {}

    def renamed(found: re.Match[str]) -> str:
        return f"{found[1]}-{numbers.setdefault(found[2], len(numbers))}"

    return _NAMES.sub(renamed, text)


def _deployment(world: World) -> str:
    found = world.deployment
    if found is None:
        return "none"
    return f"{found.uid} {found.generation} {found.job_id} {found.path} {found.deleting} {spec_text(found.spec)}"


def _files(files: Iterable[str], text: str) -> str:
    return str(sorted(path for path in files if path in text))
