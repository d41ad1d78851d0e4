"""What an operator's log tells of lifecycle states, held against the table of possible steps."""

import itertools
import re
from collections import defaultdict

from flinkop.api.status import LifecycleState
from flinkop.lifecycle import deployment_states

_CHANGE = re.compile(
    r"\[(?P<resource>[^\s\]]+/[^\s\]]+)\] >>> Status\[Job\] +\| \w+ +\| (?P<state>\w+)"
)


def told(log: str) -> dict[str, list[LifecycleState]]:
    """The lifecycle states of each resource, in the order in which they were written."""
    found = defaultdict(list)
    for line in _CHANGE.finditer(log):
        found[line["resource"]].append(LifecycleState(line["state"]))
    return found


def impossible(log: str) -> list[str]:
    """Steps in the log that the table does not have, in words."""
    return [
        f"{resource}: {before} became {after}"
        for resource, states in told(log).items()
        for before, after in itertools.pairwise([LifecycleState.CREATED, *states])
        if not deployment_states.is_possible(before, after)
    ]
